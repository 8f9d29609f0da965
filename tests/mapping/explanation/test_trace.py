import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.estimators import METHODS
from mapping.evidence.tables import View
from mapping.explanation.trace import trace, traces
from mapping.explanation.voice import Voice
from mapping.judgement.judging import judge
from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.rulebook import RuleBook
from mapping.status import OverrideState, Status
from tests.mapping.tables import LEARNER
from tests.mapping.tracing import (
    RULE,
    grounds_of,
    rows_of,
    seen,
    traced,
)
from tests.mapping.trees import SHOUTING
from tests.mapping.worlds import PARENTS, TWO_LEVELS, world


def test_a_hidden_score_does_not_appear_in_the_learners_trace():
    assert seen({"is_visible": False, "points": 12.0}, view=View.LEARNER) == ()


@given(st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_hidden_points_change_nothing_that_the_learner_is_told(seed):
    some = world(seed, learners=1)
    others = replace(
        some,
        scores=[
            row if row["is_visible"] else {**row, "points": 1.0, "submitted_at": 7}
            for row in some.scores
        ],
    )
    one, two = (
        traces(each.grounds(), learner=0, competencies=(0, 3, 4, 10, 20), view=View.LEARNER)
        for each in (some, others)
    )

    assert one == two


@given(st.integers(0, 10**6), st.sampled_from(View))
@settings(max_examples=15, deadline=None)
def test_a_trace_says_what_the_standings_say(seed, view):
    some = world(seed, learners=2)
    grounds = some.grounds()
    table = judge(grounds, view)
    competencies = [*range(6), 10, 20, 30]

    found = traces(grounds, learner=1, competencies=competencies, view=view)

    mine = table.rows(table.learner == 1)
    for competency, told in zip(competencies, found, strict=True):
        row = mine.rows(mine.competency == competency)
        expected = Status(row.status[0]) if len(row) else Status.NO_EVIDENCE
        assert told.status is expected
        if len(row):
            assert told.evidence_count == row.evidence_count[0]
            assert told.mastered_count == row.mastered_count[0]
            assert told.override == row.override[0]
            assert told.level == row.level[0]
            np.testing.assert_allclose(
                np.nan if told.estimate is None else told.estimate, row.estimate[0], atol=1e-9
            )
        assert_consistent(told)


def assert_consistent(told):
    """What a trace says of one thing in several places agrees."""
    are_met = all(line.is_met for line in told.clauses if line.depth == 0)
    if told.computed in (Status.MASTERED, Status.EMERGING, Status.DEVELOPING):
        assert (told.computed is Status.MASTERED) == are_met
    assert (told.clause == "") == told.computed.is_mastered
    assert told.changes or told.status is Status.MASTERED
    assert (told.override is OverrideState.NONE) <= (told.status is told.computed)


@pytest.mark.parametrize("method", METHODS)
def test_the_formula_ends_in_the_estimate_that_is_shown(method):
    found = traced([3.5, 2.75, 3.25, 3.0, 4.0], MasteryRule(method=method))

    assert re.findall(r"\d+\.\d+", found.formula)[-1] == f"{found.estimate:.2f}"


def test_the_formula_is_worked_with_its_numbers():
    assert traced([2.0, 3.0, None]).formula == "(2.00 + 3.00) / 2 = 2.50"


def test_the_rule_stands_above_it_in_words_with_where_it_was_set():
    found = traced([2.0])

    assert found.rule == RULE.sentence()
    assert found.origin == RuleBook.single(RULE).rules[0].origin_sentence()


def test_a_method_without_order_says_so():
    plain, ordered = traced([2.0]).policy, traced([2.0], MasteryRule(method="latest")).policy

    assert plain[0] == (
        "The weighted average does not look at the order: a new piece counts as an old one."
    )
    assert not any("does not look" in line for line in ordered)


def test_a_note_of_the_method_is_told():
    assert METHODS["mode"].note
    assert traced([2.0], MasteryRule(method="mode")).policy[-1] == METHODS["mode"].note


def test_mastery_leaves_nothing_to_say():
    found = traced([3.0, 3.0])

    assert (found.clause, found.changes, found.mastered_count) == ("", (), 1)
    assert found.remarks == ("First mastered on 2 Jan 1970.",)


def test_no_row_of_evidence_is_explained_too():
    found = trace(grounds_of([], [{}]), learner=LEARNER, competency=1)

    assert (found.status, found.pieces, found.formula) == (Status.NO_EVIDENCE, (), "")
    assert found.confidence == ""
    assert found.clause == "At least 2 pieces of evidence must count; so far none do."
    assert found.changes == (
        "2 more pieces of evidence are needed.",
        "2 more pieces of evidence, each at 3.00 (Proficient) or better, would reach Mastered.",
    )


def test_a_formula_rounded_up_to_the_cut_says_what_it_was_before():
    found = traced([2.998, 2.998])

    assert found.formula == "(2.998 + 2.998) / 2 = 3.00 (before rounding 2.998)"


@pytest.mark.parametrize(
    ("values", "sure"),
    [
        ([3.0], "Thin evidence: only 1 piece counts, so the next one may change much."),
        ([3.0, 2.0], "Thin evidence: 2 pieces count, so the next one may change much."),
        ([2.0, 4.0] * 3, "Fair evidence: 6 pieces count, spread 1.00 points around their average."),
        ([3.0] * 5, "Good evidence: 5 pieces count, and they agree well."),
    ],
)
def test_how_much_the_evidence_says_is_told(values, sure):
    assert traced(values).confidence == sure


def test_weights_that_differ_make_fewer_pieces_of_it():
    assert (
        "by their weights as good as 1.80 equal ones"
        in traced([3.0, 3.0], weights=[1.0, 0.5]).confidence
    )


def test_the_words_can_be_said_in_another_language_and_calendar():
    scores, alignments = rows_of({1: [2.0, 2.0, None]})
    voice = Voice(words=SHOUTING, day=lambda moment: f"<{moment.year}>")

    found = trace(grounds_of(scores, alignments), learner=LEARNER, competency=1, voice=voice)

    text = " ".join([*found.changes, found.clause, *(piece.why for piece in found.pieces)])
    # What is put in stays as it is: labels of levels and of statuses.
    assert re.findall(r"[a-z]+", re.sub(r"Mastered|Developing|weighted average", "", text)) == []
    assert "<1970>" in text


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 1.0], [2.5, 2.5], [3.0, 3.0], [None]])
def test_no_words_of_a_trace_speak_of_failing(values):
    found = traced(values)

    text = " ".join([found.clause, found.rule, *found.changes, *(p.why for p in found.pieces)])
    assert not re.search(r"\b(fail\w*|behind)\b", text, re.IGNORECASE)


@given(st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_every_text_of_a_trace_reads_as_a_sentence(seed):
    grounds = world(seed, learners=1).grounds()
    competencies = [*range(6), *set(PARENTS.values())]
    wrong = re.compile(r"  | ,| \.|\b1 (pieces|tasks|days|activities)\b|\{|\}")

    for found in traces(grounds, learner=0, competencies=competencies):
        for text in (
            *found.changes,
            *found.remarks,
            *found.policy,
            *(piece.why for piece in found.pieces),
            *(line.detail for line in found.clauses),
            *filter(None, (found.clause, found.confidence, found.rule)),
        ):
            assert re.fullmatch(r"[A-Z0-9].*[^ .]\.", text), text
            assert not wrong.search(text), text
            assert not re.search(r"\b(fail\w*|behind)\b", text, re.IGNORECASE), text


def test_a_scale_of_other_levels_gives_the_words():
    found = traced([1.0, 1.0], MasteryRule(scale=TWO_LEVELS, mastered=7.0))

    assert found.label == "Not yet"
