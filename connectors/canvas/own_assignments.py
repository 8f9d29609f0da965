"""Which assignments of a course stand for line items of Waymark: never evidence."""

import math
from collections.abc import Sequence

from connectors.advantage import LineItems, OwnLineItem
from connectors.canvas.payloads import Assignment
from connectors.errors import GiveUp
from connectors.platform import PlatformAccess
from mapping.passback import OWN_TITLE
from mapping.records import CourseRef

_TOOL_MADE = (["none"], ["external_tool"])
_CLOSED = frozenset({"not_found", "refused_request", "service_refused"})
"""What a course answers that is closed to the tool: concluded, or the tool is not installed."""


def container_of(access: PlatformAccess, course: CourseRef) -> str:
    """The address of a course's line items."""
    return f"{access.api_url}/api/lti/courses/{course}/line_items"


def own_assignments(
    items: LineItems,
    access: PlatformAccess,
    course: CourseRef,
    *,
    assignments: Sequence[Assignment],
) -> set[str]:
    """The ids of the assignments that stand for line items of Waymark.

    Where LTI is not set up, or a course is closed to it (Canvas closes a concluded one), they
    are told by what they look like, or the marks of earlier years would become evidence.

    Args:
        items: Waymark's line items.
        access: The platform.
        course: The course.
        assignments: All of its assignments.

    Returns:
        Ids.

    Raises:
        GiveUp: LTI says nothing, as where there is no service token to be had: Waymark cannot
            tell its own columns from evidence.
    """
    alike = {str(one.id) for one in assignments if _looks_own(one)}
    if not access.has_services:
        return alike
    try:
        own = items.all(container_of(access, course))
    except GiveUp as error:
        if error.cause not in _CLOSED:
            raise
        return alike
    return alike | {str(one.id) for one in assignments if any(stands_for(one, x) for x in own)}


def stands_for(assignment: Assignment, item: OwnLineItem) -> bool:
    """Whether an assignment is the one behind a line item.

    A link's line item carries the link's id. One made without a link has its label and maximum
    in common with the assignment, which Canvas keeps equal, and takes no submissions.
    """
    link = (assignment.external_tool_tag_attributes or {}).get("resource_link_id")
    if item.resource_link_id and link is not None:
        return item.resource_link_id == link
    return (
        assignment.submission_types in _TOOL_MADE
        and assignment.name == item.label
        and math.isclose(assignment.points_possible or 0.0, item.score_maximum)
    )


def _looks_own(assignment: Assignment) -> bool:
    return assignment.submission_types == ["none"] and assignment.name.startswith(OWN_TITLE)
