"""Both views of the same standings, the teacher's and the learner's, in little more than one."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from mapping.columns import BoolArray
from mapping.evidence.counting import Counted
from mapping.evidence.matches import Matches
from mapping.evidence.tables import View
from mapping.judgement.ascent import Below, Own, ascend
from mapping.judgement.grounds import Grounds
from mapping.judgement.judging import below_of, bodies_matter, own_standings, said_only
from mapping.pairs import NOWHERE, Pairs, closure, root_of
from mapping.progressions.graph import Hierarchy
from mapping.status import StandingTable


def judge_both(grounds: Grounds, pairs: Pairs | None = None) -> tuple[StandingTable, StandingTable]:
    """Judge for the teacher and for the learner.

    What hides nothing from the learner stands alike in both views, and is judged once. Anew are
    judged the pairs that a hidden score speaks for, and the parents that these are part of.

    Args:
        grounds: What is known.
        pairs: Only these and everything above them; None for everything.

    Returns:
        What ``judging.judge``, or ``judge_pairs``, gives in the teacher's view and in the
        learner's.
    """
    wanted = None if pairs is None else closure(pairs, grounds.hierarchy)
    if wanted is not None:
        grounds = grounds.restricted(wanted)
    tables = _judged(grounds)
    if wanted is None:
        return tables
    # Both have the same rows.
    is_wanted = wanted.find(tables[0].learner, tables[0].competency) != NOWHERE
    return tables[0].rows(is_wanted), tables[1].rows(is_wanted)


def _judged(grounds: Grounds) -> tuple[StandingTable, StandingTable]:
    matches = Matches.of(grounds.scores, grounds.alignments)
    said = said_only(matches, grounds)
    own, bodies = own_standings(matches, said, grounds, view=View.TEACHER)
    teachers = ascend(own, below_of(bodies, grounds), grounds)
    is_hidden = ~grounds.scores.is_visible
    if not is_hidden.any():
        return teachers, teachers
    part = matches.only(matches.any_of(is_hidden))
    anew, seen = own_standings(part, Pairs.none(), grounds, view=View.LEARNER)
    touched = _Touched.of(part, grounds)
    below = Below.of([])
    if bodies_matter(grounds):
        below = Below.of([*(touched.spared(body) for body in bodies), *seen])
    changed = ascend(touched.families(own, anew), below, grounds)
    is_changed = touched.is_theirs(teachers)
    return teachers, teachers.with_rows(is_changed, changed)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Touched:
    """The pairs that hidden scores speak for, and the topmost ancestors that they make up."""

    pairs: Pairs
    tops: Pairs
    hierarchy: Hierarchy

    @classmethod
    def of(cls, matches: Matches, grounds: Grounds) -> Self:
        pairs = Pairs(learner=matches.learner, competency=matches.competency)
        tops = pairs
        if grounds.hierarchy.deepest:
            tops = Pairs.of(pairs.learner, root_of(pairs.competency, grounds.hierarchy))
        return cls(pairs=pairs, tops=tops, hierarchy=grounds.hierarchy)

    def is_theirs(self, rows: StandingTable | Counted) -> BoolArray:
        """Which rows belong to a family with such a pair."""
        root = root_of(rows.competency, self.hierarchy)
        return np.not_equal(self.tops.find(rows.learner, root), NOWHERE)

    def spared(self, body: Counted) -> Counted:
        """What nothing is hidden of in these families."""
        is_touched = self.pairs.find(body.learner, body.competency) != NOWHERE
        return body.only(self.is_theirs(body) & ~is_touched)

    def families(self, own: Own, anew: Own) -> Own:
        """The own standings in these families, with those judged anew in place."""
        mine = own.rows(self.is_theirs(own.verdicts.table))
        table = mine.verdicts.table
        row = Pairs(learner=table.learner, competency=table.competency).find(
            self.pairs.learner, self.pairs.competency
        )
        return mine.with_rows(row, anew)
