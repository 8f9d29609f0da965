"""LMSs: the only floor that opens connections to one.

A connector turns what an LMS sends into ``mapping.records`` and writes marks to the columns that
Waymark owns. What does not belong here: the database, jobs, retries, and any decision about what
a score means or whether a mark shall be written.
"""

from connectors.canvas import CanvasGradebook
from connectors.moodle import MoodleGradebook
from connectors.platform import PlatformAccess, PlatformKind, Services
from connectors.protocol import Gradebook

__all__ = ["Gradebook", "PlatformAccess", "PlatformKind", "Services", "connect"]


def connect(access: PlatformAccess, services: Services) -> Gradebook:
    """The connector for a platform; one for each thread, it keeps a session.

    Args:
        access: How the platform is reached.
        services: What the connector uses.

    Returns:
        A gradebook that has sent nothing yet.
    """
    if access.kind is PlatformKind.CANVAS:
        return CanvasGradebook(access, services)
    return MoodleGradebook(access, services)
