"""What each person sees, and what is not there for them."""

import re

import pytest

from lti_tool import create_app
from store.course_cells import keep_scores, kept_scores
from tests.lti_tool.classroom import ADMINISTRATOR, GUARDIAN, TEACHER, fill
from tests.lti_tool.platform import MEMBERSHIP, launch


@pytest.fixture
def ids(stage):
    return fill(stage)


class Visitor:
    """Somebody who launched, and the addresses below their launch."""

    def __init__(self, stage, lms=None, **claims):
        self.browser = stage.browser()
        self.landing = launch(self.browser, lms or stage.lms, **claims).headers["Location"]
        self.base = "/".join(self.landing.split("/")[:3])

    def get(self, path=None):
        return self.browser.get(self.landing if path is None else f"{self.base}/{path}")

    def text(self, path=None):
        page = self.get(path)
        assert page.status_code == 200, page.text
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


@pytest.mark.usefixtures("ids")
def test_a_learner_sees_their_own_competencies_with_words_and_symbols(stage):
    text = Visitor(stage).text()

    assert "● Mastered" in text
    assert "Estimate 3.8 of 4" in text
    assert "2 pieces of evidence" in text
    assert "○ No evidence yet" in text


@pytest.mark.usefixtures("ids")
def test_a_competency_is_named_by_its_sentence_before_its_code(stage):
    text = Visitor(stage).text()

    assert re.search(r"I can do N\.1\s+N\.1", text)
    assert re.search(r"Statement of N\.2\s+N\.2", text)


@pytest.mark.usefixtures("ids")
def test_a_competency_of_no_course_of_theirs_is_not_listed(stage):
    assert "Z.9" not in Visitor(stage).text()


@pytest.mark.usefixtures("ids")
def test_the_evidence_is_listed_with_its_calculation(stage):
    text = Visitor(stage).text()

    assert re.search(
        r"17 Nov 2026 Quiz one Mathematics &amp; &lt;friends&gt; · skill 1 9 of 10", text
    )
    assert "Worked out:" in text
    assert "One more" in text or "more pieces" in text


@pytest.mark.usefixtures("ids")
def test_a_learner_is_not_told_of_a_hidden_score(stage):
    assert "Hidden quiz" not in Visitor(stage).text()


def test_a_teacher_sees_the_hidden_score_too(stage, ids):
    teacher = Visitor(stage, **TEACHER)

    assert "Hidden quiz" in teacher.text(f"learners/{ids.learner['Ada']}")


def test_a_teacher_is_told_where_the_learner_sees_another_status(stage, ids):
    from sqlalchemy import update

    from mapping.evidence.tables import View
    from mapping.status import Status
    from store.tables import standings

    with stage.container.engine.begin() as connection:
        connection.execute(
            update(standings)
            .where(standings.c.view == int(View.LEARNER))
            .values(status=int(Status.INSUFFICIENT))
        )

    teachers = Visitor(stage, **TEACHER).text(f"learners/{ids.learner['Ada']}")
    own = Visitor(stage).text()

    assert "The learner sees ◔ More evidence needed here" in teachers
    assert "The learner sees" not in own


@pytest.mark.usefixtures("ids")
def test_moments_are_in_the_districts_time(stage):
    assert "As of 19 Nov 2026, 23:00 UTC-03" in Visitor(stage).text()


def test_a_status_older_than_its_evidence_says_so(stage, ids):
    visitor = Visitor(stage)
    before = visitor.text()
    with stage.container.engine.begin() as connection:
        course = ids.course["Mathematics"]
        theirs = [
            {**score, "points": 0.0}
            for score in kept_scores(connection, course)
            if score["line_item_id"] == ids.item["Quiz one"]
        ]
        keep_scores(connection, course, theirs)

    assert "Something changed since" not in before
    assert "Something changed since" in visitor.text()


@pytest.mark.usefixtures("ids")
def test_nothing_on_a_learners_page_shames(stage):
    text = Visitor(stage).text().lower()

    assert not re.search(r"\b(fail\w*|behind|poor|weak|rank\w*)\b", text)


@pytest.mark.usefixtures("ids")
def test_a_learner_not_read_yet_is_told_to_come_back(stage):
    visitor = Visitor(stage, custom={"canvas_course_id": "101", "canvas_user_id": "999"})

    assert "Nothing here yet" in visitor.text()


@pytest.mark.usefixtures("ids")
def test_a_teacher_sees_the_active_learners_of_the_course(stage):
    text = Visitor(stage, **TEACHER).text()

    assert "Ada" in text
    assert "Björn" in text
    assert "Chidi" not in text
    assert "◕ Developing" in text


@pytest.mark.usefixtures("ids")
def test_the_class_table_is_a_table_that_a_screen_reader_can_follow(stage):
    html = Visitor(stage, **TEACHER).get().text

    assert html.count("<caption>") == 1
    assert html.count('<th scope="row">') == 2
    # The strand as a whole and its two competencies; L.1 belongs to the other course.
    assert len(re.findall(r'<th scope="col" class="(?:one|whole)"', html)) == 3
    assert '<th scope="colgroup" colspan="3"' in html


@pytest.mark.usefixtures("ids")
def test_a_column_counts_its_learners_by_status(stage):
    assert "Developing: 1" in Visitor(stage, **TEACHER).text()


def test_every_cell_leads_to_its_evidence_opened(stage, ids):
    teacher = Visitor(stage, **TEACHER)
    cell = f"learners/{ids.learner['Ada']}?show={ids.competency['N.1']}"

    assert f"{cell}#c{ids.competency['N.1']}" in teacher.get().text
    assert teacher.get(cell).text.count("<details open>") == 1
    assert "<details open>" not in teacher.get(f"learners/{ids.learner['Ada']}").text


def test_a_teacher_sees_only_what_their_course_speaks_for(stage, ids):
    text = Visitor(stage, **TEACHER).text(f"learners/{ids.learner['Ada']}")

    assert "N.1" in text
    assert "L.1" not in text


def test_a_guardian_sees_their_child_as_the_child_does(stage, ids):
    guardian = Visitor(stage, **GUARDIAN)

    assert "Ada" in guardian.text()
    assert "Björn" not in guardian.text()
    text = guardian.text(f"learners/{ids.learner['Ada']}")
    assert "● Mastered" in text
    assert "Hidden quiz" not in text


def test_an_administrator_sees_the_runs_and_why_a_course_was_left_out(stage, ids):
    administrator = Visitor(stage, **ADMINISTRATOR)

    history = administrator.text("runs")
    assert "Finished, 1 left out" in history
    assert "2,468" in history
    assert "90" in history
    detail = administrator.text(f"runs/{ids.run['A']}")
    assert "The token has no right to read this course." in detail


def test_an_administrator_sees_what_was_done_with_less(stage, ids):
    text = Visitor(stage, **ADMINISTRATOR).text(f"runs/{ids.run['A']}")

    assert "Done with less" in text
    assert "The audit log may not be read." in text


def test_an_administrator_sees_the_classes_of_the_tenant(stage, ids):
    administrator = Visitor(stage, **ADMINISTRATOR)

    text = administrator.text("courses")
    assert "Mathematics" in text
    assert "Foreign" not in text
    assert "Ada" in administrator.text(f"class/{ids.course['Mathematics']}")


@pytest.mark.usefixtures("ids")
def test_markup_in_names_is_text(stage):
    html = Visitor(stage, **TEACHER).get().text

    assert "&lt;friends&gt;" in html
    assert "<friends>" not in html
    assert "<b>" not in html


ELSEWHERE = {
    "another course's class": (TEACHER, lambda ids: f"class/{ids.course['Biology']}"),
    "another tenant's class": (TEACHER, lambda ids: f"class/{ids.course['Foreign']}"),
    "a learner who left": (TEACHER, lambda ids: f"learners/{ids.learner['Chidi']}"),
    "another tenant's learner": (TEACHER, lambda ids: f"learners/{ids.learner['Foreigner']}"),
    "no learner at all": (TEACHER, lambda _ids: "learners/999999"),
    "a number of no database": (TEACHER, lambda _ids: "learners/" + "9" * 19),
    "a number without end": (TEACHER, lambda _ids: "learners/" + "9" * 5000),
    "a negative number": (TEACHER, lambda _ids: "learners/-1"),
    "another child": (GUARDIAN, lambda ids: f"learners/{ids.learner['Björn']}"),
    "a foreign tenant's class": (
        ADMINISTRATOR,
        lambda ids: f"class/{ids.course['Foreign']}",
    ),
    "a foreign tenant's run": (ADMINISTRATOR, lambda ids: f"runs/{ids.run['B']}"),
    "a page that is none": (TEACHER, lambda _ids: "nonsense"),
}


@pytest.mark.parametrize(("claims", "path"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_belongs_to_others_is_not_there(stage, ids, claims, path):
    page = Visitor(stage, **claims).get(path(ids))

    assert page.status_code == 404
    assert "Ada" not in page.text
    assert "Björn" not in page.text


LEARNER = {}
CLOSED = {
    "the class to a learner": (LEARNER, lambda _ids: "class"),
    "a class by number to a learner": (LEARNER, lambda ids: f"class/{ids.course['Mathematics']}"),
    "their own page by number to a learner": (
        LEARNER,
        lambda ids: f"learners/{ids.learner['Ada']}",
    ),
    "another learner to a learner": (LEARNER, lambda ids: f"learners/{ids.learner['Björn']}"),
    "runs to a learner": (LEARNER, lambda _ids: "runs"),
    "runs to a teacher": (TEACHER, lambda _ids: "runs"),
    "a run to a teacher": (TEACHER, lambda ids: f"runs/{ids.run['A']}"),
    "courses to a teacher": (TEACHER, lambda _ids: "courses"),
    "a learner's page to a teacher": (TEACHER, lambda _ids: "me"),
    "the family page to a teacher": (TEACHER, lambda _ids: "family"),
    "the class to a guardian": (GUARDIAN, lambda _ids: "class"),
    "a learner to an administrator": (ADMINISTRATOR, lambda ids: f"learners/{ids.learner['Ada']}"),
}


@pytest.mark.parametrize(("claims", "path"), CLOSED.values(), ids=CLOSED)
def test_a_page_is_closed_to_other_capacities(stage, ids, claims, path):
    page = Visitor(stage, **claims).get(path(ids))

    assert page.status_code == 403
    assert "Björn" not in page.text


@pytest.mark.usefixtures("ids")
def test_m49_rights_are_those_of_each_launch(stage):
    browser = stage.browser()
    as_teacher = launch(browser, stage.lms, **TEACHER).headers["Location"]
    as_learner = launch(browser, stage.lms).headers["Location"]

    assert browser.get(as_teacher).status_code == 200
    assert browser.get(as_learner.replace("/me", "/class")).status_code == 403


@pytest.mark.usefixtures("ids")
def test_the_same_course_number_in_another_tenant_is_another_course(stage):
    text = Visitor(stage, stage.same_issuer, **TEACHER).text()

    assert "Foreign" in text
    assert "Mathematics" not in text


def test_a_moodle_administrator_may_see_the_runs(stage, ids):
    vocabulary = "http://purl.imsglobal.org/vocab/lis/v2/"
    roles = [
        vocabulary + "institution/person#Administrator",
        MEMBERSHIP + "Instructor",
        vocabulary + "system/person#Administrator",
    ]

    assert "1,234" in Visitor(stage, stage.moodle, roles=roles).text(f"runs/{ids.run['A']}")


@pytest.mark.usefixtures("ids")
def test_a_session_dies_with_its_deployment(stage):
    from store import deployments
    from store.session import writing

    visitor = Visitor(stage)
    with writing(stage.container.engine) as connection:
        deployments.save_deployments(
            connection, stage.platforms["client-A"], ["dep-1"], is_approved=False
        )

    assert visitor.get().status_code == 401


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize("change", [{"is_active": False}, {"tenant": "B"}], ids=str)
@pytest.mark.usefixtures("ids")
def test_t13_a_session_dies_with_its_platform_or_its_place_in_the_tenant(stage, change):
    from sqlalchemy import update

    from store.tables import platforms

    values = dict(change)
    if "tenant" in values:
        values = {"tenant_id": stage.tenants[values["tenant"]]}
    visitor = Visitor(stage)
    with stage.container.engine.begin() as connection:
        connection.execute(
            update(platforms).where(platforms.c.id == stage.platforms["client-A"]).values(values)
        )

    assert visitor.get().status_code == 401


def test_pages_may_be_framed_by_their_lms_alone(stage):
    page = Visitor(stage).get()

    policy = page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://lms.example https://school.lms.example" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "X-Frame-Options" not in page.headers
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Strict-Transport-Security"]
    assert page.headers["Cache-Control"] == "no-store"


# They make pages more convenient; a browser test shows each page without them.
EVERY_PAGES = ["/static/htmx.min.js", "/static/page.js"]


def scripts_of(html):
    """The files of a page's scripts; one that is written into the page is an error."""
    found = re.findall(r"<script([^>]*)>([^<]*)<", html)
    assert all(written == "" for _, written in found)
    return [re.search(r'src="([^"]*)"', attributes)[1] for attributes, _ in found]


@pytest.mark.usefixtures("ids")
def test_no_page_needs_a_script(stage):
    for claims in ({}, TEACHER, GUARDIAN, ADMINISTRATOR):
        html = Visitor(stage, **claims).get().text
        assert scripts_of(html) == EVERY_PAGES
        assert " on" + "click" not in html
        assert "style=" not in html


@pytest.mark.usefixtures("ids")
def test_home_leads_to_the_page_one_came_for(stage):
    visitor = Visitor(stage, **TEACHER)

    assert visitor.get("").headers["Location"] == f"{visitor.base}/class"


def test_the_front_page_says_what_waymark_is(stage):
    page = stage.browser().get("/")

    assert page.status_code == 200
    assert "Open Waymark from a course" in page.text
    assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]


def test_a_fault_is_told_with_a_reference_that_the_log_has_too(stage, caplog):
    stage.app = create_app(stage.container, stage.key_sets)  # an address more, so one of its own

    @stage.app.get("/fault")
    def fault():
        raise ZeroDivisionError("a detail for the log alone")

    response = stage.browser().get("/fault")

    assert response.status_code == 500
    assert "a detail" not in response.text
    reference = re.search(r"<code>([0-9a-f]{8})</code>", response.text).group(1)
    assert reference in caplog.text


def test_static_files_may_be_kept(stage):
    response = stage.browser().get("/static/waymark.css")
    response.close()

    assert response.status_code == 200
    assert response.headers["Cache-Control"].startswith("public")
