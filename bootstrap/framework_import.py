"""Bringing competency frameworks in from an LMS that keeps some: Moodle.

Reading again brings a framework up to date; what it no longer holds is archived, never deleted.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bootstrap.container import Container
from connectors.errors import ConnectorError
from connectors.framework_files import FetchedFile, Marks, fetch_file
from connectors.moodle import competencies
from connectors.moodle.competencies import MoodleFramework
from connectors.platform import PlatformKind
from mapping.records import Framework
from store import frameworks
from store.framework_imports import Brought, bring_in
from store.frameworks import SavedFramework
from store.policy_changes import Author
from store.registrations import Platform
from store.session import writing

__all__ = [
    "Import",
    "ImportRefused",
    "Marks",
    "MoodleFramework",
    "fetched",
    "offered_frameworks",
    "preview",
    "save",
]

COMMAND = "waymark framework"


class ImportRefused(Exception):  # noqa: N818 - named for what happened
    """A framework cannot be brought in; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A framework as it would come, and what saving it changes."""

    framework: Framework
    saved: SavedFramework


def offered_frameworks(container: Container, platform: Platform) -> Sequence[MoodleFramework]:
    """The frameworks that a platform has.

    Args:
        container: What to work with.
        platform: Which.

    Returns:
        Frameworks in the LMS's order, hidden ones included.

    Raises:
        ImportRefused: It is no Moodle, or does not answer.
    """  # noqa: DOC502 - raised by _require_moodle() and _told()
    _require_moodle(platform)
    with _told():
        return competencies.frameworks(container.webservice(platform.id))


def preview(container: Container, platform: Platform, framework: MoodleFramework) -> Import:
    """Read a framework and try what saving it would change; nothing is kept.

    Raises:
        ImportRefused: The platform does not answer, or the framework is empty.
    """  # noqa: DOC502 - raised by _read()
    read = _read(container, platform, framework)
    with writing(container.engine) as connection:
        saved = frameworks.save_framework(connection, platform.tenant, read)
        connection.rollback()
    return Import(framework=read, saved=saved)


def save(
    container: Container, platform: Platform, framework: MoodleFramework, *, by: str = COMMAND
) -> Import:
    """Read a framework and keep it, as a version by whoever brings it in.

    Raises:
        ImportRefused: The platform does not answer, or the framework is empty.
    """  # noqa: DOC502 - raised by _read()
    read = _read(container, platform, framework)
    with writing(container.engine) as connection:
        saved = bring_in(
            *(connection, platform.tenant, read),
            brought=Brought(source=platform.name, form="moodle"),
            author=Author(by=by, at=container.now()),
        )
    return Import(framework=read, saved=saved)


def fetched(container: Container, url: str, known: Marks) -> FetchedFile | None:
    """A framework's file from an address; None where it is what it was.

    Raises:
        ImportRefused: It cannot be had; the message says why.
    """  # noqa: DOC502 - raised by _told()
    with _told():
        return fetch_file(
            url,
            known,
            public_url=container.settings.public_url,
            private_networks=container.settings.private_networks,
        )


def _read(container: Container, platform: Platform, framework: MoodleFramework) -> Framework:
    with _told():
        read = competencies.read_framework(container.webservice(platform.id), framework)
    if not read.competencies:
        # Saved, it would archive everything that an earlier import brought.
        raise ImportRefused(
            f'{platform.name} shows no competency in "{framework.title}", so nothing was '
            "changed. If it holds some, its service user's role lacks "
            "moodle/competency:competencyview."
        )
    return read


def _require_moodle(platform: Platform) -> None:
    if PlatformKind(platform.kind) is not PlatformKind.MOODLE:
        raise ImportRefused(
            f"{platform.name} keeps no competency frameworks: only Moodle does. Put the "
            "framework's CASE file into the district file instead."
        )


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except ConnectorError as error:
        raise ImportRefused(str(error)) from error
