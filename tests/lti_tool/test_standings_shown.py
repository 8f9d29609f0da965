"""How a page words what a standing holds: scales of rules, judgements, what time does."""

import pytest
from sqlalchemy import update

from mapping.records import LinkKind
from mapping.rules.mastery_rule import MasteryRule
from mapping.scales import Level, RatingScale
from mapping.status import OverrideState, Status
from store import rules
from store.session import writing
from store.tables import competency_links, standings
from tests.lti_tool.classroom import TEACHER, fill
from tests.lti_tool.test_pages import Visitor

SCALE = RatingScale(
    levels=(
        Level(label="Beginning", points=1.0, symbol="a", cut=0.0),
        Level(label="Growing", points=4.0, symbol="b", cut=0.4),
        Level(label="Secure", points=10.0, symbol="c", cut=0.8),
    )
)


@pytest.fixture
def ids(stage):
    return fill(stage)


def stand(stage, ids, code, **values):
    with stage.container.engine.begin() as connection:
        connection.execute(
            update(standings)
            .where(standings.c.competency_id == ids.competency[code])
            .values(**values)
        )


def judged_by(stage, **rule):
    with writing(stage.container.engine) as connection:
        return rules.effective_rule(connection, stage.tenants["A"], MasteryRule(**rule))


def test_a_level_has_the_name_of_the_scale_that_it_was_judged_on(stage, ids):
    rule = judged_by(stage, scale=SCALE, mastered=8.0)
    stand(
        stage,
        ids,
        "N.1",
        status=int(Status.DEVELOPING),
        level=1,
        estimate=4.5,
        effective_rule_id=rule,
    )

    page = Visitor(stage).text()

    assert "◕ Growing" in page
    assert "Estimate 4.5 of 10" in page
    assert "◕ Growing" in Visitor(stage, **TEACHER).text()


def test_the_head_tells_the_scale_where_there_is_one(stage, ids):
    rule = judged_by(stage, scale=SCALE, mastered=8.0)

    plain = Visitor(stage, **TEACHER).text()
    stand(stage, ids, "N.1", effective_rule_id=rule)
    one = Visitor(stage, **TEACHER).text()
    stand(stage, ids, "N", effective_rule_id=judged_by(stage))
    several = Visitor(stage, **TEACHER).text()

    assert "The scale runs from 0 to 4; Mastered begins at 3." in plain
    assert "The scale runs from 0 to 10; Mastered begins at 8." in one
    assert "Competencies here have different rules or scales; each says its own." in several


@pytest.mark.parametrize(
    ("state", "sign", "words"),
    [
        (OverrideState.IN_FORCE, "*", "given by a teacher"),
        (OverrideState.OUT_OF_DATE, "*!", "given by a teacher; there is newer evidence"),
    ],
)
def test_a_given_status_is_marked_in_the_class_table(stage, ids, state, sign, words):
    stand(stage, ids, "N.1", override=int(state))

    html = Visitor(stage, **TEACHER).get().text

    assert f'<span aria-hidden="true">{sign}</span><span class="sr">, {words}</span>' in html
    assert f"{sign} given by a teacher" in html


@pytest.mark.usefixtures("ids")
def test_where_nothing_was_given_no_sign_is_explained(stage):
    assert "given by a teacher" not in Visitor(stage, **TEACHER).text()


@pytest.mark.parametrize(
    ("status", "short"),
    [(Status.RECHECK_DUE, "◉ Re-check due"), (Status.NOT_SUSTAINED, "◒ Not sustained")],
)
def test_what_time_does_is_in_the_key_where_it_is_in_the_table(stage, ids, status, short):
    before = Visitor(stage, **TEACHER).text()
    stand(stage, ids, "N.1", status=int(status))

    text = Visitor(stage, **TEACHER).text()

    assert status.label not in before
    assert f"{status.symbol} {status.label}" in text
    assert short in text
    assert f"{status.symbol} {status.label} 1" in Visitor(stage).text()


def test_a_re_check_that_is_due_counts_as_mastered(stage, ids):
    stand(stage, ids, "N.1", status=int(Status.RECHECK_DUE))

    assert "1 of 2 mastered" in Visitor(stage).text()


def test_counts_come_best_first(stage, ids):
    stand(stage, ids, "N.1", status=int(Status.NOT_SUSTAINED))

    text = Visitor(stage).text()

    order = [text.index(f"{one.symbol} {one.label} 1") for one in (Status.NOT_SUSTAINED,)]
    assert order[0] < text.index("◔ More evidence needed 1") < text.index("○ No evidence yet 1")


def test_a_learner_with_a_rule_of_retention_is_invited(stage):
    rule = MasteryRule(recheck_days=1).definition()
    fill(stage)
    with writing(stage.container.engine) as connection:
        rules.save_rule(connection, stage.tenants["A"], rule, now=stage.clock())
    stage.clock.pass_time(days=30)

    text = Visitor(stage).text()

    assert "now it is ◉ Mastered, re-check due" in text
    assert "First mastered on 17 Nov 2026. It stays mastered." in text
    assert "☑ Met:" in text


def test_evidence_of_an_equivalent_says_for_what_it_was_given(stage, ids):
    with stage.container.engine.begin() as connection:
        connection.execute(
            competency_links.insert().values(
                origin_id=ids.competency["N.1"],
                kind=LinkKind.EXACT_MATCH_OF.value,
                destination_id=ids.competency["N.2"],
            )
        )

    text = Visitor(stage).text()

    assert text.count("Quiz one") == 2
    assert "skill · shown for “I can do N.1”" in text
