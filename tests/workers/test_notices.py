"""Messages to a real mail server and a real webhook, on both databases."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from email import message_from_bytes

import pytest
from werkzeug.wrappers import Request, Response

from connectors.mail import parse_mail_url
from connectors.webhooks import new_webhook_secret
from store import notice_targets, notices
from store.notice_targets import Channel, NewTarget, NoticeKind
from store.notices import Message, NoticeState
from store.session import reading, writing
from tests.connectors.mailing import posting
from tests.connectors.serving import serving
from tests.store.places import new_tenant
from workers.notices import send_due

BREAK = "\n"
SUBJECT = f"District: 2 alarms{BREAK}Bcc: somebody@else.example"
MESSAGE = Message(kind=NoticeKind.ALARMS, subject=SUBJECT, body="Look at Algebra. Ümlaut.")


@pytest.fixture
def post():
    with posting() as post:
        yield post


@pytest.fixture
def mailing(container, post):
    mail = parse_mail_url(f"smtp://127.0.0.1:{post.port}?from=waymark@district.example")
    return replace(container, settings=replace(container.settings, mail=mail))


@pytest.fixture
def tenant(container):
    with writing(container.engine) as connection:
        return new_tenant(connection)


def put_down(container, tenant, channel, address, secret=""):
    wanted = NewTarget(
        channel=channel,
        address=address,
        secret=container.secrets.seal(secret),
        kinds=(NoticeKind.ALARMS,),
    )
    with writing(container.engine) as connection:
        notice_targets.save_target(connection, tenant, wanted, now=container.now())
        return notices.tell(connection, tenant, MESSAGE, now=container.now())


def depth(container):
    with reading(container.engine) as connection:
        return {state.value: count for state, count in notices.depth(connection).items() if count}


def errors(container, tenant):
    with reading(container.engine) as connection:
        return list(notices.last_errors(connection, tenant).values())


def test_a_mail_arrives_once_with_its_text(mailing, tenant, post):
    put_down(mailing, tenant, Channel.EMAIL, "head@district.example")

    assert [send_due(mailing), send_due(mailing)] == [1, 0]

    (envelope,) = post.mails
    found = message_from_bytes(envelope.content)
    assert envelope.rcpt_tos == ["head@district.example"]
    assert found["Bcc"] is None
    assert found["Message-ID"].startswith("<waymark-notice-")
    assert "Ümlaut" in found.get_payload(decode=True).decode()
    assert depth(mailing) == {"sent": 1}


def test_a_mail_that_is_refused_for_now_is_sent_later(mailing, tenant, post, clock):
    put_down(mailing, tenant, Channel.EMAIL, "head@district.example")
    post.refusal = "451 come back later"
    send_due(mailing)
    at_once = send_due(mailing)
    said = errors(mailing, tenant)
    post.refusal = ""
    clock.advance(minutes=2)

    assert (at_once, send_due(mailing)) == (0, 1)
    assert "451: come back later" in said[0]
    assert errors(mailing, tenant) == []


def test_a_message_is_given_up_after_some_tries(container, tenant, clock):
    put_down(container, tenant, Channel.EMAIL, "head@district.example")
    for _ in range(len(notices.PAUSES) + 2):
        send_due(container)
        clock.advance(hours=7)

    assert depth(container) == {NoticeState.FAILED.value: 1}
    assert "WAYMARK_SMTP_URL" in errors(container, tenant)[0]


def test_a_webhook_can_tell_that_a_message_is_ours(container, tenant):
    secret, got = new_webhook_secret(), []

    def application(environ, start_response):
        asked = Request(environ)
        got.append((asked.headers, asked.get_data()))
        return Response(status=204)(environ, start_response)

    with serving(application) as url:
        put_down(container, tenant, Channel.WEBHOOK, f"{url}/hook", secret)
        sent = send_due(container)

    ((headers, body),) = got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    proof = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert sent == 1
    assert headers["webhook-signature"] == f"v1,{proof}"
    assert json.loads(body)["type"] == "waymark.alarms"
    assert json.loads(body)["data"]["district"] == "District"


def test_a_webhook_in_a_private_network_is_not_asked(container, tenant):
    closed = replace(container, settings=replace(container.settings, private_networks=()))
    put_down(closed, tenant, Channel.WEBHOOK, "https://127.0.0.1:9/hook", new_webhook_secret())

    assert send_due(closed) == 0
    assert "WAYMARK_PRIVATE_NETWORKS" in errors(closed, tenant)[0]


def test_of_a_run_a_target_is_told_once(container, tenant):
    from store import sync_state

    put_down(container, tenant, Channel.EMAIL, "head@district.example")
    with writing(container.engine) as connection:
        run = sync_state.start_run(
            connection, tenant, cause="nightly", is_full=False, now=container.now()
        )
        told = [
            notices.tell(connection, tenant, MESSAGE, run=run, now=container.now())
            for _ in range(2)
        ]

    assert told == [1, 0]


def test_two_who_send_at_once_do_not_both_have_a_message(container, tenant):
    put_down(container, tenant, Channel.EMAIL, "head@district.example")
    with writing(container.engine) as connection:
        (number,) = notices.due_notices(connection, now=container.now())
        first = notices.take_up(connection, number, now=container.now())
        second = notices.take_up(connection, number, now=container.now())

    assert first is not None
    assert second is None
