"""Canvas's submissions as scores, by the GraphQL API: the only feed that sees every change.

REST's ``graded_since`` misses a grade that was cleared, an excuse that was taken back and a late
policy that was changed; ``updatedSince`` over all states catches them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from connectors.canvas.attempts import Node, tries_of
from connectors.canvas.courses import in_utc
from connectors.canvas.cursors import wire
from connectors.canvas.lists import FRAGMENT, Lists
from connectors.canvas.payloads import Connection, GraphqlError, SubmissionNode
from connectors.canvas.rest import CanvasRest, GraphqlRefused
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

# Cursors are positions: without an order of their own, rows could move from page to page.
_QUERY = (
    """
query WaymarkScores(
  $course: ID!, $after: String, $filter: SubmissionFilterInput
  $due: SubmissionFilterInput, $hasDue: Boolean!, $isFirst: Boolean!
) {
  course(id: $course) {
    submissionsConnection(
      first: 100, after: $after, filter: $filter, orderBy: [{field: _id, direction: ascending}]
    ) { ...Page }
    due: submissionsConnection(
      first: 100, filter: $due, orderBy: [{field: _id, direction: ascending}]
    ) @include(if: $hasDue) { ...Page }
    ...Lists @include(if: $isFirst)
  }
}
fragment Page on SubmissionConnection {
  nodes {
    userId assignmentId state enteredScore deductedPoints excused late missing attempt
    submittedAt gradedAt postedAt gradeMatchesCurrentSubmission
    rubricAssessmentsConnection { nodes { assessmentRatings { points criterion { _id } } } }
    submissionHistoriesConnection(first: 100) {
      nodes { state enteredScore late attempt submittedAt gradedAt }
    }
  }
  pageInfo { hasNextPage endCursor }
}
"""
    + FRAGMENT
)
# The default leaves out "unsubmitted": there a taken-back excuse would be.
ALL_STATES = ("submitted", "unsubmitted", "pending_review", "graded")
_SCOPES = "insufficient scopes"

Submissions = Connection[SubmissionNode]


class _Course(Lists, rename="camel"):
    submissions_connection: Submissions | None = None
    due: Submissions | None = None


class _Data(msgspec.Struct):
    course: _Course | None = None


class _Answer(msgspec.Struct):
    """Errors come with status 200."""

    data: _Data | None = None
    errors: list[GraphqlError] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """Some submissions of a course.

    Attributes:
        nodes: As Canvas sent them.
        is_last: Whether no other page follows.
        lists: The course's lists at the begin of the feed; None where they were not asked for.
    """

    nodes: Sequence[Node | None]
    is_last: bool
    lists: Lists | None = None


def submission_pages(
    rest: CanvasRest, course: CourseRef, since: datetime | None, *, until: datetime
) -> Iterator[FeedPage]:
    """Submissions of a course, a hundred a page.

    Args:
        rest: Canvas.
        course: The course.
        since: Only those touched after this moment, and those that fell due after it without
            being handed in, which nothing touches; None asks for all.
        until: The present, aware.

    Yields:
        Pages, in one of which a submission may be that was in an earlier one.

    Source: Canvas GraphQL schema, Course.submissionsConnection.
    """
    wanted: dict[str, object] = {"states": ALL_STATES}
    due: dict[str, object] | None = None
    if since is not None:
        wanted["updatedSince"] = wire(since)
        due = {
            "states": ["unsubmitted"],
            "dueBetween": {"start": wire(since), "end": wire(until)},
        }
    first = _asked(rest, course, _variables(course, wanted, due=due))
    pages = _following(rest, course, wanted, first=first.submissions_connection)
    if due is not None and first.due is not None and first.due.nodes:
        yield from (_page(one, is_last=False) for one in pages)
        pages = _following(rest, course, due, first=first.due)
    yield from _ended(pages, first)


def _ended(pages: Iterator[Submissions], lists: Lists) -> Iterator[FeedPage]:
    for page in pages:
        yield _page(page, is_last=not _goes_on(page), lists=lists)


def _page(page: Submissions, *, is_last: bool, lists: Lists | None = None) -> FeedPage:
    return FeedPage(nodes=page.nodes or (), is_last=is_last, lists=lists)


def _following(
    rest: CanvasRest, course: CourseRef, wanted: object, *, first: Submissions | None
) -> Iterator[Submissions]:
    guard = LoopGuard()
    page = _seen(rest, course, first)
    yield page
    while _goes_on(page):
        after = page.page_info.end_cursor or ""
        guard.check(after, rest.platform)
        answer = _asked(rest, course, _variables(course, wanted, after=after))
        page = _seen(rest, course, answer.submissions_connection)
        yield page


def _goes_on(page: Submissions) -> bool:
    return page.page_info.has_next_page and page.page_info.end_cursor is not None


def _variables(
    course: CourseRef, wanted: object, *, due: object = None, after: str | None = None
) -> Mapping[str, object]:
    return {
        "course": course,
        "after": after,
        "filter": wanted,
        "due": due,
        "hasDue": due is not None,
        "isFirst": after is None,
    }


def _asked(rest: CanvasRest, course: CourseRef, variables: object) -> _Course:
    answer = rest.query(_QUERY, variables, _Answer)
    if answer.errors:
        said = answer.errors[0].message[:200]
        if _SCOPES in said.lower():
            raise GraphqlRefused(rest.platform, 200)
        raise GiveUp(
            f"{rest.platform} refused to list the submissions of course {course}: {said}",
            cause="graphql",
            platform=rest.platform,
        )
    if answer.data is None or answer.data.course is None:
        raise _gone(rest, course)
    return answer.data.course


def _seen(rest: CanvasRest, course: CourseRef, page: Submissions | None) -> Submissions:
    if page is None:
        raise _gone(rest, course)
    return page


def _gone(rest: CanvasRest, course: CourseRef) -> Gone:
    return Gone(
        f"{rest.platform} shows no course {course}: it was deleted, or the service user may not "
        "see it.",
        cause="course_gone",
        platform=rest.platform,
    )


def scores_of(
    nodes: Sequence[Node | None], items: Mapping[LineItemRef, LineItem], *, is_full: bool
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


def _score(node: Node) -> Score:
    state = _state(node)
    tries = tries_of(node)
    return Score(
        line_item_ref=LineItemRef(str(node.assignment_id)),
        learner_ref=LearnerRef(str(node.user_id)),
        state=state,
        points=node.entered_score if state is ScoreState.GRADED else None,
        attempt=tries.number,
        points_deducted=node.deducted_points or 0.0,
        is_visible=node.posted_at is not None,
        is_late=tries.is_late,
        submitted_at=tries.submitted_at,
        graded_at=in_utc(node.graded_at),
        earlier=tries.earlier,
    )


def _state(node: Node) -> ScoreState:
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
    node: Node, score: Score, item: LineItem | None, *, is_full: bool
) -> Sequence[Score]:
    rated = {CriterionRef(ref): points for ref, points in node.rated().items()}
    known = () if item is None or is_full else item.criteria
    if not rated and not known:
        return ()
    found = []
    for ref in dict.fromkeys([*(criterion.ref for criterion in known), *rated]):
        points = rated.get(ref)
        state = _criterion_state(score, points)
        found.append(
            score._replace(
                criterion_ref=ref,
                state=state,
                points=points if state is ScoreState.GRADED else None,
                points_deducted=0.0,
                earlier=(),
            )
        )
    return found


def _criterion_state(score: Score, points: float | None) -> ScoreState:
    """A rated row counts unless the submission as a whole was taken out of the count."""
    if points is None and score.state is ScoreState.GRADED:
        return ScoreState.NOT_GRADED
    if points is not None and score.state is ScoreState.NOT_GRADED:
        return ScoreState.GRADED
    return score.state
