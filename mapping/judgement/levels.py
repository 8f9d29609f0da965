"""Which level an estimate reaches, and which status that is without looking back in time."""

from collections.abc import Sequence

import numpy as np

from mapping.columns import BoolArray, CodeArray, FloatArray, IntArray
from mapping.rules.mastery_rule import MasteryRule
from mapping.status import Status

_BELOW_MASTERY = (Status.EMERGING, Status.DEVELOPING, Status.NOT_SUSTAINED)
_IS_BELOW = np.isin(np.arange(len(Status)), _BELOW_MASTERY)


def highest_working_level(rule: MasteryRule) -> int:
    """The index of the highest level that begins below mastery."""
    return max(0, len(rule.working_cuts) - 1)


def shown_levels(estimate: FloatArray, status: CodeArray, rule: MasteryRule) -> CodeArray:
    """The level that stands beside each status.

    Below mastery it is a working level even where the estimate alone would be mastery, lest a
    label say "Proficient" of somebody who is not.

    Args:
        estimate: In points of the rule's scale.
        status: Of the same length.
        rule: The rule.
    """
    levels = rule.scale.levels_of(estimate)
    capped = np.minimum(levels, np.int8(highest_working_level(rule)))
    return np.where(_IS_BELOW[status], capped, levels)


def plain_status(
    estimate: FloatArray, count: IntArray, rule: MasteryRule, *, is_met: BoolArray
) -> CodeArray:
    """The status by evidence as it is.

    Args:
        estimate: In points of the rule's scale.
        count: How many pieces count, of the same length.
        rule: The rule.
        is_met: Whether all that the rule asks for is there.
    """
    return selected(
        (
            (count == 0, Status.NO_EVIDENCE),
            (count < rule.minimum_evidence, Status.INSUFFICIENT),
            (is_met, Status.MASTERED),
        ),
        otherwise=working_status(estimate, rule),
    )


def working_status(estimate: FloatArray, rule: MasteryRule) -> CodeArray:
    """The status of what is not mastered: the working level that each estimate reaches.

    An estimate that would be mastery is of the highest working level; without one, more
    evidence is needed.
    """
    working = np.minimum(rule.scale.levels_of(estimate), highest_working_level(rule))
    return selected(
        ((np.isnan(estimate), Status.INSUFFICIENT), (working > 0, Status.DEVELOPING)),
        otherwise=Status.EMERGING,
    )


def selected(
    cases: Sequence[tuple[BoolArray, Status]], *, otherwise: Status | CodeArray
) -> CodeArray:
    """The status of the first case that holds, row by row."""
    chosen = np.full(cases[0][0].shape, otherwise, dtype=np.int8)
    for holds, status in reversed(cases):
        np.copyto(chosen, np.int8(status), where=holds)
    return chosen
