"""Notes of a run: once for each platform and cause, apart from what failed."""

import pytest

from store import run_notes, run_reports, sync_state
from store.sync_state import ItemState, Phase
from tests.store.places import NOW, new_course

CAUSE = {"no_audit": "The audit log may not be read."}


@pytest.fixture
def run(db, district):
    return sync_state.start_run(db, district, cause="x", is_full=False, now=NOW)


def claimed(db, run, course, phase=Phase.PULL, part=0):
    sync_state.add_items(db, run, phase, places=[(course, part)])
    (item,) = [item for item, _ in sync_state.due_items(db, run, now=NOW)]
    return sync_state.claim(db, item.id, now=NOW)


def test_one_cause_met_in_several_courses_is_one_line(db, run, district, canvas, algebra):
    biology = new_course(db, district, canvas, "c2", title="Biology")
    for course in (algebra, biology):
        run_notes.keep_notes(db, claimed(db, run, course), CAUSE)

    (line,) = run_notes.note_lines(db, run)

    assert (line.platform, line.cause, line.courses) == (
        "Canvas",
        "no_audit",
        ("Algebra", "Biology"),
    )


def test_a_note_of_planning_names_its_platform_and_no_course(db, run, canvas):
    run_notes.keep_notes(db, claimed(db, run, None, Phase.PLAN, canvas), CAUSE)

    (line,) = run_notes.note_lines(db, run)

    assert (line.platform, line.courses) == ("Canvas", ())


def test_a_note_of_computing_is_of_no_platform(db, run, canvas):
    run_notes.keep_notes(db, claimed(db, run, None, Phase.COMPUTE, canvas), CAUSE)

    (line,) = run_notes.note_lines(db, run)

    assert (line.platform, line.courses) == (run_notes.OURSELVES, ())


def test_a_note_kept_twice_is_kept_once(db, run, algebra):
    lease = claimed(db, run, algebra)
    for _ in range(2):
        run_notes.keep_notes(db, lease, CAUSE)

    assert len(run_notes.note_lines(db, run)) == 1


def test_what_was_done_with_a_message_is_a_note_and_no_trouble(db, run, algebra):
    lease = claimed(db, run, algebra)
    sync_state.finish(db, lease, ItemState.DONE, now=NOW, cause="no_audit", message="Without it.")

    (line,) = run_notes.note_lines(db, run)

    assert (line.cause, line.message) == ("no_audit", "Without it.")
    assert run_reports.troubles(db, run) == ()


def test_what_failed_is_no_note(db, run, algebra):
    lease = claimed(db, run, algebra)
    sync_state.finish(db, lease, ItemState.FAILED, now=NOW, cause="down", message="It is down.")

    assert run_notes.note_lines(db, run) == ()
