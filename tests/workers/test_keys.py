"""The rotation of Waymark's own keys as the schedule process and an administrator see it."""

from datetime import timedelta

import pytest

from bootstrap.container import REGISTRATIONS_KEY
from store import registrations
from store.secrets import SecretBox
from store.session import writing
from store.tool_keys import PUBLISHED_AFTER, KeyState
from tests.conftest import SECRET
from tests.store.places import new_platform, new_tenant
from workers import keys
from workers.service import see_to_keys


@pytest.fixture
def rotating(container):
    def rotate(**more):
        return keys.rotate(container.engine, container.secrets, now=container.now(), **more)

    return rotate


@pytest.fixture
def pinned(container):
    """A platform that was given the first key by hand."""
    with writing(container.engine) as connection:
        tenant = new_tenant(connection)
        platform = new_platform(connection, tenant, "Moodle")
    kid = container.tool_key().kid
    with writing(container.engine) as connection:
        registrations.pin_key(connection, tenant, platform, kid=kid)
    return kid


def test_a_year_of_looking_once_a_day_rotates_twelve_times(container, clock):
    seen = []
    for _ in range(365):
        seen += keys.see_to_keys(container.engine, container.secrets, now=clock())
        clock.advance(days=1)

    assert sum(change.step == "promoted" for change in seen) == 13
    assert len(keys.listed(container.engine)) <= 3


def test_looking_when_nothing_is_due_takes_no_turn_to_write(container, clock):
    keys.see_to_keys(container.engine, container.secrets, now=clock())
    clock.advance(days=1)

    with writing(container.engine):
        changes = keys.see_to_keys(container.engine, container.secrets, now=clock())

    assert changes == ()


def test_the_schedule_process_tells_the_web_processes_of_a_change_only(container, clock):
    counts = []
    for days in (0, 1, 27):
        clock.advance(days=days)
        see_to_keys(container)
        counts.append(int(container.redis.get(REGISTRATIONS_KEY)))

    assert counts == [1, 1, 2]


def test_a_rotation_says_when_the_new_key_signs(container, rotating, clock):
    current = container.tool_key().kid

    rotation = rotating()

    assert rotation.kid != current
    assert rotation.signs_from == clock() + timedelta(hours=24)
    assert rotation.pinned == ()


def test_a_rotation_in_an_emergency_says_which_platforms_go_on_with_a_former_key(
    rotating, pinned, clock
):
    rotation = rotating(is_emergency=True)

    assert rotation.signs_from == clock()
    assert [(one.name, one.pinned_kid) for one in rotation.pinned] == [("Moodle", pinned)]


def test_the_list_says_until_when_a_key_is_published_and_who_was_given_it(
    container, rotating, pinned, clock
):
    rotating()
    clock.advance(hours=24)
    see_to_keys(container)

    retired, current = keys.listed(container.engine)

    assert (retired.stored.kid, retired.stored.state) == (pinned, KeyState.RETIRED)
    assert retired.published_until == clock() + PUBLISHED_AFTER
    assert [one.name for one in retired.pinned_by] == ["Moodle"]
    assert (current.published_until, current.pinned_by) == (None, ())


@pytest.mark.usefixtures("pinned")
def test_x07_everything_is_sealed_anew_and_then_needs_no_former_key(container):
    present = "the present secret key of this installation"

    tokens, own = keys.reseal(container.engine, SecretBox(present, [SECRET]))

    again = keys.reseal(container.engine, SecretBox(present))
    # The platform of the test was sealed under a key of its own.
    assert (tokens.count, list(tokens.unopened)) == (0, ["Moodle"])
    assert (own.count, list(own.unopened)) == (1, [])
    assert again[1].count == 1
