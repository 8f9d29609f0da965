"""Copies of the database: made while Waymark works, and put back into an empty one.

PostgreSQL's own programs do it for PostgreSQL, SQLite's own statement for SQLite. What is in
Redis needs no copy, and the secret key must not lie beside one.
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import sqlalchemy
from psycopg.conninfo import make_conninfo
from sqlalchemy import Engine, inspect

from bootstrap.settings import child_environment

_PROGRAM_SECONDS = 6 * 3600
_SQLITE_HEAD = b"SQLite format 3\x00"


class BackupError(Exception):
    """A copy could not be made or put back; the message says why and what to do."""


def back_up(engine: Engine, path: Path) -> int:
    """Copy the whole database as it is at one moment; whoever writes meanwhile goes on.

    Args:
        engine: The database.
        path: A file that does not exist yet. Only this user can read it.

    Returns:
        Its size in bytes.

    Raises:
        BackupError: It could not be made; no file of this name is left then.

    Source: PostgreSQL, pg_dump (custom format); SQLite, VACUUM INTO.
    """
    if path.exists():
        raise BackupError(f"{path} exists already. Name another file, or move that one away.")
    if not _has_tables(engine):
        raise BackupError("The database is empty or not there. Look at WAYMARK_DATABASE_URL.")
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _copy(engine, unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise BackupError(f"The copy cannot be written: {error}.") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return path.stat().st_size


def restore(engine: Engine, path: Path) -> None:
    """Put a copy back into an empty database.

    Args:
        engine: A database without any table. One that is in use is never written over.
        path: What ``back_up`` made, from the same kind of database.

    Raises:
        BackupError: The database is not empty, or the copy is none of its kind or damaged.
    """
    if not path.is_file():
        raise BackupError(f"There is no file {path}.")
    with path.open("rb") as copy:
        is_sqlite_copy = copy.read(len(_SQLITE_HEAD)) == _SQLITE_HEAD
    if is_sqlite_copy != (engine.dialect.name == "sqlite"):
        raise BackupError(
            f"{path} is a copy of another kind of database. SQLite's copies go back into SQLite, "
            "PostgreSQL's into PostgreSQL."
        )
    if _has_tables(engine):
        raise BackupError(
            "The database is not empty, and nothing is ever written over. Name an empty one in "
            "WAYMARK_DATABASE_URL (PostgreSQL: createdb; SQLite: a file that does not exist)."
        )
    engine.dispose()
    if is_sqlite_copy:
        _restore_sqlite(engine, path)
    else:
        _postgres("pg_restore", engine, ["--exit-on-error", "--single-transaction", str(path)])


def _has_tables(engine: Engine) -> bool:
    # SQLite would make a file that is not there.
    if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").is_file():
        return False
    return bool(inspect(engine).get_table_names())


def _copy(engine: Engine, path: Path) -> None:
    if engine.dialect.name == "sqlite":
        with closing(engine.raw_connection()) as connection:
            # SQLite writes into an empty file as into none.
            connection.cursor().execute("VACUUM INTO ?", (str(path),))
        return
    _postgres("pg_dump", engine, ["--format=custom", f"--file={path}"])


def _restore_sqlite(engine: Engine, path: Path) -> None:
    """Copy a file to its place once it was found whole.

    Raises:
        BackupError: It is damaged, or cannot be copied.
    """
    place = Path(engine.url.database or "")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            found = connection.execute("PRAGMA integrity_check").fetchone()[0]
        if found != "ok":
            raise BackupError(f"{path} is damaged: {found}. Take another copy.")
        for ending in ("-wal", "-shm"):
            place.with_name(place.name + ending).unlink(missing_ok=True)
        shutil.copyfile(path, place)
        place.chmod(0o600)
    except (sqlite3.DatabaseError, OSError) as error:
        raise BackupError(f"{path} cannot be put back: {error}.") from error


def _postgres(program: str, engine: Engine, arguments: list[str]) -> None:
    """Run one of PostgreSQL's programs.

    Raises:
        BackupError: It is not installed, or failed.
    """
    address, password = _address(engine.url)
    found = shutil.which(program)
    if found is None:
        raise BackupError(
            f"{program} is not installed here. Install PostgreSQL's client programs, of the "
            "server's version or a newer one (Debian: apt install postgresql-client)."
        )
    # Of other users' processes everybody sees the arguments, nobody the environment.
    environment = child_environment({"PGPASSWORD": password} if password else {})
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL, no shell
        [found, "--no-owner", "--no-privileges", f"--dbname={address}", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=_PROGRAM_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise BackupError(f"{program} failed: {done.stderr.strip()[-1000:]}")


def _address(url: sqlalchemy.URL) -> tuple[str, str]:
    """Where PostgreSQL is, as its programs take it, and the password apart."""
    dialect = url.get_dialect()()
    _, named = dialect.create_connect_args(url)
    password = named.pop("password", "")
    known = {name: str(value) for name, value in named.items() if name != "context"}
    return make_conninfo(**known), str(password)
