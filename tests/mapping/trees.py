"""Random trees of clauses, and translators that show what goes through them."""

import re

from hypothesis import strategies as st

from mapping.records import EvidenceKind
from mapping.rules.clauses import (
    AllOf,
    ChildrenMastered,
    EstimateReaches,
    EvidenceReaches,
    LineItemCounts,
    NewestWithin,
    Situation,
    SituationsReach,
    SomeOf,
)
from mapping.wording import ENGLISH, Translator

# Never more than a scale of 4 points and than there are kinds.
LEAVES = st.one_of(
    st.builds(EstimateReaches, points=st.integers(1, 400).map(lambda n: n / 100)),
    st.builds(
        EvidenceReaches,
        count=st.integers(1, 100),
        kind=st.none() | st.sampled_from(EvidenceKind),
    ),
    st.builds(SituationsReach, count=st.integers(1, 6), of=st.sampled_from(Situation)),
    st.builds(NewestWithin, days=st.integers(1, 3650)),
    st.builds(LineItemCounts, pattern=st.sampled_from(["*FINAL*", "{PROJECT}", "TASK ?"])),
    st.builds(ChildrenMastered, count=st.none() | st.integers(1, 1000)),
)


def _groups(parts):
    lists = st.lists(parts, min_size=1, max_size=4).map(tuple)
    some = lists.flatmap(
        lambda clauses: st.builds(
            SomeOf, count=st.integers(1, len(clauses)), clauses=st.just(clauses)
        )
    )
    return st.builds(AllOf, clauses=lists) | some


TREES = st.recursive(LEAVES, _groups, max_leaves=8)

_PLACEHOLDER = re.compile(r"(\{[A-Za-z_]+\})")


def shouted(template):
    """A template in capitals, but for its placeholders."""
    parts = _PLACEHOLDER.split(template)
    return "".join(part if _PLACEHOLDER.fullmatch(part) else part.upper() for part in parts)


SHOUTING = Translator(
    one=shouted,
    many=lambda singular, plural, number: shouted(ENGLISH.many(singular, plural, number)),
    terms={name: word.upper() for name, word in ENGLISH.terms.items()},
)


def listening(heard):
    """English, and every template that was said is added to ``heard``."""

    def one(template):
        heard.add((template,))
        return template

    def many(singular, plural, number):
        heard.add((singular, plural))
        return ENGLISH.many(singular, plural, number)

    return Translator(one=one, many=many)
