"""What Canvas sends, as far as Waymark reads it; payloads live for one function.

Ids are text: they are asked for as such, because they outgrow what JSON numbers hold safely.
A number is taken too, for the day a proxy or an older Canvas ignores the wish.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Generic, TypeVar

import msgspec

Id = str | int
T = TypeVar("T")


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
    restrict_enrollments_to_course_dates: bool | None = None


class User(msgspec.Struct):
    """The user inside an enrolment."""

    id: Id
    name: str
    sortable_name: str | None = None
    sis_user_id: str | None = None
    group_ids: list[Id] | None = None


class Enrollment(msgspec.Struct):
    """GET /api/v1/courses/:id/enrollments: one for each section, so people come repeatedly."""

    user_id: Id
    type: str
    enrollment_state: str
    user: User
    id: Id | None = None
    course_section_id: Id | None = None
    associated_user_id: Id | None = None
    sis_user_id: str | None = None


class Group(msgspec.Struct):
    """GET /api/v1/courses/:id/assignment_groups."""

    id: Id
    name: str


class RubricRow(msgspec.Struct):
    """A criterion of an assignment's rubric.

    One that a teacher took from an outcome has that outcome's id, by one of two names, and what
    the outcome's maker calls it, where that is said; its description is the outcome's title.
    """

    id: str
    points: float | None = None
    description: str | None = None
    ignore_for_scoring: bool | None = None
    outcome_id: Id | None = None
    learning_outcome_id: Id | None = None
    vendor_guid: str | None = None


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
    hide_in_gradebook: bool | None = None
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


class Comment(msgspec.Struct):
    """A comment of a submission; one that a tool left has no author."""

    comment: str | None = None
    author_id: Id | None = None


class Submission(msgspec.Struct):
    """GET /api/v1/courses/:id/students/submissions."""

    user_id: Id
    score: float | None = None
    entered_score: float | None = None
    grader_id: Id | None = None
    excused: bool | None = None
    submission_comments: list[Comment] | None = None


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


class PastNode(msgspec.Struct, rename="camel"):
    """An attempt in a submission's history, by GraphQL."""

    state: str = ""
    entered_score: float | None = None
    late: bool | None = None
    attempt: int | None = None
    submitted_at: datetime | None = None
    graded_at: datetime | None = None


class Histories(msgspec.Struct):
    """The history of a submission."""

    nodes: list[PastNode | None] | None = None


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
    grade_matches_current_submission: bool | None = None
    rubric_assessments_connection: Assessments | None = None
    submission_histories_connection: Histories | None = None

    def history(self) -> Sequence[PastNode]:
        """All attempts, this one among them, in no sure order."""
        connection = self.submission_histories_connection
        return [one for one in (connection.nodes if connection else None) or () if one is not None]

    def rated(self) -> Mapping[str, float]:
        """Points by rubric row, of the rows that have any."""
        connection = self.rubric_assessments_connection
        assessments = connection.nodes if connection else None
        if not assessments:
            return {}
        return {
            rating.criterion.id: rating.points
            for assessment in assessments
            if assessment is not None
            for rating in assessment.assessment_ratings
            if rating.criterion is not None and rating.points is not None
        }


class RatedRow(msgspec.Struct):
    """A rubric row of a submission, scored, as REST has it."""

    points: float | None = None


class PastRow(msgspec.Struct):
    """An attempt in a submission's history, as REST has it."""

    state: str = msgspec.field(name="workflow_state", default="")
    entered_score: float | None = None
    late: bool | None = None
    attempt: int | None = None
    submitted_at: datetime | None = None
    graded_at: datetime | None = None


class SubmissionRow(msgspec.Struct):
    """A submission of students/submissions, named as GraphQL names it."""

    user_id: Id
    assignment_id: Id
    state: str = msgspec.field(name="workflow_state")
    entered_score: float | None = None
    deducted_points: float | None = msgspec.field(name="points_deducted", default=None)
    excused: bool | None = None
    late: bool | None = None
    missing: bool | None = None
    attempt: int | None = None
    submitted_at: datetime | None = None
    graded_at: datetime | None = None
    posted_at: datetime | None = None
    grade_matches_current_submission: bool | None = None
    rubric_assessment: dict[str, RatedRow] | None = None
    submission_history: list[PastRow | None] | None = None
    assignment_visible: bool | None = None
    """Asked for by ``include[]``, so it tells whether that was heard."""

    def history(self) -> Sequence[PastRow]:
        """All attempts, this one among them, in no sure order."""
        return [one for one in self.submission_history or () if one is not None]

    def rated(self) -> Mapping[str, float]:
        """Points by rubric row, of the rows that have any."""
        rows = self.rubric_assessment or {}
        return {ref: row.points for ref, row in rows.items() if row.points is not None}


class AuditLinks(msgspec.Struct):
    """Whose grade in which assignment an event is about."""

    assignment: Id | None = None
    student: Id | None = None


class AuditEvent(msgspec.Struct):
    """A change of a grade."""

    links: AuditLinks
    created_at: datetime | None = None


class AuditEvents(msgspec.Struct):
    """GET /api/v1/audit/grade_change/courses/:id: a compound document, the newest first."""

    events: list[AuditEvent]


class SectionRow(msgspec.Struct):
    """GET /api/v1/courses/:id/sections."""

    id: Id
    name: str
    sis_section_id: str | None = None


class GroupRow(msgspec.Struct):
    """GET /api/v1/courses/:id/groups."""

    id: Id
    name: str


class PageInfo(msgspec.Struct, rename="camel"):
    """Whether more rows follow, and the cursor that leads to them."""

    has_next_page: bool
    end_cursor: str | None = None


class Connection(msgspec.Struct, Generic[T], rename="camel"):
    """One page of a list of the GraphQL schema."""

    page_info: PageInfo
    nodes: list[T | None] | None = None

    def rows(self) -> Sequence[T]:
        """The rows that may be seen; Canvas sends null for one that may not."""
        return [node for node in self.nodes or () if node is not None]


class GraphqlError(msgspec.Struct):
    """One thing that Canvas says about a query."""

    message: str = ""
