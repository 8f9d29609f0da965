"""A comparison of methods at a terminal, and as JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click
from sqlalchemy import Connection

from lti_tool.cli_context import print_table, printable
from lti_tool.pages.desk.compared import (
    ComparedCell,
    compared_learners,
    learners_of,
    statuses,
    ways,
)
from mapping.comparisons import MethodChoice, MethodsRefused, check_methods, definition_of
from mapping.records import CourseId, TenantId
from workers.comparisons import MOST_LEARNERS, ComparedClass, TooLarge, compare

_MARKS = {1: "▲ ", -1: "▼ ", 0: ""}


def methods_said(texts: Sequence[str]) -> list[MethodChoice]:
    """Methods as they are typed: ``recent_n:n=3``.

    Raises:
        UsageError: One is unknown or its numbers cannot be read, or there are too many.
    """
    methods = [_method(one) for one in texts]
    try:
        check_methods(methods)
    except MethodsRefused as error:
        raise click.UsageError(str(error)) from error
    return methods


def compared(
    connection: Connection,
    tenant: TenantId,
    course: CourseId,
    *,
    methods: Sequence[MethodChoice],
    now: datetime,
) -> ComparedClass:
    """A course that there is, by several methods.

    Raises:
        ClickException: Its class is too large.
    """
    try:
        found = compare(connection, tenant, course, methods=methods, now=now)
    except TooLarge as error:
        raise click.ClickException(f"It has more than {MOST_LEARNERS:,} learners.") from error
    assert found is not None  # noqa: S101 - the caller's promise
    return found


def _method(text: str) -> MethodChoice:
    name, _, numbers = text.partition(":")
    parameters: dict[str, float] = {}
    for part in filter(None, numbers.split(",")):
        key, _, value = part.partition("=")
        try:
            parameters[key.strip()] = float(value)
        except ValueError as error:
            raise click.BadParameter(
                f"{text!r}: write the numbers of a method as recent_n:n=3."
            ) from error
    return MethodChoice(name=name.strip(), parameters=parameters)


def tell_comparison(found: ComparedClass) -> None:
    """Print counts and disputes as tables."""
    shown = ways(found)
    known = statuses(shown)
    click.echo(
        f"{printable(found.course.title)}: {len(found.course.learners):,} learners, "
        f"{len(found.course.competencies):,} competencies. Nothing was changed."
    )
    for way in shown:
        click.echo(f"  {way.name}: {printable(way.sentence)}")
    print_table(
        ("by", *(one.label for one in known), "higher", "lower"),
        [
            (
                way.name,
                *(f"{way.counts.get(one, 0):,}" for one in known),
                f"{way.higher:,}",
                f"{way.lower:,}",
            )
            for way in shown
        ],
    )
    rows = [
        (one.learner.name, line.competency.code, *map(_told, line.cells))
        for one in compared_learners(found, learners_of(found, is_whole=False), is_whole=False)
        for line in one.lines
    ]
    if not rows:
        click.echo("All of them say the same of everybody in this class.")
        return
    print_table(("learner", "competency", *(way.name for way in shown)), rows)


def comparison_told(found: ComparedClass) -> dict[str, Any]:
    """The whole comparison as JSON-able values, every learner with evidence in it."""
    shown = ways(found)
    everybody = compared_learners(found, learners_of(found, is_whole=True), is_whole=True)
    definitions = [{}, *map(definition_of, found.methods)]
    return {
        "course": found.course.title,
        "learners": len(found.course.learners),
        "competencies": len(found.course.competencies),
        "columns": [
            {
                "name": way.name,
                "says": definition,
                "sentence": way.sentence,
                "counts": {one.name.lower(): count for one, count in way.counts.items()},
                "higher": way.higher,
                "lower": way.lower,
            }
            for way, definition in zip(shown, definitions, strict=True)
        ],
        "standings": [
            {
                "learner": one.learner.id,
                "name": one.learner.name,
                "competency": line.competency.code,
                "disputed": line.is_disputed,
                "given": line.is_given,
                "statuses": [cell.status.name.lower() for cell in line.cells],
                "estimates": [
                    float(cell.estimate) if cell.estimate else None for cell in line.cells
                ],
            }
            for one in everybody
            for line in one.lines
        ],
    }


def _told(cell: ComparedCell) -> str:
    return f"{_MARKS[cell.direction]}{cell.label}"
