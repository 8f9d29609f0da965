"""Plays a round: the changes, a night with its mischiefs, and one that nobody disturbs."""

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lti_tool.console import Report
from mapping.records import RunId
from store.sync_state import Phase
from tests.stories.chaos.script import PHASES, Mischief, Script
from tests.stories.chaos.world import PATIENCE_SECONDS, World

_WIRE_SECONDS = 0.01
"""How long a piece takes on the wires to the LMSs, so that there is a night to disturb."""
_BEFORE_TIME_PASSES = 2.0
_LEASE_PASSES = 25.0
_SILENCE_SECONDS = 6.0
"""Somebody who lives renews a lease every five seconds."""
_SHORTLY = 0.05
_MOST_SECONDS = 8.0
"""How long mischiefs wait for their phase, should others keep it from coming."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A round that was played.

    Attributes:
        report: How the night that nobody disturbed ended.
        struck: How many mischiefs met a night that was not over.
        seconds: How long the night was disturbed, how long it took to end, and the last one.
    """

    report: Report
    struck: int
    seconds: tuple[float, float, float]

    def __str__(self) -> str:
        disturbed, ended, last = self.seconds
        return (
            f"{self.struck} met a running night; {disturbed:.1f} s disturbed, {ended:.1f} s until "
            f"its end, {last:.1f} s for the next night"
        )


def play(world: World, script: Script) -> Played:
    """Play a script: the teachers' acts, a disturbed night to its end, and another one."""
    for act in script.acts:
        world.play(act)
    for lms in ("canvas", "moodle"):
        world.wires[lms].delay_seconds = _WIRE_SECONDS
    moments = [time.monotonic()]
    run = world.begin()
    struck = disturb(world, run, script)
    moments.append(time.monotonic())
    world.heal()
    _await_the_end(world, run)
    moments.append(time.monotonic())
    report = world.see_through(world.begin())
    moments.append(time.monotonic())
    disturbed, ended, last = (after - before for before, after in pairwise(moments))
    return Played(report=report, struck=struck, seconds=(disturbed, ended, last))


def disturb(world: World, run: RunId, script: Script) -> int:
    """Let every mischief strike when its phase has come, and end.

    Returns:
        How many struck before the run was over.
    """
    seen: dict[Phase, float] = {}
    left, ends, struck = list(script.mischiefs), _Ends(), 0
    until = time.monotonic() + _MOST_SECONDS
    while left or ends.waiting:
        is_over = world.tend(run)
        now = time.monotonic()
        for one in _come(Phase.DONE if is_over else world.phase(run)):
            seen.setdefault(one, now)
        for one in [one for one in left if now >= until or _is_due(one, seen, now)]:
            left.remove(one)
            struck += not is_over
            ends.add(now + one.amount, _STRIKES[one.name](world, one))
        ends.come(now)
        world.revive()
        time.sleep(_SHORTLY)
    return struck


def _come(phase: Phase) -> Sequence[Phase]:
    return PHASES if phase is Phase.DONE else PHASES[: PHASES.index(phase) + 1]


def _is_due(one: Mischief, seen: Mapping[Phase, float], now: float) -> bool:
    return one.phase in seen and now >= seen[one.phase] + one.after_seconds


class _Ends:
    """Mischiefs that go on for a while."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, Callable[[], None]]] = []

    def add(self, at: float, end: "_End") -> None:
        if end is not None:
            self.waiting.append((at, end))

    def come(self, now: float) -> None:
        for pair in [pair for pair in self.waiting if now >= pair[0]]:
            self.waiting.remove(pair)
            pair[1]()


def _await_the_end(world: World, run: RunId) -> None:
    """See the disturbed run through; time passes faster where it waits for dead holders.

    It does so once at the begin, whoever holds what, and then only where nobody was heard of for
    longer than a live holder is silent.
    """
    began = time.monotonic()
    passes_at, heard = began + _BEFORE_TIME_PASSES, world.heard(run)
    has_passed = False
    while not world.tend(run):
        now = time.monotonic()
        assert now < began + PATIENCE_SECONDS, world.where_it_hangs(run)
        if (news := world.heard(run)) != heard and has_passed:
            passes_at = now + _SILENCE_SECONDS
        heard = news
        if now >= passes_at:
            world.let_time_pass(_LEASE_PASSES)
            passes_at, has_passed = now + _SILENCE_SECONDS, True
        world.revive()
        time.sleep(_SHORTLY)


_End = Callable[[], None] | None


def _kill_whole(world: World, one: Mischief) -> _End:
    world.workers[int(one.target)].kill_whole()
    return None


def _kill_parent(world: World, one: Mischief) -> _End:
    world.workers[int(one.target)].kill()
    return None


def _kill_horse(world: World, one: Mischief) -> _End:
    world.workers[int(one.target)].kill_children()
    return None


def _kill_everything(world: World, _: Mischief) -> _End:
    for process in (*world.workers, world.cron):
        process.kill_whole()
    return None


def _empty_redis(world: World, _: Mischief) -> _End:
    world.redis.restart_empty()
    return None


def _restart_postgres(world: World, one: Mischief) -> _End:
    world.postgres.restart(signal.SIGINT if one.target == "fast" else signal.SIGQUIT)
    return None


def _sever(world: World, one: Mischief) -> _End:
    world.wires[one.target].sever()
    return None


def _cut_answer(world: World, one: Mischief) -> _End:
    world.wires[one.target].cut_answer(int(one.amount))
    return None


def _pull_out(world: World, one: Mischief) -> _End:
    wire = world.wires[one.target]
    wire.is_pulled_out = True
    return wire.heal


def _refuse(world: World, one: Mischief) -> _End:
    wire = world.wires[one.target]
    wire.is_refused = True
    wire.sever()
    return wire.heal


def _slow(world: World, one: Mischief) -> _End:
    world.wires[one.target].delay_seconds = one.amount
    return None


def _fault(world: World, one: Mischief) -> _End:
    lms, mode = one.target.split()
    world.ask(lms, "faults", {"mode": mode, "times": int(one.amount)})
    return None


def _step_clock(world: World, one: Mischief) -> _End:
    ours = world.clocks["ours"]
    ours.set(ours.ahead_seconds + one.amount)
    return None


_STRIKES: Mapping[str, Callable[[World, Mischief], _End]] = {
    "kill worker and horse": _kill_whole,
    "kill worker, horse lives": _kill_parent,
    "kill horse": _kill_horse,
    "kill all workers and cron": _kill_everything,
    "restart Redis empty": _empty_redis,
    "restart PostgreSQL": _restart_postgres,
    "sever": _sever,
    "cut an answer": _cut_answer,
    "pull out": _pull_out,
    "refuse": _refuse,
    "slow": _slow,
    "fault": _fault,
    "step clock": _step_clock,
}
