"""Moodle's own competencies: frameworks, what courses name of them, scales and ratings.

Ids here are Moodle's numbers. A framework that is brought into Waymark gets identifiers made of
the site's address and those numbers, because an idnumber may be changed by anybody who manages
competencies, and may be empty.
"""

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

import msgspec

from connectors.moodle.webservice import Argument, Webservice
from mapping.plain_text import plain
from mapping.records import Competency, CourseRef, Framework, LearnerRef

FRAMEWORKS = "core_competency_list_competency_frameworks"
COMPETENCIES = "core_competency_list_competencies"
COURSE_COMPETENCIES = "core_competency_list_course_competencies"
SCALE_VALUES = "core_competency_get_scale_values"
RATINGS = "report_competency_data_for_report"

_PAGE = 500
_SYSTEM: Mapping[str, Argument] = {"contextid": 1}
_LONGEST_CODE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class MoodleFramework:
    """A competency framework as Moodle lists it.

    ``proficient`` holds the values of its scale, from 1, that count as proficient.
    """

    id: int
    title: str
    idnumber: str
    description: str
    scale: int
    proficient: frozenset[int]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseCompetency:
    """A competency that a course names.

    ``identifier`` is what an imported framework calls it. ``scale`` is the competency's own or
    its framework's, ``proficient`` the values of it, from 1, that count as proficient.
    """

    id: int
    idnumber: str
    title: str
    identifier: str
    framework: int
    framework_idnumber: str
    scale: int
    proficient: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """A learner's rating in a course: an index of the scale, from 1; None where there is none.

    ``rater`` is the user who touched it last, 0 where Moodle does not say.
    """

    grade: int | None
    is_proficient: bool | None
    rater: int = 0


class _Framework(msgspec.Struct):
    id: int
    shortname: str
    idnumber: str = ""
    description: str = ""
    scaleid: int = 0
    scaleconfiguration: str | None = None
    competenciescount: int = 0


class CompetencyRow(msgspec.Struct):
    """A competency as Moodle lists it; ``parentid`` is 0 at the top."""

    id: int
    shortname: str
    competencyframeworkid: int
    idnumber: str = ""
    description: str = ""
    parentid: int = 0
    sortorder: int = 0
    scaleid: int | None = None
    scaleconfiguration: str | None = None


class _CourseRow(msgspec.Struct):
    competency: CompetencyRow


class _Value(msgspec.Struct):
    id: int
    name: str


class _Rated(msgspec.Struct):
    competencyid: int
    grade: int | None = None
    proficiency: bool | None = None
    usermodified: int = 0


class _RatedRow(msgspec.Struct):
    usercompetencycourse: _Rated


class _Ratings(msgspec.Struct):
    usercompetencies: list[_RatedRow]


class _Level(msgspec.Struct):
    id: int = 0
    proficient: int = 0


def frameworks(service: Webservice) -> Sequence[MoodleFramework]:
    """The site's competency frameworks, those of its categories and hidden ones included.

    Source: Moodle 4.5, core_competency_list_competency_frameworks.
    """
    wanted: dict[str, Argument] = {"sort": "shortname", "context": _SYSTEM}
    return [
        MoodleFramework(
            id=row.id,
            title=plain(row.shortname),
            idnumber=row.idnumber,
            description=plain(row.description),
            scale=row.scaleid,
            proficient=_proficient(row.scaleconfiguration),
            count=row.competenciescount,
        )
        for row in service.call(FRAMEWORKS, wanted, list[_Framework])
    ]


def course_competencies(service: Webservice, course: CourseRef) -> Sequence[CourseCompetency]:
    """The competencies that a course names, in its order; none costs a single request.

    Args:
        service: Moodle.
        course: The course.

    Returns:
        Each with the scale that it is rated on.

    Source: Moodle 4.5, core_competency_list_course_competencies.
    """
    found = service.call(COURSE_COMPETENCIES, {"id": course}, list[_CourseRow])
    rows = {row.competency.id: row for row in found}.values()
    known = {one.id: one for one in frameworks(service)} if rows else {}
    return [
        _of_course(service, row.competency, known.get(row.competency.competencyframeworkid))
        for row in rows
    ]


def _of_course(
    service: Webservice, row: CompetencyRow, framework: MoodleFramework | None
) -> CourseCompetency:
    has_own = row.scaleid is not None
    return CourseCompetency(
        id=row.id,
        idnumber=row.idnumber,
        title=plain(row.shortname),
        identifier=competency_identifier(service, row.id),
        framework=row.competencyframeworkid,
        framework_idnumber=framework.idnumber if framework else "",
        scale=row.scaleid or (framework.scale if framework else 0),
        proficient=_proficient(row.scaleconfiguration)
        if has_own or framework is None
        else framework.proficient,
    )


def scale_values(service: Webservice, scale: int) -> Mapping[int, str]:
    """The words of a scale by their index, from 1 for the lowest.

    Source: Moodle 4.5, core_competency_get_scale_values.
    """
    found = service.call(SCALE_VALUES, {"scaleid": scale}, list[_Value])
    return {value.id: html.unescape(value.name) for value in found}


def ratings(service: Webservice, course: CourseRef, learner: LearnerRef) -> Mapping[int, Rating]:
    """All ratings of a learner in a course, by competency; there is no call for many learners.

    Moodle makes an empty rating for each competency that had none.

    Source: Moodle 4.5, report_competency_data_for_report.
    """
    wanted: dict[str, Argument] = {"courseid": course, "userid": learner, "moduleid": 0}
    rows = service.call(RATINGS, wanted, _Ratings).usercompetencies
    found = [row.usercompetencycourse for row in rows]
    return {
        one.competencyid: Rating(
            grade=one.grade or None, is_proficient=one.proficiency, rater=one.usermodified
        )
        for one in found
    }


def read_framework(service: Webservice, framework: MoodleFramework) -> Framework:
    """A framework as Waymark keeps one.

    A competency with children is a strand. What Moodle calls its name and its description
    become one sentence.

    Args:
        service: Moodle.
        framework: As ``frameworks`` lists it.

    Returns:
        Parents before their children, each family in Moodle's order.

    Source: Moodle 4.5, core_competency_list_competencies.
    """
    rows = parents_first(list(_competencies(service, framework.id)))
    parents = {row.parentid for row in rows}
    codes = _codes(rows)
    return Framework(
        identifier=_identifier(service, "framework", framework.id),
        title=framework.title,
        creator=service.platform,
        attribution=framework.description,
        competencies=tuple(
            Competency(
                identifier=competency_identifier(service, row.id),
                code=codes[row.id],
                statement=_statement(row, is_strand=row.id in parents),
                parent=competency_identifier(service, row.parentid) if row.parentid else None,
                position=position,
                is_strand=row.id in parents,
            )
            for position, row in enumerate(rows)
        ),
    )


def competency_identifier(service: Webservice, competency: int) -> str:
    """What an imported framework calls a competency of Moodle's."""
    return _identifier(service, "competency", competency)


def _identifier(service: Webservice, kind: str, number: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"{service.issuer}/{kind}/{number}"))


def _competencies(service: Webservice, framework: int) -> Iterator[CompetencyRow]:
    """Page after page in the order of ids, each row once; a page without news is the last."""
    start, seen = 0, set[int]()
    while True:
        wanted: dict[str, Argument] = {
            "filters": [{"column": "competencyframeworkid", "value": str(framework)}],
            "sort": "id",
            "order": "ASC",
            "skip": start,
            "limit": _PAGE,
        }
        page = service.call(COMPETENCIES, wanted, list[CompetencyRow])
        news = {row.id: row for row in page if row.id not in seen}
        yield from news.values()
        if len(page) < _PAGE or not news:
            return
        seen |= news.keys()
        start += _PAGE


def parents_first(rows: Sequence[CompetencyRow]) -> Sequence[CompetencyRow]:
    """Depth first; who names a parent that is not there stands at the top."""
    known = {row.id for row in rows}
    children: dict[int, list[CompetencyRow]] = {}
    for row in sorted(rows, key=lambda one: (one.sortorder, one.id)):
        top = row if row.parentid in known else msgspec.structs.replace(row, parentid=0)
        children.setdefault(top.parentid, []).append(top)
    ordered: list[CompetencyRow] = []
    waiting = children.get(0, [])[::-1]
    while waiting:
        row = waiting.pop()
        ordered.append(row)
        waiting += children.get(row.id, [])[::-1]
    return ordered


def _codes(rows: Sequence[CompetencyRow]) -> Mapping[int, str]:
    """The idnumber, or the name where it is missing or too long, or the number: each once."""
    codes: dict[int, str] = {}
    for row in rows:
        choices = (row.idnumber.strip(), plain(row.shortname), f"moodle-{row.id}")
        taken = set(codes.values())
        codes[row.id] = next(
            one for one in choices if one and len(one) <= _LONGEST_CODE and one not in taken
        )
    return codes


def _statement(row: CompetencyRow, *, is_strand: bool) -> str:
    name, text = plain(row.shortname), plain(row.description)
    if is_strand or not text:
        return name
    if name == row.idnumber or text.startswith(name):
        return text
    return f"{name}: {text}"


def _proficient(configuration: str | None) -> frozenset[int]:
    """The proficient values; the list's first entry names the scale and is no value."""
    if not configuration:
        return frozenset()
    levels = msgspec.json.decode(configuration, type=list[_Level], strict=False)
    return frozenset(level.id for level in levels if level.id and level.proficient)
