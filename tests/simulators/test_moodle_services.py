import pytest

MATH = 2
AGS = "https://purl.imsglobal.org/spec/lti-ags/scope"
ALL_SCOPES = (
    f"{AGS}/lineitem {AGS}/lineitem.readonly {AGS}/result.readonly {AGS}/score "
    "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
)
LINE_ITEM = "application/vnd.ims.lis.v2.lineitem+json"
LINE_ITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
SCORE = "application/vnd.ims.lis.v1.score+json"
AT = "2026-11-20T20:00:00+00:00"
LATER = "2026-11-20T20:00:01+00:00"
SERVICES = "/mod/lti/services.php"


class Service:
    """The tool's side of the services, with a token for everything."""

    def __init__(self, moodle):
        self.moodle = moodle
        self.use(ALL_SCOPES)

    def use(self, scopes):
        """Hold a token with these scopes from now on."""
        self.moodle.query(
            "INSERT OR REPLACE INTO tokens (token, kind, scopes, expires_at) "
            "VALUES ('service', 'lti', ?, ?)",
            scopes,
            int(self.moodle.clock.now) + 3600,
        )

    def call(self, method, path, *, media="*/*", body=None, bearer="service"):
        """One request; the media type goes where the method has it."""
        headers = {"Authorization": f"Bearer {bearer}"}
        headers["Content-Type" if body is not None else "Accept"] = media
        return self.moodle.client.open(
            f"{SERVICES}/{path}", method=method, headers=headers, json=body
        )

    def make(self, maximum=0, **more):
        """Make a line item and return its path below the services."""
        body = {"label": "Mastery: Números", "scoreMaximum": maximum, **more}
        made = self.call("POST", f"{MATH}/lineitems?type_id=1", media=LINE_ITEM, body=body)
        assert made.status_code == 201
        return made.get_json()["id"].split("services.php/")[1]

    def post(self, item, learner, **changes):
        """Post a score in full; changes of None leave a field out."""
        body = {
            "userId": str(learner),
            "scoreGiven": 3,
            "scoreMaximum": 4,
            "comment": "Mastered",
            "timestamp": AT,
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
        } | changes
        sent = {name: value for name, value in body.items() if value is not None}
        return self.call("POST", item.replace("?", "/scores?"), media=SCORE, body=sent)

    def results(self, item):
        """The results by user id."""
        answer = self.call("GET", item.replace("?", "/results?"))
        return {row["userId"]: row for row in answer.get_json()}


@pytest.fixture
def service(moodle):
    return Service(moodle)


def _learners(moodle, state="active", role="learner"):
    rows = moodle.query(
        "SELECT person_id FROM enrolments WHERE course_id = ? AND role = ? AND state = ? "
        "ORDER BY person_id",
        MATH,
        role,
        state,
    )
    return [row["person_id"] for row in rows]


@pytest.mark.parametrize("media", ["*/*", "application/json", "", f"{LINE_ITEMS}, */*"])
def test_the_list_wants_its_media_type_to_the_letter(service, media):
    answer = service.call("GET", f"{MATH}/lineitems?type_id=1", media=media)

    assert answer.status_code == 400
    assert "No handler found" in answer.status
    assert answer.get_json()["status"] == 400


def test_a_line_item_may_be_asked_for_with_any_media_type(service):
    item = service.make(label="Álgebra")

    assert service.call("GET", item).get_json()["label"] == "Álgebra"
    assert service.call("GET", item, media="application/json").status_code == 400


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", ";charset=UTF-8"])
def test_a_score_may_name_its_charset(service, charset):
    item = service.make()
    learner = _learners(service.moodle)[0]

    answer = service.call(
        "POST",
        item.replace("?", "/scores?"),
        media=f"{SCORE}{charset}",
        body={
            "userId": str(learner),
            "timestamp": AT,
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
        },
    )

    assert answer.status_code == 200


def test_plain_json_is_not_taken_for_a_line_item(service):
    answer = service.call(
        "POST", f"{MATH}/lineitems", media="application/json", body={"label": "x"}
    )

    assert answer.status_code == 400


def test_one_path_segment_short_of_results_has_no_handler(service):
    item = service.make()

    answer = service.call("GET", item.replace("/lineitem?", "/results?"))

    assert answer.status_code == 400


@pytest.mark.parametrize("token", ["", "stranger"])
def test_a_bad_token_is_unauthorized(service, token):
    answer = service.call("GET", f"{MATH}/lineitems", media=LINE_ITEMS, bearer=token)

    assert answer.status_code == 401


def test_a_token_without_the_scope_is_unauthorized(service):
    service.use(f"{AGS}/score")

    answer = service.call("GET", f"{MATH}/lineitems", media=LINE_ITEMS)

    assert answer.status_code == 401


def test_a_token_dies_after_an_hour(service):
    service.moodle.clock.now += 3601

    answer = service.call("GET", f"{MATH}/lineitems", media=LINE_ITEMS)

    assert answer.status_code == 401


def test_a_foreign_tool_type_is_unauthorized_and_an_unknown_course_not_found(service):
    foreign = service.call("GET", f"{MATH}/lineitems?type_id=2", media=LINE_ITEMS)
    unknown = service.call("GET", "999/lineitems?type_id=1", media=LINE_ITEMS)

    assert (foreign.status_code, unknown.status_code) == (401, 404)


def test_making_the_same_column_twice_makes_two(service):
    first = service.make(resourceId="strand-1", tag="waymark")
    second = service.make(resourceId="strand-1", tag="waymark")
    service.make(resourceId="strand-2", tag="waymark")

    listed = service.call(
        "GET", f"{MATH}/lineitems?type_id=1&resource_id=strand-1", media=LINE_ITEMS
    ).get_json()

    assert first != second
    assert [row["id"].split("services.php/")[1] for row in listed] == [first, second]
    assert listed[0]["resourceId"] == "strand-1"


def test_a_label_that_is_too_long_breaks_the_gateway(service):
    body = {"label": "x" * 300, "scoreMaximum": 4}

    answer = service.call("POST", f"{MATH}/lineitems", media=LINE_ITEM, body=body)

    assert answer.status_code == 502


@pytest.mark.parametrize("maximum", [0, -1, 5000, "10", 33.33333])
def test_odd_maxima_are_accepted(service, maximum):
    item = service.make(maximum=maximum)

    assert service.call("GET", item).get_json()["scoreMaximum"] == float(maximum)


def test_paging_the_list_gives_a_link_header_that_no_parser_reads(service):
    for _ in range(3):
        service.make()

    answer = service.call("GET", f"{MATH}/lineitems?type_id=1&limit=2", media=LINE_ITEMS)

    link = answer.headers["Link"].encode("latin-1").decode()
    assert len(answer.get_json()) == 2
    assert "type_id=1&amp;limit=2&amp;from=2>; rel=\u201cnext\u201d" in link


def test_without_a_limit_everything_comes_and_no_link(service):
    service.make()

    answer = service.call("GET", f"{MATH}/lineitems?type_id=1", media=LINE_ITEMS)

    assert "Link" not in answer.headers


def test_replacing_a_line_item_clears_what_is_left_out(service):
    item = service.make(maximum=4, resourceId="strand-1", tag="waymark")

    answer = service.call(
        "PUT", item, media=LINE_ITEM, body={"label": "New", "scoreMaximum": 4, "tag": "waymark"}
    )

    assert answer.get_json()["resourceId"] == ""
    assert answer.get_json()["tag"] == "waymark"
    assert service.results(item) == {}


def test_another_maximum_rescales_and_writes_zero_for_all_who_had_none(service):
    item = service.make(maximum=4)
    learners = _learners(service.moodle)
    service.post(item, learners[0])

    service.call("PUT", item, media=LINE_ITEM, body={"label": "x", "scoreMaximum": 8})

    results = service.results(item)
    assert results[str(learners[0])]["resultScore"] == 6
    assert results[str(learners[1])]["resultScore"] == 0


def test_a_deleted_line_item_is_gone_and_its_number_never_used_again(service):
    item = service.make()

    deleted = service.call("DELETE", item)
    again = service.call("DELETE", item)

    assert (deleted.status_code, again.status_code) == (204, 404)
    assert service.make() != item


def test_a_score_is_scaled_to_the_line_items_maximum(service):
    item = service.make(maximum=50)
    learner = _learners(service.moodle)[0]

    answer = service.post(item, learner, scoreGiven=6.66666666666, scoreMaximum=10)

    assert (answer.status_code, answer.data) == (200, b"")
    assert service.results(item)[str(learner)]["resultScore"] == 33.33335


@pytest.mark.parametrize(
    ("given", "maximum", "stored"),
    [(30, 20, 50), (-5, 20, 0), (10, 0, 10), ("7.5", 10, 37.5)],
)
def test_scores_are_clamped_and_a_maximum_of_zero_does_not_scale(service, given, maximum, stored):
    item = service.make(maximum=50)
    learner = _learners(service.moodle)[0]

    service.post(item, learner, scoreGiven=given, scoreMaximum=maximum)

    assert service.results(item)[str(learner)]["resultScore"] == stored


@pytest.mark.parametrize(
    "changes",
    [
        {"scoreMaximum": None},
        {"timestamp": None},
        {"timestamp": 1795300000},
        {"timestamp": "1795300000"},
        {"activityProgress": None},
        {"gradingProgress": None},
        {"userId": None},
        {"userId": "999999"},
        {"userId": "a learner"},
        {"scoreGiven": "7,5"},
    ],
)
def test_a_bad_score_and_a_stranger_are_refused_alike(service, changes):
    item = service.make(maximum=4)
    learner = _learners(service.moodle)[0]

    answer = service.post(item, learner, **changes)

    assert answer.status_code == 400
    assert answer.data == b"[]"
    assert "Incorrect score received" in answer.status


def test_a_teacher_cannot_be_scored_and_a_suspended_learner_can(service):
    item = service.make(maximum=4)
    (suspended,) = _learners(service.moodle, state="suspended")
    teacher = _learners(service.moodle, role="teacher")[0]

    assert service.post(item, teacher).status_code == 400
    assert service.post(item, suspended).status_code == 200


@pytest.mark.parametrize("timestamp", [AT, "2026-11-20T20:00:00.9Z", "2026-11-20T21:00:00+01:00"])
def test_a_score_that_is_not_newer_by_a_second_conflicts(service, timestamp):
    item = service.make(maximum=4)
    learner = _learners(service.moodle)[0]
    service.post(item, learner)

    answer = service.post(item, learner, timestamp=timestamp, scoreGiven=1)

    assert answer.status_code == 409
    assert service.results(item)[str(learner)]["resultScore"] == 3


@pytest.mark.parametrize(
    "changes", [{"gradingProgress": "Pending"}, {"gradingProgress": "x"}, {"scoreGiven": None}]
)
def test_anything_but_a_full_score_empties_the_grade(service, changes):
    item = service.make(maximum=4)
    learner = _learners(service.moodle)[0]
    service.post(item, learner)

    answer = service.post(item, learner, timestamp=LATER, **changes)

    assert answer.status_code == 200
    assert set(service.results(item)[str(learner)]) == {"id", "userId"}


def test_a_later_score_without_a_comment_erases_the_comment(service):
    item = service.make(maximum=4)
    learner = _learners(service.moodle)[0]
    service.post(item, learner)

    service.post(item, learner, timestamp=LATER, comment=None)

    assert "comment" not in service.results(item)[str(learner)]


def test_an_unchanged_score_leaves_the_stored_moment(service):
    item = service.make(maximum=4)
    learner = _learners(service.moodle)[0]
    service.post(item, learner)

    service.post(item, learner, timestamp=LATER)

    assert service.results(item)[str(learner)]["timestamp"] == AT


def test_a_teachers_edit_beats_older_scores_and_loses_to_newer_ones(service):
    moodle = service.moodle
    item = service.make(maximum=4)
    learner = _learners(moodle)[0]
    service.post(item, learner, timestamp="2026-11-20T19:00:00Z")
    moodle.clock.now = 1795204800.0
    moodle.enter(MATH, learner, int(item.split("/")[2]), 1)

    older = service.post(item, learner, timestamp="2026-11-20T19:30:00Z")
    seen = service.results(item)[str(learner)]["resultScore"]
    newer = service.post(item, learner, timestamp="2026-11-21T19:30:00Z")

    assert (older.status_code, seen, newer.status_code) == (409, 1, 200)
    assert service.results(item)[str(learner)]["resultScore"] == 3


def test_scores_cannot_be_read(service):
    item = service.make()

    assert service.call("GET", item.replace("?", "/scores?")).status_code == 405


def test_results_of_one_learner_and_a_limit_that_breaks_them(service):
    item = service.make(maximum=4)
    first, second = _learners(service.moodle)[:2]
    service.post(item, first)
    service.post(item, second)

    one = service.call("GET", item.replace("?", "/results?") + f"&user_id={second}").get_json()
    limited = service.call("GET", item.replace("?", "/results?") + "&limit=1")

    assert [row["userId"] for row in one] == [str(second)]
    assert limited.status_code == 404
    assert limited.content_type.startswith("text/html")


def test_words_in_a_column_of_maximum_zero_move_no_course_grade(service):
    moodle = service.moodle
    before = moodle.totals(MATH)
    item = service.make(maximum=0)
    learner = _learners(moodle)[0]

    service.post(item, learner, scoreGiven=0, scoreMaximum=1, comment="Proficient (3 of 4)")

    result = service.results(item)[str(learner)]
    row = moodle.rows_of(MATH, learner)[int(item.split("/")[2])]
    assert moodle.totals(MATH) == before
    assert (result["resultScore"], result["resultMaximum"]) == (0, 0)
    assert result["comment"] == row["feedback"] == "Proficient (3 of 4)"
    assert (row["graderaw"], row["weightraw"], row["itemtype"]) == (None, 0, "manual")


def test_words_alone_give_a_learner_without_grades_no_course_grade(service):
    moodle = service.moodle
    learner = _learners(moodle)[0]
    moodle.query("DELETE FROM grades WHERE learner_id = ?", learner)

    service.post(service.make(maximum=0), learner, scoreGiven=0, scoreMaximum=1)

    assert moodle.totals(MATH)[str(learner)] is None


def test_a_number_in_a_column_of_maximum_four_moves_the_course_grade(service):
    moodle = service.moodle
    learner = _learners(moodle)[0]
    before = moodle.totals(MATH)
    item = service.make(maximum=4)

    service.post(item, learner, scoreGiven=0)

    after = moodle.totals(MATH)
    assert after[str(learner)] < before[str(learner)]
    assert {key for key in before if before[key] != after[key]} == {str(learner)}


def test_the_roster_has_short_roles_and_no_suspended_people(service):
    moodle = service.moodle
    (suspended,) = _learners(moodle, state="suspended")

    members = service.call("GET", f"CourseSection/{MATH}/bindings/1/memberships").get_json()

    by_id = {member["user_id"]: member for member in members["members"]}
    assert str(suspended) not in by_id
    assert {member["roles"][0] for member in by_id.values()} == {"Learner", "Instructor"}
    assert {member["status"] for member in by_id.values()} == {"Active"}
    assert members["context"]["title"] == "Mathematics 6V"


def test_roster_pages_forget_the_role_filter(service):
    path = f"CourseSection/{MATH}/bindings/1/memberships"

    answer = service.call("GET", f"{path}?role=Learner&limit=3")

    link = answer.headers["Link"]
    assert link.endswith('?limit=3&from=3>; rel="next"')
    assert len(answer.get_json()["members"]) == 3
