import pytest


def test_the_list_names_schools_courses_and_people(browser):
    page = browser.get("/?course=101").text

    for words in ("North", "South", "Mathematics 101", "Tom Teacher", "Lia Alves", "Gil Alves"):
        assert words in page
    assert "/courses/101?user=6" in page
    assert "/accounts/11?user=1" in page


def test_the_gradebook_shows_scores_totals_excuses_and_columns(browser, rest):
    column = rest(
        "POST", "/courses/101/custom_gradebook_columns", json={"column": {"title": "Mastery"}}
    ).json
    path = f"/courses/101/custom_gradebook_columns/{column['id']}/data/3"
    rest("PUT", path, json={"column_data": {"content": "Proficient (3 of 4)"}})

    page = browser.get("/gradebook/101").text

    assert "Proficient (3 of 4)" in page
    assert "76.32 %" in page
    assert ">EX<" in page
    assert "Draft" not in page.partition("<table>")[2]


@pytest.mark.parametrize(
    ("text", "score", "is_excused"), [("12.5", 12.5, False), ("EX", None, True), ("", None, False)]
)
def test_a_score_is_changed_by_the_form(browser, cell, text, score, is_excused):
    form = {"learner": "3", "assignment": "1001", "score": text}

    answer = browser.post("/gradebook/101", data=form)

    assert answer.status_code == 303
    assert (cell(3, 1001)["score"], cell(3, 1001)["excused"]) == (score, is_excused)
    assert cell(3, 1001)["grader_id"] == 2


def test_what_is_no_score_is_refused_in_words(browser, cell):
    form = {"learner": "3", "assignment": "1001", "score": "great"}

    answer = browser.post("/gradebook/101", data=form)

    assert answer.status_code == 400
    assert "is no score" in answer.text
    assert cell(3, 1001)["score"] == 18


def test_names_and_titles_are_escaped(browser, state):
    with state:
        state.execute("UPDATE courses SET title = '<b>Maths</b>' WHERE id = 101")

    page = browser.get("/gradebook/101").text

    assert "<b>Maths" not in page
    assert "&lt;b&gt;Maths" in page


@pytest.mark.parametrize("path", ["/courses/9?user=3", "/courses/101?user=99", "/gradebook/9"])
def test_a_page_of_nothing_is_404_with_words(browser, path):
    answer = browser.get(path)

    assert answer.status_code == 404
    assert "Not found" in answer.text


@pytest.mark.parametrize(
    ("change", "status"),
    [({"learner": 2}, 404), ({"assignment": 1004}, 404), ({"points": "many"}, 400)],
)
def test_control_refuses_what_no_teacher_could_do(browser, change, status):
    sent = {"course": 101, "learner": 3, "assignment": 1001, "points": 5} | change

    assert browser.post("/_control/score", json=sent).status_code == status


def test_control_wants_everything_it_needs(browser):
    assert browser.post("/_control/score", json={"course": 101}).status_code == 400
    assert browser.get("/_control/course_grades").status_code == 400


def test_requests_are_counted_by_kind(browser, rest, graphql):
    rest("GET", "/accounts/self")
    graphql()

    requests = browser.get("/_control/counters").json["requests"]
    assert requests == {"rest": 1, "graphql": 1, "lti": 0, "token": 0}
