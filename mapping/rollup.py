"""Summaries over learners.

A class summary is for its teacher, who sees every learner in it anyway. Suppressing counts
small enough to point at a person is a matter of schools and districts and comes with the
leader's page.
"""

from dataclasses import dataclass

import numpy as np

from mapping.columns import IntArray
from mapping.status import StandingTable, Status


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassCounts:
    """How many learners of a class have each status.

    ``competency`` is of length competencies; ``counts`` of shape competencies x statuses, its
    columns in the order of ``Status``, every row adding up to the size of the class.
    """

    competency: IntArray
    counts: IntArray

    def of(self, competency: int, status: Status) -> int:
        """The number of learners with a status; 0 for a competency not asked for."""
        return int(self.counts[self.competency == competency, status].sum())


def class_counts(
    table: StandingTable, *, learners: IntArray, competencies: IntArray
) -> ClassCounts:
    """Count the statuses of a class by competency.

    Args:
        table: Standings; those of other learners and competencies are left out.
        learners: The class. One without a standing has no evidence yet.
        competencies: What to count; repeated ones are counted once.

    Returns:
        The counts, competencies ascending.
    """
    wanted, members = np.unique(competencies), np.unique(learners)
    counts = np.zeros((wanted.size, len(Status)), dtype=np.int64)
    of_class = table.rows(np.isin(table.competency, wanted) & np.isin(table.learner, members))
    np.add.at(counts, (np.searchsorted(wanted, of_class.competency), of_class.status), 1)
    counts[:, Status.NO_EVIDENCE] += members.size - counts.sum(axis=1)
    return ClassCounts(competency=wanted, counts=counts)
