"""How the browser is started, and which processes came of it, told by the system."""

import os
import time
from pathlib import Path

CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Playwright loses a frame that changes its process twice within moments, as a launch does.
    "--disable-site-isolation-trials",
    "--disable-features=IsolateOrigins,site-per-process",
)
_PATIENCE_SECONDS = 5.0


def descendants() -> set[int]:
    """The ids of all processes below this one; empty where there is no /proc."""
    parents = {
        int(entry.name): _parent(entry)
        for entry in Path("/proc").glob("[0-9]*")
        if (entry / "stat").exists()
    }
    found: set[int] = set()
    newest = {os.getpid()}
    while newest:
        newest = {one for one, parent in parents.items() if parent in newest} - found
        found |= newest
    return found


def outlive(started: set[int]) -> set[int]:
    """Those that are still there when they had time to end."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (left := {one for one in started if _is_alive(one)}) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _parent(entry: Path) -> int:
    return int(_stat(entry)[1]) if _stat(entry) else 0


def _is_alive(one: int) -> bool:
    found = _stat(Path(f"/proc/{one}"))
    return bool(found) and found[0] != "Z"


def _stat(entry: Path) -> list[str]:
    """State, parent and so on; the name before them may hold blanks and brackets."""
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
