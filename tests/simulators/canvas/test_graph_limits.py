import pytest
from graphql import parse

from simulators.canvas.graph_limits import beyond_limits


def complaints(text):
    return [error.message for error in beyond_limits(parse(text))]


def rows(count, below="_id"):
    return f"submissionsConnection(first: {count}) {{ nodes {{ {below} }} }}"


@pytest.mark.parametrize(
    ("text", "complexity"),
    [
        (f"{{ course {{ {rows(100, rows(100, rows(37, '_id')))} }} }}", 760_202),
        (f"{{ course {{ {rows(100, rows(1000, rows(40)))} }} }}", 820_202),
    ],
)
def test_page_sizes_multiply_and_are_clamped_to_a_hundred(text, complexity):
    assert complaints(text) == [
        f"Query has complexity of {complexity}, which exceeds max complexity of 375000"
    ]


def test_what_is_below_the_limit_may_be_asked():
    assert complaints(f"{{ course {{ {rows(100, rows(100))} }} }}") == []


@pytest.mark.parametrize(("size", "is_too_much"), [(100, True), (92, False)])
def test_a_connection_without_a_size_has_twenty_rows(size, is_too_much):
    text = f"{{ submissionsConnection {{ nodes {{ {rows(100, rows(size))} }} }} }}"

    assert bool(complaints(text)) is is_too_much


def test_a_size_that_is_a_variable_is_taken_for_the_largest():
    text = (
        "query($n: Int) { a: submissionsConnection(first: $n) { nodes { "
        + rows(100, rows(20))
        + " } } }"
    )

    assert "complexity of" in complaints(text)[0]


def test_aliases_inside_fragments_count_each_time():
    spreads = " ".join(f"a{n}: course {{ ...two }}" for n in range(7))
    text = f"{{ {spreads} }} fragment two on Course {{ x: name y: name }}"

    assert complaints(text) == ["max query aliases exceeded"]
    assert complaints(text.replace("a6: ", "")) == []


def test_fragments_have_depth():
    deep = "a { " * 14 + "...f" + " }" * 14

    assert complaints(f"{{ {deep} }} fragment f on X {{ b {{ c }} }}") == [
        "Query has depth of 16, which exceeds max depth of 15"
    ]
    assert complaints(f"{{ {deep} }} fragment f on X {{ b }}") == []


def test_directives_are_counted():
    fields = " ".join(f"f{n} @skip(if: false)" for n in range(6))

    assert complaints(f"{{ {fields} }}") == ["max query directives exceeded"]
