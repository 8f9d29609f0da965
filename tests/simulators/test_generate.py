import csv
import json
from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from statistics import fmean

import pytest

from simulators.catalogue import CRITERIA
from simulators.files import Addresses, mapping_rows, write_all
from simulators.frameworks import bncc_package, transferable_package
from simulators.generate import draw, last_evening
from simulators.state import courses_in, numbered, open_state

OTHER_TOOL = Addresses(
    canvas="http://127.0.0.1:9101", moodle="http://127.0.0.1:9102", tool="http://localhost:9100"
)


@pytest.fixture(scope="module")
def demo():
    return draw(11)


def _grades(district):
    return [grade for course in district.courses for grade in course.grades]


def test_the_same_seed_draws_the_same_district(plan):
    again = draw(3, "small")

    assert again == plan


def test_another_seed_draws_another_district(plan):
    other = draw(4, "small")

    assert other != plan


def test_the_demo_district_has_the_promised_size(demo):
    learners = sum(person.role == "learner" for person in demo.people)
    scores = sum(grade.state == "graded" for grade in _grades(demo))

    assert len(demo.schools) == 3
    assert (len(courses_in(demo, "canvas")), len(courses_in(demo, "moodle"))) == (20, 4)
    assert 760 <= learners <= 840
    assert 57_000 <= scores <= 64_000


def _strands():
    """The strand of each competency, by code."""
    found = {}
    for package in (bncc_package(), transferable_package()):
        items = {item["identifier"]: item for item in package["CFItems"]}
        for link in package["CFAssociations"]:
            child = items[link["originNodeURI"]["identifier"]]
            if "humanCodingScheme" in child:
                found[child["humanCodingScheme"]] = link["destinationNodeURI"]["identifier"]
    return found


def _strands_of(course, strands):
    """The strands that a course speaks of, by its line items and by its rubrics."""
    rows = [row for item in course.assignments for row in item.criteria]
    codes = {*_aligned(course), *(CRITERIA[row.title] for row in rows if _aligned(course))}
    return {strands[code] for code in codes}


def _marks_one_by_one(district):
    """How many statuses the schools get that cannot be told in bulk."""
    words_in_canvas = {
        school.id
        for school in district.schools
        if (school.lms, school.passback) == ("canvas", "words")
    }
    strands = _strands()
    return sum(
        len(course.learners) * len(_strands_of(course, strands))
        for course in district.courses
        if course.school not in words_in_canvas
    )


@pytest.mark.parametrize("scale", ["demo", "small"])
def test_few_marks_have_to_be_written_one_by_one(scale):
    lowest, highest = {"demo": (1_200, 1_500), "small": (50, 150)}[scale]

    assert lowest <= _marks_one_by_one(draw(11, scale)) <= highest


def test_most_courses_are_at_the_school_that_takes_words_in_bulk(demo):
    counts = Counter(course.school for course in demo.courses)

    assert [counts[school.id] for school in demo.schools] == [17, 3, 4]


def test_every_mapped_course_speaks_of_five_strands_at_most(demo):
    strands = _strands()
    counts = {len(_strands_of(course, strands)) for course in demo.courses}

    assert counts == {0, 2, 3, 4, 5}


def test_forty_learners_of_a_canvas_school_take_a_course_in_moodle_too(demo):
    in_canvas = {learner for course in courses_in(demo, "canvas") for learner in course.learners}
    in_moodle = {learner for course in courses_in(demo, "moodle") for learner in course.learners}

    assert len(in_canvas & in_moodle) == 40


def test_the_term_lies_around_the_day_that_is_asked_for():
    district = draw(3, "small", today=date(2027, 5, 4))

    course = district.courses[0]
    assert course.starts_at.date() < date(2027, 5, 4) < course.ends_at.date()


@pytest.mark.parametrize("lms", ["canvas", "moodle"])
@pytest.mark.parametrize("state", ["graded", "submitted", "missing", "excused"])
def test_every_state_of_a_cell_occurs_even_in_the_small_district(plan, lms, state):
    states = {grade.state for course in courses_in(plan, lms) for grade in course.grades}

    assert state in states


def test_awkward_grades_occur_even_in_the_small_district(plan):
    grades = _grades(plan)

    assert any(len(grade.attempts) > 1 for grade in grades)
    assert any(grade.points_deducted > 0 for grade in grades)
    assert any(grade.overridden is not None for grade in grades)
    assert any(grade.is_hidden for grade in grades)


def test_awkward_courses_occur_even_in_the_small_district(plan):
    courses = plan.courses
    items = [item for course in courses for item in course.assignments]

    assert any(course.state == "concluded" for course in courses)
    assert any(not course.learners for course in courses)
    assert any(course.suspended for course in courses)
    assert any(not item.is_published for item in items)
    assert any(not item.is_posted for item in items)
    assert any(item.scale for item in items)
    assert any(item.criteria for item in items)


def test_single_names_apostrophes_and_right_to_left_names_occur(demo):
    names = [f"{person.given_name} {person.family_name}" for person in demo.people]

    assert any(not person.family_name for person in demo.people)
    assert any("'" in name for name in names)
    assert any("\u0600" <= name[0] <= "\u06ff" for name in names)


def test_points_never_leave_the_range_of_their_assignment(demo):
    maxima = {
        (course.id, course.school, item.id): item.maximum
        for course in demo.courses
        for item in course.assignments
    }

    for course in demo.courses:
        for grade in course.grades:
            highest = maxima[course.id, course.school, grade.assignment]
            points = [attempt.points for attempt in grade.attempts]
            points += [grade.overridden] if grade.overridden is not None else []
            assert all(0 <= number <= highest for number in points)


def test_learners_grow_over_the_term(demo):
    course = demo.courses[0]
    dues = sorted(item.due_at for item in course.assignments)
    items = {item.id: item for item in course.assignments}
    halves = {True: [], False: []}
    for grade in course.grades:
        item = items[grade.assignment]
        if grade.state == "graded":
            is_late_half = item.due_at > dues[len(dues) // 2]
            halves[is_late_half].append(grade.attempts[-1].points / item.maximum)

    assert fmean(halves[True]) > fmean(halves[False]) + 0.05


def _aligned(course):
    """Assignments by competency, as the mapping rules find them."""
    found = {}
    for row in mapping_rows():
        _, competency, course_pattern, title, category, criterion, _, _ = row
        if criterion or not fnmatchcase(course.title.lower(), course_pattern.lower()):
            continue
        for item in course.assignments:
            if item.category == category and fnmatchcase(item.title.lower(), title):
                found.setdefault(competency, set()).add(item.id)
    return found


def test_every_mapped_course_has_competencies_with_enough_evidence(demo):
    mapped = [course for course in demo.courses if not course.code.startswith("ADV")]

    for course in mapped:
        counts = [len(items) for items in _aligned(course).values()]
        assert 8 <= len(counts) <= 12, course.title
        assert min(counts) >= 2, course.title
        assert max(counts) <= 5, course.title


def test_no_rule_matches_the_advisory_course(demo):
    (advisory,) = [course for course in demo.courses if course.code.startswith("ADV")]

    assert _aligned(advisory) == {}


def test_every_rule_names_a_competency_of_its_framework():
    known = {
        (package["CFDocument"]["identifier"], item.get("humanCodingScheme"))
        for package in (bncc_package(), transferable_package())
        for item in package["CFItems"]
    }

    assert {row[:2] for row in mapping_rows()} <= known


@pytest.mark.parametrize("make", [bncc_package, transferable_package])
def test_every_item_of_a_framework_is_child_of_a_strand_or_of_the_document(make):
    package = make()
    known = {item["identifier"] for item in package["CFItems"]}
    document = package["CFDocument"]["identifier"]

    parents = {
        link["originNodeURI"]["identifier"]: link["destinationNodeURI"]["identifier"]
        for link in package["CFAssociations"]
    }

    assert set(parents) == known
    assert set(parents.values()) <= known | {document}
    assert len({item["identifier"] for item in package["CFItems"]}) == len(package["CFItems"])


def test_the_brazilian_slice_keeps_its_texts_its_licence_and_its_source():
    package = bncc_package()

    texts = {item.get("humanCodingScheme"): item["fullStatement"] for item in package["CFItems"]}
    assert texts["EF06MA07"].startswith("Compreender, comparar e ordenar frações")
    assert 40 <= len(texts) - 1 <= 60
    assert package["CFDocument"]["licenseURI"]["uri"].endswith("/licenses/by/4.0/")
    assert "bncc.dev" in package["CFDocument"]["notes"]


def test_the_files_for_waymark_name_both_platforms_with_their_keys(district_folder):
    told = json.loads((district_folder / "district.json").read_text("utf-8"))

    canvas, moodle = told["platforms"]
    assert canvas["issuer"] == "https://canvas.instructure.com"
    assert len(canvas["deployments"]) == 2
    assert moodle["issuer"] == moodle["api_url"] == "http://127.0.0.1:8102"
    assert moodle["deployments"] == ["1"]
    assert len(moodle["client_id"]) == 15
    assert {school["passback"] for school in told["schools"]} == {"words", "mark_not_counted"}
    named = {name for platform in told["platforms"] for name in platform["schools"].values()}
    assert named == {school["name"] for school in told["schools"]}


def test_the_mapping_file_has_a_header_and_one_line_a_rule(district_folder):
    with (district_folder / "mappings.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))

    assert len(rows) == len(list(mapping_rows()))
    assert {row["kind"] for row in rows} == {"recall", "skill", "application"}


def test_generating_again_keeps_what_happened_and_changes_the_addresses(plan, district_folder):
    path = district_folder / "moodle.db"
    with closing(open_state(path)) as connection, connection:
        connection.execute("UPDATE grades SET points = 1 WHERE state = 'graded'")
    before = json.loads((district_folder / "district.json").read_text("utf-8"))

    write_all(district_folder, plan, addresses=OTHER_TOOL, seed=99)

    after = json.loads((district_folder / "district.json").read_text("utf-8"))
    assert after["platforms"][1]["api_url"] == OTHER_TOOL.moodle
    assert after["platforms"][1]["api_token"] == before["platforms"][1]["api_token"]
    with closing(open_state(path)) as connection:
        (highest,) = connection.execute("SELECT max(points) FROM grades WHERE state = 'graded'")
    assert highest[0] == 1


@pytest.mark.parametrize("lms", ["canvas", "moodle"])
def test_the_state_file_holds_every_cell_of_the_plan(plan, district_folder, lms):
    planned = Counter(grade.state for course in courses_in(plan, lms) for grade in course.grades)

    with closing(open_state(district_folder / f"{lms}.db")) as connection:
        held = dict(connection.execute("SELECT state, count(*) FROM grades GROUP BY state"))

    assert held == planned


def test_the_two_state_files_number_people_differently_but_share_the_district_id(plan):
    both = set(numbered(plan, "canvas")) & set(numbered(plan, "moodle"))
    learners = {person.id for person in plan.people if person.role == "learner"}

    shared = both & learners
    assert shared
    assert all(numbered(plan, "canvas")[one] != numbered(plan, "moodle")[one] for one in shared)


def test_somebody_of_every_course_with_learners_has_a_guardian(plan):
    children = {child for person in plan.people for child in person.children}

    assert all(children & set(course.learners) for course in plan.courses if course.learners)


def test_guardians_observe_their_children_in_canvas_only(district_folder):
    counts = {}
    for lms in ("canvas", "moodle"):
        with closing(open_state(district_folder / f"{lms}.db")) as connection:
            (row,) = connection.execute("SELECT count(*) FROM enrolments WHERE role = 'guardian'")
            counts[lms] = row[0]

    assert counts["canvas"] > 0
    assert counts["moodle"] == 0


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 11, 20, 22, 59, tzinfo=UTC), date(2026, 11, 19)),
        (datetime(2026, 11, 20, 23, 0, tzinfo=UTC), date(2026, 11, 20)),
        (datetime(2026, 11, 21, 1, 0, tzinfo=UTC), date(2026, 11, 20)),
    ],
)
def test_the_last_evening_is_one_that_is_over_in_the_districts_zone(now, day):
    assert last_evening(now) == day
