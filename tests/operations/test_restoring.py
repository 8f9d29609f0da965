"""A backup is put back, brought up to date and found whole; nothing is written over."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, insert, select, text

from bootstrap.backup import BackupError, back_up, restore
from store import schema
from store.session import open_engine, writing
from store.tables import learners

ROOT = Path(__file__).parent.parent.parent
SCRIPT = ROOT / "scripts" / "prove-restore"
RELEASE_0004 = json.loads((Path(__file__).parent / "night_of_0004.json").read_text())


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def databases(request, tmp_path):
    """The addresses of two empty databases of a kind."""
    if request.param == "sqlite":
        return tuple(f"sqlite:///{tmp_path / name}.db" for name in ("live", "elsewhere"))
    server = request.getfixturevalue("postgres_url")
    names = [f"{name}_{tmp_path.name.replace('-', '_')}".lower()[:60] for name in ("live", "new")]
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for name in names:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{name}"'))
            connection.execute(text(f'CREATE DATABASE "{name}"'))
    admin.dispose()
    return tuple(server.replace("/postgres?", f"/{name}?") for name in names)


def fill_with_release_0004(url):
    """A database of the release before, with two nights in it."""
    engine = open_engine(url)
    with writing(engine) as connection:
        config = Config()
        config.set_main_option("script_location", "store:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
    tables = MetaData()
    tables.reflect(engine)
    with writing(engine) as connection:
        for name, kept in RELEASE_0004.items():
            rows = [_typed(tables.tables[name], kept["columns"], row) for row in kept["rows"]]
            connection.execute(insert(tables.tables[name]), rows)
    engine.dispose()


def _typed(table, columns, row):
    kinds = {column.name: column.type.python_type for column in table.columns}
    return {
        name: bool(value) if kinds[name] is bool and value is not None else value
        for name, value in zip(columns, row, strict=True)
    }


def test_a_backup_of_the_release_before_is_restored_upgraded_and_judged_the_same(databases):
    fill_with_release_0004(databases[0])

    done = subprocess.run(
        [sys.executable, SCRIPT, *databases], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "DIFFERS" not in done.stdout
    assert f", {len(RELEASE_0004['scores']['rows'])} cells\n" in done.stdout
    assert "judged anew: " in done.stdout
    assert "judged anew: 0 standings" not in done.stdout


def test_what_differs_is_found(databases):
    fill_with_release_0004(databases[0])
    engine = open_engine(databases[0])
    with writing(engine) as connection:
        connection.execute(text("UPDATE standing_changes SET estimate = estimate + 1"))
    engine.dispose()

    done = subprocess.run(
        [sys.executable, SCRIPT, *databases], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "standings of District differ" in done.stdout


@pytest.fixture
def live(databases):
    engine = open_engine(databases[0])
    schema.migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def elsewhere(databases):
    engine = open_engine(databases[1])
    yield engine
    engine.dispose()


def test_a_database_that_is_in_use_is_never_written_over(live, elsewhere, tmp_path):
    back_up(live, tmp_path / "copy")
    schema.migrate(elsewhere)

    with pytest.raises(BackupError, match="not empty"):
        restore(elsewhere, tmp_path / "copy")


def test_a_file_that_exists_is_never_written_over(live, tmp_path):
    (tmp_path / "copy").write_text("the only copy of last year")

    with pytest.raises(BackupError, match="exists already"):
        back_up(live, tmp_path / "copy")

    assert (tmp_path / "copy").read_text() == "the only copy of last year"


def test_nobody_else_can_read_a_copy(live, tmp_path):
    back_up(live, tmp_path / "copy")

    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0
    assert list(tmp_path.glob("*.unfinished")) == []


def test_a_damaged_copy_is_refused_and_leaves_the_database_empty(live, elsewhere, tmp_path):
    back_up(live, tmp_path / "copy")
    whole = (tmp_path / "copy").read_bytes()
    (tmp_path / "copy").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(BackupError):
        restore(elsewhere, tmp_path / "copy")

    restored = MetaData()
    restored.reflect(elsewhere)
    assert restored.tables == {}


def test_a_copy_of_another_kind_of_database_is_refused(elsewhere, tmp_path):
    is_sqlite = elsewhere.dialect.name == "sqlite"
    (tmp_path / "copy").write_bytes(b"PGDMP" if is_sqlite else b"SQLite format 3\x00")

    with pytest.raises(BackupError, match="another kind"):
        restore(elsewhere, tmp_path / "copy")


def test_a_copy_that_is_not_there_is_named(elsewhere, tmp_path):
    with pytest.raises(BackupError, match="no file"):
        restore(elsewhere, tmp_path / "copy")


def test_a_copy_holds_what_was_committed_when_it_was_made(live, elsewhere, tmp_path):
    with writing(live) as connection:
        connection.execute(text("INSERT INTO tenants (name, timezone) VALUES ('Äöü', 'UTC')"))
        connection.execute(
            insert(learners).values(tenant_id=1, name="Zoë", sort_name="Zoë", sis_id="1")
        )
    back_up(live, tmp_path / "copy")
    with writing(live) as connection:
        connection.execute(learners.delete())

    restore(elsewhere, tmp_path / "copy")

    with elsewhere.connect() as connection:
        assert connection.execute(select(learners.c.name)).scalars().all() == ["Zoë"]


def test_an_empty_database_is_not_taken_for_one_that_is_worth_a_copy(elsewhere, tmp_path):
    with pytest.raises(BackupError, match="empty or not there"):
        back_up(elsewhere, tmp_path / "copy")

    assert list(tmp_path.glob("*copy*")) == []
