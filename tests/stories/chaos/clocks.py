"""Clocks that a story can step, for processes that know nothing of it.

A library that is loaded before libc moves what a process takes for the time. It is compiled
here; where there is no C compiler no clock can be stepped.
"""

import shutil
import struct
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")
_NANOSECONDS = 1_000_000_000


def compiled(folder: Path) -> Path | None:
    """The library, or None where nothing compiles it or the machine is no Linux."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    library = folder / "clock.so"
    if compiler is None:
        return None
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE)]
    done = subprocess.run(command, capture_output=True, check=False)
    return library if done.returncode == 0 else None


@dataclass
class Clock:
    """One clock of some processes, ahead of the true time by so many seconds."""

    file: Path
    library: Path | None
    ahead_seconds: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.file.write_bytes(struct.pack("q", 0))
        self.file.chmod(0o644)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process is started with to have this clock."""
        if self.library is None:
            return {}
        return {"LD_PRELOAD": str(self.library), "CHAOS_CLOCK": str(self.file)}

    def set(self, ahead_seconds: float) -> None:
        """Step the clock of all processes that have it, at once."""
        if self.library is None:
            return
        self.ahead_seconds = ahead_seconds
        with self.file.open("r+b") as file:
            file.write(struct.pack("q", int(ahead_seconds * _NANOSECONDS)))
