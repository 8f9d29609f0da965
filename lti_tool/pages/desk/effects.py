"""An effect as a page shows it: with names, the greatest changes first."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from lti_tool.guards import Visit
from mapping.effects import Effect, Example, Turnout
from mapping.records import LearnerId
from mapping.status import Status
from store import effect_names
from store.frameworks import StoredCompetency, competencies_by_id

MOST_ROWS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How a competency or a school would stand: how many count as mastery, and how many in all."""

    name: str
    code: str
    before: int
    after: int
    judged_before: int
    judged_after: int

    @property
    def change(self) -> int:
        """By how many more count as mastery."""
        return self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """How many would go from one status to another."""

    before: Status
    after: Status
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedExample:
    """Somebody who would stand otherwise, by name."""

    example: Example
    learner: str
    competency: StoredCompetency | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownEffect:
    """An effect with names; ``more`` competencies are not listed."""

    effect: Effect
    moves: Sequence[Move]
    competencies: Sequence[Line]
    schools: Sequence[Line]
    examples: Sequence[NamedExample]
    more: int


def shown(connection: Connection, visit: Visit, effect: Effect) -> ShownEffect:
    """Put names to an effect.

    Args:
        connection: A transaction.
        visit: Of an administrator of the district.
        effect: What a change would do.
    """
    tenant = visit.record.tenant
    named = {one.competency for one in effect.examples}
    known = competencies_by_id(connection, [*effect.by_competency, *named])
    schools = effect_names.school_names(connection, tenant)
    people = effect_names.learner_names(
        connection, tenant, [LearnerId(one.learner) for one in effect.examples]
    )
    lines = [
        _line(told, name=known[one].statement, code=known[one].code)
        for one, told in effect.by_competency.items()
        if one in known
    ]
    lines.sort(key=lambda one: (-abs(one.change), one.code))
    return ShownEffect(
        effect=effect,
        moves=sorted(
            (Move(before=a, after=b, count=n) for (a, b), n in effect.moves.items()),
            key=lambda one: -one.count,
        ),
        competencies=lines[:MOST_ROWS],
        schools=[
            _line(told, name=schools.get(one, "In no school"), code="")
            for one, told in effect.by_school.items()
        ],
        examples=[
            NamedExample(
                example=one,
                learner=people.get(one.learner, ""),
                competency=known.get(one.competency),
            )
            for one in effect.examples
        ],
        more=max(len(lines) - MOST_ROWS, 0),
    )


def _line(told: Turnout, *, name: str, code: str) -> Line:
    before, after = told.mastered
    return Line(
        name=name,
        code=code,
        before=before,
        after=after,
        judged_before=sum(told.before.values()),
        judged_after=sum(told.after.values()),
    )
