"""What ``waymark sync --dry-run`` prints after its run: the marks that would change."""

from rich.console import Console

from bootstrap.container import Container
from lti_tool.cli_context import print_json, print_table
from lti_tool.console import Report
from workers.dry_runs import DryMark, DryRun, dry_run

_COLUMNS = ("course", "column", "learner", "says now", "would say", "why not")


def show_dry_run(container: Container, report: Report, *, is_json: bool, out: Console) -> DryRun:
    """Look at what a run without writing would have written, and print it.

    Args:
        container: What to work with.
        report: How the run ended.
        is_json: Print one line of JSON on standard output: the report, with these marks.
        out: Where everything else goes.

    Returns:
        What was printed.
    """
    found = dry_run(
        container.engine,
        report.run,
        container.gradebook,
        threads=container.settings.threads,
        now=container.now(),
    )
    if is_json:
        print_json({**report.as_dict(), "dry_run": _as_dict(found)})
    elif found.marks:
        print_table(_COLUMNS, [_row(mark) for mark in found.marks])
    for line in _totals(found):
        out.print(line, markup=False, highlight=False)
    return found


def _row(mark: DryMark) -> tuple[str, ...]:
    return (mark.title, mark.column, mark.learner, mark.stands, mark.then, mark.why_not)


def _totals(found: DryRun) -> list[str]:
    left = len(found.marks) - found.to_write
    lines = [f"{found.to_write:,} marks would be written, {left:,} would not. Nothing was written."]
    if found.unagreed:
        lines.append(f"{found.unagreed:,} courses wait for a first yes: waymark passback agree.")
    if found.other_modes:
        lines.append(f"{found.other_modes:,} courses are not official; nothing would leave them.")
    lines += [f"{about}: could not be looked at. {why}" for about, why in found.troubles]
    return lines


def _as_dict(found: DryRun) -> dict[str, object]:
    return {
        "to_write": found.to_write,
        "other_modes": found.other_modes,
        "unagreed": found.unagreed,
        "marks": [
            {
                "course": mark.course,
                "title": mark.title,
                "column": mark.column,
                "learner": mark.learner,
                "stands": mark.stands,
                "then": mark.then,
                "why_not": mark.why_not,
            }
            for mark in found.marks
        ],
        "troubles": [{"about": about, "why": why} for about, why in found.troubles],
    }
