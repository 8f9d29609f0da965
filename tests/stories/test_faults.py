"""Every fault at every request of a night: it ends, loses nothing, doubles nothing, and says so."""

import pytest

from connectors.platform import PlatformKind
from mapping.records import PassbackWay
from simulators.faults import MODES
from tests.stories.faulty import Snapshot, between, is_healed, new_database, new_night, served_lms

pytestmark = pytest.mark.story

FAULTS = {
    "down": {"mode": "down"},
    "bad gateway": {"mode": "bad_gateway"},
    "throttle": {"mode": "throttle"},
    "latency": {"mode": "latency", "seconds": 0.001},
    "truncated": {"mode": "truncated"},
    "cut off chunks": {"mode": "truncated", "variant": "chunked"},
    "cut off JSON": {"mode": "truncated", "variant": "body"},
    "duplicate page": {"mode": "duplicate_page"},
    "page loop": {"mode": "page_loop"},
    "expired token": {"mode": "expired_token"},
    "course deleted": {"mode": "course_deleted"},
    "reset": {"mode": "reset"},
    "empty": {"mode": "empty"},
}
OTHERWISE = {
    PlatformKind.CANVAS: {"throttle 429": {"mode": "throttle", "status": 429}},
    PlatformKind.MOODLE: {"html": {"mode": "html"}},
}
"""What has another face at one of the two."""
BLIPS = ("bad gateway", "throttle", "reset")
"""Those that are tried for the length of one request, too, as further tries may succeed."""
HARMLESS = ("latency", "duplicate page", "page loop")
"""Those with which a night may go well; there is no next page in most of Moodle's answers."""
CASES = [
    *((kind, name, None) for kind in PlatformKind for name in [*FAULTS, *OTHERWISE[kind]]),
    *((kind, name, 1) for kind in PlatformKind for name in BLIPS),
]
SKEWS = [-5400.0, -1200.0, 1200.0, 5400.0]
"""In seconds: more and less than the overlap of two reads, in both directions."""


def name_of(value) -> str:
    return value.value if isinstance(value, PlatformKind) else str(value)


@pytest.fixture(scope="module")
def course(request, tmp_path_factory):
    """A course that was read once and then changed: a score raised, one cleared, one excused."""
    folder = tmp_path_factory.mktemp("faults")
    with served_lms(folder, request.param) as served:
        night = new_night(new_database(folder), served, PassbackWay.NONE)
        night.run()
        change_scores(served, night)
        kept = Snapshot(folder=folder, served=served, night=night)
        kept.keep()
        yield kept


@pytest.fixture(scope="module")
def gradebook(course):
    """What the store says after an undisturbed night, and how many requests that takes."""
    night = course.back()
    course.served.fault("latency", seconds=0)
    night.run(is_full=True)
    requests = course.served.requests
    course.served.fault("none")
    return night.store(), requests


def change_scores(served, night) -> None:
    cells = graded(night)
    for number, points in enumerate((1.5, None, "excused")):
        served.change_score(cells[number * len(cells) // 3], points)


def graded(night) -> list:
    """Cells that hold points, rubric rows left out."""
    return [cell for cell, row in sorted(night.store().items()) if row[0] == 1 and not cell[1]]


def test_every_fault_of_the_simulators_is_tried():
    tried = [*FAULTS.values(), *OTHERWISE[PlatformKind.MOODLE].values()]

    assert {fault["mode"] for fault in tried} == set(MODES) - {"none", "slow", "clock_skew"}


@pytest.mark.parametrize(("course", "name", "times"), CASES, indirect=["course"], ids=name_of)
def test_a_fault_at_any_request_ends_the_night_whole(course, gradebook, name, times):
    wanted, requests = gradebook
    failures = 0
    fault = (FAULTS | OTHERWISE[course.served.access.kind])[name]

    for at in range(1, requests + 1):
        night = course.back()
        before = night.store()
        with course.served.struck({**fault, "at": at, "times": times}):
            run = night.run(is_full=True)

        place = f"{name} at request {at} of {requests}"
        found = night.store()
        assert between(before, wanted, found) == [], place
        failed = night.failures(run, place)
        assert failed == (0 if found == wanted else 1), place
        failures += failed
        if found != wanted and is_healed(at, requests):
            night.run()
            assert night.store() == wanted, place
        assert night.repeated_events() == 0, place
    assert failures or times or name in HARMLESS


@pytest.mark.parametrize("seconds", SKEWS)
@pytest.mark.parametrize("course", PlatformKind, indirect=True, ids=name_of)
def test_a_night_with_an_lms_whose_clock_is_wrong_is_whole(course, gradebook, seconds):
    wanted, _ = gradebook
    night = course.back()
    before = night.store()

    with course.served.struck({"mode": "clock_skew", "seconds": seconds}):
        run = night.run(is_full=True)

    found = night.store()
    assert between(before, wanted, found) == []
    assert night.failures(run, "") == (0 if found == wanted else 1)
    night.run()
    assert night.store() == wanted


@pytest.mark.parametrize("seconds", SKEWS)
@pytest.mark.parametrize("course", PlatformKind, indirect=True, ids=name_of)
def test_a_change_just_after_a_reading_is_not_lost_where_the_clocks_differ(course, seconds):
    night = course.back()
    served = night.served = course.served.without_services()
    cell = graded(night)[-1]

    with served.struck({"mode": "clock_skew", "seconds": seconds}):
        night.run(is_full=True)
        served.change_score(cell, 0.5)
        night.run()

    night.served = course.served
    assert night.store()[cell][1] == 0.5
