"""Open edX launches Waymark: its login, its token, its key set, and nothing of ours between."""

from dataclasses import replace

import msgspec
import pytest

from lti_tool.launch.state import LaunchRecord


def launched(container):
    (key,) = container.redis.scan_iter("waymark:launch:*")
    return msgspec.json.decode(container.redis.get(key), type=LaunchRecord)


@pytest.mark.parametrize(
    ("role", "page"), [("student", "me"), ("staff", "class"), ("instructor", "class")]
)
def test_a_person_of_open_edx_lands_on_the_page_of_their_role(open_edx, visitor, role, page):
    open_edx.container.redis.flushdb()
    shown = visitor.open(open_edx.start(role))

    landed = visitor.send(shown.forms[0])

    assert landed.status == 200, landed.text
    assert landed.path.rpartition("/")[2] == page


def test_what_open_edx_signed_is_what_the_session_knows(open_edx, visitor):
    open_edx.container.redis.flushdb()
    shown = visitor.open(open_edx.start("student", user="edx-3", name="Ada"))

    visitor.send(shown.forms[0])

    record = launched(open_edx.container)
    assert (record.subject, record.name) == ("edx-3", "Ada")
    assert (record.tenant, record.platform) == (open_edx.tenant, open_edx.platform)
    assert (record.deployment, record.course_title) == ("1", "Mathematics")


def test_open_edxs_launch_is_good_once(open_edx, visitor):
    shown = visitor.open(open_edx.start("student"))
    visitor.send(shown.forms[0])

    again = visitor.send(shown.forms[0])

    assert again.status == 401


def test_open_edxs_launch_is_good_in_the_browser_that_began_it_only(open_edx, visitor):
    shown = visitor.open(open_edx.start("student"))

    from tests.openedx.visitor import Visitor

    other = Visitor()
    refused = other.send(shown.forms[0])
    other.close()

    assert refused.status == 401
    assert visitor.send(shown.forms[0]).status == 200


def test_a_token_of_open_edx_that_was_changed_is_refused(open_edx, visitor):
    form = visitor.open(open_edx.start("student")).forms[0]
    header, body, signature = dict(form.fields)["id_token"].split(".")
    swapped = signature[:40][::-1] + signature[40:]
    changed = [
        (name, f"{header}.{body}.{swapped}" if name == "id_token" else value)
        for name, value in form.fields
    ]

    assert visitor.send(replace(form, fields=changed)).status == 401
