"""The district's words: set at the desk, read on the pages of everybody else."""

import html
import re

import pytest

from store.policy_changes import PolicyKind, changes_of
from store.session import reading
from tests.lti_tool.classroom import ADMINISTRATOR, TEACHER, fill
from tests.lti_tool.test_pages import Visitor

SKILLS = {"competency": "outcome", "competency_many": "outcomes"}


@pytest.fixture
def ids(stage):
    return fill(stage)


@pytest.fixture
def boss(stage, ids):
    assert ids
    return Visitor(stage, **ADMINISTRATOR, sub="boss", name="Boss")


def post(visitor, path, headers=None, **fields):
    csrf = re.search(r'name="csrf" value="([^"]*)"', visitor.get("rules/words").text)[1]
    address = f"{visitor.base}/{path}"
    return visitor.browser.post(address, data={"csrf": csrf, **fields}, headers=headers or {})


def plain(page):
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text)))


def trail(stage):
    with reading(stage.container.engine) as connection:
        return changes_of(connection, stage.tenants["A"])


def test_pages_of_teachers_and_learners_say_the_districts_words(stage, boss):
    done = post(
        boss, "rules/words", **SKILLS, status_mastered="Secure", reason="As in our schools."
    )

    teachers, learners = Visitor(stage, **TEACHER).text(), Visitor(stage).text()
    assert done.status_code == 303
    assert "stand in each outcome" in teachers
    assert "● Secure" in teachers
    assert "● Secure" in learners
    assert "Secure begins at" in teachers
    assert "ompetenc" not in teachers
    assert "Mastered" not in teachers + learners


def test_the_districts_words_stand_in_sentences_of_another_language(stage, boss):
    spanish = {"launch_presentation": {"locale": "es"}}
    usual = Visitor(stage, **TEACHER, **spanish).text()

    post(boss, "rules/words", competency="destreza", competency_many="destrezas", reason="R")

    assert "dónde está cada uno en cada competencia" in usual
    assert "«Dominada» empieza en" in usual
    assert "dónde está cada uno en cada destreza" in Visitor(stage, **TEACHER, **spanish).text()


def test_another_districts_words_stay_as_they_are(stage, boss):
    post(boss, "rules/words", status_mastered="Secure", reason="Ours.")

    page = Visitor(stage, stage.same_issuer, **ADMINISTRATOR).get("rules/words").text

    assert "Secure" not in page


def test_each_word_that_is_changed_stands_in_the_trail(stage, boss):
    post(boss, "rules/words", **SKILLS, reason="As in our schools.")
    post(boss, "rules/words", **SKILLS, reason="Once more.")
    post(boss, "rules/words", reason="Back.")

    back, first = [one for one in trail(stage) if one.kind is PolicyKind.WORDS]

    assert (first.subject, first.before) == (
        "what is called competency",
        "competency, competencies",
    )
    assert (first.after, first.reason, first.by) == (
        "outcome, outcomes",
        "As in our schools.",
        "Boss",
    )
    assert back.after == first.before


def test_sentences_are_shown_as_they_would_read_before_anything_is_kept(stage, boss):
    page = post(boss, "rules/words/try", headers={"HX-Request": "true"}, **SKILLS)

    assert "speaks for an outcome yet" in plain(page)
    assert "<html" not in page.text
    assert "stand in each competency" in Visitor(stage, **TEACHER).text()
    assert trail(stage) == ()


def test_unkind_words_are_pointed_out_and_may_be_saved(boss):
    page = post(boss, "rules/words/try", status_insufficient="Falling behind")
    saved = post(boss, "rules/words", status_insufficient="Falling behind", reason="We mean it.")

    assert "Think over: behind" in plain(page)
    assert saved.status_code == 303
    assert "Think over: behind" in boss.text("rules/words")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"competency": "skill"}, "Give both"),
        ({"strand": "x" * 41, "strand_many": "xs"}, "at most 40"),
        ({"status_mastered": "Se<b>cure"}, "without brackets"),
        ({"status_mastered": "{competency}"}, "without brackets"),
        ({"status_mastered": "Not sustained"}, "something else already"),
        ({"status_mastered": "123"}, "Write a word"),
        ({"reason": ""}, "Say why"),
    ],
)
def test_what_makes_no_word_is_told_at_its_field_and_not_kept(stage, boss, fields, told):
    page = post(boss, "rules/words", **{"reason": "Why.", **fields})

    assert page.status_code == 422
    assert told in plain(page)
    assert trail(stage) == ()


def test_words_are_escaped(stage, boss):
    post(boss, "rules/words", status_mastered="Secure & 'so'", reason="R")

    assert "Secure &amp; &#39;so&#39;" in Visitor(stage).get().text


def test_words_are_for_administrators(stage, boss):
    assert Visitor(stage, **TEACHER).get("rules/words").status_code == 403
    address = f"{boss.base}/rules/words"
    assert boss.browser.post(address, data={"reason": "x"}).status_code == 403
