import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.wrappers import Response

from connectors.advantage import LINE_ITEM_READ, LineItems, OwnScore, with_path, with_query
from connectors.errors import GiveUp, Gone, RetryLater, Unauthorized
from connectors.platform import open_client
from tests.connectors.doubles import access, services
from tests.connectors.serving import answer_json

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


names = st.text(st.characters(categories=["L", "N"]), min_size=1)


@given(pairs=st.lists(st.tuples(names, st.text(st.characters(codec="utf-8")))))
def test_a_query_keeps_what_it_has_and_adds_what_it_is_given(pairs):
    from urllib.parse import parse_qsl, urlsplit

    found = with_query("https://m.example/p?a=1&a=2", pairs)

    parsed = parse_qsl(urlsplit(found).query, keep_blank_values=True)
    assert parsed == [("a", "1"), ("a", "2"), *pairs]
