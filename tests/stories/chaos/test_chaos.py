"""Nights that are disturbed in every way there is; the next one brings everything right."""

import time

import pytest

from tests.servers import NoServerError
from tests.stories.chaos.playing import play
from tests.stories.chaos.script import drawn
from tests.stories.chaos.verdict import faults_found, newest_event
from tests.stories.chaos.world import new_folder, whole_world
from workers import schedule

pytestmark = [pytest.mark.story, pytest.mark.postgres]


@pytest.fixture(scope="module")
def world():
    try:
        with new_folder() as folder, whole_world(folder) as world:
            first = world.see_through(world.begin(schedule.NIGHTLY))
            assert not first.has_failures
            assert first.counts.pushed > 0
            yield world
    except NoServerError as error:
        pytest.skip(f"no PostgreSQL: {error}")


def test_the_night_after_a_disturbed_one_brings_everything_right(world, chaos_seed, capsys):
    script = drawn(chaos_seed)
    began, since_event = time.monotonic(), newest_event(world)

    played = play(world, script)

    found = faults_found(world, since_event=since_event)
    with capsys.disabled():
        print(f"\n{script}\n  {played}; {time.monotonic() - began:.1f} s")  # noqa: T201 - to be replayed
    assert found == [], script
    assert not played.report.has_failures, script
