from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.wrappers import Response

from connectors.advantage import (
    LINE_ITEM,
    LINE_ITEM_READ,
    RESULT_READ,
    LineItems,
    OwnScore,
    with_path,
    with_query,
)
from connectors.errors import GiveUp, Gone, RetryLater, Unauthorized
from connectors.platform import PlatformKind, open_client
from connectors.rosters import Rosters
from connectors.scores import next_timestamp
from tests.connectors.doubles import access, services
from tests.connectors.serving import ScriptedLms, answer_json, serving
from tests.contracts.subjects import live_services, simulated_access

LEARNER = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"

ITEMS_TYPE = "application/vnd.ims.lis.v2.lineitemcontainer+json"
ITEM_TYPE = "application/vnd.ims.lis.v2.lineitem+json"
RESULTS_TYPE = "application/vnd.ims.lis.v2.resultcontainer+json"
SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"
GRANT = {"access_token": "t0ken", "expires_in": 3600}


@pytest.fixture
def items(lms):
    lms.on("POST", "/token", answer_json(GRANT))
    platform, given_services = access(lms.url), services()
    http = open_client(platform, given_services)
    return LineItems(http, given_services.tokens, access=platform)


def item(lms, number, **members):
    return {"id": f"{lms.url}/items/{number}?type_id=1", "label": f"L{number}", **members}


def score(**changes):
    facts = {
        "user_id": "3",
        "given": 3.0,
        "maximum": 4.0,
        "comment": "Proficient",
        "timestamp": "2026-11-21T02:00:00Z",
    }
    return OwnScore(**{**facts, **changes})


def test_line_items_come_with_the_exact_media_type_and_a_token(lms, items):
    lms.on("GET", "/items", answer_json([item(lms, 1, scoreMaximum=4, resourceId="tag")]))

    found = items.all(f"{lms.url}/items?type_id=1")

    request = lms.to("/items")[0]
    assert [(one.label, one.score_maximum, one.resource_id) for one in found] == [("L1", 4, "tag")]
    assert request.headers["accept"] == ITEMS_TYPE
    assert request.headers["authorization"] == "Bearer t0ken"
    assert request.query == {"type_id": ["1"]}


def test_all_pages_are_read_and_each_item_comes_once(lms, items):
    more = {"Link": f'<{lms.url}/more?Page=B>; rel="next"'}
    lms.on("GET", "/items", answer_json([item(lms, 1), item(lms, 2)], headers=more))
    lms.on("GET", "/more", answer_json([item(lms, 2), item(lms, 3)]))

    assert [one.label for one in items.all(f"{lms.url}/items")] == ["L1", "L2", "L3"]


def test_a_page_size_is_sent_only_where_it_is_asked_for(lms):
    lms.on("POST", "/token", answer_json(GRANT))
    lms.on("GET", "/items", answer_json([]))
    platform, given_services = access(lms.url), services()
    http = open_client(platform, given_services)

    LineItems(http, given_services.tokens, access=platform, page_size=100).all(f"{lms.url}/items")

    assert lms.to("/items")[0].query == {"limit": ["100"]}


def test_the_scope_for_reading_is_the_platforms_own(lms):
    lms.on("POST", "/token", answer_json(GRANT))
    lms.on("GET", "/items", answer_json([]))
    platform, given_services = access(lms.url), services()
    http = open_client(platform, given_services)

    LineItems(http, given_services.tokens, access=platform, reading=LINE_ITEM_READ).all(
        f"{lms.url}/items"
    )

    assert lms.to("/token")[0].form["scope"] == LINE_ITEM_READ


def test_an_item_is_found_by_its_resource_id_even_where_the_filter_is_ignored(lms, items):
    listed = [item(lms, 1, resourceId="other"), item(lms, 2, resourceId="mine")]
    lms.on("GET", "/items", answer_json(listed))

    found = items.find(f"{lms.url}/items", "mine")

    assert found is not None
    assert found.label == "L2"
    assert lms.to("/items")[0].query == {"resource_id": ["mine"]}


def test_of_two_items_with_one_tag_every_run_finds_the_same(lms, items):
    twins = [item(lms, 10, resourceId="mine"), item(lms, 9, resourceId="mine")]
    lms.on("GET", "/items", answer_json(twins), answer_json(twins[::-1]))

    found = [items.find(f"{lms.url}/items", "mine") for _ in range(2)]

    assert [one and one.label for one in found] == ["L9", "L9"]


def test_no_item_is_found_where_none_has_the_tag(lms, items):
    lms.on("GET", "/items", answer_json([item(lms, 1, tag="mine")]))

    assert items.find(f"{lms.url}/items", "mine") is None


def test_a_new_item_carries_its_tag_twice_and_a_short_label(lms, items):
    lms.on("POST", "/items", answer_json(item(lms, 7), 201))

    made = items.create(
        f"{lms.url}/items?type_id=1",
        label="x" * 300,
        maximum=0.0,
        tag="mine",
        extra={"e": {"f": 1}},
        has_no_points=True,
    )

    request = lms.to("/items")[0]
    assert made.label == "L7"
    assert request.headers["content-type"] == ITEM_TYPE
    assert request.query == {"type_id": ["1"]}
    assert request.json == {
        "label": "x" * 255,
        "scoreMaximum": 0.0,
        "resourceId": "mine",
        "tag": "mine",
        "e": {"f": 1},
    }


def test_a_score_goes_to_the_path_before_the_query(lms, items):
    lms.on("POST", "/items/7/scores", Response(b"", status=200))

    items.score(f"{lms.url}/items/7?type_id=1", score(extra={"x": 1}), passes=frozenset())

    request = lms.to("/items/7/scores")[0]
    assert request.query == {"type_id": ["1"]}
    assert request.headers["content-type"] == SCORE_TYPE
    assert request.json == {
        "userId": "3",
        "scoreGiven": 3.0,
        "scoreMaximum": 4.0,
        "comment": "Proficient",
        "timestamp": "2026-11-21T02:00:00Z",
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "x": 1,
    }


def test_a_score_without_points_empties_the_cell(lms, items):
    lms.on("POST", "/items/7/scores", Response(b"", status=204))

    items.score(f"{lms.url}/items/7", score(given=None), passes=frozenset())

    sent = lms.to("/items/7/scores")[0].json
    assert "scoreGiven" not in sent
    assert (sent["activityProgress"], sent["gradingProgress"]) == ("Initialized", "NotReady")


def test_results_are_read_with_emptied_cells_as_nothing_not_zero(lms, items):
    results = [
        {"id": "r1", "userId": "3", "resultScore": 0, "resultMaximum": 0, "comment": "Mastered"},
        {"id": "r2", "userId": "4"},
    ]
    lms.on("GET", "/items/7/lineitem/results", answer_json(results))

    found = items.results(f"{lms.url}/items/7/lineitem?type_id=1")

    assert [(one.user_id, one.result_score, one.comment) for one in found] == [
        ("3", 0.0, "Mastered"),
        ("4", None, None),
    ]
    assert lms.to("/items/7/lineitem/results")[0].headers["accept"] == RESULTS_TYPE


def test_a_refused_token_is_renewed_once(lms, items):
    lms.on("POST", "/token", answer_json(GRANT), answer_json({**GRANT, "access_token": "new"}))
    lms.on("GET", "/items", Response(b"", status=401), answer_json([]))

    items.all(f"{lms.url}/items")

    sent = [one.headers["authorization"] for one in lms.to("/items")]
    assert sent == ["Bearer t0ken", "Bearer new"]


def test_a_token_that_is_refused_twice_is_given_up(lms, items):
    lms.on("GET", "/items", Response(b"", status=401))

    with pytest.raises(Unauthorized) as caught:
        items.all(f"{lms.url}/items")

    assert caught.value.cause == "service_refused"
    assert len(lms.to("/items")) == 2


@pytest.mark.parametrize(("status", "kind"), [(404, Gone), (502, RetryLater), (412, GiveUp)])
def test_other_refusals_speak_of_the_whole_column(lms, items, status, kind):
    lms.on("POST", "/items/7/scores", Response(b"", status=status))

    with pytest.raises(kind):
        items.score(f"{lms.url}/items/7", score(), passes={409})


def test_the_token_does_not_go_to_a_line_item_on_another_site(lms, items):
    with pytest.raises(GiveUp) as caught:
        items.results("https://evil.example/items/7")

    assert caught.value.cause == "foreign_address"
    assert lms.seen == []


def test_an_item_is_deleted_at_its_address(lms, items):
    lms.on("DELETE", "/items/7", Response(b"", status=204))

    items.delete(f"{lms.url}/items/7?type_id=1")

    assert lms.to("/items/7", "DELETE")[0].query == {"type_id": ["1"]}


@pytest.mark.parametrize(
    ("url", "longer"),
    [
        (
            "https://m.example/2/lineitems/4/lineitem?type_id=1",
            "/2/lineitems/4/lineitem/results?type_id=1",
        ),
        (
            "https://c.example/api/lti/courses/1/line_items/2",
            "/api/lti/courses/1/line_items/2/results",
        ),
        ("https://c.example/items/2/", "/items/2/results"),
    ],
)
def test_a_segment_is_added_before_the_query(url, longer):
    assert with_path(url, "results") == url.partition(".example")[0] + ".example" + longer


@pytest.mark.parametrize("maximum", [0.0, -1.0, float("nan"), float("inf"), True])
def test_g09_a_line_item_without_a_maximum_is_not_made(lms, items, maximum):
    with pytest.raises(GiveUp) as caught:
        items.create(f"{lms.url}/items", label="L", maximum=maximum, tag="mine")

    assert caught.value.cause == "bad_line_item"
    assert lms.seen == []


@pytest.mark.parametrize("label", ["", "  ", "\n"])
def test_g09_a_line_item_without_a_label_is_not_made(lms, items, label):
    with pytest.raises(GiveUp):
        items.create(f"{lms.url}/items", label=label, maximum=4.0, tag="mine")

    assert lms.seen == []


def test_g42_a_long_label_of_any_script_is_cut_at_255_signs(lms, items):
    lms.on("POST", "/items", answer_json(item(lms, 7), 201))

    items.create(f"{lms.url}/items", label="日" * 300, maximum=4.0, tag="mine")

    assert lms.to("/items")[0].json["label"] == "日" * 255


def test_g03_a_next_page_is_found_however_its_link_is_written(lms, items):
    links = [
        "</2>; rel=next",
        f'<{lms.url}/1>; rel="first", <{lms.url}/3>; title="a, b"; rel="last next"',
        f"<{lms.url}/4?type_id=1&amp;from=3>; rel=\u201cnext\u201d".encode().decode("latin-1"),
    ]
    for number, link in enumerate(links, 1):
        lms.on("GET", f"/{number}", answer_json([item(lms, number)], headers={"Link": link}))
    lms.on("GET", "/4", answer_json([item(lms, 4)]))

    assert [one.label for one in items.all(f"{lms.url}/1")] == ["L1", "L2", "L3", "L4"]
    assert lms.to("/4")[0].query == {"type_id": ["1"], "from": ["3"]}


def test_g05_a_next_page_on_another_site_gets_no_request_and_no_token(lms, items):
    elsewhere = ScriptedLms()
    with serving(elsewhere) as url:
        lms.on("GET", "/items", answer_json([], headers={"Link": f"<{url}/more>; rel=next"}))
        with pytest.raises(GiveUp) as caught:
            items.all(f"{lms.url}/items")

    assert caught.value.cause == "foreign_address"
    assert elsewhere.seen == []


def test_g05_a_line_item_on_another_site_gets_no_request_and_no_token(lms, items):
    elsewhere = ScriptedLms()
    with serving(elsewhere) as url:
        for ask in (items.get, items.results, items.delete):
            with pytest.raises(GiveUp):
                ask(f"{url}/items/7")
        with pytest.raises(GiveUp):
            items.score(f"{url}/items/7", score(), passes=frozenset())

    assert (lms.seen, elsewhere.seen) == ([], [])


def test_g07_filters_are_merged_with_what_the_address_has(lms, items):
    lms.on("GET", "/items", answer_json([]))

    items.all(
        f"{lms.url}/items?type_id=1&a=1&a=2&q=%26",
        filters=[("resource_id", "a b&c"), ("tag", "žluť")],
    )

    assert lms.to("/items")[0].query == {
        "type_id": ["1"],
        "a": ["1", "2"],
        "q": ["&"],
        "resource_id": ["a b&c"],
        "tag": ["žluť"],
    }


def test_g11_a_launch_with_one_line_item_only_can_be_scored_and_nothing_can_be_made(lms, items):
    lms.on("POST", "/items/7/scores", Response(b"", status=204))

    items.score(f"{lms.url}/items/7", score(), passes=frozenset())
    with pytest.raises(GiveUp) as caught:
        items.create("", label="L", maximum=4.0, tag="mine")

    assert caught.value.cause == "no_service"
    assert len(lms.to("/items/7/scores")) == 1


def test_no_results_are_read_where_there_is_no_line_item(lms, items):
    with pytest.raises(GiveUp) as caught:
        items.results("")

    assert caught.value.cause == "no_service"
    assert lms.seen == []


def test_g13_of_two_items_of_one_link_the_one_with_the_tag_is_taken(lms, items):
    listed = [
        item(lms, 1, resourceId="other", resourceLinkId="link"),
        item(lms, 2, resourceId="mine", resourceLinkId="elsewhere"),
        item(lms, 3, resourceId="mine", resourceLinkId="link"),
    ]
    lms.on("GET", "/items", answer_json(listed))

    found = items.find(f"{lms.url}/items", "mine", link="link")

    assert found is not None
    assert found.label == "L3"


def test_g15_a_line_item_that_was_deleted_is_gone(lms, items):
    lms.on("GET", "/items/7", Response(b"", status=404))

    with pytest.raises(Gone):
        items.get(f"{lms.url}/items/7")


def test_a_score_that_makes_no_sense_never_leaves(lms, items):
    with pytest.raises(GiveUp):
        items.score(f"{lms.url}/items/7", score(given=float("nan")), passes=frozenset())

    assert lms.seen == []


@pytest.mark.parametrize("status", [200, 201, 202, 204])
@pytest.mark.parametrize("body", [b"", b'{"resultUrl":"x"}', b"[]"])
def test_g37_every_kind_of_success_is_one(lms, items, status, body):
    lms.on("POST", "/items/7/scores", Response(body if status != 204 else b"", status=status))

    assert items.score(f"{lms.url}/items/7", score(), passes=frozenset()).status == status


def test_g33_a_cleared_result_is_nothing_and_a_zero_is_zero(lms, items):
    listed = [{"userId": "3", "resultScore": None}, {"userId": "4", "resultScore": 0}]
    lms.on("GET", "/items/7/results", answer_json(listed))

    found = items.results(f"{lms.url}/items/7")

    assert [one.result_score for one in found] == [None, 0.0]


def test_results_are_read_to_the_last_page(lms, items):
    more = {"Link": f'<{lms.url}/more?Page=Ab>; rel="next"'}
    lms.on("GET", "/items/7/results", answer_json([{"userId": "3"}], headers=more))
    lms.on("GET", "/more", answer_json([{"userId": "4"}]))

    assert [one.user_id for one in items.results(f"{lms.url}/items/7")] == ["3", "4"]


def test_g45_no_page_size_is_sent_where_the_platform_has_no_pages(lms, items):
    lms.on("GET", "/items/7/results", answer_json([]))

    items.results(f"{lms.url}/items/7?type_id=1")

    assert lms.to("/items/7/results")[0].query == {"type_id": ["1"]}


def test_one_learners_result_is_found_even_where_the_filter_is_ignored(lms, items):
    listed = [{"userId": "3", "resultScore": 1}, {"userId": "4", "resultScore": 2}]
    lms.on("GET", "/items/7/results", answer_json(listed))

    found = items.result(f"{lms.url}/items/7?type_id=1", "4")

    assert found is not None
    assert found.result_score == 2
    assert lms.to("/items/7/results")[0].query == {"type_id": ["1"], "user_id": ["4"]}
    assert items.result(f"{lms.url}/items/7", "5") is None


def test_g44_a_full_list_that_comes_again_is_read_once(lms, items):
    again = {"Link": f'<{lms.url}/items?from=3>; rel="next"'}
    lms.on("GET", "/items", answer_json([item(lms, 1)], headers=again), answer_json([item(lms, 1)]))

    assert len(items.all(f"{lms.url}/items")) == 1


def test_g44_pages_that_go_in_circles_are_left(lms, items):
    again = {"Link": f'<{lms.url}/items>; rel="next"'}
    lms.on("GET", "/items", answer_json([item(lms, 1)], headers=again))

    with pytest.raises(GiveUp) as caught:
        items.all(f"{lms.url}/items")

    assert caught.value.cause == "paging_loop"
    assert len(lms.to("/items")) == 1


FULL = {
    "label": "Old",
    "scoreMaximum": 4.0,
    "resourceId": "mine",
    "tag": "t",
    "resourceLinkId": "link",
    "startDateTime": "2026-11-01T00:00:00Z",
    "endDateTime": "2026-12-01T00:00:00Z",
    "gradesReleased": True,
    "submissionReview": {"reviewableStatus": ["Submitted"]},
    "https://lms.example/own": {"a": 1},
}


def test_g41_a_changed_line_item_keeps_everything_else_that_the_platform_said(lms, items):
    lms.on("GET", "/items/7", answer_json(item(lms, 7, **FULL)))
    lms.on("PUT", "/items/7", lambda seen: answer_json(seen.json))

    changed = items.update(f"{lms.url}/items/7?type_id=1", label="New")

    sent = lms.to("/items/7", "PUT")[0]
    assert sent.json == {**item(lms, 7), **FULL, "label": "New"}
    assert sent.headers["content-type"] == ITEM_TYPE
    assert (changed.label, changed.grades_released) == ("New", True)
    assert changed.submission_review == FULL["submissionReview"]
    assert changed.end_date_time == FULL["endDateTime"]


@pytest.mark.parametrize("changes", [{"scoreMaximum": 5}, {"scoreMaximum": 4.0}, {"id": "x"}])
def test_the_maximum_of_a_line_item_is_never_changed(lms, items, changes):
    with pytest.raises(GiveUp):
        items.update(f"{lms.url}/items/7", changes=changes)

    assert lms.seen == []


def test_a_line_item_is_not_left_without_a_label(lms, items):
    with pytest.raises(GiveUp):
        items.update(f"{lms.url}/items/7", label=" ")

    assert lms.seen == []


@pytest.mark.parametrize(
    ("ask", "scope"),
    [("all", LINE_ITEM), ("results", RESULT_READ), ("delete", LINE_ITEM), ("get", LINE_ITEM)],
)
def test_o09_every_call_asks_for_the_scope_it_needs_and_no_other(lms, items, ask, scope):
    lms.on("GET", "/items/7", answer_json([] if ask == "all" else item(lms, 7)))
    lms.on("GET", "/items/7/results", answer_json([]))
    lms.on("DELETE", "/items/7", Response(b"", status=204))

    getattr(items, ask)(f"{lms.url}/items/7")

    assert [one.form["scope"] for one in lms.to("/token")] == [scope]


def test_o05_a_token_is_renewed_for_a_score_and_the_score_is_sent_whole(lms, items):
    lms.on("POST", "/token", answer_json(GRANT), answer_json({**GRANT, "access_token": "new"}))
    lms.on("POST", "/items/7/scores", Response(b"", status=401), Response(b"", status=204))

    items.score(f"{lms.url}/items/7", score(), passes=frozenset())

    sent = lms.to("/items/7/scores")
    assert [one.headers["authorization"] for one in sent] == ["Bearer t0ken", "Bearer new"]
    assert sent[0].body == sent[1].body


@pytest.fixture(params=[PlatformKind.CANVAS, PlatformKind.MOODLE], ids=lambda kind: kind.value)
def simulator(request):
    subject = request.getfixturevalue(request.param.value)
    is_canvas = request.param is PlatformKind.CANVAS
    platform = simulated_access(subject.state, request.param, subject.url)
    given = live_services()
    opened = LineItems(
        open_client(platform, given),
        given.tokens,
        access=platform,
        reading=LINE_ITEM if is_canvas else LINE_ITEM_READ,
        page_size=50 if is_canvas else None,
    )
    path = (
        f"/api/lti/courses/{subject.course}/line_items"
        if is_canvas
        else f"/mod/lti/services.php/{subject.course}/lineitems?type_id=1"
    )
    rosters = Rosters(open_client(platform, given), given.tokens, access=platform)
    members = (
        f"/api/lti/courses/{subject.course}/names_and_roles"
        if is_canvas
        else f"/mod/lti/services.php/CourseSection/{subject.course}/bindings/1/memberships"
    )
    learner = next(iter(rosters.members(subject.url + members, role=LEARNER))).user_id
    return opened, subject.url + path, learner


def test_a_line_item_lives_a_whole_life_on_a_simulated_platform(simulator):
    items, container, learner = simulator
    made = items.create(container, label="Fractions", maximum=4.0, tag="waymark:f")
    now = datetime.now(UTC)

    items.score(
        made.id,
        score(user_id=learner, timestamp=next_timestamp(now)),
        passes=frozenset(),
    )
    changed = items.update(made.id, label="Fractions and more")

    found = items.find(container, "waymark:f")
    result = items.result(made.id, learner)
    assert changed.label == "Fractions and more"
    assert found is not None
    assert (found.label, found.score_maximum) == ("Fractions and more", 4.0)
    assert result is not None
    assert (result.result_score, result.result_maximum) == (3.0, 4.0)
    items.delete(made.id)
    assert items.find(container, "waymark:f") is None


def test_a_score_is_taken_back_on_a_simulated_platform(simulator):
    items, container, learner = simulator
    made = items.create(container, label="Fractions", maximum=4.0, tag="waymark:f")
    first = next_timestamp(datetime.now(UTC))
    later = next_timestamp(datetime.now(UTC), datetime.fromisoformat(first))

    items.score(made.id, score(user_id=learner, timestamp=first), passes=frozenset())
    items.score(made.id, score(user_id=learner, given=None, timestamp=later), passes=frozenset())

    result = items.result(made.id, learner)
    assert result is None or result.result_score is None


names = st.text(st.characters(categories=["L", "N"]), min_size=1)


@given(pairs=st.lists(st.tuples(names, st.text(st.characters(codec="utf-8")))))
def test_a_query_keeps_what_it_has_and_adds_what_it_is_given(pairs):
    from urllib.parse import parse_qsl, urlsplit

    found = with_query("https://m.example/p?a=1&a=2", pairs)

    parsed = parse_qsl(urlsplit(found).query, keep_blank_values=True)
    assert parsed == [("a", "1"), ("a", "2"), *pairs]
