"""Districts of many tiny courses, so that each story has one of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle

from simulators.district import (
    Assignment,
    Attempt,
    Course,
    Criterion,
    District,
    Grade,
    Person,
    School,
)

WORDS, NOT_COUNTED, MOODLE, QUIET = 11, 12, 13, 14
SCHOOLS = (
    School(id=WORDS, name="Words School", lms="canvas", passback="words"),
    School(id=NOT_COUNTED, name="Marks School", lms="canvas", passback="mark_not_counted"),
    School(id=MOODLE, name="Moodle School", lms="moodle", passback="words"),
    School(id=QUIET, name="Quiet School", lms="canvas", passback="none"),
)
LEVELS = ("Not yet", "Developing", "Proficient", "Exemplary")
BEGUN = datetime(2026, 8, 3, 11, 0, tzinfo=UTC)
ENDED = datetime(2027, 12, 18, 21, 0, tzinfo=UTC)
DUE = datetime(2026, 10, 30, 23, 59, 59, tzinfo=UTC)
NOT_DUE = datetime(2027, 12, 1, 23, 59, 59, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A tiny course that is wanted; ``name`` is the same word in both LMSs."""

    name: str
    school: int = WORDS
    learners: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A column of every tiny course; ``shares`` of the maximum that the learners got, in turn."""

    key: str
    title: str
    category: str
    maximum: float
    kind: str = "assignment"
    shares: Sequence[float | None] = (0.9, 0.6)
    hours_late: int = -5
    due_at: datetime = DUE
    has_rubric: bool = False
    is_scale: bool = False


ITEMS = (
    Item(key="homework", title="Homework 1: Fractions", category="Homework", maximum=20.0),
    Item(
        key="empty",
        title="Homework 2: Decimals",
        category="Homework",
        maximum=20.0,
        shares=(None, 0.6),
    ),
    Item(key="quiz", title="Quiz 1: Fractions", category="Quizzes", maximum=10.0, kind="quiz"),
    Item(
        key="project",
        title="Project: Fractions in a family recipe",
        category="Projects",
        maximum=100.0,
        has_rubric=True,
    ),
    Item(
        key="late",
        title="Homework 3: Fractions again",
        category="Homework",
        maximum=20.0,
        hours_late=30,
    ),
    Item(
        key="scale",
        title="Exit ticket: Decimals",
        category="Classwork",
        maximum=4.0,
        is_scale=True,
    ),
    Item(
        key="paper", title="Homework 4: Decimals", category="Homework", maximum=10.0, kind="manual"
    ),
    Item(
        key="future",
        title="Homework 5: Decimals",
        category="Homework",
        maximum=20.0,
        shares=(None, None),
        due_at=NOT_DUE,
    ),
)
KEYS = tuple(item.key for item in ITEMS)
FIRST = {"canvas": (101, 5001), "moodle": (2, 12)}
"""The first course and item id of each LMS; Moodle's course 1 is the site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a plan's course lies in an LMS: its id, its items by key, its learners' SIS ids."""

    course: int
    items: dict[str, int]
    learners: Sequence[str]


def spot(plans: Sequence[Plan], name: str, lms: str, *, items: Sequence[Item] = ITEMS) -> Spot:
    """Find a planned course again; Canvas's learners are C..., Moodle's M...."""
    here = plans_in(plans, lms)
    place = next(number for number, plan in enumerate(here) if plan.name == name)
    first_course, first_item = FIRST[lms]
    ids = {item.key: first_item + place * len(items) + n for n, item in enumerate(items)}
    sis_ids = [f"{lms[0].upper()}{place:03d}{n}" for n in range(here[place].learners)]
    return Spot(course=first_course + place, items=ids, learners=sis_ids)


def plans_in(plans: Sequence[Plan], lms: str) -> Sequence[Plan]:
    return [plan for plan in plans if (plan.school == MOODLE) == (lms == "moodle")]


def tiny_district(plans: Sequence[Plan], *, items: Sequence[Item] = ITEMS) -> District:
    """A district of the planned courses, each with learners and a teacher of its own."""
    people = [_person(1, "administrator", "A0001")]
    courses = []
    for lms in ("canvas", "moodle"):
        for plan in plans_in(plans, lms):
            where = spot(plans, plan.name, lms, items=items)
            new = [_person(len(people) + 1, "teacher", f"T{lms[0].upper()}{where.course}")]
            new += [
                _person(len(people) + 2 + n, "learner", sis) for n, sis in enumerate(where.learners)
            ]
            people += new
            courses.append(_course(plan, where, new, items=items))
    return District(
        name="Tiny District",
        timezone="America/Sao_Paulo",
        people=tuple(people),
        schools=SCHOOLS,
        courses=tuple(courses),
        background_seconds=0.0,
    )


def _person(number: int, role: str, sis_id: str) -> Person:
    return Person(
        id=number,
        given_name=f"{role.capitalize()}",
        family_name=f"Number {number}",
        email=f"{sis_id.lower()}@tiny.example",
        sis_id=sis_id,
        role=role,
    )


def _course(plan: Plan, where: Spot, people: Sequence[Person], *, items: Sequence[Item]) -> Course:
    teacher, *learners = (person.id for person in people)
    return Course(
        id=where.course,
        title=f"Mathematics 6 {plan.name}",
        code=f"MAT6-{where.course}",
        sis_id=f"SIS-{plan.school}-{where.course}",
        school=plan.school,
        teachers=(teacher,),
        learners=tuple(learners),
        suspended=(),
        assignments=tuple(
            _assignment(item, where.items[item.key], is_moodle=plan.school == MOODLE)
            for item in items
        ),
        grades=tuple(_grades(items, where, learners)),
        starts_at=BEGUN,
        ends_at=ENDED,
    )


def _assignment(item: Item, number: int, *, is_moodle: bool) -> Assignment:
    rows = ("Explains the reasoning", "Communicates the results")
    return Assignment(
        id=number,
        title=item.title,
        category=item.category,
        maximum=item.maximum,
        due_at=item.due_at,
        kind=item.kind,
        scale=LEVELS if item.is_scale and is_moodle else (),
        criteria=tuple(
            Criterion(id=f"_{number}_{place}", title=row, maximum=item.maximum / 2)
            for place, row in enumerate(rows)
            if item.has_rubric and not is_moodle
        ),
    )


def _grades(items: Sequence[Item], where: Spot, learners: Sequence[int]) -> Iterator[Grade]:
    for item in items:
        for learner, share in zip(learners, cycle(item.shares), strict=False):
            if share is not None:
                yield _grade(item, where.items[item.key], learner, share=share)


def _grade(item: Item, number: int, learner: int, *, share: float) -> Grade:
    points = round(1 + share * 3) if item.is_scale else share * item.maximum
    submitted_at = item.due_at + timedelta(hours=item.hours_late)
    halves = {f"_{number}_{place}": points / 2 for place in range(2)} if item.has_rubric else {}
    return Grade(
        learner=learner,
        assignment=number,
        state="graded",
        attempts=[
            Attempt(
                submitted_at=submitted_at,
                points=float(points),
                graded_at=submitted_at + timedelta(days=2),
                criteria=halves,
            )
        ],
        points_deducted=2.0 if item.hours_late > 0 else 0.0,
    )
