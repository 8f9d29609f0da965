"""An LMS that registers tools, on a real socket; its answers can be changed piece by piece."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlencode

from store import invitations, registrations
from store.session import reading, writing
from tests.lti_tool.applications import application
from tests.lti_tool.platform import TOOL

PLATFORM = "https://purl.imsglobal.org/spec/lti-platform-configuration"
TOOL_CLAIM = "https://purl.imsglobal.org/spec/lti-tool-configuration"
TOKEN = "registration-token-of-the-lms"
HOSTED_ISSUER = "https://canvas.instructure.com"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}


@dataclass
class RegisteringLms:
    """What it says, and what it was asked."""

    url: str = ""
    product: str = "moodle"
    configuration: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    tool: dict[str, Any] = field(default_factory=lambda: {"deployment_id": "7"})
    status: int = 200
    raw: str | None = None
    asked: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)

    def says(self) -> dict[str, Any]:
        found = {
            "issuer": self.url,
            "authorization_endpoint": self.url + "/auth",
            "token_endpoint": self.url + "/token",
            "jwks_uri": self.url + "/jwks",
            "registration_endpoint": self.url + "/register",
            "id_token_signing_alg_values_supported": ["RS256"],
            PLATFORM: {"product_family_code": self.product, "version": "4.5 <b>"},
            **self.configuration,
        }
        return {name: value for name, value in found.items() if value is not ...}

    def answers(self, sent: dict[str, Any]) -> dict[str, Any]:
        found = {
            **sent,
            "client_id": "new-client",
            TOOL_CLAIM: sent[TOOL_CLAIM] | self.tool,
            **self.answer,
        }
        return {name: value for name, value in found.items() if value is not ...}

    def posts(self) -> list[Any]:
        return [body for method, _, _, body in self.asked if method == "POST"]


@contextmanager
def serving(lms: RegisteringLms) -> Iterator[RegisteringLms]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(lms))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    lms.url = f"http://127.0.0.1:{server.server_port}"
    yield lms
    server.shutdown()
    thread.join()
    server.server_close()


def _handler(lms: RegisteringLms) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            lms.asked.append(("GET", self.path, dict(self.headers), None))
            self._send(200, json.dumps(lms.says()))

        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            lms.asked.append(("POST", self.path, dict(self.headers), sent))
            body = json.dumps(lms.answers(sent)) if lms.raw is None else lms.raw
            self._send(lms.status, body)

        def _send(self, status: int, body: str) -> None:
            data = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    return Handler


@dataclass
class Office:
    """Waymark with an LMS beside it that it may reach, and the invitations that it gives."""

    stage: Any
    container: Any
    app: Any
    lms: RegisteringLms

    def browser(self) -> Any:
        return self.app.test_client()

    def invite(self, tenant: str = "A", **changes: Any) -> str:
        said = {
            "kind": self.lms.product,
            "name": "Invited LMS",
            "issuer": self.lms.url,
            "api_url": self.lms.url,
            "life": timedelta(hours=72),
            **changes,
        }
        with writing(self.container.engine) as connection:
            return invitations.invite(
                connection, self.stage.tenants[tenant], now=self.stage.clock.at, **said
            )

    def is_usable(self, invite: str) -> bool:
        with reading(self.container.engine) as connection:
            found = invitations.find_invitation(connection, invite, self.stage.clock.at)
        return found is not None

    def begin(self, browser: Any, invite: str, **changes: Any) -> Any:
        sent = {
            "invite": invite,
            "openid_configuration": self.lms.url + "/configuration",
            "registration_token": TOKEN,
            **changes,
        }
        query = urlencode({name: value for name, value in sent.items() if value is not ...})
        return browser.get(f"/lti/register?{query}")

    def confirm(self, browser: Any, invite: str, **changes: Any) -> Any:
        begun = self.begin(browser, invite, **changes)
        assert begun.status_code == 303, begun.text
        return browser.get(begun.headers["Location"])

    def register(self, browser: Any, page: Any, **headers: str) -> Any:
        return browser.post(
            "/lti/register", data={"registration": id_on(page)}, headers=SAME_ORIGIN | headers
        )

    def registered(self, invite: str | None = None) -> Any:
        browser = self.browser()
        return self.register(browser, self.confirm(browser, invite or self.invite()))

    def platforms(self, tenant: str = "A") -> dict[str, Any]:
        with reading(self.container.engine) as connection:
            found = registrations.platforms(connection, self.stage.tenants[tenant])
        return {platform.name: platform for platform in found}


def id_on(page: Any) -> str:
    found = re.search(r'name="registration" value="([\w-]{43})"', page.text)
    assert found, page.text
    return found[1]


@contextmanager
def open_office(stage: Any, lms: RegisteringLms) -> Iterator[Office]:
    settings = replace(
        stage.container.settings, private_networks=(ip_network("127.0.0.0/8"),), public_url=TOOL
    )
    container = replace(stage.container, settings=settings)
    with application(container) as app:
        yield Office(stage=stage, container=container, app=app, lms=lms)
