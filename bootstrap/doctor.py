"""Everything an operator is asked when a night went wrong, looked at in one go.

Each check says what was found and, where something is wrong, what to do. A ``Check`` with advice
that is ``ok`` is a warning. Nothing is changed and nothing is sent to a gradebook.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from redis import RedisError
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from bootstrap.breakers import breakers
from bootstrap.checks import Check, check_own_address
from bootstrap.container import Container
from connectors.errors import ConnectorError
from connectors.mail import try_mail_server
from mapping.records import TenantId
from store import figures, notice_targets, notices, past_runs, schema, tenants, tool_keys
from store.notice_targets import Channel
from store.notices import NoticeState
from store.secrets import SealBroken
from store.session import reading

_SLOW_MS = 50.0
_FREE_BYTES = 2 * 2**30
_LITTLE_BYTES = 200 * 2**20
_MOST_DRIFT = timedelta(seconds=5)
_OLD_NIGHT = timedelta(hours=36)
_OLDEST_REDIS = (6, 2)
_LEAST_CONNECTIONS = 50


def check_up(container: Container) -> Iterator[Check]:
    """Look at this process's settings, the database, Redis, the disk, secrets and last nights.

    Args:
        container: What to look at.

    Yields:
        One result after another; some take seconds.
    """
    yield check_own_address(container)
    yield _asked("Database", lambda: _check_database(container))
    yield _asked("Schema", lambda: _check_schema(container))
    if container.engine.dialect.name == "postgresql":
        yield _asked("PostgreSQL settings", lambda: _check_postgres(container))
    yield _asked("Redis", lambda: _check_redis(container))
    yield _asked("Redis keeps what it has", lambda: _check_persistence(container))
    yield _asked("Clocks", lambda: _check_clocks(container))
    yield _check_disk(container)
    yield _asked("Secrets", lambda: _check_secrets(container))
    yield _asked("LMSs left alone", lambda: _check_breakers(container))
    yield _asked("Work", lambda: _check_work(container))
    yield _asked("Mail", lambda: _check_mail(container))
    yield _asked("Notices", lambda: _check_notices(container))
    yield from _check_nights(container)


def _asked(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", error)).strip().split("\n")[0]
        return Check(
            name=name,
            ok=False,
            advice=f"The database does not answer: {cause}. WAYMARK_DATABASE_URL says which it is.",
        )
    except RedisError as error:
        return Check(
            name=name,
            ok=False,
            advice=(
                f"Redis does not answer ({type(error).__name__}). See that it runs; "
                "WAYMARK_REDIS_URL says where."
            ),
        )


def _check_database(container: Container) -> Check:
    with reading(container.engine) as connection:
        connection.execute(text("SELECT 1"))
        began = time.perf_counter()
        for _ in range(5):
            connection.execute(text("SELECT 1"))
        milliseconds = (time.perf_counter() - began) / 5 * 1000
        version = _database_version(connection)
    advice = ""
    if milliseconds > _SLOW_MS:
        advice = "Each question takes long: put Waymark and its database into one network."
    elif container.engine.dialect.name == "sqlite":
        advice = "SQLite serves one machine and a small district; PostgreSQL serves the rest."
    found = f"{version}, {milliseconds:.1f} ms a question"
    return Check(name="Database", ok=True, found=found, advice=advice)


def _database_version(connection: Connection) -> str:
    is_postgres = connection.dialect.name == "postgresql"
    question = "SHOW server_version" if is_postgres else "SELECT sqlite_version()"
    name = "PostgreSQL" if is_postgres else "SQLite"
    return f"{name} {connection.execute(text(question)).scalar_one()}"


def _check_schema(container: Container) -> Check:
    if schema.is_current(container.engine):
        return Check(name="Schema", ok=True, found="present")
    return Check(name="Schema", ok=False, advice="Run: waymark migrate")


def _check_postgres(container: Container) -> Check:
    with reading(container.engine) as connection:
        most = int(connection.execute(text("SHOW max_connections")).scalar_one())
        is_cleaning = connection.execute(text("SHOW autovacuum")).scalar_one() == "on"
        is_synced = connection.execute(text("SHOW fsync")).scalar_one() == "on"
    if not is_synced:
        return Check(
            name="PostgreSQL settings",
            ok=False,
            advice="fsync is off: a power cut can destroy the database. Set fsync = on.",
        )
    advice = []
    if most < _LEAST_CONNECTIONS:
        advice.append(
            f"max_connections is {most}; each worker uses up to twice WAYMARK_THREADS of them."
        )
    if not is_cleaning:
        advice.append("autovacuum is off: tables grow and plans go wrong. Set autovacuum = on.")
    found = f"{most} connections, autovacuum {'on' if is_cleaning else 'off'}, fsync on"
    return Check(name="PostgreSQL settings", ok=True, found=found, advice=" ".join(advice))


def _check_redis(container: Container) -> Check:
    info: Any = container.redis.info("server")
    version = str(info["redis_version"])
    parts = tuple(int(part) for part in version.split(".")[:2])
    advice = (
        ""
        if parts >= _OLDEST_REDIS
        else "It is older than 6.2: a job can be lost when a worker dies. Install a newer one."
    )
    return Check(name="Redis", ok=not advice, found=version, advice=advice)


def _check_persistence(container: Container) -> Check:
    """Asked with INFO alone: hosted servers refuse CONFIG."""
    kept: Any = container.redis.info("persistence")
    memory: Any = container.redis.info("memory")
    policy = str(memory.get("maxmemory_policy", "noeviction"))
    name = "Redis keeps what it has"
    if policy != "noeviction":
        return Check(
            name=name,
            ok=False,
            found=policy,
            advice="Redis may throw away jobs and sessions. Set maxmemory-policy noeviction.",
        )
    if not kept.get("aof_enabled"):
        return Check(
            name=name,
            ok=True,
            found="no append-only file",
            advice=(
                "A restart of Redis signs everybody out and lets the night find its work again "
                "in the database. Set appendonly yes."
            ),
        )
    return Check(name=name, ok=True, found="append-only file, noeviction")


def _check_clocks(container: Container) -> Check:
    seconds, micros = _redis_time(container)
    apart = {"Redis": container.now().timestamp() - (seconds + micros / 1e6)}
    if container.engine.dialect.name == "postgresql":
        with reading(container.engine) as connection:
            database: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
            apart["the database"] = container.now().timestamp() - database.timestamp()
    found = ", ".join(f"{name} {abs(by):.1f} s apart" for name, by in apart.items())
    is_fine = all(abs(by) <= _MOST_DRIFT.total_seconds() for by in apart.values())
    advice = "" if is_fine else "Set the clocks of all machines by a time server."
    return Check(name="Clocks", ok=is_fine, found=found, advice=advice)


def _redis_time(container: Container) -> tuple[int, int]:
    found: Any = container.redis.time()
    return int(found[0]), int(found[1])


def _check_disk(container: Container) -> Check:
    try:
        free = shutil.disk_usage(container.settings.data_dir).free
    except OSError:
        return Check(name="Disk", ok=True, found="no data folder here")
    advice = "" if free >= _FREE_BYTES else "Make room: a night writes to the database and logs."
    return Check(
        name="Disk", ok=free >= _LITTLE_BYTES, found=f"{free / 2**30:.1f} GB free", advice=advice
    )


def _check_secrets(container: Container) -> Check:
    with reading(container.engine) as connection:
        keys = tool_keys.stored_keys(connection)
        known = [
            target
            for tenant in tenants.all_tenants(connection)
            for target in notice_targets.targets_of(connection, tenant.id)
        ]
    openings: list[Callable[[], object]] = [
        *(partial(tool_keys.load, key, container.secrets) for key in keys),
        *(partial(container.secrets.open, one.secret) for one in known if one.secret),
    ]
    closed = 0
    for opening in openings:
        try:
            opening()
        except SealBroken:
            closed += 1
    advice = (
        f"{closed} cannot be opened with WAYMARK_SECRET_KEY. Give the former key in "
        "WAYMARK_FORMER_SECRET_KEYS, then: waymark keys reseal"
    )
    return Check(
        name="Secrets",
        ok=not closed,
        found=f"{len(keys)} keys of Waymark's own",
        advice=advice if closed else "",
    )


def _check_breakers(container: Container) -> Check:
    resting = [name for (_, name), is_left in breakers(container).items() if is_left]
    advice = "" if not resting else f"{', '.join(resting)} failed again and again. Is it down?"
    return Check(name="LMSs left alone", ok=True, found=f"{len(resting)}", advice=advice)


def _check_work(container: Container) -> Check:
    with reading(container.engine) as connection:
        unfinished = sum(figures.unfinished_items(connection).values())
        silent = figures.silent_items(connection, now=container.now() - timedelta(minutes=2))
    advice = (
        f"{silent} parts have had no sign of life for two minutes and nobody took them up: see "
        "that workers and cron run."
        if silent
        else ""
    )
    return Check(name="Work", ok=not silent, found=f"{unfinished} parts to do", advice=advice)


def _check_mail(container: Container) -> Check:
    with reading(container.engine) as connection:
        wanted = any(
            target.channel is Channel.EMAIL
            for tenant in tenants.all_tenants(connection)
            for target in notice_targets.targets_of(connection, tenant.id)
        )
    if container.settings.mail is None:
        advice = "E-mails are asked for, but no server is set: WAYMARK_SMTP_URL." if wanted else ""
        return Check(name="Mail", ok=not wanted, found="no server set", advice=advice)
    try:
        return Check(name="Mail", ok=True, found=try_mail_server(container.settings.mail))
    except ConnectorError as error:
        return Check(name="Mail", ok=False, advice=str(error))


def _check_notices(container: Container) -> Check:
    with reading(container.engine) as connection:
        depth = notices.depth(connection)
    advice = ""
    if depth[NoticeState.FAILED]:
        advice = (
            f"{depth[NoticeState.FAILED]} messages were given up. waymark notify list says why."
        )
    found = f"{depth[NoticeState.PENDING]} to be sent, {depth[NoticeState.SENT]} sent"
    return Check(name="Notices", ok=True, found=found, advice=advice)


def _check_nights(container: Container) -> Iterator[Check]:
    try:
        with reading(container.engine) as connection:
            for tenant in tenants.all_tenants(connection):
                yield _check_night(connection, tenant.id, tenant.name, now=container.now())
    except SQLAlchemyError:
        # Told above already.
        return


def _check_night(connection: Connection, tenant: TenantId, name: str, *, now: datetime) -> Check:
    title = f"Last night of {name}"
    newest = past_runs.newest(connection, tenant)
    good = past_runs.last_good_night(connection, tenant)
    if newest is None:
        return Check(name=title, ok=True, found="none yet", advice="Run one: waymark sync")
    found = f"run {newest.id} began {newest.started_at:%Y-%m-%d %H:%M} UTC"
    if good is None or now - good > _OLD_NIGHT:
        since = "never" if good is None else f"{good:%Y-%m-%d %H:%M} UTC"
        advice = f"The last run in which nothing failed: {since}. waymark failures says why."
        return Check(name=title, ok=newest.finished_at is not None, found=found, advice=advice)
    return Check(name=title, ok=True, found=found)
