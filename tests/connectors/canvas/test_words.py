import pytest
from werkzeug.wrappers import Response

from connectors.canvas.rest import CanvasRest
from connectors.canvas.words import WordsColumn
from connectors.errors import Unauthorized
from connectors.platform import open_client
from mapping.records import ColumnMarks, ColumnSpec, Mark, PassbackWay, WriteState
from tests.connectors.doubles import access, services
from tests.connectors.serving import answer_json

COLUMNS = "/api/v1/courses/5/custom_gradebook_columns"
DATA = f"{COLUMNS}/8/data"
BULK = "/api/v1/courses/5/custom_gradebook_column_data"
SPEC = ColumnSpec(tag="t", title="Waymark: Numbers", way=PassbackWay.WORDS, maximum=4.0)


@pytest.fixture
def column(lms, clock):
    platform = access(lms.url)
    rest = CanvasRest(open_client(platform, services(clock)), platform)
    return WordsColumn(rest, clock.sleep)


def mark(learner, words="Mastered"):
    return Mark(learner_ref=learner, words=words)


def write(column, *marks):
    """Write to one column; its outcomes."""
    return column.write("5", [ColumnMarks(column="8", spec=SPEC, marks=marks)])[0]


def progress(state):
    return answer_json({"id": "77", "workflow_state": state})


def test_a_column_is_found_by_its_title_on_any_page(lms, column):
    more = {"Link": f'<{lms.url}/page2>; rel="next"'}
    lms.on("GET", COLUMNS, answer_json([{"id": "1", "title": "Notes"}], headers=more))
    lms.on("GET", "/page2", answer_json([{"id": "8", "title": SPEC.title}]))

    assert column.ensure("5", SPEC) == "8"
    assert lms.to(COLUMNS)[0].query["include_hidden"] == ["true"]


def test_the_teachers_notes_are_never_ours(lms, column):
    notes = {"id": "1", "title": SPEC.title, "teacher_notes": True}
    lms.on("GET", COLUMNS, answer_json([notes]))
    lms.on("POST", COLUMNS, answer_json({"id": "8", "title": SPEC.title}, 201))

    assert column.ensure("5", SPEC) == "8"


def test_a_new_column_is_visible_and_read_only(lms, column):
    lms.on("GET", COLUMNS, answer_json([]))
    lms.on("POST", COLUMNS, answer_json({"id": "8", "title": SPEC.title}, 201))

    column.ensure("5", SPEC)

    sent = lms.to(COLUMNS, "POST")[0].json
    assert sent == {"column": {"title": SPEC.title, "hidden": False, "read_only": True}}


def test_requests_ask_for_ids_as_text(lms, column):
    lms.on("GET", DATA, answer_json([]))

    column.read("5", "8")

    assert lms.seen[0].headers["accept"] == "application/json+canvas-string-ids"
    assert lms.seen[0].headers["authorization"] == "Bearer secret-api-token"
    assert lms.seen[0].query["per_page"] == ["100"]


def test_empty_cells_are_no_marks(lms, column):
    cells = [{"user_id": "3", "content": "Mastered"}, {"user_id": "4", "content": ""}]
    lms.on("GET", DATA, answer_json(cells))

    assert {who: one.words for who, one in column.read("5", "8").items()} == {"3": "Mastered"}


def test_the_whole_column_goes_in_one_request_and_is_awaited(lms, column, clock):
    lms.on("PUT", BULK, progress("queued"))
    lms.on("GET", "/api/v1/progress/77", progress("running"), progress("completed"))
    lms.on("GET", DATA, answer_json([{"user_id": "3", "content": "Mastered"}]))

    outcomes = write(column, mark("3"))

    sent = lms.to(BULK)[0].json
    assert sent == {"column_data": [{"column_id": "8", "user_id": "3", "content": "Mastered"}]}
    assert [one.state for one in outcomes] == [WriteState.CONFIRMED]
    assert len(clock.slept) == 2


def test_columns_written_together_go_in_one_request(lms, column):
    other = f"{COLUMNS}/9/data"
    lms.on("PUT", BULK, progress("completed"))
    lms.on("GET", DATA, answer_json([{"user_id": "3", "content": "Mastered"}]))
    lms.on("GET", other, answer_json([{"user_id": "3", "content": "Developing"}]))

    outcomes = column.write(
        "5",
        [
            ColumnMarks(column="8", spec=SPEC, marks=[mark("3")]),
            ColumnMarks(column="9", spec=SPEC, marks=[mark("3", "Developing")]),
        ],
    )

    assert [[one.state for one in column] for column in outcomes] == [
        [WriteState.CONFIRMED],
        [WriteState.CONFIRMED],
    ]
    assert [len(one.json["column_data"]) for one in lms.to(BULK)] == [2]


def test_large_columns_go_in_batches(lms, column):
    lms.on("PUT", BULK, progress("completed"))
    lms.on("GET", DATA, answer_json([]))

    write(column, *(mark(str(number)) for number in range(1001)))

    assert [len(one.json["column_data"]) for one in lms.to(BULK)] == [500, 500, 1]


def test_a_cell_that_does_not_say_what_was_written_is_refused(lms, column):
    lms.on("PUT", BULK, progress("completed"))
    lms.on("GET", DATA, answer_json([{"user_id": "3", "content": "Else"}]))

    outcome = write(column, mark("3"))[0]

    assert outcome.state is WriteState.REFUSED
    assert outcome.reason


def test_a_failed_job_leaves_what_is_not_seen_unconfirmed(lms, column):
    lms.on("PUT", BULK, progress("failed"))
    lms.on("GET", DATA, answer_json([{"user_id": "3", "content": "Mastered"}]))

    outcomes = write(column, mark("3"), mark("4"))

    assert [one.state for one in outcomes] == [WriteState.CONFIRMED, WriteState.UNCONFIRMED]


def test_patience_with_a_long_queue_has_an_end(lms, column, clock):
    lms.on("PUT", BULK, progress("queued"))
    lms.on("GET", "/api/v1/progress/77", progress("queued"))
    lms.on("GET", DATA, answer_json([]))

    outcomes = write(column, mark("3"))

    assert [one.state for one in outcomes] == [WriteState.UNCONFIRMED]
    assert 60 < sum(clock.slept) < 180


def test_words_that_are_too_long_are_not_even_sent(lms, column):
    lms.on("GET", DATA, answer_json([]))

    outcome = write(column, mark("3", "x" * 256))[0]

    assert outcome.state is WriteState.REFUSED
    assert lms.to(BULK) == []


def test_without_a_token_nothing_is_asked(lms, clock):
    platform = access(lms.url, api_token="")
    rest = CanvasRest(open_client(platform, services(clock)), platform)

    with pytest.raises(Unauthorized) as caught:
        WordsColumn(rest, clock.sleep).ensure("5", SPEC)

    assert caught.value.cause == "no_token"
    assert lms.seen == []


def test_a_token_that_lacks_the_right_is_told(lms, column):
    lms.on("GET", COLUMNS, Response(b'{"status":"unauthorized"}', status=403))

    with pytest.raises(Unauthorized):
        column.ensure("5", SPEC)
