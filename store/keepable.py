"""What an LMS sends of people and columns, made so that every database keeps it.

Words that are too long are cut, and signs that no database keeps are left out of them. Where a
reference is such a word, what it names is passed over: cut, it might name something else.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from math import isfinite

from sqlalchemy import Column, String

from mapping.lms_links import bounded
from mapping.records import Enrolment, LineItem, LmsLink, Person
from store.tables import learner_accounts, learners, line_items

# Half of a pair of surrogates cannot be written in UTF-8; PostgreSQL keeps no NUL.
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")


def keepable_people(found: Iterable[Enrolment]) -> tuple[Enrolment, ...]:
    """People whom a database can name, with names that it can keep.

    A SIS id that cannot be kept is none: the person is known by their account alone.
    """
    return tuple(
        replace(one, person=_person(one.person))
        for one in found
        if _names(one.person.ref, learner_accounts.c.ref)
    )


def keepable_items(found: Iterable[LineItem]) -> tuple[LineItem, ...]:
    """Gradebook columns that a database can name, with titles and ranges that it can keep.

    A range that is none has no points to give, as far as one can tell.
    """
    return tuple(_item(one) for one in found if _names(one.ref, line_items.c.ref))


def _person(person: Person) -> Person:
    sis_id = person.sis_id
    name, sort_name = (
        _words(person.name, learners.c.name),
        _words(person.sort_name, learners.c.name),
    )
    if sis_id is not None and not _names(sis_id, learners.c.sis_id):
        sis_id = None
    if (name, sort_name, sis_id) == (person.name, person.sort_name, person.sis_id):
        return person
    return replace(person, name=name, sort_name=sort_name, sis_id=sis_id)


def _item(item: LineItem) -> LineItem:
    criteria = tuple(
        replace(
            one,
            title=_words(one.title, line_items.c.criterion),
            maximum=one.maximum if isfinite(one.maximum) else 0.0,
            links=_links(one.links),
        )
        for one in item.criteria
        if _names(one.ref, line_items.c.criterion_ref)
    )
    is_range = isfinite(item.minimum) and isfinite(item.maximum)
    return replace(
        item,
        title=_words(item.title, line_items.c.title),
        category=_words(item.category, line_items.c.category),
        minimum=item.minimum if is_range else 0.0,
        maximum=item.maximum if is_range else 0.0,
        criteria=criteria,
        links=_links(item.links),
    )


def _links(found: tuple[LmsLink, ...]) -> tuple[LmsLink, ...]:
    """A name with a sign that no database keeps names nothing."""
    return bounded(tuple(n for n in one if not _UNKEEPABLE.search(n)) for one in found)


def _names(ref: str, column: Column[str]) -> bool:
    return ref == _words(ref, column)


def _words(text: str, column: Column[str]) -> str:
    kind = column.type
    length = kind.length if isinstance(kind, String) else None
    return _UNKEEPABLE.sub("", text)[:length]
