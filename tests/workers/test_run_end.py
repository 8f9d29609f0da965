"""What is found and told at the end of a run, on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from connectors.errors import Unauthorized
from mapping.alarms import AlarmKind
from mapping.records import CourseRef, LineItem, LineItemRef, ScoreState
from store import alarms, notice_targets, pauses, sync_state
from store.notice_targets import Channel, NewTarget, NoticeKind
from store.sync_state import ItemState, Phase
from store.tables import notices, runs, work_items
from tests.contracts.fake import graded, small_gradebook
from tests.store.places import publish, pupil, rule
from tests.workers.night import COURSE, new_night
from workers import schedule

NAMES = [f"learner {number}" for number in range(10)]
TROUBLE = "The token was revoked. Renew it."


def class_of_ten():
    book = small_gradebook()
    book.people[COURSE] = [pupil(name, sis_id=name) for name in NAMES]
    book._scores[COURSE] = [graded("quiz 1", name, 9.0) for name in NAMES]
    return book


@pytest.fixture
def night(engine, clock):
    return new_night(engine, clock, book=class_of_ten())


def found(night, run):
    return [(one.kind, one.course) for one in night.ask(alarms.alarm_lines, run)]


def target(night, *kinds, address="head@district.example"):
    wanted = NewTarget(channel=Channel.EMAIL, address=address, secret="", kinds=kinds)
    return night.write(notice_targets.save_target, night.tenant, wanted, now=night.clock())


def told(night):
    query = select(notices.c.kind, notices.c.subject, notices.c.body).order_by(notices.c.id)
    return night.ask(lambda connection: connection.execute(query).all())


def begin_nightly(night):
    night.clock.advance(hours=24)
    run = schedule.begin_run(
        night.engine, night.tenant, cause="nightly", is_full=False, now=night.clock()
    )
    night.reach(run, Phase.DONE)
    return run


def test_a_first_night_raises_no_alarm(night):
    assert found(night, night.run()) == []


def test_a_course_that_lost_every_score_is_an_alarm_once(night):
    night.run()
    for name in NAMES:
        night.put(graded("quiz 1", name, 0.0)._replace(state=ScoreState.CLEARED, points=None))

    cleared, after = night.run(), night.run()

    assert (AlarmKind.NO_SCORES, "Algebra") in found(night, cleared)
    assert found(night, after) == []


def test_a_course_in_which_one_score_is_left_has_not_lost_all(night):
    night.run()
    for name in NAMES[1:]:
        night.put(graded("quiz 1", name, 0.0)._replace(state=ScoreState.CLEARED, points=None))

    kinds = [kind for kind, _ in found(night, night.run())]

    assert AlarmKind.NO_SCORES not in kinds


def test_a_class_that_falls_as_a_whole_is_an_alarm(night):
    night.run()
    for name in NAMES[:6]:
        night.score("quiz 1", name, 1.0)

    (line,) = night.ask(alarms.alarm_lines, night.run())

    assert (line.kind, line.course) == (AlarmKind.CLASS_DROP, "Algebra")
    assert "6 of 10 learners" in line.message


def test_a_few_who_fall_are_no_alarm(night):
    night.run()
    for name in NAMES[:3]:
        night.score("quiz 1", name, 1.0)

    assert found(night, night.run()) == []


def test_a_new_term_in_which_nothing_was_graded_yet_is_no_alarm(night):
    night.run()
    ref = CourseRef("c2")
    course = replace(night.book.course_list[0], ref=ref, title="Algebra 2")
    night.book.course_list = [course]
    night.book.people[ref] = night.book.people[COURSE]
    night.book.columns[ref] = [
        LineItem(ref=LineItemRef("quiz"), title="quiz", category="Quizzes", maximum=10.0)
    ]

    assert found(night, night.run()) == []


def test_running_courses_that_disappear_together_are_an_alarm(night):
    first = night.book.course_list[0]
    night.book.course_list = [
        first,
        *(replace(first, ref=CourseRef(f"d{number}")) for number in range(6)),
    ]
    night.run()
    night.book.course_list = [first]

    (line,) = night.ask(alarms.alarm_lines, night.run())

    assert line.kind is AlarmKind.FEW_COURSES
    assert "lists 1 running courses; 6" in line.message


def pulled(night, scores: int) -> int:
    """A night that read so many scores of the course, as far as its record says."""
    run = begin_nightly(night)
    change = (
        update(work_items)
        .where(work_items.c.run_id == run, work_items.c.phase == Phase.PULL.value)
        .values(scores_pulled=scores)
    )
    night.write(lambda connection: connection.execute(change))
    return run


@pytest.mark.parametrize(("nights", "is_told"), [(7, True), (6, False)])
def test_a_platform_far_below_its_smallest_night_is_an_alarm(night, nights, is_told):
    for _ in range(nights):
        pulled(night, 700)

    kinds = [kind for kind, _ in found(night, begin_nightly(night))]

    assert (AlarmKind.FEW_SCORES in kinds) is is_told


def test_a_mapping_that_changes_most_statuses_is_an_alarm(night):
    night.run()
    night.clock.advance(hours=1)
    night.write(publish, night.tenant, rule("N.2", line_item="quiz*"), now=night.clock())
    night.clock.advance(hours=1)
    run = night.begin()
    for work in night.reach(run, Phase.COMPUTE):
        night.perform(work)
    changed = update(work_items).where(work_items.c.run_id == run).values(statuses_changed=60)
    night.write(lambda connection: connection.execute(changed))

    night.reach(run, Phase.DONE)

    assert (AlarmKind.MAPPING, "") in found(night, run)
    assert (AlarmKind.MAPPING, "") not in found(night, night.run())


def test_a_good_night_is_told_to_who_wants_to_know(night):
    target(night, NoticeKind.NIGHT_DONE)
    target(night, NoticeKind.NIGHT_FAILED, address="other@district.example")

    begin_nightly(night)

    (line,) = told(night)
    assert (line.kind, line.subject) == ("night_done", "District: the night is done")
    assert "Scores pulled: 10" in line.body


def test_a_run_by_hand_is_not_told_as_a_night(night):
    target(night, *NoticeKind)

    night.run()

    assert told(night) == []


def test_all_alarms_of_a_run_are_one_message(night):
    target(night, NoticeKind.ALARMS)
    night.run()
    for name in NAMES:
        night.put(graded("quiz 1", name, 0.0)._replace(state=ScoreState.CLEARED, points=None))

    run = night.run()

    (line,) = told(night)
    assert len(found(night, run)) == 2
    assert line.subject == "District: 2 alarms after a run"
    assert line.body.count("\n- ") == 2


def test_an_lms_that_refuses_waymark_is_told_with_what_to_do(night):
    target(night, NoticeKind.PLATFORM_REFUSED, NoticeKind.NIGHT_FAILED)
    error = Unauthorized(TROUBLE, cause="refused_access", platform="Canvas")
    run = schedule.begin_run(
        night.engine, night.tenant, cause="nightly", is_full=False, now=night.clock()
    )
    (work,) = night.reach(run, Phase.PLAN)

    night.write(
        sync_state.finish,
        work.lease,
        ItemState.FAILED,
        now=night.clock(),
        cause=error.cause,
        message=str(error),
    )
    night.reach(run, Phase.DONE)

    assert [line.kind for line in told(night)] == ["night_failed", "platform_refused"]
    assert all(TROUBLE in line.body for line in told(night))


def test_nothing_is_told_of_a_dry_run(night):
    target(night, *NoticeKind)
    run = schedule.begin_run(
        night.engine, night.tenant, cause="nightly", is_full=False, now=night.clock()
    )
    night.write(lambda c: c.execute(update(runs).where(runs.c.id == run).values(is_dry=True)))

    night.reach(run, Phase.DONE)

    assert told(night) == []


def test_the_least_of_an_lmss_allowance_is_kept_with_the_run(night):
    night.book.left = 512.5

    run = night.run()

    assert night.counts(run).quota == 512.5


def test_a_pause_is_told_with_who_and_why(night):
    target(night, NoticeKind.PAUSED)

    night.write(pauses.pause, night.tenant, by="Ana", reason="a wrong mapping", now=night.clock())

    (line,) = told(night)
    assert line.kind == "paused"
    assert "Paused by Ana" in line.body
    assert "a wrong mapping" in line.body
