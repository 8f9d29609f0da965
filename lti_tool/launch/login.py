"""The first step: the LMS starts a login, Waymark sends the browser back with a state."""

import re
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from flask import Response
from pylti1p3.contrib.flask.oidc_login import FlaskOIDCLogin
from pylti1p3.cookie import CookieService
from pylti1p3.redirect import Redirect
from pylti1p3.request import Request
from pylti1p3.session import SessionService

from lti_tool.launch import cookies
from lti_tool.launch.claims import is_own, origin_of
from lti_tool.launch.form import Parameters
from lti_tool.launch.refusals import RequestRefused
from lti_tool.launch.registry import KnownRegistration, RegistrationsChanged
from lti_tool.launch.services import Services
from lti_tool.launch.state import LOGIN_SECONDS, LoginRecord, StoragePlace
from store.registrations import Platform

_KEY_LENGTH = 32
_FRAME_NAME = re.compile(r"[\w.-]{1,100}", re.ASCII)


class GivenRequest(Request):
    """A request that was read already, as PyLTI1p3 asks for it."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    @property
    def session(self) -> dict[str, Any]:
        """Nothing: the library's own sessions are not used."""
        return {}

    def is_secure(self) -> bool:
        """Every cookie is set for TLS, whatever a proxy says."""
        return True

    def get_param(self, key: str) -> str:
        """A parameter, empty where it is absent."""
        return self._parameters.get(key)


class HeldSession(SessionService):
    """Keeps nothing but the nonce of the login at hand, until its record is written."""

    nonce: str

    def save_nonce(self, nonce: str) -> None:
        """Hold the nonce that the library made."""
        self.nonce = nonce

    def check_state_is_valid(self, state: str, id_token_hash: str) -> bool:  # noqa: ARG002
        """No launch is valid for having been valid before."""
        return False


class LoginCookie(CookieService):
    """The one cookie of a login: named by the state's hash, holding a secret of its own."""

    state: str

    def __init__(self, sent: Mapping[str, str], secret: str) -> None:
        self._sent = sent
        self.secret = secret

    def get_cookie(self, name: str) -> str | None:
        """What the browser sent for a state."""
        return self._sent.get(cookies.cookie_name(cookies.LOGIN_PREFIX, name))

    def set_cookie(self, name: str, value: str | int, exp: int | None = 3600) -> None:
        """Take the state; the library would make it the cookie's name and value."""
        del value, exp
        self.state = name

    def update_response(self, response: Response) -> None:
        """Set the cookie."""
        cookies.put(
            response,
            self._sent,
            name=cookies.cookie_name(cookies.LOGIN_PREFIX, self.state),
            secret=self.secret,
            max_age_seconds=LOGIN_SECONDS,
        )


class ToTheLms(Redirect[Response]):
    """A redirect that says nothing but where to."""

    def __init__(self, location: str, cookie: LoginCookie) -> None:
        super().__init__()
        self._location = location
        self._cookie = cookie

    def do_redirect(self) -> Response:
        """The answer, with the login's cookie."""
        response = Response(status=HTTPStatus.FOUND, headers=[("Location", self._location)])
        self._cookie.update_response(response)
        return response

    def do_js_redirect(self) -> Response:
        """The same; the library would write the address into a script."""
        return self.do_redirect()

    def set_redirect_url(self, location: str) -> None:
        """Go elsewhere."""
        self._location = location

    def get_redirect_url(self) -> str:
        """Where it goes."""
        return self._location


class Login(FlaskOIDCLogin):
    """PyLTI1p3's login with one server-side record for state, nonce, platform and browser.

    After ``redirect()`` returned, ``address`` is where the browser goes, and ``storage`` where the
    LMS would keep ``storage_secret`` for a browser without cookies, None where it does not.

    Source: LTI Security Framework 1.0, 5.1.1; contracts/lti.md 1.3, rows 1, 8 and 17.
    """

    address: str
    storage: StoragePlace | None = None
    storage_secret: str = ""

    _registration: KnownRegistration

    def __init__(
        self, parameters: Parameters, at: Services, *, sent_cookies: Mapping[str, str]
    ) -> None:
        request = GivenRequest(parameters)
        self._now = at.now()
        self._session = HeldSession(request)
        self._cookie = LoginCookie(sent_cookies, cookies.new_secret(self._now))
        super().__init__(  # type: ignore[no-untyped-call] # the library's Flask part has no types
            request, at.registry, self._session, self._cookie
        )
        self._parameters = parameters
        self._at = at

    @property
    def platform(self) -> Platform:
        """Where the login goes, once ``redirect()`` found it."""
        return self._registration.platform

    def set_cookies(self, response: Response) -> None:
        """Put the login's cookie on another response than the library's."""
        self._cookie.update_response(response)

    def require_own_target(self) -> None:
        """Refuse to start a login that would end elsewhere.

        Raises:
            RequestRefused: The target is absent or not on Waymark's origin.
        """
        if not is_own(self._parameters.require("target_link_uri"), self._at.origin):
            raise RequestRefused("target_link_uri")

    def validate_oidc_login(self) -> KnownRegistration:
        """Find the platform; what the library checks first is checked here by our errors."""
        self._parameters.require("login_hint")
        return self._at.registry.find_registration_by_params(
            self._parameters.require("iss"), self._parameters.get("client_id")
        )

    def get_redirect(self, url: str) -> ToTheLms:
        """Where the browser is sent."""
        return ToTheLms(url, self._cookie)

    def _get_uuid(self) -> str:
        # 256 bits; the library's uuid4 has 122.
        return secrets.token_urlsafe(32)

    def _generate_nonce(self) -> str:
        return secrets.token_urlsafe(32)

    def _prepare_redirect_url(self, launch_url: str) -> str:
        url: str = super()._prepare_redirect_url(launch_url)
        self._remember(self._registration.platform)
        query = urlsplit(self._registration.platform.auth_url).query
        self.address = f"{url}&{query}" if query else url
        return self.address

    def _remember(self, platform: Platform) -> None:
        state = self._cookie.state
        target = self._parameters.get("lti_storage_target")
        if _FRAME_NAME.fullmatch(target):
            self.storage_secret = secrets.token_urlsafe(32)
            self.storage = StoragePlace(
                target=target,
                origin=origin_of(platform.auth_url),
                key=f"lti_state_{cookies.digest(state)[:_KEY_LENGTH]}",
            )
        version = self._at.logins.save(
            state,
            LoginRecord(
                nonce=self._session.nonce,
                platform=platform.id,
                browser_digest=cookies.digest(self._cookie.secret),
                storage=self.storage,
                storage_digest=cookies.digest(self.storage_secret) if self.storage else "",
                target=self._parameters.get("target_link_uri"),
                created_at=self._now,
            ),
        )
        if not self._at.registry.note(version):
            self._at.logins.take(state)
            raise RegistrationsChanged
