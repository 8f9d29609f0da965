"""A teacher judges for themselves: another status, or which evidence counts and from when."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

from flask import Blueprint, Response, make_response, redirect, render_template, request
from sqlalchemy import Connection

from lti_tool.guards import NotThere, Visit, judged_course
from lti_tool.languages import words
from lti_tool.launch.services import services
from lti_tool.pages.explanations import Explained, ShownPiece, explained
from lti_tool.pages.judged import Typed, typed_date, typed_reason, typed_status
from lti_tool.pages.shown import shown_zone
from lti_tool.pages.visits import changing_visit, current_visit
from mapping.evidence.tables import View
from mapping.judgement.levels import highest_working_level
from mapping.judgement.overrides import OVERRIDABLE
from mapping.records import CourseId, LearnerId, LineItemId
from mapping.rules.mastery_rule import MasteryRule
from mapping.status import Status
from store import judgements
from store.judgements import Exclusion, GivenDate, Override
from store.reports import LearnerLine, learner_line, learner_standings
from store.session import reading, writing

blueprint = Blueprint("judgements", __name__)

_ADDRESS = "/learners/<row_id:learner_id>/judge/<row_id:competency_id>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A line item that gave evidence, with the newest of its attempts; is it of this course?"""

    newest: ShownPiece
    is_own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a teacher judges: a learner in a competency, as it stands and why."""

    visit: Visit
    learner: LearnerLine
    one: Explained
    items: Sequence[Item]

    @property
    def back(self) -> str:
        """The learner's page with this competency opened."""
        competency = self.one.line.competency.id
        page = f"/l/{self.visit.launch_id}/learners/{self.learner.id}"
        return f"{page}?show={competency}#c{competency}"

    def item_typed(self) -> LineItemId:
        """The line item that the form names.

        Raises:
            NotThere: It is none of this course.
        """
        for item in self.items:
            if item.is_own and request.form.get("piece") == str(item.newest.piece.line_item):
                return LineItemId(item.newest.piece.line_item)
        raise NotThere


@blueprint.get(_ADDRESS)
def show(launch_id: str, learner_id: int, competency_id: int) -> Response:
    """What can be judged, and what was."""
    visit = current_visit(launch_id)
    with reading(services().engine) as connection:
        case = _case(connection, visit, LearnerId(learner_id), competency=competency_id)
    return _page(case, Typed(fields={}))


@blueprint.post(_ADDRESS)
def judge(launch_id: str, learner_id: int, competency_id: int) -> Response:
    """Keep what a teacher says, or show the form again with what is wrong with it.

    Raises:
        NotThere: The form asks for something that there is not.
    """
    visit = changing_visit(launch_id)
    act = _ACTS.get(request.form.get("act", ""))
    if act is None:
        raise NotThere
    with reading(services().engine) as connection:
        case = _case(connection, visit, LearnerId(learner_id), competency=competency_id)
    typed = act.read(request.form)
    if typed.problems:
        return _page(case, typed)
    with writing(services().engine) as connection:
        act.keep(connection, case, typed)
    return cast("Response", redirect(case.back, HTTPStatus.SEE_OTHER, Response))


def _case(connection: Connection, visit: Visit, learner: LearnerId, *, competency: int) -> Case:
    course = judged_course(connection, visit, learner)
    tenant = visit.record.tenant
    view = View.TEACHER
    whose = learner_line(connection, tenant, learner)
    lines = [
        one
        for one in learner_standings(connection, tenant, learner, view=view, course=course)
        if one.competency.id == competency
    ]
    if whose is None or not lines:
        raise NotThere
    (strand,) = explained(connection, tenant, learner, lines=lines, view=view)
    one = strand.head or strand.members[0]
    return Case(visit=visit, learner=whose, one=one, items=_items(one, course))


def _items(one: Explained, course: CourseId) -> tuple[Item, ...]:
    newest = {shown.piece.line_item: shown for shown in one.pieces}
    return tuple(
        Item(newest=shown, is_own=shown.piece.course == course) for shown in newest.values()
    )


def _page(case: Case, typed: Typed) -> Response:
    page = render_template(
        "judge.html",
        visit=case.visit,
        case=case,
        one=case.one,
        typed=typed,
        asked=typed.fields.get("act", "status"),
        piece=typed.fields.get("piece", ""),
        statuses=_choices(case.one.rule),
    )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if typed.problems else HTTPStatus.OK
    return make_response(page, status)


def _choices(rule: MasteryRule) -> tuple[tuple[Status, str], ...]:
    """What may be given, by the names of the rule's scale."""
    names = {
        Status.EMERGING: rule.label(Status.EMERGING, 0),
        Status.DEVELOPING: rule.label(Status.DEVELOPING, 1),
    }
    # A scale with one level below mastery has one working status.
    left_out = Status.DEVELOPING if highest_working_level(rule) == 0 else None
    return tuple((one, names.get(one, one.label)) for one in OVERRIDABLE if one is not left_out)


def _author(visit: Visit) -> str:
    return visit.record.name or "A teacher"


def _keep_status(connection: Connection, case: Case, typed: Typed) -> None:
    assert typed.status is not None  # noqa: S101 - the form was found good
    given = Override(
        learner=case.learner.id,
        competency=case.one.line.competency.id,
        status=typed.status,
        reason=typed.reason,
        author=_author(case.visit),
        given_at=services().now(),
        until=typed.until,
    )
    judgements.give_override(connection, case.visit.record.tenant, given)


def _take_back(connection: Connection, case: Case, _typed: Typed) -> None:
    judgements.revoke_override(
        connection,
        case.visit.record.tenant,
        learner=case.learner.id,
        competency=case.one.line.competency.id,
        author=_author(case.visit),
        now=services().now(),
    )


def _take_out(connection: Connection, case: Case, typed: Typed) -> None:
    given = Exclusion(
        learner=case.learner.id,
        line_item=case.item_typed(),
        reason=typed.reason,
        author=_author(case.visit),
        given_at=services().now(),
    )
    judgements.exclude(connection, case.visit.record.tenant, given)


def _put_back(connection: Connection, case: Case, _typed: Typed) -> None:
    judgements.include(
        connection,
        case.visit.record.tenant,
        learner=case.learner.id,
        line_item=case.item_typed(),
        author=_author(case.visit),
        now=services().now(),
    )


def _keep_date(connection: Connection, case: Case, typed: Typed) -> None:
    assert typed.on is not None  # noqa: S101 - the form was found good
    given = GivenDate(
        learner=case.learner.id,
        line_item=case.item_typed(),
        occurred_at=typed.on,
        author=_author(case.visit),
        given_at=services().now(),
    )
    judgements.give_date(connection, case.visit.record.tenant, given)


def _take_date_back(connection: Connection, case: Case, _typed: Typed) -> None:
    judgements.revoke_date(
        connection,
        case.visit.record.tenant,
        learner=case.learner.id,
        line_item=case.item_typed(),
        author=_author(case.visit),
        now=services().now(),
    )


Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Act:
    """How a form is read, and how what it says is kept."""

    read: Callable[[Fields], Typed]
    keep: Callable[[Connection, Case, Typed], None]


def _read_status(fields: Fields) -> Typed:
    return typed_status(fields, now=services().now(), zone=shown_zone(), words=words())


def _read_date(fields: Fields) -> Typed:
    return typed_date(fields, now=services().now(), zone=shown_zone(), words=words())


def _read_reason(fields: Fields) -> Typed:
    return typed_reason(fields, words=words())


def _read_nothing(fields: Fields) -> Typed:
    return Typed(fields=fields)


_ACTS: Mapping[str, _Act] = {
    "status": _Act(read=_read_status, keep=_keep_status),
    "take_back": _Act(read=_read_nothing, keep=_take_back),
    "take_out": _Act(read=_read_reason, keep=_take_out),
    "put_back": _Act(read=_read_nothing, keep=_put_back),
    "date": _Act(read=_read_date, keep=_keep_date),
    "undate": _Act(read=_read_nothing, keep=_take_date_back),
}
