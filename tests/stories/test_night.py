"""Nights of a small district: what they bring, what they leave alone, what stops them not."""

import pytest

from mapping.passback import words
from mapping.status import Status
from store.sync_state import ItemState

pytestmark = pytest.mark.story

CELLS = """
    SELECT c.ref AS course, p.kind, s.passback_way AS way, a.ref AS learner, i.ref AS item,
           i.maximum, sc.points, sc.learner_id, al.competency_id
    FROM scores sc
    JOIN line_items i ON i.id = sc.line_item_id
    JOIN alignments al ON al.line_item_id = i.id
    JOIN courses c ON c.id = i.course_id
    JOIN platforms p ON p.id = c.platform_id
    JOIN schools s ON s.id = c.school_id
    JOIN enrolments e ON e.course_id = c.id AND e.learner_id = sc.learner_id
    JOIN learner_accounts a ON a.learner_id = sc.learner_id AND a.platform_id = p.id
    JOIN standings st ON st.learner_id = sc.learner_id AND st.competency_id = al.competency_id
    WHERE sc.flags & 7 = 1 AND sc.flags & 8 <> 0 AND e.state = 'active' AND i.criterion_ref = ''
      AND i.grading = 'points' AND c.state = 'active' AND st.view = 1 AND st.status >= 2
      AND p.kind = :kind AND s.passback_way = :way
    ORDER BY sc.points / i.maximum DESC, sc.learner_id, i.id
"""
"""Graded cells that count for a status the learner may see, best first."""

WANTED = """
    SELECT DISTINCT c.id AS course, k.id AS strand, e.learner_id AS learner,
           st.status, st.mastered_count,
           (SELECT count(DISTINCT k2.id) FROM alignments a2
            JOIN competencies k2 ON k2.id = a2.competency_id WHERE k2.parent_id = k.id) AS total
    FROM alignments al
    JOIN competencies child ON child.id = al.competency_id
    JOIN competencies k ON k.id = child.parent_id
    JOIN line_items i ON i.id = al.line_item_id
    JOIN courses c ON c.id = i.course_id
    JOIN enrolments e ON e.course_id = c.id AND e.state = 'active'
    JOIN standings st ON st.learner_id = e.learner_id AND st.competency_id = k.id AND st.view = 1
    WHERE c.state = 'active' AND st.status >= 2
"""
"""What the gradebooks shall say, asked of the standings without Waymark's own planning."""


def course_grades(stage) -> dict:
    courses = stage.rows(
        "SELECT c.ref, p.kind FROM courses c JOIN platforms p ON p.id = c.platform_id"
    )
    return {
        (kind, ref): stage.ask(f"{stage.lms(kind)}/_control/course_grades?course={ref}")
        for ref, kind in courses
    }


def wanted_marks(stage) -> dict:
    return {
        (row.course, row.strand, row.learner): words(
            Status(row.status).label, min(row.mastered_count, row.total), row.total
        )
        for row in stage.rows(WANTED)
    }


def standing_marks(stage) -> dict:
    rows = stage.rows(
        "SELECT c.course_id, c.competency_id, m.learner_id, m.words FROM passback_marks m"
        " JOIN passback_columns c ON c.id = m.column_id"
    )
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def written(stage, run: int) -> dict:
    rows = stage.rows(
        "SELECT course_id, competency_id, learner_id, words FROM outbox"
        " WHERE run_id = :run AND state = 'confirmed'",
        run=run,
    )
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def writes_seen_by(stage) -> dict:
    return {kind: stage.ask(f"{stage.lms(kind)}/_control/counters") for kind in KINDS}


KINDS = ("canvas", "moodle")
WAYS = [("canvas", "words"), ("canvas", "mark_not_counted"), ("moodle", "words")]


def test_a_night_brings_every_status_that_learners_may_see_into_their_gradebooks(stage):
    result = stage.run_night()

    ways = {row.way for row in stage.rows("SELECT DISTINCT way FROM passback_columns")}
    assert not result.has_failures
    assert ways == {"words", "mark_not_counted"}
    assert standing_marks(stage) == wanted_marks(stage)
    assert result.counts.pushed == len(standing_marks(stage)) > 0


def test_a_night_moves_no_course_grade(stage):
    stage.run_night()
    before = course_grades(stage)
    assert any(grade is not None for course in before.values() for grade in course.values())
    drop_waymark_columns = course_grades_without_waymark(stage)

    assert before == drop_waymark_columns


def course_grades_without_waymark(stage) -> dict:
    """Course grades of the same district, drawn anew, to which Waymark never came."""
    import simulators.canvas
    import simulators.moodle
    from simulators.files import Addresses, write_all
    from simulators.generate import draw
    from tests.stories.stage import TODAY

    folder = stage.folder / "untouched"
    addresses = Addresses(canvas=stage.canvas, moodle=stage.moodle, tool="http://127.0.0.1:1")
    write_all(folder, draw(7, "small", today=TODAY), addresses=addresses, seed=7)
    clients = {
        "canvas": simulators.canvas.create_app(folder / "canvas.db").test_client(),
        "moodle": simulators.moodle.create_app(folder / "moodle.db").test_client(),
    }
    courses = stage.rows(
        "SELECT c.ref, p.kind FROM courses c JOIN platforms p ON p.id = c.platform_id"
    )
    return {
        (kind, ref): clients[kind]
        .get(f"/_control/course_grades?course={ref}", headers={"User-Agent": "a test"})
        .get_json()
        for ref, kind in courses
    }


def test_a_second_night_changes_and_pushes_nothing(stage):
    first = stage.run_night()

    second = stage.run_night()

    assert first.counts.pushed > 0
    assert second.counts.pushed == second.counts.statuses_changed == 0
    assert second.counts.scores_new == second.counts.scores_changed == 0
    assert second.counts.scores_pulled * 10 <= first.counts.scores_pulled


@pytest.mark.parametrize(("kind", "way"), WAYS)
def test_one_changed_score_pushes_exactly_the_marks_that_follow_from_it(stage, kind, way):
    stage.run_night()
    before = standing_marks(stage)
    cells = stage.rows(CELLS, kind=kind, way=way)
    learner = cells[0].learner_id
    for cell in {(c.course, c.learner, c.item) for c in cells if c.learner_id == learner}:
        stage.change_score(kind, cell[0], cell[1], item=cell[2], points=0)

    result = stage.run_night()

    after = wanted_marks(stage)
    changed = {key: text for key, text in after.items() if before.get(key) != text}
    assert written(stage, result.run) == changed
    assert changed
    assert {key[2] for key in changed} == {learner}
    assert standing_marks(stage) == {**before, **changed}


def test_an_lms_that_is_down_stops_only_its_own_courses(stage):
    stage.fault("moodle", "down", seconds=600)

    result = stage.run_night()

    stage.fault("moodle", "none")
    failed = [one for one in result.troubles if one.state is ItemState.FAILED]
    assert [one.cause for one in failed]
    assert all("Moodle" in one.message for one in failed)
    assert result.counts.pushed > 0
    assert {
        row.kind
        for row in stage.rows(
            "SELECT DISTINCT p.kind FROM passback_columns pc JOIN courses c ON c.id = pc.course_id"
            " JOIN platforms p ON p.id = c.platform_id"
        )
    } == {"canvas"}


TROUBLES = [("canvas", "down"), ("canvas", "expired_token"), ("moodle", "html")]


@pytest.mark.parametrize(("kind", "mode"), TROUBLES)
def test_a_night_after_the_trouble_brings_what_the_troubled_one_could_not(stage, kind, mode):
    stage.fault(kind, mode, seconds=600)
    troubled = stage.run_night()
    stage.fault(kind, "none")

    healed = stage.run_night()

    assert troubled.has_failures
    assert not healed.has_failures
    assert standing_marks(stage) == wanted_marks(stage)


def test_a_mark_that_a_person_changed_is_left_alone_and_reported(stage):
    stage.run_night()
    cell = stage.rows(CELLS, kind="canvas", way="words")[0]
    column, strand, words_before = stage.rows(
        "SELECT pc.ref, pc.competency_id, m.words FROM passback_columns pc"
        " JOIN passback_marks m ON m.column_id = pc.id AND m.learner_id = :learner"
        " JOIN courses c ON c.id = pc.course_id AND c.ref = :course"
        " JOIN competencies k ON k.parent_id = pc.competency_id AND k.id = :competency",
        learner=cell.learner_id,
        course=cell.course,
        competency=cell.competency_id,
    )[0]
    data = f"{stage.canvas}/api/v1/courses/{cell.course}/custom_gradebook_columns/{column}/data"
    stage.ask_canvas("PUT", f"{data}/{cell.learner}", {"column_data": {"content": "See me"}})
    for item in {
        (c.course, c.item)
        for c in stage.rows(CELLS, kind="canvas", way="words")
        if c.learner_id == cell.learner_id
    }:
        stage.change_score("canvas", item[0], cell.learner, item=item[1], points=0)

    result = stage.run_night()

    said = {row["user_id"]: row["content"] for row in stage.ask_canvas("GET", data)}
    conflict = stage.rows(
        "SELECT reason, words FROM outbox WHERE state = 'conflict' AND learner_id = :learner"
        " AND competency_id = :strand AND run_id = :run",
        learner=cell.learner_id,
        strand=strand,
        run=result.run,
    )
    assert said[cell.learner] == "See me"
    assert [row.words != words_before for row in conflict] == [True]
    assert "A person changed this cell" in conflict[0].reason
    assert result.counts.refused == 1


def test_courses_without_mapping_or_learners_are_named_with_the_reason(stage):
    result = stage.run_night()

    causes = {one.cause for one in result.troubles if one.state is ItemState.SKIPPED}
    assert {"unmapped", "no_learners"} <= causes
    assert all(one.about and one.message.endswith(".") for one in result.troubles)
