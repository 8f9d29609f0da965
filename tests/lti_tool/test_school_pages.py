"""The page of the schools: what accounts are which school, and who may say so."""

import re
from html import unescape

import pytest
from sqlalchemy import select, update

from store.desk_roles import DeskRole
from store.session import reading, writing
from store.tables import courses, schools
from tests.lti_tool.classroom import ADMINISTRATOR, TEACHER, fill
from tests.lti_tool.stage import START
from tests.lti_tool.test_pages import Visitor
from tests.lti_tool.test_people import BOSS, OTHER, give, somebody


@pytest.fixture
def ids(stage):
    ids = fill(stage)
    with writing(stage.container.engine) as connection:
        for name, ref in (("Mathematics", "11"), ("Biology", "12"), ("Foreign", "13")):
            one = courses.c.id == ids.course[name]
            connection.execute(update(courses).where(one).values(school_ref=ref))
    return ids


@pytest.fixture
def boss(stage, ids):
    assert ids
    return Visitor(stage, **ADMINISTRATOR)


def form_of(visitor):
    return form_in(visitor.get("schools").text)


def form_in(page):
    named = re.findall(r'<input[^>]* ?name="(\w+)"[^>]*?(?: value="([^"]*)")', page)
    found = {}
    for name, value in named:
        found.setdefault(name, []).append(unescape(value))
    return {name: found[name] for name in ("platform", "ref", "was", "school")} | {
        "csrf": found["csrf"][0]
    }


def send(visitor, **wanted):
    """Send the form; what moves is shown where courses do."""
    form = form_of(visitor)
    form["school"] = [
        wanted.get(f"_{ref}", was) for ref, was in zip(form["ref"], form["was"], strict=True)
    ]
    return visitor.browser.post(f"{visitor.base}/schools", data=form)


def go_on(visitor, shown, **more):
    """Send what was shown back, with a word more or less."""
    seen = re.search(r'name="seen" value="(\w+)"', shown.text)[1]
    form = {**form_in(shown.text), "seen": seen, **more}
    return visitor.browser.post(f"{visitor.base}/schools", data=form)


def save(visitor, **wanted):
    shown = send(visitor, **wanted)
    return go_on(visitor, shown, sure="yes") if shown.status_code == 200 else shown


def names(stage, tenant="A"):
    with reading(stage.container.engine) as connection:
        mine = schools.c.tenant_id == stage.tenants[tenant]
        return list(connection.execute(select(schools.c.name).where(mine)).scalars())


def test_each_account_is_shown_with_its_courses_and_no_other_districts(boss):
    text = boss.text("schools")

    assert "Account 11 1 course: Mathematics &amp; &lt;friends&gt;" in text
    assert "Account 12" in text
    assert "Account 13" not in text


def test_a_new_name_makes_a_school_and_says_what_comes_next(stage, boss, ids):
    done = save(boss, _11="  North   <High> ")
    after = boss.browser.get(done.headers["Location"]).text

    assert names(stage) == ["North <High>"]
    assert "1 new school: nothing leaves Waymark" in after
    assert "North &lt;High&gt;" in after
    with reading(stage.container.engine) as connection:
        found = connection.execute(
            select(courses.c.school_id).where(courses.c.id == ids.course["Mathematics"])
        ).scalar_one()
    assert found is not None


def test_what_somebody_else_changed_meanwhile_stays(stage, boss):
    old = form_of(boss)
    save(boss, _12="South")

    shown = boss.browser.post(f"{boss.base}/schools", data={**old, "school": ["North", ""]})
    go_on(boss, shown)

    assert sorted(names(stage)) == ["North", "South"]
    text = boss.text("schools")
    assert re.search(r"North shadow none 1", text)
    assert re.search(r"South shadow none 1", text)


@pytest.fixture
def official(stage, boss, ids):
    """A school that writes, of one course; another course has no mode of its own."""
    save(boss, _11="North")
    with writing(stage.container.engine) as connection:
        connection.execute(
            update(schools).values(mode="official", passback_way="words", agreed_at=START)
        )
        plain = courses.c.id == ids.course["Biology"]
        connection.execute(update(courses).where(plain).values(mode=None))
    return boss


def plain_text(page):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text.partition("<main")[2])).split())


def test_what_moves_is_shown_before_it_is_saved(official):
    shown = send(official, _12="North")

    text = plain_text(shown)
    assert shown.status_code == 200
    assert "1 course becomes another school" in text
    assert "1 course from no school to North" in text
    assert "Marks come to be written 1 course, or their marks go another way" in text
    assert "no school North official was shadow words was none + written from the next run" in text
    assert 'name="sure" value="yes" required' in shown.text
    assert re.search("North official words 1 ", official.text("schools"))


def test_marks_are_not_written_without_a_yes(official):
    shown = send(official, _12="North")

    refused = go_on(official, shown)

    assert refused.status_code == 422
    assert "Marks would come to be written. Say that you want that" in refused.text
    assert re.search("North official words 1 ", official.text("schools"))
    assert go_on(official, refused, sure="yes").status_code == 303
    assert re.search("North official words 2 ", official.text("schools"))


def test_where_marks_end_no_yes_is_asked_for(stage, official, ids):
    with writing(stage.container.engine) as connection:
        one = courses.c.id == ids.course["Mathematics"]
        connection.execute(update(courses).where(one).values(mode=None))

    shown = send(official, _11="South")

    text = plain_text(shown)
    assert "from North to South, a new school: nothing leaves Waymark for it" in text
    assert "Marks are written no more 1 course; what stands in gradebooks stays" in text
    assert 'name="sure"' not in shown.text
    assert go_on(official, shown).status_code == 303


def test_what_would_move_otherwise_by_now_is_shown_again(stage, official):
    shown = send(official, _12="North")
    with writing(stage.container.engine) as connection:
        connection.execute(update(schools).values(mode="advisory"))

    again = go_on(official, shown, sure="yes")

    assert again.status_code == 422
    assert "Something else would move by now" in again.text
    assert "advisory was shadow" in plain_text(again)
    assert go_on(official, again).status_code == 303


def test_from_what_moves_there_is_a_way_back_with_what_was_typed(stage, official):
    shown = send(official, _12="South")

    back = go_on(official, shown, act="back")

    assert back.status_code == 200
    assert 'value="South"' in back.text
    assert form_in(back.text)["was"] == ["North", ""]
    assert names(stage) == ["North"]


def test_a_place_without_courses_is_saved_at_once(stage, boss, ids):
    save(boss, _11="North", _12="South")
    with writing(stage.container.engine) as connection:
        one = courses.c.id == ids.course["Biology"]
        connection.execute(update(courses).where(one).values(gone_at=START))

    assert send(boss, _12="West").status_code == 303


def test_a_name_with_wide_spaces_that_nobody_touched_makes_no_other_school(stage, boss):
    save(boss, _11="North")
    with writing(stage.container.engine) as connection:
        connection.execute(update(schools).values(name="North  High"))

    save(boss, _12="South")

    assert sorted(names(stage)) == ["North  High", "South"]


def test_a_name_that_is_none_is_told_at_its_field_and_nothing_is_lost(stage, boss):
    done = save(boss, _11="x" * 256, _12="South")

    assert done.status_code == 422
    assert "A name has at most 255 characters" in done.text
    assert 'aria-invalid="true"' in done.text
    assert "x" * 256 in done.text
    assert 'value="South"' in done.text
    assert names(stage) == []


@pytest.mark.parametrize("broken", ["platform", "ref", "was", "school"])
def test_a_form_whose_rows_do_not_fit_changes_nothing(stage, boss, broken):
    form = form_of(boss)
    form["school"] = ["North", "South"]
    form[broken] = form[broken][:1]

    assert boss.browser.post(f"{boss.base}/schools", data=form).status_code == 404
    assert names(stage) == []


def test_a_platform_of_another_district_is_passed_over(stage, boss):
    form = form_of(boss)
    form |= {
        "platform": [str(stage.platforms["client-B"])],
        "ref": ["13"],
        "was": [""],
        "school": ["Mine"],
    }

    assert boss.browser.post(f"{boss.base}/schools", data=form).status_code == 303
    assert names(stage) == names(stage, "B") == []


def school_id(stage):
    with reading(stage.container.engine) as connection:
        return connection.execute(select(schools.c.id).order_by(schools.c.id)).scalars().first()


def rename(visitor, school, name):
    csrf = form_of(visitor)["csrf"]
    path = f"{visitor.base}/schools/{school}/name"
    return visitor.browser.post(path, data={"csrf": csrf, "name": name})


def test_a_school_gets_another_name(stage, boss):
    save(boss, _11="Noth")

    done = rename(boss, school_id(stage), "North")

    assert done.status_code == 303
    assert names(stage) == ["North"]
    assert "The school has its new name" in boss.browser.get(done.headers["Location"]).text


@pytest.mark.parametrize(
    ("name", "told"),
    [("south", "Another school is called so"), ("", "at most 255"), ("x" * 256, "at most 255")],
)
def test_a_name_that_cannot_be_is_told_where_it_was_typed(stage, boss, name, told):
    save(boss, _11="North", _12="South")

    done = rename(boss, school_id(stage), name)

    assert done.status_code == 422
    assert told in done.text
    assert sorted(names(stage)) == ["North", "South"]


def test_a_school_that_is_none_is_not_renamed(boss):
    assert rename(boss, 999_999, "North").status_code == 404


@pytest.mark.parametrize("role", [DeskRole.DESIGNER, DeskRole.OPERATOR, DeskRole.READER])
@pytest.mark.usefixtures("ids")
def test_who_may_not_connect_reads_and_changes_nothing(stage, role):
    somebody(stage, BOSS)
    visitor = somebody(stage, OTHER)
    form = form_of(visitor)
    give(stage, BOSS, DeskRole.DISTRICT)
    give(stage, OTHER, role)

    done = visitor.browser.post(
        f"{visitor.base}/schools", data={**form, "school": ["North", "South"]}
    )

    assert done.status_code == 403
    assert names(stage) == []
    assert "Your role changes nothing here" in visitor.text("schools")


@pytest.mark.usefixtures("ids")
def test_a_teacher_sees_no_schools(stage):
    assert Visitor(stage, **TEACHER).get("schools").status_code == 403


def test_before_the_first_run_the_page_says_what_comes_first(stage):
    text = Visitor(stage, **ADMINISTRATOR).text("schools")

    assert "No course has been read yet" in text


def test_courses_without_schools_say_where_schools_are_made(boss):
    assert f'href="{boss.base}/schools"' in boss.get("courses").text.partition("<main")[2]
