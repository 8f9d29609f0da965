"""What Canvas sends, as far as Waymark reads it; payloads live for one function.

Ids are text: they are asked for as such, because they outgrow what JSON numbers hold safely.
A number is taken too, for the day a proxy or an older Canvas ignores the wish.
"""

from datetime import datetime

import msgspec

Id = str | int


class Course(msgspec.Struct):
    """GET /api/v1/accounts/:id/courses."""

    id: Id
    account_id: Id
    workflow_state: str
    name: str | None = None
    course_code: str | None = None
    sis_course_id: str | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None


class User(msgspec.Struct):
    """The user inside an enrolment."""

    id: Id
    name: str
    sortable_name: str | None = None
    sis_user_id: str | None = None


class Enrollment(msgspec.Struct):
    """GET /api/v1/courses/:id/enrollments: one for each section, so people come repeatedly."""

    user_id: Id
    type: str
    enrollment_state: str
    user: User
    associated_user_id: Id | None = None
    sis_user_id: str | None = None


class Group(msgspec.Struct):
    """GET /api/v1/courses/:id/assignment_groups."""

    id: Id
    name: str


class RubricRow(msgspec.Struct):
    """A criterion of an assignment's rubric."""

    id: str
    points: float | None = None
    description: str | None = None
    ignore_for_scoring: bool | None = None


class Assignment(msgspec.Struct):
    """GET /api/v1/courses/:id/assignments."""

    id: Id
    name: str
    points_possible: float | None = None
    grading_type: str = "points"
    submission_types: list[str] = []
    assignment_group_id: Id | None = None
    due_at: datetime | None = None
    published: bool = True
    omit_from_final_grade: bool = False
    rubric: list[RubricRow] | None = None
    external_tool_tag_attributes: dict[str, object] | None = None


class Column(msgspec.Struct):
    """GET /api/v1/courses/:id/custom_gradebook_columns."""

    id: Id
    title: str
    teacher_notes: bool | None = None
    hidden: bool | None = None


class ColumnDatum(msgspec.Struct):
    """GET /api/v1/courses/:id/custom_gradebook_columns/:id/data: a cell that is not empty."""

    user_id: Id
    content: str | None = None


class Progress(msgspec.Struct):
    """GET /api/v1/progress/:id."""

    id: Id
    workflow_state: str
    message: str | None = None


class Submission(msgspec.Struct):
    """GET /api/v1/courses/:id/students/submissions."""

    user_id: Id
    score: float | None = None
    entered_score: float | None = None
    grader_id: Id | None = None
    excused: bool | None = None


class Rating(msgspec.Struct, rename="camel"):
    """A rubric row of a submission, scored."""

    points: float | None = None
    criterion: "RatedCriterion | None" = None


class RatedCriterion(msgspec.Struct):
    """Which rubric row a rating is for."""

    id: str = msgspec.field(name="_id")


class Assessment(msgspec.Struct, rename="camel"):
    """A filled rubric."""

    assessment_ratings: list[Rating] = []


class Assessments(msgspec.Struct):
    """The filled rubrics of a submission."""

    nodes: list[Assessment | None] | None = None


class SubmissionNode(msgspec.Struct, rename="camel"):
    """A submission of the GraphQL schema."""

    user_id: Id
    assignment_id: Id
    state: str
    entered_score: float | None = None
    deducted_points: float | None = None
    excused: bool | None = None
    late: bool | None = None
    missing: bool | None = None
    attempt: int | None = None
    submitted_at: datetime | None = None
    graded_at: datetime | None = None
    posted_at: datetime | None = None
    rubric_assessments_connection: Assessments | None = None


class PageInfo(msgspec.Struct, rename="camel"):
    """Whether more rows follow, and the cursor that leads to them."""

    has_next_page: bool
    end_cursor: str | None = None


class Submissions(msgspec.Struct, rename="camel"):
    """One page of submissions."""

    nodes: list[SubmissionNode | None]
    page_info: PageInfo


class SubmissionsOfCourse(msgspec.Struct, rename="camel"):
    """A course with one page of its submissions."""

    submissions_connection: Submissions | None = None


class SubmissionsData(msgspec.Struct):
    """The data of a GraphQL answer; no course means that it is not to be seen."""

    course: SubmissionsOfCourse | None = None


class GraphqlError(msgspec.Struct):
    """One thing that Canvas says about a query."""

    message: str = ""


class SubmissionsAnswer(msgspec.Struct):
    """A GraphQL answer: errors come with status 200."""

    data: SubmissionsData | None = None
    errors: list[GraphqlError] | None = None
