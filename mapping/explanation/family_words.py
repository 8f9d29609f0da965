"""What is said of a competency that its children make up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

import numpy as np

from mapping.columns import BoolArray
from mapping.evidence.tables import EvidenceTable
from mapping.explanation.family_advice import family_changes
from mapping.explanation.inquiry import Inquiry, Own, Standing
from mapping.explanation.needs import values_of
from mapping.explanation.own_words import Part, Words, override_sentences
from mapping.explanation.trace_sentences import ClauseLine, criteria_lines, not_yet, unmet_criteria
from mapping.explanation.voice import Voice
from mapping.judgement.criteria import Children, ClauseValue
from mapping.judgement.parents import carried, worked_rollup
from mapping.rules.clause_sentences import phrases, points_and_level
from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.strands import RollupMethod
from mapping.scales import display_apart, display_exact, reaches
from mapping.status import StandingTable
from mapping.wording import Figure, marked


def family_words(inquiry: Inquiry, own: Own, *, told: Standing, computed: Standing) -> Words:
    """Explain a competency with children.

    Args:
        inquiry: Whose.
        own: Its own evidence, one more component.
        told: The standing.
        computed: The same without a person's judgement.
    """
    family = _Family.of(inquiry, own)
    rule, voice, values = own.effective.rule, inquiry.voice, family.values(computed)
    return Words(
        rule=_rule(rule, voice),
        formula=family.formula(computed),
        confidence="",
        clauses=(
            *_lines(family, computed, voice),
            *criteria_lines(values, rule, voice),
        ),
        clause=_clause(family, computed, values, voice=voice),
        changes=(
            *override_sentences(told, voice),
            *family_changes(inquiry, own, computed, parts=family.standings),
        ),
        parts=tuple(
            Part(
                competency=part.competency,
                status=part.status,
                estimate=part.estimate,
                evidence_count=part.evidence_count,
                is_counted=part.status.is_evidenced,
                level=part.level,
            )
            for part in family.standings
        ),
    )


_MOST_NAMED = 5
"""With more competencies than so many, their number says more than their names."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Family:
    """The parts of a parent: its children as they stand, and its own evidence.

    ``table`` and ``is_child`` are of length parts, estimates in points of each part's own rule.
    """

    inquiry: Inquiry
    own: Own
    table: StandingTable
    is_child: BoolArray

    @classmethod
    def of(cls, inquiry: Inquiry, own: Own) -> Self:
        children = inquiry.grounds.hierarchy.children_of(own.case.competency)
        below = inquiry.settled.rows(np.isin(inquiry.settled.competency, children))
        mine = inquiry.component(own.case.competency)
        return cls(
            inquiry=inquiry,
            own=own,
            table=StandingTable.joined([below, mine]),
            is_child=np.arange(len(below) + len(mine)) < len(below),
        )

    @property
    def standings(self) -> tuple[Standing, ...]:
        """The parts in order, children first."""
        rows = range(len(self.table))
        competencies = self.table.competency.tolist()
        return tuple(Standing.of(self.table.rows(np.array([i])), competencies[i]) for i in rows)

    @property
    def children(self) -> tuple[Standing, ...]:
        """The children that have any row."""
        paired = zip(self.standings, self.is_child.tolist(), strict=True)
        return tuple(part for part, is_child in paired if is_child)

    @property
    def evident(self) -> tuple[Standing, ...]:
        """The parts with evidence or a person's judgement."""
        return tuple(p for p in self.standings if p.evidence_count > 0 or p.status.is_evidenced)

    @property
    def points(self) -> float:
        """What the mastered children are worth."""
        weights, codes = self.own.effective.rule.rollup.weights, self.inquiry.grounds.codes
        mastered = (child for child in self.children if child.status.is_mastered)
        return sum(weights.get(codes.get(child.competency, ""), 1.0) for child in mastered)

    def values(self, computed: Standing) -> tuple[ClauseValue, ...]:
        """What the criteria of the parent find in all the evidence below it and its own."""
        grounds, rule = self.inquiry.grounds, self.own.effective.rule
        if rule.criteria is None:
            return ()
        return values_of(
            _stacked(self.inquiry.evidence_below(self.own.case.competency)),
            rule,
            grounds,
            estimate=computed.estimate,
            children=Children(
                mastered=np.array([sum(child.status.is_mastered for child in self.children)]),
                evident=np.array([sum(child in self.evident for child in self.children)]),
            ),
        )

    @property
    def silent(self) -> int:
        """How many children have no evidence."""
        return self.size - sum(child in self.evident for child in self.children)

    @property
    def size(self) -> int:
        """How many children there are, those without evidence included."""
        return len(self.inquiry.grounds.hierarchy.children_of(self.own.case.competency))

    def formula(self, computed: Standing) -> str:
        """The roll-up with its numbers; empty where there is no estimate."""
        if computed.estimate is None:
            return ""
        rules = [effective.rule for effective in self.inquiry.grounds.book.rules]
        rule, table = self.own.effective.rule, self.table
        worked = worked_rollup(
            table.with_columns(estimate=carried(table.estimate, table.rule, rules, to=rule)),
            self.is_child,
            rule=rule,
            hierarchy=self.inquiry.grounds.hierarchy,
            codes=self.inquiry.grounds.codes,
            words=self.inquiry.voice.words,
        )
        if all(rules[index].scale == rule.scale for index in set(table.rule.tolist())):
            return worked
        return self.inquiry.voice.words.say(
            "{worked} (estimates on other scales are carried over to this one, cut to cut)",
            worked=worked,
        )


def _rule(rule: MasteryRule, voice: Voice) -> str:
    """How the parent is made up, and what its rule asks for besides."""
    words = voice.words
    said = [rule.rollup.sentence(words)]
    if rule.rollup.method in _FOLLOWING:
        points = points_and_level(rule.mastered, rule.scale, words)
        top = Figure(f"{rule.scale.top:g}")
        said.append(
            words.say(
                "It is {Mastered} at {points} or more on a scale of 0 to {top}.",
                points=points,
                top=top,
            )
        )
    if rule.criteria is not None:
        asked = "; ".join(phrases(rule.criteria, rule.scale, words))
        said.append(words.say("Besides, {asked}.", asked=asked))
    if rule.recheck_days is not None:
        said.append(
            words.count(
                "It is re-checked after {count} day without new evidence.",
                "It is re-checked after {count} days without new evidence.",
                rule.recheck_days,
            )
        )
    return " ".join(said)


_FOLLOWING: Mapping[RollupMethod, str] = MappingProxyType(
    {
        RollupMethod.MEAN: marked("The mean of its {competencies} is {points} or more."),
        RollupMethod.WEIGHTED: marked(
            "The weighted mean of its {competencies} is {points} or more."
        ),
        RollupMethod.LOWEST: marked("The lowest of its {competencies} is at {points} or more."),
        RollupMethod.MODE: marked("The most common level is at {points} or more."),
    }
)


def _lines(family: _Family, computed: Standing, voice: Voice) -> tuple[ClauseLine, ...]:
    return (
        _main_line(family, computed, voice),
        *_component_line(family, voice),
        *_mandatory_lines(family, voice),
    )


def _main_line(family: _Family, computed: Standing, voice: Voice) -> ClauseLine:
    rule, words, method = (
        family.own.effective.rule,
        voice.words,
        family.own.effective.rule.rollup.method,
    )
    if method in _FOLLOWING:
        estimate = computed.estimate
        is_met = estimate is not None and bool(reaches(estimate, rule.mastered))
        shown = "" if estimate is None else display_apart(estimate, rule.mastered)
        return ClauseLine(
            sentence=words.say(_FOLLOWING[method], points=display_exact(rule.mastered)),
            detail=_with_silent(
                words.say("It is {estimate}.", estimate=shown)
                if shown
                else words.say("There is no number yet."),
                family.silent,
                voice,
            ),
            is_met=is_met,
        )
    if method is RollupMethod.POINTS:
        required, there = rule.rollup.required_points, family.points
        return ClauseLine(
            sentence=words.say(
                "Its mastered {competencies} are worth {points} points or more.",
                points=Figure(f"{required:g}"),
            ),
            detail=words.say("They are worth {points}.", points=Figure(f"{there:g}")),
            is_met=bool(reaches(there, required)),
        )
    return _every_line(family, voice)


def _every_line(family: _Family, voice: Voice) -> ClauseLine:
    words, is_every = (
        voice.words,
        family.own.effective.rule.rollup.method is RollupMethod.ALL_CHILDREN,
    )
    counted = family.children if is_every else family.evident
    mastered = sum(part.status.is_mastered for part in counted)
    total = family.size if is_every else len(counted)
    text = (
        words.say("Every one of its {competencies} is mastered.")
        if is_every
        else words.say("Every one of its {competencies} that has evidence is mastered.")
    )
    return ClauseLine(
        sentence=text,
        detail=_counted(mastered, total, silent=0 if is_every else family.silent, voice=voice),
        is_met=mastered == total > 0,
    )


def _counted(mastered: int, total: int, *, silent: int, voice: Voice) -> str:
    """How many are mastered."""
    if not total:
        return voice.words.say("None has evidence that counts.")
    told = voice.words.say("{mastered} of {total} so far.", mastered=mastered, total=total)
    return _with_silent(told, silent, voice)


def _with_silent(told: str, silent: int, voice: Voice) -> str:
    """What there is; children without evidence are told, so that few are not taken for all."""
    if not silent:
        return told
    more = voice.words.count(
        "{count} more has no evidence yet.", "{count} more have no evidence yet.", silent
    )
    return f"{told} {more}"


def _component_line(family: _Family, voice: Voice) -> tuple[ClauseLine, ...]:
    """Where every child is asked for, evidence of the parent itself is asked for apart."""
    mine = [part for part in family.evident if part not in family.children]
    if family.own.effective.rule.rollup.method is not RollupMethod.ALL_CHILDREN or not mine:
        return ()
    is_met = mine[0].status.is_mastered
    return (
        ClauseLine(
            sentence=voice.words.say("The evidence of the {strand} itself is at mastery."),
            detail=voice.words.say("It is.") if is_met else voice.words.say("Not yet."),
            is_met=is_met,
        ),
    )


def _mandatory_lines(family: _Family, voice: Voice) -> tuple[ClauseLine, ...]:
    codes = family.inquiry.grounds.codes
    asked = family.own.effective.rule.rollup.mandatory
    mastered = {codes.get(c.competency) for c in family.children if c.status.is_mastered}
    children = family.inquiry.grounds.hierarchy.children_of(family.own.case.competency)
    known = sorted(code for child in children if (code := codes.get(child, "")) in asked)
    return tuple(
        ClauseLine(
            sentence=voice.words.say("{code} is mastered.", code=code),
            detail=voice.words.say("It is.") if code in mastered else voice.words.say("Not yet."),
            is_met=code in mastered,
        )
        for code in known
    )


def _clause(
    family: _Family, computed: Standing, values: Sequence[ClauseValue], *, voice: Voice
) -> str:
    """What is not met yet; empty when mastered."""
    if computed.status.is_mastered:
        return ""
    words = voice.words
    if not family.evident:
        return words.say("None of its {competencies} has evidence that counts.")
    unmet = [line for line in _lines(family, computed, voice) if not line.is_met]
    criteria = unmet_criteria(values, family.own.effective.rule, voice)
    if unmet and _is_every(family):
        return " ".join(filter(None, (_short(family, voice), not_yet(criteria, voice))))
    return not_yet([*((line.sentence, _first(line.detail)) for line in unmet), *criteria], voice)


def _first(detail: str) -> str:
    """The first sentence of a detail."""
    return detail.partition(". ")[0].removesuffix(".") + "."


def _is_every(family: _Family) -> bool:
    return family.own.effective.rule.rollup.method is RollupMethod.ALL_WITH_EVIDENCE


def _short(family: _Family, voice: Voice) -> str:
    evident, codes = family.evident, family.inquiry.grounds.codes
    short = [part.competency for part in evident if not part.status.is_mastered]
    named = voice.listed([codes[c] for c in short if c in codes][:_MOST_NAMED])
    if len(evident) == 1:
        return voice.words.say("The only one with evidence is not mastered yet.")
    if named and len(short) <= _MOST_NAMED:
        return voice.words.count(
            "{count} of {total} with evidence is not mastered yet: {codes}.",
            "{count} of {total} with evidence are not mastered yet: {codes}.",
            len(short),
            total=len(evident),
            codes=named,
        )
    return voice.words.count(
        "{count} of {total} with evidence is not mastered yet.",
        "{count} of {total} with evidence are not mastered yet.",
        len(short),
        total=len(evident),
    )


def _stacked(tables: Sequence[EvidenceTable]) -> EvidenceTable:
    """All evidence of one family in its order."""
    columns = {
        name: np.concatenate([getattr(table, name) for table in tables])
        for name in EvidenceTable.__slots__
        if name != "scale"
    }
    order = np.argsort(columns["occurred_at"], kind="stable")
    rows = {name: column[order] for name, column in columns.items()}
    return EvidenceTable(scale=tables[0].scale, **rows)
