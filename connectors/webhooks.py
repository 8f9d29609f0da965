"""Signed messages to a webhook: whoever has its secret can tell that they are ours and fresh."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.addresses import Network
from connectors.http import HttpClient, Request
from connectors.limiter import UnpacedLimiter

PREFIX = "whsec_"
_SECRET_BYTES = 32
_TOTAL_SECONDS = 15.0
_LARGEST_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookMessage:
    """One message; ``number`` is the same when it is sent again, so that a copy is known."""

    url: str
    secret: str
    number: str
    payload: Mapping[str, Any]
    at: datetime


def new_webhook_secret() -> str:
    """A secret for a webhook, in the form that libraries for it take."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signature(message: WebhookMessage, body: bytes) -> str:
    """What proves that a message is ours and when it was sent.

    Args:
        message: With its number, its moment and the target's secret.
        body: Exactly as it is sent.

    Returns:
        The value of the header ``webhook-signature``.

    Raises:
        ValueError: The secret is none of ``new_webhook_secret``.

    Source: Standard Webhooks 1.0, "Webhook headers and signature scheme".
    """
    try:
        key = base64.b64decode(message.secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("not a webhook secret") from error
    signed = f"{message.number}.{_seconds(message)}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def send_webhook(
    message: WebhookMessage, *, public_url: str, private_networks: Sequence[Network] = ()
) -> None:
    """Send a message, once; any 2xx takes it.

    The address is judged as an LMS's is: private ones only where the operator allows them, and
    https beyond them. Failures come as the errors of ``connectors.errors``.

    Args:
        message: What to send, and where to.
        public_url: Where Waymark is.
        private_networks: Networks that may be asked although they are private.
    """
    body = json.dumps(message.payload, ensure_ascii=False).encode()
    client = HttpClient(
        platform="The webhook",
        addresses=(message.url,),
        limiter=UnpacedLimiter(),
        public_url=public_url,
        private_networks=private_networks,
    )
    client.send(
        Request(
            method="POST",
            url=message.url,
            headers={
                "Content-Type": "application/json",
                "webhook-id": message.number,
                "webhook-timestamp": str(_seconds(message)),
                "webhook-signature": signature(message, body),
            },
            body=body,
            read_seconds=_TOTAL_SECONDS,
            total_seconds=_TOTAL_SECONDS,
            most_bytes=_LARGEST_BYTES,
        )
    )


def _seconds(message: WebhookMessage) -> int:
    return int(message.at.timestamp())
