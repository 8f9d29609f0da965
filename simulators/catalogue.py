"""What is taught: courses, their topics, and the competency that each topic is about.

A topic's name stands in the titles of its assignments, so that a shell pattern on the title
finds the competency again. Codes are BNCC codes, or codes of ``simulators.frameworks``' own
transferable skills. Written for the demo, pure data.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic; ``project`` titles a larger piece of work on it, empty where there is none."""

    name: str
    code: str
    project: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Syllabus:
    """The topics of a subject in a year; ``course`` is the pattern of its courses' titles."""

    course: str
    topics: Sequence[Topic]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A course that a school offers in the term.

    ``syllabus`` is a key of SYLLABI, or empty where nothing is aligned. ``classes`` are those
    whose learners take it, ``share`` the part of them who do.
    """

    title: str
    code: str
    syllabus: str
    classes: Sequence[str]
    share: float = 1.0
    state: str = "active"
    is_in_small: bool = False


def _topics(*rows: str) -> Sequence[Topic]:
    """Topics from lines of ``name | code`` or ``name | code | project``."""
    parts = [[part.strip() for part in row.split("|")] for row in rows]
    return tuple(
        Topic(name=part[0], code=part[1], project=part[2] if len(part) > 2 else "")  # noqa: PLR2004 - the third part of a line
        for part in parts
    )


SYLLABI = {
    "math-6": Syllabus(
        course="Mathematics 6*",
        topics=_topics(
            "Fractions | EF06MA07 | Fractions in a family recipe",
            "Decimals | EF06MA08",
            "Percentages | EF06MA13",
            "Estimates | EF06MA12",
            "Primes and multiples | EF06MA05",
            "Floor plans | EF06MA28 | Floor plans of our homes",
            "Angles | EF06MA27",
            "Area and measurement | EF06MA24 | Design a garden by area and measurement",
            "Growing squares | EF06MA29",
        ),
    ),
    "math-7": Syllabus(
        course="Mathematics 7*",
        topics=_topics(
            "Integers | EF07MA04",
            "Ratios | EF07MA09 | Ratios in music",
            "Rational numbers | EF07MA12",
            "Variables | EF07MA13",
            "Proportionality | EF07MA17 | Proportionality and maps",
            "Linear equations | EF07MA18",
            "Symmetry | EF07MA21 | A tile floor with symmetry",
            "Circles | EF07MA22",
            "Building triangles | EF07MA24",
        ),
    ),
    "math-8": Syllabus(
        course="Mathematics 8*",
        topics=_topics(
            "Powers | EF08MA01 | Powers of ten in the universe",
            "Roots | EF08MA02",
            "Counting | EF08MA03",
            "Algebraic expressions | EF08MA06",
            "Systems of equations | EF08MA08 | Systems of equations in a small shop",
            "Quadrilaterals | EF08MA14",
            "Transformations | EF08MA18 | A carpet of transformations",
            "Bisectors | EF08MA17",
            "Number patterns | EF08MA11",
        ),
    ),
    "science-6": Syllabus(
        course="Science 6*",
        topics=_topics(
            "Mixtures | EF06CI01",
            "Chemical changes | EF06CI02",
            "Separation | EF06CI03 | Clean water by separation",
            "Cells | EF06CI05 | A model of cells",
            "Nervous system | EF06CI07",
            "Vision | EF06CI08",
            "Layers of the Earth | EF06CI11",
            "Rocks and fossils | EF06CI12",
            "Shadows | EF06CI14 | A sundial from shadows",
        ),
    ),
    "science-7": Syllabus(
        course="Science*7*",
        topics=_topics(
            "Simple machines | EF07CI01 | Build with simple machines",
            "Heat | EF07CI02",
            "Fuels | EF07CI05",
            "Ecosystems | EF07CI07 | Ecosystems around us",
            "Vaccines | EF07CI10",
            "Composition of air | EF07CI12",
            "Greenhouse effect | EF07CI13 | Greenhouse effect in a jar",
            "Ozone | EF07CI14",
            "Moving continents | EF07CI15",
        ),
    ),
    "science-8": Syllabus(
        course="Science 8*",
        topics=_topics(
            "Energy sources | EF08CI01 | Energy sources of our town",
            "Circuits | EF08CI02 | A lamp of simple circuits",
            "Household energy | EF08CI04",
            "Reproduction | EF08CI07",
            "Growing up | EF08CI08",
            "Phases of the Moon | EF08CI12",
            "Seasons | EF08CI13",
            "Climate | EF08CI14 | Climate of three cities",
            "Weather | EF08CI15",
        ),
    ),
    "design": Syllabus(
        course="Design & Making*",
        topics=_topics(
            "Interviewing users | INN1",
            "Sketching ideas | CRE1",
            "Prototypes | INN2 | Prototypes of a bird feeder",
            "Testing and improving | INN3",
            "Comparing evidence | CRT2",
            "Working together | COM2 | Working together on a play corner",
            "Pitching | COM1",
            "Noticing how I work | MIN1",
            "Learning from mistakes | CRE3",
        ),
    ),
    "community": Syllabus(
        course="Community Project*",
        topics=_topics(
            "Asking good questions | CRT1",
            "Listening to others | COM2",
            "Judging sources | CRT2 | A neighbourhood paper: judging sources",
            "Finding new ways | CRE2",
            "Planning together | INN1 | Planning together for the river",
            "Telling our story | COM1",
            "Different views | CRT3",
            "Caring for others | MIN2",
            "Looking back | MIN1",
        ),
    ),
}

CRITERIA = {
    "Explains the reasoning": "CRT3",
    "Communicates the results": "COM1",
}
"""Rubric rows of every project (Canvas), and the transferable skill of each."""

CRITERION_PATTERNS = {"*reasoning*": "CRT3", "*communicates*": "COM1"}


def _class(subject: str, name: str, *, is_in_small: bool = False) -> Offer:
    """A class's course in a subject; a class is named by its school year and a letter."""
    return Offer(
        title=f"{subject} {name}",
        code=f"{subject[:3].upper()}{name}",
        syllabus=f"{'math' if subject == 'Mathematics' else 'science'}-{name[0]}",
        classes=(name,),
        is_in_small=is_in_small,
    )


OFFERS: Sequence[Sequence[Offer]] = (
    (
        _class("Mathematics", "6A", is_in_small=True),
        _class("Science", "6A"),
        _class("Mathematics", "6B"),
        _class("Science", "6B"),
        _class("Mathematics", "7A"),
        _class("Science", "7A", is_in_small=True),
        _class("Mathematics", "7B"),
        _class("Science", "7B"),
        _class("Mathematics", "8A"),
        _class("Science", "8A"),
        _class("Mathematics", "8B"),
        _class("Science", "8B"),
        Offer(
            title="Design & Making 7",
            code="DES7",
            syllabus="design",
            classes=("7A", "7B"),
            share=0.7,
        ),
        Offer(
            title="Community Project 8",
            code="COM8",
            syllabus="community",
            classes=("8A", "8B"),
            share=0.7,
            is_in_small=True,
        ),
        Offer(
            title="Advisory <Homeroom> 8",
            code="ADV8",
            syllabus="",
            classes=("8A",),
            is_in_small=True,
        ),
        Offer(
            title="Mathematics 7 Honours",
            code="MAT7H",
            syllabus="math-7",
            classes=(),
            is_in_small=True,
        ),
        Offer(
            title="Science 8 Winter Bridge",
            code="SCI8W",
            syllabus="science-8",
            classes=("8A", "8B"),
            share=0.5,
            state="concluded",
            is_in_small=True,
        ),
    ),
    (
        _class("Mathematics", "6C", is_in_small=True),
        _class("Mathematics", "7C"),
        _class("Science", "7C"),
    ),
    (
        _class("Mathematics", "6V", is_in_small=True),
        _class("Mathematics", "7V"),
        _class("Science", "7V", is_in_small=True),
        Offer(
            title="Science Lab 7 & Friends",
            code="LAB7",
            syllabus="science-7",
            classes=("7V",),
            is_in_small=True,
        ),
    ),
)
"""What each school of the district offers, in the order of ``simulators.generate.SCHOOLS``.

Most of it is at the first school, whose statuses go out as words, a class at a time. The other
two take marks one by one, so that their size decides how long a night lasts.
"""

ADVISORY_TITLES = ("Check-in", "Goal setting", "Reading log", "Kindness journal", "Planner check")
