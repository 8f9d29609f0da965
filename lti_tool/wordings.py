"""Words of a district as persons type them, at the desk and at a terminal."""

from collections.abc import Mapping

from mapping.status import Status
from mapping.terms import LONGEST_TERM, RENAMED_STATUSES, Forms, Term, Terms

_STATUS = "status_"


class WordRefused(ValueError):  # noqa: N818 - named for what happened
    """Words that cannot be used.

    Attributes:
        problems: What is wrong, by the name of the field.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)


def status_key(status: Status) -> str:
    """The name of the field with what a status is called."""
    return f"{_STATUS}{status.name.lower()}"


def settled(said: Mapping[str, str]) -> Terms:
    """The words of a form.

    Args:
        said: For each term its word by its name, with ``_many`` behind it the word for several;
            for each status its label by ``status_key``. What is empty or missing is ours.

    Returns:
        The words.

    Raises:
        WordRefused: One is too long, is no word, stands for two, or only one form is given.
    """
    texts = {name: " ".join(text.split()) for name, text in said.items()}
    problems = {name: told for name, text in texts.items() if (told := _problem(text))}
    own: dict[Term, Forms] = {}
    for term in Term:
        one, many = texts.get(term.value, ""), texts.get(f"{term.value}_many", "")
        if one and many:
            own[term] = Forms(one=one, many=many)
        elif one or many:
            missing = f"{term.value}_many" if one else term.value
            problems.setdefault(missing, "Give both the word for one and the word for several.")
    keys = {one: status_key(one) for one in RENAMED_STATUSES}
    labels = {one: texts[key] for one, key in keys.items() if texts.get(key)}
    terms = Terms(own=own, labels=labels)
    problems |= _twice(terms)
    if problems:
        raise WordRefused(problems)
    return terms


def _problem(text: str) -> str:
    if len(text) > LONGEST_TERM:
        return f"Write at most {LONGEST_TERM} characters."
    # Marks that turn the direction of text are not printable either.
    if not text.isprintable() or set(text) & set("<>{}"):
        return "Write words, without brackets and signs that cannot be seen."
    if text and not any(sign.isalpha() for sign in text):
        return "Write a word."
    return ""


def _twice(terms: Terms) -> dict[str, str]:
    """Two things that are called the same cannot be told apart on a page."""
    problems: dict[str, str] = {}
    named: dict[str, str] = {}
    spoken = [(term.value, terms.forms(term).one) for term in Term]
    statuses = [(status_key(one), terms.label_of(one)) for one in RENAMED_STATUSES]
    for group in (spoken, statuses):
        named.clear()
        for key, word in group:
            if word.casefold() in named:
                problems[key] = f"“{word}” stands for something else already."
            named[word.casefold()] = key
    return problems
