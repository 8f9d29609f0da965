import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

ACCOUNT = "/accounts/self"


def test_a_request_without_user_agent_is_forbidden_with_a_reason(rest):
    refused = rest("GET", ACCOUNT, headers={"User-Agent": ""})

    assert refused.status_code == 403
    assert refused.json["error"] == "Forbidden"
    assert "valid user agent" in refused.json["message"]


def test_header_names_are_lower_case_on_the_wire(app):
    environ = EnvironBuilder("/api/v1/accounts/self").get_environ()

    _body, _status, headers = run_wsgi_app(app, environ)

    names = [name for name, _value in headers.to_wsgi_list()]
    assert "content-type" in names
    assert names == [name.lower() for name in names]


def test_no_token_is_answered_with_a_challenge(browser):
    refused = browser.get("/api/v1/accounts/self")

    assert refused.status_code == 401
    assert refused.json["status"] == "unauthenticated"
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="canvas-lms"'


def test_an_unknown_token_is_answered_with_a_challenge(rest):
    refused = rest("GET", ACCOUNT, token="nobody's")

    assert refused.status_code == 401
    assert refused.json == {"errors": [{"message": "Invalid access token."}]}
    assert "WWW-Authenticate" in refused.headers


def test_a_token_in_the_query_is_taken_too(browser):
    assert browser.get("/api/v1/accounts/self?access_token=manual-token").status_code == 200


def test_a_refreshed_token_lives_an_hour_and_brings_no_new_refresh_token(rest, browser, clock):
    form = {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-me",
        "client_id": "10000000000001",
        "client_secret": "hush",
    }
    given = browser.post("/login/oauth2/token", data=form).json

    assert given["expires_in"] == 3600
    assert "refresh_token" not in given
    assert rest("GET", ACCOUNT, token=given["access_token"]).status_code == 200

    clock.pass_by(3601)
    expired = rest("GET", ACCOUNT, token=given["access_token"])
    assert expired.json["errors"][0]["message"] == "Expired access token."
    assert "WWW-Authenticate" in expired.headers
    assert browser.post("/login/oauth2/token", data=form).status_code == 200


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"refresh_token": "gone"}, "invalid_request"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_bad_refresh_is_refused(browser, change, error):
    form = {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-me",
        "client_id": "10000000000001",
        "client_secret": "hush",
    } | change

    refused = browser.post("/login/oauth2/token", data=form)

    assert refused.status_code in {400, 401}
    assert refused.json["error"] == error


def test_ids_are_numbers_unless_text_is_asked_for(rest):
    path = "/courses/101/enrollments?type[]=ObserverEnrollment"
    strings = {"Accept": "application/json+canvas-string-ids"}

    (plain,) = rest("GET", path).json
    (text,) = rest("GET", path, headers=strings).json

    assert (plain["user_id"], plain["associated_user_id"], plain["user"]["id"]) == (6, 3, 6)
    assert (text["user_id"], text["associated_user_id"], text["user"]["id"]) == ("6", "3", "6")
    assert text["sis_section_id"] is None


def test_what_is_not_there_is_404_in_canvas_words(rest):
    missing = rest("GET", "/courses/999")

    assert missing.status_code == 404
    assert missing.json == {"errors": [{"message": "The specified resource does not exist."}]}


def test_a_learners_token_may_not_read_a_gradebook(rest, state):
    with state:
        state.execute("INSERT INTO tokens (token, kind, person_id) VALUES ('lia', 'rest', 3)")

    refused = rest("GET", "/courses/101/enrollments", token="lia")

    assert refused.status_code == 403
    assert refused.json["status"] == "unauthorized"


def test_a_scoped_token_reaches_its_routes_only_and_without_challenge(rest, state):
    scope = "url:GET|/api/v1/accounts/:account_id/courses"
    with state:
        state.execute(
            "INSERT INTO tokens (token, kind, scopes, person_id) VALUES ('s', 'rest', ?, 1)",
            (scope,),
        )

    allowed = rest("GET", "/accounts/self/courses?include[]=term", token="s")
    refused = rest("GET", "/courses/101", token="s")

    assert allowed.status_code == 200
    assert "term" not in allowed.json[0]
    assert refused.status_code == 401
    assert refused.json == {"errors": [{"message": "Insufficient scopes on access token."}]}
    assert "WWW-Authenticate" not in refused.headers


def test_every_answer_says_what_it_cost_and_what_is_left(rest):
    headers = rest("GET", ACCOUNT).headers

    assert 0 <= float(headers["X-Request-Cost"]) < 5
    assert 590 < float(headers["X-Rate-Limit-Remaining"]) <= 600


@pytest.mark.parametrize("status", [403, 429])
def test_a_throttled_answer_is_plain_text_without_cost(rest, browser, status):
    browser.post("/_control/faults", json={"mode": "throttle", "status": status})

    refused = rest("GET", ACCOUNT)

    assert refused.status_code == status
    assert refused.content_type == "text/plain; charset=utf-8"
    assert refused.text.endswith("(Rate Limit Exceeded)\n")
    assert "X-Request-Cost" not in refused.headers
    assert float(refused.headers["X-Rate-Limit-Remaining"]) > 0


@pytest.mark.parametrize(
    ("mode", "status", "content_type"),
    [("down", 503, "application/json; charset=utf-8"), ("html", 502, "text/html")],
)
def test_a_fault_lasts_as_long_as_it_was_told_to(rest, browser, clock, mode, status, content_type):
    browser.post("/_control/faults", json={"mode": mode, "seconds": 60})

    troubled = rest("GET", ACCOUNT)
    clock.pass_by(61)

    assert troubled.status_code == status
    assert troubled.content_type == content_type
    assert rest("GET", ACCOUNT).status_code == 200


def test_expired_tokens_are_healed_by_a_refresh(rest, browser, clock):
    browser.post("/_control/faults", json={"mode": "expired_token"})
    clock.pass_by(1)

    form = {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-me",
        "client_id": "10000000000001",
        "client_secret": "hush",
    }
    fresh = browser.post("/login/oauth2/token", data=form).json["access_token"]

    assert rest("GET", ACCOUNT).status_code == 401
    assert rest("GET", ACCOUNT, token=fresh).status_code == 200


def test_a_slow_canvas_answers_late_but_answers(rest, browser):
    browser.post("/_control/faults", json={"mode": "slow", "seconds": 0.01})

    assert rest("GET", ACCOUNT).status_code == 200


def test_an_unknown_fault_is_refused(browser):
    assert browser.post("/_control/faults", json={"mode": "fire"}).status_code == 400
