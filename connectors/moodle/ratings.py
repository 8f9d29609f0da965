"""The way "competency": a status as a rating of the course's own competency in Moodle.

No course grade knows of it. Moodle keeps the rating, who gave it and a note for good, so it cannot
be taken back, only followed by another one. There is no call for more than one learner.
"""

from collections.abc import Mapping, Sequence

import msgspec

from connectors.errors import GiveUp, Gone, Unauthorized
from connectors.moodle.competencies import (
    CourseCompetency,
    Rating,
    course_competencies,
    ratings,
    scale_values,
)
from connectors.moodle.people import enrolments
from connectors.moodle.webservice import Argument, Webservice
from mapping.passback import LEVELS
from mapping.records import (
    ColumnMarks,
    ColumnRef,
    ColumnSpec,
    CourseRef,
    FoundMark,
    LearnerRef,
    Mark,
    Role,
    WriteOutcome,
    WriteState,
)

GRADE = "core_competency_grade_competency_in_course"
SUMMARY = "tool_lp_data_for_user_competency_summary_in_course"
_REFUSED = {
    "codingerror": "Moodle does not let this person be rated in the course: is this an active "
    "learner of it?",
    "invalidpersistenterror": "Moodle does not take this value: its scale was changed.",
    "invalidrecord": "Moodle no longer knows this person or this competency.",
}


class _Me(msgspec.Struct):
    userid: int


class _Evidence(msgspec.Struct):
    id: int
    actionuserid: int | None = None
    grade: int | None = None
    note: str | None = None


class _Evidences(msgspec.Struct):
    evidence: list[_Evidence] = []


class _Summary(msgspec.Struct):
    usercompetencysummary: _Evidences


class _Given(msgspec.Struct):
    """The evidence that a rating made; it is read back nevertheless."""

    id: int = 0


def values_of(proficient: frozenset[int], *, levels: int) -> Sequence[int]:
    """Which value of a scale each level is written as.

    The highest level is the lowest value that counts as proficient; the others spread over the
    values below it and share them where there are too few.

    Args:
        proficient: Values that count as proficient, from 1.
        levels: How many levels there are, 2 or more.

    Returns:
        For each level, lowest first, a value; empty where no value lies below the proficient
        ones, or none is proficient.
    """
    below = min(proficient, default=1) - 1
    if below < 1:
        return ()
    lower = range(levels - 1)
    return (*(1 + k * (below - 1) // max(levels - 2, 1) for k in lower), below + 1)


class Ratings:
    """Ratings of one Moodle's competencies.

    Source: Moodle 4.5, core_competency_grade_competency_in_course and
    report_competency_data_for_report.
    """

    def __init__(self, service: Webservice) -> None:
        self._service = service
        self._competencies: dict[CourseRef, Sequence[CourseCompetency]] = {}
        self._words: dict[int, Mapping[int, str]] = {}
        self._ratings: dict[tuple[CourseRef, LearnerRef], Mapping[int, Rating]] = {}
        self._user: int | None = None

    def find(self, course: CourseRef, spec: ColumnSpec) -> ColumnRef:
        """The course's competency that is meant; none is ever made.

        Args:
            course: The course.
            spec: Its identifier is one that an import from this Moodle gave, or its code is the
                competency's idnumber.

        Returns:
            Its number.

        Raises:
            GiveUp: The service lacks a function, the course names no such competency or
                several, or the scale has no room.
        """  # noqa: DOC502 - raised by what it calls
        self._refuse_missing()
        competency = self._named(course, spec)
        if not values_of(competency.proficient, levels=len(LEVELS)):
            raise self._refusal(
                f'The scale of "{spec.code}" on {self._service.platform} has no value below the '
                "proficient ones, so nothing but mastery could be said. Give it one, or choose "
                "another way.",
                "scale_unusable",
            )
        return ColumnRef(f"competency {competency.id}")

    def read(self, course: CourseRef, column: ColumnRef) -> Mapping[LearnerRef, FoundMark]:
        """Who has which rating, as the number of a level, and whether Waymark gave it.

        A value that Waymark never writes is told by its word.
        """
        competency = self._competency(course, column)
        learners = [
            one.person.ref for one in enrolments(self._service, course) if one.role is Role.LEARNER
        ]
        found = {
            learner: self._found(course, competency, learner) for learner in dict.fromkeys(learners)
        }
        return {learner: mark for learner, mark in found.items() if mark is not None}

    def write(self, course: CourseRef, write: ColumnMarks) -> Sequence[WriteOutcome]:
        """Rate learner by learner, and read each rating back."""
        competency = self._competency(course, write.column)
        return [self._rate(course, competency, mark) for mark in write.marks]

    def _named(self, course: CourseRef, spec: ColumnSpec) -> CourseCompetency:
        found = self._of_course(course)
        same = [one for one in found if one.identifier == spec.identifier] or [
            one for one in found if one.idnumber.strip() == spec.code
        ]
        if not same:
            raise self._refusal(
                f'The course does not name the competency "{spec.code}" on '
                f"{self._service.platform}, so nobody is rated there. Add it to the course's "
                "competencies if it should be.",
                "competency_not_in_course",
            )
        if len(same) > 1:
            raise self._refusal(
                f'The course names {len(same)} competencies with the idnumber "{spec.code}" on '
                f"{self._service.platform}, so Waymark cannot tell which is meant.",
                "competency_not_found",
            )
        return same[0]

    def _rate(self, course: CourseRef, competency: CourseCompetency, mark: Mark) -> WriteOutcome:
        values = values_of(competency.proficient, levels=len(LEVELS))
        value = values[int(mark.points or 1) - 1]
        wanted: dict[str, Argument] = {
            "courseid": course,
            "userid": mark.learner_ref,
            "competencyid": competency.id,
            "grade": value,
            "note": mark.words,
        }
        try:
            self._service.write(GRADE, wanted, _Given)
        except GiveUp as error:
            reason = self._refused(error)
            return WriteOutcome(
                learner_ref=mark.learner_ref, state=WriteState.REFUSED, reason=reason
            )
        self._ratings.pop((course, mark.learner_ref), None)
        rating = self._rating(course, competency, mark.learner_ref)
        if rating is not None and rating.grade == value:
            return WriteOutcome(learner_ref=mark.learner_ref, state=WriteState.CONFIRMED)
        return WriteOutcome(
            learner_ref=mark.learner_ref,
            state=WriteState.UNCONFIRMED,
            reason="Moodle took the rating, but does not show it.",
        )

    def _refused(self, error: GiveUp) -> str:
        """Why one learner was not rated; what is not about this learner alone is raised.

        Raises:
            Unauthorized: The service user may rate nobody.
        """
        if error.cause == "nopermissions":
            raise Unauthorized(
                f"{self._service.platform} does not let the service user rate competencies. Add "
                "moodle/competency:competencygrade to its role.",
                cause="nopermissions",
                platform=self._service.platform,
            ) from error
        if error.cause not in _REFUSED:
            raise error
        return _REFUSED[error.cause]

    def _found(
        self, course: CourseRef, competency: CourseCompetency, learner: LearnerRef
    ) -> FoundMark | None:
        rating = self._rating(course, competency, learner)
        if rating is None or rating.grade is None:
            return None
        is_ours = rating.rater == self._me() if rating.rater else None
        values = values_of(competency.proficient, levels=len(LEVELS))
        levels = [level for level, value in enumerate(values, 1) if value == rating.grade]
        if not levels:
            return FoundMark(words=self._word(competency, rating.grade), is_ours=is_ours)
        if len(levels) == 1 or not is_ours:
            return FoundMark(points=float(levels[-1]), is_ours=is_ours)
        # Levels that share a value are told apart by the note.
        note = self._note(course, competency, learner)
        level = next((one for one in levels if LEVELS[one - 1].label == note), levels[-1])
        return FoundMark(points=float(level), words=note or None, is_ours=True)

    def _rating(
        self, course: CourseRef, competency: CourseCompetency, learner: LearnerRef
    ) -> Rating | None:
        key = (course, learner)
        if key not in self._ratings:
            self._ratings[key] = ratings(self._service, course, learner)
        return self._ratings[key].get(competency.id)

    def _note(self, course: CourseRef, competency: CourseCompetency, learner: LearnerRef) -> str:
        """What the newest evidence with a rating says."""
        wanted: dict[str, Argument] = {
            "userid": learner,
            "competencyid": competency.id,
            "courseid": course,
        }
        summary = self._service.call(SUMMARY, wanted, _Summary).usercompetencysummary
        rated = [one for one in summary.evidence if one.grade is not None]
        return max(rated, key=lambda one: one.id).note or "" if rated else ""

    def _word(self, competency: CourseCompetency, value: int) -> str:
        if competency.scale not in self._words:
            self._words[competency.scale] = scale_values(self._service, competency.scale)
        return self._words[competency.scale].get(value, f"value {value} of its scale")

    def _competency(self, course: CourseRef, column: ColumnRef) -> CourseCompetency:
        number = int(column.partition(" ")[2])
        found = next((one for one in self._of_course(course) if one.id == number), None)
        if found is None:
            raise Gone(
                f"The course no longer names a competency on {self._service.platform} that "
                "Waymark rated.",
                cause="competency_not_in_course",
                platform=self._service.platform,
            )
        return found

    def _of_course(self, course: CourseRef) -> Sequence[CourseCompetency]:
        if course not in self._competencies:
            self._competencies[course] = course_competencies(self._service, course)
        return self._competencies[course]

    def _me(self) -> int:
        if self._user is None:
            self._user = self._service.call("core_webservice_get_site_info", {}, _Me).userid
        return self._user

    def _refuse_missing(self) -> None:
        if not self._service.offers(GRADE):
            raise self._refusal(
                f"The web service of {self._service.platform} lacks the function {GRADE}. Ask "
                "Moodle's administrator to add it, and moodle/competency:competencygrade to the "
                "role of the service user.",
                "function_missing",
            )

    def _refusal(self, message: str, cause: str) -> GiveUp:
        return GiveUp(message, cause=cause, platform=self._service.platform)
