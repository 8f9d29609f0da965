"""From scores to evidence: what each gradebook cell says about which competency.

A row of evidence is a score seen through an alignment. Rows that do not count stay, with the
reason, so that a person can be told; a missing score is one of them and never a zero.
"""

import numpy as np

from mapping.columns import NO_MOMENT, CodeArray, FloatArray, IntArray, kept, runs
from mapping.evidence.cells import Cells, fractions
from mapping.evidence.matches import Matches
from mapping.evidence.policy import EvidencePolicy
from mapping.evidence.tables import (
    KINDS,
    AlignmentTable,
    EvidenceTable,
    Reason,
    ScoreTable,
    View,
)
from mapping.ordering import ordering
from mapping.scales import DEFAULT_SCALE, RatingScale
from mapping.steps import stepped


def evidence(
    scores: ScoreTable,
    alignments: AlignmentTable,
    *,
    scale: RatingScale = DEFAULT_SCALE,
    view: View = View.TEACHER,
    policy: EvidencePolicy | None = None,
    at: int | None = None,
) -> EvidenceTable:
    """See scores through alignments.

    Args:
        scores: Any order; the order of learner, line item and attempt is the fastest.
        alignments: Which line item speaks for which competency.
        scale: What values are measured on; scores above their range are clamped to its top.
        view: Whose eyes the evidence is for. To the learner, a hidden score neither counts nor
            shows its points, and everything is as if it had never been graded.
        policy: Which evidence counts, and how much; the default one if None.
        at: The moment it is judged at, in microseconds; what is dated later does not count. None
            for no such limit.

    Returns:
        One row for each score and competency its line item speaks for.

    Source: contracts/mastery-methods.md 2.4.
    """
    policy = policy or EvidencePolicy()
    matches = Matches.of(scores, alignments)
    cells = Cells.of(matches, policy, view, at=at)
    # Rows that agree keep the order of line items and attempts.
    seen = ordering((matches.pair, cells.occurred_at[matches.row]))
    row, aligned, pair = matches.row[seen], matches.aligned[seen], matches.pair[seen]
    weight, unheard = weighed(alignments, policy)
    table = EvidenceTable(
        scale=scale,
        learner=matches.learner[pair],
        competency=matches.competency[pair],
        line_item=scores.line_item[row],
        occurred_at=cells.occurred_at[row],
        attempt=scores.attempt[row],
        points=cells.points[row],
        maximum=scores.maximum[row],
        value=values_of(fractions(scores, cells.points), alignments, (row, aligned), scale=scale),
        weight=weight[aligned],
        kind=alignments.kind[aligned],
        course=scores.course[row],
        via=alignments.via[aligned],
        steps=alignments.steps[aligned],
        is_late=scores.is_late[row],
        reason=np.where(cells.reason[row] == Reason.COUNTED, unheard[aligned], cells.reason[row]),
    )
    table.reason[_lowest(table, policy.drop_lowest_from)] = Reason.LOWEST
    return table


def next_arrival(table: EvidenceTable, offsets: IntArray) -> IntArray:
    """When the first piece that is dated in the future will be there, for each segment.

    Args:
        table: Evidence as seen at a moment.
        offsets: Length segments + 1, from 0 to rows.

    Returns:
        Microseconds, later than that moment; ``NO_MOMENT`` where nothing is to come.
    """
    is_future = np.equal(table.reason, Reason.FUTURE)
    inner = kept(is_future, offsets)
    found = np.full(offsets.size - 1, NO_MOMENT)
    starts = inner[:-1][np.diff(inner) > 0]
    found[np.diff(inner) > 0] = np.minimum.reduceat(table.occurred_at[is_future], starts)
    return found


def values_of(
    share: FloatArray,
    alignments: AlignmentTable,
    places: tuple[IntArray, IntArray],
    *,
    scale: RatingScale,
) -> FloatArray:
    """What pieces of evidence are worth, each as its alignment takes a score.

    Args:
        share: Of what was possible, for each score.
        alignments: The alignments.
        places: For each piece its rows among the scores and among the alignments.
        scale: What values are measured on.

    Returns:
        Scale points, of length pieces.
    """
    row, aligned = places
    if not alignments.steps.any():
        return scale.to_scale(share)[row]
    return stepped(share[row], alignments.steps[aligned], scale)


def weighed(alignments: AlignmentTable, policy: EvidencePolicy) -> tuple[FloatArray, CodeArray]:
    """What each alignment weighs with its kind, and why it is not heard if it is not.

    Args:
        alignments: The alignments.
        policy: What kinds weigh.

    Returns:
        Weights and codes of ``Reason``, of length alignments.
    """
    of_kind = np.array([policy.kind_weights[kind] for kind in KINDS])[alignments.kind]
    weight = alignments.weight * of_kind
    unheard = np.full(weight.size, Reason.COUNTED, dtype=np.int8)
    # A product too small for a float is 0, too.
    unheard[weight == 0.0] = Reason.NO_WEIGHT
    unheard[(of_kind == 0.0) & (alignments.weight > 0.0)] = Reason.KIND
    return weight, unheard


def _lowest(table: EvidenceTable, least_count: int) -> IntArray:
    """The rows that ``lowest_of`` finds among those that count."""
    if least_count < 1:
        return np.zeros(0, dtype=np.int64)
    offsets = kept(table.is_counted, runs((table.learner, table.competency)))
    counted = np.flatnonzero(table.is_counted)
    return counted[lowest_of(table.value[counted], offsets, least_count)]


def lowest_of(values: FloatArray, offsets: IntArray, least_count: int) -> IntArray:
    """The lowest value of each segment with so many or more, of equal ones the first.

    Args:
        values: Of the pieces that count.
        offsets: Length segments + 1, from 0 to rows, never falling.
        least_count: 1 or more.

    Returns:
        Row numbers, one for each such segment.

    Source: contracts/mastery-methods.md 2.4, row "Drop lowest / outlier".
    """
    sizes = np.diff(offsets)
    starts, sizes = offsets[:-1][sizes > 0], sizes[sizes > 0]
    if starts.size == 0:
        return starts
    is_lowest = values == np.repeat(np.minimum.reduceat(values, starts), sizes)
    place = np.where(is_lowest, np.arange(values.size), values.size)
    return np.minimum.reduceat(place, starts)[sizes >= least_count]
