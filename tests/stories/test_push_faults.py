"""Every fault at every request that writes marks: none is doubled, no course grade moves."""

from contextlib import closing

import pytest

from connectors.platform import PlatformKind
from mapping.records import PassbackWay
from simulators.state import open_state
from store.sync_state import Phase
from tests.stories.faulty import Snapshot, between, is_healed, new_database, new_night, served_lms

pytestmark = pytest.mark.story

ROUTES = [
    (PlatformKind.CANVAS, PassbackWay.WORDS),
    (PlatformKind.CANVAS, PassbackWay.MARK_NOT_COUNTED),
    (PlatformKind.MOODLE, PassbackWay.WORDS),
]
FAULTS = {
    "page loop": {"mode": "page_loop"},
    "expired token": {"mode": "expired_token"},
    "course deleted": {"mode": "course_deleted"},
    "one bad gateway": {"mode": "bad_gateway", "times": 1},
    "one reset": {"mode": "reset", "times": 1},
    "one empty": {"mode": "empty", "times": 1},
}
"""What is refused, what is done and not said, and what ends the writing."""
MARKS = {
    PlatformKind.CANVAS: """
        SELECT 'words ' || user_id, content FROM column_data UNION ALL
        SELECT 'mark ' || g.learner_id, g.points FROM grades g
        JOIN line_items l ON l.assignment_id = g.assignment_id
    """,
    PlatformKind.MOODLE: "SELECT 'words ' || user_id, comment FROM ags_scores",
}
_LEARNERS = 2
COLUMNS = "SELECT (SELECT count(*) FROM columns) + (SELECT count(*) FROM line_items)"
STANDING = "SELECT count(*) FROM passback_marks"


def name_of(value) -> str:
    return " ".join(part.value for part in value) if isinstance(value, tuple) else str(value)


@pytest.fixture(scope="module")
def course(request, tmp_path_factory):
    """A course that was read and computed, and whose marks are about to be written."""
    kind, way = request.param
    folder = tmp_path_factory.mktemp("faults")
    with served_lms(folder, kind, learners=_LEARNERS) as served:
        night = new_night(new_database(folder), served, way)
        run = night.run(until=Phase.PUSH)
        kept = Snapshot(folder=folder, served=served, night=night, run=run)
        kept.keep()
        yield kept


@pytest.fixture(scope="module")
def undisturbed(course):
    """The marks that shall stand, the requests and the scores sent by a night without a fault."""
    night = course.back()
    sent = scores_sent(course.served)
    course.served.fault("latency", seconds=0)
    night.see_through(course.run)
    requests = course.served.requests
    course.served.fault("none")
    assert len(marks(course.served)) == _LEARNERS
    return marks(course.served), requests, scores_sent(course.served) - sent


def asked(served, sql: str) -> list:
    with closing(open_state(served.state)) as connection:
        return [tuple(row) for row in connection.execute(sql)]


def marks(served) -> dict:
    """What stands in the LMS, read past all of its interfaces."""
    return dict(asked(served, MARKS[served.access.kind]))


def scores_sent(served) -> int:
    """Scores that the LMS has taken by LTI since it was started."""
    counted = served.ask("counters")
    if served.access.kind is PlatformKind.CANVAS:
        return counted["writes"]["scores_posted"]
    return counted["taken"]


@pytest.mark.parametrize("course", ROUTES, indirect=True, ids=name_of)
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_at_any_request_of_writing_doubles_no_mark(course, undisturbed, name):
    wanted, requests, sent = undisturbed
    served = course.served

    for at in range(1, requests + 1):
        night, sent_before = course.back(), scores_sent(served)
        grades = served.course_grades()
        with served.struck({**FAULTS[name], "at": at}):
            night.see_through(course.run)

        place = f"{name} at request {at} of {requests}"
        found = marks(served)
        assert between({}, wanted, found) == [], place
        assert night.failures(course.run, place) in ({0, 1} if found == wanted else {1}), place
        if not is_healed(at, requests):
            continue
        night.run()
        assert marks(served) == wanted, place
        assert asked(served, COLUMNS) == [(1,)], place
        assert night.one(STANDING) == len(wanted), place
        assert scores_sent(served) - sent_before == sent, place
        assert served.course_grades() == grades, place
