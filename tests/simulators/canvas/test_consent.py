"""Consents: the key, the page, the code, the token, and their ends."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

BACK = "https://tool.example.org/back"
COURSES = "url:GET|/api/v1/accounts/:account_id/courses"
COURSE = "url:GET|/api/v1/courses/:id"


@pytest.fixture
def make_key(browser):
    def make(**changes):
        sent = {"client_id": "500", "secret": "hush", "redirect_uris": [BACK], "name": "<b>Way"}
        return browser.post("/_control/api_keys", json=sent | changes)

    return make


@pytest.fixture(autouse=True)
def key(make_key):
    make_key(scopes=[COURSES, COURSE])


@pytest.fixture
def ask(browser):
    """Open the page that asks; keyword arguments change the request."""

    def ask(**changes):
        return browser.get(f"/login/oauth2/auth?{urlencode(asked(**changes))}")

    return ask


@pytest.fixture
def consent(browser):
    """Press the button; what the browser brings back."""

    def consent(door="accept", **changes):
        answer = browser.post(f"/login/oauth2/{door}", data=asked(**changes) | {"user": "1"})
        return brought(answer)

    return consent


@pytest.fixture
def trade(browser):
    def trade(code, /, **changes):
        sent = {
            "grant_type": "authorization_code",
            "client_id": "500",
            "client_secret": "hush",
            "redirect_uri": BACK,
            "code": code,
        }
        return browser.post("/login/oauth2/token", data=sent | changes)

    return trade


@pytest.fixture
def refresh(trade):
    def refresh(token, **changes):
        return trade("", grant_type="refresh_token", refresh_token=token, **changes)

    return refresh


def asked(**changes):
    sent = {
        "client_id": "500",
        "response_type": "code",
        "redirect_uri": BACK,
        "state": "s",
        "scope": f"{COURSES} {COURSE}",
    }
    return sent | changes


def brought(answer):
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{BACK}?")
    return {name: one for name, (one,) in parse_qs(urlsplit(answer.location).query).items()}


def test_the_page_shows_who_asks_for_what_and_lets_a_person_decide(ask):
    page = ask().text

    assert "&lt;b&gt;Way" in page
    assert "<b>Way" not in page
    assert COURSES in page
    assert page.count('type="submit"') == 2


def test_what_was_sent_cannot_break_out_of_the_page(ask):
    page = ask(state='"><script>alert(1)</script>').text

    assert "<script>" not in page


def test_an_unknown_key_is_told_on_canvass_own_page(ask):
    page = ask(client_id="501")

    assert (page.status_code, "Location" in page.headers) == (400, False)
    assert "unknown client" in page.text


@pytest.mark.parametrize("address", ["https://evil.example/", BACK + "/more", ""])
def test_nobody_is_sent_to_an_address_that_the_key_does_not_name(ask, address):
    page = ask(redirect_uri=address)

    assert (page.status_code, "Location" in page.headers) == (400, False)


@pytest.mark.parametrize("scope", ["", f"{COURSES} url:GET|/api/v1/progress/:id"])
def test_a_scoped_key_needs_scopes_and_only_its_own(ask, scope):
    assert brought(ask(scope=scope)) == {"error": "invalid_scope", "state": "s"}


def test_a_key_that_is_off_is_refused(ask, make_key):
    make_key(is_on=False)

    assert brought(ask())["error"] == "unauthorized_client"


def test_cancel_brings_a_no_and_the_state(consent):
    assert consent("deny") == {"error": "access_denied", "state": "s"}


def test_a_code_is_traded_for_a_token_of_an_hour_and_one_to_renew_it(consent, trade, rest):
    given = trade(consent()["code"]).json

    assert given["token_type"] == "Bearer"
    assert given["expires_in"] == 3600
    assert given["user"] == {"id": 1, "name": "Ada Admin"}
    token = given["access_token"]
    assert rest("GET", "/accounts/self/courses", token=token).status_code == 200
    assert given["refresh_token"]


def test_a_code_is_good_once(consent, trade):
    code = consent()["code"]

    assert [trade(code).status_code for _ in range(2)] == [200, 400]


def test_a_code_is_good_for_ten_minutes(consent, trade, clock):
    codes = [consent()["code"] for _ in range(2)]
    clock.pass_by(599)
    in_time = trade(codes[0])
    clock.pass_by(1)

    assert (in_time.status_code, trade(codes[1]).status_code) == (200, 400)


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"redirect_uri": BACK + "/"}, 400, "invalid_grant"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "501"}, 401, "invalid_client"),
        ({"code": "guessed"}, 400, "invalid_grant"),
    ],
)
def test_everything_about_a_code_has_to_fit(consent, trade, change, status, error):
    refused = trade(consent()["code"], **change)

    assert (refused.status_code, refused.json["error"]) == (status, error)


@pytest.fixture
def given(consent, trade):
    return trade(consent()["code"]).json


def test_a_refresh_ends_the_token_before_and_brings_no_new_refresh_token(given, refresh, rest):
    fresh = refresh(given["refresh_token"]).json

    old = rest("GET", "/courses/101", token=given["access_token"])
    assert rest("GET", "/courses/101", token=fresh["access_token"]).status_code == 200
    assert "refresh_token" not in fresh
    assert old.status_code == 401
    assert "WWW-Authenticate" in old.headers


def test_a_token_reaches_its_scopes_only_by_the_names_that_canvas_gives_them(given, rest):
    token = given["access_token"]

    assert rest("GET", "/courses/101", token=token).status_code == 200
    refused = rest("GET", "/courses/101/enrollments", token=token)
    assert refused.status_code == 401
    assert "WWW-Authenticate" not in refused.headers


def test_include_is_heard_where_the_key_allows_it(given, rest, make_key):
    path = "/accounts/self/courses?include[]=term"
    deaf = rest("GET", path, token=given["access_token"]).json[0]
    make_key(allow_includes=True)

    heard = rest("GET", path, token=given["access_token"]).json[0]

    assert ("term" in deaf, "term" in heard) == (False, True)


def test_what_was_revoked_is_dead_with_its_refresh_token(given, browser, refresh, rest):
    browser.post("/_control/revoke", json={"client_id": "500"})

    refused = rest("GET", "/courses/101", token=given["access_token"])
    dead = refresh(given["refresh_token"])
    assert refused.json["errors"][0]["message"] == "Revoked access token."
    assert "WWW-Authenticate" in refused.headers
    assert dead.status_code == 400
    assert dead.json["error_description"] == "refresh_token not found"


def test_the_owner_of_a_token_ends_it_with_delete(given, browser, refresh):
    bearer = {"Authorization": f"Bearer {given['access_token']}"}

    ended = [browser.delete("/login/oauth2/token", headers=bearer) for _ in range(2)]

    assert [one.status_code for one in ended] == [200, 401]
    assert refresh(given["refresh_token"]).status_code == 400


def test_a_scope_taken_from_the_key_kills_its_tokens(given, make_key, refresh):
    make_key(scopes=[COURSES])

    assert refresh(given["refresh_token"]).status_code == 400


def test_a_key_that_is_off_renews_nothing(given, make_key, refresh):
    make_key(is_on=False)

    assert refresh(given["refresh_token"]).json["error"] == "unauthorized_client"


def test_another_keys_refresh_token_is_refused(given, make_key, refresh):
    make_key(client_id="501")

    assert refresh(given["refresh_token"], client_id="501").json["error"] == "invalid_grant"


def test_a_key_without_scopes_may_do_what_its_user_may(make_key, consent, trade, rest):
    make_key(scopes=[])

    token = trade(consent(scope="")["code"]).json["access_token"]

    assert rest("GET", "/courses/101/enrollments", token=token).status_code == 200


def test_a_key_is_made_on_a_page_and_a_wrong_scope_refused(browser):
    form = {"name": "By hand", "redirect_uris": BACK, "scopes": COURSE}

    made = browser.post("/developer_keys", data=form, follow_redirects=True)
    wrong = browser.post("/developer_keys", data=form | {"scopes": "everything"})

    assert "By hand" in made.text
    assert re.search(r"<td>\d{14}</td>", made.text)
    assert wrong.status_code == 400
