"""What patterns match, what a mapping covers, and what a draft of it would change."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from lti_tool.api.mapping_drafts import draft_here
from lti_tool.api.mappings import Pattern
from lti_tool.api.operations import OPERATIONS, Call, RowId
from lti_tool.api.problems import NotHere
from lti_tool.launch.services import services
from mapping.records import CourseId, MappingRule, TenantId
from mapping.steps import steps_text, unpacked
from store import alignments, mapping_drafts, mapping_matching
from store.alignments import rules_digest
from store.api_tokens import Scope
from store.frameworks import competencies_of
from store.mapping_matching import Survey
from store.remapping import Worth, effect_on_alignments
from store.reports import course_lines
from store.second_person import needs_second
from store.session import reading

MOST = 200
"""Entries of each list of an answer; the numbers beside them are of all."""
_ANY = "-"


class PatternQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rule looks for; an empty pattern matches all."""

    school: Pattern = ""
    course: Pattern = ""
    line_item: Pattern = ""
    category: Pattern = ""
    criterion: Pattern = ""


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A line item or criterion that matches, with its course."""

    item: str
    course: str


class Matches(msgspec.Struct, frozen=True, kw_only=True):
    """How much of what there is patterns match, with a few of it."""

    courses: int
    all_courses: int
    items: int
    all_items: int
    examples: Sequence[Match]


class CoverageQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether one course is to be told line item by line item."""

    course: RowId | None = None


class UnmappedInCourse(msgspec.Struct, frozen=True, kw_only=True):
    """How many line items of a course no rule speaks of."""

    course: int
    items: int


class GivenTwice(msgspec.Struct, frozen=True, kw_only=True):
    """A line item that several rules, counted from 1, give to one competency."""

    course: str
    item: str
    competency: str
    rules: Sequence[int]


class Silent(msgspec.Struct, frozen=True, kw_only=True):
    """A competency that nothing speaks for."""

    framework: str
    competency: str


class Drifted(msgspec.Struct, frozen=True, kw_only=True):
    """A line item renamed since the set took force; ``now`` is null where it is gone."""

    course: str
    then: str
    now: str | None
    rules: Sequence[int]


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """A line item that rules, counted from 1, give to a competency."""

    item: str
    framework: str
    competency: str
    rules: Sequence[int]


class CourseCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """A course line item by line item, and those that no rule speaks of."""

    spoken: Sequence[Spoken]
    unmapped: Sequence[str]


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """What a mapping reaches and what not: numbers of all, and the first 200 of each kind.

    ``idle`` are rules, counted from 1, that match nothing; ``drifted`` is told of the set in
    force, ``in_course`` where a course is asked for.
    """

    items: int
    unmapped: int
    unmapped_courses: int
    most_unmapped: Sequence[UnmappedInCourse]
    given_twice: int
    first_given_twice: Sequence[GivenTwice]
    idle: Sequence[int]
    silent: int
    first_silent: Sequence[Silent]
    drifted: int
    first_drifted: Sequence[Drifted]
    in_course: CourseCoverage | None


class AlignmentWorth(msgspec.Struct, frozen=True, kw_only=True):
    """With what weight, as which kind and by which steps a line item speaks for a competency."""

    weight: float
    kind: str
    counts_as: str


class AlignmentChange(msgspec.Struct, frozen=True, kw_only=True):
    """A line item that speaks for a competency otherwise; null where it does not speak for it."""

    course: str
    item: str
    competency: str
    before: AlignmentWorth | None
    after: AlignmentWorth | None


class CourseChange(msgspec.Struct, frozen=True, kw_only=True):
    """How many alignments of a course change."""

    course: int
    title: str
    added: int
    removed: int
    changed: int


class AlignmentEffect(msgspec.Struct, frozen=True, kw_only=True):
    """What publishing a draft would change in alignments: numbers of all, and the first of each.

    ``learners`` have a score in such work; ``seen`` goes back with publishing;
    ``waits_for_second`` says that somebody else than the caller must publish it.
    """

    rules: int
    added: int
    removed: int
    changed: int
    courses: int
    first_courses: Sequence[CourseChange]
    first_changes: Sequence[AlignmentChange]
    learners: int
    is_same: bool
    waits_for_second: bool
    seen: str


@OPERATIONS.add("GET", "/mapping/matches", scope=Scope.READ, answer=Matches, query=PatternQuery)
def get_mapping_matches(call: Call) -> Matches:
    """What patterns would match of the courses and line items there are now."""
    said: PatternQuery = call.query
    rule = MappingRule(framework=_ANY, competency=_ANY, **msgspec.structs.asdict(said))
    with reading(services().engine) as connection:
        found = mapping_matching.rule_matches(connection, call.caller.tenant, rule)
    return Matches(
        courses=found.courses,
        all_courses=found.all_courses,
        items=found.items,
        all_items=found.all_items,
        examples=[Match(item=item, course=course) for item, course in found.examples],
    )


@OPERATIONS.add("GET", "/mapping/coverage", scope=Scope.READ, answer=Coverage, query=CoverageQuery)
def get_mapping_coverage(call: Call) -> Coverage:
    """What the set in force covers, and what drifted since it was published."""
    tenant = call.caller.tenant
    with reading(services().engine) as connection:
        rules = alignments.rules_in_force(connection, tenant)
        drifted = mapping_matching.drift(connection, tenant)
        told = _coverage(connection, call, rules)
    return msgspec.structs.replace(
        told,
        drifted=len(drifted),
        first_drifted=[
            Drifted(course=one.course, then=one.then, now=one.now, rules=one.rules)
            for one in drifted[:MOST]
        ],
    )


@OPERATIONS.add(
    "GET",
    "/mapping/drafts/<row_id:draft_id>/coverage",
    scope=Scope.READ,
    answer=Coverage,
    query=CoverageQuery,
)
def get_draft_coverage(call: Call) -> Coverage:
    """What a draft would cover."""
    with reading(services().engine) as connection:
        draft = draft_here(connection, call)
        return _coverage(connection, call, mapping_drafts.rules_in(connection, draft.id))


@OPERATIONS.add(
    "GET",
    "/mapping/drafts/<row_id:draft_id>/effect",
    scope=Scope.READ,
    answer=AlignmentEffect,
)
def get_draft_effect(call: Call) -> AlignmentEffect:
    """What publishing a draft would change in alignments; nothing is changed."""
    tenant = call.caller.tenant
    with reading(services().engine) as connection:
        draft = draft_here(connection, call)
        rules = mapping_drafts.rules_in(connection, draft.id)
        found = effect_on_alignments(connection, tenant, rules)
        is_same = rules == alignments.rules_in_force(connection, tenant)
        is_second = needs_second(connection, tenant)
    return AlignmentEffect(
        rules=len(rules),
        added=found.added,
        removed=found.removed,
        changed=found.changed,
        courses=len(found.courses),
        first_courses=[
            CourseChange(
                course=one.id,
                title=one.title,
                added=one.added,
                removed=one.removed,
                changed=one.changed,
            )
            for one in found.courses[:MOST]
        ],
        first_changes=[
            AlignmentChange(
                course=one.course,
                item=one.item,
                competency=one.competency,
                before=_worth(one.before),
                after=_worth(one.after),
            )
            for one in found.examples
        ],
        learners=found.learners,
        is_same=is_same,
        waits_for_second=is_second and call.caller.editor().key == draft.changed_by,
        seen=rules_digest(rules),
    )


def _worth(worth: Worth | None) -> AlignmentWorth | None:
    if worth is None:
        return None
    counts_as = steps_text(unpacked(worth.steps))
    return AlignmentWorth(weight=worth.weight, kind=worth.kind, counts_as=counts_as)


def _coverage(connection: Connection, call: Call, rules: Sequence[MappingRule]) -> Coverage:
    query: CoverageQuery = call.query
    tenant = call.caller.tenant
    in_course = None
    if query.course is not None:
        in_course = _in_course(connection, tenant, rules, course=CourseId(query.course))
    found = mapping_matching.survey(connection, tenant, rules)
    silent = _silent(connection, tenant, found)
    most = found.unmapped.most_common(MOST)
    return Coverage(
        items=found.items,
        unmapped=sum(found.unmapped.values()),
        unmapped_courses=len(found.unmapped),
        most_unmapped=[UnmappedInCourse(course=one, items=count) for one, count in most],
        given_twice=found.doubles_count,
        first_given_twice=[
            GivenTwice(course=one.course, item=one.item, competency=one.competency, rules=one.rules)
            for one in found.doubles[:MOST]
        ],
        idle=[at for at in range(1, len(rules) + 1) if not found.hits[at - 1]],
        silent=len(silent),
        first_silent=silent[:MOST],
        drifted=0,
        first_drifted=(),
        in_course=in_course,
    )


def _silent(connection: Connection, tenant: TenantId, found: Survey) -> list[Silent]:
    return [
        Silent(framework=one.framework, competency=one.code)
        for one in competencies_of(connection, tenant)
        if not one.is_strand and (one.framework, one.code) not in found.reached
    ]


def _in_course(
    connection: Connection, tenant: TenantId, rules: Sequence[MappingRule], *, course: CourseId
) -> CourseCoverage:
    """How rules cover one course.

    Raises:
        NotHere: The district has no such course.
    """
    if not course_lines(connection, tenant, course=course):
        raise NotHere("course")
    found = mapping_matching.course_coverage(connection, tenant, rules, course=course)
    names = {one.id: one.name for one in found.items}
    return CourseCoverage(
        spoken=[
            Spoken(
                item=names[item],
                framework=framework,
                competency=competency,
                rules=[at + 1 for at in places],
            )
            for (item, (framework, competency)), places in found.cells.items()
        ],
        unmapped=[one.name for one in found.unmapped],
    )
