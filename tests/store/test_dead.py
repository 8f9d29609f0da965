"""What failed and was not done since: by cause, with what to do, and tried again."""

import ast
from datetime import timedelta
from pathlib import Path

import pytest

from store import dead, refreshes, sync_state
from store.advice import advice_for
from store.sync_state import ItemState, Phase
from tests.store.places import NOW, new_course

ROOT = Path(__file__).parents[2]
LATER = NOW + timedelta(days=1)
OF_MESSAGES = ("mail", "webhooks")
OF_REGISTERING = frozenset(
    (
        "incomplete_configuration",
        "keys_unreachable",
        "redirect_uris_changed",
        "registration_refused",
        "unreadable_registration",
        "unsafe_platform",
    )
)
"""No night meets these."""


@pytest.fixture
def night(db, district):
    """Makes a run in which work ended in some way."""

    def night(*ends, now=NOW, phase=Phase.PULL):
        run = sync_state.start_run(db, district, cause="nightly", is_full=False, now=now)
        for place, state, cause in ends:
            sync_state.add_items(db, run, phase, places=[place])
            ((item, _),) = sync_state.due_items(db, run, now=now)
            lease = sync_state.claim(db, item.id, now=now)
            sync_state.finish(db, lease, state, now=now, cause=cause, message="Why.")
        return run

    return night


def groups(db, district):
    found = dead.dead_groups(db, district, now=LATER)
    return [(one.cause, [item.title for item in one.items]) for one in found]


def test_what_failed_is_grouped_by_cause_the_most_frequent_first(db, district, canvas, night):
    one, two, three = (new_course(db, district, canvas, f"c{n}", title=f"T{n}") for n in range(3))
    failed = ItemState.FAILED
    night(((one, 0), failed, "not_found"), ((two, 0), failed, "down"), ((three, 0), failed, "down"))

    assert groups(db, district) == [("down", ["T1", "T2"]), ("not_found", ["T0"])]


def test_what_a_later_run_did_is_dead_no_more(db, district, algebra, night):
    night(((algebra, 0), ItemState.FAILED, "down"))
    night(((algebra, 0), ItemState.DONE, ""), now=LATER)

    assert groups(db, district) == []


def test_what_failed_long_ago_is_not_told(db, district, algebra, night):
    night(((algebra, 0), ItemState.FAILED, "down"), now=NOW - timedelta(days=20))

    assert groups(db, district) == []


def test_each_group_says_what_to_do(db, district, algebra, night):
    night(((algebra, 0), ItemState.FAILED, "refused_access"))

    (group,) = dead.dead_groups(db, district, now=LATER)
    assert "Renew the access" in group.advice


def test_what_failed_is_asked_for_again_by_cause(db, district, canvas, night):
    one, two = (new_course(db, district, canvas, f"c{n}") for n in range(2))
    night(((one, 0), ItemState.FAILED, "down"), ((two, 0), ItemState.FAILED, "not_found"))

    asked = dead.try_again(db, district, cause="down", by="Ada", now=LATER)

    assert asked == {one}
    (request,) = refreshes.requested(db, district)
    assert (request.course, request.cause.value, request.by) == (one, "retry", "Ada")


def test_a_platform_that_could_not_be_planned_is_tried_again_whole(
    db, district, canvas, algebra, night
):
    night(((None, canvas), ItemState.FAILED, "left_alone"), phase=Phase.PLAN)

    assert dead.try_again(db, district, by="Ada", now=LATER) == {algebra}


def test_a_share_of_the_learners_is_dead_until_the_next_computing(db, district, night):
    night(((None, 7), ItemState.FAILED, "unexpected"), phase=Phase.COMPUTE)
    assert groups(db, district) == [("unexpected", [""])]

    night(((None, 0), ItemState.DONE, ""), now=LATER, phase=Phase.COMPUTE)

    assert groups(db, district) == []


def causes_raised():
    # Messages are no work of a run: what became of them stands with them.
    paths = (path for path in ROOT.glob("connectors/**/*.py") if path.stem not in OF_MESSAGES)
    trees = (ast.parse(path.read_text()) for path in paths)
    calls = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))
    errors = (call for call in calls if "Note" not in ast.dump(call.func))
    words = (word for call in errors for word in call.keywords if word.arg == "cause")
    return {word.value.value for word in words if isinstance(word.value, ast.Constant)}


def test_every_cause_of_a_connector_has_an_advice_of_its_own():
    general = advice_for("a cause that nobody knows")

    missing = {one for one in causes_raised() if advice_for(one) == general} - OF_REGISTERING
    assert missing == set()
