"""What is sent again and what is not, over real sockets."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.wrappers import Response

from connectors.errors import ConnectorError, GiveUp, RetryLater, Unauthorized
from connectors.exchange import Reply, Request
from connectors.platform import open_client
from connectors.retries import Retries
from tests.connectors.doubles import Clock, RememberingLimiter, access, client, services
from tests.connectors.serving import answer_json, raw_server

FINE = answer_json([1])


def cut_off():
    return Response(b'[{"id": "1"', content_type="application/json")


def send(lms, method="GET", **request):
    return client(lms.url).send(Request(method=method, url=f"{lms.url}/x", **request))


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_that_stumbles_once_costs_one_request_more(lms, status):
    lms.on("GET", "/x", Response(b"", status=status), FINE)
    sender = client(lms.url)

    reply = sender.send(Request(method="GET", url=f"{lms.url}/x"))

    assert reply.decode(list[int]) == [1]
    assert sender.calls == len(lms.seen) == 2


def test_an_answer_that_ends_in_the_middle_is_asked_for_again(lms):
    lms.on("GET", "/x", cut_off(), FINE)

    assert send(lms).decode(list[int]) == [1]


def test_a_web_page_instead_of_data_is_asked_for_again(lms):
    lms.on("GET", "/x", Response(b"<html>One moment", status=200), FINE)

    assert send(lms, headers={"Accept": "application/json"}).decode(list[int]) == [1]


def test_a_web_page_that_may_be_the_answer_comes_back(lms):
    lms.on("GET", "/x", Response(b"<html>", status=200))

    assert send(lms).is_page
    assert len(lms.seen) == 1


def test_a_connection_that_is_reset_is_made_again():
    def talk(connection):
        connection.recv(65536)
        if server.connections > 1:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")

    with raw_server(talk) as server:
        url = f"http://127.0.0.1:{server.port}"
        reply = client(url).send(Request(method="GET", url=f"{url}/x"))

    assert reply.body == b"[]"


def test_an_answer_shorter_than_it_said_is_asked_for_again():
    def talk(connection):
        connection.recv(65536)
        body = b"[]" if server.connections > 1 else b"["
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + body)

    with raw_server(talk) as server:
        url = f"http://127.0.0.1:{server.port}"
        reply = client(url).send(Request(method="GET", url=f"{url}/x"))

    assert reply.body == b"[]"


def test_a_trouble_that_stays_is_told_after_three_tries(lms):
    lms.on("GET", "/x", Response(b"", status=502))

    with pytest.raises(RetryLater) as caught:
        send(lms)

    assert caught.value.cause == "server_error"
    assert len(lms.seen) == 3


@pytest.mark.parametrize("status", [500, 401, 404, 422])
def test_what_will_be_the_same_again_is_asked_once(lms, status):
    lms.on("GET", "/x", Response(b"", status=status))

    with pytest.raises(ConnectorError):
        send(lms)

    assert len(lms.seen) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("answer", [lambda: Response(b"", status=502), cut_off])
def test_a_write_is_never_repeated_blindly(lms, method, answer):
    lms.on(method, "/x", answer())

    with suppress(RetryLater):
        send(lms, method)

    assert len(lms.seen) == 1


def test_a_post_that_only_asks_is_repeated(lms):
    lms.on("POST", "/x", Response(b"", status=502), FINE)

    assert send(lms, "POST", only_asks=True, body=b"{}").decode(list[int]) == [1]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_was_throttled_was_not_done_and_is_sent_in_its_turn(lms, method):
    lms.on(method, "/x", Response(b"", status=429, headers={"Retry-After": "7"}), FINE)
    limiter = RememberingLimiter()

    reply = client(lms.url, limiter).send(Request(method=method, url=f"{lms.url}/x"))

    assert reply.status == 200
    assert (limiter.pauses, limiter.waits) == ([7.0], 2)


@pytest.mark.parametrize("status", [429, 503])
def test_who_asks_for_a_long_pause_is_left_alone_at_once(lms, status):
    lms.on("GET", "/x", Response(b"", status=status, headers={"Retry-After": "300"}))

    with pytest.raises(RetryLater) as caught:
        send(lms)

    assert caught.value.after_seconds == 300.0
    assert len(lms.seen) == 1


@pytest.mark.parametrize(
    ("status", "headers", "is_up", "remaining"),
    [
        (200, {"X-Rate-Limit-Remaining": "598.5"}, True, 598.5),
        (200, {}, True, None),
        (404, {}, True, None),
        (500, {}, False, None),
        # Canvas shows what is left even where it refuses for want of it.
        (429, {"X-Rate-Limit-Remaining": "3.14"}, None, None),
        (200, {"X-Rate-Limit-Remaining": "much"}, True, None),
    ],
)
def test_the_limiter_is_told_what_came_of_each_request(lms, status, headers, is_up, remaining):
    lms.on("GET", "/x", Response(b"{}", status=status, headers=headers))
    limiter = RememberingLimiter()

    with suppress(ConnectorError):
        client(lms.url, limiter).send(Request(method="GET", url=f"{lms.url}/x"))

    assert (limiter.news[0].is_up, limiter.news[0].remaining) == (is_up, remaining)


def test_the_limiter_is_told_of_a_platform_that_is_not_there():
    limiter = RememberingLimiter()

    with pytest.raises(RetryLater):
        client("http://127.0.0.1:9", limiter).send(
            Request(method="GET", url="http://127.0.0.1:9/x")
        )

    assert [news.is_up for news in limiter.news] == [False] * 3


def test_a_request_that_could_not_be_sent_says_nothing_of_the_platform(lms):
    limiter = RememberingLimiter()
    broken = Request(method="GET", url=f"{lms.url}/x", headers={"Authorization": "a\nb"})

    with pytest.raises(GiveUp):
        client(lms.url, limiter).send(broken)

    assert [news.is_up for news in limiter.news] == [None]


def test_pauses_grow_and_lie_in_the_hand_of_chance():
    clock = Clock()
    retries = Retries(sleep=clock.sleep, draw=iter([0.5, 1.0]).__next__, pause_seconds=2.0)

    with pytest.raises(RetryLater):
        retries.sent(Request(method="GET", url=""), broken)

    assert clock.slept == [1.0, 8.0]


def test_a_short_time_that_the_lms_asks_for_is_kept():
    clock = Clock()
    retries = Retries(sleep=clock.sleep, draw=lambda: 0.0)

    def later(_request):
        raise RetryLater("Later.", cause="maintenance", after_seconds=3.0, is_hiccup=True)

    with pytest.raises(RetryLater):
        retries.sent(Request(method="GET", url=""), later)

    assert clock.slept == [3.0, 3.0]


def broken(_request):
    raise RetryLater("Broken.", cause="broken_answer", is_hiccup=True)


TROUBLES = st.sampled_from(
    [
        RetryLater("", cause="broken_answer", is_hiccup=True),
        RetryLater("", cause="throttled", after_seconds=1.0),
        RetryLater("", cause="throttled", after_seconds=1e6),
        RetryLater("", cause="timeout"),
        Unauthorized("", cause="refused_access"),
    ]
)


@given(
    troubles=st.lists(TROUBLES, max_size=5),
    method=st.sampled_from(["GET", "POST"]),
    tries=st.integers(1, 4),
)
def test_whatever_goes_wrong_it_is_tried_so_often_at_most(troubles, method, tries):
    clock = Clock()
    retries = Retries(sleep=clock.sleep, draw=lambda: 1.0, tries=tries)
    left = list(troubles)
    sent = []

    def attempt(request):
        sent.append(request)
        if left:
            raise left.pop(0)
        return Reply(platform="", status=200, url="", headers={}, body=b"")

    try:
        retries.sent(Request(method=method, url=""), attempt)
        is_fine = True
    except ConnectorError:
        is_fine = False

    assert 1 <= len(sent) <= tries
    assert is_fine == (len(sent) > len(troubles))
    assert len(clock.slept) < len(sent) or not clock.slept


def test_the_clients_of_a_platform_wait_with_its_services_means(lms):
    clock = Clock()
    lms.on("GET", "/x", Response(b"", status=502), FINE)

    open_client(access(lms.url), services(clock)).send(Request(method="GET", url=f"{lms.url}/x"))

    assert clock.slept == [0.5]
