"""Which competency an unmapped line item may speak for, by how alike their words are.

A suggestion is never more: a person confirms each one before it becomes a rule of a draft.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from numpy import floating
from numpy.typing import NDArray
from rapidfuzz.fuzz import token_set_ratio
from rapidfuzz.process import cdist
from rapidfuzz.utils import default_process
from sqlalchemy import Connection

from mapping.records import CourseId, MappingRule, TenantId
from store.frameworks import StoredCompetency, competencies_of
from store.item_books import StoredItem
from store.mapping_matching import course_coverage, mapped_titles

_Likeness = NDArray[floating]
_LEAST = 55.0
"""Of 100; below, words that two texts share are mostly words that all texts share."""
_MOST_FOR_ONE = 3
_MOST_ITEMS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A competency that a line item may speak for.

    Attributes:
        competency: Which.
        likeness: From 0 to 100.
        like: The line item of a like name that speaks for it; empty where it is like the
            competency's own words.
    """

    competency: StoredCompetency
    likeness: int
    like: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestedItem:
    """A line item that no rule speaks of, with what it may speak for, the likeliest first."""

    item: StoredItem
    suggestions: Sequence[Suggestion]


def suggestions_for(
    connection: Connection, tenant: TenantId, rules: Sequence[MappingRule], *, course: CourseId
) -> tuple[SuggestedItem, ...]:
    """Suggest competencies for the line items of a course that no rule speaks of.

    Args:
        connection: A transaction.
        tenant: Whose mapping it is.
        rules: Of the draft in hand.
        course: Which course of the tenant.

    Returns:
        The first 100 such line items, also those for which nothing is like enough.

    Source: rapidfuzz, token_set_ratio: the words that two texts share, in any order.
    """
    items = course_coverage(connection, tenant, rules, course=course).unmapped[:_MOST_ITEMS]
    known = [one for one in competencies_of(connection, tenant) if not one.is_strand]
    if not items or not known:
        return tuple(SuggestedItem(item=item, suggestions=()) for item in items)
    there = {int(one.id): at for at, one in enumerate(known)}
    mapped = [
        (title, there[competency])
        for title, competency in mapped_titles(connection, tenant)
        if competency in there
    ]
    texts = [f"{item.title} {item.category}" for item in items]
    by_words = _likeness(texts, [f"{c.code} {c.statement} {c.indicator}" for c in known])
    by_titles = _likeness([item.title for item in items], [title for title, _ in mapped])
    return tuple(
        SuggestedItem(
            item=item,
            suggestions=_best(known, mapped, by_words=by_words[at], by_titles=by_titles[at]),
        )
        for at, item in enumerate(items)
    )


def _likeness(texts: Sequence[str], others: Sequence[str]) -> _Likeness:
    """How alike each of some texts is to each of others, from 0 to 100."""
    return cdist(texts, others, scorer=token_set_ratio, processor=default_process)


def _best(
    known: Sequence[StoredCompetency],
    mapped: Sequence[tuple[str, int]],
    *,
    by_words: _Likeness,
    by_titles: _Likeness,
) -> tuple[Suggestion, ...]:
    found = {at: (float(likeness), "") for at, likeness in enumerate(by_words)}
    for (title, at), likeness in zip(mapped, by_titles, strict=True):
        if likeness > found[at][0]:
            found[at] = float(likeness), title
    ordered = sorted(found, key=lambda at: -found[at][0])[:_MOST_FOR_ONE]
    return tuple(
        Suggestion(competency=known[at], likeness=round(found[at][0]), like=found[at][1])
        for at in ordered
        if found[at][0] >= _LEAST
    )
