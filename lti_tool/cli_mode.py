"""``waymark mode``: how far schools and courses have come; and who changed what leaves Waymark."""

import click

from bootstrap.container import Container
from lti_tool.cli_context import (
    container_of_today,
    district_option,
    json_option,
    print_json,
    print_table,
    printable,
    tenant_of,
)
from lti_tool.cli_courses import author, course_named, only_course
from mapping.records import Mode, TenantId
from store import modes, ways
from store.policy_changes import Author, ToldChange, told_changes
from store.session import reading, writing
from store.ways import CourseWay

_SCHOOLS = "school"
"""What gives a course's choice back to its school."""
_MODES = tuple(mode.value for mode in Mode)
_NEWS = {
    Mode.SHADOW: "only administrators see its results, and nothing is written to gradebooks.",
    Mode.ADVISORY: "teachers see its results; nothing is written to gradebooks.",
    Mode.PUBLISHED: "learners and families see its results; nothing is written to gradebooks.",
    Mode.OFFICIAL: "everybody sees its results, and they are written to gradebooks.",
}


@click.group()
def mode() -> None:
    """How far schools and courses have come: shadow, advisory, published or official."""


@mode.command("list")
@district_option
@json_option
def list_modes(*, district: str | None, is_json: bool) -> None:
    """Show the mode of every school, and of every course."""
    with container_of_today() as container, reading(container.engine) as connection:
        tenant = tenant_of(container, district)
        schools = modes.school_modes(connection, tenant)
        courses = ways.course_ways(connection, tenant)
    if is_json:
        print_json(
            {
                "schools": [{"name": one.name, "mode": one.mode.value} for one in schools],
                "courses": [_as_dict(one) for one in courses],
            }
        )
        return
    print_table(("school", "mode"), [(one.name, one.mode.value) for one in schools])
    print_table(
        ("number", "course", "school", "mode", "chosen for", "first yes"),
        [
            (
                *(str(one.id), one.title, one.school, one.mode.value),
                *("course" if one.own_mode else "school", _told_yes(one)),
            )
            for one in courses
        ],
    )


@mode.command("set")
@click.argument("mode", type=click.Choice([*_MODES, _SCHOOLS]))
@click.option("--school", help="For all courses of a school that have no mode of their own.")
@click.option("--course", help="For one course: its number, title, code or SIS id.")
@click.option("--reason", default="", help="Why; kept in the history.")
@district_option
def set_mode(
    *, mode: str, school: str | None, course: str | None, reason: str, district: str | None
) -> None:
    """Set the MODE of a course or of a school; "school" gives a course's choice back."""
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        who = author(container, reason=reason)
        if school is not None and course is None:
            _set_school(container, tenant, school, mode=mode, who=who)
        else:
            called = only_course(course, school)
            chosen = course_named(container, tenant, called)
            _set_course(container, tenant, chosen, mode=mode, who=who)


@mode.command()
@click.option("--most", type=click.IntRange(1), default=50, help="How many, the newest first.")
@district_option
@json_option
def history(*, most: int, district: str | None, is_json: bool) -> None:
    """Show who changed modes, ways, pauses and first yeses, the newest first."""
    with container_of_today() as container, reading(container.engine) as connection:
        found = told_changes(connection, tenant_of(container, district), most=most)
    if is_json:
        print_json([_change_as_dict(one) for one in found])
        return
    print_table(
        ("when (UTC)", "what", "of", "before", "after", "by", "why"),
        [
            (
                *(f"{one.change.at:%Y-%m-%d %H:%M}", one.change.kind.value, _place(one)),
                *(one.change.before, one.change.after, one.change.by, one.change.reason),
            )
            for one in found
        ],
    )


def _set_school(
    container: Container, tenant: TenantId, school: str, *, mode: str, who: Author
) -> None:
    """Set a school's mode.

    Raises:
        UsageError: It was to follow a school itself.
        ClickException: There is no such school.
    """
    if mode == _SCHOOLS:
        raise click.UsageError("A school has no school above it; name a mode.")
    with writing(container.engine) as connection:
        is_known = modes.set_school_mode(connection, tenant, school, mode=Mode(mode), author=who)
        names = ways.school_names(connection, tenant)
    if not is_known:
        raise click.ClickException(f'There is no school "{school}"; there is {", ".join(names)}.')
    _tell(school, Mode(mode))
    click.echo("Courses with a mode of their own keep it.")


def _set_course(
    container: Container, tenant: TenantId, course: CourseWay, *, mode: str, who: Author
) -> None:
    chosen = None if mode == _SCHOOLS else Mode(mode)
    with writing(container.engine) as connection:
        modes.set_course_mode(connection, tenant, course.id, mode=chosen, author=who)
        now_is = ways.course_way(connection, course.id)
    _tell(printable(course.title), now_is.mode)
    if now_is.mode is Mode.OFFICIAL and now_is.agreed_at is None:
        click.echo(f"The first push waits for a yes: waymark passback preview {course.id}, then")
        click.echo(f"waymark passback agree {course.id}.")
    if course.mode is Mode.OFFICIAL and now_is.mode is not Mode.OFFICIAL:
        click.echo("What stands in its gradebook stays as it is.")


def _tell(name: str, mode: Mode) -> None:
    click.echo(f"{name}: {mode.value}. From now on {_NEWS[mode]}")


def _told_yes(course: CourseWay) -> str:
    if course.agreed_at is None:
        return "waits" if course.is_written else "not asked yet"
    return f"{course.agreed_at:%Y-%m-%d} by {course.agreed_by}"


def _place(one: ToldChange) -> str:
    return one.course or one.school or "the district"


def _as_dict(course: CourseWay) -> dict[str, object]:
    return {
        "number": course.id,
        "title": course.title,
        "school": course.school,
        "mode": course.mode.value,
        "own_mode": course.own_mode and course.own_mode.value,
        "way": course.way.value,
        "is_written": course.is_written and course.agreed_at is not None,
        "agreed_at": course.agreed_at and course.agreed_at.isoformat(),
        "agreed_by": course.agreed_by,
    }


def _change_as_dict(one: ToldChange) -> dict[str, object]:
    return {
        "at": one.change.at.isoformat(),
        "kind": one.change.kind.value,
        "school": one.school,
        "course": one.course,
        "before": one.change.before,
        "after": one.change.after,
        "by": one.change.by,
        "reason": one.change.reason,
    }
