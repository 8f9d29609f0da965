"""Editing a framework's text by the API: as the pages do, all or nothing, and seen by others."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from lti_tool.api.operations import KEY_HEADER, REPLAYED_HEADER
from store.api_tokens import Scope
from store.framework_shelf import known_framework
from store.policy_changes import PolicyKind, changes_of
from store.session import reading
from tests.lti_tool.classroom import fill
from tests.lti_tool.test_api import BY, Program, detail

WHY = "As agreed in the faculty."
STRAND = {"code": "M", "statement": "Music", "is_strand": True}
SINGS = {"code": "M.1", "statement": "Sings a song.", "part_of": "M"}
WRITES = {"code": "M.2", "statement": "Writes a song.", "part_of": "M", "after": ["M.1"]}


@pytest.fixture
def program(stage):
    assert fill(stage)
    return Program(stage)


@pytest.fixture
def music(program):
    """The address of a framework of the district's own."""
    made = program.ask("POST", "/frameworks", json={"title": "Music", "reason": WHY})
    assert made.status_code == 201, made.text
    return f"/frameworks/{made.json['id']}"


def add(program, framework, *competencies, **more):
    body = {"competencies": competencies, "reason": WHY}
    return program.ask("POST", f"{framework}/competencies", json=body, **more)


def added(program, framework, *competencies):
    """What was added, by code."""
    done = add(program, framework, *competencies)
    assert done.status_code == 201, done.text
    return {one["code"]: one for one in done.json["items"]}


def said(one, **more):
    """All that is said of a competency, as it goes back."""
    fields = ("code", "statement", "indicator", "part_of", "after", "is_strand", "seen")
    return {**{name: one[name] for name in fields}, "reason": WHY, **more}


def put(program, framework, one, what="", **body):
    return program.ask("PUT", f"{framework}/competencies/{one['id']}{what}", json=body)


def state_of(program, framework):
    """The framework's competencies and versions: what nothing refused may change."""
    return [
        program.get(f"{framework}/{part}").json["items"] for part in ("competencies", "versions")
    ]


def trail(stage, program, most):
    with reading(stage.container.engine) as connection:
        found = changes_of(connection, program.tenant, most=most)
    assert {one.kind for one in found} == {PolicyKind.FRAMEWORK}
    assert {(one.by, one.reason) for one in found} == {(BY, WHY)}
    return {one.subject: (one.before, one.after) for one in found}


def test_a_framework_is_begun_here_and_its_name_is_taken_then(stage, program, music):
    now = program.get(music).json

    assert (now["title"], now["identifier"], now["is_local"]) == ("Music", "music", True)
    assert (now["language"], now["present"], now["versions"]) == ("en", 0, 1)
    assert trail(stage, program, 1).keys() == {"Music"}
    refused = program.ask("POST", "/frameworks", json={"title": "  music "})
    assert detail(refused, 409) == "Nothing was changed."
    assert refused.json["problems"] == ["There is one of this name."]


def test_competencies_are_added_in_one_version_with_their_progression(stage, program, music):
    found = added(program, music, STRAND, SINGS, WRITES)

    assert (found["M.2"]["part_of"], found["M.2"]["after"]) == ("M", ["M.1"])
    assert found["M"]["is_strand"]
    listed, versions = state_of(program, music)
    assert [one["code"] for one in listed] == ["M", "M.1", "M.2"]
    assert listed[1]["parent"] == found["M"]["id"]
    assert (versions[0]["number"], versions[0]["added"], versions[0]["by"]) == (2, 3, BY)
    told = trail(stage, program, 4)
    assert told["Music: M.2"] == ("", "M.2: Writes a song.")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"code": "M.1", "statement": "Again."}, "Competency 2, M.1: The code M.1 is another"),
        ({**SINGS, "code": "M.3", "part_of": "X"}, "Competency 2, M.3: What it is part of is not"),
        ({**SINGS, "code": "M.3", "after": ["X"]}, "Competency 2, M.3: There is no competency X"),
    ],
    ids=["a code twice", "no such strand", "comes after nothing"],
)
def test_of_competencies_of_which_one_cannot_be_none_is_added(program, music, wrong, told):
    added(program, music, STRAND)
    before = state_of(program, music)

    refused = add(program, music, SINGS, wrong)

    assert detail(refused, 409) == "Nothing was changed."
    assert refused.json["problems"][0].startswith(told)
    assert state_of(program, music) == before


def test_what_is_sent_twice_under_one_key_is_added_once(program, music):
    key = {"headers": {KEY_HEADER: "monday"}}

    first, again = (add(program, music, STRAND, **key) for _ in range(2))

    assert (first.json, again.headers[REPLAYED_HEADER]) == (again.json, "true")
    assert len(state_of(program, music)[0]) == 1


def test_of_those_who_add_at_once_nobody_undoes_anothers(stage, program, music):
    programs = [Program(stage, name=f"program {at}") for at in range(4)]
    start = Barrier(len(programs))

    def add_one(at, one):
        start.wait()
        return add(one, music, {"code": f"M.{at}", "statement": "Sings."}).status_code

    with ThreadPoolExecutor(len(programs)) as pool:
        done = list(pool.map(add_one, range(4), programs))

    assert done == [201] * 4
    listed, versions = state_of(program, music)
    assert [one["is_archived"] for one in listed] == [False] * 4
    assert len(versions) == 5


def test_a_competency_is_changed_and_moved(stage, program, music):
    one = added(program, music, STRAND, SINGS, WRITES)["M.2"]

    done = put(
        *(program, music, one),
        **said(one, statement="Composes.", indicator="I can compose.", part_of=None, after=[]),
    )

    assert done.status_code == 200, done.text
    assert (done.json["statement"], done.json["part_of"], done.json["after"]) == (
        "Composes.",
        None,
        [],
    )
    assert done.json["id"] == one["id"]
    assert done.json["seen"] != one["seen"]
    assert program.get(f"{music}/competencies/{one['id']}").json == done.json
    told = trail(stage, program, 2)
    assert told["Music: M.2"] == ("M.2: Writes a song.", "M.2: Composes. (I can compose.)")


def test_what_somebody_changed_meanwhile_is_not_overwritten(program, music):
    one = added(program, music, STRAND)["M"]
    body = said(one, statement="All of music")
    put(program, music, one, **body)
    before = state_of(program, music)

    refused = put(program, music, one, **said(one, statement="Much of music"))

    assert f"GET {music}/competencies/{one['id']}" in detail(refused, 409)
    assert put(program, music, one, **body).json["statement"] == "All of music"
    assert state_of(program, music) == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"part_of": "M.1"}, "It cannot be part of itself"),
        ({"code": "M.2"}, "The code M.2 is another competency's"),
        ({"after": ["M.2"]}, "It would come before and after another one"),
    ],
    ids=["its own part", "another's code", "in a circle"],
)
def test_what_cannot_be_is_refused_whole(program, music, change, told):
    one = added(program, music, STRAND, SINGS, WRITES)["M.1"]
    before = state_of(program, music)

    refused = put(program, music, one, **said(one, **{"statement": "Hums.", **change}))

    assert detail(refused, 409) == "Nothing was changed."
    assert told in refused.json["problems"][0]
    assert state_of(program, music) == before


def test_a_competency_is_archived_and_comes_back(stage, program, music):
    found = added(program, music, STRAND, SINGS)
    away = {"state": "archived", "reason": WHY}

    groups = put(program, music, found["M"], "/state", **away)
    gone = put(program, music, found["M.1"], "/state", **away)
    versions = program.get(f"{music}/versions").json["items"]
    again = put(program, music, found["M.1"], "/state", **away)

    assert "It groups 1 others" in groups.json["problems"][0]
    assert (gone.status_code, gone.json["is_archived"]) == (200, True)
    assert again.json == gone.json
    assert program.get(f"{music}/versions").json["items"] == versions
    refused = put(program, music, found["M.1"], **said(gone.json, statement="Hums."))
    assert "Take it up again first" in detail(refused, 409)
    back = put(program, music, found["M.1"], "/state", state="in use", reason=WHY).json
    assert (back["is_archived"], back["part_of"]) == (False, "M")
    assert trail(stage, program, 1)["Music"][1].endswith("0 archived, 1 restored")


def test_an_archived_framework_is_not_edited(program, music):
    one = added(program, music, STRAND)["M"]
    program.ask("PUT", f"{music}/state", json={"state": "archived"})

    for refused in (
        add(program, music, SINGS),
        put(program, music, one, **said(one, statement="Other")),
        put(program, music, one, "/state", state="archived"),
    ):
        assert f"PUT {music}/state" in detail(refused, 409)


def test_the_text_of_an_imported_framework_comes_from_where_it_is(program):
    framework = f"/frameworks/{program.get('/frameworks').json['items'][0]['id']}"
    listed = program.get(f"{framework}/competencies").json["items"]
    one = program.get(f"{framework}/competencies/{listed[0]['id']}").json

    refused = put(program, framework, one, **said(one, statement="Other"))

    assert one["is_editable"] is False
    assert "POST /framework-imports" in detail(refused, 409)
    assert "was imported" in detail(add(program, framework, SINGS), 409)


def test_levels_are_worded_in_a_language_of_imported_ones_too(stage, program):
    framework = f"/frameworks/{program.get('/frameworks').json['items'][0]['id']}"
    listed = program.get(f"{framework}/competencies").json["items"]
    one = program.get(f"{framework}/competencies/{listed[0]['id']}").json
    texts = [f"  Level {at}. " for at in range(len(one["levels"]))]
    body = {"language": "es", "texts": texts, "seen": one["seen"], "reason": WHY}

    done = put(program, framework, one, "/levels", **body)

    assert [level["texts"] for level in done.json["levels"]] == [
        {"es": text.strip()} for text in texts
    ]
    assert (" (es)" in " ".join(trail(stage, program, 1))) is True
    assert put(program, framework, one, "/levels", **body).json == done.json
    other = {**body, "texts": ["", *texts[1:]]}
    assert "Look once more" in detail(put(program, framework, one, "/levels", **other), 409)
    other["seen"] = done.json["seen"]
    emptied = put(program, framework, one, "/levels", **other).json
    assert emptied["levels"][0]["texts"] == {}


def test_levels_that_do_not_go_with_the_scale_are_refused(program, music):
    one = added(program, music, STRAND)["M"]

    refused = put(program, music, one, "/levels", language="tlh", texts=["qo'"], seen=one["seen"])

    assert detail(refused, 409) == "Nothing was changed."
    assert f"The scale has {len(one['levels'])} levels" in refused.json["problems"][0]
    assert refused.json["problems"][1] == "Levels are worded in en, pt, es, fr."


@pytest.mark.parametrize(
    "change",
    [{"code": " "}, {"statement": ""}, {"code": "a\nb"}, {"code": "x" * 65}, {"codes": []}],
    ids=["no code", "no statement", "two lines", "too long", "unknown"],
)
def test_what_no_competency_can_say_is_not_taken(program, music, change):
    assert "The body" in detail(add(program, music, {**STRAND, **change}), 422)


def test_another_districts_frameworks_are_not_there(stage, program, music):
    one = added(program, music, STRAND)["M"]
    other = Program(stage, tenant="C")

    before = state_of(program, music)
    for refused in (
        add(other, music, SINGS),
        other.get(f"{music}/competencies/{one['id']}"),
        put(other, music, one, **said(one)),
        put(other, music, one, "/state", state="archived"),
        put(other, music, one, "/levels", language="en", texts=[], seen=""),
    ):
        assert detail(refused, 404) == "There is no such framework in this district."
    assert state_of(program, music) == before


def test_a_competency_of_another_framework_is_not_there(program, music):
    one = program.get("/frameworks/1/competencies").json["items"][0]

    refused = program.get(f"{music}/competencies/{one['id']}")

    assert detail(refused, 404) == "There is no such competency in this district."


def test_who_may_only_read_reads_the_text_and_changes_none(stage, program, music):
    one = added(program, music, STRAND)["M"]
    reader = Program(stage, scopes={Scope.READ}, name="reader")

    assert reader.get(f"{music}/competencies/{one['id']}").json == one
    for refused in (
        reader.ask("POST", "/frameworks", json={"title": "Art"}),
        add(reader, music, SINGS),
        put(reader, music, one, **said(one)),
    ):
        assert "design" in detail(refused, 403)


def test_what_the_api_made_is_edited_at_the_desk_alike(stage, program, music):
    """It is the same kind of framework, with the same kind of competencies."""
    added(program, music, STRAND, SINGS)
    with reading(stage.container.engine) as connection:
        listed, stored = known_framework(connection, program.tenant, int(music.split("/")[-1]))

    assert listed.is_local
    assert [row.competency.position for row in stored.rows.values()] == [0, 1]
