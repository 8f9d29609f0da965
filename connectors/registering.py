"""Dynamic registration: what a platform says of itself, and handing in what Waymark says.

The address of the configuration comes with a request from a browser, so nothing about it is
believed: it is fetched by the rules for open doors (``connectors.addresses``), it must live where
its issuer lives, and the registration token is told to nobody but that site.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import msgspec

from connectors.addresses import SETTING, Guard, Network
from connectors.errors import ConnectorError, GiveUp, RetryLater
from connectors.http import HttpClient, Reply, Request, origin_of
from connectors.limiter import UnpacedLimiter
from connectors.registration_answers import RegistrationAnswer, answer_of, refusal, stale, texts

LARGEST_BYTES = 256 * 1024
TOTAL_SECONDS = 10.0
READ_SECONDS = 5.0

_PLATFORM_CLAIM = "https://purl.imsglobal.org/spec/lti-platform-configuration"
_ACCOUNT_NAME = "https://canvas.instructure.com/lti/account_name"
_ALGORITHM = "RS256"
_LONGEST_TEXT = 2048
_NAME = "The platform"
_PLACES = ("authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint")
_DOOR_CAUSES = frozenset(
    {"private_address", "not_https", "foreign_address", "bad_request", "unknown_host"}
)

_VENDOR_ORIGINS = {
    f"https://canvas.{stage}instructure.com": frozenset(
        {f"https://sso.{stage}canvaslms.com:443", f"https://canvas.{stage}instructure.com:443"}
    )
    for stage in ("", "beta.", "test.")
}
"""Sites that speak for an issuer, beside the one that the invitation names.

Source: Canvas, LTI Advantage, "LTI Launch Overview": hosts of login, key set and tokens.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportedMessage:
    """A kind of LTI message that a platform sends, and the places it sends it from."""

    type: str
    placements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformConfiguration:
    """What a platform says of itself, checked.

    Attributes:
        url: Where it was read.
        issuer: As the platform writes it, letter by letter.
        authorization_endpoint: Where logins are sent to.
        token_endpoint: Where service tokens are had.
        jwks_uri: Where its keys are.
        registration_endpoint: On the origin of ``url``, or the vendor's own.
        audience: ``aud`` of token requests where it is not ``token_endpoint``; else empty.
        product_family: For example "moodle" or "canvas"; empty where it does not say.
        version: Of the product.
        scopes: That it can grant.
        claims: That it can send.
        messages: That it can send.
        variables: That it can put into custom parameters.
        name: Of the account, where it says one.
        other_hosts: Hosts of endpoints that are not the issuer's, for the administrator to see.
    """

    url: str = field(repr=False)
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    registration_endpoint: str
    audience: str = ""
    product_family: str = ""
    version: str = ""
    scopes: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    messages: tuple[SupportedMessage, ...] = ()
    variables: tuple[str, ...] = ()
    name: str = ""
    other_hosts: tuple[str, ...] = ()


def read_configuration(
    url: str,
    *,
    token: str,
    public_url: str,
    private_networks: Sequence[Network] = (),
    invited_url: str = "",
) -> PlatformConfiguration:
    """Read what a platform says of itself.

    Args:
        url: ``openid_configuration`` of the request.
        token: ``registration_token`` of the request, or empty. Canvas wants it here, too.
        public_url: Where Waymark is.
        private_networks: Networks that may be asked although they are not public; within them
            http and every port will do.
        invited_url: The LMS's own address as the invitation names it: a school's Canvas speaks
            for an issuer that has another host.

    Returns:
        Its configuration.

    Raises:
        GiveUp: The address is not one to ask, nothing readable is there, or what is there does
            not hold together.
        RetryLater: The platform does not answer.

    Source: LTI Dynamic Registration 1.0 section 3.4; OpenID Connect Discovery 1.0 section 4.3.
    """  # noqa: DOC502 - raised by the parts
    door = _Door(url, public_url=public_url, private_networks=private_networks)
    request = Request(method="GET", url=url, headers=_headers(token))
    document = _document(door.ask(request), "configuration")
    configuration = _parsed(url, document)
    _check_abilities(document)
    _check_hosts(configuration, invited_url)
    door.check_places(configuration)
    return configuration


def register(
    configuration: PlatformConfiguration,
    body: Mapping[str, object],
    *,
    token: str,
    public_url: str,
    private_networks: Sequence[Network] = (),
) -> RegistrationAnswer:
    """Hand in a registration; a platform takes it once.

    Args:
        configuration: Of the platform.
        body: What Waymark says of itself.
        token: ``registration_token``; without one, none is sent.
        public_url: Where Waymark is.
        private_networks: As for ``read_configuration``.

    Returns:
        What the platform made of it.

    Raises:
        GiveUp: It refuses, answers without a client id, or registered other redirect URIs.
        RetryLater: It does not answer.

    Source: LTI Dynamic Registration 1.0 section 3.6; RFC 7591 section 3.2.
    """  # noqa: DOC501, DOC502 - refusal() makes a GiveUp; the others are raised by the parts
    url = configuration.registration_endpoint
    door = _Door(url, public_url=public_url, private_networks=private_networks)
    request = Request(
        method="POST",
        url=url,
        headers={**_headers(token), "Content-Type": "application/json"},
        body=msgspec.json.encode(body),
        passes=frozenset(range(400, 500)),
    )
    reply = door.ask(request)
    if reply.status >= HTTPStatus.BAD_REQUEST:
        raise refusal(reply)
    return answer_of(_document(reply, "answer to the registration"), body)


class _Door:
    """Asks one address that came with a request; no other, and not for long."""

    def __init__(self, url: str, *, public_url: str, private_networks: Sequence[Network]) -> None:
        self._url = url
        self._guard = Guard(platform=_NAME, private_networks=private_networks, is_open_door=True)
        self._http = HttpClient(
            platform=_NAME,
            addresses=(url,),
            limiter=UnpacedLimiter(),
            public_url=public_url,
            private_networks=private_networks,
            is_open_door=True,
        )

    def ask(self, request: Request) -> Reply:
        """Send a request within the limits of this module.

        Raises:
            GiveUp: The address is not one to ask: always in the same words, so that nobody
                learns from them what is in Waymark's network; or the platform refuses.
            RetryLater: The platform is in trouble or too slow.
        """  # noqa: DOC501 - _closed() makes a GiveUp, and so is what is raised again
        limited = replace(
            request,
            read_seconds=READ_SECONDS,
            total_seconds=TOTAL_SECONDS,
            most_bytes=LARGEST_BYTES,
        )
        try:
            return self._http.send(limited)
        except ConnectorError as error:
            if error.cause in _DOOR_CAUSES:
                raise _closed() from None
            if isinstance(error, RetryLater):
                raise RetryLater(
                    f"{_NAME} did not answer as it should ({error.cause.replace('_', ' ')}). "
                    "Nothing was registered. Start again from the LMS in a few minutes.",
                    cause=error.cause,
                ) from None
            if error.cause == "refused_access":
                raise GiveUp(stale(), cause=error.cause) from None
            raise

    def check_places(self, configuration: PlatformConfiguration) -> None:
        """Refuse endpoints that Waymark could not ask, or browsers not safely.

        A host that the name servers do not know is no reason: it is judged again whenever it
        is connected to.

        Raises:
            GiveUp: An endpoint is not https, or its host is private.
        """  # noqa: DOC501, DOC502 - _closed() makes it
        for name in _PLACES:
            url = getattr(configuration, name)
            if origin_of(url) == origin_of(self._url):
                continue
            parts = urlsplit(url)
            host = parts.hostname or ""
            port = parts.port or (443 if parts.scheme == "https" else 80)
            try:
                self._guard.check(parts.scheme, host, port=port, seconds=READ_SECONDS)
            except RetryLater:
                if parts.scheme != "https":
                    raise _closed() from None
            except GiveUp:
                raise _closed() from None


def _headers(token: str) -> dict[str, str]:
    bearer = {"Authorization": f"Bearer {token}"} if token else {}
    return {"Accept": "application/json", **bearer}


def _closed() -> GiveUp:
    return GiveUp(
        "Waymark does not ask this address. The LMS must be reached by https at a public address "
        f"and port 443; for one in your own network, list the network in the setting {SETTING}.",
        cause="private_address",
    )


def _document(reply: Reply, what: str) -> Mapping[str, Any]:
    try:
        return reply.decode(dict[str, Any])
    except ConnectorError as error:
        raise GiveUp(
            f"The LMS's {what} cannot be read ({error.cause.replace('_', ' ')}). Check the "
            "address, and that no login page stands in front of it; then start again from the "
            "LMS.",
            cause="unreadable_registration",
        ) from error


def _parsed(url: str, document: Mapping[str, Any]) -> PlatformConfiguration:
    found = {name: _text(document, name) for name in ("issuer", *_PLACES)}
    missing = sorted(name for name, value in found.items() if not origin_of(value))
    if missing:
        raise GiveUp(
            f"The LMS's configuration does not name: {', '.join(missing)}. Ask its administrator "
            "whether dynamic registration is switched on.",
            cause="incomplete_configuration",
        )
    about = document.get(_PLATFORM_CLAIM)
    product: Mapping[str, Any] = about if isinstance(about, dict) else {}
    home = urlsplit(found["issuer"]).hostname
    hosts = {urlsplit(found[name]).hostname or "" for name in _PLACES} - {home}
    return PlatformConfiguration(
        url=url,
        **found,
        audience=_text(document, "authorization_server"),
        product_family=_text(product, "product_family_code"),
        version=_text(product, "version"),
        scopes=texts(document.get("scopes_supported")),
        claims=texts(document.get("claims_supported")),
        messages=_messages(product.get("messages_supported")),
        variables=texts(product.get("variables")),
        name=_text(product, _ACCOUNT_NAME),
        other_hosts=tuple(sorted(hosts)),
    )


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) and len(value) <= _LONGEST_TEXT else ""


def _messages(value: object) -> tuple[SupportedMessage, ...]:
    listed = value if isinstance(value, list) else []
    return tuple(
        SupportedMessage(type=one["type"], placements=texts(one.get("placements")))
        for one in listed
        if isinstance(one, dict) and isinstance(one.get("type"), str)
    )


def _check_abilities(document: Mapping[str, Any]) -> None:
    """Refuse a platform that cannot sign or check as LTI wants it.

    Raises:
        GiveUp: It does not sign with RS256, or takes no signed requests for tokens.
    """
    signs = texts(document.get("id_token_signing_alg_values_supported"))
    methods = document.get("token_endpoint_auth_methods_supported")
    if _ALGORITHM not in signs or (methods and "private_key_jwt" not in texts(methods)):
        raise GiveUp(
            f"The LMS does not sign with {_ALGORITHM} or does not take requests signed by a key. "
            "LTI 1.3 wants both; update the LMS.",
            cause="unsafe_platform",
        )


def _check_hosts(configuration: PlatformConfiguration, invited_url: str) -> None:
    """Refuse a configuration that speaks for somebody else.

    Raises:
        GiveUp: It does not live where its issuer lives, or the registration would be handed
            in at another site.
    """
    place = origin_of(configuration.url)
    known = _VENDOR_ORIGINS.get(configuration.issuer)
    if known is None:
        speaking = frozenset({origin_of(configuration.issuer)})
        used = {place, origin_of(configuration.registration_endpoint)}
    else:
        # A school's host is believed only because an administrator of ours named it.
        speaking = (known | {origin_of(invited_url)}) - {""}
        used = {place} | {origin_of(getattr(configuration, name)) for name in _PLACES}
    strange = sorted(urlsplit(origin).hostname or "" for origin in used - speaking)
    if strange:
        raise GiveUp(
            f"The configuration names the issuer {configuration.issuer}, but {', '.join(strange)} "
            "does not belong to it. Nothing was sent there. Check that the invitation was made "
            "for this LMS and names its address.",
            cause="foreign_issuer",
        )
