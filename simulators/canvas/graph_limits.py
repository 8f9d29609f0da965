"""GraphQL: how large a query may be.

Sizes are counted as graphql-ruby does, through fragments: a connection costs one, and its page
size times what is selected of a row; ``pageInfo`` and counts are not multiplied.

Source: canvas.md 2.5; graphql-ruby, complexity and depth.
"""

from collections.abc import Iterator, Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from simulators.canvas.graph_pages import DEFAULT_PAGE, LARGEST_PAGE

DEEPEST = 15
MOST_COMPLEX = 375_000
MOST_ALIASES = 20
MOST_DIRECTIVES = 5
MOST_TOKENS = 5000
_NOT_MULTIPLIED = frozenset({"pageInfo", "totalCount"})

Fragments = Mapping[str, FragmentDefinitionNode]


def beyond_limits(document: DocumentNode) -> list[GraphQLError]:
    """What of a valid query is too much; nothing where it may be run."""
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    return [
        GraphQLError(message)
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
        for message in _complaints(node, fragments)
    ]


def _complaints(operation: OperationDefinitionNode, fragments: Fragments) -> Iterator[str]:
    chosen = operation.selection_set
    everything = list(_all_fields(chosen, fragments))
    depth = _depth(chosen, fragments)
    complexity = sum(_complexity(field, fragments) for field in _fields(chosen, fragments))
    if depth > DEEPEST:
        yield f"Query has depth of {depth}, which exceeds max depth of {DEEPEST}"
    if complexity > MOST_COMPLEX:
        most = MOST_COMPLEX
        yield f"Query has complexity of {complexity}, which exceeds max complexity of {most}"
    if sum(field.alias is not None for field in everything) > MOST_ALIASES:
        yield "max query aliases exceeded"
    if sum(len(field.directives or ()) for field in everything) > MOST_DIRECTIVES:
        yield "max query directives exceeded"


def _fields(chosen: SelectionSetNode | None, fragments: Fragments) -> Iterator[FieldNode]:
    for node in chosen.selections if chosen else ():
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, FragmentSpreadNode):
            yield from _fields(fragments[node.name.value].selection_set, fragments)
        else:
            yield from _fields(getattr(node, "selection_set", None), fragments)


def _all_fields(chosen: SelectionSetNode | None, fragments: Fragments) -> Iterator[FieldNode]:
    for field in _fields(chosen, fragments):
        yield field
        yield from _all_fields(field.selection_set, fragments)


def _depth(chosen: SelectionSetNode | None, fragments: Fragments) -> int:
    below = [_depth(field.selection_set, fragments) for field in _fields(chosen, fragments)]
    return 1 + max(below) if below else 0


def _complexity(field: FieldNode, fragments: Fragments) -> int:
    below = list(_fields(field.selection_set, fragments))
    once = sum(_complexity(one, fragments) for one in below if one.name.value in _NOT_MULTIPLIED)
    each = sum(
        _complexity(one, fragments) for one in below if one.name.value not in _NOT_MULTIPLIED
    )
    times = _page_size(field) if field.name.value.endswith("Connection") else 1
    return 1 + once + each * times


def _page_size(field: FieldNode) -> int:
    """A size that comes as a variable is taken for the largest."""
    given = {argument.name.value: argument.value for argument in field.arguments or ()}
    if "first" not in given:
        return DEFAULT_PAGE
    literal = given["first"]
    return (
        min(int(literal.value), LARGEST_PAGE) if isinstance(literal, IntValueNode) else LARGEST_PAGE
    )
