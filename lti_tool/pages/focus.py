"""What a placed link is about: its pages show that, and lead to everything else."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request
from sqlalchemy import Connection

from lti_tool.guards import Visit
from mapping.records import CompetencyId
from store.competencies import focus_of

EVERYTHING = "all"
"""The parameter of an address that asks for everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFocus:
    """What a page says about its link.

    ``named`` are the competencies that the link names, ``within`` those and all they group.
    ``unknown`` counts those that the tenant does not have. ``is_narrow`` is whether the page
    leaves everything else out.
    """

    named: frozenset[CompetencyId]
    within: frozenset[CompetencyId]
    statements: Sequence[str]
    unknown: int
    is_narrow: bool

    def has(self, competency: CompetencyId) -> bool:
        """Whether the page shows a competency."""
        return not self.is_narrow or competency in self.within


def shown_focus(connection: Connection, visit: Visit) -> ShownFocus | None:
    """What the launched link is about, None where it is about everything."""
    if not visit.record.focus:
        return None
    found = focus_of(connection, visit.record.tenant, visit.record.focus)
    return ShownFocus(
        named=found.named,
        within=found.within,
        statements=found.statements,
        unknown=found.unknown,
        is_narrow=bool(found.within) and EVERYTHING not in request.args,
    )
