"""Judging a few values by hand: what most tests of the engine begin with."""

from collections.abc import Mapping, Sequence
from typing import Any

from mapping.columns import NO_MOMENT
from mapping.evidence.tables import KINDS
from mapping.judgement.grounds import Grounds
from mapping.judgement.overrides import OverrideTable
from mapping.progressions.graph import Hierarchy
from mapping.records import EvidenceKind, ScoreState
from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.rulebook import RuleBook
from mapping.status import StandingTable
from tests.mapping.tables import DAY, LEARNER, alignment_table, score_table

Values = Mapping[int, Sequence[float | None]]


def grounds(by_competency: Values, rule: MasteryRule | None = None, **others: Any) -> Grounds:
    """A learner's values on the scale of 0 to 4, a day apart, oldest first; None is missing.

    Line items are numbered from 0, and so are the days; courses are 0 and 1 in turn, and so are
    kinds.
    """
    values = [(c, value) for c, column in by_competency.items() for value in column]
    scores = [
        {
            "line_item": item,
            "learner": LEARNER,
            "state": ScoreState.MISSING if value is None else ScoreState.GRADED,
            "points": value,
            "maximum": 4.0,
            "submitted_at": item * DAY,
            "course": item % 2,
        }
        for item, (_, value) in enumerate(values)
    ]
    kinds = [KINDS.index(kind) for kind in (EvidenceKind.RECALL, EvidenceKind.APPLICATION)]
    alignments = [
        {"line_item": item, "competency": c, "kind": kinds[item % 2]}
        for item, (c, _) in enumerate(values)
    ]
    return Grounds(
        scores=score_table(*scores),
        alignments=alignment_table(*alignments),
        book=RuleBook.single(rule or MasteryRule()),
        **others,
    )


def strands(*pairs: tuple[int, int]) -> Hierarchy:
    return Hierarchy.of(pairs)


def said(*rows: Mapping[str, int]) -> OverrideTable:
    full = [{"learner": LEARNER, "given_at": 0, "until": NO_MOMENT, **row} for row in rows]
    names = ("learner", "competency", "status", "given_at", "until")
    return OverrideTable.of({name: [row[name] for row in full] for name in names})


def row_of(table: StandingTable, competency: int, learner: int = LEARNER) -> dict[str, Any]:
    """One row, by column name."""
    (row,) = ((table.learner == learner) & (table.competency == competency)).nonzero()[0]
    return {name: getattr(table, name)[row].item() for name in StandingTable.__slots__}
