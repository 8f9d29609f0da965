"""What is shown of whom to whom a launch names: a link's competencies, a mentor's learners."""

import re

import pytest
from sqlalchemy import insert

from store.session import writing
from store.tables import courses, enrolments, learner_accounts, learners
from tests.lti_tool.classroom import GUARDIAN, TEACHER, fill
from tests.lti_tool.platform import MEMBERSHIP
from tests.lti_tool.test_pages import Visitor

GRADES = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
TEST_USER = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"


@pytest.fixture
def ids(stage):
    return fill(stage)


def about(*identifiers, **custom):
    known = {"canvas_course_id": "101", "canvas_user_id": "7"}
    return {"custom": known | custom | {"waymark_competencies": ",".join(identifiers)}}


@pytest.mark.usefixtures("ids")
def test_a_learner_sees_what_the_link_is_about_with_its_evidence_open(stage):
    page = Visitor(stage, **about("N.1")).get().text

    assert page.count("<details open>") == 1
    assert "Quiz two" in page
    assert "Statement of N.2" not in page
    assert "Statement of L.1" not in page


@pytest.mark.usefixtures("ids")
def test_a_link_to_a_strand_is_about_all_that_it_groups(stage):
    page = Visitor(stage, **about("N")).get().text

    assert "I can do N.1" in page
    assert "Statement of N.2" in page
    assert "Statement of L.1" not in page


@pytest.mark.usefixtures("ids")
def test_everything_is_one_step_away_and_back(stage):
    learner = Visitor(stage, **about("N.1"))

    everything = learner.get("me?all=1").text

    assert 'me?all=1">Show everything' in learner.get().text
    assert "Statement of L.1" in everything
    assert "Show only what the link is about" in everything


@pytest.mark.usefixtures("ids")
def test_a_link_about_what_the_tenant_does_not_have_says_so_and_shows_everything(stage):
    text = Visitor(stage, **about("gone")).text()

    assert "something that Waymark does not have, or no longer, so everything is shown" in text
    assert "I can do N.1" in text
    assert "Statement of L.1" in text


@pytest.mark.usefixtures("ids")
def test_a_link_about_known_and_unknown_says_how_many_are_unknown(stage):
    assert "It names 2 more that Waymark does not have" in (
        Visitor(stage, **about("N.1", "gone", "lost")).text()
    )


@pytest.mark.usefixtures("ids")
def test_a_link_about_what_nothing_speaks_for_names_it_all_the_same(stage):
    text = Visitor(stage, **about("Z.9")).text()

    assert "Statement of Z.9" in text
    assert "None of the courses has activities that speak for it yet." in text


@pytest.mark.usefixtures("ids")
def test_another_tenants_competency_is_unknown(stage):
    text = Visitor(stage, stage.same_issuer, **about("N.1")).text()

    assert "Statement of N.1" not in text
    assert "so everything is shown" in text


@pytest.mark.usefixtures("ids")
def test_a_teachers_class_has_the_links_columns_only(stage):
    teacher = Visitor(stage, **TEACHER, **about("N.2"))

    assert len(re.findall(r'<th scope="col" class="one"', teacher.get().text)) == 1
    assert "I can do N.1" not in teacher.get().text
    assert "I can do N.1" in teacher.get("class?all=1").text


def test_a_teacher_looks_at_a_learner_whole(stage, ids):
    teacher = Visitor(stage, **TEACHER, **about("N.2"))

    assert "I can do N.1" in teacher.text(f"learners/{ids.learner['Ada']}")


def test_a_guardian_sees_what_the_link_is_about(stage, ids):
    guardian = Visitor(stage, roles=[MEMBERSHIP + "Mentor"], **about("L.1", canvas_user_id="70"))

    text = guardian.text(f"learners/{ids.learner['Ada']}")

    assert "Statement of L.1" in text
    assert "I can do N.1" not in text


@pytest.mark.usefixtures("ids")
def test_markup_in_a_link_is_not_markup_on_the_page(stage):
    page = Visitor(stage, **about("<img src=x onerror=alert(1)>")).get()

    assert page.status_code == 200
    assert "<img" not in page.text


def test_m42_canvas_mentors_see_whom_the_roster_names(stage, ids):
    guardian = Visitor(stage, **GUARDIAN, role_scope_mentor=["some-lti-id"])

    assert "Ada" in guardian.text()
    assert guardian.get(f"learners/{ids.learner['Björn']}").status_code == 404


def test_m42_canvas_mentors_of_nobody_see_nobody(stage, ids):
    guardian = Visitor(stage, **GUARDIAN, role_scope_mentor=[])

    assert "pairing code" in guardian.text()
    assert guardian.get(f"learners/{ids.learner['Ada']}").status_code == 404


@pytest.fixture
def moodle_ids(stage):
    """A course of Moodle with two learners, one of them no longer there, and a third outside."""
    platform = stage.platforms["moodle-client"]
    with writing(stage.container.engine) as connection:
        course = connection.execute(
            insert(courses).values(
                tenant_id=stage.tenants["A"],
                platform_id=platform,
                ref="ctx-1",
                title="History",
                code="H",
                state="active",
                mode="official",
            )
        ).inserted_primary_key[0]
        found = {}
        for ref, state in (("31", "active"), ("32", "concluded"), ("33", None)):
            found[ref] = connection.execute(
                insert(learners).values(
                    tenant_id=stage.tenants["A"], name=f"Learner {ref}", sort_name=ref
                )
            ).inserted_primary_key[0]
            connection.execute(
                insert(learner_accounts).values(
                    platform_id=platform, ref=ref, learner_id=found[ref]
                )
            )
            if state:
                connection.execute(
                    insert(enrolments).values(course_id=course, learner_id=found[ref], state=state)
                )
    return found


def test_m42_a_mentor_sees_the_named_learners_of_the_course_and_no_others(stage, moodle_ids):
    mentor = Visitor(
        stage,
        stage.moodle,
        roles=[MEMBERSHIP + "Mentor"],
        role_scope_mentor=["31", "32", "33", "7", "user-1"],
    )

    text = mentor.text()

    assert "Learner 31" in text
    assert "Learner 32" not in text
    assert "Learner 33" not in text
    assert mentor.get(f"learners/{moodle_ids['31']}").status_code == 200
    assert mentor.get(f"learners/{moodle_ids['33']}").status_code == 404


def test_m42_a_list_without_the_role_opens_nothing(stage, moodle_ids):
    learner = Visitor(stage, stage.moodle, role_scope_mentor=["31"])

    assert learner.get(f"learners/{moodle_ids['31']}").status_code == 403


def reviewing(learner):
    return {
        "message_type": "LtiSubmissionReviewRequest",
        "roles": [MEMBERSHIP + "Instructor"],
        "for_user": {"user_id": learner},
        GRADES: {"lineitem": "https://moodle.example/5"},
    }


def test_d11_a_review_opens_that_learners_page(stage, moodle_ids):
    teacher = Visitor(stage, stage.moodle, **reviewing("31"))

    response = teacher.get()

    assert response.status_code == 303
    assert response.headers["Location"].endswith(f"/learners/{moodle_ids['31']}")
    assert "Learner 31" in teacher.text(f"learners/{moodle_ids['31']}")


@pytest.mark.usefixtures("moodle_ids")
@pytest.mark.parametrize("learner", ["32", "33", "7", "nobody"])
def test_a_review_of_somebody_who_is_not_in_the_course_opens_the_class(stage, learner):
    text = Visitor(stage, stage.moodle, **reviewing(learner)).text()

    assert "Choose the learner here." in text


@pytest.mark.usefixtures("ids")
def test_canvas_reviews_open_the_class_since_its_ids_are_others(stage):
    assert "Choose the learner here." in Visitor(stage, **reviewing("7")).text()


STRANGERS = {
    "test user": ({"roles": [MEMBERSHIP + "Learner", TEST_USER]}, "Student View"),
    "anonymous": ({"sub": ..., "name": ..., "email": ...}, "did not say who you are"),
    "designer": ({"roles": [MEMBERSHIP + "ContentDeveloper"]}, "You design this course"),
    "unknown": ({"roles": ["https://vendor.example/role"]}, "gives you no role here"),
}


@pytest.mark.parametrize(("claims", "words"), STRANGERS.values(), ids=STRANGERS)
def test_who_has_no_page_is_told_why_and_sees_nobody(stage, ids, claims, words):
    visitor = Visitor(stage, **claims)

    assert words in visitor.text()
    for path in ("me", "class", "family", "runs", f"learners/{ids.learner['Ada']}"):
        assert visitor.get(path).status_code in {403, 404}
