"""Sending what was put down to be told: each message once, tried again while it cannot be sent."""

import logging
from collections.abc import Sequence

from bootstrap.container import Container
from connectors.errors import ConnectorError
from connectors.mail import Mail, send_mail
from connectors.webhooks import WebhookMessage, send_webhook
from store import notices
from store.notice_targets import Channel
from store.notices import Notice
from store.secrets import SealBroken
from store.session import reading, writing

log = logging.getLogger(__name__)

_NO_MAIL = (
    "No mail server is set, so no e-mail can be sent. Set WAYMARK_SMTP_URL for the process that "
    "runs waymark cron."
)


class NotSentError(Exception):
    """A message could not be sent; the text says why, for a person."""


def send_due(container: Container) -> int:
    """Send every message that is due.

    Any number of processes may call it: one of them takes each message. A process that dies
    while it sends leaves the message to the next one, which may send it a second time under the
    same number.

    Args:
        container: What to work with.

    Returns:
        How many went out.
    """
    with reading(container.engine) as connection:
        due = notices.due_notices(connection, now=container.now())
    return send_these(container, due)


def send_these(container: Container, numbers: Sequence[int]) -> int:
    """Send messages by their numbers, as far as they are due; how many went out."""
    return sum(_send(container, number) for number in numbers)


def _send(container: Container, number: int) -> bool:
    with writing(container.engine) as connection:
        notice = notices.take_up(connection, number, now=container.now())
    if notice is None:
        return False
    error = _error_of_sending(container, notice)
    with writing(container.engine) as connection:
        if error is None:
            notices.mark_sent(connection, notice, now=container.now())
        else:
            notices.put_off(connection, notice, error, now=container.now())
    if error is not None:
        # The address may hold a token in its path: its number is enough.
        log.warning("notice %s to target %s was not sent: %s", notice.id, notice.target.id, error)
    return error is None


def _error_of_sending(container: Container, notice: Notice) -> str | None:
    try:
        if notice.target.channel is Channel.EMAIL:
            _mail(container, notice)
        else:
            _post(container, notice)
    except (ConnectorError, NotSentError, SealBroken) as error:
        return str(error)
    return None


def _mail(container: Container, notice: Notice) -> None:
    server = container.settings.mail
    if server is None:
        raise NotSentError(_NO_MAIL)
    send_mail(
        server,
        Mail(
            to=notice.target.address,
            subject=f"[Waymark] {notice.message.subject}",
            body=f"{notice.message.body}\n\n-- \nWaymark, {container.settings.public_url}\n",
            number=_name_of(notice),
            at=container.now(),
        ),
    )


def _post(container: Container, notice: Notice) -> None:
    send_webhook(
        WebhookMessage(
            url=notice.target.address,
            secret=container.secrets.open(notice.target.secret),
            number=_name_of(notice),
            payload={
                "type": f"waymark.{notice.message.kind.value}",
                "timestamp": notice.created_at.isoformat(),
                "data": {
                    "district": notice.district,
                    "run": notice.run,
                    "subject": notice.message.subject,
                    "body": notice.message.body,
                },
            },
            at=container.now(),
        ),
        public_url=container.settings.public_url,
        private_networks=container.settings.private_networks,
    )


def _name_of(notice: Notice) -> str:
    return f"waymark-notice-{notice.id}"
