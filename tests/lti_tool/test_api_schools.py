"""Schools by the API: what is asked, what is changed, and what is refused whole."""

import pytest
from sqlalchemy import update

from store.api_tokens import Scope
from store.policy_changes import changes_of
from store.session import reading, writing
from store.tables import courses, schools
from tests.lti_tool.classroom import fill
from tests.lti_tool.stage import START
from tests.lti_tool.test_api import BY, Program, detail


@pytest.fixture
def ids(stage):
    ids = fill(stage)
    with writing(stage.container.engine) as connection:
        for name, ref in (("Mathematics", "11"), ("Biology", "12"), ("Foreign", "13")):
            one = courses.c.id == ids.course[name]
            connection.execute(update(courses).where(one).values(school_ref=ref))
    return ids


@pytest.fixture
def program(stage, ids):
    assert ids
    return Program(stage)


def put(program, *, reason="", more=None, **wanted):
    """Say which schools the accounts ``_11`` and so on are."""
    (lms,) = {one["platform"] for one in program.get("/school-places").json["items"]}
    places = [
        {"platform": lms, "ref": ref.strip("_"), "school": name} for ref, name in wanted.items()
    ]
    return program.ask(
        "PUT", "/school-places", json={"places": places, "reason": reason, **(more or {})}
    )


def counts(done):
    assert done.status_code == 200, done.text
    return {name: done.json[name] for name in ("made", "places", "courses")}


def of_school(program, name):
    return next(one for one in program.get("/schools").json["items"] if one["name"] == name)


def test_places_are_told_with_their_courses_and_no_other_districts(program):
    found = program.get("/school-places").json["items"]

    assert [(one["ref"], one["school"], one["courses"]) for one in found] == [
        ("11", None, 1),
        ("12", None, 1),
    ]
    assert found[0]["examples"] == ["Mathematics & <friends>"]


def test_a_name_makes_a_school_from_which_nothing_leaves(stage, program):
    done = put(program, _11="  North   High ", reason="It opened.")

    assert counts(done) == {"made": ["North High"], "places": 1, "courses": 1}
    school = of_school(program, "North High")
    assert (school["mode"], school["way"], school["courses"]) == ("shadow", "none", 1)
    assert school["agreed_at"] is None
    assert program.get(f"/schools/{school['id']}").json == school
    with reading(stage.container.engine) as connection:
        newest = changes_of(connection, program.tenant, most=1)[0]
    assert (newest.by, newest.reason, newest.after) == (BY, "It opened.", "North High")


def test_a_place_is_taken_from_its_school_again(program):
    put(program, _11="North", _12="North")

    assert counts(put(program, _12=None)) == {"made": [], "places": 1, "courses": 1}
    assert of_school(program, "North")["courses"] == 1
    found = program.get("/school-places").json["items"]
    assert [one["school"] for one in found] == ["North", None]


@pytest.mark.parametrize(
    ("ref", "name", "told"),
    [
        ("99", "South", "No course is filed under 99"),
        ("13", "South", "No course is filed under 13"),
        ("12", "a\nb\x00", "at most 255 characters, in one line"),
    ],
    ids=["unknown", "another district's", "no name"],
)
def test_one_place_that_cannot_be_done_changes_none(program, ref, name, told):
    refused = put(program, **{"_11": "North", f"_{ref}": name})

    assert detail(refused, 422) == "Nothing was changed."
    assert told in refused.json["problems"][0]
    assert program.get("/schools").json["items"] == []


@pytest.fixture
def official(stage, program, ids):
    """A school that writes, of one course; another course has no mode of its own."""
    put(program, _11="North")
    with writing(stage.container.engine) as connection:
        connection.execute(
            update(schools).values(mode="official", passback_way="words", agreed_at=START)
        )
        plain = courses.c.id == ids.course["Biology"]
        connection.execute(update(courses).where(plain).values(mode=None))
    return program


def test_what_would_move_is_told_and_nothing_changes(stage, official):
    before = official.get("/school-places").json

    told = put(official, _12="north", more={"is_dry": True}).json

    assert (told["is_dry"], told["places"], told["courses"], told["made"]) == (True, 1, 1, [])
    assert (told["changed"], told["begin"], told["end"], told["wait"]) == (1, 1, 0, 0)
    (one,) = told["moves"]
    assert (one["title"], one["begins"]) == ("Biology & <friends>", True)
    assert one["before"] == {
        "school": None,
        "mode": "shadow",
        "way": "none",
        "marks": "not written",
        "rules": [],
    }
    assert one["after"] == {
        "school": "North",
        "mode": "official",
        "way": "words",
        "marks": "written",
        "rules": [],
    }
    assert official.get("/school-places").json == before
    with reading(stage.container.engine) as connection:
        assert changes_of(connection, official.tenant, most=1)[0].reason == ""


def test_what_was_tried_dry_is_done_as_it_was_seen(official):
    told = put(official, _12="North", more={"is_dry": True}).json

    done = put(official, _12="North", more={"seen": told["seen"]}).json

    assert done == {**told, "is_dry": False}
    assert of_school(official, "North")["courses"] == 2


def test_what_would_move_otherwise_by_now_is_not_done(official):
    told = put(official, _12="North", more={"is_dry": True}).json
    address = f"/schools/{of_school(official, 'North')['id']}/mode"
    official.ask("PUT", address, json={"mode": "advisory"})

    refused = put(official, _12="North", more={"seen": told["seen"]})

    assert "PUT /school-places with is_dry" in detail(refused, 409)
    assert of_school(official, "North")["courses"] == 1


def test_a_schools_mode_is_chosen(stage, program):
    put(program, _11="North")
    school = of_school(program, "North")

    now = program.ask(
        "PUT", f"/schools/{school['id']}/mode", json={"mode": "advisory", "reason": "Told."}
    )

    assert now.json["mode"] == "advisory"
    with reading(stage.container.engine) as connection:
        newest = changes_of(connection, program.tenant, most=1)[0]
    assert (newest.before, newest.after, newest.reason) == ("shadow", "advisory", "Told.")
    loud = program.ask("PUT", f"/schools/{school['id']}/mode", json={"mode": "loud"})
    assert "loud" in detail(loud, 422)
    assert of_school(program, "North")["mode"] == "advisory"


def test_a_school_is_renamed_but_not_as_another_is_called(program):
    put(program, _11="North", _12="South")
    address = f"/schools/{of_school(program, 'North')['id']}/name"

    assert program.ask("PUT", address, json={"name": " East "}).json["name"] == "East"
    refused = program.ask("PUT", address, json={"name": "south"})
    assert detail(refused, 422) == "Another school is called so."
    assert "at most 255" in detail(program.ask("PUT", address, json={"name": " "}), 422)
    assert of_school(program, "East")


def test_schools_come_part_by_part(program):
    put(program, _11="North", _12="South")

    assert [one["name"] for one in program.all_of("/schools", 1)] == ["North", "South"]


def test_another_districts_school_is_not_there(stage, program):
    put(program, _11="North")
    other = Program(stage, tenant="C")
    address = f"/schools/{of_school(program, 'North')['id']}"

    assert other.get("/schools").json["items"] == []
    assert "no such school" in detail(other.get(address), 404)
    for what, body in (("name", {"name": "Ours"}), ("mode", {"mode": "official"})):
        assert "no such school" in detail(other.ask("PUT", f"{address}/{what}", json=body), 404)
    assert of_school(program, "North")["mode"] == "shadow"


@pytest.mark.parametrize("path", ["/school-places", "/schools/1/mode", "/schools/1/name"])
def test_who_may_only_read_changes_nothing(stage, program, path):
    assert program
    reader = Program(stage, scopes={Scope.READ}, name="reader")

    assert "operate" in detail(reader.ask("PUT", path, json={}), 403)
    assert reader.get("/schools").status_code == 200
