"""What a night may show that a person should look at although nothing failed.

Each rule takes what was counted and says either nothing or one sentence or two. Nothing is held
back by an alarm: the gradebooks are the truth, and an administrator decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from mapping.records import CourseId
from mapping.status import LADDER, Status


class AlarmKind(Enum):
    """What an alarm is about."""

    NO_SCORES = "no_scores"
    CLASS_DROP = "class_drop"
    FEW_COURSES = "few_courses"
    FEW_SCORES = "few_scores"
    MAPPING = "mapping"
    NIGHT_LATE = "night_late"
    NOT_BEGUN = "night_not_begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From what on an alarm is raised.

    Attributes:
        least_cleared: Scores that a course must have lost, all it had.
        least_learners: Learners of a class, below which a drop says little.
        drop_share: Of a class that stands lower, less those who stand higher, 0 to 1.
        least_gone: Running courses that an LMS must list no longer.
        gone_share: Of all running courses of an LMS, 0 to 1.
        least_nights: Nights before this one that are needed to know what is usual.
        least_scores: Scores that every one of these nights must have had.
        volume_share: Of the smallest of these nights, below which a night is too small, 0 to 1.
        least_statuses: Statuses that must have changed under a new mapping.
        changed_share: Of all statuses, 0 to 1.
    """

    least_cleared: int = 5
    least_learners: int = 8
    drop_share: float = 0.4
    least_gone: int = 5
    gone_share: float = 0.5
    least_nights: int = 7
    least_scores: int = 500
    volume_share: float = 0.3
    least_statuses: int = 50
    changed_share: float = 0.2


USUAL = Thresholds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something to look at; ``course`` is None where it is not about one."""

    kind: AlarmKind
    message: str
    course: CourseId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearedCourse:
    """A course without a single score; ``lost`` of them were taken away in this run."""

    course: CourseId
    title: str
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassMove:
    """How a class moved in one competency in one run.

    Attributes:
        course: The class.
        title: Its name.
        competency: The competency's code or statement.
        learners: Who has a level or had one.
        fell: Who stands lower than before; that a re-check fell due is no fall.
        rose: Who stands higher.
    """

    course: CourseId
    title: str
    competency: str
    learners: int
    fell: int
    rose: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformCourses:
    """Running courses of an LMS: ``gone`` were listed before, ``listed`` are now."""

    platform: str
    gone: int
    listed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformVolume:
    """Scores read from an LMS in the courses that it had in all these nights.

    ``before`` are the nights before, the newest first.
    """

    platform: str
    tonight: int
    before: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingEffect:
    """What a run under a mapping that it was the first to use changed, of how many statuses."""

    version: int
    changed: int
    statuses: int


def has_fallen(before: Status, after: Status) -> bool:
    """Whether a status is lower than the one before; a re-check that fell due is no fall."""
    if before is Status.MASTERED and after is Status.RECHECK_DUE:
        return False
    return LADDER.index(after) < LADDER.index(before)


def of_cleared(found: ClearedCourse, limits: Thresholds = USUAL) -> Alarm | None:
    """An alarm where a course suddenly has no scores."""
    if found.lost < limits.least_cleared:
        return None
    return Alarm(
        kind=AlarmKind.NO_SCORES,
        course=found.course,
        message=(
            f"{found.title} has no score any more; {found.lost:,} were taken away since it was "
            "last read. If the gradebook was not emptied on purpose, look at the course in the "
            "LMS: a restored copy, a deleted column or a reset does this."
        ),
    )


def of_class(found: ClassMove, limits: Thresholds = USUAL) -> Alarm | None:
    """An alarm where a class as a whole stands lower than before."""
    net = found.fell - found.rose
    if found.learners < limits.least_learners or net < limits.drop_share * found.learners:
        return None
    return Alarm(
        kind=AlarmKind.CLASS_DROP,
        course=found.course,
        message=(
            f"{found.fell:,} of {found.learners:,} learners of {found.title} stand lower in "
            f"{found.competency} than the night before, {found.rose:,} higher. Look at its newest "
            "scores: points entered on another scale, or a column with the wrong maximum, do this."
        ),
    )


def of_courses(found: PlatformCourses, limits: Thresholds = USUAL) -> Alarm | None:
    """An alarm where an LMS lists far fewer running courses than before."""
    share = found.gone / max(found.gone + found.listed, 1)
    if found.gone < limits.least_gone or share < limits.gone_share:
        return None
    return Alarm(
        kind=AlarmKind.FEW_COURSES,
        message=(
            f"{found.platform} lists {found.listed:,} running courses; {found.gone:,} that it "
            "listed before are missing. Nothing of them is lost. See that the service user may "
            "still see them; if they were deleted on purpose, there is nothing to do."
        ),
    )


def of_volume(found: PlatformVolume, limits: Thresholds = USUAL) -> Alarm | None:
    """An alarm where far fewer scores came from an LMS than in any of the nights before."""
    if len(found.before) < limits.least_nights:
        return None
    least = min(found.before[: limits.least_nights])
    if least < limits.least_scores or found.tonight >= limits.volume_share * least:
        return None
    return Alarm(
        kind=AlarmKind.FEW_SCORES,
        message=(
            f"{found.tonight:,} scores were read from {found.platform}; the nights before had "
            f"{least:,} or more in the same courses. See whether the service user may still "
            "read all gradebooks: waymark platform test says so."
        ),
    )


def of_mapping(found: MappingEffect, limits: Thresholds = USUAL) -> Alarm | None:
    """An alarm where a new mapping changed many statuses at once."""
    share = found.changed / max(found.statuses, 1)
    if found.changed < limits.least_statuses or share < limits.changed_share:
        return None
    return Alarm(
        kind=AlarmKind.MAPPING,
        message=(
            f"Version {found.version} of the mapping changed {found.changed:,} of "
            f"{found.statuses:,} statuses in one run. If that was not meant, pause writing back "
            "(waymark pause), load the former mapping and run again."
        ),
    )
