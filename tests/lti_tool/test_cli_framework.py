"""``waymark framework import``, as an administrator meets it."""

import pytest
from click.testing import CliRunner

from bootstrap.container import running
from bootstrap.settings import load_settings
from lti_tool.cli import waymark
from store import frameworks, registrations
from store.registrations import PlatformEntry
from store.session import reading, writing
from tests.connectors.serving import ScriptedLms, answer_json, serving
from tests.databases import lay_database
from tests.replay import recorded
from tests.store.places import new_tenant

REFUSED = {"exception": "moodle_exception", "errorcode": "invalidtoken", "message": "?"}


@pytest.fixture
def lms():
    """A Moodle with the recorded framework; ``answers`` are by function."""
    scripted = ScriptedLms()
    rows = [one["competency"] for one in recorded("course_competencies_course4")]
    scripted.answers = {
        "core_competency_list_competency_frameworks": recorded("competency_frameworks"),
        "core_competency_list_competencies": rows,
    }
    scripted.on(
        "POST",
        "/webservice/rest/server.php",
        lambda seen: answer_json(scripted.answers[seen.form["wsfunction"]]),
    )
    with serving(scripted) as url:
        scripted.url = url
        yield scripted


@pytest.fixture
def container(tmp_path, redis, redis_url, monkeypatch, lms):
    assert redis
    given = {
        "WAYMARK_DATA_DIR": str(tmp_path),
        "WAYMARK_REDIS_URL": redis_url,
        "WAYMARK_SECRET_KEY": "s" * 40,
        "WAYMARK_LOG_LEVEL": "WARNING",
        "WAYMARK_PRIVATE_NETWORKS": "127.0.0.1/32",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    lay_database(tmp_path)
    with running(load_settings(given)) as container:
        with writing(container.engine) as connection:
            tenant = new_tenant(connection, "District")
            for kind in ("canvas", "moodle"):
                entry = PlatformEntry(
                    kind=kind,
                    name=kind.capitalize(),
                    issuer=f"{lms.url}/{kind}",
                    client_id="lti",
                    auth_url=f"{lms.url}/auth",
                    token_url=f"{lms.url}/token",
                    jwks_url=f"{lms.url}/jwks",
                    api_url=lms.url,
                    api_token="a-token",
                )
                registrations.save_platform(connection, tenant, entry, secrets=container.secrets)
        yield container


@pytest.fixture
def run(container):
    assert container

    def run(*arguments, status=0, platform="Moodle"):
        words = ["framework", "import", "--platform", platform, *arguments]
        done = CliRunner().invoke(waymark, words)
        assert done.exit_code == status, done.output
        return done.output

    return run


@pytest.fixture
def stored(container):
    def stored():
        with reading(container.engine) as connection:
            (tenant,) = {one.tenant for one in registrations.platforms(connection)}
            return [one.code for one in frameworks.competencies_of(connection, tenant)]

    return stored


def test_without_a_choice_the_frameworks_are_listed(run, stored):
    shown = run()

    assert "FW-HIST" in shown
    assert "History competencies" in shown
    assert stored() == []


def test_a_preview_says_what_would_come_and_saves_nothing(run, stored):
    shown = run("--framework", "1")

    assert "HC1.1" in shown
    assert "4 would be added, 0 would be changed, 0 would be archived." in shown
    assert stored() == []


@pytest.mark.parametrize("wanted", ["1", "FW-HIST"])
def test_a_framework_is_saved_by_its_number_or_its_id_number(run, stored, wanted):
    shown = run("--framework", wanted, "--yes")

    assert "4 added, 0 changed, 0 archived." in shown
    assert stored() == ["HC1", "HC1.1", "HC2", "HC3"]


def test_importing_again_brings_it_up_to_date(run, stored, lms):
    run("--framework", "1", "--yes")
    analysis, chronology, _, primary = lms.answers["core_competency_list_competencies"]
    lms.answers["core_competency_list_competencies"] = [
        analysis,
        {**chronology, "shortname": "Time and order"},
        primary,
    ]

    shown = run("--framework", "1", "--yes")

    assert "0 added, 1 changed, 1 archived." in shown
    assert stored() == ["HC1", "HC1.1", "HC2"]


def test_an_answer_without_competencies_archives_nothing(run, stored, lms):
    run("--framework", "1", "--yes")
    lms.answers["core_competency_list_competencies"] = []

    shown = run("--framework", "1", "--yes", status=1)

    assert "moodle/competency:competencyview" in shown
    assert len(stored()) == 4


def test_a_framework_that_is_not_there_is_told_with_those_that_are(run):
    assert "there is 1." in run("--framework", "7", status=1)


def test_a_canvas_has_none(run):
    assert "only Moodle" in run(platform="Canvas", status=1)


def test_a_moodle_that_refuses_is_told_in_a_sentence(run, lms):
    lms.answers["core_competency_list_competency_frameworks"] = REFUSED

    assert "Make a new token" in run(status=1)
