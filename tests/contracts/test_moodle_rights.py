"""What the Moodle connector makes of a service user that lacks something."""

from contextlib import closing

import pytest

from connectors import connect
from connectors.errors import Unauthorized
from connectors.platform import PlatformKind
from mapping.records import CourseRef, PassbackWay, ScoreState
from simulators.state import open_state
from tests.contracts.subjects import (
    get,
    live_services,
    post,
    query,
    simulated,
    simulated_access,
)

SHRINKING = {
    "moodle/course:view": "Courses",
    "moodle/user:viewdetails": "People",
    "moodle/site:viewuseridentity": "ID numbers",
    "moodle/user:viewalldetails": "ID numbers",
    "moodle/course:enrolreview": "Suspended learners",
    "gradereport/user:view": "Grade reports",
    "moodle/grade:viewall": "Grade reports",
    "moodle/grade:viewhidden": "Columns",
    "moodle/course:viewhiddenactivities": "Columns",
    "mod/assign:view": "Columns",
    "mod/quiz:view": "Columns",
}
"""Rights without which nights read less, and the finding that tells it."""
USEFUL = {
    "moodle/course:managegroups": "Groups",
    "moodle/site:accessallgroups": "Groups",
    "moodle/competency:coursecompetencyview": "Competencies",
    "moodle/competency:usercompetencyview": "Rating of competencies",
    "moodle/competency:competencygrade": "Rating of competencies",
}
"""Rights that nights go without."""


@pytest.fixture(scope="module")
def site(district, tmp_path_factory):
    folder = tmp_path_factory.mktemp("moodle")
    with simulated(district, folder, PlatformKind.MOODLE, PassbackWay.WORDS) as opened:
        yield opened


@pytest.fixture
def book(site):
    """A fresh connector, and the service user's rights put right afterwards."""
    yield lambda: connect(
        simulated_access(site.state, PlatformKind.MOODLE, site.url), live_services()
    )
    set_rights(site)


def set_rights(site, **rights):
    post(f"{site.url}/_control/rights", rights)


def findings(book):
    return {one.name: one for one in book().self_check()}


def test_a_service_user_with_every_right_is_told_nothing(book):
    found = findings(book)

    assert [one.name for one in found.values() if one.advice or not one.is_fine] == []
    assert {*SHRINKING.values(), *USEFUL.values()} <= found.keys()


@pytest.mark.parametrize("capability", SHRINKING)
def test_a_right_that_shrinks_answers_is_found_and_named(site, book, capability):
    set_rights(site, missing=[capability])

    wrong = {name: one for name, one in findings(book).items() if not one.is_fine}

    assert list(wrong) == [SHRINKING[capability]]
    assert capability in wrong[SHRINKING[capability]].advice


@pytest.mark.parametrize("capability", USEFUL)
def test_a_right_that_is_only_useful_is_advised_and_fails_nothing(site, book, capability):
    set_rights(site, missing=[capability])

    found = findings(book)

    assert all(one.is_fine for one in found.values())
    assert capability in found[USEFUL[capability]].advice


def test_one_course_that_is_closed_is_named(site, book):
    title = query(site.state, "SELECT title FROM courses WHERE id = 3")[0]["title"]
    set_rights(site, closed=[3])

    found = findings(book)

    assert not found["Courses"].is_fine
    assert f'"{title}"' in found["Courses"].advice


def test_functions_that_the_service_lacks_are_named(site, book):
    set_rights(site, without=["core_enrol_get_enrolled_users", "core_group_get_course_groups"])

    found = findings(book)["Functions of the service"]

    assert not found.is_fine
    assert "core_enrol_get_enrolled_users" in found.advice


@pytest.mark.parametrize(
    ("rights", "said"),
    [({"suspended": True}, "suspended"), ({"missing": ["webservice/rest:use"]}, "webservice/")],
)
def test_a_service_user_that_may_ask_nothing_is_one_finding(site, book, rights, said):
    set_rights(site, **rights)

    (only,) = findings(book).values()

    assert not only.is_fine
    assert said in only.advice


def test_a_self_check_changes_no_grade(site, book):
    before = query(site.state, "SELECT * FROM grades")

    findings(book)

    assert list(map(tuple, query(site.state, "SELECT * FROM grades"))) == list(map(tuple, before))
    assert get(f"{site.url}/_control/counters")["writes"] == 0


def test_a_closed_course_leaves_the_others_readable(site, book):
    set_rights(site, closed=[3])
    reader = book()

    refs = [course.ref for course in reader.courses()]
    with pytest.raises(Unauthorized):
        reader.line_items(CourseRef("3"))

    assert list(reader.line_items(CourseRef("2")))
    assert "3" in refs
    assert [note.cause for note in reader.notes] == ["closed_course"]


def test_columns_that_vanish_silently_are_noted_on_the_way(site, book):
    set_rights(site, missing=["mod/quiz:view"])
    reader = book()

    reader.line_items(CourseRef("2"))

    assert [note.cause for note in reader.notes] == ["columns_left_out"]


def test_groups_say_who_is_in_them(site, book):
    reader = book()

    groups = {one.ref for one in reader.sections(CourseRef("2"))}
    members = {
        (section, one.person.ref)
        for one in reader.enrolments(CourseRef("2"))
        for section in one.sections
    }

    rows = query(
        site.state,
        "SELECT m.* FROM group_members m JOIN course_groups g ON g.id = m.group_id "
        "WHERE g.course_id = 2",
    )
    assert members == {(str(row["group_id"]), str(row["person_id"])) for row in rows}
    assert {section for section, _ in members} == groups


@pytest.fixture
def rubric(site):
    """A rubric on the first assignment of course 2, filled for its first graded learner."""
    cell = query(
        site.state,
        "SELECT g.* FROM grades g JOIN assignments a ON a.id = g.assignment_id "
        "JOIN enrolments e ON e.person_id = g.learner_id AND e.course_id = g.course_id "
        "WHERE g.course_id = 2 AND a.kind = 'assignment' AND a.scale = '[]' "
        "AND g.state = 'graded' AND e.state = 'active' ORDER BY a.position, g.learner_id",
    )[0]
    where = (cell["assignment_id"], cell["learner_id"])
    change(site, "INSERT OR REPLACE INTO criteria VALUES ('r', ?, 'Reasoning', 4, 1)", where[0])
    change(site, "INSERT OR REPLACE INTO criterion_points VALUES (?, ?, 'r', 3)", *where)
    yield where
    change(site, "DELETE FROM criteria WHERE id = 'r'")
    change(site, "DELETE FROM criterion_points WHERE criterion_id = 'r'")
    change(
        site,
        "UPDATE grades SET attempt = ? WHERE assignment_id = ? AND learner_id = ?",
        *(cell["attempt"], *where),
    )


def change(site, sql, *values):
    with closing(open_state(site.state)) as connection, connection:
        connection.execute(sql, values)


def test_rubrics_are_read_where_the_right_is_granted_and_noted_where_not(site, book, rubric):
    item, learner = rubric
    without = book()
    columns = {one.ref: one for one in without.line_items(CourseRef("2"))}
    set_rights(site, granted=["moodle/grade:managegradingforms"])

    (page,) = book().scores(CourseRef("2"))

    found = [one for one in page.scores if one.criterion_ref and one.state is ScoreState.GRADED]
    assert [one.title for one in columns[str(item)].criteria] == ["Reasoning"]
    assert [note.cause for note in without.notes] == ["no_fillings"]
    assert [(one.line_item_ref, one.learner_ref, one.points) for one in found] == [
        (str(item), str(learner), 3.0)
    ]


def test_the_attempt_is_told_where_assignments_may_be_handed_in_again(site, book, rubric):
    item, learner = rubric
    change(
        site,
        "UPDATE grades SET attempt = 3 WHERE assignment_id = ? AND learner_id = ?",
        *(item, learner),
    )

    (page,) = book().scores(CourseRef("2"))

    found = {(one.line_item_ref, one.learner_ref): one.attempt for one in page.scores}
    assert found[str(item), str(learner)] == 3
