"""The platforms' key sets over real HTTP, and what a launch makes of them: contracts/lti.md 4.K."""

import gzip
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from ipaddress import ip_network

import pytest
from werkzeug.wrappers import Response

from bootstrap.container import Container
from lti_tool import create_app
from store import registrations
from store.registrations import PlatformEntry
from store.session import writing
from tests.attacks.verdict import assert_accepted
from tests.connectors.serving import serving
from tests.lti_tool.platform import AUTH_URL, ISSUER, jwk, launch
from tests.lti_tool.stage import OTHER_ISSUER

LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass
class KeyServer:
    """Publishes a key set, or whatever else it is told to answer."""

    document: bytes
    url: str = ""
    answer: object = None
    asked: list[str] = field(default_factory=list)
    was_asked: threading.Event = field(default_factory=threading.Event)
    may_go_on: threading.Event = field(default_factory=threading.Event)

    def __call__(self, environ, start_response):
        self.asked.append(environ["PATH_INFO"])
        self.was_asked.set()
        answer = self.answer or keys_answer
        return answer(self)(environ, start_response)


def keys_answer(server):
    return Response(server.document, content_type="application/json")


@pytest.fixture
def server(signing_keys):
    document = json.dumps({"keys": [jwk(signing_keys["k1"], "k1")]}).encode()
    server = KeyServer(document)
    with serving(server) as url:
        server.url = url
        yield server
        server.may_go_on.set()


@pytest.fixture
def stage(fresh_stage, server):
    """A stage whose first platform has its key set on the server, fetched over the network."""
    return staged(fresh_stage, f"{server.url}/jwks", networks=LOOPBACK)


def staged(stage, jwks_url, *, networks):
    entry = PlatformEntry(
        kind="canvas",
        name="LMS client-A",
        issuer=ISSUER,
        client_id="client-A",
        auth_url=AUTH_URL,
        token_url=f"{ISSUER}/token",
        jwks_url=jwks_url,
        api_url="https://school.lms.example/api",
        api_token="secret-token",
    )
    with writing(stage.container.engine) as connection:
        registrations.save_platform(
            connection, stage.tenants["A"], entry, secrets=stage.container.secrets
        )
    of_stage = stage.container
    container = Container(
        settings=replace(of_stage.settings, private_networks=networks),
        engine=of_stage.engine,
        redis=of_stage.redis,
        redis_url=of_stage.redis_url,
        secrets=of_stage.secrets,
        now=of_stage.now,
    )

    def fetch(url):
        is_faked = url.startswith(OTHER_ISSUER)
        return stage.key_sets(url) if is_faked else container.fetch_key_set(url)

    stage.app = create_app(container, fetch)
    return stage


def test_k_keys_from_a_real_server_confirm_a_launch(stage, server):
    assert_accepted(stage, launch(stage.browser(), stage.lms))

    assert server.asked == ["/jwks"]


def test_k03_an_outage_is_told_and_over_when_the_server_is_back(stage, server):
    server.answer = lambda _: Response('{"keys":[]}', 500, content_type="application/json")
    assert launch(stage.browser(), stage.lms).status_code == 502
    server.answer = None
    stage.clock.pass_time(seconds=30)

    assert_accepted(stage, launch(stage.browser(), stage.lms))


def test_k04_a_server_that_is_down_does_not_matter_while_its_keys_are_recent(stage, server):
    assert_accepted(stage, launch(stage.browser(), stage.lms))
    server.answer = lambda _: Response("down", 503)
    stage.clock.pass_time(hours=3)

    assert_accepted(stage, launch(stage.browser(), stage.lms))

    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "answer",
    [
        Response("<!DOCTYPE html><title>Log in</title>", content_type="text/html"),
        Response("[]", content_type="application/json"),
        Response('{"keys":{}}', content_type="application/json"),
        Response("", 204),
        Response("{" * 100_000, content_type="application/json"),
        Response(b"\xff\xfe\x00", content_type="application/json"),
    ],
    ids=["page", "list", "no list", "nothing", "nested", "no text"],
)
def test_k05_an_answer_that_is_no_key_set_is_told_as_an_outage(stage, server, answer):
    server.answer = lambda _: answer

    response = launch(stage.browser(), stage.lms)

    assert response.status_code == 502
    assert "cannot be reached" in response.text
    assert stage.keys("waymark:launch:*") == []


def test_k06_a_redirect_of_the_key_set_is_not_followed(stage, server):
    def redirected(server):
        if server.asked[-1] == "/jwks":
            return Response("", 302, headers={"Location": f"{server.url}/elsewhere"})
        return keys_answer(server)

    server.answer = redirected

    assert launch(stage.browser(), stage.lms).status_code == 502
    assert server.asked == ["/jwks"]


def test_k07_while_one_platforms_server_hangs_the_others_launch(stage, server):
    def hanging(server):
        server.may_go_on.wait(20)
        return keys_answer(server)

    server.answer = hanging
    with ThreadPoolExecutor(4) as pool:
        stuck = [pool.submit(launch, stage.browser(), stage.lms) for _ in range(4)]
        server.was_asked.wait(20)

        assert_accepted(stage, launch(stage.browser(), stage.other_issuer))
        server.may_go_on.set()

        assert [one.result().status_code for one in stuck] == [303] * 4
    assert len(server.asked) == 1


def test_k09_a_key_set_of_twenty_megabytes_is_told_as_an_outage(stage, server):
    server.answer = lambda server: Response(server.document + b" " * (20 << 20))

    assert launch(stage.browser(), stage.lms).status_code == 502


def test_k13_a_key_set_on_a_private_address_is_not_asked_unless_the_operator_allows_it(
    fresh_stage, server
):
    stage = staged(fresh_stage, f"{server.url}/jwks", networks=())

    assert launch(stage.browser(), stage.lms).status_code == 502
    assert server.asked == []


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.1", "0x7f.0.0.1", "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0"],  # noqa: S104 - asked, not bound
)
def test_k13_no_spelling_of_loopback_is_asked(fresh_stage, server, host):
    port = server.url.rpartition(":")[2]
    stage = staged(fresh_stage, f"http://{host}:{port}/jwks", networks=())

    assert launch(stage.browser(), stage.lms).status_code == 502
    assert server.asked == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/jwks", "jwks", ""])
def test_k14_a_key_set_address_that_is_none_of_the_webs_is_told_as_an_outage(fresh_stage, url):
    stage = staged(fresh_stage, url, networks=LOOPBACK)

    assert launch(stage.browser(), stage.lms).status_code == 502


def test_k15_fifty_launches_at_once_ask_the_server_once(stage, server):
    with ThreadPoolExecutor(10) as pool:
        statuses = pool.map(lambda _: launch(stage.browser(), stage.lms).status_code, range(50))
        assert set(statuses) == {303}

    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        lambda server: Response(server.document, content_type="application/jwk-set+json"),
        lambda server: Response(b"\xef\xbb\xbf" + server.document),
        lambda server: Response(
            gzip.compress(server.document), headers={"Content-Encoding": "gzip"}
        ),
        lambda server: Response(server.document, content_type="text/html"),
    ],
    ids=["media type", "byte order mark", "packed", "labelled as a page"],
)
def test_k16_keys_in_the_dress_of_real_servers_are_read(stage, server, answer):
    server.answer = answer

    assert_accepted(stage, launch(stage.browser(), stage.lms))


def test_k17_a_packed_bomb_is_told_as_an_outage(stage, server):
    bomb = gzip.compress(b" " * (100 << 20))
    server.answer = lambda _: Response(bomb, headers={"Content-Encoding": "gzip"})

    assert launch(stage.browser(), stage.lms).status_code == 502


def test_k11_the_time_that_the_server_allows_is_kept(stage, server):
    server.answer = lambda server: Response(
        server.document, headers={"Cache-Control": "public, max-age=1200"}
    )
    for minutes in (0, 19, 2):
        stage.clock.pass_time(minutes=minutes)
        assert_accepted(stage, launch(stage.browser(), stage.lms))

    assert len(server.asked) == 2


def test_k20_no_cookie_and_no_token_goes_to_a_key_set(stage, server):
    sent = []

    class Listening(KeyServer):
        def __call__(self, environ, start_response):
            sent.append({name for name in environ if name in {"HTTP_COOKIE", "HTTP_AUTHORIZATION"}})
            return super().__call__(environ, start_response)

    with serving(Listening(server.document)) as url:
        restaged = staged(stage, f"{url}/jwks", networks=LOOPBACK)
        assert_accepted(restaged, launch(restaged.browser(), restaged.lms))

    assert sent == [set()]
