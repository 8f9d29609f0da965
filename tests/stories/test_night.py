import pytest

pytestmark = pytest.mark.story


def course_grades(stage):
    grades = {}
    for course, platform in stage.rows(
        "SELECT c.ref, p.kind FROM courses c JOIN platforms p ON p.id = c.platform_id"
    ):
        url = stage.canvas if platform == "canvas" else stage.moodle
        grades[platform, course] = stage.ask(f"{url}/_control/course_grades?course={course}")
    return grades


def confirmed(stage, run):
    return {
        (row.course_id, row.competency_id, row.learner_id): row.words
        for row in stage.rows(
            "SELECT * FROM outbox WHERE run_id = :run AND state = 'confirmed'", run=run
        )
    }


def test_a_night_brings_statuses_into_every_gradebook_and_moves_no_course_grade(stage):
    stage.run_night(is_full=True)
    grades = course_grades(stage)
    stage.ask(f"{stage.canvas}/_control/faults", {"mode": "none"})

    ways = stage.rows("SELECT way, count(*) FROM passback_columns GROUP BY way ORDER BY way")
    marks = stage.rows("SELECT count(*) FROM passback_marks")[0][0]

    assert {way for way, _ in ways} == {"words", "mark_not_counted"}
    assert marks > 0
    assert any(total is not None for course in grades.values() for total in course.values())


def test_a_second_night_changes_and_pushes_nothing(stage):
    first = stage.run_night()

    second = stage.run_night()

    assert first.counts.pushed > 0
    assert second.counts.pushed == 0
    assert second.counts.statuses_changed == 0
    assert second.counts.scores_new == second.counts.scores_changed == 0
    assert second.counts.scores_pulled * 10 <= first.counts.scores_pulled
