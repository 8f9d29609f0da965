"""``waymark passback``: how statuses reach gradebooks, chosen for a school or for one course."""

import sys

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
from mapping.records import Mode, PassbackWay, TenantId
from store import courses, ways
from store.session import reading, writing
from store.ways import CourseWay
from workers.previews import Preview, PreviewedColumn, preview_course

_SCHOOLS = "school"
"""What gives a course's choice back to its school."""
_WAYS = tuple(way.value for way in PassbackWay)
_COURSE = click.argument("course")


@click.group()
def passback() -> None:
    """Writing to gradebooks: the way of each course, a dry run, another way."""


@passback.command("list")
@district_option
@json_option
def list_ways(*, district: str | None, is_json: bool) -> None:
    """Show every course's way, and whether marks that count were agreed to."""
    with container_of_today() as container, reading(container.engine) as connection:
        found = ways.course_ways(connection, tenant_of(container, district))
    if is_json:
        print_json([_as_dict(one) for one in found])
        return
    print_table(
        ("number", "course", "code", "school", "platform", "way", "chosen for", "written"),
        [
            (
                *(str(one.id), one.title, one.code, one.school, one.platform),
                *(_told_way(one), "course" if one.own else "school", _told_written(one)),
            )
            for one in found
        ],
    )


@passback.command()
@_COURSE
@click.option("--way", type=click.Choice(_WAYS), help="Another way than the course's own.")
@district_option
@json_option
def preview(*, course: str, way: str | None, district: str | None, is_json: bool) -> None:
    """Show what would be written to a COURSE; reads its gradebook and writes nothing.

    COURSE is its number in waymark passback list, its title, code or SIS id.
    """
    with container_of_today() as container:
        chosen = course_named(container, tenant_of(container, district), course)
        with reading(container.engine) as connection:
            platform = courses.course(connection, chosen.id).platform
        shown = preview_course(
            container.gradebook(platform),
            container.engine,
            chosen.id,
            way=None if way is None else PassbackWay(way),
            now=container.now(),
        )
    if is_json:
        print_json(_preview_as_dict(shown))
    else:
        _print_preview(shown)
    if any(column.trouble for column in shown.columns):
        sys.exit(1)


@passback.command("set")
@click.argument("course", required=False)
@click.option("--school", help="For all courses of a school that have no way of their own.")
@click.option("--way", type=click.Choice([*_WAYS, _SCHOOLS]), required=True, help="Which way.")
@click.option("--yes-it-counts", help="The course's title, to agree to marks that count.")
@district_option
def set_way(
    *,
    course: str | None,
    school: str | None,
    way: str,
    yes_it_counts: str | None,
    district: str | None,
) -> None:
    """Choose the way of a COURSE, or of a school.

    Marks that count change course grades. They are written only where somebody agreed to them
    for that very course, within a day of a dry run: waymark passback preview COURSE --way
    mark_counted.
    """
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        if school is not None and course is None:
            _set_school(container, tenant, school, way=way)
        else:
            chosen = course_named(container, tenant, only_course(course, school))
            _set_course(container, chosen, way, agreed=yes_it_counts)


def _set_school(container: Container, tenant: TenantId, school: str, *, way: str) -> None:
    """Choose a school's way.

    Raises:
        UsageError: It was to follow a school itself.
        ClickException: There is no such school.
    """
    if way == _SCHOOLS:
        raise click.UsageError("A school has no school above it; name a way.")
    with writing(container.engine) as connection:
        is_known = ways.set_school_way(
            connection, tenant, school, way=PassbackWay(way), author=author(container)
        )
        names = ways.school_names(connection, tenant)
    if not is_known:
        raise click.ClickException(f'There is no school "{school}"; there is {", ".join(names)}.')
    click.echo(f"{school}: {way} from the next night on. A district file that says another way")
    click.echo("puts that back when it is loaded again.")
    if way == PassbackWay.MARK_COUNTED.value:
        click.echo("Nothing is written until somebody agrees, course by course: waymark passback")
        click.echo("preview COURSE, then waymark passback set COURSE with --yes-it-counts.")


def _set_course(container: Container, course: CourseWay, way: str, *, agreed: str | None) -> None:
    chosen = None if way == _SCHOOLS else PassbackWay(way)
    is_counted = chosen is PassbackWay.MARK_COUNTED
    if is_counted:
        _require_agreement(container, course, agreed)
    with writing(container.engine) as connection:
        ways.set_course_way(
            connection,
            course.id,
            chosen,
            counted_from=container.now() if is_counted else None,
            author=author(container),
        )
        counts = ways.column_counts(connection, course.id)
    then = chosen or course.of_school
    click.echo(f"{printable(course.title)}: {then.value} from the next night on.")
    for other, count in counts.items():
        if other is not then:
            click.echo(f"{count} columns made for {other.value} stay as they are; delete them in")
            click.echo("the LMS if nobody needs them.")


def _require_agreement(container: Container, course: CourseWay, agreed: str | None) -> None:
    """See that somebody knows what they agree to.

    Raises:
        ClickException: There was no dry run of late, or the title is another.
    """
    if not course.is_previewed(container.now()):
        raise click.ClickException(
            "Marks that count change course grades. Look at what they would say first: waymark "
            f"passback preview {course.id} --way mark_counted. It holds for a day."
        )
    if agreed != course.title:
        raise click.ClickException(
            f"Say that the marks of this course shall count: --yes-it-counts "
            f'"{printable(course.title)}"'
        )


def _told_way(course: CourseWay) -> str:
    if course.way is not PassbackWay.MARK_COUNTED:
        return str(course.way.value)
    if course.counted_from is None:
        return f"{course.way.value} (not agreed: nothing is written)"
    return f"{course.way.value} (agreed {course.counted_from:%Y-%m-%d %H:%M} UTC)"


def _told_written(course: CourseWay) -> str:
    """Whether marks go to a course's gradebook, and what keeps them from it."""
    if course.mode is not Mode.OFFICIAL:
        return f"no, it is {course.mode.value}"
    if course.way is PassbackWay.NONE:
        return "no"
    return "yes" if course.agreed_at is not None else "waits for a first yes"


def _print_preview(shown: Preview) -> None:
    click.echo(f"{printable(shown.title)}: {shown.way.value}")
    if shown.reason:
        click.echo(shown.reason)
    for column in shown.columns:
        _print_column(column)
    for way, count in shown.others.items():
        click.echo(f"{count} columns made for {way.value} stay as they are.")
    if shown.way is PassbackWay.MARK_COUNTED:
        click.echo("Course grades change; by how much is not known before the LMS adds it up.")
    else:
        click.echo("Course grades stay as they are.")
    click.echo("Nothing was written.")


def _print_column(column: PreviewedColumn) -> None:
    state = " (would be made)" if column.is_new else ""
    click.echo(f"\n{printable(column.title)}{state}")
    if column.trouble:
        click.echo(f"  cannot be written: {printable(column.trouble)}")
        return
    click.echo(
        f"  {len(column.marks)} to write, {column.unchanged} say it already, {len(column.left)} "
        f"left to a person, {column.withheld} without a status yet"
    )
    if column.marks:
        print_table(
            ("learner", "says now", "would say"),
            [(one.learner, one.now, one.then) for one in column.marks],
        )
    for learner, reason in column.left:
        click.echo(f"  left: {printable(learner)}: {printable(reason)}")


def _as_dict(course: CourseWay) -> dict[str, object]:
    return {
        "number": course.id,
        "title": course.title,
        "code": course.code,
        "school": course.school,
        "platform": course.platform,
        "way": course.way.value,
        "own_way": course.own and course.own.value,
        "mode": course.mode.value,
        "agreed_at": course.agreed_at and course.agreed_at.isoformat(),
        "counted_from": course.counted_from and course.counted_from.isoformat(),
        "previewed_at": course.previewed_at and course.previewed_at.isoformat(),
    }


def _preview_as_dict(shown: Preview) -> dict[str, object]:
    return {
        "course": shown.course,
        "title": shown.title,
        "way": shown.way.value,
        "reason": shown.reason,
        "columns": [
            {
                "title": one.title,
                "is_new": one.is_new,
                "marks": [
                    {"learner": mark.learner, "now": mark.now, "then": mark.then}
                    for mark in one.marks
                ],
                "left": [{"learner": name, "reason": reason} for name, reason in one.left],
                "unchanged": one.unchanged,
                "withheld": one.withheld,
                "trouble": one.trouble,
            }
            for one in shown.columns
        ],
        "others": {way.value: count for way, count in shown.others.items()},
    }
