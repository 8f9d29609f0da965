"""JSON Web Tokens read strictly: what a token says before and after its signature is checked.

The two have different types. Nothing but the key id, the issuer and the client id of an
unverified token is ever used, and those only to find out whom to ask.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from lti_tool.launch.refusals import ProofRefused

ALGORITHM = "RS256"
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_SEGMENTS = 3
_KID_LENGTH = 255
# Headers that name a key of the sender's choosing, or change how the rest is to be read.
_FORBIDDEN_HEADERS = ("jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedToken:
    """A well-formed token of an unknown author."""

    text: str = field(repr=False)
    kid: str
    header: Mapping[str, Any] = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedToken:
    """The body of a token that the platform's key signed."""

    body: Mapping[str, Any] = field(repr=False)


def parse_token(text: str) -> UnverifiedToken:
    """Read a token without believing it.

    Args:
        text: As posted.

    Returns:
        A token in compact form, RS256 by its own account, with a key id.

    Raises:
        ProofRefused: It is anything else, or brings a key along.

    Source: RFC 7515, 4.1 and 7.1; RFC 7519, 7.2; RFC 8725, 3.1 and 3.11.
    """
    segments = text.split(".")
    if len(segments) != _SEGMENTS or not all(_SEGMENT.fullmatch(part) for part in segments):
        raise ProofRefused("token_malformed")
    header, body = (_json_object(_decoded(part)) for part in segments[:2])
    _check_header(header)
    return UnverifiedToken(text=text, kid=header["kid"], header=header, body=body)


def verify(token: UnverifiedToken, keys: Sequence[RSAPublicKey]) -> VerifiedToken | None:
    """Check the signature.

    Args:
        token: As parsed.
        keys: The keys the platform publishes under the token's key id.

    Returns:
        The signed body, or None where none of the keys signed it.

    Source: RFC 7515, 5.2; RFC 7518, 3.3 (RS256: RSASSA-PKCS1-v1_5 with SHA-256).
    """
    signed, _, signature = token.text.rpartition(".")
    for key in keys:
        try:
            key.verify(_decoded(signature), signed.encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            continue
        # The very bytes that were signed are those that were parsed.
        return VerifiedToken(body=token.body)
    return None


def _check_header(header: Mapping[str, Any]) -> None:
    if header.get("alg") != ALGORITHM:
        raise ProofRefused("token_algorithm")
    kid = header.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= _KID_LENGTH:
        raise ProofRefused("token_kid")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.upper() != "JWT":
        raise ProofRefused("token_type")
    if any(name in header for name in _FORBIDDEN_HEADERS):
        raise ProofRefused("token_header")


def _decoded(segment: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError as error:
        raise ProofRefused("token_encoding") from error


def _json_object(data: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_not_json
        )
    except (ValueError, RecursionError) as error:
        raise ProofRefused("token_json") from error
    if not isinstance(value, dict):
        raise ProofRefused("token_json")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member is given twice")
    return members


def _not_json(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
