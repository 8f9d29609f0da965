import gzip
import logging
import socket
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from connectors.deadlines import Deadline
from connectors.errors import GiveUp, RetryLater
from connectors.http import HttpClient, Request
from connectors.limiter import UnpacedLimiter
from tests.connectors.doubles import LOOPBACK
from tests.connectors.serving import ScriptedLms, answer_json, raw_server
from tests.connectors.test_addresses import answering

PUBLIC = "93.184.216.34"


def client(url, *, networks=LOOPBACK, **options):
    return HttpClient(
        platform="Northside",
        addresses=(url,),
        limiter=UnpacedLimiter(),
        public_url="http://localhost:8100",
        private_networks=networks,
        **options,
    )


def get(url, **request):
    return client(url).send(Request(method="GET", url=url, **request))


@contextmanager
def secure_server(folder, name):
    """An LMS by https at 127.0.0.1 with a certificate for a name; yields its port and CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "cert.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    lms = ScriptedLms()
    lms.on("GET", "/x", answer_json({"secure": True}))
    server = make_server("127.0.0.1", 0, lms, threaded=True, ssl_context=context)
    server.log = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port, str(public), lms
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_k13_a_name_is_looked_up_once_and_asked_where_it_was_judged(lms, monkeypatch):
    lms.on("GET", "/x", answer_json({}))
    url = lms.url.replace("127.0.0.1", "lms.example")
    asked = answering(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])
    sender = client(url)
    monkeypatch.setattr(sender, "_is_near", lambda _host: True)

    sender.send(Request(method="GET", url=f"{url}/x"))
    sender.send(Request(method="GET", url=f"{url}/x"))

    assert asked == ["lms.example"]
    assert lms.seen[0].headers["host"] == url.removeprefix("http://")


def test_k13_a_name_server_that_changes_its_mind_is_not_heard(monkeypatch):
    refused = []

    def unreachable(_made, address):
        refused.append(address)
        raise OSError

    answering(monkeypatch, [PUBLIC], ["127.0.0.1"])
    monkeypatch.setattr(socket.socket, "connect", unreachable)

    with pytest.raises(RetryLater):
        get("https://rebinding.example/x")

    assert refused == [(PUBLIC, 443)]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "127.1"])
def test_k13_nothing_connects_to_a_private_address(host):
    with raw_server(lambda _: None) as server:
        url = f"https://{host}:{server.port}/x"
        with pytest.raises(GiveUp) as caught:
            client(url, networks=()).send(Request(method="GET", url=url))

    assert caught.value.cause == "private_address"
    assert server.connections == 0


def test_of_several_addresses_the_first_that_answers_is_taken(lms, monkeypatch):
    lms.on("GET", "/x", answer_json({}))
    url = lms.url.replace("127.0.0.1", "lms.example")
    answering(monkeypatch, ["::1", "127.0.0.1"])
    sender = client(url)
    monkeypatch.setattr(sender, "_is_near", lambda _host: True)

    assert sender.send(Request(method="GET", url=f"{url}/x")).status == 200


def test_a_host_that_failed_is_looked_up_anew(lms, monkeypatch):
    lms.on("GET", "/x", answer_json({}))
    port = lms.url.rpartition(":")[2]
    asked = answering(monkeypatch, ["127.0.0.2"], ["127.0.0.1"])
    url = f"http://lms.example:{port}"
    sender = client(url)
    monkeypatch.setattr(sender, "_is_near", lambda _host: True)
    refuse = socket.socket.connect

    def connect(made, address):
        if address[0] == "127.0.0.2":
            raise ConnectionRefusedError
        refuse(made, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(RetryLater):
        sender.send(Request(method="GET", url=f"{url}/x"))

    assert sender.send(Request(method="GET", url=f"{url}/x")).status == 200
    assert len(asked) == 2


def test_an_address_that_takes_no_connection_in_time_is_for_later(monkeypatch):
    def slow(_made, _address):
        raise TimeoutError

    monkeypatch.setattr(socket.socket, "connect", slow)

    with pytest.raises(RetryLater) as caught:
        get("https://127.0.0.1/x")

    assert caught.value.cause == "timeout"


def test_a_connection_that_is_made_after_the_deadline_is_broken_at_once():
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(60.0) as bound:
        bound.end()
        bound.follow(ours)

        assert theirs.recv(1) == b""


def test_tls_verifies_the_name_and_not_the_address(tmp_path, monkeypatch):
    answering(monkeypatch, ["127.0.0.1"])
    with secure_server(tmp_path, "lms.example") as (port, authority, lms):
        url = f"https://lms.example:{port}/x"
        sender = client(url)
        sender._verify = authority

        assert sender.send(Request(method="GET", url=url)).decode(dict) == {"secure": True}

    assert lms.seen[0].headers["host"] == f"lms.example:{port}"


def test_a_certificate_of_another_name_is_not_trusted(tmp_path, monkeypatch):
    answering(monkeypatch, ["127.0.0.1"])
    with secure_server(tmp_path, "other.example") as (port, authority, lms):
        url = f"https://lms.example:{port}/x"
        sender = client(url)
        sender._verify = authority

        with pytest.raises(GiveUp) as caught:
            sender.send(Request(method="GET", url=url))

    assert caught.value.cause == "certificate"
    assert lms.seen == []


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Drip: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
    ],
    ids=["status", "header", "body", "endless", "chunk"],
)
def test_r07_an_answer_that_drips_ends_at_its_time(start):
    def talk(connection):
        connection.recv(65536)
        server.drip(connection, start)

    with raw_server(talk) as server, pytest.raises(RetryLater) as caught:
        get(f"http://127.0.0.1:{server.port}/x", total_seconds=0.3)

    assert caught.value.cause == "timeout"


def test_a_tls_handshake_that_drips_ends_at_its_time():
    def talk(connection):
        connection.recv(65536)
        server.drip(connection, b"\x16\x03\x03\x40\x00", b"\x00")

    with raw_server(talk) as server, pytest.raises((RetryLater, GiveUp)):
        get(f"https://127.0.0.1:{server.port}/x", total_seconds=0.3)


def test_a_connection_that_is_kept_alive_has_the_deadline_of_its_new_request(lms):
    is_over = threading.Event()
    lms.on("GET", "/fast", answer_json({}))
    lms.on("GET", "/slow", lambda _seen: is_over.wait(5) and answer_json({}))
    sender = client(lms.url)
    sender.send(Request(method="GET", url=f"{lms.url}/fast"))

    with pytest.raises(RetryLater) as caught:
        sender.send(Request(method="GET", url=f"{lms.url}/slow", total_seconds=0.2))

    is_over.set()
    assert caught.value.cause == "timeout"


def test_an_answer_within_its_time_is_whole(lms):
    lms.on("GET", "/x", answer_json({"a": 1}))

    assert get(f"{lms.url}/x", total_seconds=5.0).decode(dict) == {"a": 1}


@pytest.mark.parametrize("times", [1, 2])
def test_k17_a_packed_bomb_is_not_unpacked_beyond_the_cap(lms, times):
    body = b"\x00" * (64 << 20)
    for _ in range(times):
        body = gzip.compress(body)
    headers = {"Content-Encoding": ", ".join(["gzip"] * times)}
    lms.on("GET", "/x", Response(body, headers=headers))

    import tracemalloc

    tracemalloc.start()
    with pytest.raises(GiveUp) as caught:
        get(f"{lms.url}/x", most_bytes=256 * 1024)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert caught.value.cause == "too_large"
    assert peak < 16 << 20


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example\\@127.0.0.1/x",
        "https://evil.example\\127.0.0.1/x",
        "https://user:word@127.0.0.1/x",
        "https://127.0.0.1 .evil.example/x",
        "https://127.0.0.1\t.evil.example/x",
        "https://127.0.0.1\r\n.evil.example/x",
    ],
)
def test_an_address_that_two_readers_would_read_differently_is_not_asked(url):
    with pytest.raises(GiveUp) as caught:
        client("https://127.0.0.1").send(Request(method="GET", url=url))

    assert caught.value.cause == "foreign_address"


def test_o11_no_log_holds_an_address_with_a_token(lms, caplog):
    caplog.set_level(logging.DEBUG)
    lms.on("GET", "/x", answer_json({}))

    get(f"{lms.url}/x?wstoken=s3cret", headers={"Authorization": "Bearer s3cret"})

    assert "s3cret" not in caplog.text
