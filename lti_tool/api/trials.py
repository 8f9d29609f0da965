"""What a change would do to where learners stand: tried on all evidence before it holds."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from lti_tool.api.mapping_drafts import draft_here
from lti_tool.api.openapi import ADDRESS
from lti_tool.api.operations import OPERATIONS, Call, Later
from lti_tool.api.problems import NotHere
from lti_tool.launch.services import services
from mapping.effects import Effect as EffectRecord
from mapping.effects import Turnout
from mapping.records import LearnerId
from mapping.status import Status
from store import effect_names, mapping_drafts
from store.api_tokens import Scope
from store.frameworks import competencies_by_id
from store.session import reading
from workers import trials
from workers.effects import Proposed

_ADDRESS = f"{ADDRESS}/trials/"
MOST = 200
"""Competencies of an answer, those that change most; ``competencies`` counts all."""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """How many would go from one status to another."""

    before: str
    after: str
    count: int


class CompetencyTurnout(msgspec.Struct, frozen=True, kw_only=True):
    """How many stand in each status of a competency, before and after."""

    competency: int
    code: str
    before: Mapping[str, int]
    after: Mapping[str, int]


class SchoolTurnout(msgspec.Struct, frozen=True, kw_only=True):
    """How many stand in each status in a school, before and after; empty for no school."""

    school: str
    before: Mapping[str, int]
    after: Mapping[str, int]


class ExampleOfEffect(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who would stand otherwise; told to tokens that are good for "people"."""

    learner: int
    name: str
    competency: int
    before: str
    after: str
    estimate_before: float | None
    estimate_after: float | None


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What a change would do, in the view of teachers but for marks.

    ``learners`` were judged, ``concerned`` of them would stand otherwise; ``moved`` statuses would
    be others; ``marks`` cells of gradebooks may be written anew, at most.
    """

    learners: int
    concerned: int
    moved: int
    marks: int
    moves: Sequence[Move]
    competencies: int
    by_competency: Sequence[CompetencyTurnout]
    by_school: Sequence[SchoolTurnout]
    examples: Sequence[ExampleOfEffect]


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A trial: ``effect`` once it is known; until then how many learners were judged of how many.

    ``address`` is where it is asked for, for an hour; ``is_quiet`` says that nothing was heard of
    it for minutes, so that it is best begun anew.
    """

    address: str
    done: int
    of: int
    is_quiet: bool
    effect: Effect | None


@OPERATIONS.add(
    "POST",
    "/mapping/drafts/<row_id:draft_id>/trials",
    scope=Scope.DESIGN,
    answer=Trial,
    may_be_later=True,
)
def try_mapping_draft(call: Call) -> Trial | Later:
    """Try on all evidence where learners would stand under a draft; nothing is changed.

    Up to 3,000 learners are judged at once. In a larger district the trial is begun, and the
    answer says where to ask for it.
    """
    with reading(services().engine) as connection:
        draft = draft_here(connection, call)
        rules = mapping_drafts.rules_in(connection, draft.id)
    return tried(call, Proposed(mapping=rules))


@OPERATIONS.add("GET", "/trials/<string(length=16):key>", scope=Scope.DESIGN, answer=Trial)
def get_trial(call: Call) -> Trial:
    """How far a trial in the background is, and what came of it.

    Raises:
        NotHere: There is none of this key, or it is over an hour old.
    """
    key = call.words["key"]
    if not (key.isascii() and key.isalnum()):
        raise NotHere("trial")
    found = trials.trial(services().container, call.caller.tenant, key)
    if found is None:
        raise NotHere("trial")
    return _trial(call, found)


def tried(call: Call, change: Proposed) -> Trial | Later:
    """What a change would do, or where that will be found."""
    found = trials.try_out(services().container, call.caller.tenant, change, purpose={})
    told = _trial(call, found)
    return Later(body=told) if found.effect is None else told


def _trial(call: Call, found: trials.Trial) -> Trial:
    # One that was made at once never told how far it was.
    known = None if found.effect is None else found.effect.learners
    return Trial(
        address=_ADDRESS + found.key,
        done=found.done if known is None else known,
        of=found.of if known is None else known,
        is_quiet=found.is_quiet,
        effect=None if found.effect is None else _told(call, found.effect),
    )


def _told(call: Call, effect: EffectRecord) -> Effect:
    with reading(services().engine) as connection:
        codes = competencies_by_id(connection, list(effect.by_competency))
        schools = effect_names.school_names(connection, call.caller.tenant)
        is_for_people = Scope.PEOPLE in call.caller.token.scopes
        examples = _examples(connection, call, effect) if is_for_people else []
    most = sorted(effect.by_competency.items(), key=lambda one: (-_change(one[1]), one[0]))
    return Effect(
        learners=effect.learners,
        concerned=effect.concerned,
        moved=effect.moved,
        marks=effect.marks,
        moves=[
            Move(before=_word(before), after=_word(after), count=count)
            for (before, after), count in sorted(effect.moves.items(), key=lambda one: -one[1])
        ],
        competencies=len(effect.by_competency),
        by_competency=[
            CompetencyTurnout(
                competency=one,
                code=codes[one].code if one in codes else "",
                before=_counts(told.before),
                after=_counts(told.after),
            )
            for one, told in most[:MOST]
        ],
        by_school=[
            SchoolTurnout(
                school=schools.get(one, ""),
                before=_counts(told.before),
                after=_counts(told.after),
            )
            for one, told in effect.by_school.items()
        ],
        examples=examples,
    )


def _examples(connection: Connection, call: Call, effect: EffectRecord) -> list[ExampleOfEffect]:
    named = [LearnerId(one.learner) for one in effect.examples]
    names = effect_names.learner_names(connection, call.caller.tenant, named)
    return [
        ExampleOfEffect(
            learner=one.learner,
            name=names.get(one.learner, ""),
            competency=one.competency,
            before=_word(one.before),
            after=_word(one.after),
            estimate_before=one.estimate_before,
            estimate_after=one.estimate_after,
        )
        for one in effect.examples
    ]


def _change(told: Turnout) -> int:
    before, after = told.mastered
    return abs(after - before)


def _counts(side: Mapping[Status, int]) -> dict[str, int]:
    return {_word(one): count for one, count in side.items()}


def _word(status: Status) -> str:
    return status.name.lower()
