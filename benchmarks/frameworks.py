"""A framework of 20,000 competencies: read, compared, saved, brought in again; beside row by row.

On PostgreSQL and on SQLite, from the bytes of a CASE package. PostgreSQL runs without ``fsync``,
so that no disk is measured. The peer saves each competency by a statement of its own, as this
project did once, and is measured with fewer of them.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from benchmarks.timing import Row
from interchange.case import read_package
from mapping.records import Framework, TenantId
from store import registrations, schema
from store.framework_diffs import framework_diff
from store.framework_imports import Brought, bring_in
from store.policy_changes import Author
from store.session import open_engine, reading, upsert, writing
from store.tables import competencies, frameworks
from tests.servers import running_postgres

ITEMS = 20_000
_SAMPLE = 2_000
_STRANDS = 200
_AUTHOR = Author(by="benchmark", at=datetime(2026, 11, 20, tzinfo=UTC))
_BROUGHT = Brought(source="benchmark", form="case")


def run() -> list[Row]:
    """Measure items a second."""
    data = package(ITEMS)
    rows: list[Row] = []
    for name, database in (("PostgreSQL", _postgres), ("SQLite", _sqlite)):
        with database() as engine:
            rows += _measured(engine, name, data)
    return rows


def _measured(engine: Engine, name: str, data: bytes) -> list[Row]:
    with writing(engine) as connection:
        tenant = registrations.save_tenant(connection, "Bench", "UTC")
    first, seconds = _timed(lambda: _import(engine, tenant, data))
    again, same_seconds = _timed(lambda: _import(engine, tenant, data))
    if (first, again) != (ITEMS, 0):
        raise AssertionError(f"{first} and {again} were added")
    found = read_package(data).framework
    _, preview = _timed(partial(_compared, engine, tenant, found))
    _, slow = _timed(partial(_one_by_one, engine, tenant, found))
    line = partial(_line, name)
    return [
        line("ours", "the bytes of a new package, read and saved", rate=ITEMS / seconds),
        line("ours+", "the same again: compared, nothing written", rate=ITEMS / same_seconds),
        line("ours+", "compared alone", rate=ITEMS / preview),
        line("peer", "an upsert for each competency", rate=_SAMPLE / slow),
    ]


def _line(name: str, role: str, what: str, *, rate: float) -> Row:
    return Row(benchmark=f"framework, {name}", role=role, what=what, rate=rate)


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    done = work()
    return done, time.perf_counter() - began


def _import(engine: Engine, tenant: TenantId, data: bytes) -> int:
    found = read_package(data).framework
    with writing(engine) as connection:
        return bring_in(connection, tenant, found, brought=_BROUGHT, author=_AUTHOR).added


def _compared(engine: Engine, tenant: TenantId, found: Framework) -> None:
    with reading(engine) as connection:
        framework_diff(connection, tenant, found)


def _one_by_one(engine: Engine, tenant: TenantId, found: Framework) -> None:
    with writing(engine) as connection:
        framework = connection.execute(
            select(frameworks.c.id).where(frameworks.c.tenant_id == tenant)
        ).scalar_one()
        for one in found.competencies[:_SAMPLE]:
            row = {
                "framework_id": framework,
                "identifier": f"peer {one.identifier}",
                "code": f"peer {one.code}",
                "statement": one.statement,
                "indicator": one.indicator,
                "parent_id": None,
                "position": one.position,
                "is_strand": one.is_strand,
                "is_archived": False,
            }
            upsert(connection, competencies, [row], keys=("framework_id", "identifier"))


def package(count: int) -> bytes:
    """A CASE package of many items in strands, each of which precedes the next."""
    names = [f"item-{number}" for number in range(count)]
    items = [
        {
            "identifier": name,
            "humanCodingScheme": f"C.{number}",
            "fullStatement": f"Solves problems of kind {number} in situations that are new.",
        }
        for number, name in enumerate(names)
    ]
    links = [
        ("isChildOf", name, names[number % _STRANDS])
        for number, name in enumerate(names)
        if number >= _STRANDS
    ]
    links += [("precedes", names[number], names[number + 1]) for number in range(count - 1)]
    associations = [
        {
            "associationType": kind,
            "originNodeURI": {"identifier": origin},
            "destinationNodeURI": {"identifier": destination},
        }
        for kind, origin, destination in links
    ]
    document = {"identifier": "bench", "title": "Bench", "creator": "Bench"}
    return json.dumps(
        {"CFDocument": document, "CFItems": items, "CFAssociations": associations}
    ).encode()


@contextmanager
def _sqlite() -> Iterator[Engine]:
    with tempfile.TemporaryDirectory() as folder:
        yield from _migrated(f"sqlite:///{Path(folder) / 'bench.db'}")


@contextmanager
def _postgres() -> Iterator[Engine]:
    with running_postgres() as url:
        yield from _migrated(url)


def _migrated(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    schema.migrate(engine)
    yield engine
    engine.dispose()
