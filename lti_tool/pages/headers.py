"""Response headers: what browsers may do with our pages, and who may frame them."""

from collections.abc import Sequence

from flask import Flask, Response, g, request

from lti_tool.launch.services import services

_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    "img-src 'self' data:; base-uri 'none'"
)
_ALWAYS = (
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_YEAR_SECONDS = 31_536_000
_STATIC_SECONDS = 3600


def register(app: Flask) -> None:
    """Put the headers on every response."""
    app.after_request(_with_headers)


def allow_frames(origins: Sequence[str]) -> None:
    """Let this response be framed by these origins."""
    g.frame_origins = tuple(origins)


def allow_forms(origins: Sequence[str]) -> None:
    """Let forms of this response be sent to these origins, besides our own."""
    g.form_origins = tuple(origins)


def _with_headers(response: Response) -> Response:
    policy = "; ".join((_POLICY, *_forms(), *_framing(response)))
    response.headers.extend((*_ALWAYS, ("Content-Security-Policy", policy)))
    if request.endpoint == "static":
        response.headers["Cache-Control"] = f"public, max-age={_STATIC_SECONDS}"
    elif "Cache-Control" not in response.headers:
        response.headers.add("Cache-Control", "no-store")
    if services().origin.startswith("https://"):
        response.headers.add("Strict-Transport-Security", f"max-age={_YEAR_SECONDS}")
    return response


def _forms() -> tuple[str, ...]:
    return (" ".join(("form-action 'self'", *g.get("form_origins", ()))),)


def _framing(response: Response) -> tuple[str, ...]:
    origins: tuple[str, ...] | None = g.get("frame_origins")
    if origins is None and response.status_code >= 400:  # noqa: PLR2004 - the errors of HTTP
        # A refusal must be readable in the LMS's frame, also where it is not known whose it is;
        # it shows nothing and has nothing to click.
        return ()
    return (" ".join(("frame-ancestors 'self'", *(origins or ()))),)
