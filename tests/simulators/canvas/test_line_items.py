import json

import pytest

ITEM = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
SCORE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
ITEM_TYPE = "application/vnd.ims.lis.v2.lineitem+json"
SUBMISSION_TYPE = "https://canvas.instructure.com/lti/submission_type"


@pytest.fixture
def create(lti):
    def post(course=101, **sent):
        payload = {"label": "Mastery", "scoreMaximum": 4} | sent
        return lti(
            "POST", "/line_items", course=course, data=json.dumps(payload), content_type=ITEM_TYPE
        )

    return post


def test_a_new_line_item_is_a_published_assignment_that_counts(create, rest):
    made = create(tag="waymark:strand", resourceId="r1")

    assert made.status_code == 201
    assert made.content_type == ITEM_TYPE
    assert (made.json["tag"], made.json["resourceId"]) == ("waymark:strand", "r1")
    (assignment,) = rest("GET", "/courses/101/assignments?search_term=Mastery").json
    assert assignment["published"] is True
    assert assignment["omit_from_final_grade"] is False
    assert assignment["points_possible"] == 4
    assert assignment["submission_types"] == ["none"]
    assert assignment["assignment_group_id"] == 1


def test_line_items_are_listed_ten_a_page_and_filtered(create, lti):
    for number in range(12):
        create(tag=f"t{number}")

    listed = lti("GET", "/line_items")
    assert len(listed.json) == 10
    assert 'rel="next"' in listed.headers["Link"]
    assert listed.content_type == "application/vnd.ims.lis.v2.lineitemcontainer+json"
    assert len(lti("GET", "/line_items?limit=50").json) == 12
    assert [item["tag"] for item in lti("GET", "/line_items?tag=t3").json] == ["t3"]


def test_a_change_goes_through_to_the_assignment(lti, line_item, rest):
    sent = json.dumps({"label": "Growth", "scoreMaximum": 5})

    changed = lti("PUT", line_item, data=sent, content_type=ITEM_TYPE).json

    assert (changed["label"], changed["scoreMaximum"], changed["tag"]) == ("Growth", 5, "waymark")
    (assignment,) = rest("GET", "/courses/101/assignments?search_term=Growth").json
    assert assignment["points_possible"] == 5


def test_a_deleted_line_item_takes_its_assignment_along(lti, line_item, rest):
    assert lti("DELETE", line_item).status_code == 204

    assert lti("GET", line_item).status_code == 404
    assert rest("GET", "/courses/101/assignments?search_term=Mastery").json == []


def test_a_foreign_line_item_is_412_to_look_at_and_not_listed(lti, line_item, state):
    with state:
        state.execute("UPDATE line_items SET client_id = 'another'")

    refused = lti("GET", line_item)

    assert refused.status_code == 412
    assert refused.json["errors"] == {
        "type": "precondition_failed",
        "message": "Tool does not have permission to view line_item",
    }
    assert lti("GET", "/line_items").json == []


def test_a_second_line_item_on_a_resource_link_shares_the_assignment(create, rest):
    first = create(**{SUBMISSION_TYPE: {"type": "external_tool", "external_tool_url": "x"}}).json

    second = create(label="Other", resourceLinkId=first["resourceLinkId"])

    assert second.status_code == 201
    assert len(rest("GET", "/courses/101/assignments").json) == 6


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"label": ""}, 400),
        ({"scoreMaximum": None}, 400),
        ({"scoreMaximum": -1}, 422),
        ({"label": "x" * 256}, 422),
        ({SUBMISSION_TYPE: {"type": "online_upload"}}, 400),
        ({"resourceLinkId": "unknown"}, 404),
        ({"resourceLinkId": "101"}, 412),
    ],
)
def test_a_bad_line_item_is_refused(create, sent, status):
    assert create(**sent).status_code == status


def test_a_body_of_another_media_type_is_not_read(lti):
    sent = json.dumps({"label": "Mastery", "scoreMaximum": 4})

    assert lti("POST", "/line_items", data=sent, content_type="text/plain").status_code == 400


def test_the_gates_stand_in_canvas_order(browser, lti, state):
    no_token = browser.get("/api/lti/courses/999/line_items")
    no_scope = lti("GET", "/line_items", scope=SCORE, course=999)
    no_course = lti("GET", "/line_items", course=999)
    with state:
        state.execute("UPDATE schools SET deployment = '' WHERE id = 11")
    no_tool = lti("GET", "/line_items")

    assert [answer.status_code for answer in (no_token, no_scope, no_course, no_tool)] == [
        401,
        401,
        404,
        401,
    ]
    assert no_scope.json["errors"]["message"] == "Insufficient permissions"
    assert "not linked to a Tool" in no_tool.json["errors"]["message"]


def test_another_developer_key_is_refused(lti, configure):
    lti("GET", "/line_items")
    configure(client_id="another")

    refused = lti("GET", "/line_items")

    assert refused.status_code == 401
    assert refused.json["errors"]["message"] == "Unknown or inactive Developer Key"


def test_a_service_token_ends_after_an_hour(lti, clock):
    assert lti("GET", "/line_items").status_code == 200
    clock.pass_by(3601)

    assert lti("GET", "/line_items").status_code == 401


def test_a_concluded_course_takes_nothing(create, configure):
    assert create(course=102).status_code == 404
    configure(ags_concluded_422="1")

    refused = create(course=102)
    assert refused.status_code == 422
    assert "concluded" in refused.json["errors"]["message"]


def test_expired_service_tokens_are_healed_by_new_ones(browser, lti, token_request, clock):
    lti("GET", "/line_items")
    clock.pass_by(1)
    browser.post("/_control/faults", json={"mode": "expired_token"})

    assert lti("GET", "/line_items").status_code == 401
    fresh = token_request(ITEM).json["access_token"]
    headers = {"Authorization": f"Bearer {fresh}"}
    assert browser.get("/api/lti/courses/101/line_items", headers=headers).status_code == 200
