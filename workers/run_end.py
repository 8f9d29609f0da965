"""What is to be told of a run that is over, or late: alarms are found, messages put down."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from mapping.alarms import Alarm
from mapping.records import Counts, TenantId
from store import alarms, notices, outbox_reports, run_reports, tenants
from store.notice_targets import NoticeKind
from store.notices import Message
from store.run_reports import Trouble
from store.sync_state import ItemState, Run

NIGHTLY = "nightly"
_SHOWN = 10
REFUSALS = frozenset(
    {
        "access_revoked",
        "missing_scope",
        "no_access_token",
        "no_service_token",
        "no_token",
        "refused_access",
        "sealed",
        "service_refused",
        "webservices_off",
    }
)
"""Causes by which an LMS, or a sealed secret, shut Waymark out: nothing helps but a person."""


def see_to_end(connection: Connection, run: Run, *, now: datetime) -> None:
    """Judge a run that is over and put down what is to be told of it.

    A dry run changed nothing, so nothing is told of it.

    Args:
        connection: The transaction that ends the run.
        run: The run, in its last phase.
        now: When.
    """
    if run.is_dry:
        return
    found = alarms.watch_run(connection, run, now=now)
    for message in _messages(connection, run, found):
        notices.tell(connection, run.tenant, message, run=run.id, now=now)


def _messages(connection: Connection, run: Run, found: Sequence[Alarm]) -> list[Message]:
    district = district_name(connection, run.tenant)
    troubles = run_reports.troubles(connection, run.id)
    failed = [one for one in troubles if one.state is ItemState.FAILED]
    shut_out = [one for one in failed if one.cause in REFUSALS]
    refused = outbox_reports.not_written(connection, run.id)
    told = []
    if run.cause == NIGHTLY:
        told.append(_of_night(district, run_reports.counts(connection, run.id), failed))
    if shut_out:
        told.append(_of_shut_out(district, shut_out))
    if refused:
        told.append(_of_refused(district, refused))
    if found:
        told.append(of_alarms(district, found))
    return told


def _of_night(district: str, counts: Counts, failed: Sequence[Trouble]) -> Message:
    did = (
        f"Courses read: {counts.courses:,}; unchanged: {counts.unchanged:,}. Scores pulled: "
        f"{counts.scores_pulled:,}; new: {counts.scores_new:,}; changed: "
        f"{counts.scores_changed:,}. Statuses changed: {counts.statuses_changed:,}. Marks "
        f"written: {counts.pushed:,}; not written: {counts.refused:,}."
    )
    if not failed:
        return Message(
            kind=NoticeKind.NIGHT_DONE, subject=f"{district}: the night is done", body=did
        )
    return Message(
        kind=NoticeKind.NIGHT_FAILED,
        subject=f"{district}: {len(failed):,} parts of the night failed",
        body=(
            f"The others went on. {did}\n\n{_listed(failed)}\n\nWaymark's page What could not be "
            "done, and waymark failures, name every course, with what to do and a way to try again."
        ),
    )


def _of_shut_out(district: str, shut_out: Sequence[Trouble]) -> Message:
    return Message(
        kind=NoticeKind.PLATFORM_REFUSED,
        subject=f"{district}: an LMS refuses Waymark",
        body=(
            "Nothing of it is read or written until somebody gives Waymark access again.\n\n"
            f"{_listed(shut_out)}\n\nwaymark platform test says what is missing."
        ),
    )


def _of_refused(district: str, refused: "Sequence[outbox_reports.Unwritten]") -> Message:
    count = sum(one.marks for one in refused)
    lines = "\n".join(
        f"- {one.course}: {one.marks:,} marks. {one.reason}" for one in refused[:_SHOWN]
    )
    return Message(
        kind=NoticeKind.MARKS_REFUSED,
        subject=f"{district}: {count:,} marks were not written",
        body=(
            "What stands in the gradebook stays as it is; a mark that a person changed is never "
            f"overwritten.\n\n{lines}{_and_more(len(refused))}\n\nWaymark's page What could not "
            "be done names the learners."
        ),
    )


def of_alarms(district: str, found: Sequence[Alarm]) -> Message:
    """One message for all alarms of a run."""
    lines = "\n".join(f"- {one.message}" for one in found[:_SHOWN])
    word = "alarm" if len(found) == 1 else "alarms"
    return Message(
        kind=NoticeKind.ALARMS,
        subject=f"{district}: {len(found)} {word} after a run",
        body=(
            "Nothing failed and nothing was held back, but somebody should look.\n\n"
            f"{lines}{_and_more(len(found))}"
        ),
    )


def district_name(connection: Connection, tenant: TenantId) -> str:
    """What a tenant is called."""
    return next(one.name for one in tenants.all_tenants(connection) if one.id == tenant)


def _listed(troubles: Sequence[Trouble]) -> str:
    """Each reason once, the most frequent first, with how many parts it kept from being done."""
    parts: dict[str, int] = {}
    for one in troubles:
        parts[one.message] = parts.get(one.message, 0) + 1
    ordered = sorted(parts, key=lambda message: -parts[message])
    lines = "\n".join(f"- {message} ({parts[message]:,})" for message in ordered[:_SHOWN])
    return lines + _and_more(len(ordered))


def _and_more(count: int) -> str:
    return "" if count <= _SHOWN else f"\n- and {count - _SHOWN} more"
