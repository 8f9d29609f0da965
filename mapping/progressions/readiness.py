"""Who is ready for which competency, by what precedes it.

Readiness opens nothing and closes nothing: it is told, and what follows from it is for people to
say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

import numpy as np

from mapping.columns import BoolArray, CodeArray, IntArray
from mapping.progressions.graph import Links
from mapping.status import StandingTable, Status
from mapping.wording import marked


class Readiness(IntEnum):
    """Whether what directly precedes a competency is mastered.

    Source: product/requirements.md R14 and R42.
    """

    NO_PREREQUISITES = 0
    WAITING = 1
    READY = 2

    @property
    def label(self) -> str:
        """The readiness for a person."""
        return _LABELS[self]


_LABELS: Mapping[Readiness, str] = MappingProxyType(
    {
        Readiness.NO_PREREQUISITES: marked("Open to everybody"),
        Readiness.WAITING: marked("Not yet: other competencies come first"),
        Readiness.READY: marked("Ready"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadinessTable:
    """Readiness in columns, ascending by learner and competency, a row for every such pair.

    ``state`` holds codes of ``Readiness``; ``is_mastered`` is of the competency itself.
    ``waits_for[offsets[i]:offsets[i + 1]]`` are the competencies that directly precede that of
    row ``i`` and are not mastered, ascending.
    """

    learner: IntArray
    competency: IntArray
    state: CodeArray
    is_mastered: BoolArray
    offsets: IntArray
    waits_for: IntArray

    def __len__(self) -> int:
        return self.learner.size

    @property
    def may_move_on(self) -> BoolArray:
        """Which rows are ready and not mastered yet: the next step."""
        return np.equal(self.state, Readiness.READY) & ~self.is_mastered

    def waiting_for(self, row: int) -> tuple[int, ...]:
        """What a row waits for, ascending; nothing where it is ready."""
        return tuple(self.waits_for[self.offsets[row] : self.offsets[row + 1]].tolist())


def readiness(
    standings: StandingTable, links: Links, *, learners: IntArray, competencies: IntArray
) -> ReadinessTable:
    """Say for every learner and competency whether what precedes it is mastered.

    Only what directly precedes it is asked for: who has mastered that is past what came before.

    Args:
        standings: Those of these learners, of any competencies. What has none is not mastered;
            a re-check that is due counts as mastered.
        links: What precedes what.
        learners: Whom it is asked for; repeated ones count once.
        competencies: What it is asked for; repeated ones count once.

    Returns:
        A row for every learner and competency asked for.
    """
    people, wanted = np.unique(learners), np.unique(competencies)
    is_asked = np.isin(links.then, wanted)
    first, then = links.first[is_asked], links.then[is_asked]
    known = np.union1d(wanted, first)
    mastered = _mastered(standings, people, known)
    is_unmet = ~mastered[:, np.searchsorted(known, first)]
    edges = np.searchsorted(then, np.append(wanted, np.iinfo(np.int64).max))
    unmet = _tallied(is_unmet, edges)
    has_prerequisites = np.broadcast_to(np.diff(edges) > 0, unmet.shape)
    state = np.select(
        [~has_prerequisites, unmet > 0],
        [Readiness.NO_PREREQUISITES, Readiness.WAITING],
        Readiness.READY,
    )
    return ReadinessTable(
        learner=np.repeat(people, wanted.size),
        competency=np.tile(wanted, people.size),
        state=state.ravel().astype(np.int8),
        is_mastered=mastered[:, np.searchsorted(known, wanted)].ravel(),
        offsets=np.concatenate(([0], np.cumsum(unmet.ravel()))).astype(np.int64),
        waits_for=np.broadcast_to(first, is_unmet.shape)[is_unmet],
    )


def _mastered(standings: StandingTable, learners: IntArray, competencies: IntArray) -> BoolArray:
    """Of shape learners x competencies; both ascend."""
    mastered = np.zeros((learners.size, competencies.size), dtype=np.bool_)
    rows = standings.rows(
        np.isin(standings.status, _MASTERED)
        & np.isin(standings.learner, learners)
        & np.isin(standings.competency, competencies)
    )
    who = np.searchsorted(learners, rows.learner)
    mastered[who, np.searchsorted(competencies, rows.competency)] = True
    return mastered


def _tallied(matrix: BoolArray, edges: IntArray) -> IntArray:
    """How many are true in each run of columns, of shape rows x runs."""
    before = np.zeros((matrix.shape[0], matrix.shape[1] + 1), dtype=np.int64)
    np.cumsum(matrix, axis=1, out=before[:, 1:])
    return np.asarray(before[:, edges[1:]] - before[:, edges[:-1]])


_MASTERED = [status for status in Status if status.is_mastered]
