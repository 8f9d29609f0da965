"""The second step: the LMS posts a signed token, and Waymark decides whether to believe it.

The order of the steps is PyLTI1p3's; every step is ours. The token's claims are used unverified
for two things only: to compare them with the login's record, and to find the key.
"""

import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn, cast

from pylti1p3.contrib.flask.message_launch import FlaskMessageLaunch

from lti_tool.launch import cookies, tokens
from lti_tool.launch.claims import (
    VerifiedClaims,
    deployment_of,
    parse_claims,
    platform_about,
    require_audience,
    require_times,
)
from lti_tool.launch.form import Parameters
from lti_tool.launch.login import GivenRequest, HeldSession, LoginCookie
from lti_tool.launch.refusals import LaunchRefused, PlatformDeclined, ProofRefused
from lti_tool.launch.registry import KnownRegistration
from lti_tool.launch.services import Services
from lti_tool.launch.state import LoginRecord
from lti_tool.launch.tokens import UnverifiedToken, VerifiedToken
from store.registrations import Platform

if TYPE_CHECKING:
    from pylti1p3.message_launch import TJwtData


class _NoRequests:
    """Stands where the library would open connections; it has none to open."""


class MessageLaunch(FlaskMessageLaunch):
    """PyLTI1p3's launch, with every check its own.

    After ``validate()`` returned, ``claims`` and ``platform`` hold what was proven. Where
    ``unproven`` is not None, one thing was not: that this browser began the login. It kept no
    cookie, and must show the secret that the LMS keeps for it.

    Source: LTI Core 1.3, 5.1.3 and 5.3; LTI Security Framework 1.0, 5.1.2 and 5.1.3;
    contracts/lti.md 1.3, rows 1 to 8, 10, 11 and 18.
    """

    claims: VerifiedClaims
    unproven: LoginRecord | None = None
    _registration: KnownRegistration
    _login: LoginRecord | None = None
    _token: UnverifiedToken
    _verified: VerifiedToken | None = None

    def __init__(
        self, parameters: Parameters, at: Services, *, sent_cookies: Mapping[str, str]
    ) -> None:
        request = GivenRequest(parameters)
        super().__init__(  # type: ignore[no-untyped-call] # the library's Flask part has no types
            request,
            at.registry,
            session_service=HeldSession(request),
            cookie_service=LoginCookie(sent_cookies, ""),
            requests_session=_NoRequests(),
        )
        self._parameters = parameters
        self._at = at

    @property
    def platform(self) -> Platform:
        """The platform that signed the launch."""
        return self._registration.platform

    def validate(self) -> "MessageLaunch":
        """Take every step; a login whose answer was proven is over, whatever came of it.

        Raises:
            LaunchRefused: A step was not passed.
        """
        try:
            super().validate()
        except LaunchRefused as error:
            error.platform = 0 if self._login is None else self._login.platform
            if self._verified is not None:
                self._at.logins.take(self._parameters.get("state"))
            raise
        return self

    def validate_state(self) -> "MessageLaunch":
        """The state belongs to a login under way, of this browser as far as can be told.

        Raises:
            ProofRefused: There is no such login, or another browser began it.
            PlatformDeclined: The LMS posts an error; a login under way is then over.
        """  # noqa: DOC502 - raised by _refuse()
        state = self._parameters.get("state")
        if not state:
            self._refuse("state_missing")
        login, version = self._at.logins.find(state)
        self._at.registry.note(version)
        if login is None:
            self._refuse("state_unknown")
        sent = self._cookie_service.get_cookie(state)
        if not sent and login.storage is not None:
            self.unproven = login
        elif not sent or not cookies.is_secret(sent, login.browser_digest):
            self._refuse("state_of_other_browser" if sent else "login_cookie_missing")
        if self._parameters.get("error"):
            self._at.logins.take(state)
            raise PlatformDeclined("platform_error")
        self._login = login
        return self

    def validate_jwt_format(self) -> "MessageLaunch":
        """The token has the form of one."""
        self._token = tokens.parse_token(self._parameters.require("id_token"))
        self._jwt = cast("TJwtData", {"header": self._token.header, "body": self._token.body})
        return self

    def validate_nonce(self) -> "MessageLaunch":
        """The token answers this login; the nonce goes with the login's record.

        Raises:
            ProofRefused: It answers another one.
        """
        nonce = self._token.body.get("nonce")
        if not isinstance(nonce, str) or not _is_same(nonce, self._begun.nonce):
            raise ProofRefused("nonce")
        return self

    def validate_registration(self) -> "MessageLaunch":
        """The token is from the platform, and for the client, that the login was made for.

        Raises:
            ProofRefused: It is from or for another.
        """
        registration = self._at.registry.registration_of(self._begun.platform)
        if self._token.body.get("iss") != registration.platform.issuer:
            raise ProofRefused("issuer")
        require_audience(self._token.body, registration.platform.client_id)
        self._registration = registration
        return self

    def validate_jwt_signature(self) -> "MessageLaunch":
        """The platform signed the token, and it is valid now.

        Raises:
            ProofRefused: One of these does not hold.
        """
        verified = self._verify()
        if verified is None:
            raise ProofRefused("signature")
        require_times(verified, self._at.now())
        self._verified = verified
        return self

    def validate_deployment(self) -> "MessageLaunch":
        """An administrator approved this installation of Waymark in the LMS."""
        self._at.registry.require_deployment(
            self.platform.id, deployment_of(self._proven), about=platform_about(self._proven)
        )
        return self

    def validate_message(self) -> "MessageLaunch":
        """It is a launch that Waymark answers."""
        self.claims = parse_claims(self._proven, self._at.origin)
        return self

    def save_launch_data(self) -> "MessageLaunch":
        """Nothing: the session is opened by who asked, from verified claims."""
        return self

    @property
    def _begun(self) -> LoginRecord:
        assert self._login is not None  # noqa: S101 - the first step saw to it
        return self._login

    @property
    def _proven(self) -> VerifiedToken:
        assert self._verified is not None  # noqa: S101 - the step before saw to it
        return self._verified

    def _verify(self) -> VerifiedToken | None:
        url, kid = self.platform.jwks_url, self._token.kid
        verified = tokens.verify(self._token, self._at.platform_keys.find(url, kid))
        if verified is None:
            # The platform may have put a new key under the old id.
            verified = tokens.verify(self._token, self._at.platform_keys.find_again(url, kid))
        return verified

    def _refuse(self, reason: str) -> NoReturn:
        if self._parameters.get("error"):
            raise PlatformDeclined(reason)
        raise ProofRefused(reason)


def _is_same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
