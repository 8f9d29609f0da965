"""A learner's standings with the reasons for them, arranged by strand.

The reasons come from ``mapping.explanation``, which asks what computed the statuses; here nothing
is computed a second time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from sqlalchemy import Connection

from lti_tool.languages import language, words
from lti_tool.launch.services import services
from lti_tool.pages.shown import day
from mapping.evidence.tables import View
from mapping.explanation.trace import Piece, Trace, traces
from mapping.explanation.voice import Voice
from mapping.judgement.grounds import Grounds
from mapping.records import CompetencyId, LearnerId, LineItemId, TenantId
from mapping.rules.mastery_rule import MasteryRule, parse_rule
from mapping.status import NO_LEVEL, OverrideState
from store import frameworks, rules
from store.grounds import Policy, grounds_of, policy_of
from store.indicators import indicators_at
from store.judgements import Exclusion, GivenDate, Judgements, Override, judgements_of
from store.reports import CompetencyLine, ItemLine, StandingLine, item_lines

_ENGLISH = ("en", "en-US", "en-GB")
"""As frameworks may call it, the plainest first; read where nobody said it in another language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPiece:
    """A piece of evidence with the line item it is a score of.

    ``exclusion`` is who took it out and why, ``dating`` who gave it its date, ``bridge`` the
    equivalent competency that its line item speaks for in fact; empty for none.
    """

    piece: Piece
    item: ItemLine
    exclusion: Exclusion | None = None
    dating: GivenDate | None = None
    bridge: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A standing with its reasons; ``is_newer`` if the reasons hold evidence newer than it.

    ``rule`` is the one that holds for it, ``judgement`` what a person said in place of it,
    ``theirs`` what the learner sees where that is another status, told to teachers alone.
    ``looks`` is what the level that it reached looks like, empty where no level is shown.
    """

    line: StandingLine
    trace: Trace
    pieces: Sequence[ShownPiece]
    is_newer: bool
    rule: MasteryRule
    judgement: Override | None = None
    theirs: StandingLine | None = None
    looks: str = ""

    @property
    def label(self) -> str:
        """What its status is called on the rule's scale."""
        return self.rule.label(self.line.status, self.line.level)

    @property
    def their_label(self) -> str:
        """What the learner's own status is called; empty where it is the same."""
        if self.theirs is None:
            return ""
        return self.rule.label(self.theirs.status, self.theirs.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strand:
    """Competencies that belong together; ``head`` is what they are part of, if anything."""

    head: Explained | None
    members: Sequence[Explained]

    @property
    def mastered(self) -> int:
        """How many of the members are mastered."""
        return sum(member.line.status.is_mastered for member in self.members)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """What the pieces of a learner are told with."""

    items: Mapping[LineItemId, ItemLine]
    judgements: Judgements
    competencies: Mapping[CompetencyId, str] = field(default_factory=dict)
    looks: Mapping[CompetencyId, str] = field(default_factory=dict)

    def activity(self, line_item: int) -> str:
        """What a line item is called, empty where that is not known."""
        item = self.items.get(LineItemId(line_item))
        return item.title if item is not None else ""


def beside_theirs(strands: Sequence[Strand], theirs: Sequence[StandingLine]) -> tuple[Strand, ...]:
    """Put what a learner sees beside what their teacher sees, where the two differ.

    Args:
        strands: The teacher's.
        theirs: The learner's own standings.
    """
    by_id = {line.competency.id: line for line in theirs}

    def beside(one: Explained) -> Explained:
        line = by_id.get(one.line.competency.id)
        is_other = line is not None and line.status is not one.line.status
        return replace(one, theirs=line) if is_other else one

    return tuple(
        Strand(
            head=strand.head and beside(strand.head),
            members=tuple(beside(member) for member in strand.members),
        )
        for strand in strands
    )


def rule_of(connection: Connection, tenant: TenantId) -> MasteryRule:
    """The district's rule in force, the default where none was published."""
    stored = rules.district_rule(connection, tenant, now=services().now())
    return MasteryRule() if stored is None else parse_rule(stored.definition)


def explained(
    connection: Connection,
    tenant: TenantId,
    learner: LearnerId,
    *,
    lines: Sequence[StandingLine],
    view: View,
    policy: Policy | None = None,
) -> tuple[Strand, ...]:
    """Explain a learner's standings.

    Args:
        connection: A transaction.
        tenant: Whose learner it must be.
        learner: The learner.
        lines: What is to be explained, in framework order.
        view: Whose eyes it is for; to the learner, hidden scores are not even named.
        policy: What they are judged by; None for what holds now.

    Returns:
        The strands in framework order, each with its competencies.
    """
    ids = [line.competency.id for line in lines]
    policy = policy or policy_of(connection, tenant, now=services().now())
    grounds = grounds_of(connection, policy, [learner])
    names = replace(_names(connection, tenant, learner), looks=_looks(connection, lines))
    voice = Voice(words=words(), day=day, activity=names.activity)
    reasons = traces(grounds, learner=learner, competencies=ids, view=view, voice=voice)
    present = _rules(grounds, learner, ids)
    judged_by = rules.rules_by_id(
        connection, {line.rule for line in lines if line.rule is not None}
    )
    return _by_strand(
        [
            _explained(line, why, _held(line, judged_by, present), names=names)
            for line, why in zip(lines, reasons, strict=True)
        ]
    )


def _held(
    line: StandingLine,
    judged_by: Mapping[int, MasteryRule],
    present: Mapping[CompetencyId, MasteryRule],
) -> MasteryRule:
    """The rule of a standing: old results keep the scale that they were judged on."""
    known = None if line.rule is None else judged_by.get(line.rule)
    return known or present[line.competency.id]


def distinct_rules(strands: Sequence[Strand]) -> tuple[MasteryRule, ...]:
    """One rule for each scale and beginning of mastery among what is shown."""
    heads = [strand.head for strand in strands if strand.head is not None]
    members = [member for strand in strands for member in strand.members]
    return different(one.rule for one in (*heads, *members))


def different(rules: Iterable[MasteryRule]) -> tuple[MasteryRule, ...]:
    """One rule for each scale and beginning of mastery among some rules."""
    return tuple({(rule.scale.top, rule.mastered): rule for rule in rules}.values())


def _rules(
    grounds: Grounds, learner: LearnerId, competencies: Sequence[CompetencyId]
) -> dict[CompetencyId, MasteryRule]:
    """The rule that holds for a learner in each of some competencies."""
    asked = np.array(competencies, dtype=np.int64)
    held = grounds.rule_of(np.full(asked.shape, learner, dtype=np.int64), asked).tolist()
    return {
        competency: grounds.rules[rule] for competency, rule in zip(competencies, held, strict=True)
    }


def _names(connection: Connection, tenant: TenantId, learner: LearnerId) -> _Names:
    return _Names(
        items=item_lines(connection, tenant, learner),
        judgements=judgements_of(connection, tenant, learner, now=services().now()),
        competencies={
            one.id: one.indicator or one.statement
            for one in frameworks.competencies_of(connection, tenant)
        },
    )


def _explained(line: StandingLine, why: Trace, rule: MasteryRule, *, names: _Names) -> Explained:
    return Explained(
        line=line,
        trace=why,
        pieces=tuple(
            _shown(piece, names.items[LineItemId(piece.line_item)], names)
            for piece in why.pieces
            if LineItemId(piece.line_item) in names.items
        ),
        is_newer=(why.status, why.evidence_count, why.override)
        != (line.status, line.evidence_count, line.override),
        rule=rule,
        judgement=names.judgements.overrides.get(line.competency.id),
        looks=names.looks.get(line.competency.id, ""),
    )


def _looks(connection: Connection, lines: Sequence[StandingLine]) -> dict[CompetencyId, str]:
    """What the level of each standing looks like; its statement where nobody has said.

    A status that a person gave is no level, and one without enough evidence shows none.
    """
    shown = {
        line.competency.id: line
        for line in lines
        if line.status.is_evidenced
        and line.level != NO_LEVEL
        and line.override is not OverrideState.IN_FORCE
    }
    levels = {one: line.level for one, line in shown.items()}
    tag = language().tag
    tongues = tuple(dict.fromkeys((tag, tag.partition("-")[0], *_ENGLISH)))
    said = indicators_at(connection, levels, tongues)
    return {one: said.get(one, line.competency.statement) for one, line in shown.items()}


def _shown(piece: Piece, item: ItemLine, names: _Names) -> ShownPiece:
    place = LineItemId(piece.line_item)
    return ShownPiece(
        piece=piece,
        item=item,
        exclusion=names.judgements.exclusions.get(place),
        dating=names.judgements.dates.get(place),
        bridge="" if piece.via is None else names.competencies.get(CompetencyId(piece.via), ""),
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
