"""What standings are judged by, all in one place."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from mapping.columns import IntArray
from mapping.evidence.tables import AlignmentTable, ScoreTable
from mapping.judgement.overrides import OverrideTable
from mapping.pairs import NOWHERE, Pairs, joined, root_of
from mapping.progressions.graph import Hierarchy
from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.rulebook import Enrolments, RuleBook

_NO_HIERARCHY = Hierarchy.of(())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grounds:
    """Everything that standings are judged by.

    Attributes:
        scores: Of any number of learners, every attempt of theirs.
        alignments: Which line item speaks for which competency, equivalents included.
        book: The rules in force.
        hierarchy: Parents and their children.
        enrolments: Who is active in the courses that have rules of their own.
        overrides: What persons said in place of computed statuses.
        line_items_of: The line items that each pattern of a ``LineItemCounts`` clause matches.
        codes: The competencies' codes, by which roll-ups name them.
        at: The moment, in microseconds since 1970 in UTC; None for outside time: nothing is in
            the future and nothing grows old.
    """

    scores: ScoreTable
    alignments: AlignmentTable
    book: RuleBook
    hierarchy: Hierarchy = _NO_HIERARCHY
    enrolments: Enrolments = field(default_factory=Enrolments.none)
    overrides: OverrideTable = field(default_factory=OverrideTable.none)
    line_items_of: Mapping[str, frozenset[int]] = field(default_factory=dict)
    codes: Mapping[int, str] = field(default_factory=dict)
    at: int | None = None

    @property
    def rules(self) -> tuple[MasteryRule, ...]:
        """Every rule of the book; ``StandingTable.rule`` indexes them."""
        return tuple(effective.rule for effective in self.book.rules)

    def rule_of(self, learner: IntArray, competency: IntArray) -> IntArray:
        """Which of ``rules`` holds for each pair of learner and competency."""
        if len(self.book.rules) == 1:
            return np.zeros(learner.shape, dtype=np.int64)
        return self.book.assign(learner, competency, self.enrolments)

    def restricted(self, pairs: Pairs) -> "Grounds":
        """Only what the standings of some pairs depend on.

        Args:
            pairs: Complete upwards, as ``pairs.closure`` gives them: everything below their
                topmost ancestors is kept, for it makes up theirs.

        Returns:
            Grounds on which these pairs stand as on the whole; others may stand otherwise.
        """
        tops = Pairs.of(pairs.learner, root_of(pairs.competency, self.hierarchy))
        row, aligned = joined(self.scores.line_item, self.alignments.line_item)
        competency = root_of(self.alignments.competency, self.hierarchy)[aligned]
        is_needed = tops.find(self.scores.learner[row], competency) != NOWHERE
        said = self.overrides
        root = root_of(said.competency, self.hierarchy)
        return replace(
            self.reading(row[is_needed], aligned[is_needed]),
            overrides=said.rows(tops.find(said.learner, root) != NOWHERE),
        )

    def reading(self, score: IntArray, alignment: IntArray) -> "Grounds":
        """Only some of the scores, read through some of the alignments.

        Args:
            score: Rows of ``scores``, any of them more than once.
            alignment: Rows of ``alignments``, likewise.
        """
        return replace(
            self,
            scores=self.scores.rows(np.unique(score)),
            alignments=self.alignments.rows(np.unique(alignment)),
        )
