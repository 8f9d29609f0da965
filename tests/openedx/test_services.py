"""Waymark asks Open edX's services: the token it gives, and what the token opens."""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from bootstrap.checkup import check_platform
from connectors.advantage import LineItems
from connectors.errors import Unauthorized
from connectors.platform import PlatformAccess, PlatformKind, open_client
from connectors.rosters import MEMBERSHIP_READ, Rosters
from connectors.scores import OwnScore
from connectors.tokens import ServiceTokens, SigningKey
from store import registrations
from store.session import reading
from tests.connectors.doubles import MIRROR, MemoryTokenCache


@pytest.fixture
def platform(open_edx):
    with reading(open_edx.container.engine) as connection:
        return registrations.platform_of(connection, open_edx.platform)


@pytest.fixture
def access(platform):
    return PlatformAccess(
        name=platform.name,
        kind=PlatformKind.MOODLE,
        issuer=platform.issuer,
        client_id=platform.client_id,
        token_url=platform.token_url,
        api_url=platform.api_url,
    )


@pytest.fixture
def http(open_edx, platform, access):
    return open_client(access, open_edx.container._services(platform, access))


@pytest.fixture
def tokens(open_edx, platform):
    return open_edx.container.fresh_tokens(platform)


def test_open_edx_verifies_our_assertion_against_our_key_set_and_gives_a_token(
    http, access, tokens
):
    token = tokens.get(http, access, [MEMBERSHIP_READ])

    assert token.count(".") == 2


def test_open_edx_gives_nothing_for_an_assertion_of_another_key(open_edx, http, access):
    foreign = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kid = open_edx.container.tool_key().kid
    thief = ServiceTokens(
        cache=MemoryTokenCache(),
        key=lambda: SigningKey(kid=kid, private_key=foreign),
        seal=MIRROR,
        now=open_edx.container.now,
        sleep=open_edx.container.sleep,
    )

    with pytest.raises(Unauthorized, match="invalid_client"):
        thief.get(http, access, [MEMBERSHIP_READ])


def test_a_column_is_made_found_filled_and_read_in_open_edx(open_edx, http, access, tokens):
    line_items = LineItems(http, tokens, access=access)
    made = line_items.create(open_edx.line_items, label="Mastery", maximum=4, tag="waymark:1")
    score = OwnScore(
        user_id="edx-2",
        given=3.0,
        maximum=4.0,
        comment="Mastered",
        timestamp="2026-11-20T22:00:00.000Z",
    )

    line_items.score(made.id, score, passes=frozenset())

    assert line_items.find(open_edx.line_items, "waymark:1") == made
    (result,) = line_items.results(made.id)
    assert (result.user_id, result.result_score, result.result_maximum) == ("edx-2", 3.0, 4.0)


def test_the_members_of_a_course_in_open_edx_are_read_page_by_page(open_edx, http, access, tokens):
    rosters = Rosters(http, tokens, access=access)

    members = list(rosters.members(open_edx.members, page_size=2))

    assert [member.user_id for member in members] == [f"edx-{number}" for number in range(1, 6)]
    roles = [role.rpartition("#")[2] for role in members[0].roles + members[1].roles]
    assert roles == ["Instructor", "Learner"]


def test_the_check_of_a_platform_finds_open_edxs_key_set_and_token_in_order(open_edx):
    open_edx.container.redis.flushdb()

    checks = {check.name: check for check in check_platform(open_edx.container, open_edx.platform)}

    assert [name for name, check in checks.items() if not check.ok] == ["API token"]
