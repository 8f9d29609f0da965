"""Roles at the desk, as administrators meet them: on the page, and where they change things."""

import re

import pytest
from sqlalchemy import select, update

from store import desk_roles
from store.desk_roles import DeskRole, Person, Wanted
from store.policy_changes import Author
from store.session import reading, writing
from store.tables import administrators, courses, schools
from tests.lti_tool.classroom import ADMINISTRATOR, GUARDIAN, TEACHER, fill
from tests.lti_tool.stage import START
from tests.lti_tool.test_pages import Visitor

BOSS, OTHER = {"sub": "boss", "name": "Boss"}, {"sub": "other", "name": "Otto <b>"}


@pytest.fixture
def ids(stage):
    """The classroom, all of it in the school North."""
    found = fill(stage)
    with writing(stage.container.engine) as connection:
        numbers = {
            name: connection.execute(
                schools.insert().values(
                    tenant_id=stage.tenants["A"], name=name, passback_way="words", mode="shadow"
                )
            ).inserted_primary_key[0]
            for name in ("North", "South")
        }
        mine = courses.c.tenant_id == stage.tenants["A"]
        connection.execute(update(courses).where(mine).values(school_id=numbers["North"]))
    return found


def somebody(stage, who):
    visitor = Visitor(stage, **ADMINISTRATOR, **who)
    visitor.get("people")
    return visitor


def number(stage, who):
    with reading(stage.container.engine) as connection:
        known = select(administrators.c.id).where(administrators.c.subject == who["sub"])
        return connection.execute(known).scalar_one()


def give(stage, who, role, school=""):
    with writing(stage.container.engine) as connection:
        desk_roles.give_role(
            *(connection, stage.tenants["A"], Wanted(role=role, school=school)),
            administrator=number(stage, who),
            author=Author(by="Tests", at=START),
        )


def post(visitor, path, **fields):
    page = visitor.get("courses").text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)[1]
    return visitor.browser.post(f"{visitor.base}/{path}", data={"csrf": csrf, **fields})


def seat(stage, who):
    with reading(stage.container.engine) as connection:
        person = Person(platform=stage.platforms["client-A"], subject=who["sub"], name="")
        return desk_roles.seat_of(connection, stage.tenants["A"], person)


@pytest.mark.usefixtures("ids")
def test_whoever_was_here_stands_on_the_page_with_what_holds(stage):
    somebody(stage, OTHER)

    page = somebody(stage, BOSS).get("people").text

    assert "Otto &lt;b&gt;" in page
    assert page.count("not given by anybody") == 2


@pytest.mark.usefixtures("ids")
def test_a_role_is_given_on_the_page(stage):
    somebody(stage, OTHER)
    boss = somebody(stage, BOSS)

    for who, role in ((BOSS, "district"), (OTHER, "operator of South")):
        done = post(boss, "people", administrator=str(number(stage, who)), role=role, reason="Why.")
        assert done.status_code == 303

    assert seat(stage, BOSS).role is DeskRole.DISTRICT
    assert seat(stage, OTHER).role is DeskRole.OPERATOR
    assert "operator of South" in boss.text("people")
    assert "given by Boss" in boss.text("people")


@pytest.mark.usefixtures("ids")
def test_the_last_one_of_the_district_is_told_why_they_stay(stage):
    somebody(stage, OTHER)
    boss = somebody(stage, BOSS)
    give(stage, BOSS, DeskRole.DISTRICT)

    done = post(boss, "people", administrator=str(number(stage, BOSS)), role="reader")

    assert done.status_code == 422
    assert "Give it to somebody else first" in done.text
    assert seat(stage, BOSS).role is DeskRole.DISTRICT


@pytest.mark.parametrize("role", [DeskRole.DESIGNER, DeskRole.OPERATOR, DeskRole.READER])
@pytest.mark.usefixtures("ids")
def test_who_may_give_no_roles_gives_none(stage, role):
    boss, other = somebody(stage, BOSS), somebody(stage, OTHER)
    assert boss
    give(stage, BOSS, DeskRole.DISTRICT)
    give(stage, OTHER, role)

    done = post(other, "people", administrator=str(number(stage, OTHER)), role="district")

    assert done.status_code == 403
    assert "Your role does not change this" in done.text
    assert seat(stage, OTHER).role is role
    assert "Give another" not in other.get("people").text


@pytest.mark.parametrize(
    ("role", "status"), [(DeskRole.OPERATOR, 303), (DeskRole.DESIGNER, 403), (None, 403)]
)
def test_modes_are_changed_by_who_has_the_role(stage, ids, role, status):
    somebody(stage, BOSS)
    other = somebody(stage, OTHER)
    give(stage, BOSS, DeskRole.DISTRICT)
    give(stage, OTHER, role)
    course = str(ids.course["Mathematics"])

    done = [
        post(other, "courses/mode", school="North", mode="official"),
        post(other, "courses/mode", course=course, mode="advisory"),
        post(other, "courses/agree", course=course),
    ]

    assert [one.status_code for one in done] == [status] * 3
    assert other.get("courses").status_code == 200


def test_an_operator_of_a_school_changes_that_school_alone(stage, ids):
    somebody(stage, BOSS)
    other = somebody(stage, OTHER)
    give(stage, BOSS, DeskRole.DISTRICT)
    give(stage, OTHER, DeskRole.OPERATOR, "South")
    course = str(ids.course["Mathematics"])

    refused = [
        post(other, "courses/mode", school="North", mode="official"),
        post(other, "courses/mode", course=course, mode="official"),
        post(other, "courses/agree", course=course),
        post(other, "failures/retry", all="yes"),
    ]

    assert [one.status_code for one in refused] == [403] * 4
    assert post(other, "courses/mode", school="South", mode="official").status_code == 303


@pytest.mark.parametrize(
    "fields",
    [
        {"administrator": "x", "role": "reader"},
        {"administrator": "9" * 19, "role": "reader"},
        {"administrator": "999", "role": "reader"},
        {"role": "king"},
        {"role": ""},
    ],
)
@pytest.mark.usefixtures("ids")
def test_what_there_is_not_is_not_given(stage, fields):
    boss = somebody(stage, BOSS)
    known = {"administrator": str(number(stage, BOSS))}

    assert post(boss, "people", **(known | fields)).status_code == 404


@pytest.mark.usefixtures("ids")
def test_a_school_that_is_none_is_told(stage):
    somebody(stage, OTHER)
    boss = somebody(stage, BOSS)

    done = post(boss, "people", administrator=str(number(stage, OTHER)), role="operator of Nowhere")

    assert done.status_code == 422
    assert "no school" in done.text


@pytest.mark.usefixtures("ids")
def test_another_districts_administrators_are_not_there(stage):
    foreign = Visitor(stage, stage.same_issuer, **ADMINISTRATOR, **OTHER)
    foreign.get("people")
    boss = somebody(stage, BOSS)

    done = post(boss, "people", administrator=str(number(stage, OTHER)), role="reader")

    assert "Otto" not in boss.text("people")
    assert done.status_code == 404


@pytest.mark.parametrize("claims", [TEACHER, GUARDIAN, {}])
@pytest.mark.usefixtures("ids")
def test_the_page_is_for_administrators(stage, claims):
    assert Visitor(stage, **claims).get("people").status_code == 403


def test_a_change_without_the_pages_own_word_is_refused(stage):
    boss = somebody(stage, BOSS)

    done = boss.browser.post(f"{boss.base}/people", data={"administrator": "1", "role": "reader"})

    assert done.status_code == 403


def test_that_somebody_was_here_is_written_once_an_hour(stage):
    boss = somebody(stage, BOSS)

    def seen():
        boss.get("people")
        with reading(stage.container.engine) as connection:
            return connection.execute(select(administrators.c.last_seen_at)).scalar_one()

    stage.clock.pass_time(minutes=59)
    assert seen() == START
    stage.clock.pass_time(minutes=1)
    assert seen() > START


def addresses(stage):
    """Every address below a visit that an administrator's form is sent to."""
    others = ("judgements.", "refreshing.", "choose.")
    return sorted(
        (rule.endpoint, rule.rule)
        for rule in stage.app.url_map.iter_rules()
        if rule.rule.startswith("/l/")
        and "POST" in rule.methods
        and not rule.endpoint.startswith(others)
    )


@pytest.mark.usefixtures("ids")
def test_a_reader_changes_nothing_on_any_page(stage):
    somebody(stage, BOSS)
    other = somebody(stage, OTHER)
    give(stage, BOSS, DeskRole.DISTRICT)
    give(stage, OTHER, DeskRole.READER)
    found = addresses(stage)

    refused = {}
    for endpoint, rule in found:
        path = re.sub(r"<[^>]*launch_id>", "", rule).removeprefix("/l//")
        path = re.sub(r"<scope>", "district", re.sub(r"<row_id:\w+>", "0", path))
        refused[endpoint] = post(other, path).status_code

    assert len(found) > 20
    assert {name: status for name, status in refused.items() if status != 403} == {}
