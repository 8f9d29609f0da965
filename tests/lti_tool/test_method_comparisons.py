"""Methods side by side on a class, at the desk."""

import html
import re

import pytest

from store import rules
from store.policy_changes import changes_of
from store.session import reading
from tests.lti_tool.classroom import ADMINISTRATOR, TEACHER, fill
from tests.lti_tool.test_pages import Visitor


@pytest.fixture(scope="module")
def ids(shared_stage):
    return fill(shared_stage)


@pytest.fixture
def boss(shared_stage, ids):
    assert ids
    return Visitor(shared_stage, **ADMINISTRATOR, sub="boss", name="Boss")


@pytest.fixture
def compare(boss, ids):
    def compare(query, course="Mathematics"):
        return boss.get(f"rules/compare?course={ids.course[course]}&{query}")

    return compare


def plain(page):
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text)))


def test_a_class_is_chosen_among_those_with_mapped_work(boss):
    text = boss.text("rules/compare")

    assert "Mathematics" in text
    assert "Biology" in text
    assert "Foreign" not in text


def test_a_course_that_is_not_found_is_told(boss):
    assert "No course with “Nowhere”" in boss.text("rules/compare?called=Nowhere")


def test_methods_are_told_with_their_sentences_and_what_they_would_change(compare):
    page = compare("method=highest&numbers=&method=recent_n&numbers=n%3D2")

    text = plain(page)
    assert page.status_code == 200
    assert "The rule in force : Mastered when the weighted average" in text
    assert "Highest score : Mastered when the highest score" in text
    assert "mean of the newest 2" in text
    assert "▲ 1 higher" in text
    assert "1 competency in dispute" in text
    assert "Ada <b>" in text
    assert "Björn" not in text


def test_everybody_is_shown_when_it_is_asked_for(compare):
    text = plain(compare("method=highest&show=all"))

    assert text.index("Ada <b>") < text.index("Björn <b> no evidence")


def test_a_method_leads_into_the_rule_with_its_numbers(boss, ids, compare):
    page = compare("method=recent_n&numbers=n%3D2").text
    address = html.unescape(re.search(r'href="([^"]*/rules/course/[^"]*method=[^"]*)"', page)[1])

    form = boss.browser.get(address).text

    assert str(ids.course["Mathematics"]) in address
    assert re.search(r'<option value="recent_n" selected', form)
    assert re.search(r'name="number_n"[^>]* value="2"', form)


def test_a_form_takes_no_method_that_there_is_not(boss):
    form = boss.get("rules/district/0?method=magic&parameters=x").text

    assert "magic" not in form


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("method=", "at least one method"),
        ("method=magic", "There is no method magic"),
        ("method=latest&method=latest", "there already"),
        ("method=recent_n&numbers=n%3D1000", "n must be a whole number"),
        ("method=recent_n&numbers=many", "name=number"),
        ("&".join(f"method=recent_n&numbers=n%3D{n}" for n in range(1, 6)), "at most 4"),
    ],
)
def test_what_makes_no_comparison_is_told(compare, query, told):
    page = compare(query)

    assert page.status_code == 422
    assert told in plain(page)


def test_nothing_is_written_by_it(shared_stage, compare):
    def state():
        with reading(shared_stage.container.engine) as connection:
            tenant = shared_stage.tenants["A"]
            standings = connection.exec_driver_sql("SELECT * FROM standings").all()
            return (
                standings,
                rules.rule_versions(connection, tenant),
                changes_of(connection, tenant),
            )

    before = state()
    compare("method=highest")

    assert state() == before


def test_another_districts_course_is_not_there(compare):
    assert compare("method=latest", course="Foreign").status_code == 404


@pytest.mark.parametrize("claims", [TEACHER, {}])
@pytest.mark.usefixtures("ids")
def test_methods_are_compared_by_administrators(shared_stage, claims):
    assert Visitor(shared_stage, **claims).get("rules/compare").status_code == 403
