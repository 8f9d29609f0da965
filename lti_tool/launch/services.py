"""What the web face works with, made once for each process and found through the app."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import current_app
from sqlalchemy import Engine

from bootstrap.container import Container
from lti_tool.launch.doors import Doors
from lti_tool.launch.offers import NoticeOffers
from lti_tool.launch.platform_keys import FetchJson, PlatformKeys
from lti_tool.launch.registry import Registry
from lti_tool.launch.state import Launches, Logins, Proofs
from lti_tool.launch.tool_keys import ToolKeys

EXTENSION = "waymark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything a request may need.

    ``origin`` is where browsers reach Waymark, from the settings and never from the Host header.
    """

    container: Container
    origin: str
    registry: Registry
    logins: Logins
    launches: Launches
    proofs: Proofs
    doors: Doors
    platform_keys: PlatformKeys
    tool_keys: ToolKeys
    offers: NoticeOffers

    @property
    def engine(self) -> Engine:
        """The database."""
        return self.container.engine

    def now(self) -> datetime:
        """The present moment."""
        return self.container.now()


def make_services(container: Container, fetch_key_set: FetchJson) -> Services:
    """The services of a process; opens nothing yet."""
    return Services(
        container=container,
        origin=container.settings.public_url,
        registry=Registry(container.engine, container.now),
        logins=Logins(container.redis),
        launches=Launches(container.redis),
        proofs=Proofs(container.redis),
        doors=Doors(container.now),
        platform_keys=PlatformKeys(fetch_key_set, container.now),
        tool_keys=ToolKeys(container.key_ring),
        offers=NoticeOffers(container.engine),
    )


def services() -> Services:
    """The services of the app that serves this request."""
    return cast("Services", current_app.extensions[EXTENSION])
