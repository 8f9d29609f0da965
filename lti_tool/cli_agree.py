"""``waymark passback agree``: an administrator's yes to the first push of courses."""

from collections.abc import Sequence

import click

from bootstrap.container import Container
from lti_tool.cli_context import container_of_today, district_option, printable, tenant_of
from lti_tool.cli_courses import author, course_named
from mapping.records import CourseId, TenantId
from store import first_pushes, modes, ways
from store.session import reading, writing


@click.command()
@click.argument("courses", nargs=-1, metavar="[COURSE]...")
@click.option("--school", help="All courses of a school that wait now.")
@click.option("--all", "is_all", is_flag=True, help="All courses of the district that wait now.")
@click.option("--reason", default="", help="Why; kept in the history.")
@district_option
def agree(
    *, courses: Sequence[str], school: str | None, is_all: bool, reason: str, district: str | None
) -> None:
    """Let Waymark write to the gradebooks of COURSEs for the first time.

    Without any, show which courses wait, and how many marks each would write. Marks that count
    need a yes of their own besides: waymark passback set.
    """
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        if not courses and school is None and not is_all:
            _show_waiting(container, tenant)
            return
        chosen = _chosen(container, tenant, courses, school=school, is_all=is_all)
        with writing(container.engine) as connection:
            agreed = modes.agree(
                connection, tenant, chosen, author=author(container, reason=reason)
            )
    noun = "course" if len(agreed) == 1 else "courses"
    click.echo(f"Agreed for {len(agreed)} {noun}; marks are written where the mode is official,")
    click.echo("from the next run on.")
    if len(agreed) < len(chosen):
        click.echo(f"{len(chosen) - len(agreed)} had been agreed to before.")


def _chosen(
    container: Container,
    tenant: TenantId,
    named: Sequence[str],
    *,
    school: str | None,
    is_all: bool,
) -> tuple[CourseId, ...]:
    """The courses that are meant.

    Raises:
        UsageError: They are named in several ways at once.
        ClickException: There is no such school.
    """
    if sum((bool(named), school is not None, is_all)) != 1:
        raise click.UsageError("Name courses, or a school with --school, or --all.")
    if named:
        return tuple(course_named(container, tenant, one).id for one in named)
    with reading(container.engine) as connection:
        known = ways.school_names(connection, tenant)
        found = modes.courses_waiting(connection, tenant, school=school or "")
    if school is not None and school not in known:
        raise click.ClickException(f'There is no school "{school}"; there is {", ".join(known)}.')
    return found


def _show_waiting(container: Container, tenant: TenantId) -> None:
    with reading(container.engine) as connection:
        waiting = modes.courses_waiting(connection, tenant)
        marks = first_pushes.first_marks(connection, waiting)
        titles = {one.id: one.title for one in ways.course_ways(connection, tenant)}
    if not waiting:
        click.echo("No course waits for a first yes.")
        return
    for course in waiting:
        click.echo(f"{course}  {printable(titles[course])}: {marks[course]} marks")
    click.echo("Look at one: waymark passback preview COURSE. Then: waymark passback agree COURSE.")
