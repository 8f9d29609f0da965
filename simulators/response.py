"""How well a learner does: a logistic response model with growth.

Each learner has an ability for each competency, which grows over the term; each assignment
has a difficulty. The expected share of the points is ``1 / (1 + exp(-a (ability - b)))``, a
two-parameter logistic curve, to which a little luck is added.

Source: Birnbaum, A., in Lord & Novick, Statistical Theories of Mental Test Scores, 1968.
"""

import math
import random

DISCRIMINATION = 1.2
_LUCK = 0.06


class Abilities:
    """The abilities of all learners, drawn when first asked for, from one generator."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._learners: dict[int, tuple[float, float]] = {}
        self._offsets: dict[tuple[int, str], float] = {}

    def at(self, learner: int, code: str, progress: float) -> float:
        """Ability in logits of a learner at a moment; ``progress`` of the term in [0, 1]."""
        if learner not in self._learners:
            self._learners[learner] = (
                self._rng.gauss(0.35, 0.85),
                max(0.0, self._rng.gauss(1.3, 0.6)),
            )
        level, growth = self._learners[learner]
        key = (learner, code)
        if key not in self._offsets:
            self._offsets[key] = self._rng.gauss(0.0, 0.55)
        return level + self._offsets[key] + growth * progress

    def share(self, ability: float, difficulty: float) -> float:
        """Draw the share of the points won, in [0, 1]."""
        expected = 1.0 / (1.0 + math.exp(DISCRIMINATION * (difficulty - ability)))
        return min(1.0, max(0.0, expected + self._rng.gauss(0.0, _LUCK)))


def points_for(share: float, maximum: float) -> float:
    """Points as a teacher would enter them: half points on small items, else whole ones."""
    step = 0.5 if maximum <= 20 else 1.0  # noqa: PLR2004 - where teachers stop giving halves
    return round(share * maximum / step) * step
