"""A class at a glance: learners against competencies, by strand."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import cast

from flask import Blueprint, Response, redirect, render_template
from sqlalchemy import Connection

from lti_tool.guards import (
    Capacity,
    NotThere,
    Visit,
    launched_course,
    require,
    require_class,
    reviewed_learner,
)
from lti_tool.launch.claims import REVIEW_MESSAGE
from lti_tool.launch.services import services
from lti_tool.pages.explanations import different, rule_of, strand_of
from lti_tool.pages.focus import ShownFocus, shown_focus
from lti_tool.pages.refreshing import may_refresh, standing
from lti_tool.pages.shown import short_status
from lti_tool.pages.visits import current_visit
from mapping.records import CourseId, LearnerId
from mapping.rules.mastery_rule import MasteryRule
from mapping.status import LADDER, OverrideState, Status
from store import rules
from store.reports import (
    CellLine,
    ClassTable,
    CompetencyLine,
    LearnerLine,
    class_table,
    is_enrolled,
)
from store.session import reading

blueprint = Blueprint("teacher", __name__)

_NO_CELL = CellLine(status=Status.NO_EVIDENCE, estimate=None, evidence_count=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A competency; ``counts`` says how many learners have each status, best first."""

    competency: CompetencyLine
    is_whole_strand: bool
    counts: Sequence[tuple[Status, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnGroup:
    """The columns of one strand; ``title`` is empty for competencies without one."""

    title: str
    columns: Sequence[Column]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell with what the scale that it was judged on calls its status."""

    line: CellLine
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A learner's cells, in the order of the columns."""

    learner: LearnerLine
    cells: Sequence[Cell]


@blueprint.get("/class")
def launched(launch_id: str) -> Response | str:
    """The class that the teacher opened Waymark in, or the learner whose work they review."""
    visit = current_visit(launch_id)
    require(visit, Capacity.TEACHER)
    with reading(services().engine) as connection:
        course = launched_course(connection, visit)
        if course is None:
            return render_template("nothing_yet.html", visit=visit)
        require_class(connection, visit, course)
        learner = _reviewed(connection, visit, course)
    if learner is not None:
        address = f"/l/{launch_id}/learners/{learner}"
        return cast("Response", redirect(address, HTTPStatus.SEE_OTHER, Response))
    return _page(visit, course)


@blueprint.get("/class/<row_id:course_id>")
def one(launch_id: str, course_id: int) -> str:
    """A class of the tenant, for an administrator, or the teacher's own."""
    visit = current_visit(launch_id)
    require(visit, Capacity.TEACHER, Capacity.ADMINISTRATOR)
    return _page(visit, CourseId(course_id))


def _page(visit: Visit, course: CourseId) -> str:
    with reading(services().engine) as connection:
        require_class(connection, visit, course)
        table = class_table(connection, visit.record.tenant, course)
        if table is None:
            raise NotThere
        judged_by = _rules(connection, table)
        usual = rule_of(connection, visit.record.tenant)
        is_own = launched_course(connection, visit) == course
        focus = shown_focus(connection, visit)
        turn = standing(connection, visit, course, now=services().now())
    groups = _narrowed(column_groups(table), focus)
    return render_template(
        "class.html",
        visit=visit,
        course=table.course,
        groups=groups,
        lines=_lines(table, groups, judged_by),
        key=_key(table),
        has_overrides=_has(table, OverrideState.IN_FORCE, OverrideState.OUT_OF_DATE),
        has_old_overrides=_has(table, OverrideState.OUT_OF_DATE),
        rules=different(judged_by.values()) or (usual,),
        focus=focus,
        is_review=visit.record.message == REVIEW_MESSAGE,
        has_links=is_own and visit.has(Capacity.TEACHER),
        turn=turn,
        may_refresh=may_refresh(visit),
    )


def _rules(connection: Connection, table: ClassTable) -> dict[int, MasteryRule]:
    """The rules that the cells were judged by."""
    ids = {cell.rule for cell in table.cells.values() if cell.rule is not None}
    return rules.rules_by_id(connection, ids)


def _key(table: ClassTable) -> tuple[Status, ...]:
    """The statuses to explain, best first: those of every rule, and whatever else there is."""
    found = {cell.status for cell in table.cells.values()}
    return tuple(one for one in reversed(LADDER) if one <= Status.MASTERED or one in found)


def _has(table: ClassTable, *states: OverrideState) -> bool:
    return any(cell.override in states for cell in table.cells.values())


def _reviewed(connection: Connection, visit: Visit, course: CourseId) -> LearnerId | None:
    learner = reviewed_learner(connection, visit)
    if learner is None or not is_enrolled(connection, visit.record.tenant, course, learner=learner):
        return None
    return learner


def _narrowed(groups: Sequence[ColumnGroup], focus: ShownFocus | None) -> tuple[ColumnGroup, ...]:
    """The columns that a link is about, still under the names of their strands."""
    if focus is None:
        return tuple(groups)
    narrowed = (
        replace(group, columns=[one for one in group.columns if focus.has(one.competency.id)])
        for group in groups
    )
    return tuple(group for group in narrowed if group.columns)


def column_groups(table: ClassTable) -> tuple[ColumnGroup, ...]:
    """The columns of a class table by strand, the strand as a whole first."""
    heads = {one.id: one for one in table.competencies if one.is_strand}
    keys = [one.id if one.id in heads else strand_of(one, heads) for one in table.competencies]
    return tuple(
        ColumnGroup(
            title=(heads[key].indicator or heads[key].statement) if key is not None else "",
            columns=tuple(
                _column(table, one, is_whole_strand=one.id in heads)
                for one, its_key in zip(table.competencies, keys, strict=True)
                if its_key == key
            ),
        )
        for key in dict.fromkeys(keys)
    )


def _column(table: ClassTable, competency: CompetencyLine, *, is_whole_strand: bool) -> Column:
    counts = Counter(
        table.cells.get((learner.id, competency.id), _NO_CELL).status for learner in table.learners
    )
    return Column(
        competency=competency,
        is_whole_strand=is_whole_strand,
        counts=tuple((status, counts[status]) for status in reversed(LADDER)),
    )


def _lines(
    table: ClassTable, groups: Sequence[ColumnGroup], judged_by: Mapping[int, MasteryRule]
) -> tuple[Line, ...]:
    order = [column.competency.id for group in groups for column in group.columns]
    return tuple(
        Line(
            learner=learner,
            cells=tuple(
                _cell(table.cells.get((learner.id, one), _NO_CELL), judged_by) for one in order
            ),
        )
        for learner in table.learners
    )


def _cell(line: CellLine, judged_by: Mapping[int, MasteryRule]) -> Cell:
    rule = None if line.rule is None else judged_by.get(line.rule)
    return Cell(line=line, label=short_status(line.status, rule, line.level))
