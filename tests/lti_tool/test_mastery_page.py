"""How mastery works here: for those from an LMS, and by a link for everybody."""

import re

import pytest

from lti_tool.launch import doors
from mapping.rules.scopes import Scope
from store.policy_changes import PolicyKind, changes_of
from store.rule_trail import keep_rule
from store.rules import DISTRICT, RuleNote, RulePlace
from store.session import reading, writing
from tests.lti_tool.classroom import ADMINISTRATOR, GUARDIAN, TEACHER, fill
from tests.lti_tool.test_pages import Visitor

PAGE = "rules/mastery"


@pytest.fixture
def ids(stage):
    return fill(stage)


@pytest.fixture
def boss(stage, ids):
    assert ids
    return Visitor(stage, **ADMINISTRATOR, sub="boss", name="Boss")


def post(visitor, path, **fields):
    csrf = re.search(r'name="csrf" value="([^"]*)"', visitor.get(PAGE).text)[1]
    return visitor.browser.post(f"{visitor.base}/{path}", data={"csrf": csrf, **fields})


def opened(boss):
    post(boss, f"{PAGE}/open", reason="For the newsletter.")
    return re.search(
        r'href="https?://[^/"]*(/how-mastery-works/[0-9a-f]{32})"', boss.get(PAGE).text
    )[1]


def set_rule(stage, place, definition):
    with writing(stage.container.engine) as connection:
        note = RuleNote(author="Boss", reason="", effective_from=stage.clock())
        keep_rule(
            *(connection, stage.tenants["A"], place),
            definition=definition,
            note=note,
            now=stage.clock(),
        )


@pytest.mark.parametrize("claims", [TEACHER, GUARDIAN, {}])
@pytest.mark.usefixtures("ids")
def test_everybody_from_the_lms_reads_it_from_the_foot_of_their_pages(stage, claims):
    visitor = Visitor(stage, **claims)

    assert (
        f'href="{visitor.base}/mastery"'
        in visitor.browser.get(visitor.landing, follow_redirects=True).text
    )
    assert "Mastered when the weighted average" in visitor.text("mastery")


def test_it_is_not_shown_to_everybody_unless_the_district_wants_it(stage, boss):
    assert "Nobody else does" in boss.text(PAGE)
    assert stage.browser().get(f"/how-mastery-works/{'0' * 32}").status_code == 404


def test_everybody_with_the_link_reads_it_without_logging_in(stage, ids, boss):
    set_rule(stage, DISTRICT, {"mastered": 2.5})
    course = RulePlace(scope=Scope.COURSE, target=ids.course["Mathematics"])
    set_rule(stage, course, {"minimum_evidence": 4})
    address = opened(boss)

    page = stage.browser().get(address)

    assert page.status_code == 200
    assert "is 2.50" in page.text
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert "Set-Cookie" not in page.headers
    assert "Mathematics" not in page.text
    assert "Ada" not in page.text
    assert "1 more place has rules of their own" in re.sub(r"\s+", " ", page.text)


def test_it_is_in_the_language_that_the_browser_asks_for(stage, boss):
    address = opened(boss)

    page = stage.browser().get(address, headers={"Accept-Language": "es"})

    assert "Un eje llega a «Dominada» cuando sus competencias con evidencias" in page.text
    assert "Qué significan las palabras" in page.text
    assert "Accept-Language" in page.headers["Vary"]


def test_what_was_not_changed_is_not_sent_again(stage, boss):
    address = opened(boss)
    first = stage.browser().get(address)

    again = stage.browser().get(address, headers={"If-None-Match": first.headers["ETag"]})

    assert again.status_code == 304
    assert first.headers["Cache-Control"] == "public, max-age=60"


def test_a_link_is_made_anew_and_taken_back(stage, boss):
    first = opened(boss)
    second = opened(boss)
    post(boss, f"{PAGE}/close", reason="Enough.")

    assert first != second
    assert {stage.browser().get(one).status_code for one in (first, second)} == {404}


def test_the_trail_says_who_showed_it_and_never_the_link(stage, boss):
    first = opened(boss)
    opened(boss)
    post(boss, f"{PAGE}/close", reason="Enough.")
    post(boss, f"{PAGE}/close", reason="Twice.")

    with reading(stage.container.engine) as connection:
        changes = changes_of(connection, stage.tenants["A"])
    assert [(one.kind, one.by, one.reason) for one in changes] == [
        (PolicyKind.WORDS, "Boss", reason)
        for reason in ("Enough.", "For the newsletter.", "For the newsletter.")
    ]
    assert first.rsplit("/", 1)[1] not in str(changes)


def test_the_district_s_words_are_on_it(stage, boss):
    address = opened(boss)
    post(boss, "rules/words", strand="theme", strand_many="themes", reason="Ours.")

    assert "A theme is Mastered when" in stage.browser().get(address).text


def test_a_flood_is_refused(stage, boss, monkeypatch):
    monkeypatch.setattr(doors, "MASTERY", doors.Door(name="mastery", per_second=1, burst=2))
    address, browser = opened(boss), stage.browser()

    assert [browser.get(address).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("token", ["x", "0" * 32, "é" * 32, "../" * 8])
def test_what_was_guessed_leads_nowhere(stage, token):
    assert stage.browser().get(f"/how-mastery-works/{token}").status_code == 404


@pytest.mark.parametrize("path", [f"{PAGE}/open", f"{PAGE}/close"])
def test_the_switch_is_an_administrators(stage, boss, path):
    assert boss.browser.post(f"{boss.base}/{path}").status_code == 403
    teacher = Visitor(stage, **TEACHER)
    assert teacher.get(PAGE).status_code == 403
