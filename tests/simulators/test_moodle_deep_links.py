import html
import re

import jwt
import pytest

from simulators.signing import PlatformKey
from simulators.state import refresh

MATH = 2
CLAIM = "https://purl.imsglobal.org/spec/lti/claim"
DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
ITEM = {
    "type": "ltiResourceLink",
    "title": "Fractions & more",
    "url": "http://localhost:8100/lti/launch?unit=3",
    "custom": {"about": "K.1"},
}


def _fields(page):
    found = re.findall(r'name="([^"]*)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


def _person(moodle, role):
    (row, *_) = moodle.query(
        "SELECT person_id FROM enrolments WHERE course_id = ? AND role = ? AND state = 'active'",
        MATH,
        role,
    )
    return row["person_id"]


@pytest.fixture
def teacher(moodle):
    return _person(moodle, "teacher")


@pytest.fixture
def claims_at(moodle, tool):
    """Launch from an address, and give the claims of its id_token."""

    def launched(address):
        login = _fields(moodle.client.get(address).text)
        query = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "client_id": login["client_id"],
            "redirect_uri": f"{tool.url}/lti/launch",
            "login_hint": login["login_hint"],
            "lti_message_hint": login["lti_message_hint"],
            "nonce": "n",
        }
        page = moodle.client.get("/mod/lti/auth.php", query_string=query).text
        return jwt.decode(_fields(page)["id_token"], options={"verify_signature": False})

    return launched


@pytest.fixture
def settings(claims_at, teacher):
    claims = claims_at(f"/mod/lti/contentitem.php?course={MATH}&user={teacher}")
    return claims[f"{DEEP_LINKING}/deep_linking_settings"]


@pytest.fixture
def answer(moodle, tool, settings):
    """Answer with items; keyword arguments change the claims."""

    def send(*items, key=tool.key, **changes):
        claims = {
            "iss": moodle.config["client_id"],
            "exp": int(moodle.clock.now) + 300,
            f"{DEEP_LINKING}/content_items": list(items),
        } | changes
        path = settings["deep_link_return_url"].removeprefix(moodle.config["base_url"])
        return moodle.client.post(path, data={"JWT": key.sign(claims)})

    return send


def _saved(moodle, page):
    return moodle.client.post("/mod/lti/contentitem_save.php", data=_fields(page.text))


def _links(moodle):
    return moodle.query("SELECT * FROM placed_links")


def test_a_request_is_as_moodle_sends_it(claims_at, teacher, settings):
    claims = claims_at(f"/mod/lti/contentitem.php?course={MATH}&user={teacher}")

    assert claims[f"{CLAIM}/message_type"] == "LtiDeepLinkingRequest"
    assert f"{CLAIM}/resource_link" not in claims
    assert settings["accept_types"] == ["ltiResourceLink"]
    assert settings["accept_multiple"] is True
    assert "data" not in settings
    assert "lineitem" not in claims[AGS]
    assert "&sesskey=" in settings["deep_link_return_url"]


def test_nothing_is_made_before_the_teacher_saves(moodle, answer):
    page = answer(ITEM)

    assert "Fractions &amp; more" in page.text
    assert _links(moodle) == []
    assert _saved(moodle, page).status_code == 303
    assert [link["title"] for link in _links(moodle)] == ["Fractions & more"]


def test_several_are_named_before_they_are_added(moodle, answer):
    page = answer(ITEM, ITEM | {"title": "Other"})

    assert "The following items will be added to your course" in page.text
    _saved(moodle, page)
    assert len(_links(moodle)) == 2


def test_a_saved_link_is_launched_with_its_own_parameters(moodle, answer, claims_at):
    _saved(moodle, answer(ITEM))
    (link,) = _links(moodle)

    learner = _person(moodle, "learner")
    claims = claims_at(f"/mod/lti/view.php?course={MATH}&user={learner}&link={link['id']}")

    assert claims[f"{CLAIM}/message_type"] == "LtiResourceLinkRequest"
    assert claims[f"{CLAIM}/resource_link"]["title"] == "Fractions & more"
    assert claims[f"{CLAIM}/resource_link"]["id"] != str(MATH)
    assert claims[f"{CLAIM}/target_link_uri"] == ITEM["url"]
    assert claims[f"{CLAIM}/custom"]["about"] == "K.1"
    assert "user_idnumber" in claims[f"{CLAIM}/custom"]
    assert "lineitem" not in claims[AGS]


def test_a_line_item_becomes_a_column_called_like_the_activity(moodle, answer, claims_at, teacher):
    line = {"scoreMaximum": 4, "label": "Its own", "resourceId": "r", "tag": "t"}
    _saved(moodle, answer(ITEM | {"lineItem": line}))

    (item,) = moodle.query("SELECT * FROM line_items")
    (link,) = _links(moodle)
    assert (item["label"], item["maximum"]) == ("Fractions & more", 4)
    assert (item["resource_id"], item["tag"]) == ("r", "t")
    claims = claims_at(f"/mod/lti/view.php?course={MATH}&user={teacher}&link={link['id']}")
    assert claims[AGS]["lineitem"].endswith(f"/{item['id']}/lineitem?type_id=1")


@pytest.mark.parametrize(("acceptgrades", "columns"), [("always", [100.0]), ("delegate", [])])
def test_without_a_line_item_the_tools_setting_decides(
    moodle, answer, acceptgrades, columns, district_folder
):
    refresh(district_folder / "moodle.db", {"acceptgrades": acceptgrades})

    _saved(moodle, answer(ITEM))

    assert [row["maximum"] for row in moodle.query("SELECT * FROM line_items")] == columns


def test_another_issuer_is_told_that_its_key_is_incorrect(answer):
    page = answer(ITEM, iss="somebody")

    assert page.status_code == 404
    assert "Consumer key is incorrect" in page.text


def test_an_expired_answer_is_refused(answer):
    assert answer(ITEM, exp=1).status_code == 404


def test_a_strangers_signature_is_refused(answer, tmp_path):
    stranger = PlatformKey.load_or_create(tmp_path / "stranger.pem")

    assert answer(ITEM, key=stranger).status_code == 404


def test_what_moodle_does_not_check_passes(answer):
    odd = {
        "aud": "https://other.example",
        f"{CLAIM}/deployment_id": "77",
        f"{CLAIM}/message_type": "Whatever",
    }

    assert answer(ITEM, **odd).status_code == 200


def test_an_answer_without_the_teachers_session_key_is_refused(moodle, tool):
    path = f"/mod/lti/contentitem_return.php?course={MATH}&id=1&sesskey=x"
    claims = {"iss": moodle.config["client_id"], f"{DEEP_LINKING}/content_items": [ITEM]}

    assert moodle.client.post(path, data={"JWT": tool.key.sign(claims)}).status_code == 404


def test_a_message_is_shown_and_nothing_can_be_saved(answer):
    page = answer(**{f"{DEEP_LINKING}/errormsg": "Nothing was chosen."})

    assert "Nothing was chosen." in page.text
    assert "contentitem_save" not in page.text


def test_learners_can_neither_add_nor_ask(moodle, teacher):
    learner = _person(moodle, "learner")

    asked = moodle.client.get(f"/mod/lti/contentitem.php?course={MATH}&user={learner}")

    assert asked.status_code == 404
    assert "Add an activity" not in moodle.client.get(f"/course/{MATH}?user={learner}").text
    assert "Add an activity" in moodle.client.get(f"/course/{MATH}?user={teacher}").text


def test_an_unknown_link_is_not_found(moodle, teacher):
    address = f"/mod/lti/view.php?course={MATH}&user={teacher}&link=9"

    assert moodle.client.get(address).status_code == 404
