"""Faults as they are switched on, at both LMSs, over real sockets."""

import http.client
import json
import socket
import threading
from contextlib import contextmanager
from email.utils import parsedate_to_datetime

import pytest

from simulators import canvas as canvas_package
from simulators.serving import Server
from simulators.state import config_of, open_state

COURSES = {"canvas": "101", "moodle": "2"}


@contextmanager
def served(application):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = Server(listener, application)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Lms:
    """One of the two, and how it is asked for a course."""

    def __init__(self, name, address, path):
        self.name, self.address, self.path = name, address, path
        with open_state(path) as connection:
            self.token = config_of(connection)["api_token"]

    def send(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(*self.address)
        try:
            connection.request(method, path, body, {"User-Agent": "a test", **headers})
            reply = connection.getresponse()
            return reply, reply.read()
        finally:
            connection.close()

    def switch(self, mode, **options):
        body = json.dumps({"mode": mode, **options})
        reply, answer = self.send(
            "POST", "/_control/faults", body, **{"Content-Type": "application/json"}
        )
        return reply.status, json.loads(answer)

    def ask_for_people(self):
        course = COURSES[self.name]
        if self.name == "canvas":
            path = f"/api/v1/courses/{course}/enrollments"
            return self.send("GET", path, Authorization=f"Bearer {self.token}")
        form = f"wstoken={self.token}&wsfunction=core_enrol_get_enrolled_users&courseid={course}"
        return self.send(
            "POST",
            "/webservice/rest/server.php",
            f"{form}&moodlewsrestformat=json",
            **{"Content-Type": "application/x-www-form-urlencoded"},
        )


@pytest.fixture(params=["canvas", "moodle"])
def lms(request, moodle, district_folder):
    path = district_folder / f"{request.param}.db"
    app = canvas_package.create_app(path) if request.param == "canvas" else moodle.app
    with served(app) as address:
        yield Lms(request.param, address, path)


def test_a_program_is_told_what_is_on(lms):
    status, told = lms.switch("throttle", path="enrol", at=2, times=3, status=429)

    assert status == 200
    assert (told["ok"], told["is_on"], told["mode"], told["at"]) == (True, True, "throttle", 2)


def test_a_person_switches_a_fault_on_and_off_by_a_form(lms):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    sent, _ = lms.send("POST", "/_control/faults", "mode=bad_gateway&at=2&path=", **form)
    statuses = [lms.ask_for_people()[0].status for _ in range(2)]
    _, page = lms.send("GET", "/_control/faults")
    lms.send("POST", "/_control/faults", "mode=none", **form)

    assert (sent.status, sent.headers["Location"]) == (303, "/_control/faults")
    assert statuses == [200, 502]
    assert b"<strong>bad_gateway</strong> is on. 2 requests matched, 1\nwere struck." in page
    assert lms.ask_for_people()[0].status == 200


def test_a_reset_connection_gives_no_answer(lms):
    lms.switch("reset", times=1)

    with pytest.raises(ConnectionError):
        lms.ask_for_people()

    assert lms.ask_for_people()[0].status == 200


@pytest.mark.parametrize("variant", ["length", "chunked"])
def test_a_truncated_answer_ends_before_it_should(lms, variant):
    lms.switch("truncated", variant=variant, times=1)

    with pytest.raises(http.client.IncompleteRead):
        lms.ask_for_people()

    assert lms.ask_for_people()[0].status == 200


def test_an_answer_that_is_cut_in_its_json_looks_whole(lms):
    lms.switch("truncated", variant="body")

    reply, body = lms.ask_for_people()

    assert reply.headers["Content-Length"] == str(len(body))
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


def test_an_empty_answer_is_a_good_one_without_a_word(lms):
    lms.switch("empty")

    reply, body = lms.ask_for_people()

    assert (reply.status, body) == (200, b"")


def test_a_course_that_was_deleted_is_there_again_when_the_fault_is_over(lms):
    before = lms.ask_for_people()[1]
    lms.switch("course_deleted")
    deleted, body = lms.ask_for_people()
    lms.switch("none")

    assert deleted.status == 404 or b"invalidrecord" in body
    assert lms.ask_for_people()[1] == before


def test_a_course_named_by_number_is_deleted_whatever_is_asked(lms):
    lms.switch("course_deleted", course=int(COURSES[lms.name]) + 1)

    lms.ask_for_people()

    with open_state(lms.path) as connection:
        (lost,) = connection.execute("SELECT id FROM lost_courses").fetchall()
    assert lost["id"] == int(COURSES[lms.name]) + 1


@pytest.mark.parametrize("seconds", [-7200, 7200])
def test_an_lms_whose_clock_is_wrong_dates_its_answers_so(lms, seconds):
    right = parsedate_to_datetime(lms.ask_for_people()[0].headers["Date"])
    lms.switch("clock_skew", seconds=seconds)

    wrong = parsedate_to_datetime(lms.ask_for_people()[0].headers["Date"])

    assert abs((wrong - right).total_seconds() - seconds) < 60
