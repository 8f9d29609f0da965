"""Statements that nobody can be seen to do: "understands fractions", "knows the planets".

What a competency asks for must show in what a learner does. A statement that begins with one of
these verbs is pointed out and never refused: whoever wrote it may mean it so.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

VAGUE_VERBS: Mapping[str, Sequence[str]] = {
    "en": (
        *("understand", "understands", "know", "knows", "appreciate", "appreciates"),
        *("learn", "learns", "grasp", "grasps", "realize", "realizes", "realise", "realises"),
        *("be aware of", "is aware of", "be familiar with", "is familiar with", "believe"),
    ),
    "pt": (
        *("compreender", "compreende", "entender", "entende", "conhecer", "conhece"),
        *("saber", "sabe", "apreciar", "aprecia", "aprender", "aprende"),
        *("familiarizar-se com", "conscientizar-se de", "ter consciência de"),
    ),
    "es": (
        *("comprender", "comprende", "entender", "entiende", "conocer", "conoce"),
        *("saber", "sabe", "apreciar", "aprecia", "aprender", "aprende"),
        *("familiarizarse con", "tomar conciencia de", "ser consciente de"),
    ),
    "fr": (
        *("comprendre", "comprend", "connaître", "connaît", "apprécier", "apprécie"),
        *("apprendre", "apprend", "se familiariser avec", "prendre conscience de"),
    ),
}
"""By language; a district may set lists of its own."""

_OPENINGS: Mapping[str, Sequence[str]] = {
    "en": (
        *("i can", "i will", "students", "the student", "student", "learners", "the learner"),
        *("will", "can", "should", "must", "be able to", "is able to", "are able to", "to"),
        *("pupils", "children", "swbat", "we"),
    ),
    "pt": ("os alunos", "o aluno", "o estudante", "os estudantes", "devem", "deve", "eu"),
    "es": ("los alumnos", "el alumno", "el estudiante", "los estudiantes", "deben", "debe", "yo"),
    "fr": ("les élèves", "l'élève", "doivent", "doit", "je"),
}
_WORDS = re.compile(r"[\w'\u2019-]+")


def vague_verb(
    statement: str, language: str, verbs: Mapping[str, Sequence[str]] = VAGUE_VERBS
) -> str:
    """The verb that a statement begins with and that cannot be demonstrated.

    Args:
        statement: What is to be learned.
        language: Of the statement, a tag such as ``pt-BR``; a language without a list has none.
        verbs: Lists by language.

    Returns:
        The verb as the list has it; empty where the statement begins with none of them.
    """
    key = _key(language)
    openings, vague = _prepared(key, tuple(verbs.get(key, ())))
    words = _plain(statement)
    while (opening := _beginning(words, openings)) is not None:
        words = words[len(opening) :]
    found = _beginning(words, vague)
    return "" if found is None else vague[found[0]][found]


_ByFirst: TypeAlias = Mapping[str, Mapping[tuple[str, ...], str]]


@lru_cache(maxsize=64)
def _prepared(key: str, verbs: tuple[str, ...]) -> tuple[_ByFirst, _ByFirst]:
    """Openings and verbs of a language as words, by the first of them."""
    return _by_first(_OPENINGS.get(key, ())), _by_first(verbs)


def _by_first(phrases: Sequence[str]) -> _ByFirst:
    found: dict[str, dict[tuple[str, ...], str]] = {}
    for phrase in phrases:
        words = tuple(_plain(phrase))
        if words:
            found.setdefault(words[0], {})[words] = phrase
    return found


def _beginning(words: Sequence[str], phrases: _ByFirst) -> tuple[str, ...] | None:
    """The phrase that words begin with."""
    known = phrases.get(words[0], {}) if words else {}
    return next((one for one in known if tuple(words[: len(one)]) == one), None)


def _key(language: str) -> str:
    return language.replace("_", "-").partition("-")[0].lower()


def _plain(text: str) -> list[str]:
    """Words without case; an accent that is written in two ways is one."""
    # A verb stands near the beginning: what follows is not looked at.
    return _WORDS.findall(unicodedata.normalize("NFC", text[:300]).casefold())
