"""Whatever is sent: no fault, no session, no way out. Random input for every open door.

An input is a request. How many were tried, and the seed that repeats them, is printed at the end
(``WAYMARK_FUZZ_SEED=... pytest tests/attacks/test_fuzz.py``).
"""

import base64
import json
import os
import secrets
from datetime import timedelta
from urllib.parse import parse_qs, urlencode

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lti_tool.launch.cookies import LAUNCH_PREFIX, cookie_name
from store import registrations
from store.invitations import invite
from store.session import reading, writing
from tests.attacks.hostile import (
    CLAIMS,
    DOORS,
    FORM,
    HEADERS,
    MEDIA_TYPES,
    NONCE,
    STATE,
    WRITTEN,
    Dice,
    Doors,
    encoded,
    is_right,
    raw,
)
from tests.attacks.verdict import SESSION_COOKIE
from tests.lti_tool.platform import TOOL

SEED = int(os.environ.get("WAYMARK_FUZZ_SEED") or secrets.randbits(64))
METHODS = ("GET", "POST", "PUT", "HEAD", "OPTIONS", "TRACE", "\x00", "A" * 99)
LAUNCH_ID = "0" * 32


def fuzzed(draws):
    """Throw the dice so many times, from the seed of this run."""

    def decorated(test):
        thrown = st.binary(min_size=512, max_size=512).map(Dice)
        return settings(
            max_examples=draws,
            database=None,
            print_blob=True,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )(hypothesis.seed(SEED)(given(dice=thrown)(test)))

    return decorated


@pytest.fixture(scope="module")
def doors(shared_stage, request):
    shared_stage.container.redis.flushdb()
    doors = Doors(shared_stage)
    yield doors
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\n{doors.tried.total():,} inputs, WAYMARK_FUZZ_SEED={SEED}")  # noqa: T201 - a report


@fuzzed(500)
def test_no_form_of_any_kind_opens_a_door(doors, dice):
    before = doors.sessions()

    for path in DOORS:
        sent = encoded(dice.pairs(6))
        doors.refused("POST", path, body=sent)
        doors.refused("GET", path, query=sent)

    assert doors.sessions() == before


@fuzzed(600)
def test_no_login_leads_anywhere_but_to_a_registered_lms(doors, dice):
    for _ in range(4):
        form = doors.stage.lms.login_form() | dict(dice.pairs(2))
        sent = encoded([*form.items(), *dice.pairs(1)])

        doors.refused("POST", "/lti/login", body=sent)
        doors.refused("GET", "/lti/login", query=sent)


@fuzzed(600)
def test_a_signed_token_opens_a_session_only_if_another_reading_finds_it_right(doors, dice):
    lms, now = doors.stage.lms, doors.stage.clock().timestamp()

    for _ in range(8):
        header = {"alg": "RS256", "typ": "JWT", "kid": "k1"}
        header = dice.changed(header, HEADERS) if dice.below(3) == 0 else header
        written = dice.pick(WRITTEN) if dice.below(3) == 0 else WRITTEN[0]
        text = written(json.dumps(dice.changed(lms.claims(NONCE), CLAIMS)))
        form = {"id_token": lms.sign(text, header), "state": STATE}

        reply = doors.launch(urlencode(form).encode())

        if reply.status == 303:
            assert is_right(text, header, now), text
            assert doors.visit(reply).status == 200, text
        else:
            assert not SESSION_COOKIE.search(reply.header("Set-Cookie")), text


@pytest.fixture(scope="module")
def launch_form(shared_stage):
    lms, now = shared_stage.lms, int(shared_stage.clock().timestamp())
    return {"id_token": lms.sign(lms.claims(NONCE, exp=now + 3_600)), "state": STATE}


@fuzzed(500)
def test_a_launch_damaged_on_its_way_opens_nothing(doors, launch_form, dice):
    body = urlencode(launch_form).encode()

    for _ in range(8):
        damaged = dice.damaged(body)
        media_type = dice.pick(MEDIA_TYPES) if dice.below(4) == 0 else FORM

        reply = doors.launch(damaged, media_type)

        if reply.status == 303:
            assert is_same(damaged, launch_form), damaged
        else:
            assert not SESSION_COOKIE.search(reply.header("Set-Cookie")), damaged


def is_same(damaged, form):
    """Whether nothing that counts was damaged: the same signed bytes under the same state."""
    found = parse_qs(damaged.decode("latin-1"))
    tokens = [*found.get("id_token", []), form["id_token"]]
    signed = {token.rpartition(".")[0] for token in tokens}
    signatures = {base64.urlsafe_b64decode(token.rpartition(".")[2] + "==") for token in tokens}
    return found["state"] == [STATE] and len(tokens) == 2 and len(signed) == len(signatures) == 1


@fuzzed(500)
def test_no_address_and_no_header_makes_a_fault(doors, dice):
    own = cookie_name(LAUNCH_PREFIX, LAUNCH_ID)
    sent = raw(dice.text())
    headers = [
        ("HTTP_COOKIE", f"{own}={sent}; {sent}; {LAUNCH_PREFIX}{sent}=x"),
        ("HTTP_AUTHORIZATION", f"Bearer {raw(dice.text())}"),
        ("HTTP_HOST", raw(dice.text())),
        ("HTTP_ORIGIN", raw(dice.text())),
        ("HTTP_SEC_FETCH_SITE", raw(dice.text())),
        ("HTTP_SEC_FETCH_DEST", raw(dice.text())),
        ("HTTP_X_FORWARDED_FOR", raw(dice.text())),
        ("HTTP_X_FORWARDED_HOST", raw(dice.text())),
        ("HTTP_RANGE", raw(dice.text())),
    ]

    for below in ("/", f"/l/{LAUNCH_ID}/", "/static/", "/lti/"):
        for page in ("me", raw(dice.text())):
            doors.ask(
                dice.pick(METHODS), below + page, headers=headers, body=sent.encode("latin-1")
            )


@fuzzed(150)
def test_no_form_of_an_invited_administrator_makes_a_fault_or_an_active_platform(doors, dice):
    container = doors.stage.container
    with writing(container.engine) as connection:
        token = invite(
            connection,
            doors.stage.tenants["A"],
            kind=dice.pick(("canvas", "moodle")),
            name="A school",
            issuer="https://school.example",
            api_url=dice.pick(("", "https://school.example")),
            now=container.now(),
            life=timedelta(hours=1),
        )

    for _ in range(8):
        typed = [(name, dice.text()) for name in ("client_id", "deployment_id", "api_url")]
        issuer = ("issuer", dice.pick(("https://school.example", dice.text())))
        sent = encoded([("invite", token), issuer, *typed, *dice.pairs(1)])
        doors.refused("POST", "/lti/setup", body=sent, headers=[("HTTP_ORIGIN", TOOL)])

    with reading(container.engine) as connection:
        known = registrations.platforms(connection)
    assert sum(platform.is_active for platform in known) == len(doors.stage.platforms)
