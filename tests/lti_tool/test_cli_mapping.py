"""``waymark mapping``, as a district's administrator meets it."""

import pytest

from store.alignments import rules_in_force
from tests.lti_tool.commands import desk

__all__ = ["desk"]
FILE = "framework,competency,line_item\nF,N.2,quiz*\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "autumn.csv"
    path.write_text(FILE)
    return str(path)


def in_force(desk):
    rules = desk.night.ask(rules_in_force, desk.night.tenant)
    return [(one.competency, one.line_item) for one in rules]


def test_a_file_becomes_a_draft_is_published_and_rolled_back(desk, file):
    told = desk.run("mapping", "import", file, "--yes")
    dry = desk.run("mapping", "publish", "1")
    still = in_force(desk)
    published = desk.run("mapping", "publish", "1", "--yes", "--reason", "A term.")
    after = in_force(desk)
    back = desk.run("mapping", "rollback", "1", "--yes", "--reason", "A mistake.")

    assert "This is draft 1 now" in told
    assert "Nothing was published" in dry
    assert still == [("N.1", "quiz*")]
    assert "Version 2 is in force" in published
    assert after == [("N.2", "quiz*")]
    assert "Version 3 is in force" in back
    assert in_force(desk) == [("N.1", "quiz*")]
    listed = desk.run("mapping", "list")
    assert "A mistake." in listed
    assert "retired" in listed


def test_without_yes_it_only_says_what_would_be(desk, file):
    told = desk.run("mapping", "import", file)

    assert "1 rules. Alignments: " in told
    assert "No draft was made" in told


def test_coverage_rules_and_a_file_of_them(desk):
    covered = desk.run("mapping", "coverage")

    assert "line items speak for something" in covered
    assert "0 of 1 rules match nothing" in covered
    assert "N.1: line item quiz*" in desk.run("mapping", "show")
    assert "F,N.1,,,quiz*,,,1.0,skill," in desk.run("mapping", "export")


def test_a_day_to_come_waits_for_its_night(desk, file):
    desk.run("mapping", "import", file, "--yes")

    told = desk.run(
        "mapping", "publish", "1", "--yes", "--reason", "A term.", "--from", "2999-01-01"
    )

    assert "first night from 2999-01-01 on" in told
    assert in_force(desk) == [("N.1", "quiz*")]
    assert "2999-01-01" in desk.run("mapping", "list")


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (("publish", "9"), 1, "no draft 9"),
        (("rollback", "9"), 1, "no version 9"),
        (("rollback", "1", "--yes"), 2, "Say why"),
        (("rollback", "1", "--yes", "--reason", "x"), 1, "are in force"),
        (("show", "--version", "9"), 1, "no version 9"),
    ],
)
def test_what_cannot_be_is_told(desk, arguments, status, word):
    assert word in desk.run("mapping", *arguments, status=status)


def test_every_wrong_line_of_a_file_is_told(desk, tmp_path):
    path = tmp_path / "wrong.csv"
    path.write_text("framework,competency,weight\nF,N.1,-1\nF,,1\n")

    told = desk.run("mapping", "import", str(path), "--yes", status=1)

    assert "Line 2: the weight" in told
    assert "Line 3: competency is empty" in told


def test_a_competency_that_is_not_there_is_told(desk, tmp_path):
    path = tmp_path / "unknown.csv"
    path.write_text("framework,competency\nF,X.9\n")

    assert "'X.9' of 'F'" in desk.run("mapping", "import", str(path), "--yes", status=1)
