"""The effect of another threshold, told before it holds: for a school and for a large district.

Every learner has thirty scores in six courses; all standings are kept, and everybody is judged
anew from the evidence in PostgreSQL, both views, on the same cores.

``python -m benchmarks.effects --schools 100`` is 100,000 learners and three million scores.
"""

import argparse
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine

from benchmarks.scale import computed
from benchmarks.scale_district import LEARNERS, SUBJECTS, District, write_district
from benchmarks.timing import Row
from lti_tool.rule_places import proposed
from mapping.effects import Effect
from mapping.rules.mastery_rule import MasteryRule
from store.rules import DISTRICT
from store.session import open_engine
from tests.servers import running_postgres
from workers.effects import Proposed, effect_of

ITEMS = 5
"""Line items of a course: thirty scores a learner."""
RUNS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What telling an effect took: seconds by the clock and of CPU of this process."""

    learners: int
    scores: int
    moved: int
    seconds: float
    cpu_seconds: float

    @property
    def line(self) -> str:
        """For people."""
        return (
            f"| {self.learners:,} | {self.scores:,} | {self.moved:,} | {self.seconds:.2f} | "
            f"{self.cpu_seconds:.2f} |"
        )


def run() -> list[Row]:
    """Tell the effect of another threshold for a school of a thousand learners."""
    found = measured(1)
    return [
        Row(
            benchmark="effects",
            role="ours",
            what="a threshold tried over 1,000 learners, 30,000 scores",
            rate=found.seconds * 1_000,
            unit="ms",
        )
    ]


def measured(schools: int) -> Told:
    """The quickest of some runs over so many thousand learners."""
    with running_postgres(("shared_buffers=1GB", "work_mem=64MB", "max_wal_size=8GB")) as url:
        engine = open_engine(url)
        district = write_district(engine, schools=schools, items=ITEMS)
        computed(engine, district, case="first time", workers=2)
        found = min((_told(engine, district) for _ in range(RUNS)), key=lambda one: one.seconds)
        engine.dispose()
    return found


def _told(engine: Engine, district: District) -> Told:
    began, spent = time.perf_counter(), _cpu()
    effect = _effect(engine, district)
    assert effect.learners == district.schools * LEARNERS  # noqa: S101 - everybody is concerned
    assert effect.moved  # noqa: S101 - or nothing was compared
    return Told(
        learners=effect.learners,
        scores=district.schools * LEARNERS * SUBJECTS * ITEMS,
        moved=effect.moved,
        seconds=time.perf_counter() - began,
        cpu_seconds=_cpu() - spent,
    )


def _effect(engine: Engine, district: District) -> Effect:
    now = datetime.now(UTC)
    definition = {**MasteryRule().definition(), "mastered": 3.2}
    change = Proposed(rule=proposed(DISTRICT, definition, now))
    return effect_of(engine, district.tenant, change, now=now)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(arguments: Sequence[str]) -> None:
    """Print a table of districts of some sizes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.effects")
    parser.add_argument("--schools", default="1,100", help="thousands of learners, in turn")
    sizes = [int(one) for one in parser.parse_args(arguments).schools.split(",")]
    print("| learners | scores | statuses moved | seconds | CPU s of the process |")
    print("|---:|---:|---:|---:|---:|")
    for schools in sizes:
        print(measured(schools).line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
