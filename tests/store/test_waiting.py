"""What is to be computed again: marked with the cause, taken away with the cure."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select

from mapping.evidence.tables import View
from mapping.records import LearnerRef
from mapping.status import Status
from store import waiting
from store.standings import Basis, Standing
from store.tables import recompute_pairs
from store.waiting import Waiting
from tests.store.places import (
    NOW,
    competency_ids,
    enrol,
    keep_standings,
    new_course,
    new_platform,
    new_tenant,
    publish,
    rule,
    set_rule,
    waiting_pairs,
)

LATER = NOW + timedelta(days=1)


@pytest.fixture
def ids(db, district):
    publish(db, district)
    return competency_ids(db, district)


@pytest.fixture
def ada(db, algebra):
    return enrol(db, algebra, "ada")[LearnerRef("ada")]


def everything(db, tenant):
    return waiting.waiting_in(db, tenant, part=0, parts=1)


@pytest.mark.parametrize(("parts", "name"), [(2, "_FEW_TOGETHER"), (3, "TOGETHER")])
def test_learners_waiting_are_shared_out_without_rest_or_overlap(
    db, district, algebra, ids, parts, name, monkeypatch
):
    known = sorted(enrol(db, algebra, *(f"learner {n}" for n in range(7))).values())
    waiting.mark_learners(db, known[:4], now=NOW)
    waiting.mark_pairs(db, [(learner, ids["N.1"]) for learner in known[3:]], now=NOW)

    monkeypatch.setattr(waiting, name, 2)

    shares = [waiting.waiting_in(db, district, part=n, parts=parts) for n in range(parts)]

    assert max(share.everybody.size for share in shares) < 7
    assert sorted(learner for share in shares for learner in share.everybody) == known
    assert waiting.count_waiting(db, district) == 7


def test_what_waits_in_another_district_does_not_wait_here(db, district, ids):
    other = new_tenant(db, "Other")
    theirs = enrol(db, new_course(db, other, new_platform(db, other)), "x", "y").values()
    waiting.mark_learners(db, theirs, now=NOW)
    waiting.mark_pairs(db, [(learner, ids["N.1"]) for learner in theirs], now=NOW)

    assert everything(db, district).everybody.size == 0
    assert waiting.count_waiting(db, district) == 0


def test_what_was_computed_no_longer_waits(db, district, ada, ids):
    waiting.mark_learners(db, [ada], now=NOW)
    waiting.mark_pairs(db, [(ada, ids["N.1"]), (ada, ids["N.2"])], now=NOW)

    waiting.settle(db, everything(db, district))
    waiting.settle(db, Waiting())

    assert waiting.count_waiting(db, district) == 0


def test_a_pair_marked_again_meanwhile_keeps_waiting(db, district, ada, ids):
    waiting.mark_pairs(db, [(ada, ids["N.1"]), (ada, ids["N.2"])], now=NOW)
    read = everything(db, district)

    waiting.mark_pairs(db, [(ada, ids["N.1"])], now=LATER)
    waiting.settle(db, read)

    assert waiting_pairs(db, district) == {(ada, ids["N.1"])}


def test_everybody_of_a_district_can_be_put_down_at_once(db, district, algebra):
    known = enrol(db, algebra, "ada", "bo")

    waiting.mark_everybody(db, district, now=NOW)

    assert set(everything(db, district).learners.tolist()) == set(known.values())


@pytest.mark.parametrize(("review_at", "is_due"), [(None, False), (NOW, True), (LATER, False)])
def test_what_time_alone_may_have_changed_is_put_down(db, district, ada, ids, *, review_at, is_due):
    basis = Basis(
        mapping_set=publish(db, district, rule("N.1")), rule=set_rule(db, district), run=None
    )
    db.execute(recompute_pairs.delete())
    held = Standing(
        status=Status.MASTERED,
        estimate=3.5,
        evidence_count=2,
        mastered_count=1,
        review_at=review_at,
    )
    place = (ada, ids["N.1"], View.TEACHER)
    keep_standings(db, {place: (None, held)}, basis=basis, now=NOW)

    waiting.mark_due(db, district, now=NOW)

    marked = {tuple(row)[:2] for row in db.execute(select(recompute_pairs))}
    assert marked == ({place[:2]} if is_due else set())


def test_marks_of_whom_another_process_took_one_away_are_no_longer_ours(db, district, algebra, ids):
    ada, bo, cy = sorted(enrol(db, algebra, "ada", "bo", "cy").values())
    waiting.mark_learners(db, [ada, bo], now=NOW)
    waiting.mark_pairs(db, [(bo, ids["N.1"]), (cy, ids["N.1"]), (cy, ids["N.2"])], now=NOW)
    found = everything(db, district)
    taken = found.of(np.array([ada, cy]))
    waiting.settle(
        db, replace(taken, pairs=taken.pairs.rows(np.array([0])), pair_tokens=taken.pair_tokens[:1])
    )

    ours = waiting.still_waiting(db, found)

    assert ours.everybody.tolist() == [bo]
    assert ours.pairs.learner.tolist() == [bo]


def test_marks_put_down_again_meanwhile_are_still_ours_with_the_token_of_then(db, district, ada):
    waiting.mark_learners(db, [ada], now=NOW)
    found = everything(db, district)
    waiting.mark_learners(db, [ada], now=LATER)

    assert waiting.still_waiting(db, found) is found


@pytest.fixture
def marks(db, district, algebra, ids):
    """Those of one learner who is put down whole and of one pair; and all ids there are."""
    ada, bo = sorted(enrol(db, algebra, "ada", "bo").values())
    waiting.mark_learners(db, [ada], now=NOW)
    waiting.mark_pairs(db, [(bo, ids["N.1"])], now=NOW)
    return everything(db, district), ada, bo


def test_marks_are_among_themselves_and_nobody_is_among_any(db, district, marks):
    before, *_ = marks

    assert before.has(everything(db, district))
    assert before.has(Waiting())
    assert not Waiting().has(before)


@pytest.mark.parametrize("later", [NOW, LATER])
def test_a_learner_put_down_since_is_not_among_marks(db, district, marks, later):
    before, ada, bo = marks
    waiting.mark_learners(db, [bo if later is NOW else ada], now=later)

    assert not before.has(everything(db, district))


@pytest.mark.parametrize(("code", "later"), [("N.2", NOW), ("N.1", LATER)])
def test_a_pair_put_down_since_is_not_among_marks(db, district, ids, marks, *, code, later):
    before, _, bo = marks
    waiting.mark_pairs(db, [(bo, ids[code])], now=later)

    assert not before.has(everything(db, district))
