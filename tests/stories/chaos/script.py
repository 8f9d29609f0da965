"""What happens in a round, drawn from its seed and from nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from store.sync_state import Phase
from tests.stories.chaos.world import LMSS, PLANS, WORKERS, Act
from tests.stories.tiny import plans_in, spot

ITEMS = {"homework": 20, "empty": 20, "quiz": 10, "late": 20, "paper": 10}
"""Columns whose points are drawn, with the most there are."""
PHASES = (Phase.PLAN, Phase.PULL, Phase.COMPUTE, Phase.PUSH)
_STRIKE_IN = (1, 3, 2, 4)
"""How often a phase is chosen for a mischief, in proportion: there is most to lose in writing."""
_HAND_SHARE = 0.4
_WRITTEN = [(lms, plan.name) for lms in LMSS for plan in plans_in(PLANS, lms)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mischief:
    """One trouble: which, whom it meets, how hard, and when in the run.

    It strikes ``after_seconds`` from when the run is first seen in ``phase`` or a later one.
    """

    name: str
    target: str = ""
    amount: float = 0.0
    phase: Phase = Phase.PLAN
    after_seconds: float = 0.0

    def __str__(self) -> str:
        about = f" {self.target}" if self.target else ""
        return (
            f"{self.name}{about} ({self.amount:g}) {self.after_seconds:.2f} s "
            f"into {self.phase.value}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A round: what teachers do before the night, and what befalls it."""

    seed: int
    acts: Sequence[Act]
    mischiefs: Sequence[Mischief]

    def __str__(self) -> str:
        lines = [f"--chaos-seed {self.seed}", *(f"  {one}" for one in self.mischiefs)]
        return "\n".join([*lines, *(f"  {one}" for one in self.acts)])


def drawn(seed: int) -> Script:
    """The script of a seed, the same each time."""
    rng = Random(seed)
    acts = [_graded(rng) for _ in range(rng.randint(5, 12))]
    if rng.random() < _HAND_SHARE:
        acts.append(_by_hand(rng, seed))
    mischiefs = [_mischief(rng) for _ in range(rng.randint(1, 4))]
    mischiefs.sort(key=lambda one: (PHASES.index(one.phase), one.after_seconds))
    return Script(seed=seed, acts=acts, mischiefs=mischiefs)


def _graded(rng: Random) -> Act:
    lms, name = rng.choice(_WRITTEN)
    where = spot(PLANS, name, lms)
    key = rng.choice(list(ITEMS))
    clears = key == "paper" and rng.random() < 0.3
    return Act(
        lms=lms,
        kind="clear" if clears else "grade",
        course=where.course,
        learner=rng.choice(where.learners),
        item=where.items[key],
        value="" if clears else f"{rng.randint(0, 2 * ITEMS[key]) / 2:g}",
    )


def _by_hand(rng: Random, seed: int) -> Act:
    """Somebody writes over what Waymark wrote; so that it can be told from all it may write."""
    lms, name = rng.choice(_WRITTEN)
    where = spot(PLANS, name, lms)
    value = f"{seed % 900 / 1000 + 0.0005:.4f}" if "marks" in name else f"See me about {seed}"
    learner = rng.choice(where.learners)
    return Act(lms=lms, kind="edit_own_column", course=where.course, learner=learner, value=value)


def _mischief(rng: Random) -> Mischief:
    name, target, amount = rng.choice(_KINDS)(rng)
    return Mischief(
        name=name,
        target=target,
        amount=amount,
        phase=rng.choices(PHASES, _STRIKE_IN)[0],
        after_seconds=round(rng.uniform(0, 0.8), 2),
    )


def _worker(rng: Random) -> str:
    return str(rng.randrange(WORKERS))


def _fault(rng: Random) -> tuple[str, str, float]:
    mode = rng.choice(["down", "bad_gateway", "throttle", "truncated", "reset", "empty"])
    return "fault", f"{rng.choice(LMSS)} {mode}", rng.choice([1, 2, 5, 30])


def _clock(rng: Random) -> tuple[str, str, float]:
    return "step clock", "", rng.choice([-5400.0, -90.0, -20.0, 25.0, 90.0, 5400.0])


_KINDS: Sequence[Callable[[Random], tuple[str, str, float]]] = (
    lambda rng: ("kill worker and horse", _worker(rng), 0.0),
    lambda rng: ("kill worker, horse lives", _worker(rng), 0.0),
    lambda rng: ("kill horse", _worker(rng), 0.0),
    lambda _: ("kill all workers and cron", "", 0.0),
    lambda _: ("restart Redis empty", "", 0.0),
    lambda _: ("restart Redis empty", "", 0.0),
    lambda rng: ("restart PostgreSQL", rng.choice(["fast", "immediate"]), 0.0),
    lambda rng: ("sever", rng.choice(["postgres", "redis", *LMSS]), 0.0),
    lambda rng: ("cut an answer", rng.choice(LMSS), float(rng.randrange(20))),
    lambda rng: ("cut an answer", rng.choice(["postgres", "redis"]), float(rng.randrange(60))),
    lambda rng: ("pull out", rng.choice(["postgres", "redis", *LMSS]), rng.uniform(0.5, 2.5)),
    lambda rng: ("refuse", rng.choice(["postgres", "redis", *LMSS]), rng.uniform(0.5, 2.5)),
    lambda rng: ("slow", rng.choice(LMSS), 0.1),
    _fault,
    _fault,
    _clock,
    _clock,
)
