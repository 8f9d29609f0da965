"""What Waymark asks Canvas's developer key for, each scope with its reason.

A scope is ``url:``, the verb, and the route as Canvas names it. A scoped token is refused
everything else, so that a stolen one is worth little. Whoever adds a call adds its scope here.

Source: Canvas, Developer Keys, scopes; contracts/canvas.md 1.6.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_COURSE = "/api/v1/courses/:course_id"
_COLUMNS = f"{_COURSE}/custom_gradebook_columns"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRight:
    """One thing that Waymark does in Canvas, in words, and the scopes it takes."""

    purpose: str
    scopes: Sequence[str]


RIGHTS = (
    ApiRight(
        purpose="See which courses there are, and who asks",
        scopes=(
            "url:GET|/api/v1/accounts/:account_id/courses",
            "url:GET|/api/v1/users/:id",
        ),
    ),
    ApiRight(
        purpose="See who belongs to a course, and to which section or group of it",
        scopes=(
            f"url:GET|{_COURSE}/enrollments",
            f"url:GET|{_COURSE}/sections",
            f"url:GET|{_COURSE}/groups",
        ),
    ),
    ApiRight(
        purpose="See the assignments of a course, their categories and rubrics",
        scopes=(
            f"url:GET|{_COURSE}/assignments",
            f"url:GET|{_COURSE}/assignments/:id",
            f"url:GET|{_COURSE}/assignment_groups",
        ),
    ),
    ApiRight(
        purpose="See scores and submissions, and which of them changed",
        scopes=(
            "url:POST|/api/graphql",
            f"url:GET|{_COURSE}/students/submissions",
            "url:GET|/api/v1/audit/grade_change/courses/:course_id",
        ),
    ),
    ApiRight(
        purpose="Make Waymark's own columns in the gradebook, and write mastery into them",
        scopes=(
            f"url:GET|{_COLUMNS}",
            f"url:POST|{_COLUMNS}",
            f"url:GET|{_COLUMNS}/:id/data",
            f"url:PUT|{_COURSE}/custom_gradebook_column_data",
            "url:GET|/api/v1/progress/:id",
        ),
    ),
    ApiRight(
        purpose="Leave Waymark's own assignments out of the final grade",
        scopes=(f"url:PUT|{_COURSE}/assignments/:id",),
    ),
)

SCOPES = tuple(scope for right in RIGHTS for scope in right.scopes)
"""Everything that Waymark asks of Canvas's own API; each at most once."""
