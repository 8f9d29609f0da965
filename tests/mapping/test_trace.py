import re
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mapping import estimators
from mapping.columns import NO_MOMENT
from mapping.estimators import Method
from mapping.evidence import View, evidence
from mapping.progressions import Hierarchy
from mapping.records import EvidenceKind, ScoreState
from mapping.rules import MasteryRule
from mapping.scales import Level, RatingScale
from mapping.status import Status, standings
from mapping.trace import Part, trace
from tests.mapping.tables import (
    ALIGNMENTS,
    COMPETENCY,
    LEARNER,
    SCORES,
    alignment_table,
    evidence_of,
    score_table,
)

RULE = MasteryRule()
STRAND = 100
STRANDS = Hierarchy.of([(1, STRAND), (2, STRAND), (3, STRAND)])
VALUES = st.lists(st.integers(0, 16).map(lambda quarters: quarters / 4), max_size=6)


def traced(values, rule=RULE, weights=()):
    table = evidence_of({1: values}, weights=weights)
    return trace(table, rule, learner=LEARNER, competency=1)


def strand(by_competency):
    table = evidence_of(by_competency)
    return trace(table, RULE, learner=LEARNER, competency=STRAND, hierarchy=STRANDS)


def test_a_piece_says_what_it_is_and_that_it_counts():
    scores = score_table({"points": 75.0, "submitted_at": 86_400_000_000, "is_late": True})
    table = evidence(scores, alignment_table({"kind": 2, "weight": 2.0}))

    (piece,) = trace(table, RULE, learner=LEARNER, competency=COMPETENCY).pieces

    assert piece.occurred_at == datetime(1970, 1, 2, tzinfo=UTC)
    assert (piece.line_item, piece.attempt, piece.is_late) == (1, 1, True)
    assert (piece.points, piece.maximum, piece.value, piece.weight) == (75.0, 100.0, 3.0, 2.0)
    assert piece.kind is EvidenceKind.APPLICATION
    assert (piece.is_counted, piece.why) == (True, "It counts.")


def test_a_piece_that_does_not_count_says_why():
    scores = score_table({"state": ScoreState.MISSING, "points": None})

    (piece,) = trace(
        evidence(scores, alignment_table({})), RULE, learner=LEARNER, competency=COMPETENCY
    ).pieces

    assert (piece.is_counted, piece.value, piece.points) == (False, None, None)
    assert piece.occurred_at is None
    assert piece.why == "It was not handed in; that is not counted as zero."


def test_a_hidden_score_stays_out_of_the_learners_trace():
    hidden = score_table({"is_visible": False, "points": 12.0, "submitted_at": NO_MOMENT})
    table = evidence(hidden, alignment_table({}), view=View.LEARNER)

    found = trace(table, RULE, learner=LEARNER, competency=COMPETENCY)

    assert (found.status, found.estimate) == (Status.NO_EVIDENCE, None)
    assert found.pieces[0].points is None


def test_the_formula_is_worked_with_its_numbers():
    assert traced([2.0, 3.0, None]).formula == "(2.00 + 3.00) / 2 = 2.50"


def test_the_rule_stands_above_it_in_words():
    assert traced([2.0]).rule == RULE.sentence()


def test_mastery_leaves_nothing_to_say():
    found = traced([3.0, 3.0])

    assert (found.clause, found.changes, found.mastered_count) == ("", (), 1)


def test_no_row_of_evidence_is_explained_too():
    found = trace(evidence_of({}), RULE, learner=LEARNER, competency=1)

    assert (found.status, found.pieces, found.formula) == (Status.NO_EVIDENCE, (), "")
    assert found.clause == "At least 2 pieces of evidence must count; so far none of them do."
    assert found.changes == (
        "2 more pieces of evidence are needed.",
        "2 more pieces of evidence, each at 3.00 or better, would reach Mastered.",
    )


def test_too_little_evidence_says_how_much_more_is_needed():
    found = traced([2.6])

    assert found.clause == "At least 2 pieces of evidence must count; so far 1 of them does."
    assert found.changes == (
        "1 more piece of evidence is needed.",
        "One more piece of evidence at 3.40 or better would reach Mastered.",
    )


def test_a_level_below_mastery_says_where_mastery_begins():
    assert traced([2.6, 2.6]).clause == "The weighted average is 2.60; Mastered begins at 3.00."


def test_an_estimate_just_below_the_cut_is_shown_apart_from_it():
    assert "is 2.998; Mastered begins at 3.00" in traced([2.998, 2.998]).clause


def test_developing_says_what_would_reach_mastered():
    assert traced([2.8, 2.8]).changes == (
        "One more piece of evidence at 3.40 or better would reach Mastered.",
    )


def test_emerging_says_the_smaller_step_first():
    assert traced([1.5, 1.5]).changes == (
        "One more piece of evidence at 3.00 or better would reach Developing.",
        "3 more pieces of evidence, each at 4.00, would reach Mastered.",
    )


def test_a_step_names_the_weight_it_is_meant_with_where_weights_differ():
    assert traced([2.8, 2.8], weights=[2.0, 1.0]).changes == (
        "One more piece of evidence of weight 1 at 3.60 or better would reach Mastered.",
    )


def test_any_level_is_enough_where_only_the_number_is_lacking():
    rule = MasteryRule(mastered=1.0, developing=0.5)

    assert traced([4.0], rule=rule).changes[1] == (
        "One more piece of evidence at any level would reach Mastered."
    )


def test_what_further_evidence_cannot_reach_is_said():
    rule = MasteryRule(mastered=4.0)

    (change,) = traced([3.0, 3.0], rule=rule).changes

    assert change == (
        "Even 10 more pieces of evidence at 4.00 would not reach Mastered; "
        "an earlier score would have to rise."
    )


def test_a_step_on_a_scale_that_is_no_whole_hundredth_stays_on_the_scale():
    levels = (
        Level(label="Not yet", points=0.0, symbol="o", cut=0.0),
        Level(label="Met", points=1.125, symbol="x", cut=1.0),
    )
    scale = RatingScale(levels=levels)
    rule = MasteryRule(mastered=1.125, developing=0.5, minimum_evidence=1, scale=scale)
    table = evidence(score_table(), alignment_table(), scale=scale)

    found = trace(table, rule, learner=LEARNER, competency=1)

    assert found.changes[1] == "One more piece of evidence at 1.125 would reach Mastered."


def test_a_method_that_gives_no_estimate_is_said(monkeypatch):
    silent = Method(
        name="silent",
        label="silent method",
        estimate=lambda values, weights, offsets: np.full(offsets.size - 1, np.nan),  # noqa: ARG005
        worked=lambda values, weights: "",  # noqa: ARG005
    )
    monkeypatch.setattr("mapping.rules.METHODS", {**estimators.METHODS, "silent": silent})

    found = traced([3.0, 3.0], rule=MasteryRule(method="silent"))

    assert (found.status, found.formula) == (Status.INSUFFICIENT, "")
    assert found.clause == "The evidence gives no silent method yet."


@given(VALUES)
def test_taking_the_step_named_reaches_what_it_names(values):
    found = traced(values)
    assume(found.changes)

    step = found.changes[-1]
    number = re.match(r"(One|\d+) more", step)
    assume(number)
    level = re.search(r"at (\d\.\d+)", step)
    count = 1 if number[1] == "One" else int(number[1])
    value = float(level[1]) if level else 0.0

    assert traced([*values, *[value] * count]).status is Status.MASTERED
    if value > 0.0:
        assert traced([*values, *[value - 0.01] * count]).status is not Status.MASTERED
    if count > max(1, 2 - len(values)):
        assert traced([*values, *[4.0] * (count - 1)]).status is not Status.MASTERED


@given(SCORES, ALIGNMENTS, st.integers(0, 3), st.integers(0, 12))
def test_a_trace_says_what_the_standings_say(scores, alignments, learner, competency):
    hierarchy = Hierarchy.of([(0, 10), (1, 10), (2, 11), (11, 12), (3, 4)])
    table = evidence(score_table(*scores), alignment_table(*alignments))
    judged = standings(table, RULE, hierarchy)

    found = trace(table, RULE, learner=learner, competency=competency, hierarchy=hierarchy)

    rows = np.flatnonzero((judged.learner == learner) & (judged.competency == competency))
    expected = [
        (judged.status[row], judged.evidence_count[row], judged.mastered_count[row]) for row in rows
    ] or [(Status.NO_EVIDENCE, 0, 0)]
    assert [(found.status, found.evidence_count, found.mastered_count)] == expected
    estimate = np.nan if found.estimate is None else found.estimate
    np.testing.assert_allclose([estimate] * len(rows), judged.estimate[rows], atol=1e-9)


def test_a_strand_is_explained_by_its_parts():
    found = strand({1: [4.0, 4.0], 2: [2.0, 2.0], 3: [4.0]})

    assert found.status is Status.DEVELOPING
    assert found.formula == "(4.00 + 2.00) / 2 = 3.00"
    assert found.clause == "2 of 3 with evidence are not mastered yet."
    assert found.changes == ("Mastering the 2 competencies not mastered yet would reach Mastered.",)
    assert found.parts[2] == Part(
        competency=3,
        status=Status.INSUFFICIENT,
        estimate=4.0,
        evidence_count=1,
        is_counted=False,
    )


def test_a_strand_one_competency_short_says_so():
    found = strand({1: [4.0, 4.0], 2: [2.0, 2.0]})

    assert found.clause == "1 of 2 with evidence is not mastered yet."
    assert found.changes == ("Mastering the one competency not mastered yet would reach Mastered.",)


def test_a_mastered_strand_leaves_nothing_to_say():
    found = strand({1: [4.0, 4.0]})

    assert (found.clause, found.changes, found.mastered_count) == ("", (), 1)


def test_a_strand_without_evidence_says_so():
    found = strand({})

    assert (found.status, found.formula) == (Status.NO_EVIDENCE, "")
    assert found.clause == "None of its competencies has evidence that counts."
    assert found.changes == ("Evidence for any of its competencies would give it a status.",)


def test_evidence_of_the_strand_itself_is_among_its_parts_and_pieces():
    found = strand({1: [4.0, 4.0], STRAND: [2.0, 2.0]})

    assert [part.competency for part in found.parts] == [1, STRAND]
    assert [piece.value for piece in found.pieces] == [2.0, 2.0]


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 1.0], [2.5, 2.5], [3.0, 3.0], [None]])
def test_no_words_of_a_trace_speak_of_failing(values):
    found = traced(values)

    text = " ".join([found.clause, found.rule, *found.changes, *(p.why for p in found.pieces)])
    assert not re.search(r"\b(fail\w*|behind)\b", text, re.IGNORECASE)
