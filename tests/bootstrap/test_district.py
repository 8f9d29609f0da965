"""A district comes in from its file whole or not at all, and again without any change."""

import json

import pytest
from sqlalchemy import func, select

from bootstrap.container import REGISTRATIONS_KEY
from bootstrap.district import load_district
from interchange.errors import FileRefused
from mapping.records import LearnerRef, Mode, PassbackWay
from mapping.rules.scopes import Scope
from store import (
    alignments,
    courses,
    frameworks,
    modes,
    registrations,
    rules,
    tenants,
    waiting,
)
from store.policy_changes import PolicyKind, changes_of
from store.session import reading, writing
from store.tables import metadata
from tests.store.places import enrol, new_course

CASE = {
    "CFDocument": {"identifier": "F", "title": "Mathematics", "creator": "A ministry"},
    "CFItems": [
        {"identifier": "n", "fullStatement": "Numbers", "humanCodingScheme": "N"},
        {"identifier": "n1", "fullStatement": "Count", "humanCodingScheme": "N.1"},
        {"identifier": "broken"},
    ],
    "CFAssociations": [
        {
            "associationType": "isChildOf",
            "originNodeURI": {"identifier": "n1"},
            "destinationNodeURI": {"identifier": "n"},
        }
    ],
}
PLATFORM = {
    "name": "Canvas",
    "kind": "canvas",
    "issuer": "https://canvas.instructure.com",
    "client_id": "1",
    "auth_url": "https://sso.example/auth",
    "token_url": "https://sso.example/token",
    "jwks_url": "https://sso.example/jwks",
    "api_url": "https://school.example/",
    "api_token": "a-token",
    "deployments": ["d1"],
    "schools": {"acc-1": "North"},
}
DISTRICT = {
    "district": "District",
    "timezone": "America/Sao_Paulo",
    "schools": [{"name": "North", "passback": "mark_not_counted"}, {"name": "South"}],
    "platforms": [PLATFORM],
    "frameworks": ["case.json"],
    "mappings": ["mapping.csv"],
    "rule": {"mastered": 3.0, "developing": 2.0, "minimum_evidence": 2},
}


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "district"
    folder.mkdir()
    (folder / "case.json").write_text(json.dumps(CASE))
    (folder / "mapping.csv").write_text("framework,competency,line_item\nF,N.1,Quiz*\n")
    return folder


@pytest.fixture
def load(container, files):
    """Load a district of its usual contents, some of them changed."""

    def load(**changes):
        path = files / "district.json"
        path.write_text(json.dumps({**DISTRICT, **changes}))
        return load_district(container, path)

    return load


@pytest.fixture
def ask(container):
    """Ask a function of the store."""

    def ask(question, *arguments):
        with reading(container.engine) as connection:
            return question(connection, *arguments)

    return ask


def schools_of(ask, loaded):
    return {one.name: one for one in ask(modes.school_modes, loaded.tenant)}


def test_a_school_comes_with_its_mode_and_the_yes_to_its_first_pushes(load, ask):
    north = {"name": "North", "mode": "advisory", "first_push": "agreed"}

    found = schools_of(ask, load(schools=[north, {"name": "South"}]))

    assert found["North"].mode is Mode.ADVISORY
    assert found["North"].agreed_by == "district file"
    assert (found["South"].mode, found["South"].agreed_at) == (Mode.OFFICIAL, None)


def test_what_a_file_leaves_out_stays_as_it_was_chosen(load, ask):
    load(schools=[{"name": "North", "mode": "shadow", "first_push": "agreed"}])

    found = schools_of(ask, load(schools=[{"name": "North"}]))

    assert found["North"].mode is Mode.SHADOW
    assert found["North"].agreed_at is not None


def test_loading_a_file_again_changes_no_mode_and_is_in_no_history(load, ask):
    named = [{"name": "North", "mode": "shadow", "first_push": "agreed"}]
    loaded = load(schools=named)
    before = ask(changes_of, loaded.tenant)

    load(schools=named)

    assert ask(changes_of, loaded.tenant) == before


def platform(**changes):
    return {"platforms": [{**PLATFORM, **changes}]}


def rows_by_table(container):
    with reading(container.engine) as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar()
            for table in metadata.sorted_tables
        }


def refusal(load, **changes) -> str:
    with pytest.raises(FileRefused) as refused:
        load(**changes)
    return str(refused.value)


def test_loading_tells_what_it_brought_and_what_it_left_out(load):
    loaded = load()

    assert (loaded.name, loaded.competencies, loaded.rules) == ("District", 2, 1)
    assert [line.partition(":")[0] for line in loaded.skipped] == ["item 3"]


def test_a_district_comes_with_its_time_zone(load, ask):
    load()

    (tenant,) = ask(tenants.all_tenants)
    assert (tenant.name, tenant.timezone) == ("District", "America/Sao_Paulo")


def test_a_platform_comes_with_its_deployments_and_a_sealed_token(load, ask, container):
    load()

    (found,) = ask(registrations.platforms)
    assert registrations.api_token(found, container.secrets) == "a-token"
    assert "a-token" not in found.sealed_api_token
    assert found.api_url == "https://school.example"
    assert ask(tenants.approved_deployments, found.id) == ("d1",)


def test_processes_that_keep_the_registrations_are_told_of_a_district(load, container):
    load()

    assert int(container.redis.get(REGISTRATIONS_KEY)) == 1


def test_loading_again_neither_resumes_a_suspended_platform_nor_forgets_its_audience(
    load, ask, container
):
    loaded = load(platforms=[{**PLATFORM, "audience": "https://audience.example"}])
    (found,) = ask(registrations.platforms)
    with writing(container.engine) as connection:
        registrations.set_platform_state(
            connection, loaded.tenant, found.id, "suspended", now=container.now()
        )

    load()

    (again,) = ask(registrations.platforms)
    assert (again.state, again.audience) == ("suspended", "https://audience.example")


def test_a_course_is_of_the_school_its_platform_files_it_under(load, container):
    loaded = load()
    with writing(container.engine) as connection:
        (canvas,) = registrations.platforms(connection)
        number = new_course(connection, loaded.tenant, canvas.id, school_ref="acc-1")
        found = courses.course(connection, number)

    assert found.way is PassbackWay.MARK_NOT_COUNTED


def test_frameworks_mapping_and_rule_are_in_force(load, ask, container):
    loaded = load()

    assert [c.code for c in ask(frameworks.competencies_of, loaded.tenant)] == ["N", "N.1"]
    assert [r.line_item for r in ask(alignments.rules_in_force, loaded.tenant)] == ["Quiz*"]
    assert (
        ask(lambda c: rules.district_rule(c, loaded.tenant, now=container.now())).definition[
            "minimum_evidence"
        ]
        == 2
    )


def test_loading_a_district_again_changes_nothing(load, container):
    first = load()
    before = rows_by_table(container)

    again = load()

    assert again == first
    assert rows_by_table(container) == before


def test_rules_and_the_mapping_of_a_file_stand_in_the_trail_once(load, ask):
    load()
    load()
    loaded = load(rule={"mastered": 3.5})

    trail = [
        (one.kind, one.subject, one.after)
        for one in ask(changes_of, loaded.tenant)
        if one.kind in {PolicyKind.RULE, PolicyKind.MAPPING}
    ]

    assert [kind for kind, _, _ in trail].count(PolicyKind.MAPPING) == 1
    assert trail[0] == (PolicyKind.RULE, "The district", '{"mastered": 3.5}')
    assert [subject for kind, subject, _ in trail if kind is PolicyKind.RULE].count(
        "The district"
    ) == 2


def test_what_changed_in_the_file_is_brought_up_to_date(load, ask):
    load()

    load(timezone="Europe/Oslo", **platform(name="Canvas Cloud"))

    assert ask(tenants.all_tenants)[0].timezone == "Europe/Oslo"
    assert [found.name for found in ask(registrations.platforms)] == ["Canvas Cloud"]


def test_a_file_without_frameworks_mappings_or_rule_is_enough(container, tmp_path):
    path = tmp_path / "district.json"
    path.write_text(
        json.dumps({"district": "D", "timezone": "UTC", "schools": [], "platforms": []})
    )

    loaded = load_district(container, path)

    assert (loaded.competencies, loaded.rules) == (0, 0)


def test_a_token_may_be_read_from_the_environment(load, ask, container, monkeypatch):
    monkeypatch.setenv("CANVAS_TOKEN", "from outside")

    load(**platform(api_token="env:CANVAS_TOKEN"))

    (found,) = ask(registrations.platforms)
    assert registrations.api_token(found, container.secrets) == "from outside"


def test_a_token_that_the_environment_lacks_is_named_and_nothing_is_loaded(load, container):
    found = refusal(load, **platform(api_token="env:NO_SUCH_TOKEN"))

    assert found == "The token of Canvas is to be read from NO_SUCH_TOKEN, which is not set."
    assert set(rows_by_table(container).values()) == {0}


def test_a_platform_of_another_district_is_refused_and_nothing_is_loaded(load, container):
    load()
    before = rows_by_table(container)

    found = refusal(load, district="Another")

    assert found.startswith("district.json: This issuer and client id cannot be registered.")
    assert "District" not in found
    assert rows_by_table(container) == before


def test_two_platforms_of_one_name_are_refused(load):
    found = refusal(load, platforms=[PLATFORM, {**PLATFORM, "client_id": "2"}])

    assert found.startswith("district.json: A platform named 'Canvas' is registered already")


def test_a_mapping_of_a_competency_that_is_not_there_loads_nothing(load, files, container):
    (files / "mapping.csv").write_text("framework,competency\nF,N.9\n")

    found = refusal(load)

    assert "'N.9' of 'F'" in found
    assert set(rows_by_table(container).values()) == {0}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"timezone": "Brasilia"}, "the time zone is not an IANA name"),
        ({"timezone": "America"}, "the time zone is not an IANA name"),
        ({"timezone": "../etc"}, "the time zone is not an IANA name"),
        ({"rule": {"mastered": 9.0}}, "mastered must be above 0"),
        ({"rule": {"mystery": 1}}, "mystery"),
        ({"schools": []}, "names the school 'North', which is not among the schools"),
        ({"schools": [{"name": "North", "passback": "loud"}]}, "Invalid enum value 'loud'"),
        ({"schools": [{"name": "North", "mode": "loud"}]}, "Invalid enum value 'loud'"),
        ({"schools": [{"name": "North", "first_push": "no"}]}, "Invalid enum value 'no'"),
        ({"shcools": []}, "unknown field `shcools`"),
        ({"platforms": [{"name": "Canvas"}]}, "missing required field `kind`"),
        (platform(kind="blackboard"), "Invalid enum value 'blackboard'"),
        ({"frameworks": ["none.json"]}, "none.json cannot be read: No such file or directory"),
        ({"mappings": ["none.csv"]}, "none.csv cannot be read: No such file or directory"),
        ({"frameworks": ["mapping.csv"]}, "This is not a CASE package"),
        ({"mappings": ["case.json"]}, "is not known; the columns are"),
    ],
)
def test_a_wrong_file_is_told_with_what_is_wrong(load, changes, message):
    assert message in refusal(load, **changes)


@pytest.mark.parametrize("data", [b"", b"not JSON", b"[]", b"\xff"])
def test_what_is_no_district_file_is_refused_by_its_name(container, tmp_path, data):
    path = tmp_path / "district.json"
    path.write_bytes(data)

    with pytest.raises(FileRefused, match=r"district\.json is not a district file"):
        load_district(container, path)


def test_a_file_that_is_not_there_is_refused_by_its_path(container, tmp_path):
    with pytest.raises(FileRefused, match="cannot be read: No such file or directory"):
        load_district(container, tmp_path / "district.json")


@pytest.fixture
def learners(load, container):
    """Two learners of a district that is loaded, computed and waiting for nothing."""
    loaded = load()
    with writing(container.engine) as connection:
        (canvas,) = registrations.platforms(connection)
        course = new_course(connection, loaded.tenant, canvas.id)
        found = enrol(connection, course, "ada", "bo")
    return {found[LearnerRef(ref)] for ref in ("ada", "bo")}


def marked(ask, tenant):
    return set(ask(lambda c: waiting.waiting_in(c, tenant, part=0, parts=1)).everybody.tolist())


def test_another_rule_puts_every_learner_down_for_recomputation(load, ask, learners):
    loaded = load(rule={"mastered": 3.5})

    assert marked(ask, loaded.tenant) == learners


def test_the_same_rule_puts_nobody_down(load, ask, learners):
    loaded = load()

    assert learners
    assert marked(ask, loaded.tenant) == set()


def test_another_districts_rule_puts_nobody_of_this_one_down(load, ask, container, learners):
    (first,) = ask(tenants.all_tenants)
    elsewhere = {"district": "Other", **platform(client_id="2")}
    load(**elsewhere)

    load(**elsewhere, rule={"mastered": 3.5})

    assert learners
    assert marked(ask, first.id) == set()
    with writing(container.engine) as connection:
        waiting.mark_learners(connection, learners, now=container.now())
    assert marked(ask, first.id) == learners


def said(ask, container, tenant):
    """What every scope of a district says, by scope."""
    found = ask(lambda c: rules.said_by_place(c, tenant, now=container.now()))
    return {place.scope.name: dict(one.definition) for place, one in found.items()}


def entry(definition, **place):
    return {"rule": definition, **place}


def test_rules_of_narrower_scopes_come_with_the_file(load, ask, container):
    loaded = load(
        rules=[
            entry({"minimum_evidence": 3}, framework="F"),
            entry({"mastered": 3.5}, framework="F", competency="N.1", reason="It carries much."),
        ]
    )

    assert said(ask, container, loaded.tenant) == {
        "DISTRICT": DISTRICT["rule"],
        "FRAMEWORK": {"minimum_evidence": 3},
        "COMPETENCY": {"mastered": 3.5},
    }


def test_a_rule_that_the_file_says_no_longer_is_withdrawn(load, ask, container):
    load(rules=[entry({"minimum_evidence": 3}, framework="F")])

    loaded = load()

    assert said(ask, container, loaded.tenant)["FRAMEWORK"] == {}


def test_a_rule_that_a_person_set_for_a_narrower_scope_stays(load, ask, container):
    loaded = load()
    place = rules.RulePlace(scope=Scope.FRAMEWORK, target=1)
    with writing(container.engine) as connection:
        by_hand = rules.RuleNote(author="somebody")
        options = {"now": container.now(), "place": place, "note": by_hand}
        rules.save_rule(connection, loaded.tenant, {"minimum_evidence": 3}, **options)

    load()

    assert said(ask, container, loaded.tenant)["FRAMEWORK"] == {"minimum_evidence": 3}


def test_the_same_rules_again_are_no_new_version(load, container):
    load(rules=[entry({"minimum_evidence": 3}, framework="F")])
    before = rows_by_table(container)

    load(rules=[entry({"minimum_evidence": 3}, framework="F")])

    assert rows_by_table(container) == before


def test_a_rule_of_a_course_waits_until_an_lms_told_of_it(load, ask, container):
    rule_of_a_course = {"rules": [entry({"minimum_evidence": 3}, course="Canvas:c1")]}
    loaded = load(**rule_of_a_course)
    with writing(container.engine) as connection:
        (canvas,) = registrations.platforms(connection)
        new_course(connection, loaded.tenant, canvas.id, "c1")

    again = load(**rule_of_a_course)

    assert "no LMS has told of the course Canvas:c1 yet" in loaded.skipped[-1]
    assert len(again.skipped) < len(loaded.skipped)
    assert said(ask, container, loaded.tenant)["COURSE"] == {"minimum_evidence": 3}


@pytest.mark.parametrize(
    ("rules_said", "messages"),
    [
        ([entry({}, framework="F")], ["entry 1: its rule says nothing"]),
        ([entry({"mastered": 2.0})], ["entry 1: it names no place"]),
        ([entry({"mastered": 2.0}, competency="N")], ["entry 1: it names no place"]),
        ([entry({"mastered": 2.0}, course="c1")], ["entry 1: a course is written as"]),
        (
            [entry({"mastered": 2.0}, course="Canvas:c1", framework="F")],
            ["entry 1: it names a course and a framework"],
        ),
        ([entry({"mastered": 2.0}, framework="G")], ["entry 1: there is no framework 'G'"]),
        (
            [entry({"mastered": 2.0}, framework="F", competency="N.9")],
            ["entry 1: the framework 'F' has no competency 'N.9'"],
        ),
        (
            [entry({"mastered": 2.0}, framework="F"), entry({"mastered": 3.5}, framework="F")],
            ["entry 2: entry 1 is for the same"],
        ),
        (
            [
                entry({"mastered": 9.0}, framework="F", competency="N.1"),
                entry({"mystery": 1}, framework="F"),
            ],
            ["entry 1: ", "mastered must be", "entry 2: ", "mystery"],
        ),
    ],
)
def test_every_rule_that_is_wrong_is_named_and_nothing_is_loaded(
    load, container, rules_said, messages
):
    found = refusal(load, rules=rules_said)

    assert all(message in found for message in messages), found
    assert set(rows_by_table(container).values()) == {0}
