"""Rules at the desk: looked at, tried on all evidence, published, taken back."""

import html
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
    return re.search(rf'name="{name}"[^>]* value="([^"]*)"', page)[1]


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
        ({"criteria_k": "0"}, "must be 1 to 100"),
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


@pytest.fixture
def large(monkeypatch):
    """A district that is too large to wait for."""
    monkeypatch.setattr(trials, "AT_ONCE", 0)


def trial_of(page):
    return re.search(r"/trials/([0-9a-f]{16})", page.text)[1]


@pytest.mark.usefixtures("large")
def test_in_a_large_district_publishing_is_offered_once_the_trial_is_over(stage, boss):
    page = post(boss, PLACE, mastered="1", minimum_evidence="1")
    key = trial_of(page)
    waiting = boss.text(f"trials/{key}")

    trials.work_out(stage.container, stage.tenants["A"], key)

    assert "being tried" in waiting
    assert "Publish this rule" not in page.text + waiting
    over = boss.get(f"trials/{key}")
    assert "What it would do" in over.text
    seen = field(over.text, "seen")
    done = post(
        boss, f"{PLACE}/publish", seen=seen, mastered=field(over.text, "mastered"), reason="y"
    )
    assert "Publish this rule" in over.text
    assert (done.status_code, said(stage)) == (303, {"mastered": 1})
    other = Visitor(stage, stage.same_issuer, **ADMINISTRATOR)
    assert other.get(f"trials/{key}").status_code == 404


@pytest.mark.usefixtures("large")
def test_the_page_asks_by_itself_how_far_a_trial_is(stage, boss):
    key = trial_of(post(boss, PLACE, mastered="1"))
    address, asks = f"{boss.base}/trials/{key}", {"HX-Request": "true"}

    waiting = boss.browser.get(address, headers=asks)
    trials.work_out(stage.container, stage.tenants["A"], key)
    over = boss.browser.get(address, headers=asks)

    assert "every 2s" in waiting.text
    assert "HX-Retarget" not in waiting.headers
    assert over.headers["HX-Retarget"] == "#trial"
    assert "Publish this rule" in over.text
    assert "every 2s" not in over.text


@pytest.mark.usefixtures("large")
def test_publishing_without_waiting_is_a_choice_that_the_trail_tells(stage, boss):
    page = post(boss, PLACE, mastered="1").text
    assert "Publish without waiting" in page

    post(
        boss,
        f"{PLACE}/publish",
        seen=field(page, "seen"),
        unseen="yes",
        mastered="1",
        reason="Now.",
    )

    with reading(stage.container.engine) as connection:
        newest = changes_of(connection, stage.tenants["A"], most=1)[0]
    assert newest.reason == "Now. (Published before its effect was known.)"


@pytest.mark.usefixtures("large")
def test_a_trial_that_nothing_is_heard_of_is_told(stage, boss):
    key = trial_of(post(boss, PLACE, mastered="1"))

    stage.clock.pass_time(minutes=4)

    assert "may never be over" in boss.text(f"trials/{key}")


def test_a_trial_says_the_same_as_one_waited_for(stage, boss, monkeypatch):
    waited = post(boss, PLACE, mastered="1", minimum_evidence="1").text
    monkeypatch.setattr(trials, "AT_ONCE", 0)
    page = post(boss, PLACE, mastered="1", minimum_evidence="1").text
    key = re.search(r"/trials/([0-9a-f]{16})", page)[1]
    trials.work_out(stage.container, stage.tenants["A"], key)

    def effect(text):
        told = re.search(r"<section aria-labelledby=.effect.*?</section>", text, re.DOTALL)[0]
        return re.sub(r"\s+|trials/[0-9a-f]+", " ", told)

    assert effect(boss.get(f"trials/{key}").text) == effect(waited)


def test_an_example_is_explained_as_it_is_and_as_it_would_be(stage, ids, boss):
    page = post(boss, PLACE, mastered="1", minimum_evidence="1")
    address = re.search(r"trials/[0-9a-f]{16}/learners/\d+/\d+", page.text)[0]

    text = boss.text(address)

    assert "Why now and why then" in text
    now, then = text.split("With the change")
    assert "3.00 (Proficient) or more" in now
    assert "is 1.00" in then
    assert "of at least 1 piece of evidence" in then
    for claims in (TEACHER, GUARDIAN):
        assert Visitor(stage, **claims).get(address).status_code == 403
    assert Visitor(stage, stage.same_issuer, **ADMINISTRATOR).get(address).status_code == 404
    key = trial_of(page)
    for unknown in (f"{ids.learner['Ada']}/999", f"999/{ids.competency['N.1']}"):
        assert boss.get(f"trials/{key}/learners/{unknown}").status_code == 404


def test_a_learner_without_work_for_a_competency_is_explained_too(ids, boss):
    key = trial_of(post(boss, PLACE, mastered="1"))

    text = boss.text(f"trials/{key}/learners/{ids.learner['Chidi']}/{ids.competency['N.2']}")

    assert "There is no evidence yet" in text


def test_a_day_to_come_and_one_that_has_been_are_explained(boss):
    later = post(boss, PLACE, mastered="2", **{"from": "2030-12-24"}).text
    past = post(boss, PLACE, mastered="2", **{"from": "2020-01-01"}).text

    assert "as if it held already" in later
    assert "What stood on a past day is still shown as it stood then" in past


def test_a_day_before_that_of_the_rule_in_force_is_refused(boss):
    publish(boss, mastered="2.5")

    done = post(boss, PLACE, mastered="2", **{"from": "2020-01-01"})

    assert done.status_code == 422
    assert "go on holding" in done.text


def test_a_rule_that_is_to_come_is_called_off(stage, boss):
    publish(boss, mastered="2.5")
    stage.clock.pass_time(hours=1)
    publish(boss, mastered="2", **{"from": "2030-12-24"})
    page = boss.get(PLACE).text
    number = re.search(r"Call off version (\d+)", page)[1]

    done = post(boss, f"{PLACE}/call-off", version=number, reason="No.")
    again = post(boss, f"{PLACE}/call-off", version=number, reason="No.")

    assert (done.status_code, again.status_code) == (303, 404)
    assert "to come" not in boss.text(PLACE).split("What was said here")[1]
    stage.clock.pass_time(days=2000)
    assert said(stage) == {"mastered": 2.5}
    assert "Go back" not in Visitor(stage, **ADMINISTRATOR, sub="boss").text(PLACE)


def test_saying_the_same_again_is_told(boss):
    publish(boss, mastered="2.5")

    assert publish(boss, mastered="2.5").headers["Location"].endswith("published=no_news")


def test_what_districts_ask_for_is_said_in_fields(stage, boss):
    fields = {
        "method": "recent_n",
        "number_n": "4",
        "criteria_k": "1",
        "criteria_kind": "application",
        "criteria_m": "2",
        "criteria_of": "day",
        "policy_attempts": "last_few",
        "policy_last_few": "2",
    }

    publish(boss, **fields)

    assert said(stage) == {
        "method": "recent_n",
        "parameters": {"n": 4.0},
        "criteria": {
            "all": [{"situations": 2, "of": "day"}, {"evidence": 1, "kind": "application"}]
        },
        "policy": {"attempts": "last_few", "last_few": 2},
    }
    page = boss.get(PLACE).text
    assert field(page, "number_n") == "4"
    assert field(page, "criteria_m") == "2"
    assert publish(boss, **fields).headers["Location"].endswith("no_news")


def test_a_changed_scale_is_another_version_of_it(stage, boss):
    page = boss.get(f"{PLACE}?scale=held").text
    names = re.findall(r'name="(level_\d+_\w+|scale_name)"', page)
    fields = {name: html.unescape(field(page, name)) for name in names}
    same = post(boss, PLACE, **fields)

    publish(boss, **{**fields, "level_3_label": "Secure", "level_3_cut": "2.8"})

    scale = said(stage)["scale"]
    assert same.status_code == 200
    assert scale["version"] == 2
    assert scale["levels"][2] == {"label": "Secure", "points": 3.0, "symbol": "◕", "cut": 0.7}
    assert len(scale["levels"]) == 4
    assert field(boss.get(PLACE).text, "level_3_cut") == "2.8"
