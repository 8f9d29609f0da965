"""The vocabulary: frozen facts that every floor speaks.

Glossary, one word for one thing:

course        a class in an LMS with a gradebook (LTI: context).
section       a part of a course's learners: a Canvas section or group, a Moodle group.
learner       a person whose scores are evidence.
line item     a column of the LMS's gradebook (assignment, quiz, manual item).
criterion     one row of a line item's rubric, scored on its own.
score         what the gradebook holds for a learner and a line item at one moment.
evidence      a score as seen through an alignment: it speaks for a competency.
competency    something a learner can do; a strand is a competency that groups others.
framework     a published set of competencies (CASE: CFDocument).
alignment     a line item (or criterion) speaks for a competency, with weight and kind.
rating scale  ordered levels with points.
estimate      one number for a learner and a competency, in scale points.
status        what the mastery rule says of an estimate and its evidence.
passback      writing a status to a gradebook; a mark is what is written.

A reference (``*Ref``) is the platform's own id, as text, and means nothing elsewhere. An id
(``*Id``) is Waymark's own. All moments are aware datetimes in UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, IntEnum
from typing import NamedTuple, NewType

CourseRef = NewType("CourseRef", str)
LearnerRef = NewType("LearnerRef", str)
LineItemRef = NewType("LineItemRef", str)
CriterionRef = NewType("CriterionRef", str)
SchoolRef = NewType("SchoolRef", str)
SectionRef = NewType("SectionRef", str)
ColumnRef = NewType("ColumnRef", str)
Cursor = NewType("Cursor", str)

LmsLink = tuple[str, ...]
"""The names that an LMS has for one competency that it links work to, the surest first."""

TenantId = NewType("TenantId", int)
SchoolId = NewType("SchoolId", int)
PlatformId = NewType("PlatformId", int)
CourseId = NewType("CourseId", int)
LearnerId = NewType("LearnerId", int)
LineItemId = NewType("LineItemId", int)
CompetencyId = NewType("CompetencyId", int)
ColumnId = NewType("ColumnId", int)
RunId = NewType("RunId", int)


class CourseState(Enum):
    """Whether a course's gradebook can still change."""

    ACTIVE = "active"
    UNPUBLISHED = "unpublished"
    CONCLUDED = "concluded"


class Role(Enum):
    """What a person is in a course."""

    LEARNER = "learner"
    TEACHER = "teacher"
    GUARDIAN = "guardian"


class EnrolmentState(Enum):
    """Whether an enrolment counts today."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CONCLUDED = "concluded"


class Grading(Enum):
    """How a line item is marked."""

    POINTS = "points"
    SCALE = "scale"
    NOT_GRADED = "not_graded"


class ScoreState(IntEnum):
    """What a gradebook cell says. Only GRADED carries points."""

    GRADED = 1
    NOT_GRADED = 2
    """Nothing yet, or handed in and waiting."""
    MISSING = 3
    EXCUSED = 4
    """Excused in Canvas, excluded in Moodle."""
    CLEARED = 5
    """There was a grade and a person took it away."""


class EvidenceKind(Enum):
    """What a piece of evidence shows of the learner."""

    RECALL = "recall"
    SKILL = "skill"
    APPLICATION = "application"
    OBSERVATION = "observation"
    """What a teacher saw, without a task of its own."""
    SELF = "self"
    """The learner's own judgement; counts for nothing unless a rule says so."""
    EXTERNAL = "external"
    """Shown outside the school and confirmed by somebody who may."""


class PassbackWay(Enum):
    """How a status reaches a gradebook; see docs/passback.md."""

    NONE = "none"
    WORDS = "words"
    MARK_NOT_COUNTED = "mark_not_counted"
    MARK_COUNTED = "mark_counted"
    """Changes course grades: only in courses where the district said so."""
    COMPETENCY = "competency"
    """A rating in the LMS's own competencies (Moodle)."""


class Mode(Enum):
    """How far a school or course has come with Waymark; each sees and sends what those before do.

    Source: requirement R36.
    """

    SHADOW = "shadow"
    """Statuses are computed; administrators see them, and nothing leaves."""
    ADVISORY = "advisory"
    """Teachers see them, too."""
    PUBLISHED = "published"
    """Learners and families see them, too."""
    OFFICIAL = "official"
    """Statuses are written to the gradebook, too."""

    def reaches(self, other: "Mode") -> bool:
        """Whether it has come at least as far as another."""
        order = tuple(Mode)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A course as its LMS describes it.

    ``school_ref`` is what the LMS files the course under: a Canvas account id, a Moodle
    category id; ``school`` is what the district calls it, which no LMS knows. ``title`` is plain
    text, unescaped.
    """

    ref: CourseRef
    title: str
    code: str
    school_ref: SchoolRef
    sis_id: str | None = None
    state: CourseState = CourseState.ACTIVE
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    school: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person of a course. ``sis_id`` is the district's own id, the only key across LMSs."""

    ref: LearnerRef
    name: str
    sort_name: str
    sis_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a course's learners. ``is_group`` tells a teacher's group from a timetable's."""

    ref: SectionRef
    title: str
    sis_id: str | None = None
    is_group: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A person's place in a course. ``observes`` names the learner a guardian follows."""

    person: Person
    role: Role
    state: EnrolmentState = EnrolmentState.ACTIVE
    observes: LearnerRef | None = None
    sections: frozenset[SectionRef] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One row of a rubric; ``maximum`` in points, ``links`` are what the LMS links it to."""

    ref: CriterionRef
    title: str
    maximum: float
    links: tuple[LmsLink, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItem:
    """A gradebook column.

    Points run from ``minimum`` to ``maximum``; on a scale they are the index of the level,
    from 1. ``is_own`` marks a column that Waymark made: never evidence. ``links`` are what the
    LMS links the whole of it to.
    """

    ref: LineItemRef
    title: str
    category: str
    maximum: float
    minimum: float = 0.0
    grading: Grading = Grading.POINTS
    due_at: datetime | None = None
    is_published: bool = True
    is_own: bool = False
    criteria: Sequence[Criterion] = ()
    links: tuple[LmsLink, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A graded attempt as the LMS shows it in a cell's history.

    ``number`` from 1. ``points`` are before any late deduction, None where the grade was taken
    away or the learner excused. A history has one entry for each time work was handed in: a
    regrade of the same attempt replaces the entry, so it is no log of grades.
    """

    number: int
    points: float | None = None
    submitted_at: datetime | None = None
    graded_at: datetime | None = None
    is_late: bool = False


class Score(NamedTuple):
    """A gradebook cell as the LMS holds it now.

    A tuple, for there are millions: it is made in a quarter of the time, and many are turned into
    columns at once.

    ``points`` are before any late deduction, in the line item's own range (or the
    criterion's, when ``criterion_ref`` is set), and None unless ``state`` is GRADED.
    ``attempt``, ``submitted_at`` and ``is_late`` are of the attempt that was graded, which is
    not the newest where work was handed in again. ``earlier`` are graded attempts before it,
    oldest first, of a line item's own score only. ``is_visible`` is whether the learner may see
    it in the LMS.
    """

    line_item_ref: LineItemRef
    learner_ref: LearnerRef
    state: ScoreState
    points: float | None = None
    criterion_ref: CriterionRef | None = None
    attempt: int = 0
    points_deducted: float = 0.0
    is_visible: bool = True
    is_late: bool = False
    is_overridden: bool = False
    submitted_at: datetime | None = None
    graded_at: datetime | None = None
    earlier: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorePage:
    """Some scores of one course. ``cursor`` is set on the last page only.

    ``read`` counts the rows the LMS sent for it, also those that were no score.
    """

    scores: Sequence[Score]
    cursor: Cursor | None = None
    read: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSpec:
    """A gradebook column that Waymark wants, one for each strand and course.

    ``tag`` is stable for ever and finds the column again; ``maximum`` in scale points, for
    COMPETENCY the number of levels. ``code`` and ``identifier`` are the competency's own.
    """

    tag: str
    title: str
    way: PassbackWay
    maximum: float
    code: str = ""
    identifier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a gradebook cell shall say.

    ``points`` is None where words alone are written; for COMPETENCY it is the level, from 1.
    """

    learner_ref: LearnerRef
    words: str
    points: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMarks:
    """Marks to be written to one column, at most one for each learner."""

    column: ColumnRef
    spec: ColumnSpec
    marks: Sequence[Mark]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMark:
    """What a gradebook cell of a Waymark column says now.

    ``is_ours`` is False where the LMS says that a person wrote it last, None where the LMS
    does not say who did.
    """

    words: str | None = None
    points: float | None = None
    is_ours: bool | None = None


class WriteState(Enum):
    """How a write ended, as read back from the gradebook."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    """The LMS will not take it; sending it again changes nothing."""
    UNCONFIRMED = "unconfirmed"
    """Sent, but not to be seen yet: settle it by reading before sending again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOutcome:
    """How the write of one learner's mark ended; ``reason`` is for a person."""

    learner_ref: LearnerRef
    state: WriteState
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Competency:
    """Something a learner can do. ``identifier`` is its CASE GUID.

    ``statement`` is the framework's own sentence; ``indicator`` says it to the learner
    ("I can ..."), empty where the framework has none.
    """

    identifier: str
    code: str
    statement: str
    parent: str | None = None
    indicator: str = ""
    position: int = 0
    is_strand: bool = False


class LinkKind(Enum):
    """How one competency stands to another, besides being a part of it.

    Source: 1EdTech CASE 1.0, associationType.
    """

    PRECEDES = "precedes"
    """It comes before the other one, which builds on it."""
    EXACT_MATCH_OF = "exactMatchOf"
    """Both are the same, in two frameworks or two places of one."""
    REPLACED_BY = "replacedBy"
    """The other one took its place; its evidence goes on to speak for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompetencyLink:
    """A competency stands to another in some way, both by their CASE GUIDs."""

    origin: str
    kind: LinkKind
    destination: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """A published set of competencies, parents before children.

    ``links`` are those between its own competencies.
    """

    identifier: str
    title: str
    creator: str
    competencies: Sequence[Competency]
    language: str = "en"
    licence: str = ""
    attribution: str = ""
    links: Sequence[CompetencyLink] = ()


WHATEVER_IS_LINKED = "*"
"""In a mapping rule, in the place of a competency's code: the one that the LMS names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingRule:
    """Which line items speak for a competency.

    Patterns are shell patterns (``*``, ``?``), compared without case; an empty one matches
    all. ``criterion`` empty means the line item's own score, else the rubric rows it matches.
    ``school`` matches the name of the course's school. ``steps`` say how a score becomes
    evidence, as ``mapping.steps`` has it; none takes it as it is.

    Where ``competency`` is ``WHATEVER_IS_LINKED``, each matching line item and each matching row
    of its rubric speaks for the competencies of the framework that the LMS itself links it to.
    """

    competency: str
    framework: str
    school: str = ""
    course: str = ""
    line_item: str = ""
    category: str = ""
    criterion: str = ""
    weight: float = 1.0
    kind: EvidenceKind = EvidenceKind.SKILL
    steps: tuple[int, ...] = ()

    @property
    def is_of_links(self) -> bool:
        """Whether it goes by what the LMS links work to."""
        return self.competency == WHATEVER_IS_LINKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """A line item (or one criterion of it) speaks for a competency."""

    line_item_ref: LineItemRef
    criterion_ref: CriterionRef | None
    framework: str
    competency: str
    weight: float
    kind: EvidenceKind
    steps: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a run or a part of it did; all are numbers of rows but ``seconds``.

    ``courses`` were read; ``unchanged`` ones were not, for the LMS said that nothing happened
    in them. ``scores_skipped`` held what no gradebook can mean or no database keep. ``quota`` is
    the least that an LMS said was left of its allowance, None where none said so.
    """

    courses: int = 0
    unchanged: int = 0
    scores_pulled: int = 0
    scores_new: int = 0
    scores_changed: int = 0
    scores_skipped: int = 0
    estimates: int = 0
    statuses_changed: int = 0
    pushed: int = 0
    refused: int = 0
    api_calls: int = 0
    quota: float | None = None
    seconds: float = 0.0
    seconds_by_phase: Mapping[str, float] = field(default_factory=dict)
