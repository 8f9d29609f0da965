"""Every kind of change in a gradebook, at both LMSs: what Waymark holds after the next night.

Each kind happens in a tiny course of its own. One ordinary night follows, then a full one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import simulators.canvas
import simulators.moodle
from simulators.files import Addresses, write_all
from tests.databases import lay_database
from tests.stories.cases import CASES, ROWS, Case, Player, names_of, plans
from tests.stories.stage import Stage, district_on_stage
from tests.stories.staleness import stale_standings
from tests.stories.tiny import plans_in, spot, tiny_district
from tests.stories.truth import Book, canvas_book, held_book, moodle_book

pytestmark = pytest.mark.story

LMSS = ("canvas", "moodle")
READERS = {"canvas": canvas_book, "moodle": moodle_book}
Books = Mapping[tuple[str, str], Book]

LATER = [(case, lms) for case, lms in ROWS if lms in case.sweep]
SAME_NIGHT = [row for row in ROWS if row not in LATER]


@dataclass
class Played:
    """The table played to its end: what was true and what was held, by LMS and course."""

    true: Books
    stale_after_a_night: list[int]
    stale_after_a_sweep: list[int]
    held_after_a_night: Books
    held_after_a_sweep: Books
    grades: Mapping[tuple[str, int], dict]
    untouched_grades: Mapping[tuple[str, int], dict]
    stage: Stage


@pytest.fixture(scope="module")
def played(redis_url, tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    url = lay_database(folder)
    with district_on_stage(folder, url, redis_url, drawn=tiny_district(plans())) as stage:
        players = [
            Player(lms, lambda sent, lms=lms: stage.ask(f"{stage.lms(lms)}/_control/change", sent))
            for lms in LMSS
        ]
        for player in players:
            player.prepare()
        stage.run_night()
        for player in players:
            player.play_all()
        stage.run_night()
        after_a_night, stale_after_a_night = (
            held_books(stage),
            stale_standings(stage.container, stage.tenant),
        )
        stage.run_night(is_full=True)
        yield Played(
            true=true_books(stage),
            stale_after_a_night=stale_after_a_night,
            stale_after_a_sweep=stale_standings(stage.container, stage.tenant),
            held_after_a_night=after_a_night,
            held_after_a_sweep=held_books(stage),
            grades=course_grades(stage),
            untouched_grades=course_grades_without_waymark(stage),
            stage=stage,
        )


def true_books(stage):
    return {
        (lms, name): READERS[lms](stage.folder / "district" / f"{lms}.db", where.course)
        for lms, name, where in spots()
    }


def held_books(stage):
    return {(lms, name): held_book(stage.rows, lms, where.course) for lms, name, where in spots()}


def spots():
    wanted = plans()
    for lms in LMSS:
        for plan in plans_in(wanted, lms):
            yield lms, plan.name, spot(wanted, plan.name, lms)


def course_grades(stage):
    return {
        (lms, where.course): stage.ask(
            f"{stage.lms(lms)}/_control/course_grades?course={where.course}"
        )
        for lms, _, where in spots()
    }


def course_grades_without_waymark(stage):
    """Course grades of the same district with the same changes, to which Waymark never came."""
    folder = stage.folder / "untouched"
    addresses = Addresses(canvas=stage.canvas, moodle=stage.moodle, tool="http://127.0.0.1:1")
    write_all(folder, tiny_district(plans()), addresses=addresses, seed=7)
    clients = {
        "canvas": simulators.canvas.create_app(folder / "canvas.db").test_client(),
        "moodle": simulators.moodle.create_app(folder / "moodle.db").test_client(),
    }
    headers = {"User-Agent": "a test"}
    for lms, client in clients.items():
        player = Player(
            lms,
            lambda sent, client=client: client.post(
                "/_control/change", json=sent, headers=headers
            ).get_json(),
        )
        player.prepare()
        player.play_all()
    return {
        (lms, where.course): clients[lms]
        .get(f"/_control/course_grades?course={where.course}", headers=headers)
        .get_json()
        for lms, _, where in spots()
    }


def differences(true: Books, held: Books, case: Case, lms: str) -> list[str]:
    return [
        line for name in names_of(case) for line in true[lms, name].differences(held[lms, name])
    ]


def named(rows):
    return [pytest.param(case, lms, id=f"{lms}: {case.name}") for case, lms in rows]


@pytest.mark.parametrize(("case", "lms"), named(SAME_NIGHT))
def test_the_next_night_brings_the_change(played, case, lms):
    assert differences(played.true, played.held_after_a_night, case, lms) == []


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("handed in again", (1, False, [])),
        ("regraded after handing in again", (2, True, [(1, 18.0, False)])),
    ],
)
def test_what_was_graded_before_work_was_handed_in_again_is_kept(played, name, held):
    where = spot(plans(), name, "canvas")
    place = (str(where.items["homework"]), "", where.learners[0])

    cells = [
        books["canvas", name].cells[place]
        for books in (played.held_after_a_night, played.held_after_a_sweep)
    ]

    told = [
        (
            *(cell["attempt"], cell["is_late"]),
            [(number, points, is_late) for number, points, *_, is_late in cell["earlier"]],
        )
        for cell in cells
    ]
    assert told == [held] * 2


@pytest.mark.parametrize(("case", "lms"), named(LATER))
def test_only_a_sweep_brings_what_no_cursor_shows(played, case, lms):
    assert differences(played.true, played.held_after_a_night, case, lms) != []
    assert differences(played.true, played.held_after_a_sweep, case, lms) == []


@pytest.mark.parametrize(("case", "lms"), named(ROWS))
def test_a_sweep_leaves_nothing_to_be_found(played, case, lms):
    assert differences(played.true, played.held_after_a_sweep, case, lms) == []


@pytest.mark.parametrize("lms", LMSS)
def test_no_course_grade_moved_by_what_waymark_wrote(played, lms):
    moved = {
        course: (grades, played.untouched_grades[kind, course])
        for (kind, course), grades in played.grades.items()
        if kind == lms and grades != played.untouched_grades[kind, course]
    }

    assert moved == {}
    assert any(grade is not None for grades in played.grades.values() for grade in grades.values())


def test_standings_are_what_computing_everything_anew_gives(played):
    assert played.stale_after_a_night == []
    assert played.stale_after_a_sweep == []


def test_there_are_more_than_forty_kinds():
    assert len({case.name for case in CASES}) == len(CASES) > 40


DOCS = Path(__file__).resolve().parents[2] / "docs" / "connectors.md"


def test_the_docs_tell_of_every_kind_when_it_is_seen():
    rows = [line.split(" | ") for line in DOCS.read_text().splitlines() if line.startswith("| ")]
    told = {row[0].removeprefix("| "): row[1] for row in rows}

    assert {case.name: told.get(case.name) for case in CASES} == {
        case.name: when(case) for case in CASES
    }


def when(case):
    if not case.sweep:
        return "that night"
    if len(case.lmss) == len(case.sweep):
        return "weekly sweep"
    return "weekly sweep on Canvas, that night on Moodle"
