import pytest


@pytest.fixture
def put(browser):
    def place(what, learner, name, **more):
        payload = {"course": 101, "learner": learner, "name": name, **more}
        return browser.post(f"/_control/{what}", json=payload)

    return place


@pytest.fixture
def enrolled(rest):
    def rows(query=""):
        return rest("GET", f"/courses/101/enrollments?type[]=StudentEnrollment{query}").json

    return rows


def test_every_course_has_a_section_of_its_own(rest, enrolled):
    found = rest("GET", "/courses/101/sections").json

    assert [(one["id"], one["name"]) for one in found] == [(50_101, "Mathematics 101")]
    assert {row["course_section_id"] for row in enrolled()} == {50_101}


def test_who_is_in_two_sections_has_two_enrolments(put, rest, enrolled):
    section = put("section", 3, "Morning").json["section"]

    mine = [row for row in enrolled() if row["user_id"] == 3]
    assert {row["course_section_id"] for row in mine} == {50_101, section}
    assert len({row["id"] for row in mine}) == 2
    assert [one["name"] for one in rest("GET", "/courses/101/sections").json] == [
        "Mathematics 101",
        "Morning",
    ]


def test_who_is_moved_to_a_section_is_in_no_other(put, enrolled):
    section = put("section", 3, "Morning").json["section"]
    put("section", 3, "Morning", alone=True)

    assert [row["course_section_id"] for row in enrolled() if row["user_id"] == 3] == [section]


def test_groups_are_told_only_to_who_asks_for_them(put, rest, enrolled):
    group = put("group", 3, "Red").json["group"]
    put("group", 3, "Red")

    with_groups = {row["user_id"]: row["user"] for row in enrolled("&include[]=group_ids")}
    assert with_groups[3]["group_ids"] == [group]
    assert with_groups[4]["group_ids"] == []
    assert all("group_ids" not in row["user"] for row in enrolled())
    found = rest("GET", "/courses/101/groups").json
    assert [(one["name"], one["members_count"]) for one in found] == [("Red", 1)]


@pytest.mark.parametrize("what", ["section", "group"])
def test_only_learners_of_the_course_can_be_placed(put, browser, what):
    assert put(what, 2, "Morning").status_code == 404
    assert browser.post(f"/_control/{what}", json={"course": 101}).status_code == 400


def test_a_student_view_learner_comes_only_when_asked_for(state, rest):
    with state:
        state.execute(
            "INSERT INTO enrolments (course_id, person_id, role, created_at) "
            "VALUES (101, 1, 'tester', 0)"
        )

    everybody = rest("GET", "/courses/101/enrollments").json
    students = rest("GET", "/courses/101/enrollments?type[]=StudentEnrollment").json
    assert "StudentViewEnrollment" in {row["type"] for row in everybody}
    assert {row["type"] for row in students} == {"StudentEnrollment"}
