"""Tenants, platforms, courses and people for tests, each made with one call."""

from datetime import UTC, datetime

import numpy as np

from mapping.alignment import resolve
from mapping.columns import NO_MOMENT
from mapping.kept import NO_RULE, Changes, KeptTable, places
from mapping.records import (
    Competency,
    Course,
    CourseId,
    CourseRef,
    Criterion,
    CriterionRef,
    Enrolment,
    EnrolmentState,
    Framework,
    LearnerRef,
    LineItem,
    LineItemRef,
    MappingRule,
    Mode,
    PassbackWay,
    Person,
    PlatformId,
    Role,
    SchoolRef,
    Score,
    ScoreState,
    TenantId,
)
from mapping.rules.mastery_rule import MasteryRule
from store import (
    alignments,
    courses,
    frameworks,
    gradebook,
    item_rows,
    modes,
    registrations,
    rules,
)
from store.policy_changes import Author
from store.registrations import PlatformEntry
from store.secrets import SecretBox
from store.standing_tables import save_changes
from store.standings import NOWHERE, Basis
from store.tables import to_micros
from store.waiting import waiting_in

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
BY = Author(by="Vera", at=NOW)
BOX = SecretBox("only-for-tests-only-for-tests-only")
FRAMEWORK = Framework(
    identifier="F",
    title="Mathematics",
    creator="A ministry",
    competencies=(
        Competency(identifier="n", code="N", statement="Numbers", is_strand=True),
        Competency(identifier="n1", code="N.1", statement="Count", parent="n", position=1),
        Competency(identifier="n2", code="N.2", statement="Add", parent="n", position=2),
        Competency(identifier="l1", code="L.1", statement="Read", position=3),
    ),
)


def new_tenant(connection, name: str = "District", zone: str = "UTC") -> TenantId:
    return registrations.save_tenant(connection, name, zone)


def new_platform(
    connection,
    tenant: TenantId,
    name: str = "Canvas",
    *,
    kind: str = "canvas",
    api_url: str = "http://127.0.0.1:9",
    secrets: SecretBox = BOX,
) -> PlatformId:
    entry = PlatformEntry(
        kind=kind,
        name=name,
        issuer=f"https://{name}.example",
        client_id=f"client of {tenant}",
        auth_url="",
        token_url=f"{api_url}/token",
        jwks_url="",
        api_url=api_url,
        api_token="a-secret-token",
    )
    return registrations.save_platform(connection, tenant, entry, secrets=secrets)


def new_school(
    connection,
    tenant: TenantId,
    platform: PlatformId,
    *,
    way: PassbackWay = PassbackWay.WORDS,
    ref: str = "s1",
    mode: Mode = Mode.OFFICIAL,
    is_agreed: bool = True,
) -> None:
    name = f"School {ref}"
    school = registrations.save_school(connection, tenant, name, passback_way=way)
    modes.set_school_mode(connection, tenant, name, mode=mode, author=BY)
    if is_agreed:
        modes.agree_for_school(connection, tenant, name, author=BY)
    registrations.save_school_refs(connection, platform, {SchoolRef(ref): school})


def course_record(ref: str = "c1", **more) -> Course:
    fields = {"title": "Algebra", "code": "ALG", "school_ref": SchoolRef("s1"), **more}
    return Course(ref=CourseRef(ref), **fields)


def new_course(
    connection, tenant: TenantId, platform: PlatformId, ref: str = "c1", **more
) -> CourseId:
    courses.save_courses(connection, platform, [course_record(ref, **more)], tenant=tenant)
    found = registrations.find_course(connection, platform, CourseRef(ref))
    assert found is not None
    return found


def pupil(
    ref: str,
    *,
    sis_id: str | None = None,
    name: str | None = None,
    state: EnrolmentState = EnrolmentState.ACTIVE,
) -> Enrolment:
    person = Person(
        ref=LearnerRef(ref), name=name or ref.title(), sort_name=name or ref, sis_id=sis_id
    )
    return Enrolment(person=person, role=Role.LEARNER, state=state)


def guardian(ref: str, of: str, *, state: EnrolmentState = EnrolmentState.ACTIVE) -> Enrolment:
    person = Person(ref=LearnerRef(ref), name=ref, sort_name=ref)
    return Enrolment(person=person, role=Role.GUARDIAN, state=state, observes=LearnerRef(of))


def column(ref: str, *, criteria: tuple[str, ...] = (), **more) -> LineItem:
    return LineItem(
        ref=LineItemRef(ref),
        title=ref,
        category=more.pop("category", "Quizzes"),
        maximum=more.pop("maximum", 10.0),
        criteria=tuple(
            Criterion(ref=CriterionRef(one), title=one, maximum=4.0) for one in criteria
        ),
        **more,
    )


def score(
    item: str,
    learner: str,
    points: float | None = None,
    *,
    state: ScoreState | None = None,
    criterion: str | None = None,
    **more,
) -> Score:
    return Score(
        line_item_ref=LineItemRef(item),
        learner_ref=LearnerRef(learner),
        state=state or ScoreState.GRADED,
        points=points,
        criterion_ref=None if criterion is None else CriterionRef(criterion),
        **more,
    )


def enrol(connection, course: CourseId, *refs: str):
    """Learners whose SIS id is their reference."""
    return courses.save_enrolments(connection, course, [pupil(ref, sis_id=ref) for ref in refs])


def open_reading(connection, course: CourseId, *, items, learners):
    """A reading of a course that has columns and learners of these names."""
    stored = gradebook.save_line_items(connection, course, [column(ref) for ref in items])
    known = enrol(connection, course, *learners)
    return gradebook.start_reading(connection, course, items=stored, learners=known)


def rule(competency: str, **more) -> MappingRule:
    return MappingRule(framework="F", competency=competency, **more)


def publish(connection, tenant: TenantId, *rules: MappingRule, now: datetime = NOW) -> int:
    frameworks.save_framework(connection, tenant, FRAMEWORK)
    return alignments.publish_mapping(connection, tenant, rules, now=now)


def set_rule(connection, tenant: TenantId, *, now: datetime = NOW, **more) -> int:
    definition = MasteryRule(**{"minimum_evidence": 1, **more}).definition()
    return rules.save_rule(connection, tenant, definition, now=now).id


def align(connection, tenant: TenantId, course: CourseId, *rules: MappingRule):
    """Apply rules to the columns of a course; their framework is published."""
    items, keys = item_rows.known_line_items(connection, course)
    resolved = resolve(rules, course_record(), items)
    return alignments.save_alignments(connection, course, resolved, items=keys, tenant=tenant)


def competency_ids(connection, tenant: TenantId) -> dict[str, int]:
    return {one.code: one.id for one in frameworks.competencies_of(connection, tenant)}


def keep_standings(connection, changed, *, basis: Basis, now: datetime = NOW) -> None:
    """Former, or None, and present standing by place, kept as a night keeps them."""
    where = sorted(changed, key=lambda place: (place[2], place[0], place[1]))
    befores, afters = zip(*(changed[place] for place in where), strict=True) if where else ((), ())
    changes = Changes(
        before=_kept(where, [NOWHERE if one is None else one for one in befores]),
        after=_kept(where, afters),
        was_there=np.array([one is not None for one in befores], dtype=np.bool_),
        is_shown=np.ones(len(where), dtype=np.bool_),
    )
    save_changes(connection, changes, basis=basis, now=now)


def _kept(where, told) -> KeptTable:
    learner, competency, view = (np.array([p[n] for p in where], dtype=np.int64) for n in range(3))
    return KeptTable(
        place=places(learner, competency, view),
        status=np.array([one.status for one in told], dtype=np.int8),
        level=np.array([one.level for one in told], dtype=np.int8),
        estimate=np.array([one.estimate for one in told], dtype=np.float64),
        evidence_count=np.array([one.evidence_count for one in told], dtype=np.int64),
        mastered_count=np.array([one.mastered_count for one in told], dtype=np.int64),
        mastered_at=_moments(one.mastered_at for one in told),
        review_at=_moments(one.review_at for one in told),
        override=np.array([one.override for one in told], dtype=np.int8),
        rule=np.array([NO_RULE if one.rule is None else one.rule for one in told], dtype=np.int64),
    )


def _moments(told):
    return np.array([NO_MOMENT if one is None else to_micros(one) for one in told], dtype=np.int64)


def waiting_pairs(connection, tenant: TenantId) -> set[tuple[int, int]]:
    """Learner and competency of the single marks there are."""
    pairs = waiting_in(connection, tenant, part=0, parts=1).pairs
    return set(zip(pairs.learner.tolist(), pairs.competency.tolist(), strict=True))
