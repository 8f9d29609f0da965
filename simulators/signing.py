"""Keys and signed tokens of a simulated LTI platform, shared by both simulators."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import jwt
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

ALGORITHM = "RS256"
KEY_BITS = 2048
JWKS_TIMEOUT_SECONDS = 5.0


class AssertionRefused(Exception):  # noqa: N818 - named for the platform's answer to it
    """A tool's signed assertion cannot be trusted; the message says why in Canvas's words."""


class PlatformKey:
    """The RSA key with which a platform signs what it sends to tools.

    Attributes:
        kid: The RFC 7638 thumbprint of the public key.
    """

    def __init__(self, private_key: rsa.RSAPrivateKey) -> None:
        self._private_key = private_key
        self._public_key = private_key.public_key()
        public: dict[str, Any] = RSAAlgorithm.to_jwk(self._public_key, as_dict=True)
        self._public = {"kty": "RSA", "n": public["n"], "e": public["e"]}
        self.kid = thumbprint(self._public)

    @classmethod
    def load_or_create(cls, pem_path: Path) -> "PlatformKey":
        """Read the key of a file, which is written first where there is none.

        Args:
            pem_path: An unencrypted PKCS #8 PEM file, readable by its owner only.
        """
        if not pem_path.exists():
            _write_key(pem_path)
        loaded = serialization.load_pem_private_key(
            pem_path.read_bytes(),
            password=None,
            unsafe_skip_rsa_key_validation=True,  # its own file; the check takes most of the time
        )
        if not isinstance(loaded, rsa.RSAPrivateKey):
            raise TypeError(f"{pem_path.name} holds no RSA key")
        return cls(loaded)

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return the claims as a compact RS256 JWT that names this key."""
        return jwt.encode(
            dict(claims), self._private_key, algorithm=ALGORITHM, headers={"kid": self.kid}
        )

    def claims_of(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a JWT that this key signed, with no time or audience checked.

        Returns:
            None where another key, or nobody, signed it.
        """
        try:
            return _signed_claims(token, self._public_key)
        except jwt.PyJWTError:
            return None

    def jwks(self) -> dict[str, Any]:
        """Return the public key as a JWK set (RFC 7517)."""
        return {"keys": [{**self._public, "kid": self.kid, "alg": ALGORITHM, "use": "sig"}]}


def thumbprint(public_jwk: Mapping[str, Any]) -> str:
    """Return the base64url SHA-256 thumbprint of an RSA public JWK.

    Source: RFC 7638, section 3.
    """
    required = {name: public_jwk[name] for name in ("e", "kty", "n")}
    canonical = json.dumps(required, separators=(",", ":"), sort_keys=True).encode()
    return urlsafe_b64encode(sha256(canonical).digest()).rstrip(b"=").decode()


def fetch_jwks(url: str) -> dict[str, Any]:
    """Get a tool's key set, anew each time as Canvas does.

    Raises:
        AssertionRefused: The address does not answer in time with a JSON key set.
    """
    try:
        answer = requests.get(url, timeout=JWKS_TIMEOUT_SECONDS, allow_redirects=False)
        answer.raise_for_status()
        payload = answer.json()
    except requests.JSONDecodeError as error:
        raise AssertionRefused("JWK Error: Invalid JSON") from error
    except requests.RequestException as error:
        raise AssertionRefused(f"JWK Error: {type(error).__name__}") from error
    if not isinstance(payload, dict) or not isinstance(payload.get("keys"), list):
        raise AssertionRefused("JWK Error: Invalid JSON")
    return payload


def verify_assertion(assertion: str, jwks: Mapping[str, Any]) -> dict[str, Any]:
    """Check who signed an assertion; when and for whom is the caller's to judge.

    Args:
        assertion: A compact JWT.
        jwks: The key set of the one who should have signed it.

    Returns:
        All claims, with no time or audience checked.

    Raises:
        AssertionRefused: It is no JWT, is not RS256, names no key of the set, or its
            signature does not fit.
    """
    key = _key_named(_header_kid(assertion), jwks)
    try:
        return _signed_claims(assertion, key)
    except jwt.PyJWTError as error:
        raise AssertionRefused("JWS signature invalid.") from error


def _signed_claims(token: str, key: rsa.RSAPublicKey) -> dict[str, Any]:
    return jwt.decode(
        token,
        key=key,
        algorithms=[ALGORITHM],
        options={
            "verify_aud": False,
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
            "verify_sub": False,
            "verify_jti": False,
        },
    )


def _header_kid(assertion: str) -> str:
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.PyJWTError as error:
        raise AssertionRefused("JWT could not be read.") from error
    if header.get("alg") != ALGORITHM:
        raise AssertionRefused("JWS algorithm must be RS256.")
    if not header.get("kid"):
        raise AssertionRefused("JWS kid is missing.")
    return str(header["kid"])


def _key_named(kid: str, jwks: Mapping[str, Any]) -> rsa.RSAPublicKey:
    for candidate in jwks.get("keys", []):
        if isinstance(candidate, dict) and candidate.get("kid") == kid:
            return _public_key(candidate)
    raise AssertionRefused("JWK Error: no key has this kid.")


def _public_key(jwk: Mapping[str, Any]) -> rsa.RSAPublicKey:
    try:
        key = RSAAlgorithm.from_jwk(dict(jwk))
    except (jwt.PyJWTError, KeyError, ValueError) as error:
        raise AssertionRefused("JWK Error: the key cannot be read.") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise AssertionRefused("JWK Error: the key is not public.")
    return key


def _write_key(pem_path: Path) -> None:
    private_key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    pem_path.parent.mkdir(parents=True, exist_ok=True)
    pem_path.touch(mode=0o600)
    pem_path.write_bytes(
        private_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
