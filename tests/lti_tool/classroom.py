"""A small school behind the stage's Canvas: two courses, three learners, scores, statuses."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import insert

from mapping.records import ScoreState
from mapping.status import Status
from store.course_cells import keep_scores
from store.packing import flags
from store.session import writing
from store.tables import (
    alignments,
    competencies,
    courses,
    enrolments,
    frameworks,
    guardianships,
    learner_accounts,
    learners,
    line_items,
    runs,
    standings,
    work_items,
    work_notes,
)
from tests.lti_tool.platform import MEMBERSHIP
from tests.lti_tool.stage import START


@dataclass
class Ids:
    """Ids by name."""

    course: dict[str, int]
    learner: dict[str, int]
    competency: dict[str, int]
    item: dict[str, int]
    run: dict[str, int]


def fill(stage) -> Ids:
    """Put the school into the stage's database."""
    with writing(stage.container.engine) as connection:
        writer = _Writer(connection, stage)
        course, learner = writer.courses(), writer.learners()
        writer.enrol(course, learner)
        competency = writer.framework()
        item = writer.line_items(course, competency)
        writer.score(course, item, learner["Ada"])
        writer.judge(competency, learner["Ada"])
        run = writer.runs(course)
    return Ids(course=course, learner=learner, competency=competency, item=item, run=run)


class _Writer:
    def __init__(self, connection, stage):
        self.connection = connection
        self.tenants, self.platforms = stage.tenants, stage.platforms

    def put(self, table, **values):
        result = self.connection.execute(insert(table).values(**values))
        return result.inserted_primary_key[0]

    def courses(self):
        return {
            name: self.put(
                courses,
                tenant_id=self.tenants[owner],
                platform_id=self.platforms[client],
                ref=ref,
                title=f"{name} & <friends>",
                code=name[:4],
                state="active",
                synced_at=START - timedelta(hours=6),
                mode="official",
            )
            for name, owner, client, ref in (
                ("Mathematics", "A", "client-A", "101"),
                ("Biology", "A", "client-A", "102"),
                ("Foreign", "B", "client-B", "101"),
            )
        }

    def learners(self):
        found = {}
        for name, ref, owner, client in (
            ("Ada", "7", "A", "client-A"),
            ("Björn", "8", "A", "client-A"),
            ("Chidi", "9", "A", "client-A"),
            ("Foreigner", "7", "B", "client-B"),
        ):
            found[name] = self.put(
                learners, tenant_id=self.tenants[owner], name=f"{name} <b>", sort_name=name
            )
            self.put(
                learner_accounts,
                platform_id=self.platforms[client],
                ref=ref,
                learner_id=found[name],
            )
        return found

    def enrol(self, course, learner):
        for where, who, state in (
            ("Mathematics", "Ada", "active"),
            ("Mathematics", "Björn", "active"),
            ("Mathematics", "Chidi", "concluded"),
            ("Biology", "Chidi", "active"),
            ("Biology", "Ada", "active"),
            ("Foreign", "Foreigner", "active"),
        ):
            self.put(enrolments, course_id=course[where], learner_id=learner[who], state=state)
        self.put(
            guardianships,
            course_id=course["Mathematics"],
            guardian_ref="70",
            learner_id=learner["Ada"],
        )

    def framework(self):
        framework = self.put(
            frameworks,
            tenant_id=self.tenants["A"],
            identifier="f",
            title="F",
            creator="C",
            language="en",
            licence="",
            attribution="",
        )
        found = {}
        parents = (("N", None), ("N.1", "N"), ("N.2", "N"), ("L.1", None), ("Z.9", None))
        for position, (code, parent) in enumerate(parents):
            found[code] = self.put(
                competencies,
                framework_id=framework,
                identifier=code,
                code=code,
                statement=f"Statement of {code}",
                indicator=f"I can do {code}" if code == "N.1" else "",
                parent_id=found.get(parent),
                position=position,
                is_strand=code == "N",
                is_archived=False,
            )
        return found

    def line_items(self, course, competency):
        found = {}
        for title, where, code in (
            ("Quiz one", "Mathematics", "N.1"),
            ("Quiz two", "Mathematics", "N.1"),
            ("Hidden quiz", "Mathematics", "N.1"),
            ("Essay", "Mathematics", "N.2"),
            ("Lab", "Biology", "L.1"),
        ):
            found[title] = self.put(
                line_items,
                course_id=course[where],
                ref=title,
                title=title,
                category="",
                grading="points",
                minimum=0.0,
                maximum=10.0,
                is_published=True,
                is_removed=False,
            )
            self.put(
                alignments,
                line_item_id=found[title],
                competency_id=competency[code],
                weight=1.0,
                kind="skill",
            )
        return found

    def score(self, course, item, learner):
        for title, where, points, is_visible in (
            ("Quiz one", "Mathematics", 9.0, True),
            ("Quiz two", "Mathematics", 10.0, True),
            ("Hidden quiz", "Mathematics", 1.0, False),
            ("Lab", "Biology", 5.0, True),
        ):
            said = {
                "line_item_id": item[title],
                "learner_id": learner,
                "points": points,
                "points_deducted": None,
                "attempt": 1,
                "flags": flags(ScoreState.GRADED, is_visible=is_visible),
                "submitted_at": None,
                "graded_at": START - timedelta(days=3),
            }
            keep_scores(self.connection, course[where], [said])

    def judge(self, competency, learner):
        for code, view, status, estimate, count in (
            ("N.1", 0, Status.DEVELOPING, 2.6667, 3),
            ("N.1", 1, Status.MASTERED, 3.8, 2),
            ("N", 0, Status.DEVELOPING, 2.6667, 3),
            ("N", 1, Status.MASTERED, 3.8, 2),
            ("L.1", 0, Status.INSUFFICIENT, 2.0, 1),
            ("L.1", 1, Status.INSUFFICIENT, 2.0, 1),
        ):
            self.put(
                standings,
                learner_id=learner,
                competency_id=competency[code],
                view=view,
                status=int(status),
                estimate=estimate,
                evidence_count=count,
                mastered_count=0,
                changed_at=START,
            )

    def runs(self, course):
        started_at = START - timedelta(hours=7)
        found = {
            name: self.put(
                runs,
                tenant_id=self.tenants[name],
                cause="night",
                is_full=False,
                phase="done",
                started_at=started_at,
                finished_at=started_at + timedelta(seconds=90),
            )
            for name in ("A", "B")
        }
        for where, state, message in (
            ("Mathematics", "done", ""),
            ("Biology", "skipped", "The token has no right to read this course."),
        ):
            item = self.put(
                work_items,
                run_id=found["A"],
                phase="pull",
                course_id=course[where],
                part=0,
                state=state,
                job="",
                cause="",
                message=message,
                scores_pulled=1234,
                started_at=START,
                finished_at=START + timedelta(seconds=3),
                **dict.fromkeys(_COUNTS, 1),
            )
        note = "The audit log may not be read."
        self.put(work_notes, work_item_id=item, cause="no_audit", message=note)
        return found


_COUNTS = (
    "fence",
    "attempts",
    "scores_new",
    "scores_changed",
    "estimates",
    "statuses_changed",
    "pushed",
    "refused",
    "api_calls",
)
TEACHER = {"roles": [MEMBERSHIP + "Instructor"]}
GUARDIAN = {
    "roles": [MEMBERSHIP + "Mentor"],
    "custom": {"canvas_course_id": "101", "canvas_user_id": "70"},
}
ADMINISTRATOR = {
    "roles": ["http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator"],
    "context": {"id": "acc", "type": ["Account"]},
    "custom": {"canvas_course_id": "$Canvas.course.id", "canvas_user_id": "1"},
    "https://www.instructure.com/placement": "account_navigation",
}
