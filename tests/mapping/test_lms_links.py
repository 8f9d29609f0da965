"""What an LMS links work to is kept as text and comes back the same."""

from hypothesis import given
from hypothesis import strategies as st

from mapping.lms_links import bounded, links_as_text, links_of_text

LINKS = st.lists(st.lists(st.text(), min_size=1, max_size=3).map(tuple), max_size=4).map(tuple)


@given(LINKS)
def test_links_come_back_from_their_text(links):
    assert links_of_text(links_as_text(links)) == links


def test_no_link_is_an_empty_text():
    assert links_as_text(()) == ""


def test_names_that_are_none_are_left_out_and_links_without_a_name_with_them():
    found = bounded(
        [("", "x" * 513, "a"), ("",), ("a",), ("b", "c"), *[(str(n),) for n in range(99)]]
    )

    assert found[:2] == (("a",), ("b", "c"))
    assert len(found) == 50
