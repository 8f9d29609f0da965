"""What the benchmark's Canvas holds: each row's bytes made once, for REST and for GraphQL."""

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from threading import Lock

from benchmarks.night_district import (
    COLUMNS,
    FIRST_COURSE,
    MAXIMUM,
    SEATS,
    Size,
    columns_of,
    learners_of,
)

_LONG_AGO = "2026-10-01T12:00:00Z"
_LISTS_TOUCHED = "2026-08-01T12:00:00Z"
NO_MORE = {"hasNextPage": False, "endCursor": None}


class Course:
    """One course: its lists, and a row for each learner and column, encoded."""

    def __init__(self, place: int, rng: random.Random) -> None:
        self.id = FIRST_COURSE + place
        self.place = place
        self.learners, self.columns = learners_of(place), columns_of(place)
        self.touched = [_LONG_AGO] * (SEATS * COLUMNS)
        skills = [rng.uniform(0.3, 1.0) for _ in self.learners]
        self.points = [
            round(min(MAXIMUM, max(0.0, MAXIMUM * skill + rng.gauss(0, 3))))
            for skill in skills
            for _ in range(COLUMNS)
        ]
        self.rest = [self._rest(n) for n in range(len(self.points))]
        self.graph = [self._graph(n) for n in range(len(self.points))]
        self.lists = _lists(self)

    def change(self, number: int, rng: random.Random, moment: str) -> None:
        """Give one cell other points."""
        self.points[number] = (self.points[number] + rng.randint(1, int(MAXIMUM))) % (
            int(MAXIMUM) + 1
        )
        self.touched[number] = moment
        self.rest[number], self.graph[number] = self._rest(number), self._graph(number)

    def since(self, moment: str | None) -> Sequence[bytes]:
        """The nodes touched after a moment, all for None."""
        if moment is None:
            return self.graph
        if max(self.touched) <= moment:
            return ()
        pairs = zip(self.touched, self.graph, strict=True)
        return [node for touched, node in pairs if touched > moment]

    def _cell(self, number: int) -> tuple[int, int]:
        learner, column = divmod(number, COLUMNS)
        return self.learners[learner], self.columns[column]

    def _rest(self, number: int) -> bytes:
        learner, column = self._cell(number)
        points, touched = float(self.points[number]), self.touched[number]
        row = {
            "id": str(column * 100_000 + learner),
            "user_id": str(learner),
            "assignment_id": str(column),
            "score": points,
            "entered_score": points,
            "grade": f"{points}",
            "entered_grade": f"{points}",
            "workflow_state": "graded",
            "submission_type": "online_upload",
            "submitted_at": "2026-09-20T14:03:11Z",
            "graded_at": touched,
            "posted_at": touched,
            "cached_due_date": "2026-09-21T23:59:59Z",
            "attempt": 1,
            "late": False,
            "missing": False,
            "excused": False,
            "late_policy_status": None,
            "points_deducted": None,
            "seconds_late": 0,
            "grader_id": "77",
            "grade_matches_current_submission": True,
            "extra_attempts": None,
            "redo_request": False,
            "body": None,
            "url": None,
            "attachments": [],
            "preview_url": f"https://school.instructure.com/courses/{self.id}/assignments/"
            f"{column}/submissions/{learner}?preview=1&version=1",
        }
        return json.dumps(row).encode()

    def _graph(self, number: int) -> bytes:
        learner, column = self._cell(number)
        points, touched = float(self.points[number]), self.touched[number]
        tried = {
            "state": "graded",
            "enteredScore": points,
            "late": False,
            "attempt": 1,
            "submittedAt": "2026-09-20T14:03:11Z",
            "gradedAt": touched,
        }
        node = {
            "userId": str(learner),
            "assignmentId": str(column),
            **tried,
            "deductedPoints": None,
            "excused": False,
            "missing": False,
            "postedAt": touched,
            "gradeMatchesCurrentSubmission": True,
            "rubricAssessmentsConnection": {"nodes": []},
            "submissionHistoriesConnection": {"nodes": [tried]},
        }
        return json.dumps(node).encode()


def _lists(course: Course) -> bytes:
    """The lists as the probe and the first page of scores ask for them, without braces."""

    def whole(rows: Sequence[Mapping[str, object]]) -> dict[str, object]:
        return {"nodes": rows, "pageInfo": NO_MORE}

    lists = {
        "assignmentsConnection": whole(
            [
                {"_id": str(n), "updatedAt": _LISTS_TOUCHED, "dueAt": None, "state": "published"}
                for n in course.columns
            ]
        ),
        "enrollmentsConnection": whole(
            [
                {
                    "_id": str(course.id * 1_000 + n),
                    "updatedAt": _LISTS_TOUCHED,
                    "state": "active",
                    "user": {"_id": str(learner), "name": f"Learner {learner}"},
                }
                for n, learner in enumerate(course.learners)
            ]
        ),
        "sectionsConnection": whole([]),
        "groupsConnection": whole([]),
        "assignmentGroupsConnection": whole([{"_id": str(course.id), "name": "Tasks"}]),
    }
    return json.dumps(lists).encode()[1:-1]


class District:
    """Every course, and what was written into Waymark's columns."""

    def __init__(self, size: Size) -> None:
        self._rng = random.Random(7)
        self.courses = {FIRST_COURSE + n: Course(n, self._rng) for n in range(size.courses)}
        self.columns: dict[int, dict[str, int]] = {one: {} for one in self.courses}
        self.cells: dict[int, dict[str, str]] = {}
        self.counts: Counter[str] = Counter()
        self.lock = Lock()

    def change(self, share: float) -> int:
        """Change a share of all cells, now; says how many."""
        moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        cells = [(course, n) for course in self.courses.values() for n in range(SEATS * COLUMNS)]
        chosen = self._rng.sample(cells, round(share * len(cells)))
        for course, number in chosen:
            course.change(number, self._rng, moment)
        return len(chosen)

    def column(self, course: int, title: str) -> int:
        """The id of a column, made where there is none."""
        with self.lock:
            columns = self.columns[course]
            if title not in columns:
                columns[title] = len(self.cells) + 1
                self.cells[columns[title]] = {}
            return columns[title]

    def written(self) -> dict[str, str]:
        """Words by course, column title and learner."""
        return {
            f"{course}|{title}|{learner}": words
            for course, columns in self.columns.items()
            for title, column in columns.items()
            for learner, words in self.cells[column].items()
        }
