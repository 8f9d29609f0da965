"""Mapping rules as CSV, one rule a line.

Columns: framework, competency (both required), course, line_item, category, criterion (shell
patterns, empty for any), weight (above 0, default 1), kind (recall, skill, application,
observation, self or external; default skill). Order matters: for one line item and competency
the first rule holds.
"""

import math
from collections.abc import Mapping, Sequence

from interchange.errors import FileRefused
from interchange.tabular import Row, read_table
from mapping.records import EvidenceKind, MappingRule

COLUMNS = (
    "framework",
    "competency",
    "course",
    "line_item",
    "category",
    "criterion",
    "weight",
    "kind",
)
_REQUIRED = ("framework", "competency")
_LONGEST = 512
_BEYOND = "\0"
"""No column has this name."""
_HEAVIEST = 1_000_000.0


def read_mapping(data: bytes) -> tuple[MappingRule, ...]:
    """Read mapping rules.

    Args:
        data: CSV, header first, in any encoding and with any delimiter of ``read_table``.

    Returns:
        The rules in the order of the file.

    Raises:
        FileRefused: With every line that is wrong; nothing is read in part.
    """
    table = read_table(data)
    problems = _header_problems(table.header)
    if problems:
        raise FileRefused(problems)
    rules: list[MappingRule] = []
    for found in table.rows:
        row = _by_name(table.header, found)
        wrong = _problems(row)
        problems.extend(f"Line {found.line}: {sentence}" for sentence in wrong)
        if not wrong:
            rules.append(_rule(row))
    if problems:
        raise FileRefused(problems)
    return tuple(rules)


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
    problems = [f"{name} is empty." for name in _REQUIRED if not _text(row, name)]
    problems.extend(
        f"{name} is longer than {_LONGEST} characters."
        for name in COLUMNS
        if len(_text(row, name)) > _LONGEST
    )
    problems.extend(
        f"{name} holds a null character." for name in COLUMNS if "\0" in _text(row, name)
    )
    if _BEYOND in row:
        problems.append("it has more values than the header has columns.")
    if not 0 < _weight(row) <= _HEAVIEST:
        problems.append(f"the weight {_text(row, 'weight')!r} is not a number above 0.")
    kinds = [kind.value for kind in EvidenceKind]
    if _text(row, "kind").lower() not in ("", *kinds):
        problems.append(f"the kind {_text(row, 'kind')!r} is none of {', '.join(kinds)}.")
    return problems


def _weight(row: Mapping[str, str]) -> float:
    try:
        return float(_text(row, "weight") or 1.0)
    except ValueError:
        return math.nan


def _rule(row: Mapping[str, str]) -> MappingRule:
    return MappingRule(
        framework=_text(row, "framework"),
        competency=_text(row, "competency"),
        course=_text(row, "course"),
        line_item=_text(row, "line_item"),
        category=_text(row, "category"),
        criterion=_text(row, "criterion"),
        weight=_weight(row),
        kind=EvidenceKind(_text(row, "kind").lower() or EvidenceKind.SKILL.value),
    )
