"""``waymark setup`` at a terminal: where there is nothing yet, one district, or several."""

import re

import pytest
from click.testing import CliRunner
from redis import Redis

from bootstrap.container import running
from bootstrap.settings import load_settings
from lti_tool import create_app
from lti_tool.cli import waymark
from store import tenants
from store.registrations import save_tenant
from store.session import reading, writing
from tests.databases import lay_database


@pytest.fixture
def container(tmp_path, redis_url, monkeypatch):
    Redis.from_url(redis_url).flushall()
    monkeypatch.setenv("WAYMARK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("WAYMARK_REDIS_URL", redis_url)
    monkeypatch.setenv("WAYMARK_DATABASE_URL", lay_database(tmp_path))
    with running(load_settings()) as container:
        yield container


def run(*arguments, status=0):
    done = CliRunner().invoke(waymark, arguments)
    assert done.exit_code == status, done.output
    return done.output


def path_of(output):
    return re.search(r"https?://[^/]+(/setup/[\w-]{43})\n", output)[1]


def test_an_empty_installation_is_told_to_set_itself_up(container):
    browser = create_app(container).test_client()

    assert "waymark setup" in browser.get("/").text
    assert "waymark setup" in run("platform", "list", status=1)


def test_the_address_makes_the_first_district_and_stays_good_for_it(container):
    path = path_of(run("setup"))
    browser = create_app(container).test_client()
    own = {"Sec-Fetch-Site": "same-origin"}

    wrong = browser.post(path, data={"name": "", "timezone": "Mars/Crater"}, headers=own)
    made = browser.post(path, data={"name": " Vale ", "timezone": "America/Sao_Paulo"}, headers=own)

    assert wrong.status_code == 422
    assert "name-problem" in wrong.text
    assert "timezone-problem" in wrong.text
    assert made.headers["Location"] == f"{path}/lms"
    assert browser.get(f"{path}/lms").status_code == 200
    with reading(container.engine) as connection:
        (tenant,) = tenants.all_tenants(connection)
    assert (tenant.name, tenant.timezone) == ("Vale", "America/Sao_Paulo")
    assert "waymark setup" not in browser.get("/").text


def test_a_second_sending_of_the_form_makes_no_second_district(container):
    path = path_of(run("setup"))
    browser = create_app(container).test_client()
    own = {"Sec-Fetch-Site": "same-origin"}
    for name in ("Vale", "Other"):
        browser.post(path, data={"name": name, "timezone": "Europe/Oslo"}, headers=own)

    with reading(container.engine) as connection:
        assert [one.name for one in tenants.all_tenants(connection)] == ["Vale"]


def test_of_several_districts_one_has_to_be_named(container):
    with writing(container.engine) as connection:
        for name in ("One", "Two"):
            save_tenant(connection, name, "Europe/Oslo")

    assert "--district" in run("setup", status=1)
    assert "/setup/" in run("setup", "--district", "Two")
