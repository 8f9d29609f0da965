"""A small school behind the stage's Canvas: two courses, three learners, scores, statuses."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import insert

from mapping.records import ScoreState
from mapping.status import Status
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
    scores,
    standings,
    work_items,
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

        def put(table, **values):
            result = connection.execute(insert(table).values(**values))
            return result.inserted_primary_key[0]

        tenant, other = stage.tenants["A"], stage.tenants["B"]
        platform = stage.platforms["client-A"]
        course = {
            name: put(
                courses,
                tenant_id=owner,
                platform_id=place,
                ref=ref,
                title=f"{name} & <friends>",
                code=name[:4],
                state="active",
                synced_at=START - timedelta(hours=6),
            )
            for name, owner, place, ref in (
                ("Mathematics", tenant, platform, "101"),
                ("Biology", tenant, platform, "102"),
                ("Foreign", other, stage.platforms["client-B"], "101"),
            )
        }
        learner = {}
        for name, ref, owner, place in (
            ("Ada", "7", tenant, platform),
            ("Björn", "8", tenant, platform),
            ("Chidi", "9", tenant, platform),
            ("Foreigner", "7", other, stage.platforms["client-B"]),
        ):
            learner[name] = put(learners, tenant_id=owner, name=f"{name} <b>", sort_name=name)
            put(learner_accounts, platform_id=place, ref=ref, learner_id=learner[name])
        for where, who, state in (
            ("Mathematics", "Ada", "active"),
            ("Mathematics", "Björn", "active"),
            ("Mathematics", "Chidi", "concluded"),
            ("Biology", "Chidi", "active"),
            ("Biology", "Ada", "active"),
            ("Foreign", "Foreigner", "active"),
        ):
            put(enrolments, course_id=course[where], learner_id=learner[who], state=state)
        put(
            guardianships,
            course_id=course["Mathematics"],
            guardian_ref="70",
            learner_id=learner["Ada"],
        )
        framework = put(
            frameworks,
            tenant_id=tenant,
            identifier="f",
            title="F",
            creator="C",
            language="en",
            licence="",
            attribution="",
        )
        competency = {}
        for position, (code, parent) in enumerate(
            (("N", None), ("N.1", "N"), ("N.2", "N"), ("L.1", None), ("Z.9", None))
        ):
            competency[code] = put(
                competencies,
                framework_id=framework,
                identifier=code,
                code=code,
                statement=f"Statement of {code}",
                indicator=f"I can do {code}" if code == "N.1" else "",
                parent_id=competency.get(parent),
                position=position,
                is_strand=code == "N",
                is_archived=False,
            )
        item = {}
        for title, where, code in (
            ("Quiz one", "Mathematics", "N.1"),
            ("Quiz two", "Mathematics", "N.1"),
            ("Hidden quiz", "Mathematics", "N.1"),
            ("Essay", "Mathematics", "N.2"),
            ("Lab", "Biology", "L.1"),
        ):
            item[title] = put(
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
            connection.execute(
                insert(alignments).values(
                    line_item_id=item[title],
                    competency_id=competency[code],
                    weight=1.0,
                    kind="skill",
                )
            )
        for title, points, is_visible in (
            ("Quiz one", 9.0, True),
            ("Quiz two", 10.0, True),
            ("Hidden quiz", 1.0, False),
            ("Lab", 5.0, True),
        ):
            connection.execute(
                insert(scores).values(
                    line_item_id=item[title],
                    learner_id=learner["Ada"],
                    state=int(ScoreState.GRADED),
                    points=points,
                    points_deducted=0.0,
                    attempt=1,
                    is_visible=is_visible,
                    is_late=False,
                    is_overridden=False,
                    graded_at=START - timedelta(days=3),
                )
            )
        for code, view, status, estimate, count in (
            ("N.1", 0, Status.DEVELOPING, 2.6667, 3),
            ("N.1", 1, Status.MASTERED, 3.8, 2),
            ("N", 0, Status.DEVELOPING, 2.6667, 3),
            ("N", 1, Status.MASTERED, 3.8, 2),
            ("L.1", 0, Status.INSUFFICIENT, 2.0, 1),
            ("L.1", 1, Status.INSUFFICIENT, 2.0, 1),
        ):
            connection.execute(
                insert(standings).values(
                    learner_id=learner["Ada"],
                    competency_id=competency[code],
                    view=view,
                    status=int(status),
                    estimate=estimate,
                    evidence_count=count,
                    mastered_count=0,
                    changed_at=START,
                )
            )
        run = {
            name: put(
                runs,
                tenant_id=owner,
                cause="night",
                is_full=False,
                phase="done",
                started_at=START - timedelta(hours=7),
                finished_at=START - timedelta(hours=7) + timedelta(seconds=90),
            )
            for name, owner in (("A", tenant), ("B", other))
        }
        blank = dict.fromkeys(
            (
                "fence",
                "attempts",
                "scores_new",
                "scores_changed",
                "estimates",
                "statuses_changed",
                "pushed",
                "refused",
                "api_calls",
            ),
            1,
        )
        for where, state, message in (
            ("Mathematics", "done", ""),
            ("Biology", "skipped", "The token has no right to read this course."),
        ):
            put(
                work_items,
                run_id=run["A"],
                phase="pull",
                course_id=course[where],
                part=0,
                state=state,
                cause="",
                message=message,
                job="",
                scores_pulled=1234,
                started_at=START,
                finished_at=START + timedelta(seconds=3),
                **blank,
            )
    return Ids(course=course, learner=learner, competency=competency, item=item, run=run)


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
