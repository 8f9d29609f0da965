"""From scores to evidence: what each gradebook cell says about which competency.

A row of evidence is a score seen through an alignment. Rows that do not count stay, with the
reason, so that a person can be told; a missing score is one of them and never a zero.
"""

import numpy as np

from mapping.columns import NO_MOMENT, CodeArray, FloatArray, IntArray, kept, runs
from mapping.evidence.attempts import Retries
from mapping.evidence.cells import fractions, moments, points_of, reasons, settle_attempts
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
    is_shown = scores.is_visible | (view is View.TEACHER)
    occurred_at = moments(scores, policy.dated, is_shown)
    points = points_of(scores, policy.late, is_shown)
    order = ordering((scores.learner, scores.line_item, scores.attempt))
    reason = settle_attempts(
        reasons(scores, points, occurred_at, is_shown=is_shown, policy=policy, at=at),
        scores,
        Retries.of(scores, order, occurred_at),
        points=points,
        policy=policy,
    )
    row, pair = _joined(scores, order, alignments, occurred_at=occurred_at)
    weight, unheard = _weighed(alignments, policy)
    seen = EvidenceTable(
        scale=scale,
        learner=scores.learner[row],
        competency=alignments.competency[pair],
        line_item=scores.line_item[row],
        occurred_at=occurred_at[row],
        attempt=scores.attempt[row],
        points=points[row],
        maximum=scores.maximum[row],
        value=scale.to_scale(fractions(scores, points))[row],
        weight=weight[pair],
        kind=alignments.kind[pair],
        course=scores.course[row],
        via=alignments.via[pair],
        is_late=scores.is_late[row],
        reason=np.where(reason[row] == Reason.COUNTED, unheard[pair], reason[row]),
    )
    seen.reason[_lowest(seen, policy.drop_lowest_from)] = Reason.LOWEST
    return seen


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


def _joined(
    scores: ScoreTable, order: IntArray, alignments: AlignmentTable, *, occurred_at: IntArray
) -> tuple[IntArray, IntArray]:
    """Row numbers of every score and alignment of one line item, in the order of evidence."""
    row, pair = _paired(scores.line_item[order], alignments.line_item)
    row = order[row]
    # Rows that agree keep the order of line items and attempts.
    seen = ordering((scores.learner[row], alignments.competency[pair], occurred_at[row]))
    return row[seen], pair[seen]


def _paired(scored: IntArray, aligned: IntArray) -> tuple[IntArray, IntArray]:
    """Row numbers of every pair of equal ids; ``aligned`` ascends."""
    starts = runs((aligned,))
    place = _places(scored, aligned[starts[:-1]])
    # What is in no alignment has the place after the last, of size 0.
    times = np.append(np.diff(starts), 0)[place]
    row = np.repeat(np.arange(scored.size), times)
    before = np.cumsum(times) - times
    return row, np.arange(row.size) + np.repeat(starts[place] - before, times)


def _places(values: IntArray, among: IntArray) -> IntArray:
    """Where each value stands among ascending ones, all different; after the last if nowhere."""
    if among.size and among[-1] - among[0] < values.size:
        # Ids that lie close together are looked up in a list of all between, not searched for.
        low, high = int(among[0]), int(among[-1])
        is_within = (values >= low) & (values <= high)
        listed = np.full(high - low + 1, among.size)
        listed[among - low] = np.arange(among.size)
        return np.where(is_within, listed[np.clip(values, low, high) - low], among.size)
    found = np.searchsorted(among, values)
    return np.where(np.append(among, 0)[found] == values, found, among.size)


def _weighed(alignments: AlignmentTable, policy: EvidencePolicy) -> tuple[FloatArray, CodeArray]:
    """What each alignment weighs with its kind, and why it is not heard if it is not."""
    of_kind = np.array([policy.kind_weights[kind] for kind in KINDS])[alignments.kind]
    weight = alignments.weight * of_kind
    unheard = np.full(weight.size, Reason.COUNTED, dtype=np.int8)
    # A product too small for a float is 0, too.
    unheard[weight == 0.0] = Reason.NO_WEIGHT
    unheard[(of_kind == 0.0) & (alignments.weight > 0.0)] = Reason.KIND
    return weight, unheard


def _lowest(table: EvidenceTable, least_count: int) -> IntArray:
    """The row with the lowest value of each pair with so many pieces or more; 0 for none.

    Source: contracts/mastery-methods.md 2.4, row "Drop lowest / outlier".
    """
    is_counted = table.is_counted
    if least_count < 1 or not is_counted.any():
        return np.zeros(0, dtype=np.int64)
    counted = np.flatnonzero(is_counted)
    offsets = np.unique(kept(is_counted, runs((table.learner, table.competency))))
    sizes, starts = np.diff(offsets), offsets[:-1]
    lowest = np.minimum.reduceat(table.value[counted], starts)
    is_lowest = table.value[counted] == np.repeat(lowest, sizes)
    place = np.where(is_lowest, np.arange(counted.size), counted.size)
    return counted[np.minimum.reduceat(place, starts)[sizes >= least_count]]
