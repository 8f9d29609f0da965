"""What each level of a competency looks like, in words and languages."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

import msgspec

from lti_tool import framework_edits
from lti_tool.api.fields import Digest, Reason
from lti_tool.api.framework_edits import (
    COMPETENCY,
    MOST_BYTES,
    SEEN,
    Language,
    Text,
    WholeCompetency,
    must_be_seen,
    row_here,
    to_change,
    told_one,
)
from lti_tool.api.operations import OPERATIONS, Call
from lti_tool.api.problems import Refused
from lti_tool.framework_edits import Edited, LevelWords, languages_of
from lti_tool.launch.services import services
from mapping.scales import Level
from store.api_tokens import Scope
from store.indicators import indicators_of
from store.session import writing

_MOST_LEVELS = 32


class NewLevelWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each level of a competency looks like, in a language: a text for each, or an empty one.

    They stand in the order of the levels, the lowest first.
    """

    language: Language
    texts: Annotated[Sequence[Text], msgspec.Meta(max_length=_MOST_LEVELS)]
    seen: Digest
    reason: Reason = ""


@OPERATIONS.add(
    "PUT",
    f"{COMPETENCY}/levels",
    scope=Scope.DESIGN,
    answer=WholeCompetency,
    takes=NewLevelWords,
    most_bytes=MOST_BYTES,
    example={
        "language": "en",
        "texts": ["", "Compares with pictures.", "Compares any two.", "Explains why."],
        "seen": SEEN,
    },
)
def word_competency_levels(call: Call) -> WholeCompetency:
    """Say what each level of a competency looks like, in a language; of imported ones, too."""
    wanted: NewLevelWords = call.body
    texts = dict(enumerate(one.strip() for one in wanted.texts))
    with writing(services().engine) as connection:
        edited = to_change(connection, call)
        row = row_here(edited, call)
        levels = framework_edits.levels_of(connection, call.caller.tenant)
        _must_fit(wanted, edited, levels)
        stored = indicators_of(connection, row.id)
        if any(stored.get((at, wanted.language), "") != text for at, text in texts.items()):
            must_be_seen(connection, call, wanted.seen)
            framework_edits.word_levels(
                *(connection, call.caller.tenant, edited),
                row=row,
                words=LevelWords(
                    language=wanted.language,
                    texts=texts,
                    labels=[one.label for one in levels],
                ),
                author=call.caller.author(wanted.reason),
            )
        return told_one(connection, call)


def _must_fit(wanted: NewLevelWords, edited: Edited, levels: Sequence[Level]) -> None:
    """Let on what goes with the scale and the languages.

    Raises:
        Refused: It does not.
    """
    known = languages_of(edited.listed)
    problems = []
    if len(wanted.texts) != len(levels):
        names = ", ".join(one.label for one in levels)
        problems.append(f"The scale has {len(levels)} levels ({names}): send as many texts.")
    if wanted.language not in known:
        problems.append(f"Levels are worded in {', '.join(known)}.")
    if problems:
        raise Refused(HTTPStatus.CONFLICT, "Nothing was changed.", problems=problems)
