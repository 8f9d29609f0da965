from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.columns import NO_MOMENT
from mapping.estimators import METHODS
from mapping.evidence.policy import Attempts, EvidencePolicy
from mapping.evidence.tables import KINDS, View
from mapping.explanation.advice import Goal, steps
from mapping.explanation.inquiry import Inquiry
from mapping.explanation.own_words import goals_of
from mapping.explanation.voice import PLAIN
from mapping.judgement.grounds import Grounds
from mapping.judgement.judging import judge
from mapping.records import EvidenceKind
from mapping.rules.clauses import (
    AllOf,
    ChildrenMastered,
    EstimateReaches,
    EvidenceReaches,
    LineItemCounts,
    NewestWithin,
    Situation,
    SituationsReach,
    SomeOf,
)
from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.rulebook import RuleBook
from mapping.scales import Level, RatingScale
from mapping.status import Status
from tests.mapping.tables import COMPETENCY, DAY, LEARNER, alignment_table, score_table
from tests.mapping.worlds import TWO_LEVELS, world

NOW = 100 * DAY


def grounds_of(rows, rule, alignments=(), *, at=NOW, line_items_of=()):
    items = sorted({row["line_item"] for row in rows})
    aligned = alignments or [{"line_item": item, "competency": COMPETENCY} for item in items]
    return Grounds(
        scores=score_table(*rows),
        alignments=alignment_table(*aligned),
        book=RuleBook.single(rule),
        line_items_of=dict(line_items_of),
        at=at,
    )


def scores_at(values, **columns):
    return [
        {
            "line_item": item,
            "learner": LEARNER,
            "points": value,
            "maximum": 4.0,
            "submitted_at": item * DAY,
            **columns,
        }
        for item, value in enumerate(values)
    ]


def case_of(grounds, *, learner=LEARNER, competency=COMPETENCY, view=View.TEACHER):
    return Inquiry.of(grounds, learner, view=view, voice=PLAIN).own(competency).case


def advised(values, rule, *, goal=Goal(), at=NOW, alignments=(), line_items_of=()):  # noqa: B008 - frozen
    grounds = grounds_of(scores_at(values), rule, alignments, at=at, line_items_of=line_items_of)
    return steps(case_of(grounds), (goal,))


def further(step):
    """The one step by further evidence."""
    (found,) = [one for one in step if not one.is_attempt]
    return found


def test_the_step_is_the_fewest_pieces_at_the_least_value():
    step = further(advised([2.0, 2.0], MasteryRule()))

    assert (len(step.extras), step.least) == (2, 4.0)


def test_a_new_attempt_at_the_weakest_piece_is_told_where_it_is_smaller():
    attempt, step = advised([2.0, 3.0, 3.5], MasteryRule())

    assert (attempt.extras[0].attempt_at, attempt.least) == (0, 2.5)
    assert (len(step.extras), step.least) == (1, 3.5)


@pytest.mark.parametrize("attempts", [Attempts.ALL, Attempts.LAST_FEW])
def test_where_attempts_do_not_replace_one_another_none_is_advised(attempts):
    rule = MasteryRule(policy=EvidencePolicy(attempts=attempts))

    assert not any(step.is_attempt for step in advised([2.0, 3.0, 3.5], rule))


def test_an_activity_that_is_gone_is_not_advised_again():
    rows = scores_at([2.0, 3.0, 3.5], is_removed=True)

    found = steps(case_of(grounds_of(rows, MasteryRule())), (Goal(),))

    assert not any(step.is_attempt for step in found)


def test_evidence_of_the_kind_asked_for_is_part_of_the_step():
    rule = MasteryRule(criteria=EvidenceReaches(count=1, kind=EvidenceKind.APPLICATION))

    step = further(advised([3.5, 3.5], rule))

    assert [extra.kind for extra in step.extras] == [EvidenceKind.APPLICATION]
    assert step.least == 2.0


def test_several_clauses_are_met_by_one_piece_where_that_is_enough():
    criteria = AllOf(
        clauses=(
            EvidenceReaches(count=1, kind=EvidenceKind.APPLICATION),
            SituationsReach(count=2, of=Situation.COURSE),
            SituationsReach(count=2, of=Situation.KIND),
            SituationsReach(count=3),
            EvidenceReaches(count=3),
            LineItemCounts(pattern="*final*"),
            EstimateReaches(points=3.0),
            NewestWithin(days=10),
        )
    )

    (extra,) = further(advised([3.5, 3.5], MasteryRule(criteria=criteria))).extras

    assert (extra.kind, extra.course, extra.pattern) == (EvidenceKind.APPLICATION, None, "*final*")


def test_another_kind_is_one_that_counts():
    rule = MasteryRule(
        criteria=SituationsReach(count=3, of=Situation.KIND),
        policy=EvidencePolicy(kind_weights={EvidenceKind.SKILL: 0.0}),
    )

    step = further(advised([3.5, 3.5], rule))

    assert [e.kind for e in step.extras] == [EvidenceKind.APPLICATION, EvidenceKind.OBSERVATION]


def test_another_day_takes_a_day():
    rule = MasteryRule(criteria=SituationsReach(count=4, of=Situation.DAY))

    step = further(advised([3.5, 3.5], rule))

    assert [extra.days for extra in step.extras] == [0, 1]


def test_of_alternatives_the_one_with_the_least_to_do_is_told():
    rule = MasteryRule(
        criteria=SomeOf(
            count=1,
            clauses=(
                EvidenceReaches(count=9),
                EvidenceReaches(count=1, kind=EvidenceKind.EXTERNAL),
                ChildrenMastered(),
            ),
        )
    )

    step = further(advised([3.5, 3.5], rule))

    assert [extra.kind for extra in step.extras] == [EvidenceKind.EXTERNAL]


def test_what_no_evidence_can_meet_has_no_step():
    step = further(advised([3.5, 3.5], MasteryRule(criteria=ChildrenMastered())))

    assert (step.least, step.is_higher_enough) == (None, False)


def test_what_only_a_better_earlier_score_can_meet_is_told_apart():
    step = further(advised([1.0], MasteryRule(mastered=4.0)))

    assert (step.least, step.is_higher_enough) == (None, True)


def test_outside_time_further_evidence_comes_after_all_that_is_known():
    step = further(advised([4.0, 1.0], MasteryRule(method="latest"), at=None))

    assert (len(step.extras), step.least) == (1, 3.0)


def test_without_any_evidence_there_is_a_step_too():
    grounds = grounds_of([], MasteryRule(), [{"line_item": 1, "competency": COMPETENCY}], at=None)

    step = further(steps(case_of(grounds), (Goal(),)))

    assert (len(step.extras), step.least) == (2, 3.0)
    assert step.extras[0].kind is EvidenceKind.SKILL


@pytest.mark.parametrize(("top", "least"), [(1.125, 1.125), (100.0, 87.13), (1.128, 1.128)])
def test_the_least_value_is_a_hundredth_of_the_scale_or_its_top(top, least):
    scale = RatingScale(
        levels=(
            Level(label="Not yet", points=0.0, symbol="o", cut=0.0),
            Level(label="Met", points=top, symbol="x", cut=1.0),
        )
    )
    rule = MasteryRule(mastered=least - 1e-4, minimum_evidence=1, scale=scale, method="latest")

    assert further(advised([0.0], rule)).least == least


@given(
    st.sampled_from([name for name, how in METHODS.items() if how.is_monotone]),
    st.lists(st.integers(0, 16).map(lambda n: n / 4), min_size=1, max_size=6),
)
@settings(max_examples=40, deadline=None)
def test_a_step_of_a_monotone_method_has_no_smaller_one(method, values):
    rule = MasteryRule(method=method)
    goals = goals_of(standing(values, rule), -1, rule)

    for step in advised(values, rule, goal=goals[-1]) if goals else ():
        if step.least and not step.is_attempt:
            count = len(step.extras)
            assert standing(values, rule, [step.least] * count) is Status.MASTERED
            assert standing(values, rule, [step.least - 0.01] * count) is not Status.MASTERED
            if count > max(1, 2 - len(values)):
                assert standing(values, rule, [4.0] * (count - 1)) is not Status.MASTERED


def standing(values, rule, added=()):
    rows = scores_at([*values, *added])
    dated = [{**row, "submitted_at": NOW} for row in rows[len(values) :]]
    return Status(judge(grounds_of([*rows[: len(values)], *dated], rule)).status[0])


@given(st.integers(0, 10**6), st.sampled_from(View))
@settings(max_examples=15, deadline=None)
def test_doing_what_is_advised_reaches_what_is_promised(seed, view):
    some = world(seed, learners=2)
    some.overrides = []
    grounds = some.grounds()
    inquiry = Inquiry.of(grounds, 0, view=view, voice=PLAIN)

    for competency in (0, 2, 5):
        case, now = inquiry.own(competency).case, inquiry.computed_standing(competency)
        for step in steps(case, goals_of(now.status, now.level, case.rule)):
            top = case.rule.scale.top
            assert done(some, step, step.least or top, view) == (step.least is not None)
            if step.least and step.least < top:
                assert not done(some, step, step.least - 0.01, view)


def done(some, step, value, view):
    """Whether a learner of a world is at the goal with the pieces of a step added to the rows."""
    (competency,) = {extra.competency for extra in step.extras}
    scores = [row for row in some.scores if row["learner"] == 0]
    alignments, matched = list(some.alignments), dict(some.grounds().line_items_of)
    newest = max(
        [
            row[name]
            for row in scores
            for name in ("submitted_at", "due_at", "graded_at", "given_at")
        ]
        or [NO_MOMENT]
    )
    now = some.at if some.at is not None else newest + 1 if newest != NO_MOMENT else 0
    for number, extra in enumerate(step.extras):
        item = 1000 + number if extra.attempt_at is None else extra.attempt_at
        if extra.attempt_at is None:
            kind = KINDS.index(extra.kind)
            alignments.append({"line_item": item, "competency": competency, "kind": kind})
        if extra.pattern is not None:
            matched[extra.pattern] = matched.get(extra.pattern, frozenset()) | {item}
        moment = now + extra.days * DAY
        scores.append(
            {
                "line_item": item,
                "learner": 0,
                "points": value,
                "maximum": extra.top,
                "attempt": 99,
                "submitted_at": moment,
                "due_at": moment,
                "graded_at": moment,
                "course": 1000 + number if extra.course is None else extra.course,
            }
        )
    later = max(extra.days for extra in step.extras) * DAY
    table = judge(
        Grounds(
            scores=score_table(*Random(1).sample(scores, len(scores))),
            alignments=alignment_table(*alignments),
            book=some.book(),
            enrolments=some.grounds().enrolments,
            line_items_of=matched,
            at=None if some.at is None else some.at + later,
        ),
        view,
    )
    row = table.rows((table.learner == 0) & (table.competency == competency))
    return bool(step.goal.is_reached(row)[0])


def test_a_scale_of_two_levels_has_no_step_between():
    rule = MasteryRule(scale=TWO_LEVELS, mastered=7.0)

    assert goals_of(Status.EMERGING, 0, rule) == (Goal(),)
    assert np.isfinite(further(advised([1.0], rule)).least)
