"""A Canvas that gives access for codes, an administrator's browser, and the way between them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from lti_tool.launch.api_access import make_link
from store import api_access, registrations
from store.registrations import PlatformEntry
from store.session import reading, writing
from tests.connectors.serving import ScriptedLms, answer_json, serving
from tests.lti_tool.applications import application
from tests.lti_tool.platform import TOOL

CALLBACK = "/lti/access/callback"
TOKEN = "/login/oauth2/token"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
GRANT = {
    "access_token": "access-secret",
    "token_type": "Bearer",
    "user": {"id": 7, "name": "Service <i>User"},
    "refresh_token": "refresh-secret",
    "expires_in": 3600,
}


@dataclass
class Browser:
    """Keeps the cookies it is given, and follows nothing by itself."""

    client: Any
    jar: dict[str, str] = field(default_factory=dict)
    set_cookies: list[str] = field(default_factory=list)

    def get(self, path: str) -> Any:
        return self._open("GET", path)

    def post(self, path: str, **headers: str) -> Any:
        return self._open("POST", path, {**SAME_ORIGIN, **headers})

    def _open(self, method: str, path: str, headers: dict[str, str] | None = None) -> Any:
        cookies = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        sent = {**(headers or {}), "Cookie": cookies}
        reply = self.client.open(path, method=method, headers=sent)
        for line in reply.headers.getlist("Set-Cookie"):
            self.set_cookies.append(line)
            name, _, value = line.partition(";")[0].partition("=")
            self.jar[name] = value
        return reply


@dataclass
class Desk:
    """Waymark with a Canvas beside it for each of two districts."""

    stage: Any
    container: Any
    app: Any
    canvas: ScriptedLms
    ids: dict[str, Any] = field(default_factory=dict)

    def browser(self) -> Browser:
        return Browser(self.app.test_client(use_cookies=False))

    def platform(self, tenant: str = "A") -> Any:
        with reading(self.container.engine) as connection:
            return registrations.platform_of(connection, self.ids[tenant])

    def access(self, tenant: str = "A") -> Any:
        return self.platform(tenant).api_access

    def link(self, tenant: str = "A") -> str:
        """The path of a fresh one-time address."""
        return make_link(self.container, self.platform(tenant)).removeprefix(TOOL)

    def leave(self, browser: Browser, link: str) -> dict[str, str]:
        """Press the button; what Canvas is asked."""
        reply = browser.post(link)
        assert reply.status_code == 303, reply.text
        query = parse_qs(urlsplit(reply.headers["Location"]).query)
        return {name: value for name, (value,) in query.items()}

    def come_back(self, browser: Browser, **brought: str) -> Any:
        return browser.get(f"{CALLBACK}?{urlencode(brought)}")

    def authorize(self, browser: Browser, link: str) -> Any:
        """The whole way."""
        state = self.leave(browser, link)["state"]
        return self.come_back(browser, code="c0de", state=state)

    def save_key(self, tenant: str = "A", client_id: str = "500") -> None:
        with writing(self.container.engine) as connection:
            api_access.save_developer_key(
                connection,
                self.stage.tenants[tenant],
                self.ids[tenant],
                client_id=client_id,
                client_secret="key-secret",
                secrets=self.container.secrets,
            )


@contextmanager
def open_desk(stage: Any) -> Iterator[Desk]:
    canvas = ScriptedLms()
    canvas.on("POST", TOKEN, answer_json(GRANT))
    settings = replace(
        stage.container.settings, private_networks=(ip_network("127.0.0.0/8"),), public_url=TOOL
    )
    container = replace(stage.container, settings=settings)
    with serving(canvas) as url, application(container) as app:
        canvas.url = url
        desk = Desk(stage, container, app, canvas)
        for tenant in ("A", "B"):
            desk.ids[tenant] = _platform(container, stage.tenants[tenant], tenant, url)
            desk.save_key(tenant)
        yield desk


def _platform(container: Any, tenant: Any, name: str, url: str) -> Any:
    entry = PlatformEntry(
        kind="canvas",
        name=f"Canvas of {name}",
        issuer="https://canvas.instructure.com",
        client_id=f"lti-{name}",
        auth_url=f"{url}/auth",
        token_url=f"{url}/token",
        jwks_url=f"{url}/jwks",
        api_url=url,
        api_token="pasted-secret",
    )
    with writing(container.engine) as connection:
        return registrations.save_platform(connection, tenant, entry, secrets=container.secrets)
