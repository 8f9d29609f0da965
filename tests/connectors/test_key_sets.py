import json

import pytest
from werkzeug.wrappers import Response

from connectors import key_sets
from connectors.errors import GiveUp, RetryLater
from connectors.key_sets import fetch_key_set
from tests.connectors.doubles import LOOPBACK
from tests.connectors.serving import answer_json, raw_server

KEYS = {"keys": [{"kty": "RSA", "kid": "k1", "n": "AQAB", "e": "AQAB"}]}


def fetch(url, networks=LOOPBACK):
    return fetch_key_set(url, public_url="http://localhost:8100", private_networks=networks)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("public, max-age=864000", 864000),
        ('max-age="600"', 600),
        ("Max-Age=60", 60),
        ("s-maxage=5", None),
        ("no-store", None),
        ("", None),
    ],
)
def test_k11_the_platform_says_how_long_its_keys_may_be_kept(lms, header, seconds):
    lms.on("GET", "/jwks", answer_json(KEYS, headers={"Cache-Control": header}))

    assert fetch(f"{lms.url}/jwks") == (KEYS, seconds)


def test_k16_packed_marked_and_unlabelled_keys_are_read(lms):
    import gzip

    body = gzip.compress(b"\xef\xbb\xbf" + json.dumps(KEYS).encode())
    response = Response(body, headers={"Content-Encoding": "gzip"})
    del response.headers["Content-Type"]
    lms.on("GET", "/jwks", response)

    assert fetch(f"{lms.url}/jwks")[0] == KEYS


@pytest.mark.parametrize("media_type", ["application/jwk-set+json", "text/html", "text/plain"])
def test_k16_the_label_of_the_keys_does_not_matter(lms, media_type):
    lms.on("GET", "/jwks", answer_json(KEYS, media_type=media_type))

    assert fetch(f"{lms.url}/jwks")[0] == KEYS


@pytest.mark.parametrize(
    "body", [b"<!DOCTYPE html><p>Log in", b"\xef\xbb\xbf <html>", b"[]", b"", b"[" * 100_000]
)
def test_k05_what_is_no_key_set_is_refused(lms, body):
    lms.on("GET", "/jwks", Response(body, status=200))

    with pytest.raises((GiveUp, RetryLater)):
        fetch(f"{lms.url}/jwks")


@pytest.mark.parametrize("status", [301, 302, 304, 401, 404, 500])
def test_k03_only_an_answer_that_is_fine_is_read(lms, status):
    lms.on("GET", "/jwks", answer_json(KEYS, status, headers={"Location": f"{lms.url}/more"}))
    lms.on("GET", "/more", answer_json(KEYS))

    with pytest.raises((GiveUp, RetryLater)):
        fetch(f"{lms.url}/jwks")

    assert lms.to("/more") == []


def test_k07_keys_that_drip_are_left_after_their_time(monkeypatch):
    monkeypatch.setattr(key_sets, "TOTAL_SECONDS", 0.3)

    def talk(connection):
        connection.recv(65536)
        server.drip(connection, b"HTTP/1.1 200 OK\r\n\r\n")

    with raw_server(talk) as server, pytest.raises(RetryLater) as caught:
        fetch(f"http://127.0.0.1:{server.port}/jwks")

    assert caught.value.cause == "timeout"


def test_k07_the_time_for_keys_is_five_seconds():
    assert key_sets.TOTAL_SECONDS == 5.0


def test_k09_a_key_set_of_twenty_megabytes_is_not_read(lms):
    lms.on("GET", "/jwks", Response(b'{"keys":"' + b"x" * (20 << 20) + b'"}'))

    with pytest.raises(GiveUp) as caught:
        fetch(f"{lms.url}/jwks")

    assert caught.value.cause == "too_large"


def test_k13_keys_at_a_private_address_are_not_fetched(lms):
    lms.on("GET", "/jwks", answer_json(KEYS))

    with pytest.raises(GiveUp) as caught:
        fetch(f"{lms.url}/jwks", networks=())

    assert caught.value.cause == "private_address"
    assert lms.seen == []
