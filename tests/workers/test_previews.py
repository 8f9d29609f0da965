"""Dry runs: what writing would do, and that nothing is written."""

from dataclasses import dataclass, field

import pytest

from connectors.errors import GiveUp
from mapping.records import FoundMark, LearnerRef, PassbackWay
from store import ways
from tests.contracts.fake import FakeGradebook
from tests.store.places import BY
from tests.workers.night import RenewedGradebook, new_night, small
from workers.previews import preview_course

ADA = LearnerRef("ada")
COUNTED, RATING = PassbackWay.MARK_COUNTED, PassbackWay.COMPETENCY


@dataclass
class OnlyReadGradebook(FakeGradebook):
    """Knows its own competencies, by tag, and refuses to make or write anything."""

    named: set[str] = field(default_factory=set)

    def ensure_column(self, course, spec):
        if spec.tag not in self.named:
            raise GiveUp("There is none.", cause="competency_not_in_course")
        return super().ensure_column(course, spec)

    def write_marks(self, *given, **more):
        raise AssertionError(given, more)


def preview(night, way=None):
    return preview_course(night.book, night.engine, night.course(), way=way, now=night.clock())


def seen(night):
    (found,) = night.ask(ways.course_ways, night.tenant)
    return found.previewed_at


def test_a_way_that_nothing_was_written_in_would_make_its_columns(engine, clock):
    night = new_night(engine, clock, book=small(OnlyReadGradebook), way=PassbackWay.NONE)
    night.run()
    night.book.calls = 0

    shown = preview(night, COUNTED)

    (column,) = shown.columns
    assert (column.title, column.is_new) == ("Waymark: Numbers (counts)", True)
    assert ("Ada", "", "3.6 Mastered (1 of 1 competency mastered)") in {
        (one.learner, one.now, one.then) for one in column.marks
    }
    assert night.book.calls == 0


def test_what_stands_there_is_told_apart_from_what_would_change(night):
    night.run()
    (cells,) = night.book.marks.values()
    cells[ADA] = FoundMark(words="Excellent", is_ours=False)
    night.score("quiz 1", "ada", 1.0)
    night.write(ways.set_course_way, night.course(), PassbackWay.NONE, author=BY)
    night.run()

    (column,) = preview(night, PassbackWay.WORDS).columns

    assert not column.is_new
    assert column.marks == []
    assert [name for name, reason in column.left if "Excellent" in reason] == ["Ada"]
    assert column.unchanged == 1
    assert cells[ADA].words == "Excellent"


def test_a_column_deleted_in_the_lms_would_be_made_anew(engine, clock):
    night = new_night(engine, clock, book=small(RenewedGradebook))
    night.run()
    night.book.course_list = []

    (column,) = preview(night).columns

    assert column.is_new


def test_only_a_dry_run_of_marks_that_count_is_recorded(night):
    night.run()
    preview(night, PassbackWay.MARK_NOT_COUNTED)
    before = seen(night)

    preview(night, COUNTED)

    assert before is None
    assert seen(night) == night.clock()


def test_columns_of_another_way_are_said_to_stay(night):
    night.run()

    assert preview(night, COUNTED).others == {PassbackWay.WORDS: 1}


def test_a_way_that_cannot_be_gone_is_told_without_columns(night):
    night.run()

    shown = preview(night, RATING)

    assert shown.columns == ()
    assert "Moodle only" in shown.reason


@pytest.mark.parametrize(("named", "trouble"), [({"waymark:N.1"}, ""), (set(), "There is none.")])
def test_ratings_are_previewed_in_the_lmss_own_competency(engine, clock, named, trouble):
    book = small(OnlyReadGradebook, named=named)
    night = new_night(engine, clock, book=book, way=PassbackWay.NONE, kind="moodle")
    night.run()

    (column,) = preview(night, RATING).columns

    assert column.trouble == trouble
    assert [one.then for one in column.marks] == ([] if trouble else ["Mastered", "Emerging"])
