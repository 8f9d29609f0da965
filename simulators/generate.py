"""Draws a school district from a seed: the same seed always gives the same district."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from simulators.catalogue import OFFERS, Offer
from simulators.district import Course, District, Person, School
from simulators.gradebooks import Grader, Planner, Term
from simulators.names import draw_name
from simulators.response import Abilities

DISTRICT = "Ipê Valley School District"
TIMEZONE = "America/Sao_Paulo"
TODAY = date(2026, 11, 20)
TERM_DAYS_PAST = 109
TERM_DAYS_LEFT = 28
_EVENING = time(20)

SCHOOLS = (
    School(id=11, name="Ipê Amarelo School", lms="canvas", passback="words"),
    School(id=12, name="Rio Claro School", lms="canvas", passback="mark_not_counted"),
    School(id=13, name="Vale Verde School", lms="moodle", passback="words"),
)
FIRST_IDS = {"canvas": (101, 5001), "moodle": (2, 12)}
"""The first course and assignment id of each LMS; Moodle's course 1 is the site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How large a district is.

    ``class_sizes`` are the schools', in their order; ``visitors`` learners take a course on the
    other LMS; ``background_seconds`` is the district's own.
    """

    class_sizes: Sequence[int]
    visitors: int
    guardians: int
    background_seconds: float
    is_small: bool = False


SCALES = {
    "demo": Scale(class_sizes=(104, 48, 44), visitors=40, guardians=60, background_seconds=0.2),
    "small": Scale(
        class_sizes=(12, 9, 12), visitors=5, guardians=6, background_seconds=0.1, is_small=True
    ),
}


def draw(seed: int, scale: str = "demo", *, today: date = TODAY) -> District:
    """Draw a district.

    Args:
        seed: Any number.
        scale: demo (24 courses, about 800 learners, 60,000 scores) or small (10 courses of
            about a dozen learners, with every awkward feature of the large one).
        today: The day on whose evening the district is looked at; the term began 109 days
            before it and ends 28 days after it.

    Returns:
        The plan. People are numbered from 1, the administrator first.
    """
    return _Draw(random.Random(seed), SCALES[scale], today).district()


class _Draw:
    """One drawing; the order of its draws is part of what a seed means."""

    def __init__(self, rng: random.Random, scale: Scale, today: date) -> None:
        self._rng = rng
        self._scale = scale
        self._term = _term(today)
        self._abilities = Abilities(rng)
        self._people: list[Person] = []
        self._pupils: dict[str, list[int]] = {}

    def district(self) -> District:
        self._person("administrator", "A")
        offers = [
            (school, offer)
            for school, offers in zip(SCHOOLS, OFFERS, strict=True)
            for offer in offers
            if offer.is_in_small or not self._scale.is_small
        ]
        self._enrol_pupils(offers)
        courses = [*self._courses(offers, "canvas"), *self._courses(offers, "moodle")]
        self._guardians(courses)
        return District(
            name=DISTRICT,
            timezone=TIMEZONE,
            people=tuple(self._people),
            schools=SCHOOLS,
            courses=tuple(courses),
            background_seconds=self._scale.background_seconds,
        )

    def _person(self, role: str, letter: str, children: Sequence[int] = ()) -> int:
        number = len(self._people) + 1
        given_name, family_name = draw_name(self._rng)
        person = Person(
            id=number,
            given_name=given_name,
            family_name=family_name,
            email=f"{role}{number:04d}@ipe-valley.example",
            sis_id=f"{letter}{number:05d}",
            role=role,
            children=tuple(children),
        )
        self._people.append(person)
        return number

    def _enrol_pupils(self, offers: Sequence[tuple[School, Offer]]) -> None:
        for school, size in zip(SCHOOLS, self._scale.class_sizes, strict=True):
            wanted = {name for place, offer in offers if place == school for name in offer.classes}
            for name in sorted(wanted):
                self._pupils[name] = [self._person("learner", "S") for _ in range(size)]

    def _courses(self, offers: Sequence[tuple[School, Offer]], lms: str) -> Iterator[Course]:
        first_course, first_assignment = FIRST_IDS[lms]
        planner = Planner(self._rng, lms, first_id=first_assignment)
        here = [(school, offer) for school, offer in offers if school.lms == lms]
        for number, (school, offer) in enumerate(here, first_course):
            yield self._course(number, (school, offer), planner)

    def _course(self, number: int, what: tuple[School, Offer], planner: Planner) -> Course:
        school, offer = what
        term = self._term if offer.state == "active" else _earlier(self._term)
        teachers = [self._person("teacher", "T") for _ in range(1 + (number % 3 == 0))]
        learners = self._learners(offer)
        columns = planner.columns(offer, term)
        grader = Grader(self._rng, school.lms, self._abilities)
        return Course(
            id=number,
            title=offer.title,
            code=offer.code,
            sis_id=f"{offer.code}-{self._term.starts_at.year}",
            school=school.id,
            teachers=tuple(teachers),
            learners=tuple(learners),
            suspended=tuple(learners[8::61]),
            assignments=tuple(column.assignment for column in columns),
            grades=tuple(grader.grades(columns, learners, term)),
            starts_at=term.starts_at,
            ends_at=term.ends_at,
            state=offer.state,
        )

    def _learners(self, offer: Offer) -> list[int]:
        pupils = [pupil for name in offer.classes for pupil in self._pupils[name]]
        if offer.share < 1.0:
            size = max(min(12, len(pupils)), round(offer.share * len(pupils)))
            pupils = sorted(self._rng.sample(pupils, size))
        return pupils + self._visitors(offer)

    def _visitors(self, offer: Offer) -> list[int]:
        """Learners of a Canvas school who take Moodle's science lab besides."""
        if offer.code != "LAB7":
            return []
        return self._pupils["7A"][: self._scale.visitors]

    def _guardians(self, courses: Sequence[Course]) -> None:
        """One or two children each; somebody of every course has a guardian."""
        first = {course.learners[0] for course in courses if course.learners}
        others = sorted({learner for course in courses for learner in course.learners} - first)
        chosen = iter([*sorted(first), *self._rng.sample(others, len(others))])
        for number in range(self._scale.guardians):
            self._person("guardian", "G", list(islice(chosen, 1 + number % 2)))


def last_evening(now: datetime) -> date:
    """The newest day whose evening is over, so that nothing drawn lies in the future.

    Args:
        now: The present, aware.
    """
    local = now.astimezone(ZoneInfo(TIMEZONE))
    return local.date() if local.time() >= _EVENING else local.date() - timedelta(days=1)


def _term(today: date) -> Term:
    zone = ZoneInfo(TIMEZONE)
    first = today - timedelta(days=TERM_DAYS_PAST)
    last = today + timedelta(days=TERM_DAYS_LEFT)
    return Term(
        starts_at=datetime.combine(first, time(7), zone).astimezone(UTC),
        ends_at=datetime.combine(last, time(18), zone).astimezone(UTC),
        now=datetime.combine(today, _EVENING, zone).astimezone(UTC),
    )


def _earlier(term: Term) -> Term:
    """The term of a course that is over: it ended three weeks before today."""
    ends_at = term.now - timedelta(days=21)
    return Term(starts_at=term.starts_at - timedelta(days=21), ends_at=ends_at, now=ends_at)
