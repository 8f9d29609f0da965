"""``waymark framework`` with files, as an administrator meets it."""

import json

import pytest
from click.testing import CliRunner
from werkzeug.wrappers import Response

from bootstrap.container import running
from bootstrap.settings import load_settings
from interchange.case import read_package
from lti_tool.cli import waymark
from store.policy_changes import changes_of
from store.session import reading, writing
from tests.connectors.serving import ScriptedLms, serving
from tests.databases import lay_database
from tests.store.places import new_tenant

FILE = "Código;Descrição;Pai\r\nN;Números;\r\nN.1;Contar;N\r\nN.2;Compreender somas;N\r\n"


@pytest.fixture(scope="module")
def settings(tmp_path_factory, redis_url):
    folder = tmp_path_factory.mktemp("data")
    lay_database(folder)
    given = {
        "WAYMARK_DATA_DIR": str(folder),
        "WAYMARK_REDIS_URL": redis_url,
        "WAYMARK_SECRET_KEY": "s" * 40,
        "WAYMARK_LOG_LEVEL": "WARNING",
        "WAYMARK_PRIVATE_NETWORKS": "127.0.0.1/32",
    }
    with pytest.MonkeyPatch.context() as environment:
        for name, value in given.items():
            environment.setenv(name, value)
        with running(load_settings(given)) as container, writing(container.engine) as connection:
            new_tenant(connection, "First")
        yield given


@pytest.fixture
def district(settings, request):
    """A district of its own for each test."""
    name = request.node.name
    with running(load_settings(settings)) as container:
        with writing(container.engine) as connection:
            tenant = new_tenant(connection, name)
        yield name, tenant, container


@pytest.fixture
def run(district):
    def run(*words, status=0):
        arguments = ["framework", *map(str, words), "--district", district[0]]
        done = CliRunner().invoke(waymark, arguments)
        assert done.exit_code == status, done.output
        return " ".join(done.output.split())

    return run


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "Matemática.csv"
    found.write_bytes(FILE.encode("cp1252"))
    return found


def test_a_file_is_shown_first_and_saved_when_that_is_meant(run, path):
    shown = run("import", path, "--language", "pt")
    before = run("list")

    saved = run("import", path, "--language", "pt", "--yes", "--reason", "The new year")

    assert "3 to be added, 0 to be changed, 0 to be archived" in shown
    assert '"compreender" cannot be demonstrated' in shown
    assert "Nothing was saved." in shown
    assert "matematica" not in before
    assert "Nothing was saved" not in saved
    assert "matematica" in run("list")


def test_the_same_file_again_changes_nothing(run, path, district):
    run("import", path, "--yes")

    again = run("import", path, "--yes")

    assert "All of it is there already." in again
    _, tenant, container = district
    with reading(container.engine) as connection:
        assert len(changes_of(connection, tenant)) == 1


def test_a_file_with_wrong_rows_is_taken_whole_or_not_at_all_unless_partly(run, path):
    path.write_text("code,statement\nA,Adds\nB,\n")

    refused = run("import", path, "--yes", status=1)
    partly = run("import", path, "--yes", "--partly")

    assert "Row 3: it has no statement." in refused
    assert "Nothing was saved." in refused
    assert "Left out (1): Row 3" in partly
    assert "A Adds" in run("show", "matematica")


def test_columns_are_matched_by_hand(run, path):
    path.write_text("A,B\nN.1,Counts\n")

    run("import", path, "--column", "code=A", "--column", "statement=B", "--yes")

    assert "N.1 Counts" in run("show", "matematica")
    assert "write one of identifier" in run("import", path, "--column", "x=A", status=2)


def test_a_change_is_told_with_before_and_after(run, path):
    run("import", path, "--yes")
    path.write_text("code,statement\nN,Numbers\nX,New\n")

    shown = run("import", path)

    assert "1 to be added, 1 to be changed, 2 to be archived" in shown
    assert "N: statement: Números -> Numbers" in shown


def test_a_framework_goes_out_as_case_and_as_csv(run, path, tmp_path):
    run("import", path, "--yes")

    run("export", "matematica", "--output", tmp_path / "out.json")
    run("export", "matematica", "--format", "csv", "--output", tmp_path / "out.csv")

    found = read_package((tmp_path / "out.json").read_bytes()).framework
    assert [one.code for one in found.competencies] == ["N", "N.1", "N.2"]
    back = run(
        "import", tmp_path / "out.csv", "--identifier", "matematica", "--title", "Matemática"
    )
    assert "All of it is there already." in back


def test_what_a_table_does_not_say_of_a_known_framework_stays(run, path, tmp_path):
    package = {
        "CFDocument": {
            "identifier": "matematica",
            "title": "Whole",
            "creator": "A ministry",
            "notes": "By courtesy",
            "licenseURI": "https://example.org/by",
        },
        "CFItems": [
            {"identifier": "N", "humanCodingScheme": "N", "fullStatement": "Números"},
            {"identifier": "N.1", "fullStatement": "Contar"},
            {"identifier": "N.2", "fullStatement": "Compreender somas"},
        ],
        "CFAssociations": [
            {
                "associationType": "isChildOf",
                "originNodeURI": {"identifier": one},
                "destinationNodeURI": {"identifier": "N"},
            }
            for one in ("N.1", "N.2")
        ],
    }
    (tmp_path / "whole.json").write_text(json.dumps(package))
    run("import", tmp_path / "whole.json", "--yes")

    assert "All of it is there already." in run("import", path)


@pytest.fixture
def server():
    scripted = ScriptedLms()
    with serving(scripted) as url:
        scripted.url = url
        yield scripted


def test_a_file_is_fetched_from_an_address_and_again_only_when_it_changed(run, server):
    def answer(seen):
        if seen.headers.get("if-none-match") == '"v1"':
            return Response(status=304)
        return Response(FILE, headers={"ETag": '"v1"', "Last-Modified": "Mon, 02 Nov 2026"})

    server.on("GET", "/math.csv", answer)
    url = f"{server.url}/math.csv"

    preview = run("import", "--url", url)
    saved = run("import", "--url", url, "--yes")
    again = run("import", "--url", url, "--yes")

    assert "3 to be added" in preview
    assert "Nothing was saved" not in saved
    assert "Nothing has changed there" in again
    assert server.seen[-1].headers["if-modified-since"] == "Mon, 02 Nov 2026"


@pytest.mark.parametrize("url", ["http://169.254.169.254/x", "https://10.0.0.1/x", "file:///x"])
def test_an_address_that_is_not_to_be_asked_is_refused(run, url):
    assert "Nothing was saved." in run("import", "--url", url, "--yes", status=1)


def test_an_address_that_leads_elsewhere_is_not_followed(run, server):
    server.on("GET", "/x", Response(status=302, headers={"Location": "http://10.0.0.1/"}))

    assert "Nothing was saved." in run("import", "--url", f"{server.url}/x", "--yes", status=1)
    assert len(server.seen) == 1


def test_a_framework_is_put_away_and_taken_up_again(run, path):
    run("import", path, "--yes")

    would = run("archive", "matematica")
    run("archive", "matematica", "--yes")
    away = run("list")
    run("archive", "matematica", "--back", "--yes")

    assert "Nothing was changed." in would
    assert "archived" in away.split("state")[1]
    assert "in use" in run("list")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["import"], "Name a file, an address"),
        (["import", "nowhere.csv"], "nowhere.csv cannot be read"),
        (["show", "x"], 'There is no framework "x"'),
    ],
)
def test_what_is_not_there_is_told(run, words, said):
    assert said in run(*words, status=2 if words == ["import"] else 1)
