"""One course read by Canvas: what was listed before its scores, the feed, the next cursor."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from connectors.canvas.attempts import Node
from connectors.canvas.cursors import OVERLAP, CanvasCursor, cursor_from, read_cursor
from connectors.canvas.fallback import rest_pages
from connectors.canvas.lists import Lists, digest_of, ids_of, touched_after
from connectors.canvas.long_lists import whole
from connectors.canvas.payloads import Assignment, Enrollment
from connectors.canvas.rest import CanvasRest, GraphqlRefused
from connectors.canvas.submissions import FeedPage, scores_of, submission_pages
from connectors.notes import Notes
from mapping.records import CourseRef, Cursor, LineItem, LineItemRef, ScorePage

REFUSED = "graphql_refused"
_NO_GRAPHQL = (
    "Canvas refuses GraphQL, so scores are read by REST: more requests, and every course every "
    "night. A grade that was hidden or shown and a rubric that was filled in anew are found by "
    "the weekly sweep only. Add the scope url:POST|/api/graphql to the developer key."
)


@dataclass(slots=True, kw_only=True)
class Listed:
    """What was read of a course before its scores.

    Attributes:
        course: The course.
        begun_at: Before the first request.
        columns: Ids of the assignments that GraphQL must know too; None: not listed.
        hidden: Ids of assignments that GraphQL may leave out.
        people: Ids of the enrolments; None: not listed.
    """

    course: CourseRef
    begun_at: datetime
    columns: set[str] | None = None
    hidden: set[str] = field(default_factory=set)
    people: set[str] | None = None

    def keep_columns(self, assignments: Sequence[Assignment]) -> None:
        """Keep which assignments were listed."""
        self.columns = {str(one.id) for one in assignments if not one.hide_in_gradebook}
        self.hidden = {str(one.id) for one in assignments if one.hide_in_gradebook}

    def keep_people(self, enrolments: Sequence[Enrollment]) -> None:
        """Keep which enrolments were listed."""
        self.people = {str(one.id) for one in enrolments if one.id is not None}

    def digest(self, lists: Lists) -> str:
        """The digest of lists that are surely those that were read.

        Args:
            lists: What GraphQL says of them, after they were read by REST.

        Returns:
            Empty where something of them was not read or may have changed in between.
        """
        if self.columns is None or self.people is None:
            return ""
        columns, people = ids_of(lists)
        is_other = bool(self.columns - columns or columns - self.columns - self.hidden)
        if is_other or self.people - people or touched_after(lists, self.begun_at - OVERLAP):
            return ""
        return digest_of(lists)


class ScoreReader:
    """Reads the scores of courses, by GraphQL where that is allowed, else by REST."""

    def __init__(self, rest: CanvasRest, notes: Notes, now: Callable[[], datetime]) -> None:
        self._rest = rest
        self._notes = notes
        self._now = now

    def pages(
        self, listed: Listed, items: Mapping[LineItemRef, LineItem], since: Cursor | None
    ) -> Iterator[ScorePage]:
        """Scores of a course, all or those touched since the cursor's moment.

        Args:
            listed: The course, and what was read of it.
            items: Its columns.
            since: A cursor of an earlier read.

        Yields:
            Pages of at most a hundred submissions, each submission once; the last page has the
            next cursor.
        """
        kept = read_cursor(since)
        seen: set[tuple[str, str]] = set()
        for page in self._feed(listed, items, kept):
            yield ScorePage(
                scores=tuple(scores_of(_new(page.nodes, seen), items, is_full=kept is None)),
                cursor=self._cursor(listed, page) if page.is_last else None,
                read=len(page.nodes),
            )

    def _feed(
        self, listed: Listed, items: Mapping[LineItemRef, LineItem], kept: CanvasCursor | None
    ) -> Iterator[FeedPage]:
        since = None if kept is None else kept.updated_since
        is_by_rest = self._notes.has(REFUSED) or (kept is not None and kept.is_by_rest)
        if not is_by_rest:
            pages = submission_pages(self._rest, listed.course, since, until=self._now())
            try:
                first = next(pages)
            except GraphqlRefused:
                is_by_rest = True
            else:
                yield first
                yield from pages
                return
        note_refusal(self._notes)
        yield from rest_pages(
            self._rest, listed.course, since, until=self._now(), items=items, notes=self._notes
        )

    def _cursor(self, listed: Listed, page: FeedPage) -> Cursor:
        # Rows carry Canvas's moments, and its clock may be behind by more than the overlap.
        begun = replace(listed, begun_at=self._rest.at_canvas(listed.begun_at))
        if page.lists is None:
            return cursor_from(begun.begun_at, is_by_rest=True)
        lists = whole(self._rest, {listed.course: page.lists})[listed.course]
        return cursor_from(begun.begun_at, lists=begun.digest(lists))


def note_refusal(notes: Notes) -> None:
    """Note that GraphQL is refused, and what that means."""
    notes.add(REFUSED, _NO_GRAPHQL)


def _new(nodes: Sequence[Node | None], seen: set[tuple[str, str]]) -> Sequence[Node]:
    """The submissions that were not seen yet; they are seen from now on."""
    found = []
    for node in nodes:
        if node is None:
            continue
        place = (str(node.assignment_id), str(node.user_id))
        if place not in seen:
            seen.add(place)
            found.append(node)
    return found
