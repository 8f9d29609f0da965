"""How many requests reading takes, counted by the simulators."""

from math import ceil

import pytest

from mapping.records import CourseRef, PlatformId
from tests.databases import lay_database
from tests.stories.stage import district_on_stage
from tests.stories.tiny import DUE, MOODLE, QUIET, Item, Plan, spot, tiny_district

pytestmark = pytest.mark.story

SMALL = 100
LEARNERS = 90
ITEMS = tuple(
    Item(
        key=str(n), title=f"Homework {n}: Fractions", category="Homework", maximum=20.0, due_at=DUE
    )
    for n in range(12)
)
PLANS = (
    *(Plan(name=f"small {n}", school=QUIET) for n in range(SMALL)),
    Plan(name="large", school=QUIET, learners=LEARNERS),
    Plan(name="large", school=MOODLE, learners=LEARNERS),
)
PAGE = 100
MOST = 1.1


@pytest.fixture(scope="module")
def stage(redis_url, tmp_path_factory):
    folder = tmp_path_factory.mktemp("calls")
    url = lay_database(folder)
    drawn = tiny_district(PLANS, items=ITEMS)
    with district_on_stage(folder, url, redis_url, drawn=drawn) as stage:
        yield stage


def requests_seen(stage, lms):
    """Requests since the server began, by kind and, at Moodle, by function."""
    found = stage.ask(f"{stage.lms(lms)}/_control/counters")
    return sum(found["requests"].values())


def pull(stage, lms):
    """Read one course whole, as a night does, and say how many requests that took."""
    platform = stage.rows("SELECT id FROM platforms WHERE kind = :lms", lms=lms)[0].id
    course = CourseRef(str(spot(PLANS, "large", lms, items=ITEMS).course))
    before = requests_seen(stage, lms)
    source = stage.container.gradebook(PlatformId(platform))
    people = source.enrolments(course)
    source.line_items(course)
    source.sections(course)
    scores = sum(len(page.scores) for page in source.scores(course))
    assert len(people) == LEARNERS + 1
    assert scores == LEARNERS * len(ITEMS)
    return requests_seen(stage, lms) - before


def pages(rows):
    """The requests that a list of so many rows takes at least."""
    return max(1, ceil(rows / PAGE))


def test_a_full_pull_of_a_canvas_course_takes_hardly_more_requests_than_its_pages(stage):
    least = (
        pages(LEARNERS + 1)  # enrolments
        + pages(1)  # sections
        + pages(0)  # groups
        + pages(1)  # assignment groups
        + pages(len(ITEMS))  # assignments
        + pages(0)  # line items of Waymark's own, by LTI
        + 1  # the token for LTI
        + pages(LEARNERS * len(ITEMS))  # submissions
    )

    assert pull(stage, "canvas") <= MOST * least


def test_a_full_pull_of_a_moodle_course_takes_hardly_more_requests_than_its_lists(stage):
    least = (
        1  # what the token may call
        + 1  # people
        + 1  # who of them is suspended
        + 1  # groups
        + 1  # the grade report of everybody
        + 1  # categories
        + 1  # due dates of assignments
        + 1  # rubrics of assignments
        + 1  # line items of Waymark's own, by LTI
        + 1  # the token for LTI
    )

    assert pull(stage, "moodle") <= MOST * least


def test_a_night_of_a_hundred_unchanged_canvas_courses_takes_ten_requests_at_most(stage):
    stage.run_night()
    before = requests_seen(stage, "canvas")

    night = stage.run_night()

    assert requests_seen(stage, "canvas") - before <= 10
    assert night.counts.scores_changed == night.counts.scores_new == 0
    assert not night.has_failures
