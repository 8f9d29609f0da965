"""What a run looks like in a terminal: progress while it goes, a table at its end."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from bootstrap.container import Container
from mapping.records import Counts, RunId
from store import run_notes, run_reports
from store.alarms import AlarmLine, alarm_lines
from store.run_notes import NoteLine
from store.run_progress import LiveRun, live_run
from store.run_reports import Trouble
from store.session import reading
from store.sync_state import ItemState, Phase
from store.sync_state import run as one_run
from workers import queue

_NAMED = 3
"""How many courses a line names; the page of the run and the JSON report name all."""
_POLL_SECONDS = 0.2
_STEPS = {
    Phase.PLAN: "Finding the courses",
    Phase.PULL: "Reading gradebooks",
    Phase.COMPUTE: "Computing mastery",
    Phase.PUSH: "Writing statuses back",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a run ended."""

    run: RunId
    counts: Counts
    troubles: tuple[Trouble, ...]
    notes: tuple[NoteLine, ...] = ()
    alarms: tuple[AlarmLine, ...] = ()

    @property
    def has_failures(self) -> bool:
        """Whether something was not done that should have been."""
        return any(trouble.state is ItemState.FAILED for trouble in self.troubles)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "run": self.run,
            **run_reports.as_dict(self.counts),
            "skipped": [
                {
                    "phase": trouble.phase.value,
                    "state": trouble.state.value,
                    "course": trouble.about,
                    "cause": trouble.cause,
                    "message": trouble.message,
                }
                for trouble in self.troubles
            ],
            "notes": [
                {
                    "platform": note.platform,
                    "cause": note.cause,
                    "message": note.message,
                    "courses": list(note.courses),
                }
                for note in self.notes
            ],
            "alarms": [
                {"kind": one.kind.value, "course": one.course, "message": one.message}
                for one in self.alarms
            ],
        }


def follow(
    container: Container, run_id: RunId, *, console: Console, beat: Callable[[], object]
) -> Report:
    """Show a run's progress until it is over, and keep it going.

    Args:
        container: Where the run is.
        run_id: The run.
        console: Where to show it; a plain one shows a line for each step.
        beat: Called now and then, to look after worker processes.

    Returns:
        How it ended.
    """
    columns = (
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
    )
    with reading(container.engine) as connection:
        tenant = one_run(connection, run_id).tenant
    watch = queue.Watch(container, run_id)
    with Progress(*columns, console=console) as shown:
        steps = _Steps(shown)
        while watch.look() is not Phase.DONE:
            beat()
            with reading(container.engine) as connection:
                steps.show(live_run(connection, tenant, run_id, now=container.now()))
            time.sleep(_POLL_SECONDS)
        steps.complete()
    return report(container, run_id)


class _Steps:
    """One bar for each step of a run, made when the step begins."""

    def __init__(self, shown: Progress) -> None:
        self._shown = shown
        self._tasks: dict[Phase, TaskID] = {}

    def show(self, now: LiveRun | None) -> None:
        if now is None or now.phase not in _STEPS:
            return
        if now.phase not in self._tasks:
            self.complete()
            self._tasks[now.phase] = self._shown.add_task(_STEPS[now.phase], rate="")
        self._shown.update(
            self._tasks[now.phase], completed=now.finished, total=now.total, rate=_pace(now)
        )

    def complete(self) -> None:
        for task in self._tasks.values():
            self._shown.update(task, completed=self._shown.tasks[task].total)


def _pace(now: LiveRun) -> str:
    """How fast a step goes and how long it still takes, as far as that can be told."""
    if now.rate_per_second is None or now.seconds_left is None:
        return ""
    return f"{now.rate_per_second:,.1f}/s, {timedelta(seconds=round(now.seconds_left))} left"


def report(container: Container, run_id: RunId) -> Report:
    """How a run ended, or how far it is."""
    with reading(container.engine) as connection:
        return Report(
            run=run_id,
            counts=run_reports.counts(connection, run_id),
            troubles=run_reports.troubles(connection, run_id),
            notes=run_notes.note_lines(connection, run_id),
            alarms=alarm_lines(connection, run_id),
        )


def show(result: Report, console: Console) -> None:
    """Print a run's table, then what was left out and why."""
    counts = result.counts
    cells = {
        "Courses": f"{counts.courses:,}",
        "Unchanged": f"{counts.unchanged:,}",
        "Scores pulled": f"{counts.scores_pulled:,}",
        "New": f"{counts.scores_new:,}",
        "Changed": f"{counts.scores_changed:,}",
        "Skipped": f"{counts.scores_skipped:,}",
        "Estimates": f"{counts.estimates:,}",
        "Statuses changed": f"{counts.statuses_changed:,}",
        "Pushed": f"{counts.pushed:,}",
        "Refused": f"{counts.refused:,}",
        "API calls": f"{counts.api_calls:,}",
        **({} if counts.quota is None else {"Least left of quota": f"{counts.quota:,.0f}"}),
        "Seconds": f"{counts.seconds:,.1f}",
        **{f"  {phase}": f"{took:,.1f}" for phase, took in counts.seconds_by_phase.items()},
    }
    table = Table(show_header=False, title=f"Run {result.run}", title_justify="left")
    table.add_column("what")
    table.add_column("how many", justify="right")
    for name, value in cells.items():
        table.add_row(name, value)
    console.print(table)
    for line in [
        *_left_out(result.troubles),
        *_done_with_less(result.notes),
        *(f"To look at: {alarm.message}" for alarm in result.alarms),
    ]:
        console.print(line, markup=False, highlight=False)


def _left_out(troubles: Sequence[Trouble]) -> list[str]:
    """One line for each reason, naming what it kept from being done."""
    places: dict[tuple[str, str], list[str]] = {}
    for trouble in troubles:
        verb = "failed" if trouble.state is ItemState.FAILED else "left out"
        about = trouble.about or _STEPS.get(trouble.phase, trouble.phase.value)
        places.setdefault((verb, trouble.message), []).append(about)
    return [f"{_named(names)}: {verb}. {why}" for (verb, why), names in places.items()]


def _done_with_less(notes: Sequence[NoteLine]) -> list[str]:
    """What an LMS granted less of: the work went on, so these are no failures."""
    return [
        f"{note.platform}: done with less. {note.message}"
        + (f" It concerns {_named(note.courses)}." if note.courses else "")
        for note in notes
    ]


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"


def show_json(result: Report, console: Console) -> None:
    """Print a run's report as one line of JSON."""
    console.print(
        json.dumps(result.as_dict(), ensure_ascii=False),
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
