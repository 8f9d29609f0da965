"""``waymark failures``: what could not be done, and trying it again."""

import getpass
from typing import Any

import click

from lti_tool.cli_context import (
    container_of_today,
    district_option,
    json_option,
    print_json,
    tenant_of,
)
from mapping.records import CourseId
from store.dead import DeadGroup, dead_groups
from store.outbox_reports import UnwrittenMark, unwritten_marks
from store.remedies import meaning_of
from store.retries import Wish, try_again
from store.session import reading, writing

_NAMED = 5


@click.group(invoke_without_command=True)
@json_option
@district_option
@click.pass_context
def failures(context: click.Context, *, is_json: bool, district: str | None) -> None:
    """Show what failed and did not succeed since, with what to do."""
    if context.invoked_subcommand is not None:
        return
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with reading(container.engine) as connection:
            groups = dead_groups(connection, tenant, now=container.now())
            marks = unwritten_marks(connection, tenant)
    if is_json:
        print_json(
            {
                "failures": [_as_dict(one) for one in groups],
                "marks": [_mark_as_dict(one) for one in marks],
            }
        )
        return
    for group in groups:
        _show(group)
    _show_marks(marks)
    if not groups and not marks:
        click.echo("Nothing: all was done.")


@failures.command("retry")
@click.option("--cause", default="", help="What failed for this cause.")
@click.option("--course", type=int, help="One course, by its number.")
@click.option("--all", "is_all", is_flag=True, help="Everything.")
@district_option
def retry(*, cause: str, course: int | None, is_all: bool, district: str | None) -> None:
    """Have courses that failed read, computed and written before the next night."""
    wish = _wish(cause, course, is_all=is_all)
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with writing(container.engine) as connection:
            meant = try_again(connection, tenant, wish, by=_who(), now=container.now())
    _require_some(meant)
    click.echo(f"{len(meant)} to be tried again, as soon as no run is under way.")


def _wish(cause: str, course: int | None, *, is_all: bool) -> Wish:
    if [bool(cause), course is not None, is_all].count(True) != 1:
        raise click.UsageError("Say what: --cause CAUSE, --course NUMBER or --all.")
    return Wish(cause=cause, course=None if course is None else CourseId(course))


def _require_some(meant: frozenset[CourseId]) -> None:
    if not meant:
        raise click.ClickException("Nothing that failed is meant; waymark failures shows what did.")


def _show(group: DeadGroup) -> None:
    meaning = meaning_of(group.cause)
    click.echo(f"{meaning.title} ({group.cause}, {len(group.items)})")
    click.echo(f"  {meaning.text}\n  {group.advice}")
    for part in group.items[:_NAMED]:
        number = "" if part.course is None else f" [{part.course}]"
        click.echo(f"  - {part.title or part.phase.value}{number}: {part.message}")
    if len(group.items) > _NAMED:
        click.echo(f"  - and {len(group.items) - _NAMED} more; --json names all")


def _show_marks(marks: tuple[UnwrittenMark, ...]) -> None:
    if not marks:
        return
    click.echo(f"Marks that were not written ({len(marks)})")
    for mark in marks[:_NAMED]:
        click.echo(f"  - {mark.title}, {mark.competency}: {mark.state.value}. {mark.reason}")
    click.echo("  Waymark's page What could not be done names the learners.")


def _as_dict(group: DeadGroup) -> dict[str, Any]:
    return {
        "cause": group.cause,
        "title": meaning_of(group.cause).title,
        "meaning": meaning_of(group.cause).text,
        "to_do": group.advice,
        "parts": [
            {
                "phase": part.phase.value,
                "course": part.course,
                "title": part.title,
                "message": part.message,
                "run": part.run,
                "at": None if part.failed_at is None else part.failed_at.isoformat(),
            }
            for part in group.items
        ],
    }


def _mark_as_dict(mark: UnwrittenMark) -> dict[str, Any]:
    """Without the learner's name: what a program prints ends in logs."""
    return {
        "course": mark.course,
        "title": mark.title,
        "learner": mark.learner,
        "competency": mark.competency,
        "state": mark.state.value,
        "reason": mark.reason,
    }


def _who() -> str:
    """The account on this machine, which is all that a terminal says of a person."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):
        return "the command line"
