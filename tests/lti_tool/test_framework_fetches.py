"""A framework from an address: fetched by a worker, looked at as a file is, asked again later."""

import re

import pytest

from bootstrap import framework_import
from bootstrap.framework_import import ImportRefused
from connectors.framework_files import FetchedFile, Marks
from store.framework_shelf import last_fetched
from store.session import reading
from tests.lti_tool.classroom import ADMINISTRATOR, TEACHER
from tests.lti_tool.test_pages import Visitor
from workers import framework_fetches

ADDRESS = "https://case.example.org/ims/case/v1p0/CFPackages/0b1c"
TABLE = b"code,statement\nA.1,Compare fractions\n"


@pytest.fixture
def boss(stage):
    return Visitor(stage, **ADMINISTRATOR)


@pytest.fixture
def server(stage, monkeypatch):
    """Does what a worker would, with what a server answers; keeps by what it was asked."""
    asked = []

    def work(key, answer):
        def fetched(_, url, known):
            asked.append((url, known))
            if isinstance(answer, Exception):
                raise answer
            marks = Marks(etag='"1"')
            return None if answer is None else FetchedFile(content=answer, marks=marks)

        monkeypatch.setattr(framework_import, "fetched", fetched)
        framework_fetches.work_out(stage.container, stage.tenants["A"], key)
        return asked

    return work


def csrf(page):
    return re.search(r'name="csrf" value="([^"]+)"', page)[1]


def ask(boss, address=ADDRESS):
    fields = {"csrf": csrf(boss.get("frameworks/import").text), "address": address}
    return boss.browser.post(f"{boss.base}/frameworks/import/address", data=fields)


def key_of(answer):
    return answer.headers["Location"].rpartition("/")[2]


def test_a_file_is_fetched_looked_at_brought_in_and_asked_for_again(stage, boss, server):
    key = key_of(ask(boss))
    waiting = boss.text(f"frameworks/fetches/{key}")
    server(key, TABLE)
    ready = boss.get(f"frameworks/fetches/{key}")
    draft = boss.browser.get(ready.headers["Location"]).text
    fields = {"csrf": csrf(draft), "digest": re.search(r'name="digest" value="(\w+)"', draft)[1]}
    done = boss.browser.post(ready.headers["Location"] + "/confirm", data=fields)
    page = boss.browser.get(done.headers["Location"]).text
    again = key_of(ask(boss))
    asked = server(again, None)

    assert "is being fetched" in waiting
    assert "Compare fractions" in draft
    assert "Look for anything newer" in page
    with reading(stage.container.engine) as connection:
        assert last_fetched(connection, stage.tenants["A"], ADDRESS).etag == '"1"'
    assert asked[1] == (ADDRESS, Marks(etag='"1"'))
    assert "Nothing has changed there" in boss.text(f"frameworks/fetches/{again}")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (ImportRefused("It is in a private network."), "It is in a private network."),
        (b"<!DOCTYPE html><p>Welcome", "answers with a web page"),
        (b" ", "an empty file"),
    ],
)
def test_what_could_not_be_fetched_is_told(boss, server, answer, told):
    key = key_of(ask(boss))
    server(key, answer)

    page = boss.text(f"frameworks/fetches/{key}")

    assert told in page
    assert "Try again" in page
    assert ask(boss).status_code == 303


def test_one_address_at_a_time_and_a_lost_worker_is_told(stage, boss):
    key = key_of(ask(boss))
    second = ask(boss)
    stage.clock.pass_time(minutes=7)

    assert (second.status_code, "another" in second.text.lower()) == (422, True)
    assert "See that a worker is running" in boss.text(f"frameworks/fetches/{key}")


@pytest.mark.parametrize("address", ["", "http://x.example", "https://" + "x" * 1_100])
def test_what_is_no_address_is_told_by_its_field(boss, address):
    answer = ask(boss, address)

    assert answer.status_code == 422
    assert 'id="address-problem"' in answer.text


@pytest.mark.parametrize("key", ["x", "0123456789abcdef", "../../../../etc"])
def test_a_fetch_that_is_not_theirs_is_not_there(boss, key):
    assert boss.get(f"frameworks/fetches/{key}").status_code == 404


def test_another_districts_fetch_is_not_there(stage, boss):
    key = framework_fetches.ask(stage.container, stage.tenants["B"], ADDRESS, by="Somebody")

    assert boss.get(f"frameworks/fetches/{key}").status_code == 404
    assert Visitor(stage, **TEACHER).get(f"frameworks/fetches/{key}").status_code == 403
