"""A trace as plain text, for a terminal: the same reasons, in the same order, as on the page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from mapping.explanation.trace import ClauseLine, Part, Piece, Trace
from mapping.records import CompetencyId, LineItemId
from mapping.scales import display
from store.reports import ItemLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What persons call the line items and competencies of a trace."""

    items: Mapping[LineItemId, ItemLine] = field(default_factory=dict)
    competencies: Mapping[CompetencyId, str] = field(default_factory=dict)

    def item(self, line_item: int) -> str:
        """A line item by its title, its criterion and its course."""
        found = self.items.get(LineItemId(line_item))
        if found is None:
            return f"line item {line_item}"
        criterion = f": {found.criterion}" if found.criterion else ""
        return f"{found.title}{criterion} ({found.course})"

    def activity(self, line_item: int) -> str:
        """A line item by its title alone, empty where that is not known."""
        found = self.items.get(LineItemId(line_item))
        return "" if found is None else found.title

    def competency(self, competency: int) -> str:
        """A competency by its code, or what it says."""
        return self.competencies.get(CompetencyId(competency), f"competency {competency}")


def told(trace: Trace, names: Names, *, zone: ZoneInfo) -> Iterator[str]:
    """The lines of a trace.

    Args:
        trace: What is to be told.
        names: Of what it speaks of.
        zone: Whose days they are.

    Yields:
        One line after the other, none longer than its longest sentence.
    """
    yield _headline(trace)
    yield from trace.remarks
    yield ""
    yield f"Rule: {trace.rule}"
    yield from _said("      ", (trace.origin, *trace.policy))
    if trace.pieces:
        yield ""
        yield "Evidence, oldest first:"
        yield from (_piece(piece, names, zone) for piece in trace.pieces)
    if trace.parts:
        yield ""
        yield "Made up of:"
        yield from (_part(part, names) for part in trace.parts)
    yield ""
    yield from _said("", (f"Worked out: {trace.formula}" if trace.formula else "",))
    yield from _said("", (trace.confidence,))
    yield from (_clause(clause) for clause in trace.clauses)
    yield from _said("", (trace.clause,))
    yield from _said("What would change it: ", trace.changes)


def _headline(trace: Trace) -> str:
    estimate = "" if trace.estimate is None else f", estimate {display(trace.estimate)}"
    return f"{trace.label}{estimate}, {_pieces(trace.evidence_count)}"


def _pieces(count: int) -> str:
    return "1 piece of evidence" if count == 1 else f"{count} pieces of evidence"


def _said(before: str, sentences: tuple[str, ...]) -> Iterator[str]:
    return (f"{before}{one}" for one in sentences if one)


def _piece(piece: Piece, names: Names, zone: ZoneInfo) -> str:
    points = "no score" if piece.points is None else f"{piece.points:g} of {piece.maximum:g}"
    value = "" if piece.value is None else f" = {display(piece.value)}"
    attempt = f", attempt {piece.attempt}" if piece.attempt else ""
    bridge = "" if piece.via is None else f", shown for {names.competency(piece.via)}"
    facts = f"{piece.kind.value}, weight {display(piece.weight)}{attempt}{bridge}"
    mark = "+" if piece.is_counted else "-"
    return (
        f"  {mark} {_day(piece.occurred_at, zone)}  {names.item(piece.line_item)}: {points}{value} "
        f"({facts}). {piece.why}"
    )


def _part(part: Part, names: Names) -> str:
    estimate = "no estimate" if part.estimate is None else display(part.estimate)
    return (
        f"  {names.competency(part.competency)}: {part.status.label}, {estimate}, "
        f"{_pieces(part.evidence_count)}"
    )


def _clause(clause: ClauseLine) -> str:
    mark = "met    " if clause.is_met else "not yet"
    detail = f" {clause.detail}" if clause.detail else ""
    return f"  [{mark}] {'  ' * clause.depth}{clause.sentence}{detail}"


def _day(when: datetime | None, zone: ZoneInfo) -> str:
    return "no date   " if when is None else f"{when.astimezone(zone):%Y-%m-%d}"
