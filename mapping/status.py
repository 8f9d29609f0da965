"""From evidence to mastery: one standing for each learner and competency, strands included."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Self

import numpy as np

from mapping.columns import BoolArray, CodeArray, FloatArray, IntArray, kept, runs
from mapping.estimators import evidence_count, segment_sum, weighted_average
from mapping.evidence import EvidenceTable
from mapping.progressions import Hierarchy
from mapping.rules import MasteryRule
from mapping.scales import reaches

STRAND_SENTENCE = (
    "A strand is Mastered when every one of its competencies that has evidence is mastered. "
    "Until then it follows the mean of its competencies that have enough evidence, up to "
    "Developing."
)
"""How competencies make up a strand, in plain words."""


class Status(IntEnum):
    """What the mastery rule says, lowest first.

    Source: product/requirements.md R16 for the words, experience.md 4.8 for the symbols, which
    say it without colour.
    """

    NO_EVIDENCE = 0
    INSUFFICIENT = 1
    EMERGING = 2
    DEVELOPING = 3
    MASTERED = 4

    @property
    def label(self) -> str:
        """The status for a person."""
        return _FACES[self][0]

    @property
    def symbol(self) -> str:
        """One character, filling up with the status."""
        return _FACES[self][1]

    @property
    def is_evidenced(self) -> bool:
        """Whether there is enough evidence to speak of a level."""
        return self >= Status.EMERGING


_FACES: Mapping[Status, tuple[str, str]] = MappingProxyType(
    {
        Status.NO_EVIDENCE: ("No evidence yet", "○"),
        Status.INSUFFICIENT: ("More evidence needed", "◔"),
        Status.EMERGING: ("Emerging", "◑"),
        Status.DEVELOPING: ("Developing", "◕"),
        Status.MASTERED: ("Mastered", "●"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StandingTable:
    """Standings in columns, ascending by learner and competency, one row for each pair.

    ``status`` holds codes of ``Status``; ``estimate`` is in scale points, NaN for none;
    ``mastered_count`` is 1 for a mastered competency without children, else the number of
    direct children that are mastered.
    """

    learner: IntArray
    competency: IntArray
    status: CodeArray
    estimate: FloatArray
    evidence_count: IntArray
    mastered_count: IntArray

    def __len__(self) -> int:
        return self.learner.size

    def rows(self, index: IntArray | BoolArray) -> Self:
        """These rows, in this order."""
        return type(self)(**{name: getattr(self, name)[index] for name in self.__slots__})


def standings(
    evidence: EvidenceTable, rule: MasteryRule, hierarchy: Hierarchy | None = None
) -> StandingTable:
    """Judge every learner and competency that has any row of evidence.

    A competency has no status but "no evidence" without a row that counts, and none but "more
    evidence needed" below the rule's minimum or where the method gives no estimate; else its
    unrounded estimate decides.

    A strand is made up of its direct children and, as one more component, of evidence aligned
    to itself. Its estimate is the mean of the components with enough evidence; its evidence
    count is the sum of all. It is mastered when every component that has counted evidence is
    mastered and there is one; else its estimate decides, up to Developing.

    Args:
        evidence: Of any number of learners.
        rule: Must be on the scale of the evidence.
        hierarchy: Strands and their children; None judges no strands.

    Returns:
        A row for each pair, strands with any evidence below them included.

    Raises:
        ValueError: Rule and evidence are on different scales.

    Source: contracts/mastery-methods.md 2.2, rows "Weighted mean" and "Parent roll-up".
    """
    if evidence.scale != rule.scale:
        raise ValueError("The rule and the evidence are on different scales")
    own = _own_standings(evidence, rule)
    return own if hierarchy is None else _rolled_up(own, rule, hierarchy)


def _own_standings(evidence: EvidenceTable, rule: MasteryRule) -> StandingTable:
    offsets = runs((evidence.learner, evidence.competency))
    is_counted = evidence.is_counted
    inner = kept(is_counted, offsets)
    estimate = rule.estimator()(evidence.value[is_counted], evidence.weight[is_counted], inner)
    count = evidence_count(inner)
    status = _judged(estimate, count, rule)
    return StandingTable(
        learner=evidence.learner[offsets[:-1]],
        competency=evidence.competency[offsets[:-1]],
        status=status,
        estimate=estimate,
        evidence_count=count,
        mastered_count=(status == Status.MASTERED).astype(np.int64),
    )


def _judged(estimate: FloatArray, count: IntArray, rule: MasteryRule) -> CodeArray:
    return _selected(
        (
            (count == 0, Status.NO_EVIDENCE),
            ((count < rule.minimum_evidence) | np.isnan(estimate), Status.INSUFFICIENT),
            (reaches(estimate, rule.mastered), Status.MASTERED),
            (reaches(estimate, rule.developing), Status.DEVELOPING),
        )
    )


def _selected(cases: Sequence[tuple[BoolArray, Status]]) -> CodeArray:
    conditions, statuses = zip(*cases, strict=True)
    chosen: CodeArray = np.select(conditions, statuses, Status.EMERGING).astype(np.int8)
    return chosen


def _rolled_up(own: StandingTable, rule: MasteryRule, hierarchy: Hierarchy) -> StandingTable:
    depth = hierarchy.depth_of(own.competency)
    settled = own.rows(depth == hierarchy.deepest)
    levels = [settled]
    for level in range(hierarchy.deepest - 1, -1, -1):
        settled = _settled(settled, own.rows(depth == level), rule, hierarchy=hierarchy)
        levels.append(settled)
    table = _joined(levels)
    return table.rows(np.lexsort((table.competency, table.learner)))


def _joined(tables: Sequence[StandingTable]) -> StandingTable:
    return StandingTable(
        **{
            name: np.concatenate([getattr(table, name) for table in tables])
            for name in StandingTable.__slots__
        }
    )


def _settled(
    children: StandingTable, own: StandingTable, rule: MasteryRule, *, hierarchy: Hierarchy
) -> StandingTable:
    """Standings of one level of the hierarchy, from the level below and its own evidence."""
    parts = _joined((children, own))
    target = np.concatenate((hierarchy.parent_of(children.competency), own.competency))
    is_child = np.arange(target.size) < len(children)
    order = np.lexsort((target, parts.learner))
    parts, target, is_child = parts.rows(order), target[order], is_child[order]
    offsets = runs((parts.learner, target))
    strands = _strands(parts, is_child, offsets, rule=rule)
    has_children = segment_sum(is_child.astype(np.float64), offsets) > 0.0
    plain = parts.rows(offsets[:-1])
    chosen = {
        name: np.where(has_children, getattr(strands, name), getattr(plain, name))
        for name in StandingTable.__slots__
    }
    return StandingTable(**{**chosen, "competency": target[offsets[:-1]]})


def _strands(
    parts: StandingTable, is_child: BoolArray, offsets: IntArray, *, rule: MasteryRule
) -> StandingTable:
    speaks = parts.status >= Status.EMERGING
    inner = kept(speaks, offsets)
    estimate = weighted_average(parts.estimate[speaks], np.ones(int(speaks.sum())), inner)
    is_mastered = parts.status == Status.MASTERED
    is_short = (parts.evidence_count > 0) & ~is_mastered
    count = _tally(parts.evidence_count, offsets)
    status = _selected(
        (
            (count == 0, Status.NO_EVIDENCE),
            (evidence_count(inner) == 0, Status.INSUFFICIENT),
            (_tally(is_short, offsets) == 0, Status.MASTERED),
            (reaches(estimate, rule.developing), Status.DEVELOPING),
        )
    )
    return StandingTable(
        learner=parts.learner[offsets[:-1]],
        competency=parts.competency[offsets[:-1]],
        status=status,
        estimate=estimate,
        evidence_count=count,
        mastered_count=_tally(is_mastered & is_child, offsets),
    )


def _tally(column: IntArray | BoolArray, offsets: IntArray) -> IntArray:
    return segment_sum(column.astype(np.float64), offsets).astype(np.int64)
