"""A learner's standings with the reasons for them, arranged by strand.

The reasons come from ``mapping.trace``, which asks what computed the statuses; here nothing is
computed a second time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mapping.evidence import Reason, View, evidence
from mapping.records import CompetencyId, LearnerId, LineItemId, TenantId
from mapping.rules import MasteryRule, parse_rule
from mapping.status import Status
from mapping.trace import Piece, Trace, trace
from store import frameworks, standings
from store.reports import CompetencyLine, ItemLine, StandingLine, item_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPiece:
    """A piece of evidence with the line item it is a score of."""

    piece: Piece
    item: ItemLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A standing with its reasons; ``is_newer`` if the reasons hold evidence newer than it."""

    line: StandingLine
    trace: Trace
    pieces: Sequence[ShownPiece]
    is_newer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Strand:
    """Competencies that belong together; ``head`` is what they are part of, if anything."""

    head: Explained | None
    members: Sequence[Explained]

    @property
    def mastered(self) -> int:
        """How many of the members are mastered."""
        return sum(member.line.status is Status.MASTERED for member in self.members)


def rule_of(connection: Connection, tenant: TenantId) -> MasteryRule:
    """The tenant's rule in force, the default where none was published."""
    stored = frameworks.current_rule(connection, tenant)
    return MasteryRule() if stored is None else parse_rule(stored.definition)


def explained(
    connection: Connection,
    tenant: TenantId,
    learner: LearnerId,
    *,
    lines: Sequence[StandingLine],
    view: View,
) -> tuple[Strand, ...]:
    """Explain a learner's standings.

    Args:
        connection: A transaction.
        tenant: Whose learner it must be.
        learner: The learner.
        lines: What is to be explained, in framework order.
        view: Whose eyes it is for; to the learner, hidden scores are not even named.

    Returns:
        The strands in framework order, each with its competencies.
    """
    rule = rule_of(connection, tenant)
    hierarchy = standings.hierarchy(connection, tenant)
    seen = evidence(
        standings.score_table(connection, [learner]),
        standings.alignment_table(connection, tenant),
        scale=rule.scale,
        view=view,
    )
    items = item_lines(connection, tenant, learner)
    found = [
        _explained(
            line,
            trace(seen, rule, learner=learner, competency=line.competency.id, hierarchy=hierarchy),
            items,
        )
        for line in lines
    ]
    return _by_strand(found)


def _explained(line: StandingLine, why: Trace, items: Mapping[LineItemId, ItemLine]) -> Explained:
    return Explained(
        line=line,
        trace=why,
        pieces=tuple(
            ShownPiece(piece=piece, item=items[LineItemId(piece.line_item)])
            for piece in why.pieces
            if LineItemId(piece.line_item) in items and piece.why != Reason.HIDDEN.sentence
        ),
        is_newer=(why.status, why.evidence_count) != (line.status, line.evidence_count),
    )


def _by_strand(found: Sequence[Explained]) -> tuple[Strand, ...]:
    heads = {one.line.competency.id: one for one in found if one.line.competency.is_strand}
    members: dict[CompetencyId | None, list[Explained]] = {key: [] for key in heads}
    for one in found:
        if one.line.competency.id not in heads:
            members.setdefault(strand_of(one.line.competency, heads), []).append(one)
    return tuple(
        Strand(head=heads.get(key) if key else None, members=tuple(group))
        for key, group in members.items()
        if group or key in heads
    )


def strand_of(
    competency: CompetencyLine, heads: Mapping[CompetencyId, object]
) -> CompetencyId | None:
    """The strand that a competency is shown under, None for none that is shown."""
    return competency.strand if competency.strand in heads else None
