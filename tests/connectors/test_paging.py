from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import paging
from connectors.errors import GiveUp
from connectors.http import Reply
from connectors.paging import LoopGuard, follow, next_link

BASE = "https://lms.example/api/items?page=1"
NEXT = "https://lms.example/api/items?page=2"


def reply(url, link=""):
    return Reply(platform="LMS", status=200, url=url, headers={"Link": link}, body=b"[]")


@pytest.mark.parametrize(
    "header",
    [
        f'<{NEXT}>; rel="next"',
        f"<{NEXT}>; rel=next",
        f'<{NEXT}>;rel="next"',
        f'<{NEXT}>; rel="NEXT"',
        f'<{NEXT}>; title="a"; rel="next"',
        f'<{NEXT}>; rel="prefetch next"',
        f'<{BASE}>; rel="current",<{NEXT}>; rel="next",<{BASE}>; rel="first"',
        f'<{BASE}>; rel="current", <{NEXT}>; rel="next"',
        "</api/items?page=2>; rel=next",
        "<?page=2>; rel=next",
    ],
)
def test_the_next_page_is_found_however_the_link_is_written(header):
    assert next_link({"Link": header}, BASE) == NEXT


def test_moodles_typographic_quotes_and_escaped_ampersands_are_understood():
    header = "<https://m.example/lineitems?type_id=1&amp;limit=3&amp;from=3>; rel=\u201cnext\u201d"
    as_read = header.encode().decode("latin-1")

    found = next_link({"Link": as_read}, "https://m.example/lineitems?type_id=1")

    assert found == "https://m.example/lineitems?type_id=1&limit=3&from=3"


def test_a_query_that_looks_like_an_entity_stays_as_it_is():
    header = '<https://lms.example/a?x=1&copy=2>; rel="next"'

    assert next_link({"Link": header}, BASE) == "https://lms.example/a?x=1&copy=2"


@pytest.mark.parametrize(
    "header", ["", "rel=next", "<https://x", f'<{NEXT}>; rel="prev"', f"<{NEXT}>", "<>", ",,;="]
)
def test_there_is_no_next_page_where_none_is_named(header):
    assert next_link({"Link": header}, BASE) is None


@given(token=st.text(alphabet=st.characters(codec="ascii", categories=["L", "N"]), min_size=1))
def test_the_case_of_a_bookmark_is_kept(token):
    header = f'<https://lms.example/Items?page=bookmark:{token}>; rel="next"'

    found = next_link({"Link": header}, BASE)

    assert found == f"https://lms.example/Items?page=bookmark:{token}"


@given(header=st.text(), url=st.sampled_from([BASE, NEXT]))
def test_no_header_breaks_the_reader(header, url):
    found = next_link({"Link": header}, url)

    assert found is None or isinstance(found, str)


@given(count=st.integers(min_value=1, max_value=30), relation=st.sampled_from(['"next"', "next"]))
def test_all_pages_come_once_and_in_order(count, relation):
    def fetch(url):
        page = int(url.rpartition("=")[2])
        link = f"<?page={page + 1}>; rel={relation}" if page < count else ""
        return reply(url, link)

    pages = list(follow(BASE, fetch))

    assert [page.url for page in pages] == [
        urljoin(BASE, f"?page={number}") for number in range(1, count + 1)
    ]


def test_a_link_back_is_refused():
    with pytest.raises(GiveUp) as caught:
        list(follow(BASE, lambda url: reply(url, f"<{BASE}>; rel=next")))

    assert caught.value.cause == "paging_loop"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "http://lms.example/api",
        "https://lms.example:8443/",
        "//evil.example/",
    ],
)
def test_a_link_to_another_site_is_refused_before_it_is_asked(elsewhere):
    asked = []

    def fetch(url):
        asked.append(url)
        return reply(url, f"<{elsewhere}>; rel=next")

    with pytest.raises(GiveUp) as caught:
        list(follow(BASE, fetch))

    assert caught.value.cause == "foreign_address"
    assert asked == [BASE]


def test_an_endless_list_is_cut(monkeypatch):
    monkeypatch.setattr(paging, "MOST_PAGES", 3)
    guard = LoopGuard()
    for marker in "abc":
        guard.check(marker, "LMS")

    with pytest.raises(GiveUp):
        guard.check("d", "LMS")
