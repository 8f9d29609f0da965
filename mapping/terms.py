"""What a district calls things: its words for terms and statuses, in place of ours."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from types import MappingProxyType

from mapping.status import Status
from mapping.wording import DEFAULT_TERMS, Translator, marked

LONGEST_TERM = 40
"""Characters; more would not fit where the words stand."""


class Term(Enum):
    """A term that districts have words of their own for."""

    COMPETENCY = "competency"
    STRAND = "strand"
    FRAMEWORK = "framework"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """A word for one and for several, small letters in the middle of a sentence."""

    one: str
    many: str


USUAL: Mapping[Term, Forms] = MappingProxyType(
    {
        Term.COMPETENCY: Forms(one="competency", many="competencies"),
        Term.STRAND: Forms(one="strand", many="strands"),
        Term.FRAMEWORK: Forms(one="framework", many="frameworks"),
    }
)

EXPLANATIONS: Mapping[Term, str] = MappingProxyType(
    {
        Term.COMPETENCY: marked(
            "Something that a learner can show, said in one sentence. Work in courses is mapped "
            "to it, and what was achieved there is its evidence."
        ),
        Term.STRAND: marked(
            "Several {competencies} that belong together; where it stands is made up of theirs."
        ),
        Term.FRAMEWORK: marked(
            "The whole list of {strands} and {competencies}, as a state, a publisher or the "
            "district has written it."
        ),
    }
)

RENAMED_STATUSES = (
    Status.MASTERED,
    Status.RECHECK_DUE,
    Status.NOT_SUSTAINED,
    Status.INSUFFICIENT,
    Status.NO_EVIDENCE,
)
"""Those that a rule's scale does not name."""

STATUS_EXPLANATIONS: Mapping[Status, str] = MappingProxyType(
    {
        Status.MASTERED: marked("The evidence meets the rule."),
        Status.RECHECK_DUE: marked(
            "{Mastered}, and long enough ago to be shown again: an invitation; nobody loses "
            "anything by it."
        ),
        Status.NOT_SUSTAINED: marked(
            "It was {Mastered} once; newer evidence does not hold it for now."
        ),
        Status.INSUFFICIENT: marked("There is evidence, and too little of it to speak of a level."),
        Status.NO_EVIDENCE: marked("Nothing that was done so far speaks for it."),
    }
)

_UNKIND = re.compile(r"\b(fail\w*|behind|deficien\w*|poor|weak)\b", re.IGNORECASE)
_ONE = marked("a {word}")
_EACH = marked("A {word}")
_VOWELS = frozenset("aeiou")


def unkind_words(text: str) -> tuple[str, ...]:
    """Words in a label that tell a learner what they are not, each once as it stands.

    Source: product/requirements.md R16 bans "fail", "failing" and "behind".
    """
    return tuple(dict.fromkeys(_UNKIND.findall(text)))


@dataclass(frozen=True)
class Terms:
    """A district's words; whatever it has none for has ours.

    ``own`` has the forms of terms, ``labels`` the names of statuses.
    """

    own: Mapping[Term, Forms] = field(default_factory=dict)
    labels: Mapping[Status, str] = field(default_factory=dict)

    def forms(self, term: Term) -> Forms:
        """The word for one and for several."""
        return self.own.get(term, USUAL[term])

    def label_of(self, status: Status) -> str:
        """What a status is called, its own name on a scale apart."""
        return self.labels.get(status, status.label)

    @cached_property
    def values(self) -> Mapping[str, str]:
        """The words by the placeholders of templates.

        Of each term ``{competency}`` and ``{competencies}``, with a capital ``{Competency}`` and
        ``{Competencies}``, with its article ``{a_competency}`` and ``{A_competency}``.
        Statuses that have another name stand by ours, ``{Mastered}`` in any case.
        """
        if not self.own and not self.labels:
            return DEFAULT_TERMS
        found = {"Mastered": self.label_of(Status.MASTERED)}
        found |= {status.label: label for status, label in self.labels.items()}
        for term, usual in USUAL.items():
            forms = self.forms(term)
            article = "an" if forms.one[:1].lower() in _VOWELS else "a"
            for name, word in ((usual.one, forms.one), (usual.many, forms.many)):
                found |= {name: word, capital(name): capital(word)}
            found[f"a_{usual.one}"] = f"{article} {forms.one}"
            found[f"A_{usual.one}"] = f"{capital(article)} {forms.one}"
        return found

    def values_in(self, words: Translator) -> Mapping[str, str]:
        """The words by the placeholders of templates, in a language other than English.

        Ours are translated; a district's stand as it wrote them. Their gender is known to nobody,
        so they get no article, and at the head of a sentence one that has no gender.

        Args:
            words: The language; its own terms are not asked for.
        """
        found = {name: words.one(word) for name, word in DEFAULT_TERMS.items()}
        for term, forms in self.own.items():
            usual = USUAL[term]
            for name, word in ((usual.one, forms.one), (usual.many, forms.many)):
                found |= {name: word, capital(name): capital(word)}
            found[f"a_{usual.one}"] = words.one(_ONE).format(word=forms.one)
            found[f"A_{usual.one}"] = words.one(_EACH).format(word=forms.one)
        return found | {status.label: label for status, label in self.labels.items()}


def capital(word: str) -> str:
    """The same with a capital."""
    return f"{word[:1].upper()}{word[1:]}"


USUAL_TERMS = Terms()
"""Our words for everything."""
