"""Where each kind of LMS has its LTI endpoints, so that nobody has to type them."""

from dataclasses import dataclass
from urllib.parse import urlsplit

CANVAS = "canvas"
MOODLE = "moodle"
_HOSTED_SUFFIX = ".instructure.com"
_HOSTED_CANVAS = {
    f"https://canvas.{stage}instructure.com": f"https://sso.{stage}canvaslms.com"
    for stage in ("", "beta.", "test.")
}
"""The shared site behind each issuer of hosted Canvas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """An LMS's OpenID Connect endpoints."""

    auth_url: str
    token_url: str
    jwks_url: str


def endpoints_of(kind: str, *, issuer: str, api_url: str) -> Endpoints:
    """The endpoints that follow from an LMS's kind and addresses.

    A Canvas that a school runs itself often keeps the issuer of the hosted one; its own host
    tells them apart.

    Args:
        kind: ``canvas`` or ``moodle``.
        issuer: As its tokens name it.
        api_url: Where the LMS itself lives, without a slash at the end.

    Returns:
        Its endpoints.

    Source: contracts/canvas.md 5.1; contracts/moodle.md 3.
    """
    if kind == MOODLE:
        return Endpoints(
            auth_url=f"{issuer}/mod/lti/auth.php",
            token_url=f"{issuer}/mod/lti/token.php",
            jwks_url=f"{issuer}/mod/lti/certs.php",
        )
    is_hosted = (urlsplit(api_url).hostname or "").endswith(_HOSTED_SUFFIX)
    site = _HOSTED_CANVAS.get(issuer, api_url) if is_hosted else api_url
    return Endpoints(
        auth_url=f"{site}/api/lti/authorize_redirect",
        token_url=f"{site}/login/oauth2/token",
        jwks_url=f"{site}/api/lti/security/jwks",
    )


def issuer_of(kind: str, *, api_url: str) -> str:
    """The issuer that an LMS has unless its administrator changed it.

    Args:
        kind: ``canvas`` or ``moodle``.
        api_url: Where the LMS itself lives, without a slash at the end.

    Returns:
        For Canvas the one all schools share (or that of its beta or test stage), which a Canvas
        that a school runs itself keeps as well; for Moodle its own address.

    Source: contracts/canvas.md 5.1; contracts/moodle.md 3.
    """
    if kind == MOODLE:
        return api_url
    host = urlsplit(api_url).hostname or ""
    stage = next((s for s in ("beta.", "test.") if host.endswith(f".{s}instructure.com")), "")
    return f"https://canvas.{stage}instructure.com"
