"""Mapping rules as CSV, one rule a line.

Columns: framework, competency (both required), school, course, line_item, category, criterion
(shell patterns, empty for any), weight (above 0, default 1), kind (recall, skill, application,
observation, self or external; default skill), counts_as (``pass 60``, or ``50 70 90`` for the
percents at which the second, third and fourth level begin; default as it is). A competency ``*``
means those that the LMS itself links the work to. Order matters: for one line item and competency
the first rule holds.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from interchange.errors import FileRefused
from interchange.tabular import Row, read_table, write_table
from mapping.records import EvidenceKind, MappingRule
from mapping.steps import StepsRefused, steps_of, steps_text

COLUMNS = (
    "framework",
    "competency",
    "school",
    "course",
    "line_item",
    "category",
    "criterion",
    "weight",
    "kind",
    "counts_as",
)
_KINDS = tuple(kind.value for kind in EvidenceKind)
_REQUIRED = ("framework", "competency")
_LONGEST = 512
_BEYOND = "\0"
"""No column has this name."""
_HEAVIEST = 1_000_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingRows:
    """What a file holds: rules with the lines they stand on, and what is wrong with the others."""

    rules: Sequence[tuple[int, MappingRule]]
    problems: Sequence[str]


def read_mapping(data: bytes) -> tuple[MappingRule, ...]:
    """Read mapping rules, all or nothing.

    Args:
        data: CSV, header first, in any encoding and with any delimiter of ``read_table``.

    Returns:
        The rules in the order of the file.

    Raises:
        FileRefused: With every line that is wrong; nothing is read in part.
    """
    found = read_mapping_rows(data)
    if found.problems:
        raise FileRefused(found.problems)
    return tuple(rule for _, rule in found.rules)


def read_mapping_rows(data: bytes) -> MappingRows:
    """Read mapping rules line by line, as ``read_mapping`` does, and tell what is wrong with some.

    Raises:
        FileRefused: It is no such table at all.
    """
    table = read_table(data)
    problems = _header_problems(table.header)
    if problems:
        raise FileRefused(problems)
    rules: list[tuple[int, MappingRule]] = []
    for found in table.rows:
        row = _by_name(table.header, found)
        wrong = _problems(row)
        problems.extend(f"Line {found.line}: {sentence}" for sentence in wrong)
        if not wrong:
            rules.append((found.line, _rule(row)))
    return MappingRows(rules=rules, problems=problems)


def write_mapping(rules: Iterable[MappingRule]) -> bytes:
    """Mapping rules as CSV that ``read_mapping`` reads as the same; a spreadsheet opens it safely.

    White space around a pattern is not kept.
    """
    return write_table(
        COLUMNS,
        (
            (
                *(rule.framework, rule.competency, rule.school, rule.course),
                *(rule.line_item, rule.category, rule.criterion),
                *(repr(rule.weight), rule.kind.value, steps_text(rule.steps)),
            )
            for rule in rules
        ),
    )


def rule_problems(said: Mapping[str, str]) -> Mapping[str, str]:
    """What is wrong with a rule that was typed, by the column it is about."""
    return {
        name: sentence for name in COLUMNS if (sentence := next(iter(_problems_of(name, said)), ""))
    }


def typed_rule(said: Mapping[str, str]) -> MappingRule:
    """A rule of what was typed for its columns; nothing is wrong with it."""
    return _rule({name: text.strip() for name, text in said.items()})


def _by_name(header: Sequence[str], row: Row) -> dict[str, str]:
    """The cells of a row by their columns; what stands beyond them by no name."""
    beyond = "".join(row.cells[len(header) :])
    found = {name: row.cell(at) for at, name in enumerate(header)}
    return {**found, _BEYOND: beyond} if beyond else found


def _header_problems(given: Sequence[str]) -> list[str]:
    problems = [f"The column {name} is missing." for name in _REQUIRED if name not in given]
    problems.extend(
        f"The column {name!r} is not known; the columns are {', '.join(COLUMNS)}."
        for name in given
        if name not in COLUMNS
    )
    problems.extend(
        f"The column {name} is there more than once." for name in COLUMNS if given.count(name) > 1
    )
    return problems


def _text(row: Mapping[str, str], name: str) -> str:
    return row.get(name, "")


def _problems(row: Mapping[str, str]) -> list[str]:
    problems = [sentence for name in COLUMNS for sentence in _problems_of(name, row)]
    if _BEYOND in row:
        problems.append("it has more values than the header has columns.")
    return problems


def _problems_of(name: str, row: Mapping[str, str]) -> Iterator[str]:
    text = _text(row, name)
    if name in _REQUIRED and not text:
        yield f"{name} is empty."
    if len(text) > _LONGEST:
        yield f"{name} is longer than {_LONGEST} characters."
    if "\0" in text:
        yield f"{name} holds a null character."
    if name == "weight" and not 0 < _weight(row) <= _HEAVIEST:
        yield f"the weight {text!r} is not a number above 0."
    if name == "counts_as":
        yield from _steps_problems(text)
    if name == "kind" and text.lower() not in ("", *_KINDS):
        yield f"the kind {text!r} is none of {', '.join(_KINDS)}."


def _steps_problems(text: str) -> Iterator[str]:
    try:
        steps_of(text)
    except StepsRefused as error:
        yield f"{text!r} does not say how a score counts. {error}"


def _weight(row: Mapping[str, str]) -> float:
    try:
        return float(_text(row, "weight") or 1.0)
    except ValueError:
        return math.nan


def _rule(row: Mapping[str, str]) -> MappingRule:
    return MappingRule(
        framework=_text(row, "framework"),
        competency=_text(row, "competency"),
        school=_text(row, "school"),
        course=_text(row, "course"),
        line_item=_text(row, "line_item"),
        category=_text(row, "category"),
        criterion=_text(row, "criterion"),
        weight=_weight(row),
        kind=EvidenceKind(_text(row, "kind").lower() or EvidenceKind.SKILL.value),
        steps=steps_of(_text(row, "counts_as")),
    )
