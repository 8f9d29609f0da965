from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.wrappers import Response

from connectors.advantage import LINE_ITEM_READ, LineItems
from connectors.errors import GiveUp, Gone, RetryLater
from connectors.moodle.words import LineItemColumns
from connectors.platform import PlatformKind, open_client
from mapping.records import ColumnMarks, ColumnSpec, Mark, PassbackWay, WriteState
from tests.connectors.doubles import access, services
from tests.connectors.serving import answer_json

ITEMS = "/mod/lti/services.php/2/lineitems"
ITEM = f"{ITEMS}/454/lineitem"
SPEC = ColumnSpec(tag="tag", title="Waymark: Numbers", way=PassbackWay.WORDS, maximum=4.0)
COUNTED = replace(
    SPEC, way=PassbackWay.MARK_COUNTED, tag="tag:counted", title=f"{SPEC.title} (counts)"
)
NOW = datetime(2026, 11, 21, 2, 0, 0, 750_000, tzinfo=UTC)


def build(lms, **changes):
    platform = access(lms.url, PlatformKind.MOODLE, **changes)
    given = services()
    http = open_client(platform, given)
    items = LineItems(http, given.tokens, access=platform, reading=LINE_ITEM_READ)
    return LineItemColumns(items, platform)


@pytest.fixture
def column(lms):
    lms.on("POST", "/token", answer_json({"access_token": "t", "expires_in": 3600}))
    return build(lms)


def item(lms, **changes):
    facts = {"id": f"{lms.url}{ITEM}?type_id=1", "label": SPEC.title, "resourceId": "tag"}
    return {**facts, "scoreMaximum": 0, **changes}


def result(learner, comment, at=NOW):
    return {
        "id": "r",
        "userId": learner,
        "resultScore": 0,
        "resultMaximum": 0,
        "comment": comment,
        "timestamp": at.isoformat(timespec="seconds"),
    }


def mark(learner="3", words="Mastered"):
    return Mark(learner_ref=learner, words=words)


def write(lms, column, *marks):
    ref = f"{lms.url}{ITEM}?type_id=1"
    return column.write(ColumnMarks(column=ref, spec=SPEC, marks=marks), now=NOW)


def test_a_new_column_is_out_of_nothing_and_read_back(lms, column):
    lms.on("GET", ITEMS, answer_json([]), answer_json([item(lms)]))
    lms.on("POST", ITEMS, answer_json(item(lms), 201))

    ref = column.ensure("2", SPEC)

    assert ref == f"{lms.url}{ITEM}?type_id=1"
    assert lms.to(ITEMS, "POST")[0].json["scoreMaximum"] == 0
    assert lms.seen[-1].method == "GET"
    assert all("limit" not in one.query for one in lms.seen)


def test_a_column_that_a_person_gave_points_is_refused(lms, column):
    lms.on("GET", ITEMS, answer_json([item(lms, scoreMaximum=100)]))

    with pytest.raises(GiveUp) as caught:
        column.ensure("2", SPEC)

    assert caught.value.cause == "would_count"


def test_without_lti_there_is_nowhere_to_write(lms):
    with pytest.raises(GiveUp) as caught:
        build(lms, client_id="").ensure("2", SPEC)

    assert caught.value.cause == "no_services"


def test_our_columns_are_known_by_their_grade_items(lms, column):
    lms.on("GET", ITEMS, answer_json([item(lms)]))

    assert column.own_ids("2") == {"454"}


def test_words_go_out_with_a_whole_second_and_as_nothing_of_one(lms, column):
    lms.on("POST", f"{ITEM}/scores", Response(b"", status=200))
    lms.on("GET", f"{ITEM}/results", answer_json([result("3", "Mastered")]))

    outcomes = write(lms, column, mark())

    sent = lms.to(f"{ITEM}/scores")[0].json
    assert [one.state for one in outcomes] == [WriteState.CONFIRMED]
    assert (sent["scoreGiven"], sent["scoreMaximum"]) == (0.0, 1.0)
    assert sent["timestamp"] == "2026-11-21T02:00:00+00:00"
    assert sent["comment"] == "Mastered"


def test_results_are_read_without_a_limit(lms, column):
    lms.on(
        "GET", f"{ITEM}/results", answer_json([result("3", "Mastered"), {"id": "r", "userId": "4"}])
    )

    found = column.read(f"{lms.url}{ITEM}?type_id=1", SPEC)

    assert {who: (one.words, one.points) for who, one in found.items()} == {"3": ("Mastered", None)}
    assert lms.to(f"{ITEM}/results")[0].query == {"type_id": ["1"]}


@pytest.mark.parametrize(("status", "word"), [(400, "learner"), (500, "locked")])
def test_what_moodle_refuses_for_one_learner_is_explained_and_the_others_go_on(
    lms, column, status, word
):
    lms.on("POST", f"{ITEM}/scores", Response(b"[]", status=status), Response(b"", status=200))
    lms.on("GET", f"{ITEM}/results", answer_json([result("4", "Mastered")]))

    outcomes = write(lms, column, mark("3"), mark("4"))

    assert [one.state for one in outcomes] == [WriteState.REFUSED, WriteState.CONFIRMED]
    assert word in outcomes[0].reason


def test_a_conflict_over_the_same_words_is_settled_by_reading(lms, column):
    lms.on("POST", f"{ITEM}/scores", Response(b"", status=409))
    lms.on("GET", f"{ITEM}/results", answer_json([result("3", "Mastered")]))

    outcomes = write(lms, column, mark())

    assert [one.state for one in outcomes] == [WriteState.CONFIRMED]
    assert len(lms.to(f"{ITEM}/scores")) == 1


def test_a_conflict_within_one_second_is_sent_again_a_second_later(lms, column):
    lms.on("POST", f"{ITEM}/scores", Response(b"", status=409), Response(b"", status=200))
    lms.on(
        "GET",
        f"{ITEM}/results",
        answer_json([result("3", "Developing")]),
        answer_json([result("3", "Mastered")]),
    )

    outcomes = write(lms, column, mark())

    stamps = [one.json["timestamp"] for one in lms.to(f"{ITEM}/scores")]
    assert [one.state for one in outcomes] == [WriteState.CONFIRMED]
    assert stamps == ["2026-11-21T02:00:00+00:00", "2026-11-21T02:00:01+00:00"]


def test_a_second_conflict_is_left_for_the_next_run(lms, column):
    lms.on("POST", f"{ITEM}/scores", Response(b"", status=409))
    lms.on("GET", f"{ITEM}/results", answer_json([result("3", "Developing")]))

    outcomes = write(lms, column, mark())

    assert [one.state for one in outcomes] == [WriteState.UNCONFIRMED]
    assert len(lms.to(f"{ITEM}/scores")) == 2


def test_a_newer_entry_of_a_person_is_left_alone(lms, column):
    newer = result("3", "Well done!", NOW + timedelta(minutes=5))
    lms.on("POST", f"{ITEM}/scores", Response(b"", status=409))
    lms.on("GET", f"{ITEM}/results", answer_json([newer]))

    outcomes = write(lms, column, mark())

    assert [one.state for one in outcomes] == [WriteState.UNCONFIRMED]
    assert "newer" in outcomes[0].reason
    assert len(lms.to(f"{ITEM}/scores")) == 1


def test_words_that_were_taken_but_do_not_show_are_unconfirmed(lms, column):
    lms.on("POST", f"{ITEM}/scores", Response(b"", status=200))
    lms.on("GET", f"{ITEM}/results", answer_json([]))

    assert [one.state for one in write(lms, column, mark())] == [WriteState.UNCONFIRMED]


def test_broken_lines_are_the_same_words(lms, column):
    lms.on("POST", f"{ITEM}/scores", Response(b"", status=200))
    lms.on("GET", f"{ITEM}/results", answer_json([result("3", "Mastered\r\n(3 of 3) ")]))

    outcomes = write(lms, column, mark(words="Mastered (3 of 3)"))

    assert [one.state for one in outcomes] == [WriteState.CONFIRMED]


@pytest.mark.parametrize(("status", "kind"), [(404, Gone), (502, RetryLater), (503, RetryLater)])
def test_a_trouble_of_the_whole_column_ends_the_write(lms, column, status, kind):
    lms.on("POST", f"{ITEM}/scores", Response(b"<html>", status=status))

    with pytest.raises(kind):
        write(lms, column, mark())


def counted(lms, **changes):
    return item(lms, label=COUNTED.title, resourceId=COUNTED.tag, scoreMaximum=4, **changes)


def scored(learner, points, comment, at=NOW):
    return {**result(learner, comment, at), "resultScore": points, "resultMaximum": 4}


def write_counted(lms, column, *marks):
    ref = f"{lms.url}{ITEM}?type_id=1"
    return column.write(ColumnMarks(column=ref, spec=COUNTED, marks=marks), now=NOW)


def test_a_column_that_counts_is_out_of_the_scales_points(lms, column):
    lms.on("GET", ITEMS, answer_json([item(lms)]), answer_json([counted(lms)]))
    lms.on("POST", ITEMS, answer_json(counted(lms), 201))

    column.ensure("2", COUNTED)

    sent = lms.to(ITEMS, "POST")[0].json
    assert (sent["scoreMaximum"], sent["resourceId"]) == (4.0, COUNTED.tag)


def test_a_column_that_counts_and_whose_maximum_was_changed_is_refused(lms, column):
    lms.on("GET", ITEMS, answer_json([{**counted(lms), "scoreMaximum": 100}]))

    with pytest.raises(GiveUp) as caught:
        column.ensure("2", COUNTED)

    assert caught.value.cause == "maximum_changed"
    assert {one.method for one in lms.seen if one.path != "/token"} == {"GET"}


def test_a_mark_that_counts_goes_out_with_points_and_words(lms, column):
    lms.on("POST", f"{ITEM}/scores", Response(b"", status=200))
    lms.on("GET", f"{ITEM}/results", answer_json([scored("3", 3.2, "Mastered")]))

    outcomes = write_counted(lms, column, Mark(learner_ref="3", words="Mastered", points=3.2))

    sent = lms.to(f"{ITEM}/scores")[0].json
    assert [one.state for one in outcomes] == [WriteState.CONFIRMED]
    assert (sent["scoreGiven"], sent["scoreMaximum"], sent["comment"]) == (3.2, 4.0, "Mastered")
    assert sent["gradingProgress"] == "FullyGraded"


@pytest.mark.parametrize("entry", [scored("3", 3.0, "Mastered"), scored("3", 3.2, "Emerging")])
def test_a_mark_that_does_not_show_whole_is_unconfirmed(lms, column, entry):
    lms.on("POST", f"{ITEM}/scores", Response(b"", status=200))
    lms.on("GET", f"{ITEM}/results", answer_json([entry]))

    outcomes = write_counted(lms, column, Mark(learner_ref="3", words="Mastered", points=3.2))

    assert [one.state for one in outcomes] == [WriteState.UNCONFIRMED]


def test_a_mark_that_counts_is_taken_back_by_emptying_the_cell(lms, column):
    lms.on("POST", f"{ITEM}/scores", Response(b"", status=200))
    lms.on("GET", f"{ITEM}/results", answer_json([{"id": "r", "userId": "3"}]))

    outcomes = write_counted(lms, column, Mark(learner_ref="3", words="More evidence needed"))

    assert [one.state for one in outcomes] == [WriteState.CONFIRMED]
    assert "scoreGiven" not in lms.to(f"{ITEM}/scores")[0].json


def test_what_a_column_that_counts_says_has_points_and_words(lms, column):
    rows = [scored("3", 3.2, "Mastered"), scored("4", 1, None), {"id": "r", "userId": "5"}]
    lms.on("GET", f"{ITEM}/results", answer_json(rows))

    found = column.read(f"{lms.url}{ITEM}?type_id=1", COUNTED)

    assert {who: (one.points, one.words) for who, one in found.items()} == {
        "3": (3.2, "Mastered"),
        "4": (1.0, None),
    }
