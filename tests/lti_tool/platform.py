"""An LMS of the tests' own: it has keys, publishes them, and mints launches of any kind."""

import base64
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
ISSUER = "https://lms.example"
TOOL = "https://waymark.example"
JWKS_URL = "https://lms.example/jwks"
AUTH_URL = "https://lms.example/auth?tenant=7"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def segment(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return b64(text.encode("utf-8", "surrogatepass"))


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwk(key: rsa.RSAPrivateKey, kid: str, **changes: Any) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()

    def uint(number: int) -> str:
        return b64(number.to_bytes((number.bit_length() + 7) // 8, "big"))

    entry = {"kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig"}
    entry |= {"n": uint(numbers.n), "e": uint(numbers.e)} | changes
    return {name: value for name, value in entry.items() if value is not None}


@dataclass
class KeySets:
    """What the key set addresses answer; an exception is raised instead."""

    answers: dict[str, Any] = field(default_factory=dict)
    max_age_seconds: int | None = None
    fetches: list[str] = field(default_factory=list)
    delay_seconds: float = 0.0

    def __call__(self, url: str, /) -> tuple[Any, int | None]:
        self.fetches.append(url)
        time.sleep(self.delay_seconds)
        answer = self.answers[url]
        if isinstance(answer, Exception):
            raise answer
        return answer, self.max_age_seconds


@dataclass
class Lms:
    """One registered client of an LMS."""

    key: rsa.RSAPrivateKey
    clock: Any
    issuer: str = ISSUER
    client_id: str = "client-A"
    deployment: str = "dep-1"
    kid: str = "k1"

    def claims(self, nonce: Any, **changes: Any) -> dict[str, Any]:
        """The baseline launch with claims replaced, or removed where they are ``...``."""
        now = int(self.clock().timestamp())
        body = {
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": "user-1",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "name": "Ada Lovelace",
            "email": "ada@lms.example",
            LTI + "message_type": "LtiResourceLinkRequest",
            LTI + "version": "1.3.0",
            LTI + "deployment_id": self.deployment,
            LTI + "target_link_uri": TOOL + "/lti/launch",
            LTI + "resource_link": {"id": "link-1", "title": "Progress"},
            LTI + "roles": [MEMBERSHIP + "Learner"],
            LTI + "context": {
                "id": "ctx-1",
                "label": "M1",
                "title": "Mathematics 1",
                "type": ["http://purl.imsglobal.org/vocab/lis/v2/course#CourseOffering"],
            },
            LTI + "custom": {"canvas_course_id": "101", "canvas_user_id": "7"},
        }
        full = {name if name in body else _long(name): value for name, value in changes.items()}
        return {name: value for name, value in (body | full).items() if value is not ...}

    def sign(self, body: Any, header: Any = None, *, key: rsa.RSAPrivateKey | None = None) -> str:
        """A token in compact form; texts are taken as they are, other values as JSON."""
        given = {"alg": "RS256", "typ": "JWT", "kid": self.kid} if header is None else header
        signed = f"{segment(given)}.{segment(body)}"
        signature = (key or self.key).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{b64(signature)}"

    def login_form(self, **changes: Any) -> dict[str, Any]:
        """What the LMS sends to begin a login, with values replaced or removed (``...``)."""
        form = {
            "iss": self.issuer,
            "client_id": self.client_id,
            "login_hint": "hint-1",
            "lti_message_hint": "eyJ0.a+b/c=d&e%20f é",
            "lti_deployment_id": self.deployment,
            "target_link_uri": TOOL + "/lti/launch",
        }
        return {name: value for name, value in (form | changes).items() if value is not ...}


def _long(name: str) -> str:
    known = (
        "azp",
        "nbf",
        "jti",
        "picture",
        "given_name",
        "family_name",
        "locale",
        "iss",
        "sub",
        "exp",
    )
    return name if name in known or name.startswith("http") else LTI + name


@dataclass
class Login:
    """What a login answered with."""

    state: str
    nonce: str
    query: dict[str, list[str]]
    response: Any


def begin(client: Any, lms: Lms, **changes: Any) -> Login:
    """Begin a login as a browser would."""
    response = client.post("/lti/login", data=lms.login_form(**changes))
    query = parse_qs(urlsplit(response.headers["Location"]).query, keep_blank_values=True)
    return Login(state=query["state"][0], nonce=query["nonce"][0], query=query, response=response)


def launch(client: Any, lms: Lms, **changes: Any) -> Any:
    """A whole launch, login included; the answer to its last step."""
    login = begin(client, lms)
    token = lms.sign(lms.claims(**({"nonce": login.nonce} | changes)))
    return client.post("/lti/launch", data={"id_token": token, "state": login.state})
