"""Invitations: once, not for long, for one district."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from store import invitations
from store.session import writing
from store.tables import invitations as table
from tests.store.places import NOW, new_platform, new_tenant

LIFE = timedelta(hours=72)
CANVAS = "https://canvas.instructure.com"


def invite(db, tenant):
    return invitations.invite(
        db,
        tenant,
        kind="canvas",
        name="Canvas North",
        issuer=CANVAS,
        api_url="https://north.instructure.com",
        now=NOW,
        life=LIFE,
    )


@pytest.fixture
def token(db, district):
    return invite(db, district)


def test_an_invitation_says_what_may_be_registered(db, district, token):
    found = invitations.find_invitation(db, token, NOW)

    assert (found.tenant, found.kind, found.name) == (district, "canvas", "Canvas North")
    assert (found.issuer, found.api_url) == (CANVAS, "https://north.instructure.com")
    assert found.expires_at == NOW + LIFE


def test_only_a_digest_of_the_token_is_kept(db, token):
    (row,) = db.execute(select(table)).all()

    assert all(token not in str(value) for value in row)


def test_tokens_have_256_bits_and_are_never_the_same(db, district):
    tokens = {invite(db, district) for _ in range(20)}

    assert len(tokens) == 20
    assert all(len(token) == 43 for token in tokens)


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("text", ["", "x", "x" * 10_000, "\ud800", "ü" * 43])
def test_a_token_that_was_never_given_finds_nothing(db, text):
    assert invitations.find_invitation(db, text, NOW) is None


def test_an_invitation_ends_with_its_time(db, token):
    last = NOW + LIFE - timedelta(microseconds=1)

    assert invitations.find_invitation(db, token, last) is not None
    assert invitations.find_invitation(db, token, NOW + LIFE) is None


def test_an_invitation_can_be_used_once(db, canvas, token):
    found = invitations.find_invitation(db, token, NOW)

    uses = [invitations.use_invitation(db, found.id, canvas, NOW) for _ in range(2)]

    assert uses == [True, False]
    assert invitations.find_invitation(db, token, NOW) is None


def test_an_invitation_whose_time_is_over_cannot_be_used(db, canvas, token):
    found = invitations.find_invitation(db, token, NOW)

    assert not invitations.use_invitation(db, found.id, canvas, NOW + LIFE)


def test_an_invitation_of_one_tenant_registers_nothing_for_another(db, token):
    found = invitations.find_invitation(db, token, NOW)
    theirs = new_platform(db, new_tenant(db, "Other"), "Other")

    assert not invitations.use_invitation(db, found.id, theirs, NOW)
    assert invitations.find_invitation(db, token, NOW) is not None


def test_of_several_that_use_it_at_once_one_succeeds(engine):
    with writing(engine) as connection:
        tenant = new_tenant(connection)
        platform = new_platform(connection, tenant)
        number = invitations.find_invitation(connection, invite(connection, tenant), NOW).id

    def use(_number):
        with writing(engine) as connection:
            return invitations.use_invitation(connection, number, platform, NOW)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(4))) == [False, False, False, True]
