import threading
import traceback
from datetime import timedelta
from email.utils import format_datetime

import jwt
import pytest
from werkzeug.wrappers import Response

from connectors.advantage import SCORE
from connectors.errors import RetryLater, Unauthorized
from connectors.exchange import Reply
from connectors.platform import PlatformKind, open_client
from connectors.shared_tokens import RedisTokenCache, Seal
from connectors.tokens import ServiceTokens
from tests.connectors.doubles import (
    KEY,
    MIRROR,
    PRIVATE_KEY,
    Clock,
    MemoryTokenCache,
    access,
    client,
    services,
)
from tests.connectors.serving import answer_json, raw_server

GRANT = {"access_token": "t0ken", "token_type": "Bearer", "expires_in": 3600, "scope": SCORE}


class Rig:
    def __init__(self, lms, **platform):
        self.clock = Clock()
        self.cache = MemoryTokenCache()
        self.platform = access(lms.url, **platform)
        given = services(self.clock, cache=self.cache)
        self.tokens = given.tokens
        self.http = open_client(self.platform, given)

    def get(self, scopes=(SCORE,)):
        return self.tokens.get(self.http, self.platform, scopes)


def test_the_request_carries_a_signed_assertion_about_the_client(lms):
    lms.on("POST", "/token", answer_json(GRANT))
    rig = Rig(lms)

    rig.get()

    form = lms.seen[0].form
    claims = jwt.decode(
        form["client_assertion"],
        PRIVATE_KEY.public_key(),
        algorithms=["RS256"],
        audience=rig.platform.token_url,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert form["grant_type"] == "client_credentials"
    assert form["scope"] == SCORE
    assert claims["iss"] == claims["sub"] == rig.platform.client_id
    assert claims["iat"] < rig.clock.now().timestamp() < claims["exp"]
    assert claims["exp"] - claims["iat"] <= 300
    assert jwt.get_unverified_header(form["client_assertion"])["kid"] == "waymark-test"


def test_no_two_assertions_are_alike(lms):
    lms.on("POST", "/token", answer_json(GRANT))
    rig = Rig(lms)

    rig.get()
    rig.tokens.drop(rig.platform, [SCORE], refused="t0ken")
    rig.get()

    ids = {
        jwt.decode(one.form["client_assertion"], options={"verify_signature": False})["jti"]
        for one in lms.seen
    }
    assert len(ids) == 2


def test_another_audience_is_named_where_the_platform_wants_it(lms):
    lms.on("POST", "/token", answer_json(GRANT))

    Rig(lms, audience="https://sso.example/token").get()

    assertion = lms.seen[0].form["client_assertion"]
    claims = jwt.decode(assertion, options={"verify_signature": False})
    assert claims["aud"] == "https://sso.example/token"


def test_a_token_is_asked_for_once_and_kept_sealed(lms):
    lms.on("POST", "/token", answer_json(GRANT))
    rig = Rig(lms)

    assert rig.get() == rig.get() == "t0ken"

    assert len(lms.seen) == rig.http.calls == 1
    assert list(rig.cache.kept.values()) == ["nek0t"]
    assert rig.cache.lives == [3540]


def test_tokens_of_two_clients_of_one_issuer_are_kept_apart(lms):
    lms.on(
        "POST",
        "/token",
        answer_json(GRANT | {"access_token": "of-a"}),
        answer_json(GRANT | {"access_token": "of-b"}),
    )
    cache = MemoryTokenCache()
    tokens = services(cache=cache).tokens
    http = client(lms.url)

    first = tokens.get(http, access(lms.url, client_id="a"), [SCORE])
    second = tokens.get(http, access(lms.url, client_id="b"), [SCORE])

    assert (first, second) == ("of-a", "of-b")


def test_a_token_without_a_stated_life_is_kept_for_a_short_time(lms):
    lms.on("POST", "/token", answer_json({"access_token": "t", "scope": SCORE}))
    rig = Rig(lms)

    rig.get()

    assert rig.cache.lives == [240]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (60, [30]),
        (90, [45]),
        (120, [60]),
        ("3600", [3540]),
        ("soon", [240]),
        ("nan", [240]),
        (1e12, [86340]),
        (0, []),
        (-5, []),
    ],
)
def test_o03_a_token_is_kept_as_long_as_it_surely_lives(lms, said, kept):
    lms.on("POST", "/token", answer_json(GRANT | {"expires_in": said}))
    rig = Rig(lms)

    assert rig.get() == "t0ken"
    assert rig.cache.lives == kept


@pytest.mark.redis
def test_o03_a_worker_of_two_hours_renews_its_token_before_it_expires(lms, redis):
    lms.on("POST", "/token", answer_json(GRANT | {"expires_in": 31}))
    rig = services()
    platform = access(lms.url)
    tokens = ServiceTokens(
        cache=RedisTokenCache(redis), key=lambda: KEY, seal=MIRROR, now=rig.now, sleep=rig.sleep
    )
    http = open_client(platform, rig)
    tokens.get(http, platform, [SCORE])

    threading.Event().wait(1.1)
    tokens.get(http, platform, [SCORE])

    assert len(lms.seen) == 2


def test_o05_a_refused_token_is_forgotten_and_a_newer_one_is_not(lms):
    lms.on("POST", "/token", answer_json(GRANT))
    rig = Rig(lms)
    rig.get()

    rig.tokens.drop(rig.platform, [SCORE], refused="an older one")
    rig.get()
    rig.tokens.drop(rig.platform, [SCORE], refused="t0ken")
    rig.get()

    assert len(lms.seen) == 2


def test_o07_a_token_endpoint_that_drips_is_left_after_its_time(monkeypatch):
    monkeypatch.setattr("connectors.tokens.TOTAL_SECONDS", 0.3)

    def talk(connection):
        connection.recv(65536)
        server.drip(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")

    with raw_server(talk) as server:
        platform, given = access(f"http://127.0.0.1:{server.port}"), services()
        with pytest.raises(RetryLater) as caught:
            given.tokens.get(open_client(platform, given), platform, [SCORE])

    assert caught.value.cause == "timeout"


@pytest.mark.parametrize("status", [400, 401, 403, 500, 503])
def test_o11_no_error_shows_the_assertion_or_what_the_platform_said(lms, status):
    lms.on("POST", "/token", Response(b'{"error":"x","hint":"s3cret"}', status=status))

    with pytest.raises((RetryLater, Unauthorized)) as caught:
        Rig(lms).get()

    assertion = lms.seen[0].form["client_assertion"]
    shown = "".join(traceback.format_exception(caught.value))
    assert assertion not in shown
    assert "s3cret" not in shown


def test_a_token_that_is_about_to_expire_is_used_and_not_kept(lms):
    lms.on("POST", "/token", answer_json(GRANT | {"expires_in": 30}))
    rig = Rig(lms)

    assert rig.get() == "t0ken"
    assert rig.cache.kept == {}


def test_a_token_that_cannot_be_opened_any_more_is_asked_for_anew(lms):
    lms.on("POST", "/token", answer_json(GRANT))
    rig = Rig(lms)
    rig.get()
    reopened = ServiceTokens(
        cache=rig.cache,
        key=lambda: KEY,
        seal=Seal(seal=MIRROR.seal, open=lambda _text: None),
        now=rig.clock.now,
        sleep=rig.clock.sleep,
    )

    assert reopened.get(rig.http, rig.platform, [SCORE]) == "t0ken"
    assert len(lms.seen) == 2


def test_a_scope_that_is_not_granted_is_told(lms):
    lms.on("POST", "/token", answer_json(GRANT | {"scope": "something/else"}))

    with pytest.raises(Unauthorized) as caught:
        Rig(lms).get()

    assert caught.value.cause == "missing_scope"
    assert "score" in str(caught.value)


def test_an_answer_without_scopes_grants_what_was_asked(lms):
    lms.on("POST", "/token", answer_json({"access_token": "t0ken", "expires_in": 3600}))

    assert Rig(lms).get() == "t0ken"


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b'{"error":"invalid_client"}', "invalid_client"),
        (b'{ "error" : ""kid" invalid, unable to lookup correct key"" }', "status 400"),
    ],
)
def test_a_refused_token_says_why_as_far_as_it_can_be_read(lms, body, word):
    lms.on("POST", "/token", Response(body, status=400))

    with pytest.raises(Unauthorized) as caught:
        Rig(lms).get()

    assert caught.value.cause == "no_service_token"
    assert word in str(caught.value)


@pytest.mark.parametrize(
    ("seconds", "cause"),
    [
        (-11, "clocks_apart"),
        (-10, "no_service_token"),
        (60, "no_service_token"),
        (61, "clocks_apart"),
    ],
)
def test_a_clock_that_is_wrong_is_named_as_the_reason(seconds, cause):
    clock = Clock()
    date = format_datetime(clock.now() + timedelta(seconds=seconds), usegmt=True)

    with pytest.raises(Unauthorized) as caught:
        services(clock).tokens.get(Refusing(date), access("http://127.0.0.1:9"), [SCORE])

    assert caught.value.cause == cause
    assert cause != "clocks_apart" or f"are {abs(seconds)} seconds apart" in str(caught.value)


class Refusing:
    """Refuses every token, at a time of its own."""

    def __init__(self, date):
        self.date = date

    def send(self, request):
        headers = {"Date": self.date}
        return Reply(platform="A", status=400, url=request.url, headers=headers, body=b"{}")


def test_moodle_that_cannot_fetch_our_keys_is_explained(lms):
    lms.on("POST", "/token", Response(b"<html>", status=404))

    with pytest.raises(Unauthorized) as caught:
        Rig(lms, kind=PlatformKind.MOODLE).get()

    assert caught.value.cause == "keys_unreachable"


def test_a_failed_request_gives_the_turn_back(lms):
    lms.on("POST", "/token", Response(b"", status=503), answer_json(GRANT))
    rig = Rig(lms)
    with pytest.raises(RetryLater):
        rig.get()

    assert rig.get() == "t0ken"
    assert rig.clock.slept == []


def test_who_waits_too_long_for_another_worker_asks_alone(lms):
    lms.on("POST", "/token", answer_json(GRANT))
    rig = Rig(lms)
    rig.cache.may_fetch = lambda _key: False

    assert rig.get() == "t0ken"
    assert sum(rig.clock.slept) == pytest.approx(10.0)


def test_a_token_that_came_while_the_turn_was_taken_is_used(lms):
    lms.on("POST", "/token", answer_json(GRANT))
    rig = Rig(lms)
    rig.get()
    [(key, sealed)] = rig.cache.kept.items()
    rig.cache.kept.clear()

    def another_worker_finishes(_key):
        rig.cache.kept[key] = sealed
        return True

    rig.cache.may_fetch = another_worker_finishes

    assert rig.get() == "t0ken"
    assert len(lms.seen) == 1


@pytest.mark.redis
def test_fifty_workers_that_start_cold_send_one_request(lms, redis):
    def slow(_seen):
        threading.Event().wait(0.2)
        return answer_json(GRANT)

    lms.on("POST", "/token", slow)
    platform = access(lms.url)
    rig = services()
    tokens = ServiceTokens(
        cache=RedisTokenCache(redis),
        key=lambda: KEY,
        seal=MIRROR,
        now=rig.now,
        sleep=lambda seconds: threading.Event().wait(seconds),
    )
    got = []

    def work():
        got.append(tokens.get(open_client(platform, rig), platform, [SCORE]))

    threads = [threading.Thread(target=work) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert got == ["t0ken"] * 50
    assert len(lms.seen) == 1


@pytest.mark.redis
def test_the_shared_cache_keeps_for_a_time_and_forgets(redis):
    cache = RedisTokenCache(redis)

    cache.put("k", "sealed", life_seconds=100)

    assert cache.get("k") == "sealed"
    assert 0 < redis.ttl("waymark:token:k") <= 100
    cache.drop("k")
    assert cache.get("k") is None


@pytest.mark.redis
def test_one_worker_at_a_time_may_fetch(redis):
    cache = RedisTokenCache(redis)

    assert cache.may_fetch("k")
    assert not cache.may_fetch("k")
    cache.has_fetched("k")
    assert cache.may_fetch("k")


def test_neither_key_nor_token_shows_in_what_is_printed(lms):
    platform = access(lms.url)

    assert "secret-api-token" not in repr(platform)
    assert "RSAPrivateKey" not in repr(KEY)
