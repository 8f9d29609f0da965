"""How Canvas is read from one night to the next, held against the simulator's own books."""

from contextlib import closing

import pytest

from connectors import connect
from connectors.platform import PlatformKind
from mapping.records import CourseState, EnrolmentState, Role
from simulators.state import open_state
from tests.contracts.subjects import get, live_services, post, simulated_access


def alter(canvas, sql, *values):
    with closing(open_state(canvas.state)) as connection, connection:
        connection.execute(sql, values)


def read(canvas):
    canvas.gradebook.sections(canvas.course)
    canvas.gradebook.enrolments(canvas.course)
    canvas.gradebook.line_items(canvas.course)
    return canvas.all_scores()


def an_assignment(canvas):
    return canvas.a_graded_score().line_item_ref


def a_learner(canvas):
    return canvas.two_learners()[0]


def place(canvas, what, name, **more):
    sent = {"course": int(canvas.course), "learner": int(a_learner(canvas)), "name": name}
    post(f"{canvas.url}/_control/{what}", {**sent, **more})


def graded(canvas, points):
    canvas.change(canvas.a_graded_score(), points)


CHANGES = {
    "score cleared": lambda canvas: graded(canvas, None),
    "learner excused": lambda canvas: graded(canvas, "excused"),
    "assignment renamed": lambda canvas: alter(
        canvas,
        "UPDATE assignments SET updated_at = updated_at + 1 WHERE id = ?",
        an_assignment(canvas),
    ),
    "assignment unpublished": lambda canvas: alter(
        canvas, "UPDATE assignments SET is_published = 0 WHERE id = ?", an_assignment(canvas)
    ),
    "assignment deleted": lambda canvas: alter(
        canvas, "DELETE FROM assignments WHERE id = ?", an_assignment(canvas)
    ),
    "assignment fell due": lambda canvas: alter(
        canvas, "UPDATE assignments SET due_at = strftime('%s') WHERE id = ?", an_assignment(canvas)
    ),
    "category renamed": lambda canvas: alter(
        canvas, "UPDATE categories SET title = 'Exams' WHERE course_id = ?", canvas.course
    ),
    "learner suspended": lambda canvas: alter(
        canvas, "UPDATE enrolments SET state = 'suspended' WHERE person_id = ?", a_learner(canvas)
    ),
    "learner gone": lambda canvas: alter(
        canvas, "DELETE FROM enrolments WHERE person_id = ?", a_learner(canvas)
    ),
    "learner renamed": lambda canvas: alter(
        canvas, "UPDATE people SET given_name = 'Ada' WHERE id = ?", a_learner(canvas)
    ),
    "learner in another section": lambda canvas: place(canvas, "section", "Morning"),
    "learner in a group": lambda canvas: place(canvas, "group", "Red"),
    "course deleted": lambda canvas: alter(
        canvas, "DELETE FROM courses WHERE id = ?", canvas.course
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_course_in_which_something_happened_is_not_unchanged(canvas, change):
    _, cursor = read(canvas)
    quiet = canvas.gradebook.unchanged({canvas.course: cursor})

    CHANGES[change](canvas)

    assert quiet.keys() == {canvas.course}
    assert canvas.gradebook.unchanged(quiet) == {}


def test_a_read_without_its_lists_leaves_a_cursor_that_has_to_be_read(canvas):
    _, cursor = canvas.all_scores()

    assert canvas.gradebook.unchanged({canvas.course: cursor}) == {}


def test_lists_that_were_read_vouch_for_one_read_of_scores_only(canvas):
    read(canvas)

    _, cursor = canvas.all_scores()

    assert canvas.gradebook.unchanged({canvas.course: cursor}) == {}


def test_what_is_written_past_canvass_clock_waits_for_the_sweep(canvas):
    score = canvas.a_graded_score()
    _, cursor = read(canvas)
    alter(
        canvas,
        "UPDATE grades SET points = 0 WHERE assignment_id = ? AND learner_id = ?",
        score.line_item_ref,
        score.learner_ref,
    )

    news, _ = canvas.all_scores(cursor)
    swept, _ = canvas.all_scores()

    assert canvas.gradebook.unchanged({canvas.course: cursor})
    assert news == []
    assert (score.line_item_ref, score.learner_ref, 0.0) in {
        (one.line_item_ref, one.learner_ref, one.points) for one in swept
    }


def test_work_that_became_missing_by_the_hour_is_news(canvas):
    ref = an_assignment(canvas)
    alter(canvas, "DELETE FROM grades WHERE assignment_id = ?", ref)
    alter(canvas, "UPDATE assignments SET kind = 'assignment' WHERE id = ?", ref)
    _, cursor = read(canvas)
    alter(canvas, "UPDATE assignments SET due_at = strftime('%s') - 1 WHERE id = ?", ref)

    news, _ = canvas.all_scores(cursor)

    assert {one.line_item_ref for one in news} == {ref}
    assert len(news) > 1


def test_a_whole_read_sends_no_request_that_it_could_spare(canvas):
    sections_groups_people_categories_columns_line_items_and_token = 7
    before = canvas.gradebook.calls

    scores, _ = read(canvas)
    rows = get(f"{canvas.url}/_control/counters")["requests"]

    pages = rows["graphql"]
    assert scores
    assert canvas.gradebook.calls - before == (
        sections_groups_people_categories_columns_line_items_and_token + pages
    )
    assert pages == -(-384 // 100)


def test_sections_and_groups_are_those_of_the_learners(canvas):
    place(canvas, "section", "Morning")
    place(canvas, "group", "Red")

    sections = {one.ref: one for one in canvas.gradebook.sections(canvas.course)}
    enrolments = canvas.gradebook.enrolments(canvas.course)

    mine = next(one for one in enrolments if one.person.ref == a_learner(canvas))
    titles = {sections[ref].title for ref in mine.sections}
    assert {"Morning", "Red"} < titles
    assert [one.title for one in sections.values() if one.is_group] == ["Red"]
    assert {len(one.sections) for one in enrolments if one.person.ref != mine.person.ref} == {1}


@pytest.mark.parametrize(("what", "kept"), [("sections", "groups"), ("groups", "sections")])
def test_a_list_that_is_refused_is_noted_and_the_other_comes(canvas, what, kept):
    place(canvas, "group", "Red")
    post(f"{canvas.url}/_control/rights", {what: 403})

    found = canvas.gradebook.sections(canvas.course)

    assert {one.is_group for one in found} == {kept == "groups"}
    assert [one.cause for one in canvas.gradebook.notes] == [f"{what}_refused"]


def test_a_learner_of_student_view_is_nobodys_learner(canvas):
    alter(
        canvas,
        "INSERT INTO enrolments (course_id, person_id, role, created_at) "
        "VALUES (?, 1, 'tester', 0)",
        canvas.course,
    )

    people = canvas.gradebook.enrolments(canvas.course)

    assert {one.role for one in people} <= {Role.LEARNER, Role.TEACHER, Role.GUARDIAN}
    assert "1" not in {one.person.ref for one in people}


def test_blueprints_are_left_out_and_a_binding_end_date_concludes(canvas):
    alter(canvas, "INSERT OR REPLACE INTO config VALUES ('blueprints', ?)", canvas.course)
    alter(canvas, "INSERT OR REPLACE INTO config VALUES ('date_bound', '102')")
    alter(canvas, "UPDATE courses SET ends_at = strftime('%s') - 700000 WHERE id IN (102, 103)")

    states = {one.ref: one.state for one in canvas.gradebook.courses()}

    assert canvas.course not in states
    assert (states["102"], states["103"]) == (CourseState.CONCLUDED, CourseState.ACTIVE)


def test_a_learner_who_left_one_section_for_another_is_active_in_the_new_one(canvas):
    place(canvas, "section", "Morning")
    alter(
        canvas,
        "UPDATE section_places SET state = 'concluded' WHERE section_id = ?",
        50_000 + int(canvas.course),
    )

    people = canvas.gradebook.enrolments(canvas.course)

    mine = next(one for one in people if one.person.ref == a_learner(canvas))
    assert mine.state is EnrolmentState.ACTIVE
    assert len(mine.sections) == 1


def test_a_resubmission_leaves_the_score_to_the_attempt_it_was_given_for(canvas):
    score = canvas.a_graded_score()
    _, cursor = read(canvas)
    place = {"learner": int(score.learner_ref), "assignment": int(score.line_item_ref)}

    post(f"{canvas.url}/_control/submission", {"course": int(canvas.course), **place})
    waiting, _ = canvas.all_scores(cursor)
    canvas.change(score, score.points)
    marked, _ = canvas.all_scores(cursor)

    found = [next(one for one in some if not one.criterion_ref) for some in (waiting, marked)]
    assert [one.points for one in found] == [score.points] * 2
    assert [one.attempt for one in found] == [score.attempt, score.attempt + 1]
    assert found[0].submitted_at == score.submitted_at
    assert found[1].submitted_at > score.submitted_at
    assert (found[0].is_late, found[0].earlier) == (score.is_late, score.earlier)
    assert [(one.number, one.points, one.submitted_at) for one in found[1].earlier[-1:]] == [
        (score.attempt, score.points, score.submitted_at)
    ]


def test_each_connector_asks_graphql_anew(canvas):
    post(f"{canvas.url}/_control/rights", {"graphql": 403})
    canvas.all_scores()
    post(f"{canvas.url}/_control/rights", {"graphql": 0})
    fresh = connect(
        simulated_access(canvas.state, PlatformKind.CANVAS, canvas.url), live_services()
    )

    list(fresh.scores(canvas.course))

    assert canvas.gradebook.notes
    assert fresh.notes == ()
