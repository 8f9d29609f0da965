"""A whole night against the answers of a real Moodle, with a mapping written for MATH101."""

import json
import shutil
from pathlib import Path

import pytest

from bootstrap.district import load_district
from lti_tool import create_app
from mapping.status import Status
from tests.databases import lay_database
from tests.replay import API_TOKEN, CLIENT_ID, TYPE_ID, recorded, serve_recordings
from tests.stories.stage import Stage, free_port, open_stage_container, serving_on

pytestmark = pytest.mark.story
FILES = Path(__file__).parent / "math101"


@pytest.fixture
def stage(tmp_path, redis_url):
    port = free_port()
    for file in FILES.iterdir():
        shutil.copy(file, tmp_path)
    with serve_recordings() as moodle:
        (tmp_path / "district.json").write_text(json.dumps(district(moodle)))
        database = lay_database(tmp_path)
        container = open_stage_container(tmp_path, database, redis_url, port=port)
        with serving_on(port, create_app(container)):
            loaded = load_district(container, tmp_path / "district.json")
            yield Stage(
                container=container,
                tenant=loaded.tenant,
                canvas="",
                moodle=moodle,
                folder=tmp_path,
            )
        container.close()


def district(moodle: str) -> dict:
    return {
        "district": "Recorded",
        "timezone": "Europe/Berlin",
        "schools": [{"name": "Test Faculty", "passback": "words", "first_push": "agreed"}],
        "platforms": [
            {
                "name": "Test Moodle",
                "kind": "moodle",
                "issuer": moodle,
                "client_id": CLIENT_ID,
                "auth_url": f"{moodle}/mod/lti/auth.php",
                "token_url": f"{moodle}/mod/lti/token.php",
                "jwks_url": f"{moodle}/mod/lti/certs.php",
                "api_url": moodle,
                "api_token": API_TOKEN,
                "deployments": [TYPE_ID],
                "schools": {"2": "Test Faculty"},
            }
        ],
        "frameworks": ["framework.case.json"],
        "mappings": ["mapping.csv"],
        "rule": {"mastered": 3.0, "developing": 2.0, "minimum_evidence": 2},
    }


def standings(stage, *, view: int) -> dict:
    return {
        (row.sis_id or row.name, row.code): (Status(row.status), row.estimate, row.evidence_count)
        for row in stage.rows(
            "SELECT l.sis_id, l.name, c.code, s.status, s.estimate, s.evidence_count"
            " FROM standings s JOIN learners l ON l.id = s.learner_id"
            " JOIN competencies c ON c.id = s.competency_id WHERE s.view = :view",
            view=view,
        )
    }


ITEMS = {
    "M101.1": {"Homework 1 (points 100)": 1, "Homework 2 (points 20)": 1, "Essay (rubric)": 2},
    "M101.2": {"Quiz 1 (10 pts)": 1, "Quiz 2 (50 pts, average)": 1},
    "M101.3": {"Presentation (scale)": 2, "Workflow essay": 1, "Hidden manual": 1},
}
"""What the mapping means, written once more by hand: item and weight."""


def expected(code: str) -> dict:
    """Estimate and number of pieces by learner, straight from the recorded report."""
    found = {}
    for user in recorded("grade_report_course2")["usergrades"]:
        pieces = [
            (weight, 4 * (item["graderaw"] - item["grademin"]) / span)
            for item in user["gradeitems"]
            if (weight := ITEMS[code].get(item["itemname"]))
            and item["graderaw"] is not None
            and item.get("status") != "dropped"
            and (span := item["grademax"] - item["grademin"])
        ]
        if pieces:
            total = sum(weight * value for weight, value in pieces)
            estimate = total / sum(weight for weight, _ in pieces)
            found[user["useridnumber"] or user["userfullname"]] = (estimate, len(pieces))
    return found


@pytest.mark.parametrize("code", ITEMS)
def test_a_night_ends_with_the_estimates_that_the_recorded_gradebook_means(stage, code):
    result = stage.run_night()

    found = {
        learner: (estimate, count)
        for (learner, competency), (_, estimate, count) in standings(stage, view=0).items()
        if competency == code and count
    }
    assert not result.has_failures
    assert found == {
        learner: (pytest.approx(estimate, abs=1e-4), count)
        for learner, (estimate, count) in expected(code).items()
    }


def test_an_overridden_grade_counts_as_the_gradebook_shows_it(stage):
    stage.run_night()

    # Homework 1: 91 of 100, put there by a teacher over the assignment's own 47.5;
    # Homework 2: 3 of 20; Essay: 58.33333 of 100 with twice the weight.
    status, estimate, count = standings(stage, view=0)["S00001", "M101.1"]
    assert (status, count) == (Status.DEVELOPING, 3)
    assert estimate == pytest.approx((3.64 + 0.6 + 2 * 2.3333332) / 4)


def test_hidden_grades_are_no_evidence_for_what_the_learner_sees(stage):
    stage.run_night()

    teacher, learner = standings(stage, view=0), standings(stage, view=1)
    assert teacher["S00001", "M101.3"][2] == 3
    assert learner["S00001", "M101.3"][2] == 2


def test_the_words_in_the_gradebook_read_back_as_the_learners_statuses(stage):
    result = stage.run_night()

    marks = stage.rows("SELECT words FROM passback_marks")
    assert result.counts.pushed == len(marks) > 0
    assert all("of 3 competencies mastered" in row.words for row in marks)


def test_a_second_night_over_the_same_answers_changes_nothing(stage):
    stage.run_night()

    again = stage.run_night()

    assert (again.counts.scores_pulled, again.counts.statuses_changed, again.counts.pushed) == (
        0,
        0,
        0,
    )
