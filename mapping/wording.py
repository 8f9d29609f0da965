"""How sentences for persons are made, so that each can be said in another language.

A sentence is a template in English with named placeholders, ``"Open until {day}."``; a number
that decides between one and many gives two. Templates are literals where they are used, so that
``templates`` finds them all in the source; what is put in (a label of the district, a title) is
never translated.
"""

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple


def marked(template: str) -> str:
    """A template kept in a table and said later: the mark lets ``templates`` find it."""
    return template


DEFAULT_TERMS: Mapping[str, str] = MappingProxyType(
    {
        "competency": marked("competency"),
        "competencies": marked("competencies"),
        "Competency": marked("Competency"),
        "Competencies": marked("Competencies"),
        "a_competency": marked("a competency"),
        "A_competency": marked("A competency"),
        "strand": marked("strand"),
        "strands": marked("strands"),
        "Strand": marked("Strand"),
        "Strands": marked("Strands"),
        "a_strand": marked("a strand"),
        "A_strand": marked("A strand"),
        "framework": marked("framework"),
        "frameworks": marked("frameworks"),
        "Framework": marked("Framework"),
        "Frameworks": marked("Frameworks"),
        "a_framework": marked("a framework"),
        "A_framework": marked("A framework"),
        "Mastered": marked("Mastered"),
    }
)
"""Placeholders that any template may have, and our words for them; a district may have others."""


class Figure(str):
    """Digits for a person; put into a template they get the language's own decimal mark."""

    __slots__ = ()


class Plural(NamedTuple):
    """Two forms kept in a table: ``words.count(*form, number)`` says them later."""

    singular: str
    plural: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Translator:
    """Says templates in one language.

    Attributes:
        one: A template -> the same in that language.
        many: Singular, plural and the number -> the form of that language for the number.
        mark: What stands before the decimals of a number.
        terms: The district's words for what ``DEFAULT_TERMS`` has placeholders for.
    """

    one: Callable[[str], str]
    many: Callable[[str, str, int], str]
    mark: str = "."
    terms: Mapping[str, str] = field(default_factory=lambda: DEFAULT_TERMS)

    def say(self, template: str, /, **values: object) -> str:
        """Say a template.

        Args:
            template: In English, with named placeholders.
            values: What is put in.

        Returns:
            The words; the English ones where the translation names other placeholders.
        """
        return self._filled(self.one(template), template, {**self.terms, **values})

    def label(self, name: str) -> str:
        """A status by our name for it: the district's own word, else in the language."""
        return self.terms.get(name) or self.one(name)

    def count(self, singular: str, plural: str, number: int, /, **values: object) -> str:
        """Say how many, in the form that the number asks for.

        Args:
            singular: In English, for one.
            plural: In English, for any other number.
            number: Put in for the placeholder ``{count}``.
            values: What else is put in.
        """
        english = singular if number == 1 else plural
        told = {**self.terms, **values, "count": number}
        return self._filled(self.many(singular, plural, number), english, told)

    def figures(self, text: str) -> str:
        """Write the numbers of a calculation, which holds nothing that persons named.

        Where a comma stands before the decimals, a semicolon keeps numbers apart.
        """
        if self.mark == ".":
            return text
        marked_numbers = _POINT.sub(self.mark, text)
        return _BETWEEN.sub("; ", marked_numbers) if self.mark == "," else marked_numbers

    def _filled(self, template: str, english: str, values: dict[str, object]) -> str:
        told = {
            name: self.figures(value) if isinstance(value, Figure) else value
            for name, value in values.items()
        }
        try:
            return template.format_map(told)
        except (KeyError, IndexError, ValueError, AttributeError):
            return english.format_map(told)


ENGLISH = Translator(
    one=lambda template: template,
    many=lambda singular, plural, number: singular if number == 1 else plural,
)
"""The templates as they are."""


def sentence(clause: str) -> str:
    """A clause as a sentence of its own: its first letter is a capital, a full stop ends it."""
    return f"{clause[:1].upper()}{clause[1:]}."


def templates(source: str) -> tuple[tuple[str, ...], ...]:
    """Find every template in Python source, for those who translate.

    Args:
        source: A module that says things by a ``Translator``.

    Returns:
        One text for each ``say`` and ``marked``, two for each ``count`` and ``Plural``, where
        they are literals.
    """
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return tuple(found for call in calls if (found := _literals(call)))


_POINT = re.compile(r"(?<=[0-9])\.(?=[0-9])")
_BETWEEN = re.compile(r"(?<=[0-9]), (?=[0-9])")

# Texts that each call begins with, of how many arguments.
_CALLS = {"say": (1, 1), "marked": (1, 1), "count": (2, 3), "Plural": (2, 2)}


def _literals(call: ast.Call) -> tuple[str, ...]:
    texts, arguments = _CALLS.get(_name(call.func), (0, 0))
    literals = tuple(
        argument.value
        for argument in call.args[:texts]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    )
    return literals if len(literals) == texts and len(call.args) == arguments else ()


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
