"""Changing a framework by hand, one competency at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mapping.forests import depth_first
from mapping.progressions.graph import acyclic
from mapping.records import Competency, CompetencyLink, Framework, LinkKind


class EditRefused(ValueError):  # noqa: N818 - named for what happened
    """A framework cannot be changed so.

    Attributes:
        problems: A sentence for each field that is wrong.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)


def with_competency(framework: Framework, one: Competency, *, after: Sequence[str]) -> Framework:
    """A framework with a competency that is new, or another one than it was.

    Args:
        framework: As it is.
        one: By its identifier; where it is new, it becomes the last of its family.
        after: Codes of the competencies that it comes after.

    Returns:
        The framework, in order.

    Raises:
        EditRefused: The code is another one's, or what it is part of or comes after is not there
            or makes a circle.
    """
    before = {known.identifier: known for known in framework.competencies}
    by_code = {known.code: known.identifier for known in framework.competencies}
    now = {**before, one.identifier: one}
    forest = depth_first((name, known.parent) for name, known in now.items())
    links = _links(framework, one, [by_code.get(code, "") for code in after])
    problems = {
        "code": _code_problem(one, by_code, before),
        "parent": _parent_problem(one, before, is_circle=bool(forest.cut)),
        "after": _after_problem(links, [code for code in after if code not in by_code]),
    }
    found = {field: sentence for field, sentence in problems.items() if sentence}
    if found:
        raise EditRefused(found)
    return replace(framework, competencies=_numbered(now, forest.order), links=links)


def without_competency(framework: Framework, identifier: str) -> Framework:
    """A framework without a competency, and without the links it had.

    Args:
        framework: As it is.
        identifier: Of what goes.

    Returns:
        The framework, in order.

    Raises:
        EditRefused: It groups others.
    """
    parts = sum(one.parent == identifier for one in framework.competencies)
    if parts:
        raise EditRefused(
            {"archive": f"It groups {parts} others. Move those elsewhere, or archive them first."}
        )
    kept = {one.identifier: one for one in framework.competencies if one.identifier != identifier}
    return replace(
        framework,
        competencies=_numbered(kept, list(kept)),
        links=tuple(
            one for one in framework.links if identifier not in {one.origin, one.destination}
        ),
    )


def _numbered(found: Mapping[str, Competency], order: Sequence[str]) -> tuple[Competency, ...]:
    strands = {one.parent for one in found.values()}
    return tuple(
        replace(found[name], position=position, is_strand=found[name].is_strand or name in strands)
        for position, name in enumerate(order)
    )


def _links(
    framework: Framework, one: Competency, after: Sequence[str]
) -> tuple[CompetencyLink, ...]:
    kept = [
        link
        for link in framework.links
        if link.kind is not LinkKind.PRECEDES or link.destination != one.identifier
    ]
    precedes = [
        CompetencyLink(origin=name, kind=LinkKind.PRECEDES, destination=one.identifier)
        for name in dict.fromkeys(after)
        if name
    ]
    return (*kept, *precedes)


def _code_problem(
    one: Competency, by_code: Mapping[str, str], before: Mapping[str, Competency]
) -> str:
    bearer = by_code.get(one.code, one.identifier)
    is_taken = bearer != one.identifier or (one.code in before and one.code != one.identifier)
    return (
        f"The code {one.code} is another competency's. Choose one of its own." if is_taken else ""
    )


def _parent_problem(one: Competency, before: Mapping[str, Competency], *, is_circle: bool) -> str:
    if one.parent is not None and one.parent not in before:
        return "What it is part of is not there any more. Choose another one."
    return "It cannot be part of itself, or of its own parts." if is_circle else ""


def _after_problem(links: Sequence[CompetencyLink], unknown: Sequence[str]) -> str:
    if unknown:
        return f"There is no competency {', '.join(unknown)} here. Give codes of this framework."
    ahead = [(one.origin, one.destination) for one in links if one.kind is LinkKind.PRECEDES]
    is_circle = any(origin == then for origin, then in ahead) or acyclic(ahead)[1]
    return "It would come before and after another one at once." if is_circle else ""
