"""The simulated site as one request sees it: its state, its settings, the time."""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from flask import Flask, current_app, g
from werkzeug.exceptions import HTTPException

from simulators.moodle.tools import Tool, prepare, seeded_tool
from simulators.signing import PlatformKey
from simulators.state import StatePool, config_of

RELEASE = "4.5.6 (Build: 20250811)"
VERSION = "2024100706"
TOP_COURSE = 1
"""Moodle counts the site itself as a course."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a view needs; ``tool`` is the one that a launch or a service request belongs to.

    ``missing`` holds the capabilities that were taken from the service's role, such as
    ``moodle/grade:viewhidden``; the last word alone takes every one of that name. ``closed``
    holds the courses that it may not enter.
    """

    connection: sqlite3.Connection
    config: Mapping[str, str]
    now: int
    tool: Tool

    def for_tool(self, tool: Tool) -> "Site":
        """The same site, as another of its tools sees it."""
        return replace(self, tool=tool)

    @property
    def url(self) -> str:
        """The site's address, which is its issuer too."""
        return self.config["base_url"]

    @property
    def client_id(self) -> str:
        """The tool's id at this site."""
        return self.tool.client_id

    @property
    def type_id(self) -> str:
        """The tool's type, which is its deployment id too."""
        return self.tool.type_id

    @property
    def missing(self) -> frozenset[str]:
        """Rights taken from the service's role."""
        return frozenset(self.config.get("missing", "").split())

    def lacks(self, capability: str) -> bool:
        """Whether a capability was taken from the service's role."""
        return not self.missing.isdisjoint({capability, capability.partition(":")[2]})

    @property
    def closed(self) -> frozenset[int]:
        """Courses that the service may not enter."""
        if self.lacks("moodle/course:view"):
            return frozenset(row["id"] for row in self.rows("SELECT id FROM courses"))
        return frozenset(int(course) for course in self.config.get("closed", "").split())

    @property
    def granted(self) -> frozenset[str]:
        """Capabilities that a connector's role does not have, and this one was given."""
        return frozenset(self.config.get("granted", "").split())

    @property
    def without(self) -> frozenset[str]:
        """Functions that were taken out of the token's service."""
        return frozenset(self.config.get("without", "").split())

    @property
    def is_suspended(self) -> bool:
        """Whether the service user's account is suspended."""
        return self.config.get("suspended", "") == "True"

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self.connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        found: sqlite3.Row | None = self.connection.execute(sql, values).fetchone()
        return found

    def write(self, sql: str, *values: object) -> None:
        """One statement, committed when the request ends well."""
        self.connection.execute(sql, values)


def site() -> Site:
    """The site of the request at hand; its connection is opened on first use."""
    if "site" not in g:
        connection = _states().take()
        config = config_of(connection)
        g.site = Site(
            connection=connection,
            config=config,
            now=int(current_app.config["CLOCK"]()),
            tool=seeded_tool(config),
        )
    found: Site = g.site
    return found


def _states() -> StatePool:
    found: StatePool = current_app.extensions["states"]
    return found


def platform_key() -> PlatformKey:
    """The site's signing key, made on first use and kept beside the state file."""
    key: PlatformKey | None = current_app.extensions.get("platform_key")
    if key is None:
        path: Path = current_app.config["STATE"]
        key = PlatformKey.load_or_create(path.with_suffix(".pem"))
        current_app.extensions["platform_key"] = key
    return key


def install(app: Flask, path: Path, clock: Callable[[], float]) -> None:
    """Give an application its state file and its clock, and close what a request opened."""
    app.config["STATE"] = path
    app.config["CLOCK"] = clock
    app.extensions["states"] = StatePool(path)
    prepare(path)
    app.teardown_appcontext(_close)


def _close(error: BaseException | None) -> None:
    opened: Site | None = g.pop("site", None)
    if opened is None:
        return
    if error is None or isinstance(error, HTTPException):
        opened.connection.commit()
    _states().give(opened.connection)
