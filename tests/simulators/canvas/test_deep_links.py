import html
import re

import jwt
import pytest

CLAIM = "https://purl.imsglobal.org/spec/lti/claim"
DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim"
TEACHER = 2
ITEM = {
    "type": "ltiResourceLink",
    "title": "Fractions & more",
    "url": "https://tool.example.org/lti/launch",
    "custom": {"about": "K.1"},
}


def fields_of(page):
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: html.unescape(value) for name, value in found}


@pytest.fixture
def claims_at(browser, tool, configure):
    """Launch what a page frames, and give the claims of its id_token."""
    configure(tool_url=tool.url)

    def launched(address):
        login = fields_of(browser.get(address).text)
        query = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": login["client_id"],
            "redirect_uri": f"{tool.url}/lti/launch",
            "login_hint": login["login_hint"],
            "lti_message_hint": login["lti_message_hint"],
            "nonce": "n",
        }
        page = browser.get("/api/lti/authorize_redirect", query_string=query).text
        return jwt.decode(fields_of(page)["id_token"], options={"verify_signature": False})

    return launched


@pytest.fixture
def ask(claims_at):
    """Have the tool be asked for links; gives the settings that it was sent."""

    def asked(placement):
        claims = claims_at(f"/courses/101/external_tools/{placement}?user={TEACHER}")
        return claims[f"{DEEP_LINKING}/deep_linking_settings"]

    return asked


@pytest.fixture
def answer(browser, tool, ask, clock):
    """Answer a request with items; keyword arguments change the claims, None drops."""

    def send(placement, *items, key=tool.key, settings=None, **changes):
        settings = settings or ask(placement)
        claims = {
            "iss": "10000000000001",
            "aud": "https://canvas.instructure.com",
            "iat": int(clock()),
            "exp": int(clock()) + 300,
            "nonce": f"nonce {clock()}",
            f"{CLAIM}/message_type": "LtiDeepLinkingResponse",
            f"{CLAIM}/version": "1.3.0",
            f"{CLAIM}/deployment_id": "106:aaaa",
            f"{DEEP_LINKING}/content_items": list(items),
            f"{DEEP_LINKING}/data": settings["data"],
        }
        claims |= {
            {"data": f"{DEEP_LINKING}/data"}.get(name, f"{CLAIM}/{name}")
            if name in {"data", "message_type", "version", "deployment_id"}
            else name: value
            for name, value in changes.items()
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        path = settings["deep_link_return_url"].removeprefix("http://localhost")
        return browser.post(path, data={"JWT": key.sign(kept)})

    return send


@pytest.fixture
def links(state):
    return lambda: state.execute("SELECT * FROM placed_links").fetchall()


@pytest.fixture
def placed(state):
    return lambda: state.execute("SELECT * FROM assignments WHERE kind = 'tool'").fetchall()


def test_a_request_says_what_the_placement_takes(ask):
    assignment, module = ask("assignment_selection"), ask("link_selection")

    assert assignment["accept_types"] == ["ltiResourceLink"]
    assert (assignment["accept_multiple"], module["accept_multiple"]) == (False, True)
    assert "/courses/101/deep_linking_response?" in assignment["deep_link_return_url"]


def test_a_request_is_no_launch_of_a_link(claims_at):
    claims = claims_at(f"/courses/101/external_tools/link_selection?user={TEACHER}")

    assert claims[f"{CLAIM}/message_type"] == "LtiDeepLinkingRequest"
    assert f"{CLAIM}/resource_link" not in claims


def test_an_unknown_placement_is_not_found(browser):
    page = browser.get(f"/courses/101/external_tools/editor_button?user={TEACHER}")

    assert page.status_code == 404


def test_links_for_a_module_stand_in_the_course_at_once(answer, links, placed, browser):
    page = answer("link_selection", ITEM, ITEM | {"title": "Other"})

    assert "Fractions &amp; more" in page.text
    assert [link["title"] for link in links()] == ["Fractions & more", "Other"]
    assert placed() == []
    assert "Other</a>" in browser.get(f"/courses/101?user={TEACHER}").text


def test_a_line_item_for_a_module_makes_a_published_assignment_that_counts(answer, placed):
    answer("link_selection", ITEM | {"lineItem": {"scoreMaximum": 4}})

    (row,) = placed()
    assert (row["maximum"], row["is_published"], row["omit_from_final_grade"]) == (4, 1, 0)


def test_an_answer_for_an_assignment_fills_its_form_and_saves_nothing(answer, links):
    page = answer("assignment_selection", ITEM | {"lineItem": {"scoreMaximum": 4}})

    assert 'name="points" value="4"' in page.text
    assert 'value="Fractions &amp; more"' in page.text
    assert links() == []


@pytest.mark.parametrize(("sent", "is_left_out"), [({}, 0), ({"omit": "1"}, 1)])
def test_the_teacher_saves_the_assignment(answer, browser, placed, sent, is_left_out):
    form = fields_of(answer("assignment_selection", ITEM).text)

    saved = browser.post(
        "/courses/101/assignments/from_tool", data=form | {"name": "Mine", "points": "5"} | sent
    )

    assert saved.status_code == 303
    (row,) = placed()
    assert (row["title"], row["maximum"]) == ("Mine", 5)
    assert row["omit_from_final_grade"] == is_left_out


def test_a_saved_assignment_is_launched_as_its_own_link(answer, browser, claims_at, rest):
    line = {"lineItem": {"scoreMaximum": 4, "resourceId": "r", "tag": "t"}}
    form = fields_of(answer("assignment_selection", ITEM | line).text)
    data = form | {"name": "Mine", "points": "4"}
    address = browser.post("/courses/101/assignments/from_tool", data=data).location

    claims = claims_at(address.removeprefix("http://localhost"))

    assert claims[f"{CLAIM}/resource_link"]["title"] == "Mine"
    assert claims[f"{CLAIM}/custom"]["about"] == "K.1"
    assert claims[f"{CLAIM}/custom"]["canvas_course_id"] == "101"
    endpoint = claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"]
    assert endpoint["lineitem"].startswith(endpoint["lineitems"] + "/")
    made = next(a for a in rest("GET", "/courses/101/assignments").json if a["name"] == "Mine")
    link = claims[f"{CLAIM}/resource_link"]["id"]
    assert made["submission_types"] == ["external_tool"]
    assert made["external_tool_tag_attributes"]["resource_link_id"] == link


def test_a_coupled_line_item_is_listed_and_cannot_be_deleted(answer, lti):
    answer("link_selection", ITEM | {"lineItem": {"scoreMaximum": 4, "resourceId": "r"}})

    (item,) = lti("GET", "/line_items?resource_id=r").json

    assert item["resourceLinkId"]
    path = item["id"].partition("/courses/101")[2]
    assert lti("DELETE", path).status_code == 401


WRONG = {
    "another audience": {"aud": "https://evil.example"},
    "expired": {"exp": 1},
    "of the future": {"iat": 9_999_999_999},
    "another message": {"message_type": "LtiDeepLinkingRequest"},
    "no version": {"version": None},
    "another deployment": {"deployment_id": "107:bbbb"},
    "no nonce": {"nonce": None},
    "no data": {"data": None},
    "data of its own": {"data": "mine"},
    "another issuer": {"iss": "10000000000002"},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_an_answer_that_is_wrong_in_one_thing_places_nothing(answer, links, changes):
    response = answer("link_selection", ITEM, **changes)

    assert response.status_code in {400, 401}
    assert links() == []


def test_an_answer_signed_by_somebody_else_places_nothing(answer, links, app):
    stranger = app.extensions["canvas"].key

    assert answer("link_selection", ITEM, key=stranger).status_code == 401
    assert links() == []


@pytest.mark.parametrize("changes", [{}, {"nonce": "another"}], ids=["again", "data again"])
def test_a_request_is_answered_once(answer, ask, links, changes):
    settings = ask("link_selection")
    answer("link_selection", ITEM, settings=settings)

    again = answer("link_selection", ITEM, settings=settings, **changes)

    assert again.status_code == 400
    assert len(links()) == 1


def test_an_answer_without_items_adds_nothing_and_shows_its_message(answer, links):
    error = {f"{DEEP_LINKING}/errormsg": "Nothing was chosen."}

    page = answer("assignment_selection", **error)

    assert "Nothing was chosen." in page.text
    assert links() == []


@pytest.mark.parametrize("draft", ["", "x.y.z"])
def test_a_form_that_no_answer_filled_saves_nothing(browser, links, draft):
    form = {"draft": draft, "name": "Mine", "points": "5"}

    assert browser.post("/courses/101/assignments/from_tool", data=form).status_code == 400
    assert links() == []


def test_learners_are_not_offered_to_add_anything(browser):
    assert "Add an assignment" in browser.get(f"/courses/101?user={TEACHER}").text
    assert "Add an assignment" not in browser.get("/courses/101?user=3").text


def test_an_unknown_link_is_not_found(browser):
    assert browser.get(f"/courses/101/links/9?user={TEACHER}").status_code == 404
