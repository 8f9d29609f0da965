import pytest

ROWS = [{"assignment": 1003, "criterion": "_c1"}, {"assignment": 1003, "criterion": "_c2"}]


@pytest.fixture
def align(browser):
    def make(**more):
        payload = {"course": 101, "title": "Reasoning", "alignments": ROWS, **more}
        return browser.post("/_control/outcome", json=payload)

    return make


def scores(answer):
    return {
        row["links"]["user"]: {one["links"]["outcome"]: one["score"] for one in row["scores"]}
        for row in answer.json["rollups"]
    }


def test_every_rubric_row_is_a_result_and_makes_up_the_rollup(align, rest):
    number = align(calculation_method="average").json["outcome"]

    results = rest("GET", "/courses/101/outcome_results").json["outcome_results"]
    rollups = rest("GET", "/courses/101/outcome_rollups")

    assert [(one["score"], one["percent"], one["possible"]) for one in results] == [
        (4.0, 1.0, 4.0),
        (2.0, 0.5, 4.0),
    ]
    assert scores(rollups) == {"3": {str(number): 3.0}, "4": {}}


def test_an_alignment_of_another_mastery_is_carried_cut_to_cut(align, rest):
    align(
        calculation_method="average",
        alignments=[{"assignment": 1003, "criterion": "_c2", "mastery_percent": 0.6}],
    )

    results = rest("GET", "/courses/101/outcome_results").json["outcome_results"]

    assert results[0]["percent"] == 0.625


@pytest.mark.parametrize(("stat", "expected"), [("mean", 3.0), ("median", 3.0)])
def test_a_course_has_one_number_an_outcome(align, rest, stat, expected):
    align(calculation_method="average")

    query = f"aggregate=course&aggregate_stat={stat}"
    answer = rest("GET", f"/courses/101/outcome_rollups?{query}").json

    assert [one["score"] for one in answer["rollups"][0]["scores"]] == [expected]


def test_only_what_is_asked_for_is_told(align, rest):
    align()
    second = align(calculation_method="latest").json["outcome"]

    answer = rest("GET", f"/courses/101/outcome_rollups?user_ids[]=3&outcome_ids[]={second}")

    assert list(scores(answer)) == ["3"]
    assert list(scores(answer)["3"]) == [str(second)]


@pytest.mark.parametrize("query", ["user_ids[]=99", "outcome_ids[]=99"])
def test_who_or_what_is_not_there_is_refused(align, rest, query):
    align()

    assert rest("GET", f"/courses/101/outcome_rollups?{query}").status_code == 400


def test_an_aggregate_of_another_kind_is_refused(align, rest):
    align()

    query = "aggregate=course&aggregate_stat=mode"
    assert rest("GET", f"/courses/101/outcome_rollups?{query}").status_code == 400


def test_an_outcome_tells_its_method_and_a_number_only_where_it_has_one(align, rest):
    with_number = align(calculation_method="decaying_average").json["outcome"]
    without = align(calculation_method="highest").json["outcome"]

    assert rest("GET", f"/outcomes/{with_number}").json["calculation_int"] == 65
    assert "calculation_int" not in rest("GET", f"/outcomes/{without}").json
    assert rest("GET", "/outcomes/99").status_code == 404


@pytest.mark.parametrize(
    "more",
    [
        {"calculation_method": "power_law"},
        {"calculation_method": "highest", "calculation_int": 3},
        {"calculation_method": "standard_decaying_average", "calculation_int": 49},
    ],
)
def test_a_method_that_canvas_does_not_have_is_refused(align, more):
    assert align(**more).status_code == 400


def test_an_outcome_needs_its_course(browser):
    assert browser.post("/_control/outcome", json={"title": "x"}).status_code == 400


@pytest.mark.parametrize("guid", ["guid-1", None])
def test_a_row_taken_from_an_outcome_says_so_and_is_called_as_it(align, rest, guid):
    number = align(vendor_guid=guid, alignments=ROWS[:1]).json["outcome"]

    first, second = rest("GET", "/courses/101/assignments/1003").json["rubric"]

    assert (first["outcome_id"], first["vendor_guid"]) == (number, guid)
    assert first["description"] == "Reasoning"
    assert not {"outcome_id", "vendor_guid"} & second.keys()
