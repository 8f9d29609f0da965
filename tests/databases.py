"""A database with the present schema, made once in a process: a copy costs a hundredth of it."""

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from store import schema
from store.session import open_engine

FILE = "waymark.db"
_FOLDER = TemporaryDirectory(prefix="waymark-databases-")  # gone with the process


def lay_database(folder: Path) -> str:
    """Put an empty, migrated SQLite database where a process with this folder looks for it.

    Returns:
        Its address.
    """
    shutil.copyfile(_migrated(), folder / FILE)
    return f"sqlite:///{folder / FILE}"


@cache
def _migrated() -> Path:
    path = Path(_FOLDER.name) / FILE
    engine = open_engine(f"sqlite:///{path}")
    schema.migrate(engine)
    engine.dispose()
    return path
