"""``waymark rule``: the rules of mastery, of the district and of whatever is narrower."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Connection

from bootstrap.container import Container
from lti_tool.cli_context import (
    container_of_today,
    day_typed,
    district_option,
    json_option,
    print_json,
    print_table,
    printable,
    tenant_of,
    the_one_called,
    zone_of,
)
from lti_tool.cli_courses import editor
from lti_tool.compared_told import compared, comparison_told, methods_said, tell_comparison
from lti_tool.rule_places import (
    SCOPES,
    NamedPlace,
    place_called,
    place_name,
    proposed,
    rule_held,
)
from mapping.effects import Effect
from mapping.records import CourseId, TenantId
from mapping.rules.mastery_rule import RuleRefused
from mapping.rules.scopes import EffectiveRule
from store import rule_proposals, rules
from store.grounds import proposed_book
from store.naming import Thing, called
from store.rule_proposals import Proposal, ProposalRefused, Published, RuleChange
from store.rule_trail import place_in_words
from store.rules import StoredRule
from store.session import reading, writing
from workers.effects import Proposed, effect_of

_scope_option = click.option(
    "--scope", type=click.Choice(SCOPES), default="district", help="For what it is."
)
_target_option = click.option(
    "--target", default="", help="Which framework, course or competency: its number, code or title."
)
_from_option = click.option("--from", "begins", default="", help="From which day on; else now.")
_reason_option = click.option("--reason", default="", help="Why; it stays with the rule.")
_effect_option = click.option(
    "--effect", "is_tried", is_flag=True, help="Say first whose status it would change."
)
_yes_option = click.option("--yes", "is_meant", is_flag=True, help="Do it; else only say what.")


@click.group()
def rule() -> None:
    """Rules of mastery: which hold, set one for the district or less, withdraw one."""


@rule.command("list")
@click.option("--all", "is_whole", is_flag=True, help="Also those that hold no longer.")
@district_option
def list_rules(*, is_whole: bool, district: str | None) -> None:
    """Show what is set for the district, frameworks, courses and competencies."""
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with reading(container.engine) as connection:
            versions = rules.rule_versions(connection, tenant)
            held = versions if is_whole else _held_or_to_come(versions, container.now())
            zone = zone_of(connection, tenant)
            lines = [_line(connection, tenant, one, zone=zone) for one in held]
    if not lines:
        click.echo("No rule was set; the built-in one holds. See it with: waymark rule show")
        return
    print_table(("version", "for", "which", "from", "by", "why", "says"), lines)


@rule.command()
@_scope_option
@_target_option
@_from_option
@district_option
def show(*, scope: str, target: str, begins: str, district: str | None) -> None:
    """Show the rule that holds somewhere, whole, in words and as JSON.

    With --from, the one that holds on that day.
    """
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with reading(container.engine) as connection:
            named = place_called(connection, tenant, scope, target=target)
            moment = _moment(begins, container.now(), zone_of(connection, tenant))
            entries = rules.scoped_rules(connection, tenant)
    held = rule_held(entries, named, moment)
    click.echo(f"{named.name}:")
    _tell(held)
    click.echo(json.dumps(held.rule.definition(), ensure_ascii=False, indent=2))


@rule.command("set")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@_scope_option
@_target_option
@_from_option
@_reason_option
@_effect_option
@_yes_option
@district_option
def set_rule(
    *, path: Path, district: str | None, is_meant: bool, is_tried: bool, **said: str
) -> None:
    """Set the rule in a JSON file for the district, a framework, a course or a competency.

    The file says what it changes of wider scopes' rules and nothing else. It takes the place of
    whatever was said there before.
    Without --yes it only says what the rule would be, or what is wrong with it.
    """
    _change(_definition(path), district, said, is_meant=is_meant, is_tried=is_tried)


@rule.command()
@_scope_option
@_target_option
@_from_option
@_reason_option
@_effect_option
@_yes_option
@district_option
def withdraw(*, district: str | None, is_meant: bool, is_tried: bool, **said: str) -> None:
    """Have the district, a framework, a course or a competency say nothing any more."""
    _change({}, district, said, is_meant=is_meant, is_tried=is_tried)


@rule.command()
@district_option
def waiting(*, district: str | None) -> None:
    """Show the changes that wait for a second person."""
    with container_of_today() as container, reading(container.engine) as connection:
        tenant = tenant_of(container, district)
        lines = [
            (
                str(one.id),
                place_in_words(connection, one.change.place),
                ", ".join(sorted(one.change.definition)) or "nothing any more",
                *(one.author, f"{one.proposed_at:%Y-%m-%d %H:%M}", one.reason),
            )
            for one in rule_proposals.waiting(connection, tenant)
        ]
    if not lines:
        click.echo("No change waits.")
        return
    print_table(("change", "for", "says", "by", "proposed (UTC)", "why"), lines)


@rule.command()
@click.argument("number", metavar="CHANGE", type=int)
@_reason_option
@_effect_option
@_yes_option
@district_option
def approve(
    *, number: int, reason: str, is_tried: bool, is_meant: bool, district: str | None
) -> None:
    """Say yes to a CHANGE that somebody else proposed; it holds then."""
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        found = _told_proposal(container, tenant, number)
        if is_tried:
            entry = proposed(
                found.change.place, found.change.definition, found.begins(container.now())
            )
            change = Proposed(rule=entry)
            _tell_effect(effect_of(container.engine, tenant, change, now=container.now()))
        if not is_meant:
            click.echo("Nothing was changed. To approve it, run the same with --yes and --reason")
            return
        _decide(container, tenant, number, reason=reason, is_yes=True)
    click.echo("Approved. The next run works it into statuses, or the first one after it begins.")


@rule.command()
@click.argument("number", metavar="CHANGE", type=int)
@_reason_option
@_yes_option
@district_option
def decline(*, number: int, reason: str, is_meant: bool, district: str | None) -> None:
    """Say no to a CHANGE that waits, or take your own back."""
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        _told_proposal(container, tenant, number)
        if not is_meant:
            click.echo("Nothing was changed. To decline it, run the same with --yes and --reason")
            return
        _decide(container, tenant, number, reason=reason, is_yes=False)
    click.echo("It is not to be; the trail says why.")


def _told_proposal(container: Container, tenant: TenantId, number: int) -> Proposal:
    """A change that waits; what it says is told.

    Raises:
        ClickException: There is none of this number.
    """
    with reading(container.engine) as connection:
        found = rule_proposals.find_waiting(connection, tenant, number)
        if found is None:
            raise click.ClickException(f"No change {number} waits; see waymark rule waiting.")
        place = place_in_words(connection, found.change.place)
    click.echo(printable(f"{place}, proposed by {found.author}: {found.reason}"))
    click.echo(json.dumps(dict(found.change.definition), ensure_ascii=False, indent=2))
    return found


def _decide(
    container: Container, tenant: TenantId, number: int, *, reason: str, is_yes: bool
) -> None:
    """Take a step with a change that waits.

    Raises:
        ClickException: It cannot be taken; why is told.
        UsageError: No reason was given.
    """
    if not reason:
        raise click.UsageError("Say why with --reason; it is kept with the change.")
    decide = rule_proposals.approve if is_yes else rule_proposals.decline
    try:
        with writing(container.engine) as connection:
            decide(connection, tenant, number, editor=editor(container, reason))
    except ProposalRefused as error:
        raise click.ClickException(str(error)) from error


@rule.command("compare")
@click.option("--course", required=True, help="Which course: its number, code or title.")
@click.option(
    "--method",
    "asked",
    multiple=True,
    required=True,
    help="A method, with its numbers if it takes any: latest, recent_n:n=3. May be given 4 times.",
)
@json_option
@district_option
def compare_methods(
    *, course: str, asked: tuple[str, ...], is_json: bool, district: str | None
) -> None:
    """Judge a class by other methods beside the rule in force; nothing is written.

    Whoever the methods disagree on is listed, those on whom they disagree most first.
    """
    methods = methods_said(asked)
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with reading(container.engine) as connection:
            one = the_one_called(
                *(called(connection, tenant, Thing.COURSE, name=course), course), what="course"
            )
            found = compared(
                *(connection, tenant, CourseId(one.id)), methods=methods, now=container.now()
            )
    if is_json:
        print_json(comparison_told(found))
    else:
        tell_comparison(found)


def _change(
    definition: Mapping[str, Any],
    district: str | None,
    said: Mapping[str, str],
    *,
    is_meant: bool,
    is_tried: bool,
) -> None:
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with reading(container.engine) as connection:
            named = place_called(connection, tenant, said["scope"], target=said["target"])
            zone = zone_of(connection, tenant)
            begins = _moment(said["begins"], container.now(), zone)
            held = _proposal(
                *(connection, tenant, named),
                definition=definition,
                begins=begins,
                now=container.now(),
            )
        click.echo(f"{named.name}, from {begins.astimezone(zone):%Y-%m-%d %H:%M} on:")
        _tell(held)
        if is_tried:
            tried = Proposed(rule=proposed(named.place, definition, begins))
            _tell_effect(effect_of(container.engine, tenant, tried, now=container.now()))
        if not is_meant:
            click.echo("Nothing was saved. To save it, run the same with --yes.")
            return
        change = RuleChange(
            place=named.place, definition=definition, begins=begins if said["begins"] else None
        )
        _save(container, tenant, change, reason=said["reason"])


def _tell_effect(effect: Effect) -> None:
    """Say what a change would do."""
    click.echo(
        f"{effect.moved:,} statuses of {effect.concerned:,} of {effect.learners:,} learners would "
        f"be others; at most {effect.marks:,} cells of gradebooks would be written anew."
    )
    for (before, after), count in sorted(effect.moves.items(), key=lambda one: -one[1]):
        click.echo(f"  {before.label} -> {after.label}: {count:,}")


def _proposal(
    connection: Connection,
    tenant: TenantId,
    named: NamedPlace,
    *,
    definition: Mapping[str, Any],
    begins: datetime,
    now: datetime,
) -> EffectiveRule:
    """The rule that a change would make, found good together with all others.

    Raises:
        ClickException: It makes no rule; everything that is wrong is told.
    """
    versions = [one for one in rules.rule_versions(connection, tenant) if one.place == named.place]
    later = rules.overtaking(versions, begins=begins, now=now)
    if later is not None:
        raise click.ClickException(
            f"Version {later.version} was set for a later day and would go on holding. Choose a "
            "day after it began, or leave --from out."
        )
    entry = proposed(named.place, definition, begins)
    try:
        proposed_book(connection, tenant, entry)
    except RuleRefused as error:
        problems = "\n".join(f"  {printable(problem)}" for problem in error.problems)
        raise click.ClickException(f"This makes no rule:\n{problems}") from error
    return rule_held((*rules.scoped_rules(connection, tenant), entry), named, begins)


def _save(container: Container, tenant: TenantId, change: RuleChange, *, reason: str) -> None:
    with writing(container.engine) as connection:
        done = rule_proposals.publish(connection, tenant, change, editor=editor(container, reason))
    if done is Published.NO_NEWS:
        click.echo("This is what is said there already; nothing was changed.")
        return
    if done is Published.WAITS:
        click.echo(
            "Proposed. This district wants a second person: the change holds once another "
            "administrator approves it, on the page Rules or with: waymark rule approve"
        )
        return
    click.echo("Saved. The next run works it into statuses, or the first one after it begins.")
    if change.place == rules.DISTRICT:
        click.echo("A district file with another rule puts that back when it is loaded again.")


def _definition(path: Path) -> Mapping[str, Any]:
    """What a file says.

    Raises:
        ClickException: It is no JSON object, or an empty one.
    """
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, OSError, RecursionError) as error:
        raise click.ClickException(f"{path} is no JSON file: {error}.") from error
    if not isinstance(found, dict) or not found:
        raise click.ClickException(
            f"{path} must hold a JSON object with what the rule changes. To have nothing said any "
            "more: waymark rule withdraw"
        )
    return found


def _moment(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    return day_typed(text, zone).astimezone(UTC) if text else now


def _held_or_to_come(versions: tuple[StoredRule, ...], now: datetime) -> tuple[StoredRule, ...]:
    places = dict.fromkeys(one.place for one in versions)
    held = {
        current.id
        for place in places
        if (current := rules.in_force([one for one in versions if one.place == place], now))
        and current.definition
    }
    return tuple(one for one in versions if one.id in held or one.effective_from > now)


def _line(
    connection: Connection, tenant: TenantId, one: StoredRule, *, zone: ZoneInfo
) -> tuple[str, ...]:
    return (
        str(one.version),
        one.place.scope.name.lower(),
        place_name(connection, tenant, one.place),
        f"{one.effective_from.astimezone(zone):%Y-%m-%d %H:%M}",
        one.author,
        one.reason,
        ", ".join(sorted(one.definition)) or "nothing any more",
    )


def _tell(held: EffectiveRule) -> None:
    for line in (held.rule.sentence(), held.origin_sentence(), *held.rule.policy.sentences()):
        click.echo(f"  {printable(line)}")
