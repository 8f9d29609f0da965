from datetime import UTC, datetime

from mapping.rules.mastery_rule import MasteryRule
from mapping.status import OverrideState, Status
from tests.mapping.tables import DAY
from tests.mapping.tracing import override, traced


def test_a_re_check_to_come_and_one_that_is_due_are_invitations():
    rule = MasteryRule(recheck_days=30)

    early, due = (traced([3.4, 3.4], rule, at=day * DAY) for day in (10, 50))

    assert early.remarks == (
        "First mastered on 2 Jan 1970.",
        "From 1 Feb 1970 on there is an invitation to show it again; it stays mastered.",
    )
    assert (due.status, due.label) == (Status.RECHECK_DUE, "Mastered, re-check due")
    assert due.remarks == (
        "First mastered on 2 Jan 1970.",
        (
            "It stays mastered. The newest evidence is some time ago, so this is an invitation to "
            "show it again."
        ),
    )
    assert (early.clause, due.clause) == ("", "")
    assert (
        early.changes[-1]
        == due.changes[-1]
        == ("One more piece of evidence at 2.20 or better would show that it is still mastered.")
    )
    assert due.mastered_at == datetime(1970, 1, 2, tzinfo=UTC)


def test_mastery_that_newer_evidence_does_not_hold_keeps_its_date():
    found = traced([3.4, 3.4, 1.0], MasteryRule(recheck_days=30), at=10 * DAY)

    assert found.status is Status.NOT_SUSTAINED
    assert found.remarks == (
        (
            "It was first mastered on 2 Jan 1970, and that date is kept. Evidence since then does "
            "not hold it yet."
        ),
    )
    assert found.clause == "The weighted average is 2.60; Mastered begins at 3.00."
    assert found.changes[-1].endswith("would reach Mastered.")


def test_a_persons_judgement_stands_beside_what_the_evidence_says():
    found = traced([2.0, 2.0], overrides=override(Status.MASTERED), at=60 * DAY)

    assert (found.status, found.computed) == (Status.MASTERED, Status.DEVELOPING)
    assert found.override is OverrideState.IN_FORCE
    assert found.remarks[0] == (
        "A person gave this status. By the evidence alone it would be: Developing."
    )
    assert found.changes[0] == (
        "A person gave this status; evidence changes it once that judgement ends or is taken back."
    )
    assert found.clause == "The weighted average is 2.00; Mastered begins at 3.00."


def test_a_judgement_older_than_the_evidence_asks_for_another_look():
    found = traced([2.0, 2.0], overrides=override(Status.MASTERED, given_at=1), at=60 * DAY)

    assert found.override is OverrideState.OUT_OF_DATE
    assert found.remarks[1] == (
        "There is newer evidence than that judgement: it is worth another look."
    )


def test_a_piece_that_is_still_to_come_is_no_invitation():
    found = traced([3.4, 3.4, 3.4], at=DAY)

    assert found.review_at == datetime(1970, 1, 3, tzinfo=UTC)
    assert found.remarks == ("First mastered on 2 Jan 1970.",)
