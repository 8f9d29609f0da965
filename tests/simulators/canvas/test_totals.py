import pytest

LINE_ITEM = {"label": "Mastery", "scoreMaximum": 4}


@pytest.fixture
def grades(browser):
    def read(course=101):
        return browser.get(f"/_control/course_grades?course={course}").json

    return read


@pytest.fixture
def weights(state):
    def give(**by_title):
        with state:
            for title, weight in by_title.items():
                state.execute(
                    "UPDATE categories SET weight = ? WHERE course_id = 101 AND title = ?",
                    (weight, title),
                )

    return give


def test_points_count_where_no_group_has_a_weight(grades):
    # 18 of 20, 5 of 10, 6 of 8; the held-back 10 of 10 does not count yet.
    assert grades()["3"] == pytest.approx(29 * 100 / 38, abs=0.005)


def test_an_excused_cell_and_one_without_score_do_not_count(grades):
    assert grades()["4"] == 90


def test_who_has_no_score_has_no_grade(grades):
    assert grades()["5"] is None


def test_weighted_groups_count_by_weight(grades, weights):
    weights(Homework=50, Quizzes=30, Projects=20)

    assert grades()["3"] == pytest.approx(90 * 0.5 + 50 * 0.3 + 75 * 0.2)


def test_weights_of_groups_without_scores_are_shared_out(grades, weights):
    weights(Homework=50, Quizzes=30, Projects=20)

    assert grades()["4"] == 90


def test_an_assignment_left_out_of_the_final_grade_does_not_count(grades, rest):
    change = {"assignment": {"omit_from_final_grade": True}}
    rest("PUT", "/courses/101/assignments/1002", json=change)

    assert grades()["3"] == pytest.approx(24 * 100 / 28, abs=0.005)


def test_halves_are_rounded_away_from_zero(grades, score, state):
    with state:
        state.execute("UPDATE assignments SET maximum = 800 WHERE id = 1001")
    score(4, 1001, 85.0)

    # 83 of 800 (two points off for lateness) is 10.375 %.
    assert grades()["4"] == 10.38


def test_the_enrollment_shows_the_same_grade_and_the_unposted_one(rest, grades):
    (row,) = rest("GET", "/courses/101/enrollments?user_id=3").json

    assert row["grades"]["current_score"] == grades()["3"]
    assert row["grades"]["unposted_current_score"] == pytest.approx(39 * 100 / 48, abs=0.005)
    assert row["grades"]["final_score"] == pytest.approx(29 * 100 / 48, abs=0.005)


def test_a_line_item_counts_until_it_is_left_out_over_rest(grades, line_item, post_score, rest):
    before = grades()["3"]
    post_score(line_item, scoreGiven=1)
    counted = grades()["3"]
    rows = rest("GET", "/courses/101/assignments?search_term=Mastery").json
    change = {"assignment": {"omit_from_final_grade": True}}
    rest("PUT", f"/courses/101/assignments/{rows[0]['id']}", json=change)

    assert counted < before
    assert grades()["3"] == before
