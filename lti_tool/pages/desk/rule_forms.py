"""A rule as a form has it: a field for what districts ask for, and everything else as JSON."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lti_tool.pages.desk.scale_forms import SCALE_FIELDS, scale_said, scale_typed, versioned
from mapping.estimators import METHODS
from mapping.records import EvidenceKind
from mapping.rules.clauses import Situation
from mapping.scales import DEFAULT_SCALE, RatingScale

PARAMETERS = tuple({one.name: one for how in METHODS.values() for one in how.parameters})
"""The names of all numbers that methods are tuned with."""
_NAMES = {
    "n": "How many (n)",
    "w": "What each newer score weighs (w)",
    "half_life_days": "After how many days a score weighs half",
}
NUMBERS = ("mastered", "developing", "minimum_evidence", "recheck_days")
_WHOLE = ("minimum_evidence", "recheck_days", "last_few", "k", "m", "days")
_POLICY = ("attempts", "last_few", "cooldown_hours", "late")
_CRITERIA = ("k", "kind", "m", "of", "days")
_NOTHING = "nothing"
_IN_FIELDS = frozenset({"name", "method", "parameters", *NUMBERS})
_MOST_JSON = 20_000
FIELDS = (
    *("name", "method", *NUMBERS, "more"),
    *(f"number_{name}" for name in PARAMETERS),
    *(f"policy_{name}" for name in _POLICY),
    *("criteria", *(f"criteria_{name}" for name in _CRITERIA)),
    *SCALE_FIELDS,
)
ATTEMPTS = (
    ("last", "the last graded one"),
    ("best", "the best one"),
    ("all", "all of them"),
    ("last_few", "the most recent few"),
)
LATE = (
    ("before_deduction", "before a deduction for being late"),
    ("after_deduction", "after the deduction"),
)
KINDS = (("", "of any kind"), *((one.value, f"of {one.value}") for one in EvidenceKind))
SITUATIONS = (
    (Situation.LINE_ITEM.value, "different activities"),
    (Situation.COURSE.value, "different courses"),
    (Situation.KIND.value, "different kinds"),
    (Situation.DAY.value, "different days"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedRule:
    """What was typed, what is wrong by field, and the definition if nothing is."""

    said: Mapping[str, str]
    wrong: Mapping[str, str] = field(default_factory=dict)
    definition: Mapping[str, Any] | None = None


def methods() -> list[tuple[str, str]]:
    """Every method by its name, with what it is called in a sentence."""
    return [(name, f"{name.replace('_', ' ')}: {one.label}") for name, one in METHODS.items()]


def parameters() -> list[tuple[str, str, str]]:
    """Every number that methods are tuned with: its field, its name, and which methods take it."""
    return [
        (
            f"number_{name}",
            _NAMES.get(name, name.replace("_", " ")),
            ", ".join(
                f"{how.name.replace('_', ' ')} ({one.lowest:g} to {one.highest:g}; {one.default:g} "
                "if empty)"
                for how in METHODS.values()
                for one in how.parameters
                if one.name == name
            ),
        )
        for name in PARAMETERS
    ]


def filled(definition: Mapping[str, Any]) -> TypedRule:
    """A form that says what a definition does; what fields cannot say is left as JSON."""
    said = dict.fromkeys(FIELDS, "")
    said |= {name: _number_words(definition[name]) for name in NUMBERS if name in definition}
    said |= {name: str(definition[name]) for name in ("name", "method") if name in definition}
    numbers = definition.get("parameters", {})
    said |= {f"number_{name}": f"{value:.10g}" for name, value in numbers.items()}
    more = {name: value for name, value in definition.items() if name not in _IN_FIELDS}
    # "Never" is something else than saying nothing.
    more |= {name: None for name in NUMBERS if definition.get(name, 0) is None}
    for told in (_policy_said(more), _criteria_said(more), _scale_said(more)):
        said |= told
    said["more"] = json.dumps(more, indent=2, ensure_ascii=False) if more else ""
    return TypedRule(said=said, definition=dict(definition))


def typed(said: Mapping[str, str], held: RatingScale = DEFAULT_SCALE) -> TypedRule:
    """What a form says; empty fields leave it to wider scopes.

    Args:
        said: The fields by name.
        held: The scale that holds so far; another one becomes a new version of it.
    """
    texts = {name: said.get(name, "").replace("\0", "").strip() for name in FIELDS}
    wrong: dict[str, str] = {}
    definition = _more(texts["more"], wrong)
    for name in NUMBERS:
        if texts[name]:
            definition[name] = _number(texts[name], name, wrong)
    for name in ("name", "method"):
        if texts[name]:
            definition[name] = texts[name]
    parts = {
        "parameters": _parameters(texts, wrong),
        "policy": _policy(texts, wrong),
        "criteria": _criteria(texts, wrong),
        "scale": _scale(texts, wrong, held),
    }
    for name, part in parts.items():
        _put(definition, name, part, wrong=wrong)
    return TypedRule(said=texts, wrong=wrong, definition=None if wrong else definition)


def with_method(form: TypedRule, method: str, parameters: str) -> TypedRule:
    """A form with another method in it, as it was where no such method is named.

    Args:
        form: What a form says.
        method: The name of one, from an address.
        parameters: Its numbers: ``n=3, w=0.65``.
    """
    if method not in METHODS:
        return form
    numbers = {**dict.fromkeys(PARAMETERS), **(typed_parameters(parameters) or {})}
    told = {f"number_{name}": _number_words(numbers[name]) for name in PARAMETERS}
    return replace(form, said={**form.said, "method": method, **told})


def typed_parameters(text: str) -> dict[str, float] | None:
    """The numbers of a method in one line, None where they cannot be read."""
    found: dict[str, float] = {}
    for part in filter(None, text.replace(";", ",").split(",")):
        name, _, value = part.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            return None
    return found


def _put(
    definition: dict[str, Any], name: str, part: dict[str, Any] | None, *, wrong: dict[str, str]
) -> None:
    """Put what fields say beside what the JSON says; they must not say the same thing."""
    if part is None:
        return
    if part.get(_NOTHING):
        part = None
    is_mixed = name == "policy" and isinstance(definition.get(name), dict)
    there = definition.get(name) if is_mixed else None
    if name in definition and (there is None or part is None or there.keys() & part.keys()):
        wrong["more"] = f"Say {name} in its own fields above, or here, and not in both."
        return
    definition[name] = part if there is None or part is None else {**there, **part}


def _more(text: str, wrong: dict[str, str]) -> dict[str, Any]:
    if not text:
        return {}
    try:
        found = json.loads(text) if len(text) <= _MOST_JSON else None
    except (ValueError, RecursionError) as error:
        wrong["more"] = f"This is no JSON: {error}."
        return {}
    if not isinstance(found, dict):
        wrong["more"] = 'Write an object, such as {"criteria": {"situations": 2}}.'
        return {}
    twice = sorted(_IN_FIELDS & found.keys() - set(NUMBERS))
    if twice:
        wrong["more"] = f"Say {twice[0]} in its own field above."
    return found


def _parameters(texts: Mapping[str, str], wrong: dict[str, str]) -> dict[str, Any] | None:
    found = {
        name: _number(texts[f"number_{name}"], f"number_{name}", wrong)
        for name in PARAMETERS
        if texts[f"number_{name}"]
    }
    return found or None


def _policy(texts: Mapping[str, str], wrong: dict[str, str]) -> dict[str, Any] | None:
    found: dict[str, Any] = {
        name: texts[f"policy_{name}"] for name in _POLICY if texts[f"policy_{name}"]
    }
    for name in ("last_few", "cooldown_hours"):
        if name in found:
            found[name] = _number(found[name], f"policy_{name}", wrong)
    return found or None


def _policy_said(more: dict[str, Any]) -> dict[str, str]:
    """The fields of a policy; what they say is taken out of what is left as JSON."""
    policy = more.get("policy")
    if not isinstance(policy, Mapping):
        return {}
    left = {name: value for name, value in policy.items() if name not in _POLICY}
    more.pop("policy")
    if left:
        more["policy"] = left
    words = {name: policy[name] for name in _POLICY if name in policy}
    return {
        f"policy_{name}": value if isinstance(value, str) else _number_words(value)
        for name, value in words.items()
    }


def _criteria(texts: Mapping[str, str], wrong: dict[str, str]) -> dict[str, Any] | None:
    """The tree of clauses that the fields say, each of which has to be met."""
    clauses: list[dict[str, Any]] = []
    if texts["criteria_m"]:
        of = texts["criteria_of"] or Situation.LINE_ITEM.value
        further = {} if of == Situation.LINE_ITEM.value else {"of": of}
        clauses.append({"situations": _number(texts["criteria_m"], "criteria_m", wrong), **further})
    if texts["criteria_k"]:
        further = {"kind": texts["criteria_kind"]} if texts["criteria_kind"] else {}
        clauses.append({"evidence": _number(texts["criteria_k"], "criteria_k", wrong), **further})
    if texts["criteria_days"]:
        newest = _number(texts["criteria_days"], "criteria_days", wrong)
        clauses.append({"newest_within_days": newest})
    if texts["criteria"] == _NOTHING:
        if clauses:
            wrong["criteria"] = "Ask for nothing besides, or say below for what; not both."
        return {_NOTHING: True}
    if not clauses:
        return None
    return clauses[0] if len(clauses) == 1 else {"all": clauses}


def _criteria_said(more: dict[str, Any]) -> dict[str, str]:
    """The fields of a tree of clauses; one that they cannot say is left as JSON."""
    if "criteria" not in more:
        return {}
    tree = more["criteria"]
    if tree is None:
        more.pop("criteria")
        return {"criteria": _NOTHING}
    clauses = tree.get("all", [tree]) if isinstance(tree, Mapping) else []
    together: dict[str, Any] = {}
    for clause in clauses if isinstance(clauses, list) else []:
        together |= clause if isinstance(clause, Mapping) else {}
    names = {
        "situations": "criteria_m",
        "of": "criteria_of",
        "evidence": "criteria_k",
        "kind": "criteria_kind",
        "newest_within_days": "criteria_days",
    }
    said = {names[key]: str(value) for key, value in together.items() if key in names}
    if _criteria({**dict.fromkeys(FIELDS, ""), **said}, {}) != tree:
        return {}
    more.pop("criteria")
    return said


def _scale(
    texts: Mapping[str, str], wrong: dict[str, str], held: RatingScale
) -> dict[str, Any] | None:
    found = scale_typed(texts, wrong)
    return None if found is None else versioned(found, held)


def _scale_said(more: dict[str, Any]) -> dict[str, str]:
    said = scale_said(more.get("scale"))
    if said is None:
        return {}
    more.pop("scale")
    return said


def _number(text: str, name: str, wrong: dict[str, str]) -> float | int | None:
    try:
        found = float(text.replace(",", "."))
    except ValueError:
        found = math.nan
    is_whole = name.rpartition("criteria_")[2].removeprefix("policy_") in _WHOLE
    if not math.isfinite(found) or (is_whole and found != int(found)):
        wrong[name] = f"Write a {'whole ' if is_whole else ''}number, or leave it empty."
        return None
    return int(found) if is_whole else found


def _number_words(value: object) -> str:
    return "" if value is None else f"{value:.10g}"
