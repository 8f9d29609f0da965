import gzip
import threading

import msgspec
import pytest
from werkzeug.wrappers import Response

from connectors import http
from connectors.errors import GiveUp, Gone, RetryLater, Unauthorized
from connectors.http import Reply, Request, origin_of, redacted, retry_after_seconds, user_agent
from tests.connectors.doubles import RememberingLimiter, client
from tests.connectors.serving import answer_json, raw_server


def get(lms, path="/x", **request):
    return client(lms.url).send(Request(method="GET", url=lms.url + path, **request))


def refused(lms, status, body=b"", **headers):
    lms.on("GET", "/x", Response(body, status=status, headers=headers))
    with pytest.raises((RetryLater, GiveUp)) as caught:
        get(lms)
    return caught.value


def test_every_request_says_who_sends_it(lms):
    lms.on("GET", "/x", answer_json({}))

    get(lms)

    assert lms.seen[0].headers["user-agent"].startswith("Waymark/")
    assert lms.seen[0].headers["user-agent"].endswith("(+http://localhost:8100)")


def test_the_client_counts_its_requests_and_asks_the_limiter_before_each(lms):
    lms.on("GET", "/x", answer_json({}))
    limiter = RememberingLimiter()
    sender = client(lms.url, limiter)

    sender.send(Request(method="GET", url=f"{lms.url}/x"))
    sender.send(Request(method="GET", url=f"{lms.url}/x"))

    assert sender.calls == 2
    assert limiter.waits == 2


@pytest.mark.parametrize(
    ("status", "kind", "cause"),
    [
        (400, GiveUp, "refused_request"),
        (401, Unauthorized, "refused_access"),
        (403, Unauthorized, "refused_access"),
        (404, Gone, "not_found"),
        (408, RetryLater, "server_error"),
        (410, Gone, "not_found"),
        (422, GiveUp, "refused_request"),
        (500, RetryLater, "server_error"),
        (502, RetryLater, "server_error"),
        (503, RetryLater, "maintenance"),
    ],
)
def test_a_status_becomes_the_error_that_says_what_to_do(lms, status, kind, cause):
    error = refused(lms, status)

    assert type(error) is kind
    assert (error.cause, error.platform) == (cause, "Northside")
    assert "Northside" in str(error)
    assert str(status) in str(error)


def test_a_redirect_is_not_followed(lms):
    error = refused(lms, 302, Location=f"{lms.url}/elsewhere")

    assert error.cause == "redirected"
    assert [one.path for one in lms.seen] == ["/x"]


@pytest.mark.parametrize(
    ("status", "body"),
    [(429, b"Too Many Requests"), (403, b"403 Forbidden (Rate Limit Exceeded)\n")],
)
def test_a_throttle_answer_pauses_everybody_and_is_for_later(lms, status, body):
    lms.on("GET", "/x", Response(body, status=status))
    limiter = RememberingLimiter()

    with pytest.raises(RetryLater) as caught:
        client(lms.url, limiter).send(Request(method="GET", url=f"{lms.url}/x", passes={403}))

    assert caught.value.cause == "throttled"
    assert set(limiter.pauses) == {caught.value.after_seconds} == {10.0}


def test_the_time_that_a_throttling_lms_asks_for_is_kept(lms):
    error = refused(lms, 429, **{"Retry-After": "42"})

    assert error.after_seconds == 42.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "soon"}, 0.0),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "999999"}, 3600.0),
        (
            {
                "Retry-After": "Sat, 21 Nov 2026 02:01:30 GMT",
                "Date": "Sat, 21 Nov 2026 02:00:00 GMT",
            },
            90.0,
        ),
        ({"Retry-After": "Sat, 21 Nov 2026 02:01:30 GMT"}, 0.0),
    ],
)
def test_retry_after_is_read_in_both_of_its_forms(headers, seconds):
    reply = Reply(platform="", status=503, url="", headers=headers, body=b"")

    assert retry_after_seconds(reply) == seconds


def test_a_status_that_the_caller_understands_comes_back(lms):
    lms.on("GET", "/x", Response(b"", status=409))

    assert get(lms, passes={409}).status == 409


def test_a_web_page_instead_of_data_is_for_later(lms):
    lms.on("GET", "/x", Response(b"\n <!DOCTYPE html><p>Maintenance", status=200))

    with pytest.raises(RetryLater) as caught:
        get(lms).decode(dict)

    assert caught.value.cause == "web_page"


def test_json_labelled_as_a_web_page_is_read(lms):
    lms.on("GET", "/x", answer_json({"a": 1}, media_type="text/html"))

    assert get(lms).decode(dict) == {"a": 1}


def test_broken_json_is_for_later(lms):
    lms.on("GET", "/x", Response(b'{"a":', status=200))

    with pytest.raises(RetryLater) as caught:
        get(lms).decode(dict)

    assert caught.value.cause == "broken_answer"


def test_json_of_another_shape_is_given_up(lms):
    lms.on("GET", "/x", answer_json({"a": 1}))

    with pytest.raises(GiveUp) as caught:
        get(lms).decode(list)

    assert caught.value.cause == "unexpected_answer"


def test_a_member_that_is_missing_is_named_and_an_unknown_one_passed_over(lms):
    class Row(msgspec.Struct):
        user_id: str

    lms.on("GET", "/x", answer_json([{"user_id": "1", "new": 2}, {"id": "2"}]))

    with pytest.raises(GiveUp, match=r"missing required field `user_id` - at `\$\[1\]`"):
        get(lms).decode(list[Row])


def test_answers_come_packed(lms):
    packed = Response(gzip.compress(b'{"a": 1}'), headers={"Content-Encoding": "gzip"})
    lms.on("GET", "/x", packed)

    assert get(lms).decode(dict) == {"a": 1}
    assert lms.seen[0].headers["accept-encoding"] == "gzip"


def test_one_connection_serves_many_requests():
    def talk(connection):
        for _ in range(3):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")

    with raw_server(talk) as server:
        url = f"http://127.0.0.1:{server.port}"
        sender = client(url)
        for _ in range(3):
            sender.send(Request(method="GET", url=f"{url}/x"))

    assert (sender.calls, server.connections) == (3, 1)


def test_an_oversized_answer_is_not_read_to_its_end(lms):
    lms.on("GET", "/x", Response(b"x" * 1001, status=200))

    with pytest.raises(GiveUp) as caught:
        get(lms, most_bytes=1000)

    assert caught.value.cause == "too_large"


def test_an_lms_that_is_down_is_for_later():
    sender = client("http://127.0.0.1:9")

    with pytest.raises(RetryLater) as caught:
        sender.send(Request(method="GET", url="http://127.0.0.1:9/x"))

    assert caught.value.cause == "unreachable"


def test_a_silent_lms_is_for_later(lms):
    has_given_up = threading.Event()

    def silent(_seen):
        has_given_up.wait(5)
        return Response(b"")

    lms.on("GET", "/x", silent)

    with pytest.raises(RetryLater) as caught:
        get(lms, read_seconds=0.05)

    has_given_up.set()
    assert caught.value.cause == "timeout"


def test_an_answer_that_cannot_be_unpacked_is_for_later(lms):
    lms.on("GET", "/x", Response(b"no gzip", headers={"Content-Encoding": "gzip"}))

    with pytest.raises(RetryLater) as caught:
        get(lms)

    assert caught.value.cause == "broken_answer"


def test_a_certificate_that_cannot_be_trusted_is_given_up(lms):
    secure = lms.url.replace("http://", "https://")

    with pytest.raises(GiveUp) as caught:
        client(secure).send(Request(method="GET", url=f"{secure}/x"))

    assert caught.value.cause == "certificate"


def test_a_token_that_was_pasted_with_a_line_break_is_told(lms):
    with pytest.raises(GiveUp) as caught:
        get(lms, headers={"Authorization": "Bearer abc\ndef"})

    assert caught.value.cause == "bad_request"
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize("elsewhere", ["http://127.0.0.1:1/x", "https://evil.example/x", "x"])
def test_nothing_is_sent_to_another_site(lms, elsewhere):
    sender = client(lms.url)

    with pytest.raises(GiveUp) as caught:
        sender.send(Request(method="GET", url=elsewhere))

    assert caught.value.cause == "foreign_address"
    assert sender.calls == 0


def test_a_token_does_not_travel_unprotected():
    sender = client("http://moodle.school.example")

    with pytest.raises(GiveUp) as caught:
        sender.send(Request(method="GET", url="http://moodle.school.example/x"))

    assert caught.value.cause == "not_https"


def test_cookies_are_not_kept(lms):
    lms.on("GET", "/x", answer_json({}, headers={"Set-Cookie": "MoodleSession=abc; Path=/"}))
    sender = client(lms.url)

    sender.send(Request(method="GET", url=f"{lms.url}/x"))
    sender.send(Request(method="GET", url=f"{lms.url}/x"))

    assert "cookie" not in lms.seen[1].headers


def test_a_message_shows_no_secret_of_the_address(lms):
    lms.on("GET", "/x", Response(b"", status=500))

    with pytest.raises(RetryLater) as caught:
        get(lms, params=[("wstoken", "s3cret"), ("page", "2")])

    assert "s3cret" not in str(caught.value)
    assert "page=2" in str(caught.value)


def test_a_failed_connection_leaves_no_address_in_the_chain_of_errors():
    sender = client("http://127.0.0.1:9")

    with pytest.raises(RetryLater) as caught:
        sender.send(Request(method="GET", url="http://127.0.0.1:9/x?wstoken=s3cret"))

    assert caught.value.__suppress_context__
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/p", "https://a.example/p"),
        ("https://u:p@a.example/p", "https://a.example/p"),
        ("https://a.example/p?token=x&per_page=100", "https://a.example/p?token=***&per_page=100"),
        ("https://a.example/p?q=#frag", "https://a.example/p?q=***"),
        ("https://[broken", "(an unreadable address)"),
    ],
)
def test_redaction_keeps_the_place_and_drops_the_values(url, shown):
    assert redacted(url) == shown


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://A.example/x", "https://a.example:443"),
        ("https://a.example:443", "https://a.example:443"),
        ("http://a.example:8080/x", "http://a.example:8080"),
        ("//a.example/x", ""),
        ("https://a.example:port/", ""),
        ("", ""),
    ],
)
def test_origins_are_compared_in_one_spelling(url, origin):
    assert origin_of(url) == origin


def test_an_uninstalled_waymark_still_names_itself(monkeypatch):
    def missing(_name):
        raise http.PackageNotFoundError

    monkeypatch.setattr(http, "version", missing)

    assert user_agent("https://w.example") == "Waymark/unreleased (+https://w.example)"
