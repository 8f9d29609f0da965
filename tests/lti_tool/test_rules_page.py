"""Rules at the desk: looked at, tried on all evidence, published, taken back."""

import re

import pytest

from mapping.rules.scopes import Scope
from store import rules
from store.policy_changes import PolicyKind, changes_of
from store.rules import DISTRICT, RulePlace
from store.session import reading
from tests.lti_tool.classroom import ADMINISTRATOR, GUARDIAN, TEACHER, fill
from tests.lti_tool.test_pages import Visitor
from workers import trials

PLACE = "rules/district/0"


@pytest.fixture
def ids(stage):
    return fill(stage)


@pytest.fixture
def boss(stage, ids):
    assert ids
    return Visitor(stage, **ADMINISTRATOR, sub="boss", name="Boss")


def field(page, name):
    return re.search(rf'name="{name}" value="([^"]*)"', page)[1]


def post(visitor, path, headers=None, **fields):
    csrf = field(visitor.get(PLACE).text, "csrf")
    return visitor.browser.post(
        f"{visitor.base}/{path}", data={"csrf": csrf, **fields}, headers=headers or {}
    )


def publish(visitor, place=PLACE, **fields):
    tried = post(visitor, place, **fields)
    seen = field(tried.text, "seen")
    return post(visitor, f"{place}/publish", seen=seen, **{"reason": "As agreed.", **fields})


def said(stage, place=DISTRICT):
    with reading(stage.container.engine) as connection:
        found = rules.said_by_place(connection, stage.tenants["A"], now=stage.clock())
    return dict(found[place].definition) if place in found else None


def test_the_rules_in_force_stand_in_sentences(boss):
    text = boss.text("rules")

    assert "The district" in text
    assert "Mastered when the weighted average" in text


def test_how_mastery_works_here_is_told_to_be_printed(boss):
    publish(boss, mastered="2.5")

    text = boss.text("rules/mastery")

    assert "is 2.50" in text
    assert "Which evidence counts" in text
    assert "Proficient from" in text


def test_a_change_is_told_in_words_and_by_what_it_would_do(stage, boss):
    before = said(stage)

    done = post(boss, PLACE, mastered="1", minimum_evidence="1")

    text = re.sub(r"\s+", " ", done.text)
    assert done.status_code == 200
    assert "is 1.00" in text
    assert "What it would do" in text
    assert said(stage) == before


def test_a_change_is_published_with_its_reason_and_stands_in_the_trail(stage, boss):
    done = publish(boss, mastered="2.5", method="latest")

    assert done.status_code == 303
    assert said(stage) == {"mastered": 2.5, "method": "latest"}
    with reading(stage.container.engine) as connection:
        newest = changes_of(connection, stage.tenants["A"], most=1)[0]
        kept = rules.rule_versions(connection, stage.tenants["A"])[-1]
    assert (newest.kind, newest.by, newest.reason) == (PolicyKind.RULE, "Boss", "As agreed.")
    assert '"mastered": 2.5' in newest.after
    assert (kept.author, kept.reason) == ("Boss", "As agreed.")
    assert "in force" in boss.text(PLACE)


def test_a_rule_without_a_reason_is_not_published(stage, boss):
    before = said(stage)

    done = publish(boss, mastered="2.5", reason="")

    assert done.status_code == 422
    assert "Say why" in done.text
    assert said(stage) == before


def test_a_rule_changed_since_it_was_looked_at_is_not_published_over(stage, boss):
    seen = field(post(boss, PLACE, mastered="2").text, "seen")
    publish(boss, mastered="2.5")

    done = post(boss, f"{PLACE}/publish", seen=seen, mastered="2", reason="Late.")

    assert done.status_code == 422
    assert "Look at it once more" in done.text
    assert said(stage) == {"mastered": 2.5}


def test_what_was_said_before_holds_again_in_one_step(stage, boss):
    publish(boss, mastered="2.5")
    stage.clock.pass_time(hours=1)
    publish(boss, mastered="2")
    stage.clock.pass_time(hours=1)

    done = post(boss, f"{PLACE}/back", reason="It was better.")

    assert done.status_code == 303
    assert said(stage) == {"mastered": 2.5}


def test_a_district_that_said_one_thing_has_nothing_to_go_back_to(stage, boss):
    publish(boss, mastered="2.5")
    before = said(stage)
    with reading(stage.container.engine) as connection:
        count = len(rules.rule_versions(connection, stage.tenants["A"]))
    assert count == 1

    done = post(boss, f"{PLACE}/back")

    assert done.status_code == 404
    assert said(stage) == before
    assert "Go back" not in boss.text(PLACE)


def test_a_course_that_said_one_thing_says_nothing_any_more(stage, ids, boss):
    address = f"rules/course/{ids.course['Mathematics']}"
    publish(boss, address, minimum_evidence="3")
    stage.clock.pass_time(hours=1)
    assert "Say nothing here any more" in boss.text(address)

    post(boss, f"{address}/back")

    place = RulePlace(scope=Scope.COURSE, target=ids.course["Mathematics"])
    assert said(stage, place) == {}


@pytest.mark.parametrize(
    ("scope", "name", "target"),
    [
        (Scope.COURSE, "Mathematics", lambda ids: ids.course["Mathematics"]),
        (Scope.COMPETENCY, "N.1", lambda ids: ids.competency["N.1"]),
    ],
)
def test_a_narrower_place_is_found_by_its_name_and_changes_only_that(
    stage, ids, boss, scope, name, target
):
    number = target(ids)
    word = scope.name.lower()
    address = f"rules/{word}/{number}"
    assert f"{boss.base}/{address}" in boss.get(f"rules?scope={word}&called={name.lower()}").text

    done = publish(boss, address, minimum_evidence="3")

    assert done.status_code == 303
    assert said(stage, RulePlace(scope=scope, target=number)) == {"minimum_evidence": 3}
    assert "changes how much evidence is needed" in boss.text(address)
    assert "changes how much evidence is needed" in boss.text("rules")


def test_a_name_of_nothing_is_told(boss):
    assert "There is no course with" in boss.text("rules?scope=course&called=Nowhere")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"mastered": "much"}, "Write a number"),
        ({"minimum_evidence": "1.5"}, "Write a whole number"),
        ({"parameters": "n"}, "name=number"),
        ({"more": "{"}, "no JSON"),
        ({"more": "[]"}, "Write an object"),
        ({"more": '{"method": "latest"}'}, "in its own field"),
        ({"method": "magic"}, "method must be one of"),
        ({"mastered": "99"}, "makes no rule"),
        ({"more": '{"crteria": null}'}, "makes no rule"),
        ({"from": "someday"}, "no day"),
    ],
)
def test_what_makes_no_rule_is_told_and_not_kept(stage, boss, fields, told):
    before = said(stage)

    tried, published = (
        post(boss, PLACE, **fields),
        post(boss, f"{PLACE}/publish", reason="Why.", seen="0", **fields),
    )

    assert tried.status_code == published.status_code == 422
    assert told in tried.text
    assert said(stage) == before


def test_what_was_typed_is_still_there_after_an_error(boss):
    page = post(boss, PLACE, mastered="much", name="Ours <b>").text

    assert 'value="much"' in page
    assert "Ours &lt;b&gt;" in page


def test_the_sentence_alone_is_sent_while_somebody_types(boss):
    part = post(boss, PLACE, headers={"HX-Request": "true"}, mastered="2")

    assert part.status_code == 200
    assert "is 2.00" in re.sub(r"\s+", " ", part.text)
    assert "<html" not in part.text


def test_a_day_to_come_is_kept_with_the_rule(stage, boss):
    before = said(stage)

    done = publish(boss, mastered="2", **{"from": "2026-12-24"})

    assert done.status_code == 303
    assert said(stage) == before
    with reading(stage.container.engine) as connection:
        kept = rules.rule_versions(connection, stage.tenants["A"])[-1]
    assert f"{kept.effective_from:%Y-%m-%d %H}" == "2026-12-24 03"


def test_a_version_of_before_can_be_put_into_the_form(stage, boss):
    publish(boss, mastered="2.5", more='{"recheck_days": null}')
    with reading(stage.container.engine) as connection:
        number = rules.rule_versions(connection, stage.tenants["A"])[-1].version
    stage.clock.pass_time(hours=1)
    publish(boss, mastered="2")

    page = boss.get(f"{PLACE}?version={number}").text

    assert 'value="2.5"' in page
    assert "recheck_days" in page
    assert boss.get(f"{PLACE}?version=999").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["rules/district/1", "rules/course/999", "rules/system/0", "rules/course/0", "trials/x"],
)
def test_what_there_is_not_is_not_there(boss, path):
    assert boss.get(path).status_code == 404


def test_another_districts_places_are_not_there(ids, boss):
    assert boss.get(f"rules/course/{ids.course['Foreign']}").status_code == 404


@pytest.mark.parametrize("claims", [TEACHER, GUARDIAN, {}])
@pytest.mark.parametrize("path", ["rules", PLACE])
@pytest.mark.usefixtures("ids")
def test_rules_are_for_administrators(stage, claims, path):
    assert Visitor(stage, **claims).get(path).status_code == 403


@pytest.mark.parametrize("path", [PLACE, f"{PLACE}/publish", f"{PLACE}/back"])
def test_a_change_without_the_pages_own_word_is_refused(boss, path):
    assert boss.browser.post(f"{boss.base}/{path}", data={"mastered": "2"}).status_code == 403


def test_a_large_district_is_tried_in_the_background(stage, boss, monkeypatch):
    monkeypatch.setattr(trials, "AT_ONCE", 0)
    page = post(boss, PLACE, mastered="1", minimum_evidence="1").text
    key = re.search(r"/trials/([0-9a-f]{16})", page)[1]
    assert "being tried" in boss.text(f"trials/{key}")

    trials.work_out(stage.container, stage.tenants["A"], key)

    assert "What it would do" in boss.text(f"trials/{key}")
    assert "Publish this rule" in page
    other = Visitor(stage, stage.same_issuer, **ADMINISTRATOR)
    assert other.get(f"trials/{key}").status_code == 404


def test_a_trial_says_the_same_as_one_waited_for(stage, boss, monkeypatch):
    waited = post(boss, PLACE, mastered="1", minimum_evidence="1").text
    monkeypatch.setattr(trials, "AT_ONCE", 0)
    page = post(boss, PLACE, mastered="1", minimum_evidence="1").text
    key = re.search(r"/trials/([0-9a-f]{16})", page)[1]
    trials.work_out(stage.container, stage.tenants["A"], key)

    def effect(text):
        return re.sub(
            r"\s+",
            " ",
            re.search(r"<section aria-labelledby=.effect.*?</section>", text, re.DOTALL)[0],
        )

    assert effect(boss.get(f"trials/{key}").text) == effect(waited)
