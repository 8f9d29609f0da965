"""``waymark role``: who may change what at the district's desk."""

import click

from bootstrap.container import Container
from lti_tool.cli_context import (
    container_of_today,
    district_option,
    print_table,
    printable,
    tenant_of,
)
from lti_tool.cli_courses import author
from mapping.records import TenantId
from store import desk_roles
from store.desk_roles import Administrator, DeskRole, RoleRefused, Wanted
from store.session import reading, writing

_reason_option = click.option("--reason", default="", help="Why; it stays in the trail.")


@click.group()
def role() -> None:
    """Roles at the desk: who may change what. Also the way in where nobody may any more."""


@role.command("list")
@district_option
def list_roles(*, district: str | None) -> None:
    """Show everybody who opened Waymark as an administrator of an LMS, and their roles."""
    with container_of_today() as container:
        found = _administrators(container, tenant_of(container, district))
    if not found:
        click.echo("Nobody was here yet. Open Waymark in the LMS as its administrator first.")
        return
    print_table(
        ("number", "name", "LMS", "role", "given by", "last here"),
        [
            (
                str(one.id),
                printable(one.name),
                printable(one.platform),
                f"{one.seat.role.value} of {one.school}" if one.school else one.seat.role.value,
                printable(one.chosen_by) if one.chosen else "",
                f"{one.last_seen_at:%Y-%m-%d}",
            )
            for one in found
        ],
    )


@role.command()
@click.argument("who")
@click.argument("chosen", type=click.Choice([one.value for one in DeskRole]))
@click.option("--school", default="", help="For an operator: only in this school.")
@_reason_option
@district_option
def give(*, who: str, chosen: str, school: str, reason: str, district: str | None) -> None:
    """Give WHO, by number or name, a role."""
    wanted = Wanted(role=DeskRole(chosen), school=school, is_forced=True)
    _give(who, wanted, reason=reason, district=district)


@role.command()
@click.argument("who")
@_reason_option
@district_option
def clear(*, who: str, reason: str, district: str | None) -> None:
    """Take back what WHO, by number or name, was given.

    Where nobody has the role of the district any more, all administrators of the LMSs have it.
    """
    _give(who, Wanted(role=None, is_forced=True), reason=reason, district=district)


def _give(who: str, wanted: Wanted, *, reason: str, district: str | None) -> None:
    """Give a role, and say what holds now.

    Raises:
        ClickException: There is nobody of this name, or more than one, or no such school.
    """
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        found = _one(_administrators(container, tenant), who)
        try:
            with writing(container.engine) as connection:
                desk_roles.give_role(
                    *(connection, tenant, wanted),
                    administrator=found.id,
                    author=author(container, reason=reason),
                )
        except RoleRefused as error:
            raise click.ClickException(str(error)) from error
        now = _one(_administrators(container, tenant), str(found.id))
    where = f" of {printable(now.school)}" if now.school else ""
    click.echo(f"{printable(now.name)} is {now.seat.role.value}{where}.")


def _administrators(container: Container, tenant: TenantId) -> tuple[Administrator, ...]:
    with reading(container.engine) as connection:
        return desk_roles.administrators_of(connection, tenant)


def _one(known: tuple[Administrator, ...], who: str) -> Administrator:
    """The administrator of a number or name.

    Raises:
        ClickException: There is none, or more than one.
    """
    found = [one for one in known if who == str(one.id) or who.casefold() == one.name.casefold()]
    if len(found) == 1:
        return found[0]
    what = "More than one is called so; take the number" if found else "There is nobody called so"
    raise click.ClickException(f"{what}: waymark role list")
