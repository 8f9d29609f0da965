"""Fixtures of the web face: a container with a real Redis, two tenants, and their LMSs."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import redis

from bootstrap.container import Container
from bootstrap.settings import load_settings
from store import deployments, registrations
from store.registrations import PlatformEntry
from store.secrets import SecretBox
from store.session import open_engine, writing
from store.tables import metadata
from tests.lti_tool.applications import application
from tests.lti_tool.platform import AUTH_URL, ISSUER, JWKS_URL, TOOL, KeySets, Lms, jwk, new_key

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
OTHER_ISSUER = "https://lms2.example"
MOODLE_ISSUER = "https://moodle.example"


_FOLDER = tempfile.TemporaryDirectory(prefix="waymark-stage-")  # gone with the process


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def pass_time(self, **span: float) -> None:
        self.at += timedelta(**span)


@dataclass
class Stage:
    """Everything a test of the web face acts on."""

    app: Any
    container: Container
    clock: Clock
    key_sets: KeySets
    lms: Lms
    same_issuer: Lms
    other_issuer: Lms
    moodle: Lms
    tenants: dict[str, int]
    platforms: dict[str, int]

    def browser(self) -> Any:
        return self.app.test_client()

    def bare(self) -> Any:
        """A client that sends the Cookie header it is given, and keeps none."""
        return self.app.test_client(use_cookies=False)

    def keys(self, pattern: str) -> list[bytes]:
        return list(self.container.redis.scan_iter(pattern))


@pytest.fixture(scope="session")
def signing_keys() -> dict[str, Any]:
    return {name: new_key() for name in ("k1", "other", "attacker")}


@pytest.fixture
def stage(tmp_path, redis_url, signing_keys) -> Iterator[Stage]:
    yield from _stage(tmp_path, redis_url, signing_keys)


@pytest.fixture(scope="module")
def shared_stage(tmp_path_factory, redis_url, signing_keys) -> Iterator[Stage]:
    """One stage for many tests that change nothing in the database."""
    yield from _stage(tmp_path_factory.mktemp("stage"), redis_url, signing_keys)


def _stage(folder, redis_url, signing_keys) -> Iterator[Stage]:
    clock = Clock()
    settings = load_settings(
        {
            "WAYMARK_DATA_DIR": str(folder),
            "WAYMARK_DATABASE_URL": f"sqlite:///{folder / 'waymark.db'}",
            "WAYMARK_PUBLIC_URL": TOOL,
            "WAYMARK_REDIS_URL": redis_url,
            "WAYMARK_SECRET_KEY": "only-for-tests-only-for-tests-only",
        }
    )
    shutil.copyfile(_empty_database(), folder / "waymark.db")
    container = Container(
        settings=settings,
        engine=open_engine(settings.database_url),
        redis=redis.Redis.from_url(redis_url),
        redis_url=redis_url,
        secrets=SecretBox(settings.secret_key),
        now=clock,
    )
    container.redis.flushdb()
    tenants, platforms = _registered(container)
    key_sets = KeySets(
        answers={
            JWKS_URL: {"keys": [jwk(signing_keys["k1"], "k1")]},
            OTHER_ISSUER + "/jwks": {"keys": [jwk(signing_keys["other"], "k1")]},
            MOODLE_ISSUER + "/jwks": {"keys": [jwk(signing_keys["other"], "k1")]},
        }
    )
    lms = Lms(key=signing_keys["k1"], clock=clock)
    with application(container, key_sets) as app:
        yield Stage(
            app=app,
            container=container,
            clock=clock,
            key_sets=key_sets,
            lms=lms,
            same_issuer=Lms(
                key=signing_keys["k1"], clock=clock, client_id="client-B", deployment="dep-B"
            ),
            other_issuer=Lms(
                key=signing_keys["other"],
                clock=clock,
                issuer=OTHER_ISSUER,
                client_id="client-2",
                deployment="dep-2",
            ),
            moodle=Lms(
                key=signing_keys["other"],
                clock=clock,
                issuer=MOODLE_ISSUER,
                client_id="moodle-client",
                deployment="1",
            ),
            tenants=tenants,
            platforms=platforms,
        )
    container.close()


@cache
def _empty_database() -> Path:
    """A database with all tables, made once: a copy costs a hundredth of making them."""
    path = Path(_FOLDER.name) / "empty.db"
    engine = open_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        metadata.create_all(connection)
    engine.dispose()
    return path


def _registered(container: Container) -> tuple[dict[str, int], dict[str, int]]:
    tenants, platforms = {}, {}
    with writing(container.engine) as connection:
        for name in ("A", "B", "C"):
            tenants[name] = registrations.save_tenant(connection, name, "America/Sao_Paulo")
        for tenant, client_id, deployment, issuer, kind in (
            ("A", "client-A", "dep-1", ISSUER, "canvas"),
            ("B", "client-B", "dep-B", ISSUER, "canvas"),
            ("C", "client-2", "dep-2", OTHER_ISSUER, "canvas"),
            ("A", "moodle-client", "1", MOODLE_ISSUER, "moodle"),
        ):
            entry = PlatformEntry(
                kind=kind,
                name=f"LMS {client_id}",
                issuer=issuer,
                client_id=client_id,
                auth_url=AUTH_URL if issuer == ISSUER else issuer + "/auth",
                token_url=issuer + "/token",
                jwks_url=JWKS_URL if issuer == ISSUER else issuer + "/jwks",
                api_url="https://school.lms.example/api",
                api_token="secret-token",
            )
            saved = registrations.save_platform(
                connection, tenants[tenant], entry, secrets=container.secrets
            )
            deployments.save_deployments(connection, saved, [deployment])
            platforms[client_id] = saved
    return tenants, platforms
