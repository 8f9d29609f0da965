"""``make bench``: every benchmark, or those named (``make bench ARGS=mastery``)."""

import platform
import sys

from benchmarks import disk, judging, launch, mastery, pull, resync
from benchmarks.timing import shown

BENCHMARKS = {
    "launch": launch.run,
    "mastery": mastery.run,
    "judging": judging.run,
    "pull": pull.run,
    "resync": resync.run,
    "disk": disk.run,
}

names = sys.argv[1:] or list(BENCHMARKS)
unknown = [name for name in names if name not in BENCHMARKS]
if unknown:
    sys.exit(f"There is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}.")
print(f"CPython {platform.python_version()}, {platform.machine()}")
print(shown([row for name in names for row in BENCHMARKS[name]()]))
