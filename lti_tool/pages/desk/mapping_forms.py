"""What pages about mapping sets share: whose draft it is, who changes it, and a rule as typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import request
from sqlalchemy import Connection

from interchange.mapping_csv import COLUMNS, rule_problems, typed_rule
from lti_tool.guards import NotThere, Visit
from lti_tool.pages.administrators import author_of
from mapping.records import WHATEVER_IS_LINKED, EvidenceKind, MappingRule
from mapping.steps import Steps, is_pass, steps_text
from store.alignments import rules_digest
from store.frameworks import StoredCompetency, competencies_of
from store.mapping_drafts import Draft, Editor, find_draft

KINDS: Mapping[EvidenceKind, str] = {
    EvidenceKind.RECALL: "recall: knows it by heart",
    EvidenceKind.SKILL: "skill: can do it",
    EvidenceKind.APPLICATION: "application: uses it for something new",
    EvidenceKind.OBSERVATION: "observation: a teacher saw it",
    EvidenceKind.SELF: "self: the learner says so; counts for nothing unless a rule says so",
    EvidenceKind.EXTERNAL: "external: shown outside the school and confirmed",
}
PATTERNS = ("school", "course", "line_item", "category", "criterion")
LINKED = "linked"
"""What a form says where the rule goes by what the LMS links work to."""
PASS_OR_FAIL, LEVELS = "pass_or_fail", "levels"
"""What a form says where a score does not count as it is."""
_COUNTS = ("counts", "pass_from", "levels_from")
_MOST_OPTIONS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedRule:
    """A rule as it was typed: the texts, what is wrong by field, and the rule if nothing is."""

    said: Mapping[str, str]
    wrong: Mapping[str, str] = field(default_factory=dict)
    rule: MappingRule | None = None


def draft_here(connection: Connection, visit: Visit, draft: int) -> Draft:
    """A draft of the visitor's district.

    Raises:
        NotThere: It has none of this id.
    """
    found = find_draft(connection, visit.record.tenant, draft)
    if found is None:
        raise NotThere
    return found


def editor_of(visit: Visit, reason: str = "") -> Editor:
    """Who changes a mapping set; the platform's own id tells people of one name apart."""
    key = f"{visit.platform.id}/{visit.record.subject}"
    return Editor(author=author_of(visit, reason), key=key)


def blank() -> TypedRule:
    """A form that nobody filled in yet."""
    return TypedRule(said={"weight": "1", "kind": EvidenceKind.SKILL.value, "pass_from": "60"})


def filled(rule: MappingRule, known: Sequence[StoredCompetency]) -> TypedRule:
    """A form filled in with a rule."""
    said = {name: getattr(rule, name) for name in PATTERNS}
    said |= {"weight": f"{rule.weight:g}", "kind": rule.kind.value, **_counts(rule.steps)}
    if rule.is_of_links:
        said |= {"speaks": LINKED, "framework": rule.framework}
        return TypedRule(said=said, rule=rule)
    meant = (one for one in known if (one.framework, one.code) == (rule.framework, rule.competency))
    found = next(meant, None)
    said["competency"] = rule.competency if found is None else competency_words(found, known)
    return TypedRule(said=said, rule=rule)


def typed(said: Mapping[str, str], known: Sequence[StoredCompetency]) -> TypedRule:
    """A rule of a form's fields.

    Args:
        said: The fields by name.
        known: The competencies there are.
    """
    texts = {name: said.get(name, "").strip() for name in COLUMNS}
    texts["counts_as"] = _counts_as(said)
    is_of_links = said.get("speaks") == LINKED
    meant, problem = (
        _framework_meant(texts["framework"], known)
        if is_of_links
        else _competency_meant(texts["competency"], known)
    )
    wrong = {**rule_problems({**texts, **meant}), **problem}
    if said.get("counts") == LEVELS and not texts["counts_as"]:
        wrong["counts_as"] = "Say at how many percent the second level begins, and the others."
    if not is_of_links and not any(texts[name] for name in PATTERNS):
        wrong["line_item"] = (
            "Without any pattern everything in every course would count. Say what to look for, or "
            "write * to mean everything."
        )
    return TypedRule(
        said={
            **texts,
            **{name: said.get(name, "").strip() for name in _COUNTS},
            "speaks": LINKED if is_of_links else "",
        },
        wrong=wrong,
        rule=None if wrong else typed_rule({**texts, **meant}),
    )


def _counts_as(said: Mapping[str, str]) -> str:
    """What the three fields on how a score counts come to in the column of a file."""
    if said.get("counts") == PASS_OR_FAIL:
        return f"pass {said.get('pass_from', '').strip()}"
    return said.get("levels_from", "").strip() if said.get("counts") == LEVELS else ""


def _counts(steps: Steps) -> dict[str, str]:
    """The three fields for some steps."""
    if is_pass(steps):
        return {"counts": PASS_OR_FAIL, "pass_from": str(steps[0])}
    chosen = {"counts": LEVELS} if steps else {}
    return {**chosen, "pass_from": "60", "levels_from": steps_text(steps)}


def _framework_meant(
    identifier: str, known: Sequence[StoredCompetency]
) -> tuple[dict[str, str], dict[str, str]]:
    """What a rule that goes by links says it speaks for, and what is wrong with that."""
    meant = {"framework": identifier or "-", "competency": WHATEVER_IS_LINKED}
    if any(one.framework == identifier for one in known):
        return meant, {}
    return meant, {"framework": "Choose the framework whose competencies the LMS names."}


def _competency_meant(
    text: str, known: Sequence[StoredCompetency]
) -> tuple[dict[str, str], dict[str, str]]:
    """What a rule for one competency says it speaks for, and what is wrong with that."""
    found = _meant(text, known)
    if len(found) == 1:
        return {"framework": found[0].framework, "competency": found[0].code}, {}
    problem = (
        "There is no such competency. Type its code or a word of it, and choose from the list."
    )
    if not text:
        problem = "Choose the competency that this work speaks for."
    elif found:
        problem = "Several frameworks have this code; choose one from the list."
    return {"framework": "-", "competency": text or "-"}, {"competency": problem}


def rule_to_try(said: Mapping[str, str]) -> MappingRule | None:
    """What a form looks for, whatever competency it names; None where that are no patterns."""
    texts = {name: said.get(name, "").strip() for name in PATTERNS}
    texts |= {"framework": "-", "competency": "-"}
    if said.get("speaks") == LINKED:
        framework = said.get("framework", "").strip() or "-"
        texts |= {"framework": framework, "competency": WHATEVER_IS_LINKED}
    return None if rule_problems(texts) else typed_rule(texts)


def competency_words(one: StoredCompetency, known: Sequence[StoredCompetency]) -> str:
    """What to type for a competency: its code, with its framework where others have it, too."""
    alike = [other for other in known if other.code == one.code]
    return one.code if len(alike) == 1 else f"{one.code} ({one.framework})"


def options(known: Sequence[StoredCompetency], sought: str) -> list[tuple[str, str]]:
    """Competencies whose code or sentence holds all the words typed, as code and sentence."""
    words = sought.casefold().split()
    found = []
    for one in known:
        text = f"{one.code} {one.statement} {one.indicator} {one.framework}".casefold()
        if all(word in text for word in words):
            found.append((competency_words(one, known), one.statement))
        if len(found) == _MOST_OPTIONS:
            break
    return found


def known_competencies(connection: Connection, visit: Visit) -> tuple[StoredCompetency, ...]:
    """The competencies of the visitor's district."""
    return competencies_of(connection, visit.record.tenant)


def fingerprint(rule: MappingRule) -> str:
    """What tells that a rule is still the one that a page showed."""
    return rules_digest([rule])[:16]


def typed_number(text: str) -> int:
    """A whole number from 0 that a form or address holds.

    Raises:
        NotThere: It holds none.
    """
    # Digits beyond 18 fit no column.
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):  # noqa: PLR2004 - above
        raise NotThere
    return int(text)


def zone(visit: Visit) -> ZoneInfo:
    """The district's time zone, UTC where it is unknown."""
    try:
        return ZoneInfo(visit.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def day_begins(visit: Visit, text: str) -> datetime | None:
    """The beginning of a day in the district; None where none was typed.

    Raises:
        ValueError: It is no day.
    """
    if not text.strip():
        return None
    day = date.fromisoformat(text.strip())
    try:
        return datetime.combine(day, time.min, zone(visit)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("No calendar of a school reaches so far.") from error


def field_text(name: str, longest: int = 255) -> str:
    """A text of the form that was sent, without white space around it, cut where it is too long."""
    return request.form.get(name, "").replace("\0", "").strip()[:longest]


def _meant(text: str, known: Sequence[StoredCompetency]) -> list[StoredCompetency]:
    sought = text.casefold()
    exact = [one for one in known if competency_words(one, known).casefold() == sought]
    return exact or [one for one in known if one.code.casefold() == sought]
