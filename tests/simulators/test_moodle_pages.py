import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

MATH = 2
ROOT = Path(__file__).resolve().parents[2]


def _graded(moodle, kind):
    return moodle.query(
        "SELECT g.* FROM grades g JOIN assignments a ON a.id = g.assignment_id "
        "JOIN enrolments e ON e.person_id = g.learner_id AND e.course_id = g.course_id "
        "WHERE g.course_id = ? AND g.state = 'graded' AND g.overridden = 0 AND a.kind = ? "
        "AND e.state = 'active'",
        MATH,
        kind,
    )[0]


def test_the_first_page_lists_courses_with_escaped_titles(moodle):
    page = moodle.client.get("/").text

    assert "Mathematics 6V" in page
    assert "Science Lab 7 &amp; Friends" in page


def test_a_course_page_frames_the_launch_of_the_person_who_was_chosen(moodle):
    (teacher, *_) = moodle.query(
        "SELECT person_id FROM enrolments WHERE course_id = ? AND role = 'teacher'", MATH
    )

    page = moodle.client.get(f"/course/{MATH}?user={teacher['person_id']}").text

    launch = f"/mod/lti/launch.php?course={MATH}&amp;user={teacher['person_id']}"
    assert f'<iframe src="{launch}"' in page


def test_a_parents_page_says_that_moodle_has_no_role_for_parents(moodle):
    (guardian, *_) = moodle.query(
        "SELECT g.guardian_id AS id FROM guardians g JOIN enrolments e "
        "ON e.person_id = g.child_id WHERE e.course_id = ? AND e.state = 'active'",
        MATH,
    )

    page = moodle.client.get(f"/course/{MATH}?user={guardian['id']}").text

    assert "no role for parents" in page


@pytest.mark.parametrize("path", ["/course/999", "/gradebook/999", "/nowhere"])
def test_an_unknown_page_is_not_found(moodle, path):
    assert moodle.client.get(path).status_code == 404


def test_the_gradebook_shows_totals_and_the_tools_columns_first(moodle):
    moodle.query(
        "INSERT INTO line_items (course_id, label, maximum, client_id, created_at, updated_at) "
        "VALUES (?, 'Waymark: Números', 0, 'x', 0, 0)",
        MATH,
    )

    page = moodle.client.get(f"/gradebook/{MATH}").text

    assert (
        page.index("Course total")
        < page.index("Waymark: Números\n<br>")
        < page.index("Homework 1: Fractions\n<br>")
    )
    total = next(iter(moodle.totals(MATH).values()))
    assert f"{total:.2f} %" in page


def test_the_form_changes_a_score(moodle):
    cell = _graded(moodle, "assignment")
    form = {"learner": cell["learner_id"], "item": cell["assignment_id"], "points": "1,5"}

    answer = moodle.client.post(f"/gradebook/{MATH}", data=form)

    row = moodle.rows_of(MATH, cell["learner_id"])[cell["assignment_id"]]
    assert answer.status_code == 302
    assert row["graderaw"] == 1.5


def test_the_form_says_what_it_could_not_use(moodle):
    cell = _graded(moodle, "assignment")
    form = {"learner": cell["learner_id"], "item": cell["assignment_id"], "points": "lots"}

    page = moodle.client.post(f"/gradebook/{MATH}", data=form, follow_redirects=True).text

    assert "The score was not changed" in page


def test_a_quiz_that_a_teacher_changes_becomes_an_override(moodle):
    cell = _graded(moodle, "quiz")

    moodle.enter(MATH, cell["learner_id"], cell["assignment_id"], 1)

    row = moodle.rows_of(MATH, cell["learner_id"])[cell["assignment_id"]]
    assert (row["graderaw"], row["gradeisoverridden"]) == (1, True)


def test_excusing_drops_the_grade_from_the_total(moodle):
    cell = _graded(moodle, "assignment")
    learner = str(cell["learner_id"])
    before = moodle.totals(MATH)[learner]

    moodle.enter(MATH, cell["learner_id"], cell["assignment_id"], "excused")

    row = moodle.rows_of(MATH, cell["learner_id"])[cell["assignment_id"]]
    assert (row["status"], row["graderaw"]) == ("dropped", cell["points"])
    assert moodle.totals(MATH)[learner] != before


def test_a_learner_may_be_named_by_the_districts_own_id(moodle):
    cell = _graded(moodle, "assignment")
    (person,) = moodle.query("SELECT sis_id FROM people WHERE id = ?", cell["learner_id"])

    moodle.enter(MATH, person["sis_id"], cell["assignment_id"], 2)

    assert moodle.rows_of(MATH, cell["learner_id"])[cell["assignment_id"]]["graderaw"] == 2


def test_a_score_for_a_stranger_is_not_entered(moodle):
    cell = _graded(moodle, "assignment")
    sent = {"course": MATH, "learner": 2, "assignment": cell["assignment_id"], "points": 1}

    answer = moodle.client.post("/_control/score", json=sent)

    assert answer.status_code == 404


@pytest.mark.parametrize(("mode", "status"), [("down", 503), ("html", 200)])
def test_a_sick_server_answers_with_pages(moodle, mode, status):
    moodle.client.post("/_control/faults", json={"mode": mode})

    answer = moodle.client.get("/webservice/rest/server.php")

    assert answer.status_code == status
    assert answer.content_type.startswith("text/html")


def test_a_sick_server_gets_well_again(moodle):
    moodle.client.post("/_control/faults", json={"mode": "down"})

    moodle.client.post("/_control/faults", json={"mode": "none"})

    assert "functions" in moodle.ask("core_webservice_get_site_info")


def test_a_slow_server_takes_its_time(moodle):
    moodle.client.post("/_control/faults", json={"mode": "slow", "seconds": 0.2})
    started_at = time.monotonic()

    moodle.client.get("/mod/lti/certs.php")

    assert time.monotonic() - started_at >= 0.2


def test_expired_tokens_are_refused_and_then_unknown_until_the_fault_ends(moodle):
    moodle.client.post("/_control/faults", json={"mode": "expired_token"})

    codes = [moodle.ask("core_webservice_get_site_info")["errorcode"] for _ in range(2)]
    moodle.client.post("/_control/faults", json={"mode": "none"})

    assert codes == ["accessexception", "invalidtoken"]
    assert "functions" in moodle.ask("core_webservice_get_site_info")


def test_an_unknown_fault_is_refused(moodle):
    assert moodle.client.post("/_control/faults", json={"mode": "odd"}).status_code == 400


def test_requests_are_counted_by_kind_and_the_control_api_is_not(moodle):
    moodle.ask("core_course_get_courses")
    moodle.client.get("/")
    moodle.client.post(f"/mod/lti/services.php/{MATH}/lineitems")

    counters = moodle.client.get("/_control/counters").get_json()

    assert counters["requests"] == {"rest": 1, "pages": 1, "ags": 1}
    assert counters["functions"] == {"core_course_get_courses": 1}
    assert counters["writes"] == 1


def _start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "simulators", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_the_command_serves_until_it_is_told_to_stop(district_folder):
    port = _free_port()
    with _start("moodle", "--data", district_folder, "--port", port) as server:
        line = server.stdout.readline()
        answer = requests.get(f"http://127.0.0.1:{port}/", timeout=5)
        server.send_signal(signal.SIGTERM)
        _, errors = server.communicate(timeout=10)

    assert line == f"Moodle simulator on http://127.0.0.1:{port}\n"
    assert answer.status_code == 200
    assert (server.returncode, errors) == (0, "")


def test_a_busy_port_ends_the_command_with_one_sentence(district_folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with _start("moodle", "--data", district_folder, "--port", port) as server:
            output, errors = server.communicate(timeout=20)

    assert server.returncode == 2
    assert output == ""
    assert errors.count("\n") == 1
    assert str(port) in errors


def test_serving_without_a_district_ends_the_command_with_one_sentence(tmp_path):
    with _start("moodle", "--data", tmp_path) as server:
        _, errors = server.communicate(timeout=20)

    assert server.returncode == 2
    assert "generate" in errors


def test_generating_prints_one_line(tmp_path):
    with _start("generate", "--data", tmp_path / "data", "--scale", "small") as command:
        output, errors = command.communicate(timeout=30)

    assert (command.returncode, errors) == (0, "")
    assert output.count("\n") == 1
    assert (tmp_path / "data" / "canvas.db").exists()


@pytest.mark.parametrize(("status", "told"), [(None, 429), (503, 503)])
def test_a_proxy_before_moodle_slows_down_and_says_for_how_long(moodle, status, told):
    moodle.client.post("/_control/faults", json={"mode": "throttle", "status": status})

    answer = moodle.client.get("/webservice/rest/server.php")

    assert (answer.status_code, answer.headers["Retry-After"]) == (told, "2")


def test_a_learner_comes_twice_in_a_report(moodle):
    moodle.client.post("/_control/faults", json={"mode": "duplicate_page"})

    report = moodle.ask("gradereport_user_get_grade_items", courseid=MATH)

    people = [user["userid"] for user in report["usergrades"]]
    assert len(people) == len(set(people)) + 1
