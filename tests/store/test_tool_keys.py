"""Waymark's own keys: published before they sign and after, and never two that sign."""

import base64
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from store import registrations, tool_keys
from store.secrets import SealBroken, SecretBox
from store.session import open_engine, reading, writing
from store.tables import tool_keys as table
from store.tool_keys import PUBLISHED_AFTER, PUBLISHED_AT_LEAST, SIGNS_FOR, KeyState
from tests.databases import lay_database
from tests.store.places import BOX, NOW

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def states(db) -> list[str]:
    return [key.state.value for key in tool_keys.stored_keys(db)]


def steps(changes) -> list[str]:
    return [change.step for change in changes]


def key_of(db, state: KeyState):
    return next(key for key in tool_keys.stored_keys(db) if key.state is state)


@pytest.fixture
def first(db):
    """The key of an installation that begins."""
    tool_keys.advance(db, BOX, NOW)
    return tool_keys.stored_keys(db)[0]


@pytest.fixture
def pinned(db, district, canvas, first):
    registrations.pin_key(db, district, canvas, kid=first.kid)
    return first


def test_the_first_key_signs_at_once(db):
    changes = tool_keys.advance(db, BOX, NOW)

    assert steps(changes) == ["made", "promoted"]
    assert states(db) == ["current"]


def test_a_key_is_of_2048_bits_and_sealed(db, first):
    (stored,) = db.execute(select(table.c.private_key)).scalars()

    assert "PRIVATE KEY" not in stored
    assert stored not in repr(first)
    assert tool_keys.load(first, BOX).private_key.key_size == 2048


def test_a_loaded_key_signs_what_its_public_half_verifies(first):
    key = tool_keys.load(first, BOX)

    token = jwt.encode({"iss": "waymark"}, key.private_key, algorithm="RS256")

    public = jwt.PyJWK(key.public_jwk()).key
    assert jwt.decode(token, public, algorithms=["RS256"]) == {"iss": "waymark"}
    assert jwt.decode(token, key.public_pem(), algorithms=["RS256"]) == {"iss": "waymark"}


def test_the_key_id_is_the_thumbprint_of_the_public_key(first):
    jwk = tool_keys.load(first, BOX).public_jwk()

    canonical = json.dumps({name: jwk[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
    digest = hashlib.sha256(canonical.encode()).digest()
    assert first.kid == jwk["kid"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_x01_nothing_private_is_in_a_public_key(first):
    assert set(tool_keys.load(first, BOX).public_jwk()) == {"e", "kty", "n", "kid", "alg", "use"}


def test_a_key_sealed_under_another_secret_cannot_be_loaded(first):
    with pytest.raises(SealBroken):
        tool_keys.load(first, SecretBox("another secret key of this test!"))


@pytest.mark.usefixtures("first")
def test_nothing_is_due_for_four_weeks(db):
    last = NOW + SIGNS_FOR - 48 * HOUR - timedelta(microseconds=1)

    assert not tool_keys.is_due(db, last)
    assert tool_keys.advance(db, BOX, last) == ()


@pytest.mark.usefixtures("first")
def test_x03_a_next_key_is_published_48_hours_before_it_signs(db):
    made_at = NOW + SIGNS_FOR - 48 * HOUR

    assert tool_keys.is_due(db, made_at)
    assert steps(tool_keys.advance(db, BOX, made_at)) == ["made"]
    assert states(db) == ["current", "next"]
    assert key_of(db, KeyState.NEXT).signs_from == NOW + SIGNS_FOR
    assert not tool_keys.is_due(db, NOW + SIGNS_FOR - timedelta(microseconds=1))
    assert steps(tool_keys.advance(db, BOX, NOW + SIGNS_FOR)) == ["promoted", "retired"]
    assert states(db) == ["retired", "current"]


@pytest.mark.usefixtures("first")
def test_after_a_long_standstill_a_key_is_still_published_before_it_signs(db):
    late = NOW + 90 * DAY

    tool_keys.advance(db, BOX, late)

    assert states(db) == ["current", "next"]
    assert key_of(db, KeyState.NEXT).signs_from == late + 48 * HOUR


def test_x03_a_retired_key_is_published_seven_days_more(db, first):
    tool_keys.advance(db, BOX, NOW + 28 * DAY)
    tool_keys.advance(db, BOX, NOW + 30 * DAY)
    last = NOW + 30 * DAY + PUBLISHED_AFTER - timedelta(microseconds=1)

    assert tool_keys.advance(db, BOX, last) == ()
    assert key_of(db, KeyState.RETIRED).is_published(last)
    (change,) = tool_keys.advance(db, BOX, NOW + 30 * DAY + PUBLISHED_AFTER)
    assert (change.kid, change.step) == (first.kid, "deleted")


def test_a_key_that_a_platform_pins_is_not_deleted_until_it_pins_another(
    db, district, canvas, pinned
):
    tool_keys.advance(db, BOX, NOW + 28 * DAY)
    tool_keys.advance(db, BOX, NOW + 30 * DAY)
    later = NOW + 40 * DAY

    assert tool_keys.advance(db, BOX, later) == ()
    kept = key_of(db, KeyState.RETIRED)
    assert (kept.kid, kept.pinned_by) == (pinned.kid, (canvas,))
    assert not kept.is_published(later)
    registrations.pin_key(db, district, canvas, kid=None)
    assert steps(tool_keys.advance(db, BOX, later)) == ["deleted"]


def test_a_key_of_a_release_that_did_not_rotate_goes_on_signing_and_is_replaced(db, first):
    db.execute(update(table).values(signs_from=None))

    assert tool_keys.advance(db, BOX, NOW + 27 * DAY) == ()
    tool_keys.advance(db, BOX, NOW + 28 * DAY)
    tool_keys.advance(db, BOX, NOW + 30 * DAY)
    assert key_of(db, KeyState.RETIRED).kid == first.kid


@pytest.mark.usefixtures("first")
def test_a_rotation_by_hand_makes_a_key_that_signs_24_hours_later(db):
    at = NOW + 5 * DAY

    assert steps(tool_keys.bring_forward(db, BOX, at)) == ["made"]
    assert key_of(db, KeyState.NEXT).signs_from == at + PUBLISHED_AT_LEAST
    assert tool_keys.advance(db, BOX, at + 23 * HOUR) == ()
    assert steps(tool_keys.advance(db, BOX, at + 24 * HOUR)) == ["promoted", "retired"]


@pytest.mark.usefixtures("first")
def test_a_rotation_by_hand_brings_a_next_key_forward_as_far_as_is_safe(db):
    made_at = NOW + 28 * DAY
    tool_keys.advance(db, BOX, made_at)

    assert tool_keys.bring_forward(db, BOX, made_at + HOUR) == ()
    assert key_of(db, KeyState.NEXT).signs_from == made_at + PUBLISHED_AT_LEAST
    done = tool_keys.bring_forward(db, BOX, made_at + 25 * HOUR)
    assert steps(done) == ["promoted", "retired"]


@pytest.mark.usefixtures("first")
def test_rotating_twice_by_hand_makes_one_key(db):
    tool_keys.bring_forward(db, BOX, NOW + HOUR)

    assert tool_keys.bring_forward(db, BOX, NOW + 2 * HOUR) == ()
    assert states(db) == ["current", "next"]


def test_rotating_an_installation_without_a_key_makes_the_first(db):
    assert steps(tool_keys.bring_forward(db, BOX, NOW)) == ["made", "promoted"]


@pytest.mark.usefixtures("first")
def test_in_an_emergency_no_former_key_is_left_and_a_new_one_signs_at_once(db):
    tool_keys.advance(db, BOX, NOW + 28 * DAY)
    before = {key.kid for key in tool_keys.stored_keys(db)}

    changes = tool_keys.replace_all(db, BOX, NOW + 29 * DAY)

    (left,) = tool_keys.stored_keys(db)
    assert steps(changes) == ["deleted", "deleted", "made", "promoted"]
    assert (left.state, left.signs_from) == (KeyState.CURRENT, NOW + 29 * DAY)
    assert left.kid not in before


def test_in_an_emergency_a_pinned_key_is_kept_for_its_platform_and_no_longer_published(db, pinned):
    tool_keys.replace_all(db, BOX, NOW + DAY)

    kept = key_of(db, KeyState.RETIRED)
    assert kept.kid == pinned.kid
    assert not kept.is_published(NOW + DAY)
    assert states(db) == ["retired", "current"]


def test_x07_keys_are_sealed_anew_with_the_present_secret(db, first):
    present = "the present key of this installation"

    done = tool_keys.reseal_keys(db, SecretBox(present, ["only-for-tests-only-for-tests-only"]))

    (stored,) = tool_keys.stored_keys(db)
    assert (done.count, list(done.unopened)) == (1, [])
    assert stored.sealed != first.sealed
    assert tool_keys.load(stored, SecretBox(present)).kid == first.kid


def test_a_key_that_cannot_be_opened_is_named_and_left_as_it_is(db, first):
    done = tool_keys.reseal_keys(db, SecretBox("a key that never sealed anything here"))

    assert (done.count, list(done.unopened)) == (0, [first.kid])
    assert tool_keys.stored_keys(db)[0] == replace(first, pinned_by=())


def test_processes_that_find_no_key_at_once_make_one(engine):
    def make(_number):
        with writing(engine) as connection:
            tool_keys.advance(connection, BOX, NOW)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(make, range(4)))

    with reading(engine) as connection:
        assert states(connection) == ["current"]


@pytest.fixture(scope="module")
def workbench(tmp_path_factory):
    engine = open_engine(lay_database(tmp_path_factory.mktemp("keys")))
    yield engine
    engine.dispose()


MOVES = st.tuples(
    st.integers(min_value=0, max_value=40 * 24), st.sampled_from(["advance", "bring_forward"])
)


@settings(max_examples=15)
@given(moves=st.lists(MOVES, max_size=8))
def test_whatever_is_asked_when_keys_sign_only_after_a_day_in_public(workbench, moves):
    with writing(workbench) as db:
        db.execute(table.delete())
        tool_keys.advance(db, BOX, NOW)
        now, first = NOW, tool_keys.stored_keys(db)[0].kid

        for hours, step in moves:
            before = {key.kid: key for key in tool_keys.stored_keys(db)}
            now += hours * HOUR
            getattr(tool_keys, step)(db, BOX, now)
            after = {key.kid: key for key in tool_keys.stored_keys(db)}

            signing = [key for key in after.values() if key.state is KeyState.CURRENT]
            assert len(signing) == 1
            assert sum(key.state is KeyState.NEXT for key in after.values()) <= 1
            assert signing[0].kid == first or (
                signing[0].signs_from - signing[0].created_at >= PUBLISHED_AT_LEAST
            )
            gone = [before[kid] for kid in before.keys() - after.keys()]
            assert all(not key.is_published(now) for key in gone)
            assert not tool_keys.is_due(db, now)


def test_a_key_left_over_as_next_signs_where_nothing_else_can(db, first):
    db.execute(update(table).values(state="next"))

    assert steps(tool_keys.advance(db, BOX, NOW)) == ["promoted"]
    assert key_of(db, KeyState.CURRENT).kid == first.kid


def test_a_state_that_nobody_knows_is_an_error_and_not_a_guess(db):
    row = {"kid": "k", "private_key": "", "state": "odd", "created_at": NOW}
    db.execute(insert(table).values(row))

    with pytest.raises(ValueError, match="odd"):
        tool_keys.stored_keys(db)
