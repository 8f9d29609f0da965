"""Pages that come twice or lead in a circle, at each of Canvas's kinds of paging."""

import pytest

QUERY = """
query ($after: String) { course(id: "101") { submissionsConnection(first: 5, after: $after) {
  nodes { _id } pageInfo { hasNextPage endCursor } } } }
"""
ORDINAL = "/courses/101/assignments?per_page=2"
BOOKMARKED = "/courses/101/students/submissions?student_ids[]=all&per_page=4"
MOST_PAGES = 8


def read_links(_browser, rest, path):
    """Ids of each page, as long as there is a next one, but not for ever."""
    pages, url = [], path
    while url and len(pages) < MOST_PAGES:
        answer = rest("GET", url)
        pages.append([row["id"] for row in answer.json])
        links = dict(
            reversed(link.split("; ")) for link in answer.headers.get("link", "").split(",")
        )
        found = links.get('rel="next"', "").strip("<>")
        url = found.partition("/api/v1")[2]
    return pages


def read_graph(browser, _rest, _path):
    pages, after = [], None
    headers = {"Authorization": "Bearer manual-token"}
    while len(pages) < MOST_PAGES:
        sent = {"query": QUERY, "variables": {"after": after}}
        answer = browser.post("/api/graphql", json=sent, headers=headers).json
        found = answer["data"]["course"]["submissionsConnection"]
        pages.append([row["_id"] for row in found["nodes"]])
        if not found["pageInfo"]["hasNextPage"]:
            break
        after = found["pageInfo"]["endCursor"]
    return pages


KINDS = [(read_links, ORDINAL), (read_links, BOOKMARKED), (read_graph, "")]


@pytest.mark.parametrize(("read", "path"), KINDS)
@pytest.mark.parametrize("at", [1, 2])
def test_a_page_comes_twice_and_then_it_goes_on(browser, rest, read, path, at):
    whole = read(browser, rest, path)
    browser.post("/_control/faults", json={"mode": "duplicate_page", "at": at, "times": 1})

    pages = read(browser, rest, path)

    assert len(whole) > 1
    assert pages == [*whole[:at], *whole[at - 1 :]]


@pytest.mark.parametrize(("read", "path"), KINDS)
def test_a_page_leads_back_to_itself_for_ever(browser, rest, read, path):
    first, second = read(browser, rest, path)[:2]
    browser.post("/_control/faults", json={"mode": "page_loop", "at": 2})

    pages = read(browser, rest, path)

    assert pages == [first, *[second] * (MOST_PAGES - 1)]


@pytest.mark.parametrize(("mode", "status"), [("bad_gateway", 502), ("html", 502), ("down", 503)])
def test_pages_for_people_are_spared(browser, rest, mode, status):
    browser.post("/_control/faults", json={"mode": mode})

    assert rest("GET", ORDINAL).status_code == status
    assert browser.get("/").status_code == 200
