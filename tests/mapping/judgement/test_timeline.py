"""Nights one after the other, each judging only what changed, against judging everything anew."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.columns import NO_MOMENT
from mapping.evidence.tables import View
from mapping.judgement.judging import judge, judge_pairs
from mapping.judgement.overrides import OVERRIDABLE
from mapping.ordering import ordering
from mapping.pairs import NOWHERE, Pairs, closure, pairs_of
from mapping.progressions.graph import Hierarchy
from mapping.status import StandingTable, Status
from tests.mapping.judged import grounds, row_of
from tests.mapping.plain_judgement import plain_standings
from tests.mapping.tables import DAY
from tests.mapping.worlds import PARENTS, World, score, scores_of, world

LEARNERS = 6
FAMILY = Hierarchy.of(PARENTS.items())


class Timeline:
    """A world that changes, and the standings of it that are kept."""

    def __init__(self, seed, view):
        self.random, self.view = Random(seed), view
        self.world = replace(world(seed, learners=LEARNERS), scores=[], overrides=[], at=0)
        self.kept = judge(self.world.grounds(), view)

    def night(self):
        """Some days pass and something happens; then only what it may change is judged."""
        self.world.at += self.random.randint(1, 15) * DAY
        changed = self._graded()
        said = self._said()
        known = self.world.grounds()
        touched = pairs_of(
            np.array([row["learner"] for row in changed], dtype=np.int64),
            np.array([row["line_item"] for row in changed], dtype=np.int64),
            known.alignments,
        )
        is_due = (self.kept.review_at != NO_MOMENT) & (self.kept.review_at <= self.world.at)
        dirty = Pairs.of(
            np.concatenate((touched.learner, self.kept.learner[is_due], said[0])),
            np.concatenate((touched.competency, self.kept.competency[is_due], said[1])),
        )
        self._keep(judge_pairs(known, dirty, self.view), closure(dirty, FAMILY))

    def _graded(self):
        """Scores that came, attempts, corrections and such as went away."""
        random, scores = self.random, self.world.scores
        who = random.randrange(LEARNERS)
        new = [row for row in scores_of(random, who) if random.random() < 0.3]
        corrected = [
            score(random, row["learner"], row["line_item"], row["attempt"])
            for row in scores
            if random.random() < 0.05
        ]
        changed = {_cell(row): row for row in (*new, *corrected)}
        gone = [row for row in scores if random.random() < 0.02 and _cell(row) not in changed]
        cells = {_cell(row): row for row in scores} | changed
        for row in gone:
            del cells[_cell(row)]
        self.world.scores = list(cells.values())
        return [*changed.values(), *gone]

    def _said(self):
        """A judgement given and another taken back; the pairs."""
        random, world = self.random, self.world
        pair = random.randrange(LEARNERS), random.choice([*range(6), 10, 20, 30])
        over = {(row["learner"], row["competency"]): row for row in world.overrides}
        lost = {other for other in over if random.random() < 0.1}
        over[pair] = {
            "learner": pair[0],
            "competency": pair[1],
            "status": random.choice(OVERRIDABLE),
            "given_at": world.at,
            "until": random.choice((NO_MOMENT, world.at + random.randint(1, 20) * DAY)),
        }
        world.overrides = [row for other, row in over.items() if other not in lost]
        touched = np.array(sorted({pair, *lost}), dtype=np.int64)
        return touched[:, 0], touched[:, 1]

    def _keep(self, fresh, judged):
        stays = judged.find(self.kept.learner, self.kept.competency) == NOWHERE
        table = StandingTable.joined((self.kept.rows(stays), fresh))
        self.kept = table.rows(ordering((table.learner, table.competency)))


def _cell(row):
    return row["learner"], row["line_item"], row["attempt"]


def assert_equal(found, expected):
    for name in StandingTable.__slots__:
        tolerance = 1e-9 if name == "estimate" else 0
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=0, atol=tolerance, err_msg=name
        )


@settings(max_examples=8)
@given(st.integers(0, 2**32), st.sampled_from(View))
def test_nights_that_judge_only_what_changed_keep_what_judging_everything_gives(seed, view):
    timeline = Timeline(seed, view)

    for _ in range(8):
        timeline.night()

        assert_equal(timeline.kept, judge(timeline.world.grounds(), view))


@settings(max_examples=8)
@given(st.integers(0, 2**32))
def test_a_past_moment_is_judged_alike_however_late_it_is_asked(seed):
    timeline = Timeline(seed, View.TEACHER)
    moments: list[tuple[World, StandingTable]] = []

    for _ in range(5):
        timeline.night()
        moments.append((replace(timeline.world), timeline.kept))

    for then, kept in moments:
        assert_equal(judge(then.grounds()), kept)
        assert len(plain_standings(then, View.TEACHER)) == len(kept)


@pytest.mark.parametrize(
    ("day", "status"),
    [(0, Status.INSUFFICIENT), (1, Status.MASTERED), (2, Status.DEVELOPING)],
)
def test_the_status_at_a_moment_is_that_of_the_evidence_until_then(day, status):
    known = grounds({1: [4.0, 4.0, 0.0]}, at=day * DAY)

    assert row_of(judge(known), 1)["status"] == status


@pytest.mark.parametrize(
    ("day", "review_day"), [(0, 1), (1, 2), (2, None)], ids=["two to come", "one", "none"]
)
def test_a_piece_dated_in_the_future_says_when_it_will_count(day, review_day):
    known = grounds({1: [4.0, 4.0, 0.0]}, at=day * DAY)

    expected = NO_MOMENT if review_day is None else review_day * DAY
    assert row_of(judge(known), 1)["review_at"] == expected
