"""A teacher of Open edX chooses competencies in Waymark; Open edX checks and keeps the answer."""

import msgspec
import pytest
import requests

from lti_tool.launch.state import LaunchRecord
from mapping.records import Competency, Framework
from store.frameworks import save_framework
from store.session import writing


@pytest.fixture(scope="session")
def competencies(open_edx):
    found = Framework(
        identifier="framework",
        title="Mathematics",
        creator="The tests",
        competencies=[
            Competency(identifier="c-1", code="N.1", statement="Adds fractions", position=1),
            Competency(identifier="c-2", code="N.2", statement="Divides fractions", position=2),
        ],
    )
    with writing(open_edx.container.engine) as connection:
        save_framework(connection, open_edx.tenant, found)


@pytest.fixture
def picker(open_edx, visitor, competencies):
    del competencies
    shown = visitor.open(open_edx.start("staff", user="edx-1", choose="1"))
    return visitor.send(shown.forms[0])


def chosen(open_edx):
    return requests.get(f"{open_edx.url}/chosen", timeout=30).json()["items"]


def placed(visitor, picker, count):
    form = picker.forms[0]
    picked = [box for box in form.boxes if box[0] == "competency"][:count]
    return visitor.send(form.with_fields(*picked, ("action", "place")))


def test_open_edx_checks_the_answer_and_keeps_the_links(open_edx, visitor, picker):
    assert picker.path.endswith("/choose")

    saved = visitor.send(placed(visitor, picker, 2).forms[0])

    assert "successfully saved" in saved.text
    items = chosen(open_edx)
    assert [item["type"] for item in items] == ["ltiResourceLink"] * 2
    assert {item["url"] for item in items} == {f"{open_edx.tool}/lti/launch"}
    assert [item["custom"]["waymark_competencies"] for item in items] == ["c-1", "c-2"]


def test_a_link_that_open_edx_kept_launches_what_was_chosen(open_edx, visitor, picker):
    visitor.send(placed(visitor, picker, 1).forms[0])
    open_edx.container.redis.flushdb()

    shown = visitor.open(open_edx.start("student", placed="1"))
    landed = visitor.send(shown.forms[0])

    assert landed.status == 200
    (key,) = open_edx.container.redis.scan_iter("waymark:launch:*")
    record = msgspec.json.decode(open_edx.container.redis.get(key), type=LaunchRecord)
    assert record.focus == ("c-1",)


def test_open_edx_refuses_an_answer_that_was_changed(visitor, picker):
    form = placed(visitor, picker, 1).forms[0]
    (name, answer) = form.fields[0]
    header, body, signature = answer.split(".")
    form.fields[0] = (name, f"{header}.{body}.{signature[:40][::-1]}{signature[40:]}")

    refused = visitor.send(form)

    assert refused.status == 403


def test_a_request_to_choose_is_answered_once(visitor, picker):
    placed(visitor, picker, 1)

    again = placed(visitor, picker, 1)

    assert again.status == 401
