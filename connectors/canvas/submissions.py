"""Canvas's submissions as scores, by the GraphQL API: the only feed that sees every change.

REST's ``graded_since`` misses a grade that was cleared, an excuse that was taken back and a late
policy that was changed; ``updatedSince`` over all states catches them.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from connectors.canvas.courses import in_utc
from connectors.canvas.payloads import SubmissionNode, Submissions, SubmissionsAnswer
from connectors.canvas.rest import CanvasRest
from connectors.errors import GiveUp, Gone
from connectors.paging import LoopGuard
from mapping.records import (
    CourseRef,
    CriterionRef,
    LearnerRef,
    LineItem,
    LineItemRef,
    Score,
    ScoreState,
)

_QUERY = """
query WaymarkScores($course: ID!, $after: String, $filter: SubmissionFilterInput) {
  course(id: $course) {
    submissionsConnection(first: 100, after: $after, filter: $filter) {
      nodes {
        userId assignmentId state enteredScore deductedPoints excused late missing attempt
        submittedAt gradedAt postedAt
        rubricAssessmentsConnection { nodes { assessmentRatings { points criterion { _id } } } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
# The default leaves out "unsubmitted": there a taken-back excuse would be.
_STATES = ["submitted", "unsubmitted", "pending_review", "graded"]


def submission_pages(
    rest: CanvasRest, course: CourseRef, since: datetime | None
) -> Iterator[Submissions]:
    """Submissions of a course, a hundred a page.

    Args:
        rest: Canvas.
        course: The course.
        since: Only those touched after this moment; None asks for all.

    Yields:
        Pages; the last one says that no other follows.

    Source: Canvas GraphQL schema, Course.submissionsConnection.
    """
    wanted: dict[str, object] = {"states": _STATES}
    if since is not None:
        wanted["updatedSince"] = since.isoformat().replace("+00:00", "Z")
    guard = LoopGuard()
    after: str | None = None
    while True:
        variables = {"course": course, "after": after, "filter": wanted}
        page = _page(rest, course, rest.query(_QUERY, variables, SubmissionsAnswer))
        yield page
        after = page.page_info.end_cursor
        if not page.page_info.has_next_page or after is None:
            return
        guard.check(after, rest.platform)


def _page(rest: CanvasRest, course: CourseRef, answer: SubmissionsAnswer) -> Submissions:
    if answer.errors:
        raise GiveUp(
            f"{rest.platform} refused to list the submissions of course {course}: "
            f"{answer.errors[0].message[:200]}",
            cause="graphql",
            platform=rest.platform,
        )
    found = answer.data and answer.data.course and answer.data.course.submissions_connection
    if not found:
        raise Gone(
            f"{rest.platform} shows no course {course}: it was deleted, or the service user may "
            "not see it.",
            cause="course_gone",
            platform=rest.platform,
        )
    return found


def scores_of(
    nodes: Sequence[SubmissionNode | None], items: Mapping[LineItemRef, LineItem], *, is_full: bool
) -> Iterator[Score]:
    """Scores of some submissions and of their rubric rows.

    Args:
        nodes: What Canvas sent.
        items: The course's line items; those of Waymark's own give no score.
        is_full: Whether everything is read. Then what says nothing is left out; when only
            changes are read it is not, for it may be what takes an earlier score back.

    Yields:
        Scores, a submission's own before those of its criteria.
    """
    for node in nodes:
        item = None if node is None else items.get(LineItemRef(str(node.assignment_id)))
        if node is None or (item is not None and item.is_own):
            continue
        score = _score(node)
        if not (is_full and _says_nothing(score)):
            yield score
        yield from _criterion_scores(node, score, item, is_full=is_full)


def _score(node: SubmissionNode) -> Score:
    state = _state(node)
    return Score(
        line_item_ref=LineItemRef(str(node.assignment_id)),
        learner_ref=LearnerRef(str(node.user_id)),
        state=state,
        points=node.entered_score if state is ScoreState.GRADED else None,
        attempt=node.attempt or 0,
        points_deducted=node.deducted_points or 0.0,
        is_visible=node.posted_at is not None,
        is_late=bool(node.late),
        submitted_at=in_utc(node.submitted_at),
        graded_at=in_utc(node.graded_at),
    )


def _state(node: SubmissionNode) -> ScoreState:
    """Canvas's ``state`` says little: it stays "graded" when the grade is taken away."""
    if node.excused:
        return ScoreState.EXCUSED
    if node.missing:
        # A score here is the missing policy's, not a teacher's judgement.
        return ScoreState.MISSING
    if node.state == "pending_review":
        return ScoreState.NOT_GRADED
    if node.entered_score is not None:
        return ScoreState.GRADED
    is_cleared = node.state == "graded" and node.graded_at is not None
    return ScoreState.CLEARED if is_cleared else ScoreState.NOT_GRADED


def _says_nothing(score: Score) -> bool:
    return score.state is ScoreState.NOT_GRADED and score.submitted_at is None


def _criterion_scores(
    node: SubmissionNode, score: Score, item: LineItem | None, *, is_full: bool
) -> Iterator[Score]:
    rated = _ratings(node)
    known = [] if item is None else [criterion.ref for criterion in item.criteria]
    for ref in dict.fromkeys([*known, *rated]):
        points = rated.get(ref)
        state = _criterion_state(score, points)
        if is_full and points is None:
            continue
        yield Score(
            line_item_ref=score.line_item_ref,
            learner_ref=score.learner_ref,
            criterion_ref=ref,
            state=state,
            points=points if state is ScoreState.GRADED else None,
            attempt=score.attempt,
            is_visible=score.is_visible,
            is_late=score.is_late,
            submitted_at=score.submitted_at,
            graded_at=score.graded_at,
        )


def _criterion_state(score: Score, points: float | None) -> ScoreState:
    """A rated row counts unless the submission as a whole was taken out of the count."""
    if points is None and score.state is ScoreState.GRADED:
        return ScoreState.NOT_GRADED
    if points is not None and score.state is ScoreState.NOT_GRADED:
        return ScoreState.GRADED
    return score.state


def _ratings(node: SubmissionNode) -> Mapping[CriterionRef, float]:
    connection = node.rubric_assessments_connection
    assessments = (connection.nodes if connection else None) or []
    return {
        CriterionRef(rating.criterion.id): rating.points
        for assessment in assessments
        if assessment is not None
        for rating in assessment.assessment_ratings
        if rating.criterion is not None and rating.points is not None
    }
