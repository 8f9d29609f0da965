import stat
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
import pytest

from simulators.signing import AssertionRefused, PlatformKey, fetch_jwks, verify_assertion


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    return PlatformKey.load_or_create(tmp_path_factory.mktemp("key") / "platform.pem")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return PlatformKey.load_or_create(tmp_path_factory.mktemp("stranger") / "platform.pem")


@pytest.fixture
def serve():
    """Serve one body on loopback and give its address."""
    servers = []

    def start(body, status=200):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_words):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/jwks"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_key_file_is_written_once_and_readable_by_its_owner_only(tmp_path):
    path = tmp_path / "deep" / "platform.pem"

    first = PlatformKey.load_or_create(path)
    second = PlatformKey.load_or_create(path)

    assert first.kid == second.kid
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_a_key_signs_is_verified_with_its_own_set(key):
    claims = verify_assertion(key.sign({"iss": "tool", "exp": 1}), key.jwks())

    assert claims == {"iss": "tool", "exp": 1}


def test_the_set_names_the_key_and_holds_nothing_private(key):
    (shown,) = key.jwks()["keys"]

    assert shown["kid"] == key.kid
    assert set(shown) == {"kty", "n", "e", "kid", "alg", "use"}


def test_the_kid_is_in_the_header_of_what_is_signed(key):
    header = jwt.get_unverified_header(key.sign({}))

    assert header["kid"] == key.kid
    assert header["alg"] == "RS256"


def test_an_assertion_of_another_key_under_this_kid_is_refused(key, stranger):
    forged = {"keys": [stranger.jwks()["keys"][0] | {"kid": key.kid}]}

    with pytest.raises(AssertionRefused, match="signature"):
        verify_assertion(key.sign({"iss": "tool"}), forged)


def test_an_assertion_whose_kid_is_not_in_the_set_is_refused(key, stranger):
    with pytest.raises(AssertionRefused, match="kid"):
        verify_assertion(key.sign({}), stranger.jwks())


def test_an_assertion_without_kid_is_refused(key):
    unnamed = jwt.encode({}, key._private_key, algorithm="RS256")

    with pytest.raises(AssertionRefused, match="kid"):
        verify_assertion(unnamed, key.jwks())


@pytest.mark.parametrize("algorithm", ["HS256", "RS512"])
def test_an_assertion_with_any_other_algorithm_is_refused(key, algorithm):
    secret = "s" * 64 if algorithm == "HS256" else key._private_key
    other = jwt.encode({}, secret, algorithm=algorithm, headers={"kid": key.kid})

    with pytest.raises(AssertionRefused, match="RS256"):
        verify_assertion(other, key.jwks())


def test_what_is_no_jwt_is_refused(key):
    with pytest.raises(AssertionRefused):
        verify_assertion("not.a.jwt", key.jwks())


@pytest.mark.parametrize(
    "jwk", [{"kty": "RSA"}, {"kty": "EC", "crv": "P-256"}, {"kty": "oct", "k": "AAAA"}]
)
def test_a_key_that_cannot_be_read_is_refused(key, jwk):
    with pytest.raises(AssertionRefused, match="JWK"):
        verify_assertion(key.sign({}), {"keys": [jwk | {"kid": key.kid}]})


def test_a_served_key_set_is_read(serve):
    assert fetch_jwks(serve(b'{"keys": []}')) == {"keys": []}


@pytest.mark.parametrize(
    ("body", "status"), [(b"<html>", 200), (b"[]", 200), (b'{"keys": {}}', 200), (b"{}", 500)]
)
def test_an_answer_that_is_no_key_set_is_refused(serve, body, status):
    address = serve(body, status)

    with pytest.raises(AssertionRefused, match="JWK"):
        fetch_jwks(address)


def test_an_address_where_nobody_listens_is_refused():
    with pytest.raises(AssertionRefused):
        fetch_jwks("http://127.0.0.1:9/jwks")
