import pytest

COLUMNS = "/courses/101/custom_gradebook_columns"
BULK = "/courses/101/custom_gradebook_column_data"


@pytest.fixture
def column(rest):
    return rest("POST", COLUMNS, json={"column": {"title": "Mastery", "read_only": True}}).json


@pytest.fixture
def write(rest, column):
    def put(*rows):
        cells = [
            {
                "column_id": row[2] if len(row) > 2 else column["id"],
                "user_id": row[0],
                "content": row[1],
            }
            for row in rows
        ]
        return rest("PUT", BULK, json={"column_data": cells}).json

    return put


@pytest.fixture
def data(rest, column):
    def read():
        rows = rest("GET", f"{COLUMNS}/{column['id']}/data").json
        return {row["user_id"]: row["content"] for row in rows}

    return read


def test_a_column_is_created_listed_changed_and_deleted(rest, column):
    path = f"{COLUMNS}/{column['id']}"

    assert column["read_only"] is True
    assert [row["title"] for row in rest("GET", COLUMNS).json] == ["Mastery"]
    assert rest("PUT", path, json={"column": {"title": "Growth"}}).json["title"] == "Growth"
    assert rest("DELETE", path).status_code == 200
    assert rest("GET", COLUMNS).json == []


def test_a_hidden_column_is_shown_only_when_asked_for(rest):
    rest("POST", COLUMNS, data={"column[title]": "Secret", "column[hidden]": "true"})

    assert rest("GET", COLUMNS).json == []
    assert len(rest("GET", f"{COLUMNS}?include_hidden=true").json) == 1


def test_there_is_at_most_one_column_of_teacher_notes(rest):
    notes = {"column": {"title": "Notes", "teacher_notes": True}}

    assert rest("POST", COLUMNS, json=notes).status_code == 201
    assert rest("POST", COLUMNS, json=notes).status_code == 400


@pytest.mark.parametrize("title", ["", "x" * 256])
def test_a_bad_title_is_400(rest, title):
    refused = rest("POST", COLUMNS, json={"column": {"title": title}})

    assert refused.status_code == 400
    assert "title" in refused.json["errors"]


def test_bulk_words_arrive_only_when_the_progress_is_done(rest, write, data, clock):
    progress = write((3, "Proficient (3 of 4)"), (4, "Developing (2 of 4)"))

    assert progress["workflow_state"] == "queued"
    assert progress["tag"] == "custom_columns_submissions_update"
    assert data() == {}

    clock.pass_by(1.5)
    done = rest("GET", f"/progress/{progress['id']}").json
    assert (done["workflow_state"], done["completion"]) == ("completed", 100)
    assert data() == {3: "Proficient (3 of 4)", 4: "Developing (2 of 4)"}


def test_the_delay_can_be_set(write, data, clock, configure):
    configure(progress_seconds="60")
    write((3, "Proficient"))

    clock.pass_by(59)
    assert data() == {}
    clock.pass_by(2)
    assert data() == {3: "Proficient"}


def test_blank_words_take_the_cell_away(write, data, clock):
    write((3, "Proficient"))
    clock.pass_by(2)
    assert data() == {3: "Proficient"}

    write((3, " "))
    clock.pass_by(2)
    assert data() == {}


def test_unknown_columns_are_skipped_and_unknown_users_written(write, data, clock, rest):
    progress = write((3, "lost", 999), (424242, "written"))
    clock.pass_by(2)

    assert rest("GET", f"/progress/{progress['id']}").json["workflow_state"] == "completed"
    assert data() == {424242: "written"}


def test_a_text_too_long_fails_the_job_after_what_was_before_it(write, data, clock, rest):
    progress = write((3, "before"), (4, "x" * 256), (5, "after"))
    clock.pass_by(2)

    failed = rest("GET", f"/progress/{progress['id']}").json
    assert failed["workflow_state"] == "failed"
    assert "255" in failed["message"]
    assert data() == {3: "before"}


def test_255_characters_fit(write, data, clock):
    write((3, "é" * 255))
    clock.pass_by(2)

    assert data() == {3: "é" * 255}


def test_one_cell_can_be_written_at_once(rest, column, data):
    path = f"{COLUMNS}/{column['id']}/data/3"

    assert rest("PUT", path, data={"column_data[content]": "Now"}).status_code == 200
    assert data() == {3: "Now"}
    assert rest("PUT", path, json={"column_data": {"content": "x" * 256}}).status_code == 400


def test_words_do_not_touch_any_course_grade(browser, write, clock):
    before = browser.get("/_control/course_grades?course=101").json
    write((3, "Proficient"))
    clock.pass_by(2)

    assert browser.get("/_control/course_grades?course=101").json == before


def test_written_cells_are_counted(browser, write):
    write((3, "a"), (4, "b"))

    writes = browser.get("/_control/counters").json["writes"]
    assert writes["column_cells_written"] == 2
    assert writes["columns_created"] == 1


def test_an_unknown_progress_is_404(rest):
    assert rest("GET", "/progress/77").status_code == 404
