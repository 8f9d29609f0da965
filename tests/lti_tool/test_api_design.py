"""The API for a district's scripts: frameworks, mappings and rules, as the desk does them."""

from dataclasses import fields
from datetime import timedelta

import msgspec
import pytest

from lti_tool.api.mappings import MappingRule
from lti_tool.api.openapi import ADDRESS
from lti_tool.api.operations import FILE, OPERATIONS, PATH_PART
from lti_tool.framework_files import MOST_BYTES
from mapping.records import MappingRule as RuleRecord
from store import api_tokens
from store.api_tokens import Scope
from store.policy_changes import Author, changes_of
from store.second_person import set_needs_second
from store.session import reading, writing
from tests.lti_tool.classroom import fill
from tests.lti_tool.test_api import BY, Program, detail
from workers import trials

QUIZZES = {"framework": "f", "competency": "N.1", "line_item": "Quiz*"}
ESSAYS = {"framework": "f", "competency": "N.2", "line_item": "Essay*"}
WHY = "As agreed in the faculty."
RULE = {"mastered": 2.5, "minimum_evidence": 2}
DISTRICT = "/rules/district/0"


@pytest.fixture
def ids(stage):
    return fill(stage)


@pytest.fixture
def program(stage, ids):
    assert ids
    return Program(stage)


def send(program, text, **query):
    return program.ask(
        "POST",
        "/framework-imports",
        query_string=query,
        data=text.encode(),
        content_type=FILE,
    )


def brought_in(program, text, **query):
    sent = send(program, text, **query).json
    return apply(program, sent)


def apply(program, sent, **more):
    body = {"seen": sent["seen"], "reason": WHY, **more}
    return program.ask("POST", f"/framework-imports/{sent['id']}/apply", json=body)


def drafted(program, *rules):
    body = {"title": "Grade 6", "rules": rules}
    return program.ask("POST", "/mapping/drafts", json=body)


def published(program, *rules):
    return publish(program, drafted(program, *rules).json)


def publish(program, draft, **more):
    body = {"seen": draft["seen"], "reason": WHY, **more}
    return program.ask("POST", f"/mapping/drafts/{draft['id']}/publish", json=body)


def put_rule(program, place=DISTRICT, definition=None, **more):
    body = {"definition": RULE if definition is None else definition, "reason": WHY, **more}
    body.setdefault("seen", program.get("/rules").json["seen"])
    return program.ask("PUT", place, json=body)


def address(operation, numbers):
    """The path of an operation, with numbers by their names, or 1."""

    def filled(part):
        converter, _, name = part.groups()
        words = {"any": "course", "string": "0" * 16}
        return words.get(converter, str(numbers.get(name, 1)))

    return PATH_PART.sub(filled, operation.path)


def last_change(stage, program):
    with reading(stage.container.engine) as connection:
        return changes_of(connection, program.tenant, most=1)[0]


# Frameworks


def test_a_framework_is_brought_in_as_it_was_looked_at(stage, program):
    sent = send(program, "code,statement\nA.1,Add\nA.2,Subtract\n", title="Sums", name="sums.csv")

    assert sent.status_code == 201
    assert (sent.json["is_new"], sent.json["lines"], sent.json["format"]) == (
        True,
        {"added": 2},
        "csv",
    )
    assert len(program.get("/frameworks").json["items"]) == 1

    done = apply(program, sent.json)

    assert (done.json["title"], done.json["present"], done.json["versions"]) == ("Sums", 2, 1)
    versions = program.get(f"/frameworks/{done.json['id']}/versions").json["items"]
    assert [(one["number"], one["by"], one["source"]) for one in versions] == [(1, BY, "sums.csv")]
    assert last_change(stage, program).reason == WHY
    assert "no such file" in detail(program.get(f"/framework-imports/{sent.json['id']}"), 404)


def test_a_file_is_told_line_by_line(program):
    text = "identifier,code,statement\nN.1,N.1,Another statement\nX,X.1,New\n,,\nY,Y.1,\n"

    sent = send(program, text, identifier="f").json
    lines = program.all_of(f"/framework-imports/{sent['id']}/lines", 2)

    by_kind = {}
    for one in lines:
        by_kind.setdefault(one["kind"], []).append(one)
    assert {kind: len(found) for kind, found in by_kind.items()} == sent["lines"]
    assert by_kind["changed"][0]["was"]["statement"] == "Statement of N.1"
    assert by_kind["added"][0]["code"] == "X.1"
    gone = {one["code"]: one for one in by_kind["archived"]}
    assert (gone["L.1"]["learners"], gone["L.1"]["alignments"]) == (1, 1)
    assert "Y.1" in str(by_kind["fault"]) or "statement" in str(by_kind["fault"])


def test_records_that_are_wrong_are_left_out_only_where_that_is_said(program):
    sent = send(program, "code,statement\nA.1,Add\nA.2,\n", title="Sums").json

    refused = apply(program, sent)

    assert "is_partly" in detail(refused, 422)
    assert len(refused.json["problems"]) == 1
    assert apply(program, sent, is_partly=True).json["present"] == 1


def test_a_file_that_would_do_something_else_by_now_is_not_brought_in(program):
    text = "code,statement\nA.1,Add\n"
    sent = send(program, text, title="Sums").json
    brought_in(program, "code,statement\nA.1,Add up\nA.2,Subtract\n", title="Sums")

    assert "Look once more" in detail(apply(program, sent), 409)

    again = program.get(f"/framework-imports/{sent['id']}").json
    assert again["lines"] == {"changed": 1, "archived": 1}
    assert apply(program, again).json["archived"] == 1


def test_columns_are_named_where_they_cannot_be_guessed(program):
    sent = send(program, "Nr,Satz\nA.1,Addieren\n", title="Summen").json
    place = f"/framework-imports/{sent['id']}"
    assert (sent["seen"], sent["header"]) == (None, ["Nr", "Satz"])
    assert sent["problems"]
    lines = program.get(f"{place}/lines").json["items"]
    assert [one["why"] for one in lines if one["kind"] == "problem"] == sent["problems"]
    assert apply(program, {**sent, "seen": "0"}).status_code == 422

    wrong = {"columns": {"code": "Nummer", "words": "Satz"}}
    refused = program.ask("PUT", f"{place}/columns", json=wrong)
    right = {"columns": {"code": "Nr", "statement": "Satz"}}
    named = program.ask("PUT", f"{place}/columns", json=right).json

    assert "statement" in detail(refused, 422)
    assert len(refused.json["problems"]) == 2
    assert (named["columns"], named["lines"]) == (right["columns"], {"added": 1})
    assert program.ask("DELETE", place).status_code == 204
    assert program.ask("DELETE", place).status_code == 404


def test_what_is_no_file_of_a_framework_is_refused(program):
    assert "empty" in detail(send(program, ""), 422)
    assert "query" in detail(send(program, "a", format="xml"), 400)
    assert "query" in detail(send(program, "a", format="null"), 400)
    assert "quotation mark" in detail(send(program, '"'), 422)
    as_text = program.ask("POST", "/framework-imports", data="a,b", content_type="text/csv")
    assert FILE in detail(as_text, 415)
    large = bytes(MOST_BYTES + 1)
    too_large = program.ask("POST", "/framework-imports", data=large, content_type=FILE)
    detail(too_large, 413)


def test_a_framework_is_taken_out_and_comes_back_the_same(program):
    framework = program.get("/frameworks").json["items"][0]
    place = f"/frameworks/{framework['id']}"

    case = program.get(f"{place}/export")
    table = program.get(f"{place}/export?format=csv")

    assert (case.mimetype, table.mimetype) == ("application/json", "text/csv")
    assert 'filename="f.case.json"' in case.headers["Content-Disposition"]
    again = send(program, table.text, identifier="f").json
    assert set(again["lines"]) <= {"warning", "skipped"}


def test_a_framework_is_put_away_and_taken_up(stage, program):
    place = f"/frameworks/{program.get('/frameworks').json['items'][0]['id']}/state"

    away = program.ask("PUT", place, json={"state": "archived", "reason": WHY}).json

    assert away["archived_at"]
    change = last_change(stage, program)
    assert (change.by, change.reason, change.after) == (BY, WHY, "archived")
    assert program.ask("PUT", place, json={"state": "in use"}).json["archived_at"] is None


# Mappings


def test_a_draft_is_made_changed_and_published(stage, program):
    draft = drafted(program, QUIZZES)
    assert draft.status_code == 201
    place = f"/mapping/drafts/{draft.json['id']}"

    changed = program.ask(
        "PUT", f"{place}/rules", json={"rules": [QUIZZES, ESSAYS], "seen": draft.json["seen"]}
    ).json
    effect = program.get(f"{place}/effect").json
    done = publish(program, changed)

    assert [one["competency"] for one in changed["rules"]] == ["N.1", "N.2"]
    assert (effect["seen"], effect["rules"], effect["is_same"]) == (changed["seen"], 2, False)
    assert (effect["removed"], effect["learners"]) == (2, 1)
    assert done.json["version"]["version"] == 1
    in_force = program.get("/mapping").json
    assert (in_force["version"], len(in_force["rules"])) == (1, 2)
    assert program.get("/mapping/versions/1").json["rules"] == changed["rules"]
    change = last_change(stage, program)
    assert (change.by, change.reason, change.subject) == (BY, WHY, "Grade 6")
    assert program.get(place).status_code == 404


def test_a_rule_of_a_mapping_is_told_with_all_that_it_says():
    """What is read and written back is what it was."""
    told = {one.name for one in msgspec.structs.fields(MappingRule)}

    assert told - {"counts_as"} == {one.name for one in fields(RuleRecord)} - {"steps"}


def test_how_a_score_counts_is_told_as_in_a_file(program):
    passed, wrong = {**QUIZZES, "counts_as": "pass 60%"}, {**ESSAYS, "counts_as": "60 50"}

    draft = drafted(program, passed).json
    refused = drafted(program, passed, wrong)

    assert draft["rules"][0]["counts_as"] == "pass 60"
    assert "nothing was changed" in detail(refused, 422)
    assert refused.json["problems"][0].startswith("Rule 2: '60 50'")


def test_a_draft_that_was_changed_since_is_neither_overwritten_nor_published(program):
    draft = drafted(program, QUIZZES).json
    place = f"/mapping/drafts/{draft['id']}/rules"
    first = {"rules": [ESSAYS], "seen": draft["seen"]}
    assert program.ask("PUT", place, json=first).status_code == 200

    assert program.ask("PUT", place, json=first).status_code == 200  # it is there already
    other = program.ask("PUT", place, json={"rules": [], "seen": draft["seen"]})
    assert "Look once more" in detail(other, 409)
    assert "changed since" in detail(publish(program, draft), 409)


def test_rules_for_what_is_not_there_are_refused(program):
    unknown = {**QUIZZES, "competency": "Q.9"}
    draft = drafted(program).json

    assert "'Q.9'" in detail(drafted(program, unknown), 409)
    put = program.ask(
        "PUT",
        f"/mapping/drafts/{draft['id']}/rules",
        json={"rules": [unknown], "seen": draft["seen"]},
    )
    assert "'Q.9'" in detail(put, 409)
    for wrong in ({"weight": 0}, {"kind": "guess"}, {"competency": " "}, {"line_item": "\0"}):
        assert "body" in detail(drafted(program, {**QUIZZES, **wrong}), 422)
    assert "body" in detail(publish(program, draft, reason=" "), 422)
    assert "year" in detail(publish(program, draft, **{"from": "0001-01-01"}), 422)


@pytest.fixture
def other(stage, program):
    """A token of another person, where a second person is asked for."""
    found = Program(stage, name="third")
    with writing(stage.container.engine) as connection:
        now = stage.clock()
        set_needs_second(
            connection, program.tenant, is_needed=True, author=Author(by="Ada", at=now)
        )
        found.token = api_tokens.make_token(
            *(connection, program.tenant, "of another"),
            scopes=frozenset(Scope),
            good_for=timedelta(days=1),
            author=Author(by="Bo", at=now),
        )
    return found


def test_a_token_is_the_person_who_made_it_where_a_second_person_is_asked_for(
    stage, program, other
):
    draft = drafted(program, QUIZZES).json
    same_person = Program(stage, name="again")

    assert "second person" in detail(publish(same_person, draft), 409)
    place = f"/mapping/drafts/{draft['id']}/effect"
    assert same_person.get(place).json["waits_for_second"] is True
    assert other.get(place).json["waits_for_second"] is False
    assert publish(other, draft).json["version"]["author"] == "API (of another, made by Bo)"


def test_a_mapping_is_carried_forward_and_gone_back_on(program):
    published(program, {**QUIZZES, "course": "*2026*"})
    published(program, ESSAYS)
    seen = program.get("/mapping").json["seen"]
    forward = {"title": "Next year", "former": "2026", "new": "2027"}

    draft = program.ask("POST", "/mapping/versions/1/drafts", json=forward).json
    stale = {"seen": "1", "reason": WHY}
    refused = program.ask("POST", "/mapping/versions/1/restore", json=stale)
    back = program.ask("POST", "/mapping/versions/1/restore", json={**stale, "seen": seen})

    assert (draft["based_on"], draft["rules"][0]["course"]) == (1, "*2027*")
    assert "in force by now" in detail(refused, 409)
    assert (back.json["version"], back.json["restored"]) == (3, 1)
    versions = program.all_of("/mapping/versions", 1)
    assert [(one["version"], one["is_in_force"]) for one in versions] == [
        (3, True),
        (2, False),
        (1, False),
    ]
    lost = program.ask("POST", "/mapping/versions/9/restore", json={**stale, "seen": "3"})
    assert "no such version" in detail(lost, 404)


def test_a_draft_waits_for_its_day_and_is_thrown_away(stage, program):
    draft = drafted(program, QUIZZES).json
    place = f"/mapping/drafts/{draft['id']}"

    waits = publish(program, draft, **{"from": "2027-02-01"}).json

    assert waits["version"] is None
    assert program.get(place).json["effective_from"] == "2027-02-01T03:00:00Z"  # of Sao Paulo
    assert [one["id"] for one in program.all_of("/mapping/drafts", 1)] == [draft["id"]]
    assert program.ask("DELETE", place).status_code == 204
    assert last_change(stage, program).after == "thrown away"


def test_what_patterns_match_and_what_a_mapping_covers_is_told(program, ids):
    published(program, QUIZZES, {**QUIZZES, "line_item": "Quiz one"}, {**ESSAYS, "course": "No*"})
    course = ids.course["Mathematics"]

    matches = program.get("/mapping/matches?line_item=quiz*&course=Math*").json
    covered = program.get(f"/mapping/coverage?course={course}").json
    draft = drafted(program, ESSAYS).json
    drafts = program.get(f"/mapping/drafts/{draft['id']}/coverage").json

    assert (matches["courses"], matches["items"]) == (1, 2)
    assert matches["examples"][0]["item"] == "Quiz one"
    assert (covered["items"], covered["unmapped"], covered["idle"]) == (5, 3, [3])
    assert covered["first_given_twice"][0]["rules"] == [1, 2]
    assert [one["item"] for one in covered["in_course"]["spoken"]] == ["Quiz one", "Quiz two"]
    assert {one["competency"] for one in covered["first_silent"]} == {"N.2", "L.1", "Z.9"}
    assert (drafts["unmapped"], drafts["in_course"]) == (4, None)
    assert "no such course" in detail(program.get("/mapping/coverage?course=999"), 404)


def test_a_draft_is_tried_on_all_evidence(stage, program):
    draft = drafted(program, QUIZZES).json
    without_names = Program(stage, name="no names", scopes=set(Scope) - {Scope.PEOPLE})
    place = f"/mapping/drafts/{draft['id']}/trials"

    found, unnamed = (one.ask("POST", place) for one in (program, without_names))

    assert (found.status_code, found.json["done"], found.json["of"]) == (200, 3, 3)
    assert program.get(found.json["address"].removeprefix(ADDRESS)).json == found.json
    assert found.json["effect"]["moved"] == sum(
        one["count"] for one in found.json["effect"]["moves"]
    )
    assert "Ada <b>" in [one["name"] for one in found.json["effect"]["examples"]]
    assert unnamed.json["effect"]["examples"] == []


def test_in_a_large_district_a_trial_is_begun_and_asked_for(stage, program, monkeypatch):
    monkeypatch.setattr(trials, "AT_ONCE", 0)
    key = {"Idempotency-Key": "once"}

    begun = program.ask("POST", f"{DISTRICT}/trials", json={"definition": RULE}, headers=key)
    again = program.ask("POST", f"{DISTRICT}/trials", json={"definition": RULE}, headers=key)

    assert begun.status_code == again.status_code == 202
    where = begun.headers["Location"]
    assert where == again.headers["Location"] == begun.json["address"]
    place = where.removeprefix(ADDRESS)
    assert program.get(place).json["effect"] is None
    trials.work_out(stage.container, program.tenant, where.rsplit("/", 1)[1])
    found = program.get(place).json
    assert (found["done"], found["of"], found["effect"]["learners"]) == (3, 3, 3)
    assert "no such trial" in detail(Program(stage, tenant="C").get(place), 404)
    assert "no such trial" in detail(program.get("/trials/*%2A**************"), 404)


# Rules


def test_a_rule_is_put_and_told_with_what_comes_from_where(stage, program, ids):
    place = f"/rules/course/{ids.course['Mathematics']}"
    put_rule(program)

    done = put_rule(program, place, {"mastered": 3.5}).json

    assert done["says"]["definition"] == {"mastered": 3.5}
    assert (done["holds"]["mastered"], done["holds"]["minimum_evidence"]) == (3.5, 2)
    assert done["comes_from"]["mastered"] == "course"
    assert done["comes_from"]["minimum_evidence"] == "district"
    assert "3.50" in done["in_words"][0]
    change = last_change(stage, program)
    assert (change.by, change.reason, change.after) == (BY, WHY, '{"mastered": 3.5}')
    assert program.get("/rules").json["seen"] == done["seen"]


def test_a_rule_is_gone_back_on_and_withdrawn(program):
    put_rule(program)
    second = put_rule(program, definition={"mastered": 2.0}).json

    stale = program.ask("POST", f"{DISTRICT}/back", json={"reason": WHY, "seen": "0"})
    back = program.ask("POST", f"{DISTRICT}/back", json={"reason": WHY, "seen": second["seen"]})
    nothing = put_rule(program, definition={}).json

    assert "Look once more" in detail(stale, 409)
    assert back.json["says"]["definition"] == RULE
    assert nothing["says"]["definition"] == {}
    versions = program.all_of(f"{DISTRICT}/versions", 1)
    assert [one["definition"] for one in versions] == [{}, RULE, {"mastered": 2.0}, RULE]


def test_there_is_nothing_to_go_back_to_where_nothing_was_said(program):
    refused = program.ask("POST", f"{DISTRICT}/back", json={"reason": WHY, "seen": "0"})

    assert "nothing to go back to" in detail(refused, 409)


def test_a_rule_is_put_for_a_day_to_come(program):
    waits = put_rule(program, **{"from": "2027-02-01"}).json

    assert (waits["says"], waits["holds"]["mastered"]) == (None, 3.0)
    coming = program.get(f"{DISTRICT}/versions").json["items"][0]
    assert coming["effective_from"] == "2027-02-01T03:00:00Z"


def test_a_rule_that_is_to_come_is_called_off(program):
    waits = put_rule(program, **{"from": "2027-02-01"}).json
    coming = program.get(f"{DISTRICT}/versions").json["items"][0]["version"]
    place = f"{DISTRICT}/versions/{coming}/call-off"
    body = {"reason": WHY, "seen": waits["seen"]}

    done = program.ask("POST", place, json=body)

    assert done.json["seen"] != waits["seen"]
    newest = program.get(f"{DISTRICT}/versions").json["items"][0]
    assert (newest["definition"], newest["effective_from"]) == ({}, "2027-02-01T03:00:00Z")
    again = program.ask("POST", place, json={**body, "seen": done.json["seen"]})
    assert "version to come" in detail(again, 404)


def test_a_rule_waits_for_a_second_person(stage, program, other):
    waits = put_rule(program).json
    put_rule(program)  # it is proposed already
    (one,) = program.get("/rule-proposals").json["items"]
    place, body = f"/rule-proposals/{one['id']}", {"reason": WHY, "seen": waits["seen"]}

    own = program.ask("POST", f"{place}/approve", json=body)
    approved = other.ask("POST", f"{place}/approve", json=body)

    assert (waits["says"], waits["waiting"]) == (None, [one])
    assert (one["definition"], one["author"], one["is_own"]) == (RULE, BY, True)
    assert "second person" in detail(own, 409)
    assert approved.json["says"]["definition"] == RULE
    assert last_change(stage, program).by == "API (of another, made by Bo)"
    assert "that waits" in detail(other.ask("POST", f"{place}/approve", json=body), 404)


@pytest.mark.usefixtures("other")
def test_a_change_of_a_rule_is_taken_back(stage, program):
    (one,) = put_rule(program).json["waiting"]

    done = program.ask("POST", f"/rule-proposals/{one['id']}/decline", json={"reason": WHY})

    assert (done.json["says"], done.json["waiting"]) == (None, [])
    assert last_change(stage, program).after == "taken back"


def test_a_rule_is_not_put_over_one_that_nobody_looked_at(program):
    seen = program.get("/rules").json["seen"]
    put_rule(program)

    assert put_rule(program, seen=seen).status_code == 200  # it is said already
    other = put_rule(program, definition={"mastered": 2.0}, seen=seen)
    assert "GET /rules" in detail(other, 409)


def test_what_makes_no_rule_is_refused_with_all_that_is_wrong(program):
    wrong = {"mastered": 99, "method": "magic"}

    put = put_rule(program, definition=wrong)
    tried = program.ask("POST", f"{DISTRICT}/trials", json={"definition": wrong})

    assert "docs/rules.md" in detail(put, 422)
    assert put.json["problems"] == tried.json["problems"]
    assert len(put.json["problems"]) == 2
    assert "mastered" in put.json["problems"][0]
    assert "body" in detail(put_rule(program, reason=""), 422)
    assert program.get("/rules").json["items"] == []


def test_a_rule_of_very_many_depths_is_refused(program):
    deep = '{"definition": {"criteria": ' + "[" * 50_000 + "]" * 50_000 + "}}"

    for text in (deep, deep.replace("[" * 50_000, "[" * 500).replace("]" * 50_000, "]" * 500)):
        sent = program.ask("POST", f"{DISTRICT}/trials", data=text, content_type="application/json")
        detail(sent, 422)


def test_a_rule_is_tried_and_nothing_is_changed(program):
    body = {"definition": {"mastered": 1.0, "minimum_evidence": 1}, "from": "2027-02-01"}

    found = program.ask("POST", f"{DISTRICT}/trials", json=body).json["effect"]

    assert found["learners"] == 3
    assert {one["after"] for one in found["moves"]} == {"mastered"}
    assert program.get("/rules").json["items"] == []


def test_a_place_that_is_none_has_no_rule(program):
    for place in ("district/1", "course/999", "system/0", "course/0"):
        detail(program.get(f"/rules/{place}"), 404)


# The trail


def test_the_trail_is_searched(program):
    put_rule(program)
    published(program, QUIZZES)
    program.ask("PUT", "/pause", json={"reason": "Repairs."})

    def kinds(**query):
        found = program.get("/changes", query_string=query).json["items"]
        return {one["kind"] for one in found}

    assert kinds() == {"rule", "mapping", "pause", "access"}
    assert kinds(kind="rule") == {"rule"}
    assert kinds(by=BY) == {"rule", "mapping", "pause"}
    assert kinds(text="repairs") == {"pause"}
    assert kinds(since="2026-11-20T08:00:00Z") == kinds()
    assert kinds(until="2026-11-20T05:00:00-03:00") == set()
    assert "query" in detail(program.get("/changes?kind=none"), 400)
    assert "query" in detail(program.get("/changes?since=2026-11-20"), 400)
    assert "later moment" in detail(program.get("/changes?since=0001-01-01T00:00:00%2B09:00"), 400)


# All of them


def test_nothing_of_another_district_is_there(stage, program, ids):
    draft = drafted(program, QUIZZES).json["id"]
    file = send(program, "code,statement\nA.1,Add\n").json["id"]
    published(program, QUIZZES)
    numbers = {
        "course_id": ids.course["Mathematics"],
        "run_id": ids.run["A"],
        "framework_id": program.get("/frameworks").json["items"][0]["id"],
        "import_id": file,
        "draft_id": draft,
        "version": 1,
        "target": ids.course["Mathematics"],
    }
    other = Program(stage, tenant="C")

    for one in OPERATIONS.found:
        if "<" in one.path:
            body = {} if one.takes is bytes or not one.has_body else {"json": one.example}
            detail(other.ask(one.method, address(one, numbers), **body), 404)


def test_no_operation_is_open_to_a_token_of_other_scopes(stage):
    for scope in Scope:
        others = Program(stage, name=scope.value, scopes=set(Scope) - {scope})
        for one in OPERATIONS.found:
            if one.scope is scope:
                assert scope.value in detail(others.ask(one.method, address(one, {})), 403)


def test_an_example_is_a_body_that_is_taken():
    for one in OPERATIONS.found:
        if one.has_body and one.takes is not bytes:
            assert one.example, one.name
            msgspec.json.decode(msgspec.json.encode(one.example), type=one.takes)
