"""The plan of a school district: what both simulators are filled with.

Plain facts, drawn by ``simulators.generate`` from a seed. Nothing here knows an LMS's wire
format; ids are small integers that the simulators use as their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of the district. ``role``: learner, teacher, guardian or administrator."""

    id: int
    given_name: str
    family_name: str
    email: str
    sis_id: str
    role: str
    children: Sequence[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """A school; ``lms`` is canvas or moodle, ``passback`` Waymark's way for it."""

    id: int
    name: str
    lms: str
    passback: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A rubric row of an assignment."""

    id: str
    title: str
    maximum: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A gradebook column that a teacher made.

    ``kind``: assignment, quiz or manual. ``scale`` holds the words of a scale, lowest first,
    where the item is marked in words (Moodle); then ``maximum`` is their number.
    ``is_posted`` False: grades are held back from learners (Canvas: posted manually;
    Moodle: hidden).
    """

    id: int
    title: str
    category: str
    maximum: float
    due_at: datetime
    kind: str = "assignment"
    scale: Sequence[str] = ()
    is_published: bool = True
    is_posted: bool = True
    criteria: Sequence[Criterion] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try: ``points`` before any late deduction; ``criteria`` by criterion id."""

    submitted_at: datetime
    points: float
    graded_at: datetime
    criteria: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """A gradebook cell: ``state`` is graded, submitted, missing, excused or none.

    ``attempts`` oldest first; the newest is the one that counts. ``overridden`` is a
    teacher's own number over the activity's (Moodle), ``points_deducted`` a late penalty.
    """

    learner: int
    assignment: int
    state: str
    attempts: Sequence[Attempt] = ()
    points_deducted: float = 0.0
    overridden: float | None = None
    is_hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A course with its gradebook; ``state``: active, unpublished or concluded."""

    id: int
    title: str
    code: str
    sis_id: str
    school: int
    teachers: Sequence[int]
    learners: Sequence[int]
    suspended: Sequence[int]
    assignments: Sequence[Assignment]
    grades: Sequence[Grade]
    starts_at: datetime
    ends_at: datetime
    state: str = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """The whole district.

    ``background_seconds`` is how long its Canvas lets work in the background wait.
    """

    name: str
    timezone: str
    people: Sequence[Person]
    schools: Sequence[School]
    courses: Sequence[Course]
    background_seconds: float = 1.0
