"""Handing in mail: which server an address names, and what is never sent in the clear."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connectors.errors import GiveUp
from connectors.mail import Mail, is_mail_address, parse_mail_url, send_mail
from tests.connectors.mailing import posting

ELSEWHERE = "127.0.0.2"
"""Not one of the names of this machine that a password may be sent to unencrypted."""
MAIL = Mail(
    to="head@district.example",
    subject="s",
    body="b",
    number="waymark-notice-1",
    at=datetime(2026, 11, 20, tzinfo=UTC),
)


@pytest.fixture
def post():
    with posting(ELSEWHERE) as post:
        yield post


@pytest.mark.parametrize(
    ("url", "port", "is_tls"),
    [
        ("smtp://mail.example?from=a@b.example", 25, False),
        ("smtp://user:p%40ss@mail.example?from=a@b.example", 587, False),
        ("smtps://user:p%40ss@mail.example?from=a@b.example", 465, True),
        ("smtp://mail.example:2525/?from=a@b.example", 2525, False),
    ],
)
def test_an_address_names_a_server(url, port, is_tls):
    found = parse_mail_url(url)

    assert (found.host, found.port, found.is_tls, found.sender) == (
        "mail.example",
        port,
        is_tls,
        "a@b.example",
    )
    assert found.password in ("", "p@ss")


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://mail.example?from=a@b.example",
        "smtp://mail.example",
        "smtp://mail.example?from=nobody",
        "smtp://?from=a@b.example",
        "smtp://mail.example?from=a@b.example&starttls=no",
        "smtp://mail.example:0x1?from=a@b.example",
    ],
)
def test_what_names_no_server_or_no_sender_is_refused(url):
    with pytest.raises(ValueError):  # noqa: PT011 - the settings word what is wrong
        parse_mail_url(url)


def test_the_password_is_not_shown():
    server = parse_mail_url("smtps://user:hidden@mail.example?from=waymark@district.example")

    assert server.password == "hidden"
    assert "hidden" not in repr(server)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("a@b.example", True), ("a b@c.example", False), ("a@b, c@d", False), ("A <a@b>", False)],
)
def test_one_plain_address_is_told_from_anything_else(text, is_one):
    assert is_mail_address(text) is is_one


@pytest.mark.allow_hosts([ELSEWHERE])
def test_a_password_is_not_sent_to_a_server_without_encryption(post):
    server = parse_mail_url(f"smtp://{ELSEWHERE}:{post.port}?from=waymark@district.example")

    send_mail(server, MAIL)
    with pytest.raises(GiveUp, match="unprotected"):
        send_mail(replace(server, user="user", password="hidden"), MAIL)

    assert len(post.mails) == 1
