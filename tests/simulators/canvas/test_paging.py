import base64
import re

import pytest

SUBMISSIONS = "/courses/101/students/submissions?student_ids[]=all"


def rels(answer):
    return re.findall(r'rel="(\w+)"', answer.headers.get("Link", ""))


def target(answer, rel):
    found = re.search(rf'<http://localhost/api/v1([^>]*)>; rel="{rel}"', answer.headers["Link"])
    return found[1] if found else None


def test_a_page_has_ten_rows_unless_told_and_never_more_than_a_hundred(rest, state):
    with state:
        state.executemany(
            "INSERT INTO columns (course_id, title, position) VALUES (101, ?, 1)",
            [(f"Column {number}",) for number in range(130)],
        )
    path = "/courses/101/custom_gradebook_columns"

    assert len(rest("GET", path).json) == 10
    assert len(rest("GET", f"{path}?per_page=1000").json) == 100
    assert len(rest("GET", f"{path}?per_page=0").json) == 1


def test_links_come_in_canvas_order_and_without_spaces_between(rest):
    answer = rest("GET", "/courses/101/assignments?per_page=2&page=2")

    assert rels(answer) == ["current", "next", "prev", "first", "last"]
    assert ", " not in answer.headers["Link"]
    assert target(answer, "last").endswith("page=3&per_page=2")


def test_the_echoed_query_keeps_filters_but_no_token(rest):
    answer = rest("GET", "/courses/101/assignments?search_term=e&per_page=1&access_token=x")

    assert "search_term=e" in target(answer, "next")
    assert "access_token" not in answer.headers["Link"]


def test_following_next_gives_every_row_once(rest):
    path, found = f"{SUBMISSIONS}&per_page=5", []
    while path:
        answer = rest("GET", path)
        found += [row["id"] for row in answer.json]
        path = target(answer, "next")

    assert len(found) == 4 * 3
    assert found == sorted(set(found))


def test_a_page_beyond_the_end_is_empty_not_missing(rest):
    answer = rest("GET", "/courses/101/assignments?page=99")

    assert answer.status_code == 200
    assert answer.json == []


@pytest.mark.parametrize("page", ["abc", "0", "-1"])
def test_a_page_that_is_no_number_is_404(rest, page):
    assert rest("GET", f"/courses/101/assignments?page={page}").status_code == 404


def test_bookmarked_lists_know_no_last_page(rest):
    assert rels(rest("GET", f"{SUBMISSIONS}&per_page=5")) == ["current", "next", "first"]


def test_descending_submissions_are_paged_by_number(rest):
    answer = rest("GET", f"{SUBMISSIONS}&per_page=5&order_direction=descending")

    ids = [row["id"] for row in answer.json]
    assert ids == sorted(ids, reverse=True)
    assert "last" in rels(answer)


@pytest.mark.parametrize(
    "mangle",
    [
        str.lower,
        lambda token: token + "!",
        lambda _token: "bookmark:" + base64.b64encode(b'{"a":1}').decode(),
        lambda _token: "nonsense",
    ],
)
def test_a_mangled_bookmark_silently_starts_over(rest, mangle):
    first = rest("GET", f"{SUBMISSIONS}&per_page=5")
    token = re.search(r"page=(bookmark%3A[^&]+)", target(first, "next"))[1].replace("%3A", ":")

    second = rest("GET", f"{SUBMISSIONS}&per_page=5&page={mangle(token)}")

    assert second.status_code == 200
    assert second.json == first.json


def test_an_intact_bookmark_goes_on(rest):
    first = rest("GET", f"{SUBMISSIONS}&per_page=5")

    second = rest("GET", target(first, "next"))

    assert {row["id"] for row in first.json}.isdisjoint(row["id"] for row in second.json)


@pytest.mark.parametrize(
    ("length", "kept"),
    [
        (100, ["current", "next", "first", "last"]),
        (1800, ["current", "next", "last"]),
        (4000, ["next"]),
    ],
)
def test_the_link_header_drops_links_beyond_six_kilobytes_and_next_last(rest, length, kept):
    answer = rest("GET", f"/courses/101/enrollments?per_page=1&note={'x' * length}")

    assert len(answer.headers["Link"]) <= 6 * 1024
    assert rels(answer) == kept


def test_graded_order_pages_with_a_bookmark_too(rest):
    path = f"{SUBMISSIONS}&per_page=3&order=graded_at"

    first = rest("GET", path)
    second = rest("GET", target(first, "next"))

    moments = [row["graded_at"] or "9" for row in first.json + second.json]
    assert moments == sorted(moments)
    assert len({row["id"] for row in first.json + second.json}) == 6
