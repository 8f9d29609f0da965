import pytest

PATH = "/audit/grade_change/courses/101"


@pytest.fixture
def events(rest):
    def ask(query=""):
        return rest("GET", f"{PATH}{query}").json["events"]

    return ask


def test_nothing_is_logged_before_somebody_changes_a_grade(events):
    assert events() == []


def test_a_change_is_logged_with_the_grades_as_text(events, score, clock):
    clock.pass_by(60)
    score(3, 1001, 19.5)

    (event,) = events()

    assert (event["grade_before"], event["grade_after"]) == ("18", "19.5")
    assert event["created_at"] == "2026-11-20T12:01:00Z"
    assert (event["links"]["assignment"], event["links"]["student"]) == (1001, 3)


def test_clearing_and_excusing_are_logged_the_newest_first(events, score, clock):
    score(3, 1001, None)
    clock.pass_by(60)
    score(3, 1002, "excused")

    found = events()

    assert [event["links"]["assignment"] for event in found] == [1002, 1001]
    assert [(event["excused_before"], event["excused_after"]) for event in found] == [
        (False, True),
        (False, False),
    ]
    assert [event["grade_after"] for event in found] == [None, None]


def test_a_late_policy_that_changes_is_logged(events, browser):
    browser.post("/_control/late_policy", json={"course": 101, "percent": 20})

    assert {event["links"]["student"] for event in events()} == {4}


def test_what_is_handed_in_or_commented_is_no_change_of_grade(events, browser):
    browser.post("/_control/submission", json={"course": 101, "learner": 4, "assignment": 1003})

    assert events() == []


def test_what_is_written_past_the_model_is_not_logged(events, state):
    with state:
        state.execute("UPDATE grades SET points = 0 WHERE assignment_id = 1001")

    assert events() == []


def test_pages_are_bookmarked_and_a_senseless_bookmark_starts_over(rest, score, clock):
    for points in range(5):
        clock.pass_by(1)
        score(3, 1001, points)
    seen, url = [], f"{PATH}?per_page=2"
    while url:
        answer = rest("GET", url)
        seen += [event["grade_after"] for event in answer.json["events"]]
        links = dict(reversed(part.split("; rel=")) for part in answer.headers["link"].split(","))
        url = links.get('"next"', "").strip("<>").partition("/api/v1")[2]

    assert seen == ["4", "3", "2", "1", "0"]
    again = rest("GET", f"{PATH}?per_page=2&page=bookmark:nonsense").json["events"]
    assert [event["grade_after"] for event in again] == ["4", "3"]


def test_times_bound_it_and_old_events_are_gone(events, score, clock, configure):
    score(3, 1001, 1)
    clock.pass_by(86_400 * 10)
    score(3, 1001, 2)

    assert len(events("?start_time=2026-11-25T00:00:00Z")) == 1
    assert len(events("?end_time=2026-11-25T00:00:00Z")) == 1
    configure(audit_days="5")
    assert [event["grade_after"] for event in events()] == ["2"]


def test_what_the_events_are_about_comes_along(rest, score):
    score(3, 1001, 1)

    linked = rest("GET", PATH).json["linked"]

    assert [one["id"] for one in linked["assignments"]] == [1001]
    assert [one["name"] for one in linked["students"]] == ["Lia Alves"]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_it_can_be_refused_and_allowed_again(browser, rest, status):
    browser.post("/_control/rights", json={"audit": status})
    refused = rest("GET", PATH)
    browser.post("/_control/rights", json={"audit": 0})

    assert refused.status_code == status
    assert "WWW-Authenticate" not in refused.headers
    assert rest("GET", PATH).status_code == 200


@pytest.mark.parametrize("payload", [[], {"nothing": 403}, {"audit": 500}])
def test_only_what_can_be_refused_can_be(browser, payload):
    assert browser.post("/_control/rights", json=payload).status_code == 400
