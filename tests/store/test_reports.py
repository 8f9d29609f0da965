"""What the pages ask: answers of one tenant, in the order and the words they are shown in."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import delete, event

from mapping.evidence.tables import View
from mapping.records import CourseId, LearnerId, LearnerRef, RunId, TenantId
from mapping.status import Status
from store import reports, run_reports
from store.registrations import PlatformEntry, save_platform, save_tenant
from store.secrets import SecretBox
from store.session import reading, writing
from store.tables import alignments
from tests.lti_tool.classroom import fill
from tests.lti_tool.stage import START

BOX = SecretBox("only-for-tests-only-for-tests-only")


@pytest.fixture
def school(engine):
    """The classroom in a database of either engine."""
    with writing(engine) as connection:
        tenants = {name: save_tenant(connection, name, "UTC") for name in ("A", "B")}
        platforms = {
            f"client-{name}": save_platform(
                connection,
                tenants[name],
                PlatformEntry(
                    kind="canvas",
                    name=name,
                    issuer="https://lms.example",
                    client_id=name,
                    auth_url="",
                    token_url="",
                    jwks_url="",
                    api_url="",
                    api_token="",
                ),
                secrets=BOX,
            )
            for name in ("A", "B")
        }
    ids = fill(
        SimpleNamespace(
            container=SimpleNamespace(engine=engine), tenants=tenants, platforms=platforms
        )
    )
    return SimpleNamespace(engine=engine, ids=ids, tenants=tenants)


@pytest.fixture
def connection(school):
    with reading(school.engine) as connection:
        yield connection


@pytest.fixture
def a(school):
    return TenantId(school.tenants["A"])


@pytest.fixture
def ada(school):
    return LearnerId(school.ids.learner["Ada"])


@pytest.fixture
def mathematics(school):
    return CourseId(school.ids.course["Mathematics"])


def codes(lines):
    return [line.competency.code for line in lines]


def test_a_learner_is_told_how_old_the_oldest_reading_is(connection, a, ada):
    line = reports.learner_line(connection, a, ada)

    assert line.name == "Ada <b>"
    assert line.read_at == START - timedelta(hours=6)


def test_a_learner_of_another_tenant_is_none(connection, school, a):
    foreigner = LearnerId(school.ids.learner["Foreigner"])

    assert reports.learner_line(connection, a, foreigner) is None
    assert reports.learner_standings(connection, a, foreigner, view=View.TEACHER) == ()
    assert reports.item_lines(connection, a, foreigner) == {}


def test_standings_come_in_framework_order_with_those_not_evidenced(connection, a, ada):
    lines = reports.learner_standings(connection, a, ada, view=View.LEARNER)

    assert codes(lines) == ["N", "N.1", "N.2", "L.1"]
    assert [line.status for line in lines] == [
        Status.MASTERED,
        Status.MASTERED,
        Status.NO_EVIDENCE,
        Status.INSUFFICIENT,
    ]


def test_each_view_has_its_own_standings(connection, a, ada):
    found = {view: reports.learner_standings(connection, a, ada, view=view)[1] for view in View}

    assert found[View.TEACHER].status is Status.DEVELOPING
    assert found[View.TEACHER].evidence_count == 3
    assert found[View.LEARNER].status is Status.MASTERED
    assert found[View.LEARNER].estimate == pytest.approx(3.8)


def test_within_a_course_only_what_it_speaks_for_is_listed(connection, a, ada, mathematics):
    lines = reports.learner_standings(connection, a, ada, view=View.TEACHER, course=mathematics)

    assert codes(lines) == ["N", "N.1", "N.2"]


def test_line_items_are_named_with_their_course(connection, school, a, ada):
    items = reports.item_lines(connection, a, ada)

    assert {item.title for item in items.values()} == {
        "Quiz one",
        "Quiz two",
        "Hidden quiz",
        "Lab",
    }
    assert items[school.ids.item["Lab"]].course == "Biology & <friends>"


def test_a_class_table_holds_active_learners_and_the_courses_competencies(
    connection, school, a, ada, mathematics
):
    table = reports.class_table(connection, a, mathematics)

    assert [line.name for line in table.learners] == ["Ada <b>", "Björn <b>"]
    assert [one.code for one in table.competencies] == ["N", "N.1", "N.2"]
    assert table.cells[ada, school.ids.competency["N.1"]].status is Status.DEVELOPING
    assert (ada, school.ids.competency["L.1"]) not in table.cells
    assert table.course.learners == 2


def test_a_class_of_another_tenant_is_none(connection, school, a):
    foreign = CourseId(school.ids.course["Foreign"])

    assert reports.class_table(connection, a, foreign) is None
    assert reports.course_lines(connection, a, course=foreign) == ()


def test_courses_are_the_tenants_own(connection, a):
    titles = [line.title for line in reports.course_lines(connection, a)]

    assert titles == ["Biology & <friends>", "Mathematics & <friends>"]


def test_a_guardian_has_children_in_one_course(connection, school, a, mathematics):
    biology = CourseId(school.ids.course["Biology"])

    def names(course, guardian, tenant=a):
        found = reports.children_of(connection, tenant, course, guardian=LearnerRef(guardian))
        return [child.name for child in found]

    assert names(mathematics, "70") == ["Ada <b>"]
    assert names(mathematics, "71") == []
    assert names(biology, "70") == []
    assert names(mathematics, "70", TenantId(school.tenants["B"])) == []


@pytest.mark.parametrize(
    ("who", "where", "is_there"),
    [("Ada", "Mathematics", True), ("Chidi", "Mathematics", False), ("Björn", "Biology", False)],
)
def test_only_active_learners_are_enrolled(connection, school, a, who, where, is_there):
    course = CourseId(school.ids.course[where])
    learner = LearnerId(school.ids.learner[who])

    assert reports.is_enrolled(connection, a, course, learner=learner) is is_there


def test_nobody_is_enrolled_in_another_tenants_course(connection, school, mathematics, ada):
    other = TenantId(school.tenants["B"])

    assert not reports.is_enrolled(connection, other, mathematics, learner=ada)


def test_a_run_is_summed_up_over_its_parts(connection, a):
    (line,) = run_reports.run_lines(connection, a)

    assert line.counts.scores_pulled == 2468
    assert line.counts.api_calls == 2
    assert line.counts.courses == 1
    assert line.counts.seconds == 90.0
    assert (line.skipped, line.failed) == (1, 0)


def test_a_run_without_parts_yet_is_listed(connection, school):
    (line,) = run_reports.run_lines(connection, TenantId(school.tenants["B"]))

    assert line.counts.scores_pulled == 0
    assert line.started_at == datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


def test_the_parts_of_a_run_come_with_the_troubled_ones_first(connection, school, a):
    lines = run_reports.work_lines(connection, a, RunId(school.ids.run["A"]))

    assert [line.course for line in lines] == ["Biology & <friends>", "Mathematics & <friends>"]
    assert lines[0].message == "The token has no right to read this course."
    assert lines[0].seconds == 3.0


def test_a_run_of_another_tenant_is_not_found(connection, school, a):
    theirs = RunId(school.ids.run["B"])

    assert run_reports.run_lines(connection, a, run=theirs) == ()
    assert run_reports.work_lines(connection, a, theirs) == ()


def test_where_a_courses_learners_stand_takes_one_question_a_part(
    school, connection, a, ada, mathematics
):
    asked = []
    event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2]))

    found = reports.course_standings(connection, a, mathematics, after=None, most=10)

    assert len(asked) == 1
    learner = school.ids.learner
    assert [one.id for one, _ in found] == [learner["Ada"], learner["Björn"]]
    for one, lines in found:
        alone = reports.learner_standings(
            connection, a, one.id, view=View.TEACHER, course=mathematics
        )
        assert lines == alone
    behind = reports.course_standings(connection, a, mathematics, after=ada, most=1)
    assert [one.id for one, _ in behind] == [learner["Björn"]]


def test_learners_of_a_course_that_speaks_for_nothing_are_there_and_stand_nowhere(school, a):
    biology = school.ids.course["Biology"]
    with writing(school.engine) as connection:
        connection.execute(delete(alignments))

        found = reports.course_standings(connection, a, biology, after=None, most=10)

    assert [(one.id, lines) for one, lines in found] == [
        (school.ids.learner["Ada"], ()),
        (school.ids.learner["Chidi"], ()),
    ]


def test_learners_of_another_tenants_course_are_none(school, connection, mathematics):
    other = school.tenants["B"]

    assert reports.course_standings(connection, other, mathematics, after=None, most=9) == ()
