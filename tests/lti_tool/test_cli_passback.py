"""``waymark passback``, as a district's administrator meets it."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from bootstrap.container import running
from bootstrap.settings import load_settings
from lti_tool.cli import waymark
from mapping.records import PassbackWay
from store import ways
from store.session import reading, writing
from tests.conftest import Clock
from tests.databases import lay_database
from tests.workers.night import new_night

TITLE = "Algebra"
SECRET = "only-for-tests-only-for-tests-only"
"""What the tests' platforms are sealed with."""
COUNTED = "mark_counted"


@pytest.fixture
def environ(tmp_path, redis, redis_url, monkeypatch):
    assert redis.ping()
    given = {
        "WAYMARK_DATA_DIR": str(tmp_path),
        "WAYMARK_REDIS_URL": redis_url,
        "WAYMARK_SECRET_KEY": SECRET,
        "WAYMARK_LOG_LEVEL": "WARNING",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    lay_database(tmp_path)
    return given


@pytest.fixture
def night(environ):
    """A district after a night in which nothing was written anywhere."""
    with running(load_settings(environ)) as container:
        made = new_night(container.engine, Clock(), way=PassbackWay.NONE)
        made.run()
        yield made


@pytest.fixture
def run(night):
    assert night

    def run(*arguments, status=0):
        done = CliRunner().invoke(waymark, ["passback", *arguments])
        assert done.exit_code == status, done.output
        return " ".join(done.output.split())

    return run


def state(night):
    with reading(night.engine) as connection:
        (found,) = ways.course_ways(connection, night.tenant)
    return found


def test_courses_are_listed_with_their_ways(run, night):
    (found,) = json.loads(run("list", "--json"))

    assert (found["title"], found["way"], found["own_way"]) == (TITLE, "none", None)
    assert found["number"] == night.course()
    assert TITLE in run("list")


def test_a_dry_run_shows_every_mark_and_writes_nothing(run, night):
    told = run("preview", TITLE, "--way", COUNTED)

    assert "Waymark: Numbers (counts) (would be made)" in told
    assert "Ada" in told
    assert "3.6 Mastered" in told
    assert "Course grades change;" in told
    assert "Nothing was written." in told
    assert night.book.marks == {}


def test_a_dry_run_can_be_read_by_programs(run):
    shown = json.loads(run("preview", "ALG", "--way", "words", "--json"))

    (column,) = shown["columns"]
    assert [mark["learner"] for mark in column["marks"]] == ["Ada", "Bo"]
    assert column["is_new"]


def test_a_course_is_given_a_way_of_its_own_and_back_to_its_school(run, night):
    run("set", str(night.course()), "--way", "words")
    own = state(night).way

    told = run("set", TITLE, "--way", "school")

    assert own is PassbackWay.WORDS
    assert state(night).own is None
    assert "none from the next night on" in told


def test_a_school_is_given_a_way(run, night):
    run("set", "--school", "School s1", "--way", "words")

    assert state(night).way is PassbackWay.WORDS


def test_a_school_with_marks_that_count_is_told_that_each_course_must_agree(run):
    assert "course by course" in run("set", "--school", "School s1", "--way", COUNTED)


def test_marks_that_count_need_a_dry_run_first(run, night):
    told = run("set", TITLE, "--way", COUNTED, "--yes-it-counts", TITLE, status=1)

    assert "Look at what they would say first" in told
    assert state(night).own is None


def test_a_dry_run_of_the_day_before_yesterday_does_not_hold(run, night):
    run("preview", TITLE, "--way", COUNTED)
    with writing(night.engine) as connection:
        ways.note_preview(
            connection, night.course(), state(night).previewed_at - timedelta(hours=25)
        )

    run("set", TITLE, "--way", COUNTED, "--yes-it-counts", TITLE, status=1)

    assert state(night).counted_from is None


@pytest.mark.parametrize("agreed", [(), ("--yes-it-counts", "Geometry")])
def test_marks_that_count_need_the_courses_own_title(run, night, agreed):
    run("preview", TITLE, "--way", COUNTED)

    told = run("set", TITLE, "--way", COUNTED, *agreed, status=1)

    assert f'--yes-it-counts "{TITLE}"' in told
    assert state(night).own is None


def test_who_saw_the_dry_run_may_agree_to_marks_that_count(run, night):
    run("preview", TITLE, "--way", COUNTED)

    run("set", TITLE, "--way", COUNTED, "--yes-it-counts", TITLE)

    assert state(night).way is PassbackWay.MARK_COUNTED
    assert state(night).counted_from is not None
    assert "agreed" in run("list")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("set", "--way", "words"), "Name a course"),
        (("set", TITLE, "--school", "School s1", "--way", "words"), "Name a course"),
        (("set", "--school", "School s1", "--way", "school"), "no school above"),
        (("set", "--school", "Nowhere", "--way", "words"), "there is School s1"),
        (("set", "Nowhere", "--way", "words"), "There is no course"),
    ],
)
def test_what_makes_no_sense_is_explained(run, arguments, word):
    status = 2 if word in {"Name a course", "no school above"} else 1

    assert word in run(*arguments, status=status)
