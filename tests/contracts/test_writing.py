"""Writing held against the simulators' own books: what counts, whose a mark is, one column."""

import json
import threading
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors import PlatformKind, connect
from connectors.errors import GiveUp, Gone
from mapping import passback
from mapping.passback import Plan
from mapping.records import ColumnMarks, ColumnRef, CourseRef, Mark, PassbackWay, WriteState
from simulators.state import open_state
from tests.contracts.subjects import (
    get,
    live_services,
    post,
    query,
    simulated,
    simulated_access,
    write,
)

CANVAS, MOODLE = PlatformKind.CANVAS, PlatformKind.MOODLE
COUNTED = PassbackWay.MARK_COUNTED
WORDS = "Proficient (2 of 3 competencies mastered)"


@pytest.fixture(params=[CANVAS, MOODLE], ids=["canvas", "moodle"])
def counted(request, tmp_path, district):
    with simulated(district, tmp_path, request.param, COUNTED) as opened:
        yield opened


@pytest.fixture
def canvas_words(tmp_path, district):
    with simulated(district, tmp_path, CANVAS, PassbackWay.WORDS) as opened:
        yield opened


def ready(subject, code="NUMBERS"):
    """A column with the way that the subject has."""
    spec = subject.spec(code)
    return spec, subject.gradebook.ensure_column(subject.course, spec)


def send(subject, place, learner, points=3.0, words=WORDS, later=0):
    spec, column = place
    mark = Mark(learner_ref=learner, words=words, points=points)
    now = subject.now() + timedelta(seconds=later)
    return write(subject.gradebook, subject.course, column, spec, marks=[mark], now=now)[0]


def read(subject, place, learner):
    spec, column = place
    return subject.gradebook.read_marks(subject.course, column, spec).get(learner)


def number(column: ColumnRef) -> int:
    """The gradebook column that a teacher sees."""
    if "/lineitems/" in column:
        return int(column.partition("/lineitems/")[2].partition("/")[0])
    return int(column.partition(" ")[0])


def teacher_gives(subject, place, learner, points):
    sent = {"course": int(subject.course), "learner": int(learner), "points": points}
    post(f"{subject.url}/_control/score", {**sent, "assignment": number(place[1])})


def fate(subject, place, learner, *, known, wanted):
    """What the plan makes of a cell as it is read now."""
    marks = [Mark(learner_ref=learner, words=WORDS, points=one) for one in (known, wanted)]
    planned = Plan(way=subject.way, writes=(marks[1],))
    found = read(subject, place, learner)
    settled = passback.settle(planned, {learner: found} if found else {}, {learner: marks[0]})
    return "conflict" if settled.conflicts else "send" if settled.send else "there"


def test_marks_that_count_change_the_course_grade_of_those_who_get_one(counted):
    learner, other = counted.two_learners()
    grades = f"{counted.url}/_control/course_grades?course={counted.course}"
    before = get(grades)
    place = ready(counted)
    after_making = get(grades)

    outcome = send(counted, place, learner, 0.0)

    after = get(grades)
    assert outcome.state is WriteState.CONFIRMED
    assert after_making == before
    assert after[learner] < before[learner]
    assert after[other] == before[other]


def test_a_mark_that_counts_and_that_a_teacher_changed_is_a_conflict(counted):
    learner = counted.two_learners()[0]
    place = ready(counted)
    send(counted, place, learner, 2.0)

    teacher_gives(counted, place, learner, 3.5)

    assert fate(counted, place, learner, known=2.0, wanted=3.0) == "conflict"


def test_a_mark_that_counts_and_that_nobody_changed_may_be_replaced(counted):
    learner = counted.two_learners()[0]
    place = ready(counted)

    send(counted, place, learner, 2.0)

    assert fate(counted, place, learner, known=2.0, wanted=3.0) == "send"


def test_a_column_that_counts_is_not_the_one_that_does_not(counted):
    _, column = ready(counted)
    other = replace(counted, way=PassbackWay.MARK_NOT_COUNTED)

    _, beside = ready(other)

    assert column != beside
    assert ready(counted)[1] == column


def test_the_same_words_are_said_once_on_canvas(canvas):
    learner = canvas.two_learners()[0]
    place = ready(canvas)

    for points in (1.0, 2.0, 3.0):
        assert send(canvas, place, learner, points).state is WriteState.CONFIRMED

    said = query(
        canvas.state,
        "SELECT comment FROM grades WHERE assignment_id = ? AND learner_id = ?",
        *(number(place[1]), int(learner)),
    )
    assert [one["comment"] for one in json.loads(said[0][0])] == [WORDS]
    assert read(canvas, place, learner).words == WORDS


def test_a_mark_of_another_tool_on_canvas_is_compared_and_not_overwritten(canvas):
    learner = canvas.two_learners()[0]
    place = ready(canvas)
    send(canvas, place, learner, 2.0)

    with open_state(canvas.state) as connection:
        connection.execute(
            "UPDATE grades SET grader_id = -999, points = 4 WHERE assignment_id = ?",
            (number(place[1]),),
        )

    assert read(canvas, place, learner).is_ours is None
    assert fate(canvas, place, learner, known=2.0, wanted=3.0) == "conflict"


def test_a_canvas_column_that_somebody_made_count_takes_no_more_marks(canvas):
    place = ready(canvas)
    send(canvas, place, canvas.two_learners()[0])

    with open_state(canvas.state) as connection:
        connection.execute("UPDATE assignments SET omit_from_final_grade = 0")

    with pytest.raises(GiveUp) as caught:
        ready(canvas)
    assert caught.value.cause == "would_count"


def test_a_concluded_canvas_course_is_closed_with_a_sentence(canvas):
    with pytest.raises(Gone) as caught:
        canvas.gradebook.ensure_column(CourseRef("106"), canvas.spec("NUMBERS"))

    assert caught.value.cause == "course_closed"


def test_our_marks_in_a_concluded_canvas_course_are_never_evidence(canvas):
    _, column = ready(canvas)

    with open_state(canvas.state) as connection:
        connection.execute("UPDATE courses SET state = 'concluded' WHERE id = ?", (canvas.course,))

    items = {item.ref: item for item in canvas.gradebook.line_items(canvas.course)}
    assert items[str(number(column))].is_own


def test_a_column_of_words_deleted_while_it_is_written_spoils_no_other(canvas_words):
    canvas, learner = canvas_words, canvas_words.two_learners()[0]
    (spec, kept), (other, gone) = ready(canvas), ready(canvas, "SHAPES")
    marks = [Mark(learner_ref=learner, words=WORDS)]
    writes = [
        ColumnMarks(column=gone, spec=other, marks=marks),
        ColumnMarks(column=kept, spec=spec, marks=marks),
    ]

    with open_state(canvas.state) as connection:
        connection.execute("UPDATE columns SET state = 'deleted' WHERE id = ?", (gone,))
    outcomes = canvas.gradebook.write_marks(canvas.course, writes, now=canvas.now())

    assert [one[0].state for one in outcomes] == [WriteState.REFUSED, WriteState.CONFIRMED]
    assert "deleted" in outcomes[0][0].reason


def test_a_column_of_words_that_a_teacher_hid_is_found_and_written(canvas_words):
    canvas, learner = canvas_words, canvas_words.two_learners()[0]
    _, column = place = ready(canvas)
    with open_state(canvas.state) as connection:
        connection.execute("UPDATE columns SET hidden = 1 WHERE id = ?", (column,))

    again = ready(canvas)[1]

    assert again == column
    assert send(canvas, place, learner).state is WriteState.CONFIRMED


@pytest.mark.parametrize(
    ("kind", "way"),
    [(CANVAS, PassbackWay.WORDS), (CANVAS, PassbackWay.MARK_NOT_COUNTED)],
)
def test_two_at_once_make_one_column(tmp_path, district, kind, way):
    held = threading.Lock()
    at_once = threading.Barrier(2)
    found = []

    def ensure(subject, spec):
        services = replace(live_services(), lock=lambda _name: held)
        book = connect(simulated_access(subject.state, kind, subject.url), services)
        at_once.wait()
        found.append(book.ensure_column(subject.course, spec))

    with simulated(district, tmp_path, kind, way) as subject:
        spec = subject.spec("NUMBERS")
        both = [threading.Thread(target=ensure, args=(subject, spec)) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()

    assert len(found) == 2
    assert len(set(found)) == 1


def test_a_column_is_made_under_the_lock_of_its_course(counted):
    names = []
    services = replace(live_services(), lock=lambda name: nullcontext(names.append(name)))
    kind = CANVAS if "canvas" in counted.state.name else MOODLE
    book = connect(simulated_access(counted.state, kind, counted.url), services)

    book.ensure_column(counted.course, counted.spec("NUMBERS"))

    assert names == [f"columns:{counted.course}"]
