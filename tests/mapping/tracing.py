"""Learners to be explained, as tests need them."""

from dataclasses import replace

from mapping.columns import NO_MOMENT
from mapping.evidence.policy import EvidencePolicy
from mapping.evidence.tables import View
from mapping.explanation.trace import trace
from mapping.judgement.grounds import Grounds
from mapping.judgement.overrides import OverrideTable
from mapping.progressions.graph import Hierarchy
from mapping.records import ScoreState
from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.rulebook import RuleBook
from mapping.rules.strands import Rollup
from tests.mapping.tables import COMPETENCY, DAY, LEARNER, alignment_table, score_table

RULE = MasteryRule()


STRAND = 100


CODES = {1: "A.1", 2: "A.2", 3: "A.3", STRAND: "A"}


def grounds_of(scores, alignments=(), rule=RULE, **others):
    return Grounds(
        scores=score_table(*scores),
        alignments=alignment_table(*(alignments or [{}])),
        book=RuleBook.single(rule),
        **others,
    )


def rows_of(by_competency, weights=()):
    """Scores of one piece each on the scale of 0 to 4, a day apart, and their alignments."""
    values = [(c, value) for c, column in by_competency.items() for value in column]
    scores = [
        {
            "line_item": item,
            "state": ScoreState.MISSING if value is None else ScoreState.GRADED,
            "points": value,
            "maximum": 4.0,
            "submitted_at": item * DAY,
        }
        for item, (_, value) in enumerate(values)
    ]
    alignments = [
        {"line_item": item, "competency": c, "weight": weights[item] if weights else 1.0}
        for item, (c, _) in enumerate(values)
    ]
    return scores, alignments


def traced(values, rule=RULE, weights=(), **others):
    scores, alignments = rows_of({1: values}, weights)
    return trace(grounds_of(scores, alignments, rule, **others), learner=LEARNER, competency=1)


def strand(by_competency, rollup=None, *, codes=(), rule=RULE, **others):
    scores, alignments = rows_of(by_competency)
    grounds = grounds_of(
        scores,
        alignments,
        replace(rule, rollup=rollup or Rollup()),
        hierarchy=Hierarchy.of([(1, STRAND), (2, STRAND), (3, STRAND)]),
        codes=dict(codes),
        **others,
    )
    return trace(grounds, learner=LEARNER, competency=STRAND)


def seen(*scores, policy=None, view=View.TEACHER, **others):
    rule = replace(RULE, policy=policy or EvidencePolicy())
    grounds = grounds_of(scores, rule=rule, **others)
    return trace(grounds, learner=LEARNER, competency=COMPETENCY, view=view).pieces


def override(status, *, competency=1, given_at=50 * DAY, until=NO_MOMENT):
    return OverrideTable.of(
        {
            "learner": [LEARNER],
            "competency": [competency],
            "status": [status],
            "given_at": [given_at],
            "until": [until],
        }
    )
