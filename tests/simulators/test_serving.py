"""The server of the simulators, over real sockets."""

import http.client
import socket
import threading

import pytest
from flask import Flask, Response, request

from simulators.serving import Server


def _application() -> Flask:
    app = Flask(__name__)

    @app.route("/echo/<name>", methods=["GET", "POST", "PUT", "DELETE"])
    def echo(name):
        if request.method == "DELETE":
            return Response(status=204)
        answer = Response(f"{name} {request.args.get('q')} ".encode() + request.get_data())
        answer.status = "200 As You Wish"
        answer.headers["X-Seen"] = request.headers.get("X-Sent", "")
        return answer

    @app.post("/deaf")
    def deaf():
        return "did not listen"

    @app.get("/stream")
    def stream():
        return Response(iter([b"one ", b"two"]))

    return app


@pytest.fixture
def connection():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = Server(listener, _application())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    client = http.client.HTTPConnection(*server.server_address)
    yield client
    client.close()
    server.shutdown()
    thread.join()
    server.server_close()


def _ask(connection, method, path, body=None, **headers):
    connection.request(method, path, body, headers)
    reply = connection.getresponse()
    return reply, reply.read()


def test_one_connection_carries_many_requests(connection):
    connection.connect()
    own = connection.sock.getsockname()

    answers = [_ask(connection, "GET", f"/echo/{n}?q=a%20b")[1] for n in range(3)]

    assert answers == [b"0 a b ", b"1 a b ", b"2 a b "]
    assert connection.sock.getsockname() == own


def test_what_is_sent_arrives_and_the_reason_phrase_comes_back(connection):
    reply, body = _ask(connection, "POST", "/echo/%C3%A9", b"hello", **{"X-Sent": "yes"})

    assert body == "é None hello".encode()
    assert (reply.status, reply.reason, reply.headers["X-Seen"]) == (200, "As You Wish", "yes")


def test_a_body_nobody_read_is_not_taken_for_the_next_request(connection):
    _ask(connection, "POST", "/deaf", b"GET /echo/smuggled HTTP/1.1\r\n\r\n")

    assert _ask(connection, "GET", "/echo/next")[1] == b"next None "


def test_answers_without_body_or_without_length_keep_the_connection_too(connection):
    assert _ask(connection, "DELETE", "/echo/x")[0].status == 204
    assert _ask(connection, "HEAD", "/echo/x")[1] == b""
    assert _ask(connection, "GET", "/stream")[1] == b"one two"


def test_a_body_of_unknown_length_is_refused_and_the_connection_ends(connection):
    headers = {"Transfer-Encoding": "chunked"}

    reply, _ = _ask(connection, "POST", "/echo/x", iter([b"some"]), **headers)

    assert (reply.status, reply.headers["Connection"]) == (411, "close")
