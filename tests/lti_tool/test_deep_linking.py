"""What is chosen becomes links in a signed answer, once: contracts/lti.md 4.D."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.launch.deep_linking import TITLE_LENGTH, Chosen, Link, content_item, title_of
from lti_tool.pages import choose
from tests.lti_tool.classroom import fill
from tests.lti_tool.deep_links import (
    DATA,
    ERROR,
    ITEMS,
    PLACEMENT,
    RETURN_URL,
    answer_of,
    asking,
    claim,
    open_picker,
)
from tests.lti_tool.platform import LTI, MEMBERSHIP, TOOL, launch

COLUMN = {PLACEMENT: "assignment_selection"}


@pytest.fixture
def ids(stage):
    return fill(stage)


def chosen(stage, ids, *codes, **fields):
    picker = open_picker(stage)
    return answer_of(stage, picker.post(*(ids.competency[code] for code in codes), **fields))


def test_d01_the_picker_lists_the_tenants_competencies_by_strand(stage, ids):
    text = open_picker(stage).page.text

    assert re.search(r"<summary>Statement of N\b", text)
    assert "The whole strand" in text
    assert all(f'value="{number}"' in text for number in ids.competency.values())


def test_another_tenant_is_offered_nothing_of_it(stage, ids):
    picker = open_picker(stage, stage.same_issuer)

    assert "No competencies have been imported yet" in picker.page.text
    assert picker.post(ids.competency["N.1"]).status_code == 404


@pytest.mark.parametrize(("is_multiple", "kind"), [(True, "checkbox"), (False, "radio")])
@pytest.mark.usefixtures("ids")
def test_one_or_several_can_be_chosen_as_the_lms_takes_them(stage, is_multiple, kind):
    picker = open_picker(stage, **asking(accept_multiple=is_multiple))

    assert picker.kinds == {kind}


def test_the_answer_is_for_this_lms_and_installation_and_now(stage, ids):
    now = int(stage.clock().timestamp())

    answer = chosen(stage, ids, "N.1")

    assert (answer["iss"], answer["aud"]) == ("client-A", "https://lms.example")
    assert claim(answer, "message_type") == "LtiDeepLinkingResponse"
    assert claim(answer, "version") == "1.3.0"
    assert claim(answer, "deployment_id") == "dep-1"
    assert answer["iat"] < now
    assert answer["exp"] == now + 300
    assert len(answer["nonce"]) >= 32
    assert ERROR not in answer


def test_each_answer_has_a_nonce_of_its_own(stage, ids):
    assert chosen(stage, ids, "N.1")["nonce"] != chosen(stage, ids, "N.1")["nonce"]


def test_a_link_names_its_competency_by_sentence_and_identifier(stage, ids):
    (item,) = chosen(stage, ids, "N.1")[ITEMS]

    assert item == {
        "type": "ltiResourceLink",
        "title": "I can do N.1",
        "text": item["text"],
        "url": TOOL + "/lti/launch",
        "custom": {"waymark_competencies": "N.1"},
    }


def test_several_become_a_link_each_in_the_order_of_the_page(stage, ids):
    items = chosen(stage, ids, "L.1", "N.2", "N.1")[ITEMS]

    assert [item["custom"]["waymark_competencies"] for item in items] == ["N.1", "N.2", "L.1"]


def test_several_become_one_link_where_that_is_wanted(stage, ids):
    (item,) = chosen(stage, ids, "N.2", "N.1", together="yes")[ITEMS]

    assert item["custom"] == {"waymark_competencies": "N.1,N.2"}
    assert item["title"] == "I can do N.1 (and 1 more)"


def test_d19_only_one_is_sent_where_the_lms_takes_one(stage, ids):
    picker = open_picker(stage, **asking(accept_multiple=False))

    page = picker.post(ids.competency["N.1"], ids.competency["N.2"])

    assert [item["title"] for item in answer_of(stage, page)[ITEMS]] == ["I can do N.1"]


def test_the_data_goes_back_as_it_came(stage, ids):
    assert chosen(stage, ids, "N.1")[DATA] == "as it came: é & <b>"


@pytest.mark.parametrize("data", [..., None], ids=["absent", "null"])
def test_d02_without_data_the_answer_has_none(stage, ids, data):
    picker = open_picker(stage, **asking(data=data))

    assert DATA not in answer_of(stage, picker.post(ids.competency["N.1"]))


def test_d22_a_grade_column_is_found_again_by_what_it_is_about(stage, ids):
    picker = open_picker(stage, **asking(), **COLUMN)

    (item,) = answer_of(stage, picker.post(ids.competency["N.1"], column="yes"))[ITEMS]

    line = item["lineItem"]
    assert line["scoreMaximum"] == 4.0
    assert line["label"] == item["title"]
    assert line["tag"] == "waymark"
    assert re.fullmatch(r"waymark:[0-9a-f]{32}", line["resourceId"])


@pytest.mark.usefixtures("ids")
def test_a_grade_column_is_off_until_it_is_asked_for_and_says_what_it_does(stage):
    page = open_picker(stage, **asking(), **COLUMN).page.text

    box = re.search(r'<input type="checkbox" name="column"[^>]*>', page)[0]
    assert "checked" not in box
    assert "Do not count this assignment towards the final grade" in page


NO_COLUMN = {
    "D21 the LMS takes none": (asking(accept_lineitem=False) | COLUMN, "takes none here"),
    "Canvas would make it count": (
        asking() | {PLACEMENT: "link_selection"},
        "an assignment that counts",
    ),
}


@pytest.mark.parametrize(("claims", "words"), NO_COLUMN.values(), ids=NO_COLUMN)
def test_where_a_column_could_harm_none_is_offered_and_none_is_sent(stage, ids, claims, words):
    picker = open_picker(stage, **claims)

    (item,) = answer_of(stage, picker.post(ids.competency["N.1"], column="yes"))[ITEMS]

    assert "lineItem" not in item
    assert words in picker.page.text
    assert 'name="column"' not in picker.page.text


def test_moodle_gets_no_column_since_there_every_number_counts(stage, ids):
    picker = open_picker(stage, stage.moodle)

    answer = answer_of(stage, picker.post(ids.competency["N.1"], column="yes"))

    assert "in Moodle a column with points always counts" in picker.page.text
    assert "lineItem" not in answer[ITEMS][0]
    assert (answer["iss"], answer["aud"]) == ("moodle-client", "https://moodle.example")


def test_the_answers_form_goes_to_the_return_url_and_nowhere_else(stage, ids):
    page = open_picker(stage).post(ids.competency["N.1"])

    assert f'action="{RETURN_URL.replace("&", "&amp;")}"' in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "form-action 'self' https://school.lms.example;" in policy
    assert "<button" in page.text
    assert 'src="/static/autosubmit.js"' in page.text
    assert "<script>" not in page.text


def test_d29_an_answer_to_another_origin_is_noted_without_its_path(stage, ids, caplog):
    caplog.set_level(logging.INFO)
    elsewhere = asking(deep_link_return_url="https://other.example/secret?sesskey=abc")

    open_picker(stage, **elsewhere).post(ids.competency["N.1"])

    assert "https://other.example" in caplog.text
    assert "secret" not in caplog.text


def test_a_request_is_answered_once(stage, ids):
    picker = open_picker(stage)
    first = picker.post(ids.competency["N.1"])

    again = picker.post(ids.competency["N.1"])

    assert first.status_code == 200
    assert again.status_code == 401
    assert 'name="JWT"' not in again.text
    assert picker.browser.get(picker.address).status_code == 401


def test_of_two_answers_at_once_one_is_signed(stage, ids):
    picker = open_picker(stage)
    cookie = "; ".join(f"{one.key}={one.value}" for one in picker.browser._cookies.values())
    form = {"csrf": picker.csrf, "action": "place", "competency": ids.competency["N.1"]}

    def post(_):
        return stage.bare().post(picker.address, data=form, headers={"Cookie": cookie})

    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(post, range(4)))

    assert sum('name="JWT"' in page.text for page in pages) == 1
    assert {page.status_code for page in pages} == {200, 401}


def test_more_than_anybody_reads_is_not_placed_at_once(stage, ids, monkeypatch):
    monkeypatch.setattr(choose, "MOST_CHOSEN", 2)
    picker = open_picker(stage)

    response = picker.post(*list(ids.competency.values())[:3])

    assert response.status_code == 422
    assert "Choose at most 2 at a time." in response.text
    assert response.text.count(" checked") >= 3


def test_an_answer_that_was_not_asked_for_by_our_page_is_refused(stage, ids):
    picker = open_picker(stage)

    response = picker.post(ids.competency["N.1"], csrf="0" * 64)

    assert response.status_code == 403
    assert picker.browser.get(picker.address).status_code == 200


def test_d25_no_other_visit_can_answer(stage, ids):
    picker = open_picker(stage)
    stranger = open_picker(stage)

    response = stranger.browser.post(
        picker.address, data={"csrf": stranger.csrf, "competency": ids.competency["N.1"]}
    )

    assert response.status_code == 404


def test_a_launch_of_a_link_has_no_picker(stage):
    browser = stage.browser()
    landing = launch(browser, stage.lms, roles=[MEMBERSHIP + "Instructor"]).headers["Location"]

    assert browser.get(landing.replace("/class", "/choose")).status_code == 404


def test_choosing_nothing_is_pointed_out_and_ends_nothing(stage, ids):
    picker = open_picker(stage)

    response = picker.post()

    assert response.status_code == 422
    assert "Choose at least one competency first." in response.text
    assert picker.post(ids.competency["N.1"]).status_code == 200


@pytest.mark.usefixtures("ids")
def test_d27_who_goes_back_sends_a_message_and_no_items(stage):
    answer = answer_of(stage, open_picker(stage).post(action="cancel"))

    assert answer[ITEMS] == []
    assert answer[ERROR] == "Nothing was chosen in Waymark, so nothing is placed."


def test_d07_a_request_without_our_kind_of_link_can_only_be_declined(stage, ids):
    picker = open_picker(stage, **asking(accept_types=["link"]))

    answer = answer_of(stage, picker.post(ids.competency["N.1"]))

    assert "asks for something that Waymark does not have" in picker.page.text
    assert picker.kinds == set()
    assert answer[ITEMS] == []


@pytest.mark.parametrize("number", ["0", "999999", "x", "' OR 1=1 --"])
def test_what_is_no_competency_of_the_tenant_is_not_there(stage, ids, number):
    assert open_picker(stage).post(ids.competency["N.1"], number).status_code == 404


def test_a_designer_places_links_and_sees_no_class(stage, ids):
    picker = open_picker(stage, **asking([MEMBERSHIP + "ContentDeveloper"]))

    assert picker.browser.get(picker.address.replace("/choose", "/class")).status_code == 403
    assert picker.post(ids.competency["N.1"]).status_code == 200


@pytest.mark.usefixtures("ids")
def test_the_placed_link_launches_what_was_chosen(stage, ids):
    (item,) = chosen(stage, ids, "N.1")[ITEMS]
    custom = {"canvas_course_id": "101", "canvas_user_id": "7"} | item["custom"]

    browser = stage.browser()
    response = launch(browser, stage.lms, custom=custom, target_link_uri=item["url"])

    page = browser.get(response.headers["Location"]).text
    assert "I can do N.1" in page
    assert "Statement of N.2" not in page


SENTENCES = st.lists(st.text(min_size=1), min_size=1, max_size=5)


@given(SENTENCES)
def test_a_title_is_never_longer_than_a_list_has_room_for(sentences):
    link = Link(about=[Chosen(identifier="x", sentence=one) for one in sentences])

    assert 0 < len(title_of(link)) <= TITLE_LENGTH


@given(st.permutations(["a", "b", "c"]))
def test_the_same_competencies_have_the_same_column_in_whatever_order(order):
    def column(identifiers):
        about = [Chosen(identifier=one, sentence=one) for one in identifiers]
        return content_item(Link(about=about, maximum=4.0), "u")["lineItem"]["resourceId"]

    assert column(order) == column(["a", "b", "c"])


@given(st.lists(st.text(min_size=1), min_size=1))
def test_no_member_of_a_link_is_null(identifiers):
    about = [Chosen(identifier=one, sentence="s") for one in identifiers]

    item = content_item(Link(about=about), "u")

    assert None not in item.values()
    assert all(isinstance(value, str) for value in item["custom"].values())
    assert LTI not in str(item)
