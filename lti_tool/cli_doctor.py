"""``waymark doctor``: everything an operator is asked when a night went wrong."""

import sys
from collections.abc import Iterator
from datetime import datetime

import click
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from bootstrap.checks import Check
from bootstrap.checkup import check_platform
from bootstrap.container import Container
from bootstrap.doctor import check_up
from lti_tool.cli_context import json_option, opened_container, print_json, printable
from store import registrations
from store.session import reading
from workers import queue, watching

_FAILED = 1


@click.command()
@json_option
@click.option("--offline", is_flag=True, help="Ask no LMS.")
def doctor(*, is_json: bool, offline: bool) -> None:
    """Look at settings, database, Redis, workers, cron, secrets, LMSs, mail and the last nights.

    FAIL lines say what to do, look lines are warnings. Ends with 1 where something failed.
    """
    found: list[Check] = []
    with opened_container() as container:
        for check in _checks(container, is_offline=offline):
            found.append(check)
            if not is_json:
                _show(check)
    if is_json:
        print_json([_as_dict(one) for one in found])
    sys.exit(0 if all(one.ok for one in found) else _FAILED)


def _checks(container: Container, *, is_offline: bool) -> Iterator[Check]:
    yield from check_up(container)
    yield from _processes(container)
    if not is_offline:
        yield from _platforms(container)


def _processes(container: Container) -> Iterator[Check]:
    try:
        yield _check_workers(container)
        yield _check_cron(container, container.now())
    except RedisError:
        # Told already.
        return


def _check_workers(container: Container) -> Check:
    count, waiting = queue.live_workers(container), queue.depth(container)
    found = f"{count} alive, {waiting} jobs waiting"
    if count:
        return Check(name="Workers", ok=True, found=found)
    return Check(name="Workers", ok=False, found=found, advice="Start some: waymark worker")


def _check_cron(container: Container, now: datetime) -> Check:
    sign = watching.cron_sign(container)
    if sign is None or now - sign.at > watching.SIGN_LASTS:
        last = "none within a day" if sign is None else f"last sign {sign.at:%Y-%m-%d %H:%M} UTC"
        return Check(
            name="Cron", ok=False, found=last, advice="No night begins. Start it: waymark cron"
        )
    return Check(
        name="Cron",
        ok=True,
        found=f"nights begin at {sign.sync_at} and are late at {sign.late_at}",
    )


def _platforms(container: Container) -> Iterator[Check]:
    try:
        with reading(container.engine) as connection:
            known = registrations.platforms(connection)
    except SQLAlchemyError:
        # Told already.
        return
    for platform in known:
        if not platform.is_active:
            continue
        for check in check_platform(container, platform.id):
            yield Check(
                name=f"{platform.name}: {check.name}",
                ok=check.ok,
                found=check.found,
                advice=check.advice,
            )


def _show(check: Check) -> None:
    word = ("look" if check.advice else "ok") if check.ok else "FAIL"
    found = f": {check.found}" if check.found else ""
    click.echo(printable(f"{word:<5} {check.name}{found}"))
    if check.advice:
        click.echo(printable(f"      {check.advice}"))


def _as_dict(check: Check) -> dict[str, object]:
    return {
        "name": check.name,
        "ok": check.ok,
        "found": check.found,
        "advice": check.advice,
    }
