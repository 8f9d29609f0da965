"""Web service functions about groups.

Source: moodle.md, section 2.2; shapes from Moodle's public source.
"""

from typing import Any

from simulators.moodle.functions import INT, enter, require
from simulators.moodle.groups import groups_in
from simulators.moodle.rest import function
from simulators.moodle.site import Site


@function("core_group_get_course_groups", {"courseid": INT})
def get_course_groups(site: Site, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """All groups of a course, by name."""
    course = enter(site, arguments["courseid"])
    require(site, "moodle/course:managegroups", "Manage groups")
    return groups_in(site, course["id"])
