import pytest

MATH = 2


@pytest.fixture
def first(moodle):
    """The first competency of a course, and its first active learner."""
    competency = moodle.ask("core_competency_list_course_competencies", id=MATH)[0]["competency"]
    learner = moodle.query(
        "SELECT person_id FROM enrolments WHERE course_id = ? AND role = 'learner' "
        "AND state = 'active' ORDER BY person_id",
        MATH,
    )[0]["person_id"]
    return {"courseid": MATH, "userid": learner, "competencyid": competency["id"]}


def rate(moodle, place, **given):
    return moodle.ask("core_competency_grade_competency_in_course", **(place | given))


def summary(moodle, place):
    answer = moodle.ask("tool_lp_data_for_user_competency_summary_in_course", **place)
    return answer["usercompetencysummary"]


def rows(moodle):
    return moodle.query("SELECT * FROM competency_ratings")


def test_the_districts_frameworks_are_there_with_their_strands(moodle):
    found = moodle.ask("core_competency_list_competency_frameworks", context__contextid=1)
    inside = moodle.ask(
        "core_competency_list_competencies",
        filters__0__column="competencyframeworkid",
        filters__0__value=found[1]["id"],
    )

    assert [one["idnumber"] for one in found] == ["FW-BNCC", "FW-TRANSFERABLE"]
    assert [one["competenciescount"] for one in found] == [61, 18]
    strands = {one["id"] for one in inside if one["parentid"] == 0}
    assert {one["parentid"] for one in inside} - {0} == strands


def test_competencies_come_page_by_page(moodle):
    def page(start):
        found = moodle.ask(
            "core_competency_list_competencies",
            filters__0__column="competencyframeworkid",
            filters__0__value=1,
            sort="id",
            order="ASC",
            skip=start,
            limit=40,
        )
        return [one["id"] for one in found]

    assert [len(page(start)) for start in (0, 40, 80)] == [40, 21, 0]
    assert sorted({*page(0), *page(40)}) == [*page(0), *page(40)]


def test_a_column_that_is_none_is_refused(moodle):
    answer = moodle.ask(
        "core_competency_list_competencies", filters__0__column="x", filters__0__value=1
    )

    assert answer["errorcode"] == "codingerror"


def test_a_scale_has_words_from_one_on(moodle):
    found = moodle.ask("core_competency_get_scale_values", scaleid=3)
    unknown = moodle.ask("core_competency_get_scale_values", scaleid=99)

    assert [one["id"] for one in found] == [1, 2, 3, 4]
    assert unknown["errorcode"] == "invalidrecord"


@pytest.mark.parametrize(("grade", "is_proficient"), [(2, False), (3, True)])
def test_a_rating_is_kept_with_its_evidence(moodle, first, grade, is_proficient):
    evidence = rate(moodle, first, grade=grade, note="From Waymark")

    found = summary(moodle, first)
    rating = found["usercompetencycourse"]
    assert (rating["grade"], rating["proficiency"]) == (grade, is_proficient)
    assert found["evidence"][0] == evidence
    assert (evidence["actionuserid"], evidence["note"]) == (2, "From Waymark")


def test_the_newest_evidence_comes_first_and_says_who_rated(moodle, first):
    rate(moodle, first, grade=2, note="")
    moodle.client.post(
        "/_control/change",
        json={
            "kind": "rate_competency",
            "course": MATH,
            "learner": first["userid"],
            "item": first["competencyid"],
            "value": 4,
        },
    )

    newest, oldest = summary(moodle, first)["evidence"]

    teachers = moodle.query("SELECT person_id FROM enrolments WHERE role = 'teacher'")
    assert (newest["grade"], oldest["grade"]) == (4, 2)
    assert newest["actionuserid"] in {row["person_id"] for row in teachers}


def test_merely_looking_makes_an_empty_rating(moodle, first):
    before = len(rows(moodle))

    rating = summary(moodle, first)["usercompetencycourse"]

    assert (rating["grade"], rating["proficiency"], rating["gradename"]) == (None, None, "-")
    assert len(rows(moodle)) == before + 1


def test_the_report_has_every_competency_of_the_course(moodle, first):
    rate(moodle, first, grade=1)

    report = moodle.ask(
        "report_competency_data_for_report", courseid=MATH, userid=first["userid"], moduleid=0
    )

    named = moodle.ask("core_competency_list_course_competencies", id=MATH)
    found = {
        one["usercompetencycourse"]["competencyid"]: one["usercompetencycourse"]["grade"]
        for one in report["usercompetencies"]
    }
    assert list(found) == [one["competency"]["id"] for one in named]
    assert found[first["competencyid"]] == 1


@pytest.mark.parametrize(
    ("given", "errorcode"),
    [
        ({"grade": 5}, "invalidpersistenterror"),
        ({"grade": 0}, "invalidpersistenterror"),
        ({"grade": 2, "userid": 99999}, "codingerror"),
        ({"grade": 2, "competencyid": 99999}, "codingerror"),
        ({"grade": 2, "courseid": 99999}, "invalidrecord"),
        ({"grade": "2.5"}, "invalidparameter"),
    ],
)
def test_a_rating_that_makes_no_sense_is_refused_and_kept_nowhere(moodle, first, given, errorcode):
    answer = rate(moodle, first, **given)

    assert answer["errorcode"] == errorcode
    assert moodle.query("SELECT * FROM competency_evidence") == []


def test_without_the_right_to_rate_nothing_is_rated(moodle, first):
    moodle.client.post("/_control/rights", json={"missing": ["moodle/competency:competencygrade"]})

    answer = rate(moodle, first, grade=2)

    assert answer["errorcode"] == "nopermissions"
    assert summary(moodle, first)["cangrade"] is False


def test_groups_hold_every_learner_but_one(moodle):
    groups = moodle.ask("core_group_get_course_groups", courseid=MATH)
    people = moodle.ask(
        "core_enrol_get_enrolled_users",
        courseid=MATH,
        options__0__name="userfields",
        options__0__value="id,groups,roles",
    )

    learners = [one for one in people if one["roles"][0]["shortname"] == "student"]
    assert {"Lab &amp; field group", "Morning group"} == {one["name"] for one in groups}
    assert [len(one["groups"]) for one in learners] == [1] * (len(learners) - 1) + [0]


def test_a_learner_moves_between_groups(moodle):
    groups = moodle.query("SELECT id FROM course_groups WHERE course_id = ? ORDER BY id", MATH)
    members = moodle.query("SELECT * FROM group_members WHERE group_id = ?", groups[0]["id"])
    sent = {"kind": "put_in_group", "course": MATH, "learner": members[0]["person_id"]}

    moved = moodle.client.post("/_control/change", json=sent | {"value": groups[1]["id"]})
    wrong = moodle.client.post("/_control/change", json=sent | {"value": 999})

    where = "SELECT group_id FROM group_members WHERE person_id = ? AND group_id IN (?, ?)"
    found = moodle.query(where, sent["learner"], groups[0]["id"], groups[1]["id"])
    assert (moved.status_code, wrong.status_code) == (200, 400)
    assert [row["group_id"] for row in found] == [groups[1]["id"]]
