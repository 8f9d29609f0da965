"""What leaves Waymark before a district says so: nothing, by the LMSs' own counts."""

import pytest

from mapping.records import Mode
from store import modes
from store.policy_changes import Author
from store.session import writing
from tests.databases import lay_database
from tests.stories.stage import district_on_stage
from tests.stories.tiny import MOODLE, NOT_COUNTED, SCHOOLS, WORDS, Plan, tiny_district
from workers.dry_runs import dry_run

pytestmark = pytest.mark.story

PLANS = tuple(Plan(name=f"of {school}", school=school) for school in (WORDS, NOT_COUNTED, MOODLE))


@pytest.fixture
def stage(redis_url, tmp_path):
    url = lay_database(tmp_path)
    with district_on_stage(tmp_path, url, redis_url, drawn=tiny_district(PLANS)) as stage:
        yield stage


def writes(stage):
    """How much the LMSs counted of writing: columns, cells, line items and scores."""
    canvas = stage.ask(f"{stage.canvas}/_control/counters")["writes"]
    moodle = stage.ask(f"{stage.moodle}/_control/counters")
    return sum(canvas.values()), moodle["writes"]


def set_modes(stage, mode):
    author = Author(by="Vera", at=stage.container.now())
    with writing(stage.container.engine) as connection:
        for school in SCHOOLS:
            modes.set_school_mode(connection, stage.tenant, school.name, mode=mode, author=author)


def test_a_shadow_writes_nothing_and_an_official_course_what_a_dry_run_told(stage):
    set_modes(stage, Mode.SHADOW)
    shadow = stage.run_night()
    in_shadow = writes(stage)
    set_modes(stage, Mode.OFFICIAL)

    container = stage.container
    told = dry_run(
        container.engine, shadow.run, container.gradebook, threads=2, now=container.now()
    )
    after_dry_run = writes(stage)
    official = stage.run_night()

    assert in_shadow == after_dry_run == (0, 0)
    assert shadow.counts.statuses_changed > 0
    assert told.troubles == []
    assert official.counts.pushed == told.to_write > 0
    assert min(writes(stage)) > 0
