"""Canvas: its REST and GraphQL API and its LTI Advantage services.

What Canvas calls things stays in this package; out of it come records. Nothing here knows of
another LMS, and no request is sent but through ``connectors.http``.
"""

from connectors.canvas.gradebook import CanvasGradebook

__all__ = ["CanvasGradebook"]
