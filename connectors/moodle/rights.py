"""What Waymark's service user needs in Moodle, each capability with its reason.

Source: Moodle 4.5; contracts/moodle.md 1 and 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.moodle.self_check import NEEDED, USEFUL

__all__ = ["CAPABILITIES", "NEEDED", "USEFUL", "Capability"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """What is to be allowed, as Moodle names it, and what for."""

    purpose: str
    names: Sequence[str]


CAPABILITIES = (
    Capability(purpose="Asking anything", names=("webservice/rest:use",)),
    Capability(
        purpose="Every course, hidden ones too",
        names=("moodle/course:view", "moodle/course:viewhiddencourses"),
    ),
    Capability(purpose="People's names", names=("moodle/user:viewdetails",)),
    Capability(
        purpose="ID numbers, by which a learner is known on several LMSs",
        names=("moodle/site:viewuseridentity", "moodle/user:viewalldetails"),
    ),
    Capability(purpose="Who is suspended", names=("moodle/course:enrolreview",)),
    Capability(purpose="Grades", names=("gradereport/user:view", "moodle/grade:viewall")),
    Capability(
        purpose="Columns that Moodle would leave out without a word",
        names=(
            "moodle/grade:viewhidden",
            "moodle/course:viewhiddenactivities",
            "mod/assign:view",
            "mod/quiz:view",
        ),
    ),
    Capability(purpose="Which attempt was marked", names=("mod/assign:viewgrades",)),
    Capability(
        purpose="Groups",
        names=("moodle/course:managegroups", "moodle/site:accessallgroups"),
    ),
    Capability(
        purpose="Importing competency frameworks",
        names=("moodle/competency:competencyview", "moodle/competency:coursecompetencyview"),
    ),
)
"""What nights need; passback as competencies and rubric rows need more (docs/connecting.md)."""
