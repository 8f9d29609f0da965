"""Bayesian knowledge tracing: how likely a learner knows a skill, from right and wrong answers.

Advice only. It reads single answers rather than scores, and its four parameters would have to be
fitted to a skill, so it is no method that a rule can name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from mapping.columns import BoolArray, FloatArray, IntArray

KNOWN_FROM = 0.95
"""The probability at which the literature calls a skill known."""


class TracingRefused(ValueError):  # noqa: N818 - named for what happened, as the other refusals
    """Parameters that cannot be used.

    Attributes:
        problems: Everything that is wrong with them, a sentence each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeTracing:
    """The model of one skill; all are probabilities.

    Attributes:
        known: That it is known before the first answer.
        learnt: That it is learnt between one answer and the next.
        guess: That an answer is right although it is not known.
        slip: That an answer is wrong although it is known.

    Raises:
        TracingRefused: A probability is not 0 to 1, or a right answer would not speak for
            knowing.
    """

    known: float
    learnt: float
    guess: float
    slip: float

    def __post_init__(self) -> None:
        problems = [
            f"{field.name} must be 0 to 1."
            for field in fields(self)
            if not 0.0 <= getattr(self, field.name) <= 1.0
        ]
        if not problems and self.guess + self.slip >= 1.0:
            problems.append("guess and slip must add up to less than 1.")
        if problems:
            raise TracingRefused(problems)

    def traced(self, is_right: BoolArray, offsets: IntArray) -> FloatArray:
        """How likely each learner knows the skill after their last answer.

        Args:
            is_right: Answers, length rows, oldest first in each segment.
            offsets: Length segments + 1, from 0 to rows, never falling.

        Returns:
            Length segments, 0 to 1; ``known`` where a segment is empty. It takes as many steps
            as the longest segment has answers.

        Source: contracts/mastery-methods.md 2.2, row "Bayesian knowledge tracing".
        """
        count = np.diff(offsets)
        order = np.argsort(-count, kind="stable")
        longest_first, first = count[order], offsets[:-1][order]
        chance = np.full(count.size, float(self.known))
        active = np.searchsorted(-longest_first, -np.arange(1, count.max(initial=0) + 1), "right")
        for answer, segments in enumerate(active.tolist()):
            given = is_right[first[:segments] + answer]
            chance[:segments] = self._after(chance[:segments], given)
        traced = np.empty_like(chance)
        traced[order] = chance
        return traced

    def _after(self, chance: FloatArray, is_right: BoolArray) -> FloatArray:
        knowing = chance * np.where(is_right, 1.0 - self.slip, self.slip)
        either = knowing + (1.0 - chance) * np.where(is_right, self.guess, 1.0 - self.guess)
        # An answer that the model holds impossible tells nothing.
        seen = np.divide(knowing, either, out=chance.copy(), where=either > 0.0)
        return seen + (1.0 - seen) * self.learnt
