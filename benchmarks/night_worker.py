"""A worker process as ``python -m workers work`` is one, but for the pace it keeps.

In production all workers together ask one Canvas at most 200 times a second. No peer paces, and
the server here has no limit; so the pace is lifted, while every request still asks Redis for its
turn.
"""

import sys
from importlib import import_module

from connectors.limiter import Pace
from connectors.platform import PlatformKind
from workers.__main__ import main

UNPACED = Pace(rate_per_second=100_000.0, burst=1_000, most_in_flight=64)

if __name__ == "__main__":
    import_module("bootstrap.container")._PACES[PlatformKind.CANVAS] = UNPACED  # noqa: SLF001 - see above
    sys.exit(main(sys.argv[1:]))
