import pytest

from connectors.moodle.assignments import AssignmentFacts, Assignments
from connectors.moodle.report import columns_of, scores_by_learner
from mapping.records import CourseRef, ScoreState
from tests.connectors.moodle.conftest import refusal
from tests.connectors.moodle.test_report import ROW, report

COURSE = CourseRef("2")
ONCE = {"id": 1, "cmid": 11, "name": "Essay", "attemptreopenmethod": "untilpass", "maxattempts": 1}
AGAIN = ONCE | {"id": 2, "cmid": 12, "maxattempts": -1}
CRITERION = {
    "id": 71,
    "sortorder": 1,
    "description": "<p>Reasoning &amp; proof</p>",
    "levels": [{"id": 700, "score": 0}, {"id": 704, "score": 4}],
}
OTHER = {"id": 70, "sortorder": 0, "description": "Words", "levels": [{"id": 690, "score": 2.5}]}


def assignments(*rows):
    return {"courses": [{"assignments": list(rows)}], "warnings": []}


def grades(**attempts):
    """Own grades of assignment 2: by learner the attempt's number and its grade."""
    rows = [
        {"id": 900 + int(who[1:]), "userid": int(who[1:]), "attemptnumber": number, "grade": grade}
        for who, (number, grade) in attempts.items()
    ]
    return {"assignments": [{"assignmentid": 2, "grades": rows}], "warnings": []}


def rubric(*criteria, cmid=12):
    definition = {"id": 5, "method": "rubric", "rubric": {"rubric_criteria": list(criteria)}}
    return {"areas": [{"cmid": cmid, "activemethod": "rubric", "definitions": [definition]}]}


def filled(*rows):
    return {
        "instances": [
            {
                "itemid": item,
                "status": status,
                "timemodified": at,
                "rubric": {"criteria": [{"criterionid": 71, "levelid": level}]},
            }
            for item, status, at, level in rows
        ]
    }


@pytest.fixture
def with_rubric(answers):
    answers["mod_assign_get_assignments"] = assignments(AGAIN)
    answers["core_grading_get_definitions"] = rubric(CRITERION, OTHER)
    answers["mod_assign_get_grades"] = grades(u3=(0, "4.00000"))
    return answers


def read(service):
    return Assignments(service).of(COURSE)


def test_attempts_are_not_asked_for_where_nobody_may_try_again(service, answers, lms):
    answers["mod_assign_get_assignments"] = assignments(ONCE)
    answers["mod_assign_get_grades"] = grades()

    facts = read(service)

    assert facts.attempts == {}
    assert "mod_assign_get_grades" not in [one.form["wsfunction"] for one in lms.seen]


@pytest.mark.parametrize(
    ("number", "grade", "attempt"),
    [(0, "7.00000", 1), (2, "7.00000", 3), (2, "-1.00000", 2), (0, "-1.00000", 0)],
)
def test_the_attempt_is_the_newest_that_has_a_mark(service, answers, number, grade, attempt):
    answers["mod_assign_get_assignments"] = assignments(AGAIN)
    answers["mod_assign_get_grades"] = grades(u3=(number, grade))

    assert read(service).attempts == {(2, 3): attempt}


def test_attempts_that_may_not_be_read_are_noted(service, answers):
    answers["mod_assign_get_assignments"] = assignments(AGAIN)
    answers["mod_assign_get_grades"] = {"assignments": [], "warnings": [{"warningcode": "1"}]}

    assert read(service).attempts == {}
    assert "mod/assign:viewgrades" in service.notes.all[0].message


def test_the_rows_of_a_rubric_are_criteria_in_their_order(service, with_rubric):  # noqa: ARG001 - its answers
    (criteria,) = read(service).criteria.values()

    assert [(one.ref, one.title, one.maximum) for one in criteria] == [
        ("70", "Words", 2.5),
        ("71", "Reasoning & proof", 4.0),
    ]


def test_a_filling_gives_the_points_of_its_level(service, with_rubric):
    with_rubric["core_grading_get_gradingform_instances"] = filled((903, 1, 10, 704))

    assert read(service).points == {(2, 3): {"71": 4.0}}


@pytest.mark.parametrize("rows", [[(903, 3, 99, 700), (903, 1, 10, 704)], [(903, 1, 10, 704)]])
def test_only_the_filling_in_use_counts(service, with_rubric, rows):
    with_rubric["core_grading_get_gradingform_instances"] = filled(*rows)

    assert read(service).points == {(2, 3): {"71": 4.0}}


def test_fillings_that_may_not_be_read_are_noted_and_not_asked_for_again(service, with_rubric, lms):
    with_rubric["core_grading_get_gradingform_instances"] = refusal("nopermissions")
    reader = Assignments(service)

    facts = [reader.of(COURSE), reader.of(COURSE)][1]

    asked = [one.form["wsfunction"] for one in lms.seen]
    assert (facts.points, facts.filled) == ({}, frozenset())
    assert facts.criteria
    assert asked.count("core_grading_get_gradingform_instances") == 1
    assert "moodle/grade:managegradingforms" in service.notes.all[0].message


def test_marking_guides_are_no_rubrics(service, answers):
    answers["mod_assign_get_assignments"] = assignments(ONCE)
    answers["core_grading_get_definitions"] = {
        "areas": [
            {"cmid": 11, "activemethod": "guide", "definitions": [{"id": 1, "method": "guide"}]}
        ]
    }

    assert read(service).criteria == {}


def scored(row, facts):
    found = report({"iteminstance": 1, **row})
    columns = columns_of(found, own=frozenset(), categories={}, facts=facts)
    return columns, scores_by_learner(found, columns, facts=facts)["3"]


@pytest.fixture
def facts(service, with_rubric):
    """Assignment 2's rubric, moved to the assignment of the report's row."""
    with_rubric["core_grading_get_gradingform_instances"] = filled((903, 1, 10, 704))
    found = read(service)
    return AssignmentFacts(
        criteria={1: found.criteria[2]},
        attempts={(1, 3): 2},
        points={(1, 3): found.points[2, 3]},
        filled=frozenset({1}),
    )


def test_an_attempt_never_changes_the_points_of_the_gradebook(facts):
    _, (whole, *_) = scored({"graderaw": 91, "gradeisoverridden": True}, facts)

    assert (whole.points, whole.attempt, whole.criterion_ref) == (91, 2, None)


def test_every_criterion_has_a_score_also_one_without_a_level(facts):
    (column,), (_, words, reasoning) = scored({"graderaw": 91}, facts)

    assert [one.ref for one in column.criteria] == ["70", "71"]
    assert (words.criterion_ref, words.state) == ("70", ScoreState.NOT_GRADED)
    assert (reasoning.criterion_ref, reasoning.points) == ("71", 4.0)


def test_a_cell_that_holds_no_grade_has_none_in_its_rubric(facts):
    _, (whole, *criteria) = scored({"graderaw": 91, "status": "dropped"}, facts)

    assert whole.state is ScoreState.EXCUSED
    assert {one.state for one in criteria} == {ScoreState.NOT_GRADED}


def test_a_quiz_with_the_number_of_an_assignment_is_not_taken_for_it(facts):
    row = {"graderaw": 5, "itemmodule": "quiz"}

    (column,), found = scored(row, facts)

    assert column.criteria == ()
    assert [(one.attempt, one.criterion_ref) for one in found] == [(0, None)]
    assert ROW["itemmodule"] == "assign"
