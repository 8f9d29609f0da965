"""Moodle: its web services and its LTI Advantage services.

What Moodle calls things stays in this package; out of it come records. Nothing here knows of
another LMS, and no request is sent but through ``connectors.http``.
"""

from connectors.moodle.gradebook import MoodleGradebook

__all__ = ["MoodleGradebook"]
