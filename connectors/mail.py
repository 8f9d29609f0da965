"""E-mail by SMTP: one message at a time to a configured server, by the standard library."""

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

from connectors.errors import GiveUp, RetryLater

TIMEOUT_SECONDS = 20.0
_PORTS = {"smtp": 25, "smtps": 465}
_SUBMISSION_PORT = 587
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ADDRESS = re.compile(r"[^@\s<>,;:\"()\[\]\\]{1,64}@[^@\s<>,;:\"()\[\]\\]{1,255}")
_NAME = "The mail server"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in.

    Attributes:
        host: Name or address.
        port: TCP port.
        user: For the login, empty for none.
        password: For the login.
        sender: Whose address stands in From.
        is_tls: Whether the connection is encrypted from its first byte; else STARTTLS is used
            where the server offers it, and asked for where a password is sent.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    sender: str
    is_tls: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message; ``number`` makes its Message-ID, so that a copy is known to be one."""

    to: str
    subject: str
    body: str
    number: str
    at: datetime


def is_mail_address(text: str) -> bool:
    """Whether a text is one plain e-mail address."""
    return _ADDRESS.fullmatch(text) is not None and parseaddr(text)[1] == text


def parse_mail_url(text: str) -> MailServer:
    """The server that ``smtp[s]://USER:PASSWORD@HOST:PORT?from=ADDRESS`` names.

    Args:
        text: The address; user, password and port may be left out. Signs such as ``@`` in a
            password are quoted.

    Returns:
        The server; the port is 465 for smtps, else 587 with a user and 25 without.

    Raises:
        ValueError: It is not of this form, or names no sender.
    """
    parts = urlsplit(text)
    query = parse_qs(parts.query)
    sender = (query.get("from") or [""])[0]
    is_whole = parts.scheme in _PORTS and bool(parts.hostname) and set(query) == {"from"}
    if not is_whole or not is_mail_address(sender) or parts.path not in ("", "/"):
        raise ValueError(parts.scheme)
    user = unquote(parts.username or "")
    usual = _SUBMISSION_PORT if user and parts.scheme == "smtp" else _PORTS[parts.scheme]
    return MailServer(
        host=parts.hostname or "",
        port=parts.port or usual,
        user=user,
        password=unquote(parts.password or ""),
        sender=sender,
        is_tls=parts.scheme == "smtps",
    )


def send_mail(server: MailServer, mail: Mail) -> None:
    """Hand a message in.

    Args:
        server: Where.
        mail: What.

    Raises:
        GiveUp: The server refuses the login, the sender, the recipient or the message for good,
            or a password would travel unprotected.
        RetryLater: It cannot be reached or asks to come back.
    """  # noqa: DOC502 - some raised by the functions below
    message = _message(server, mail)
    with _judged(server), _connected(server) as smtp:
        smtp.send_message(message)


def try_mail_server(server: MailServer) -> str:
    """Connect and log in, and send nothing.

    Args:
        server: The server.

    Returns:
        What was found, for a person. The errors are those of ``send_mail``.
    """
    with _judged(server), _connected(server) as smtp:
        smtp.noop()
        is_safe = isinstance(smtp.sock, ssl.SSLSocket)
    return f"{server.host}:{server.port}, {'encrypted' if is_safe else 'not encrypted'}"


@contextmanager
def _judged(server: MailServer) -> Iterator[None]:
    try:
        yield
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
        raise _refusal(error) from None
    except (OSError, smtplib.SMTPException) as error:
        raise _unreachable(server, error) from None


def _connected(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.is_tls:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=TIMEOUT_SECONDS, context=context
        )
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
    try:
        _log_in(smtp, server, context)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _log_in(smtp: smtplib.SMTP, server: MailServer, context: ssl.SSLContext) -> None:
    smtp.ehlo()
    is_safe = server.is_tls or server.host in _LOOPBACK
    if not server.is_tls and smtp.has_extn("starttls"):
        smtp.starttls(context=context)
        smtp.ehlo()
        is_safe = True
    if not server.user:
        return
    if not is_safe:
        raise GiveUp(
            f"{_NAME} ({server.host}) offers no encryption, so the password would travel "
            "unprotected. Use smtps:// or a server with STARTTLS in WAYMARK_SMTP_URL.",
            cause="mail_not_encrypted",
            platform=_NAME,
        )
    smtp.login(server.user, server.password)


def _message(server: MailServer, mail: Mail) -> EmailMessage:
    message = EmailMessage()
    message["From"] = server.sender
    message["To"] = mail.to
    # A line break in a header would end it; subjects hold names that others chose.
    message["Subject"] = " ".join(mail.subject.split())
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = f"<{mail.number}@{server.sender.rpartition('@')[2]}>"
    # RFC 3834: no absence notice answers it.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body)
    return message


def _refusal(
    error: smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused,
) -> GiveUp | RetryLater:
    """A 4xx may pass, a 5xx will not; RFC 5321 section 4.2.1."""
    code, text = _answer(error)
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    sentence = f"{_NAME} answered {code}: {' '.join(said.split())[:200]}"
    if 400 <= code < 500:  # noqa: PLR2004 - the classes of RFC 5321
        return RetryLater(sentence, cause="mail_later", platform=_NAME)
    return GiveUp(sentence, cause="mail_refused", platform=_NAME)


def _answer(
    error: smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused,
) -> tuple[int, bytes | str]:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next(iter(error.recipients.values()))
    return error.smtp_code, error.smtp_error


def _unreachable(server: MailServer, error: Exception) -> RetryLater:
    return RetryLater(
        f"{_NAME} ({server.host}:{server.port}) cannot be used ({type(error).__name__}). See that "
        "WAYMARK_SMTP_URL is right and that it may be reached from here.",
        cause="mail_unreachable",
        platform=_NAME,
    )
