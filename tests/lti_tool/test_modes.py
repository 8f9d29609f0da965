"""What of a course is shown, and to whom, as far as it has come; and who may change that."""

import re

import pytest
from sqlalchemy import select, update

from mapping.records import Mode
from store.policy_changes import changes_of
from store.session import reading, writing
from store.tables import courses, passback_due_courses, schools
from tests.lti_tool.classroom import ADMINISTRATOR, GUARDIAN, TEACHER, fill
from tests.lti_tool.test_pages import Visitor

LEARNER = {}
SHOWN = {
    "shadow": (403, 403, 403),
    "advisory": (200, 403, 403),
    "published": (200, 200, 200),
    "official": (200, 200, 200),
}


@pytest.fixture
def ids(stage):
    return fill(stage)


def put(stage, table, **values):
    with writing(stage.container.engine) as connection:
        connection.execute(update(table).values(**values))


def course(stage, ids):
    with reading(stage.container.engine) as connection:
        found = select(courses).where(courses.c.id == ids.course["Mathematics"])
        return connection.execute(found).one()


@pytest.mark.parametrize("mode", SHOWN)
def test_results_are_shown_to_whom_the_mode_says(stage, ids, mode):
    put(stage, courses, mode=mode)
    ada = f"learners/{ids.learner['Ada']}"
    teacher, guardian = Visitor(stage, **TEACHER), Visitor(stage, **GUARDIAN)

    pages = [
        *(teacher.get(), teacher.get(ada), teacher.get(f"{ada}/judge/{ids.competency['N.1']}")),
        *(Visitor(stage, **LEARNER).get(), guardian.get(), guardian.get(ada)),
    ]

    to_teachers, to_learners, to_families = SHOWN[mode]
    statuses = [page.status_code for page in pages]
    assert statuses == [to_teachers] * 3 + [to_learners] + [to_families] * 2


@pytest.mark.parametrize("mode", SHOWN)
def test_administrators_see_every_class(stage, ids, mode):
    put(stage, courses, mode=mode)

    page = Visitor(stage, **ADMINISTRATOR).get(f"class/{ids.course['Mathematics']}")

    assert page.status_code == 200


@pytest.mark.parametrize(
    ("mode", "claims", "told"),
    [
        ("advisory", LEARNER, "does not show them to learners and families yet"),
        ("advisory", GUARDIAN, "does not show them to learners and families yet"),
        ("shadow", TEACHER, "for now only administrators see them"),
    ],
)
@pytest.mark.usefixtures("ids")
def test_who_may_not_see_results_yet_is_told_kindly_and_nothing_else(stage, mode, claims, told):
    put(stage, courses, mode=mode)

    page = Visitor(stage, **claims).get()

    text = re.sub(r"\s+", " ", page.text)
    assert told in text
    assert "Results are not shown here yet" in text
    assert "Mastered" not in text


def test_a_teacher_changes_nothing_in_a_shadow(stage, ids):
    put(stage, courses, mode="shadow")
    teacher = Visitor(stage, **TEACHER)
    address = f"{teacher.base}/learners/{ids.learner['Ada']}/judge/{ids.competency['N.1']}"

    page = teacher.browser.post(address, data={"act": "take_back"})

    assert page.status_code == 403


def test_a_learner_sees_their_page_from_a_published_course_whole(stage, ids):
    put(stage, courses, mode="published")
    with writing(stage.container.engine) as connection:
        biology = courses.c.id == ids.course["Biology"]
        connection.execute(update(courses).where(biology).values(mode="shadow"))

    assert "L.1" in Visitor(stage, **LEARNER).text()


@pytest.fixture
def office(stage, ids):
    """An administrator on the page Courses, of a school that is a shadow."""
    with writing(stage.container.engine) as connection:
        school = connection.execute(
            schools.insert().values(
                tenant_id=stage.tenants["A"], name="North", passback_way="words", mode="shadow"
            )
        ).inserted_primary_key[0]
        mine = courses.c.tenant_id == stage.tenants["A"]
        connection.execute(update(courses).where(mine).values(school_id=school, mode=None))
    assert ids
    return Visitor(stage, **ADMINISTRATOR)


def send(visitor, path, **fields):
    page = visitor.get("courses").text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)[1]
    return visitor.browser.post(f"{visitor.base}/{path}", data={"csrf": csrf, **fields})


def test_an_administrator_sets_a_schools_mode_and_that_is_kept(stage, ids, office):
    done = send(office, "courses/mode", school="North", mode="official")

    with reading(stage.container.engine) as connection:
        (kept,) = changes_of(connection, stage.tenants["A"])
    assert done.status_code == 303
    assert (kept.before, kept.after) == ("shadow", "official")
    assert "official" in office.text(f"courses/{ids.course['Mathematics']}")
    assert "shadow official" in office.text("changes")
    assert office.get("courses/changes").headers["Location"].endswith("/changes")


def test_an_administrator_gives_a_course_a_mode_of_its_own_and_back(stage, ids, office):
    number = str(ids.course["Mathematics"])
    send(office, "courses/mode", course=number, mode="advisory")
    own = course(stage, ids).mode

    send(office, "courses/mode", course=number, mode="school")

    assert (own, course(stage, ids).mode) == (Mode.ADVISORY.value, None)


def test_courses_that_wait_are_shown_with_their_marks_and_agreed_to(stage, ids, office):
    number = ids.course["Mathematics"]
    send(office, "courses/mode", school="North", mode="official")
    before = office.text("courses/waiting")

    send(office, "courses/agree", course=str(number))

    with reading(stage.container.engine) as connection:
        waiting = set(connection.execute(select(passback_due_courses.c.course_id)).scalars())
    assert "Courses that wait" in before
    assert course(stage, ids).agreed_by
    assert number in waiting
    assert "Mathematics" not in office.text("courses/waiting")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("courses/mode", {"school": "Nowhere", "mode": "official"}),
        ("courses/mode", {"school": "North", "mode": "loud"}),
        ("courses/mode", {"course": "999", "mode": "shadow"}),
        ("courses/mode", {"course": "-1", "mode": "shadow"}),
        ("courses/agree", {"course": "x"}),
    ],
)
def test_what_there_is_not_cannot_be_changed(office, path, fields):
    assert send(office, path, **fields).status_code == 404


def test_another_tenants_course_cannot_be_changed(stage, ids, office):
    foreign = str(ids.course["Foreign"])

    done = send(office, "courses/mode", course=foreign, mode="shadow")
    send(office, "courses/agree", course=foreign)

    with reading(stage.container.engine) as connection:
        is_foreign = select(courses.c.agreed_at).where(courses.c.id == ids.course["Foreign"])
        assert connection.execute(is_foreign).scalar() is None
    assert done.status_code == 404
    assert office.get(f"courses/{foreign}").status_code == 404


@pytest.mark.parametrize("claims", [TEACHER, GUARDIAN, LEARNER])
@pytest.mark.parametrize("path", ["courses", "courses/waiting", "courses/changes", "courses/1"])
@pytest.mark.usefixtures("ids")
def test_modes_are_for_administrators(stage, claims, path):
    assert Visitor(stage, **claims).get(path).status_code == 403


def test_a_change_without_the_pages_own_word_is_refused(office):
    done = office.browser.post(
        f"{office.base}/courses/mode", data={"school": "North", "mode": "official"}
    )

    assert done.status_code == 403
