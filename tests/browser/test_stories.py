"""What each person comes for, from the LMS's page to the evidence, on a laptop and a phone."""

import re

import pytest

from mapping.status import Status
from tests.browser import people

pytestmark = [pytest.mark.browser, pytest.mark.story]


@pytest.mark.parametrize("lms", ["canvas", "moodle"])
def test_a_teacher_reads_the_class_and_sees_the_evidence_behind_a_cell(desk, lms):
    place = people.teacher(desk.stage, lms)

    visit = getattr(desk, lms)(place.course, place.person)

    rows = visit.frame.locator("tbody tr")
    assert rows.count() == people.learners_of(desk.stage, lms, place.course)
    name = rows.first.locator("th").inner_text()
    cell = rows.first.locator("td").nth(1)
    symbol, word = cell.inner_text().split(maxsplit=1)
    visit.click("tbody tr:first-child td:nth-child(3) a", to=r"learners/\d+\?show=\d+")
    opened = visit.frame.locator("details[open]")
    assert visit.heading() == name
    assert opened.count() == 1
    assert opened.locator("table.evidence").is_visible()
    badge = visit.frame.locator(".card:has(details[open]) .status").first.inner_text()
    assert badge.startswith(symbol)
    assert word.split()[-1] in badge


def test_a_learner_sees_where_they_stand_and_on_what_evidence(desk):
    place = people.learner(desk.stage, "canvas")
    known = people.standings_of(desk.stage, "canvas", place, view=1)[0]

    visit = desk.canvas(place.course, place.person)

    card = visit.frame.locator(f"#c{known.competency}")
    assert visit.heading() == "My progress"
    assert known.sentence in card.locator("h3").inner_text()
    assert card.locator(".status").inner_text() == f"{known.status.symbol} {known.status.label}"
    pieces = "piece" if known.evidence_count == 1 else "pieces"
    assert f"{known.evidence_count} {pieces} of evidence" in card.inner_text()
    assert not card.locator("table").is_visible()
    card.locator("summary", has_text="Why, and what would change it").click()
    counted = card.locator("tbody tr:not(.uncounted)")
    assert counted.first.is_visible()
    assert counted.count() == known.evidence_count


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_a_learners_page_says_how_old_it_is_in_the_districts_time(desk):
    place = people.learner(desk.stage, "moodle")

    text = desk.moodle(place.course, place.person).text()

    assert re.search(r"As of \d+ \w{3} \d{4}, \d\d:\d\d UTC-03", text)


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_a_learner_reads_no_word_that_shames(desk):
    place = people.learner(desk.stage, "canvas")

    text = desk.canvas(place.course, place.person).text()

    assert not re.search(r"\b(fail\w*|behind|poor|weak|rank\w*)\b", text, re.IGNORECASE)


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_what_a_teacher_has_hidden_is_on_the_teachers_page_alone(desk):
    place, learner_id, title = people.hidden_from(desk.stage)
    (teacher,) = {
        row[0]
        for row in people.in_lms(
            desk.stage,
            "canvas",
            "SELECT min(person_id) FROM enrolments WHERE course_id = :course AND role = 'teacher'",
            course=place.course,
        )
    }

    learners = desk.canvas(place.course, place.person).text()
    visit = desk.canvas(place.course, teacher)
    visit.go(f"learners/{learner_id}")

    assert title in visit.text()
    assert title not in learners


def test_a_parent_chooses_a_child_and_sees_the_childs_page(desk):
    place, names = people.canvas_parent(desk.stage)

    visit = desk.canvas(place.course, place.person)

    children = visit.frame.locator(".cards a")
    assert sorted(children.all_inner_texts()) == names
    first = children.first.inner_text()
    visit.click(".cards a", to=r"learners/\d+")
    assert visit.heading() == first
    assert visit.frame.locator(".card .status").count() > 0


def test_in_moodle_a_parent_is_told_why_there_is_nothing_to_see(desk):
    place = people.moodle_parent(desk.stage)

    visit = desk.moodle(place.course, place.person)

    assert "Are you a parent or guardian?" in visit.text()
    assert "ask their teacher" in visit.text()


def test_an_administrator_reads_the_history_and_one_run(desk):
    stage = desk.stage
    pulled = stage.rows("SELECT sum(scores_pulled) FROM work_items")[0][0]
    courses = stage.rows("SELECT count(*) FROM work_items WHERE phase = 'pull'")[0][0]

    visit = desk.canvas_account(people.school(stage), people.administrator(stage))

    assert visit.heading() == "Start"
    visit.click("nav a:has-text('Runs')", to="runs")
    assert f"{pulled:,}" in visit.text()
    visit.click("tbody a", to=r"runs/\d+")
    assert "Run of" in visit.heading()
    assert visit.frame.locator("td.state", has_text=re.compile("^read$")).count() == courses
    assert "No mapping rule matches" in visit.text()


def test_a_class_table_says_each_status_in_a_word_and_a_symbol(desk):
    place = people.teacher(desk.stage, "canvas")
    symbols = {status.symbol for status in Status}

    cells = desk.canvas(place.course, place.person).frame.locator("tbody td").all_inner_texts()

    assert cells
    assert all(re.fullmatch(rf"[{''.join(symbols)}]\s*\w[\w ]+", cell) for cell in cells)
