"""Access that an administrator authorised: renewed by one worker for all, until it is revoked."""

import threading
from datetime import timedelta

import msgspec
import pytest

from connectors.canvas.oauth import (
    AuthorizedTokens,
    DeveloperKey,
    authorization_url,
    exchange_code,
)
from connectors.canvas.rest import CanvasRest
from connectors.canvas.scopes import RIGHTS, SCOPES
from connectors.errors import GiveUp, RetryLater, Unauthorized
from connectors.platform import open_client
from connectors.shared_tokens import RedisTokenCache, SharedTokens
from tests.connectors.doubles import MIRROR, Clock, MemoryTokenCache, access, services
from tests.connectors.serving import answer_json

TOKEN = "/login/oauth2/token"
COURSES = "/api/v1/accounts/self/courses"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="canvas-lms"'}
EXPIRED = answer_json({"errors": [{"message": "Expired access token."}]}, 401, headers=CHALLENGE)
UNSCOPED = answer_json({"errors": [{"message": "Insufficient scopes on access token."}]}, 401)
DEAD = answer_json(
    {"error": "invalid_request", "error_description": "refresh_token not found"}, 400
)


def grant(token, **changes):
    user = {"id": "7", "name": "Service User"}
    body = {"access_token": token, "token_type": "Bearer", "user": user, "expires_in": 3600}
    return answer_json(body | changes)


class Worker:
    """One thread of one process: its own client and tokens, with a cache that may be shared."""

    def __init__(self, lms, cache=None, *, is_revoked=False, sleep=None):
        self.clock = Clock()
        self.cache = cache or MemoryTokenCache()
        self.revoked = []
        self.key = DeveloperKey(
            platform="Northside", api_url=lms.url, client_id="500", client_secret="hush"
        )
        shared = SharedTokens(cache=self.cache, seal=MIRROR, sleep=sleep or self.clock.sleep)
        self.tokens = AuthorizedTokens(
            self.key,
            "refresh-me",
            shared=shared,
            now=self.clock.now,
            on_revoked=lambda: self.revoked.append("told"),
            is_revoked=is_revoked,
        )
        platform = access(lms.url, user_tokens=self.tokens)
        self.http = open_client(platform, services(self.clock))
        self.rest = CanvasRest(self.http, platform)

    def token(self):
        return self.tokens.get(self.http)

    def courses(self):
        return list(self.rest.rows("accounts/self/courses", dict))


def bearers(lms, path):
    return [one.headers["authorization"] for one in lms.to(path)]


def test_the_refresh_token_and_the_key_are_traded_for_an_access_token(lms):
    lms.on("POST", TOKEN, grant("a1"))

    assert Worker(lms).token() == "a1"

    (sent,) = lms.seen
    assert sent.form == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-me",
        "client_id": "500",
        "client_secret": "hush",
    }
    assert "authorization" not in sent.headers


def test_a_token_is_kept_sealed_until_shortly_before_it_expires(lms):
    lms.on("POST", TOKEN, grant("a1"))
    worker = Worker(lms)

    assert worker.token() == worker.token() == "a1"

    assert len(lms.seen) == 1
    assert list(worker.cache.kept.values()) == ["1a"]
    assert worker.cache.lives == [3540]


def test_the_authorised_access_goes_before_a_pasted_token(lms):
    lms.on("POST", TOKEN, grant("a1"))
    lms.on("GET", COURSES, answer_json([]))

    Worker(lms).courses()

    assert bearers(lms, COURSES) == ["Bearer a1"]


def test_a_thread_asks_the_cache_again_after_a_while(lms):
    lms.on("POST", TOKEN, grant("a1"), grant("a2"))
    worker = Worker(lms)
    worker.token()

    worker.cache.kept.clear()
    held = worker.token()
    worker.clock.at += timedelta(seconds=30)

    assert (held, worker.token()) == ("a1", "a2")


def test_two_threads_that_need_a_token_at_once_send_one_refresh(lms, redis):
    is_waiting = threading.Event()

    def slowly(_seen):
        is_waiting.wait(10)
        return grant("a1")

    lms.on("POST", TOKEN, slowly)
    cache = RedisTokenCache(redis)
    workers = [Worker(lms, cache, sleep=lambda _: is_waiting.set()) for _ in range(2)]
    found = []
    threads = [threading.Thread(target=lambda w=w: found.append(w.token())) for w in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert found == ["a1", "a1"]
    assert len(lms.to(TOKEN)) == 1


def test_a_token_that_expires_in_the_middle_is_renewed_and_the_request_sent_again(lms):
    lms.on("POST", TOKEN, grant("a1"), grant("a2"))
    lms.on("GET", COURSES, EXPIRED, answer_json([{"id": "1"}]))
    worker = Worker(lms)

    assert worker.courses() == [{"id": "1"}]

    assert bearers(lms, COURSES) == ["Bearer a1", "Bearer a2"]


def test_a_worker_takes_the_token_that_another_one_has_renewed(lms):
    lms.on("POST", TOKEN, grant("a1"), grant("a2"), grant("a3"))
    lms.on("GET", COURSES, EXPIRED, answer_json([]), EXPIRED, answer_json([]))
    cache = MemoryTokenCache()
    first, second = Worker(lms, cache), Worker(lms, cache)
    second.token()

    first.courses()
    second.courses()

    assert len(lms.to(TOKEN)) == 2
    assert bearers(lms, COURSES)[-2:] == ["Bearer a1", "Bearer a2"]


def test_a_token_is_renewed_once_for_a_request_and_no_more(lms):
    lms.on("POST", TOKEN, grant("a1"), grant("a2"), grant("a3"))
    lms.on("GET", COURSES, EXPIRED)

    with pytest.raises(Unauthorized) as caught:
        Worker(lms).courses()

    assert caught.value.cause == "refused_access"
    assert len(lms.to(TOKEN)) == len(lms.to(COURSES)) == 2


def test_a_missing_scope_is_named_and_no_reason_to_renew(lms):
    lms.on("POST", TOKEN, grant("a1"))
    lms.on("GET", COURSES, UNSCOPED)

    with pytest.raises(Unauthorized, match="GET api/v1/accounts/self/courses") as caught:
        Worker(lms).courses()

    assert caught.value.cause == "missing_scope"
    assert len(lms.to(TOKEN)) == 1


def test_a_status_that_the_caller_understands_comes_back_also_where_it_is_401(lms):
    lms.on("POST", TOKEN, grant("a1"))
    lms.on("GET", COURSES, UNSCOPED)

    (reply,) = Worker(lms).rest.pages("accounts/self/courses", passes=frozenset({401}))

    assert reply.status == 401


@pytest.mark.parametrize("word", ["invalid_request", "invalid_grant"])
def test_a_dead_refresh_token_is_told_once_and_canvas_not_asked_again(lms, word):
    said = {"error": word, "error_description": "refresh_token not found"}
    lms.on("POST", TOKEN, answer_json(said, 400))
    worker = Worker(lms)

    for _ in range(3):
        with pytest.raises(Unauthorized, match="authorises anew") as caught:
            worker.courses()

    assert caught.value.cause == "access_revoked"
    assert worker.revoked == ["told"]
    assert len(lms.seen) == 1


def test_what_is_known_to_be_revoked_is_not_asked_for_at_all(lms):
    worker = Worker(lms, is_revoked=True)

    with pytest.raises(Unauthorized) as caught:
        worker.courses()

    assert caught.value.cause == "access_revoked"
    assert lms.seen == []


def test_an_access_revoked_in_the_middle_ends_the_read_with_that_cause(lms):
    lms.on("POST", TOKEN, grant("a1"), DEAD)
    lms.on("GET", COURSES, EXPIRED)
    worker = Worker(lms)

    with pytest.raises(Unauthorized) as caught:
        worker.courses()

    assert (caught.value.cause, worker.revoked) == ("access_revoked", ["told"])


def test_a_key_that_is_refused_is_not_taken_for_a_revoked_access(lms):
    said = {"error": "invalid_client", "error_description": "unknown client"}
    lms.on("POST", TOKEN, answer_json(said, 401))
    worker = Worker(lms)

    with pytest.raises(Unauthorized, match="invalid_client") as caught:
        worker.token()

    assert (caught.value.cause, worker.revoked) == ("no_access_token", [])


def test_a_canvas_in_trouble_is_not_taken_for_a_revoked_access(lms):
    lms.on("POST", TOKEN, answer_json({"errors": []}, 500))
    worker = Worker(lms)

    with pytest.raises(RetryLater):
        worker.token()

    assert worker.revoked == []


def test_no_secret_gets_into_an_error_or_a_representation(lms):
    lms.on("POST", TOKEN, DEAD)
    worker = Worker(lms)

    with pytest.raises(Unauthorized) as caught:
        worker.token()

    for text in (str(caught.value), repr(worker.key), repr(access(lms.url))):
        assert "hush" not in text
        assert "refresh-me" not in text


def test_the_code_of_a_consent_brings_who_gave_it_and_what_renews_it(lms):
    lms.on("POST", TOKEN, grant("a1", refresh_token="r1"))
    worker = Worker(lms)

    found = exchange_code(worker.http, worker.key, code="c0de", redirect_uri="https://w/back")

    assert (found.user, found.refresh_token) == ("Service User", "r1")
    assert lms.seen[0].form["code"] == "c0de"
    assert lms.seen[0].form["redirect_uri"] == "https://w/back"


def test_an_answer_without_a_refresh_token_is_no_access(lms):
    lms.on("POST", TOKEN, grant("a1"))
    worker = Worker(lms)

    with pytest.raises(GiveUp) as caught:
        exchange_code(worker.http, worker.key, code="c0de", redirect_uri="https://w/back")

    assert caught.value.cause == "no_refresh_token"


def test_a_code_that_canvas_does_not_know_is_refused(lms):
    said = {"error": "invalid_grant", "error_description": "authorization_code not found"}
    lms.on("POST", TOKEN, answer_json(said, 400))
    worker = Worker(lms)

    with pytest.raises(Unauthorized, match="invalid_grant"):
        exchange_code(worker.http, worker.key, code="c0de", redirect_uri="https://w/back")


def test_the_consent_is_asked_for_with_every_scope_once():
    url = authorization_url(
        "https://c.example", client_id="500", redirect_uri="https://w/back?a=1", state="s&t"
    )

    assert url.startswith("https://c.example/login/oauth2/auth?client_id=500&response_type=code&")
    assert "redirect_uri=https%3A%2F%2Fw%2Fback%3Fa%3D1" in url
    assert "state=s%26t" in url
    assert url.count("url%3A") == len(SCOPES) == len(set(SCOPES))


def test_every_scope_has_a_reason_and_fits_into_canvass_header():
    assert all(right.purpose and right.scopes for right in RIGHTS)
    assert len(msgspec.json.encode(SCOPES)) < 8000
