"""``make bench``: every benchmark, or those named (``make bench ARGS=mastery``)."""

import platform
import sys

from benchmarks import (
    crash,
    disk,
    effects,
    frameworks,
    judging,
    launch,
    mastery,
    night,
    pull,
    resync,
    scale,
)
from benchmarks.timing import shown

BENCHMARKS = {
    "launch": launch.run,
    "mastery": mastery.run,
    "judging": judging.run,
    "pull": pull.run,
    "resync": resync.run,
    "frameworks": frameworks.run,
    "disk": disk.run,
    "scale": scale.run,
    "effects": effects.run,
    "night": night.run,
    "crash": crash.run,
}

names = sys.argv[1:] or list(BENCHMARKS)
unknown = [name for name in names if name not in BENCHMARKS]
if unknown:
    sys.exit(f"There is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}.")
print(f"CPython {platform.python_version()}, {platform.machine()}")
print(shown([row for name in names for row in BENCHMARKS[name]()]))
