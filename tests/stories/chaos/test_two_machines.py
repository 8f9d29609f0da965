"""One night of workers on two machines; then the cable of one is pulled in the middle."""

import time

import pytest

from store.sync_state import Phase
from tests.servers import NoServerError
from tests.stories.chaos.machines import NoMachinesError, two_machines
from tests.stories.chaos.script import drawn
from tests.stories.chaos.verdict import faults_found, newest_event
from tests.stories.chaos.world import LMSS, new_folder, whole_world
from workers import schedule

pytestmark = [pytest.mark.story, pytest.mark.postgres]
ROUND = 7
"""Whose acts are played between the nights; its mischiefs are not."""
LEASE_PASSES = 25.0


@pytest.fixture(scope="module")
def site():
    try:
        with (
            two_machines() as (network, machines),
            new_folder() as folder,
            whole_world(folder, network) as world,
        ):
            yield world, machines
    except (NoMachinesError, NoServerError) as error:
        pytest.skip(f"no two machines here: {error}")


def asked_by(world, machine) -> int:
    """How often the LMSs were asked from a machine."""
    return sum(world.wires[lms].callers[machine.address] for lms in LMSS)


def test_two_machines_share_a_night_and_one_ends_it_alone_where_the_other_is_cut_off(site):
    world, machines = site

    first = world.see_through(world.begin(schedule.NIGHTLY))

    shares = [asked_by(world, machine) for machine in machines]
    assert not first.has_failures
    assert all(share > 0 for share in shares), shares
    assert faults_found(world, since_event=0) == []
    since, staying, cut_off = newest_event(world), *machines
    for act in drawn(ROUND).acts:
        world.play(act)

    run = world.begin()
    is_cut, begun = False, asked_by(world, cut_off)
    deadline = time.monotonic() + 120
    while not world.tend(run):
        assert time.monotonic() < deadline, world.where_it_hangs(run)
        if not is_cut and world.phase(run) is Phase.PULL and asked_by(world, cut_off) > begun + 5:
            cut_off.unplug()
            is_cut = True
            time.sleep(1.0)
            world.let_time_pass(LEASE_PASSES)
        time.sleep(0.05)

    assert is_cut
    before = asked_by(world, staying)
    cut_off.plug_in()
    last = world.see_through(world.begin())
    assert before > shares[0]
    assert not last.has_failures
    assert faults_found(world, since_event=since) == []
