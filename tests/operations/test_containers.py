"""What the container files name is there: paths, packages, settings and commands."""

import re
from pathlib import Path

import pytest
import yaml

from bootstrap.settings import NAMES
from lti_tool.cli import waymark

ROOT = Path(__file__).parent.parent.parent
CONTAINERFILE = (ROOT / "Containerfile").read_text()
LINES = re.sub(r"\\\n\s*", " ", CONTAINERFILE).splitlines()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
GUIDE = (ROOT / "docs" / "deployment.md").read_text()
OURS = ("migrate", "web", "worker", "cron")


def named(instruction):
    return [line.split()[1:] for line in LINES if line.startswith(instruction + " ")]


def test_everything_that_is_copied_into_the_image_exists():
    copied = [one for words in named("COPY") if not words[0].startswith("--") for one in words[:-1]]

    assert copied
    assert [one for one in copied if not (ROOT / one).exists()] == []


def test_every_package_that_is_installed_is_copied_into_the_image():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"benchmarks", "tests"}

    assert packages <= {words[-1] for words in named("COPY")}


def test_nothing_is_installed_that_is_not_locked_by_its_hash():
    installs = [line for line in LINES if "pip install" in line]

    assert installs
    for line in installs:
        assert "--require-hashes" in line or (
            "--no-deps" in line and "--no-build-isolation" in line
        )


def test_what_builds_the_project_is_locked_where_the_image_takes_it_from():
    assert re.search(
        r"^setuptools==.*\\$", (ROOT / "requirements/demo.txt").read_text(), re.MULTILINE
    )
    assert "requirements/demo.txt" in CONTAINERFILE


def test_images_are_named_without_a_registry():
    images = [words[0] for words in named("FROM")]
    images += [one["image"] for one in COMPOSE["services"].values()]

    assert [one for one in images if "/" in one] == []


def test_the_image_runs_as_nobody_in_particular_and_is_stopped_gently():
    ((user,),) = named("USER")

    assert user.isdigit()
    assert int(user) > 999
    assert named("STOPSIGNAL") == [["SIGTERM"]]
    assert "/healthz" in next(line for line in LINES if line.startswith("HEALTHCHECK"))


@pytest.mark.parametrize("service", OURS)
def test_each_service_runs_a_command_that_there_is(service):
    program, command = COMPOSE["services"][service]["command"]

    assert program == "waymark"
    assert command in waymark.commands


def test_the_commands_of_the_procfile_are_those_of_the_services():
    lines = (ROOT / "Procfile").read_text().splitlines()

    commands = {line.partition(": ")[2] for line in lines}

    assert commands == {" ".join(COMPOSE["services"][one]["command"]) for one in OURS}


def test_every_setting_that_is_given_is_one():
    texts = (CONTAINERFILE, (ROOT / "compose.yaml").read_text(), GUIDE)

    given = {name for text in texts for name in re.findall(r"\bWAYMARK_[A-Z_]+", text)}

    assert given <= set(NAMES)


def test_redis_keeps_what_it_was_told_and_throws_nothing_away():
    command = " ".join(COMPOSE["services"]["redis"]["command"])

    for setting in ("appendonly yes", "appendfsync everysec", "maxmemory-policy noeviction"):
        assert setting in command
        assert setting in GUIDE


def test_every_command_that_the_guide_names_exists():
    found = set(re.findall(r"waymark ([a-z]+)", GUIDE)) - {"processes"}

    assert found & set(waymark.commands)
    assert {one for one in found if f"`waymark {one}" in GUIDE} <= set(waymark.commands)


def test_every_page_that_the_guide_leads_to_exists():
    for page in re.findall(r"\]\(([\w/]+\.md)", GUIDE):
        assert (ROOT / "docs" / page).exists()


def test_every_table_that_the_guide_names_exists():
    from store.tables import metadata

    tuned = re.findall(r"^ALTER TABLE (\w+)", GUIDE, re.MULTILINE)

    assert tuned
    assert set(tuned) <= set(metadata.tables)
