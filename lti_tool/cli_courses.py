"""What commands about courses share: which course is meant, and who gives the command."""

import getpass

import click

from bootstrap.container import Container
from lti_tool.cli_context import printable
from mapping.records import TenantId
from store import ways
from store.mapping_drafts import Editor
from store.policy_changes import Author
from store.session import reading
from store.ways import CourseWay


def author(container: Container, *, reason: str = "") -> Author:
    """Who gives a command, as far as the machine knows."""
    return Author(by=f"command line ({_user()})", at=container.now(), reason=reason)


def editor(container: Container, reason: str = "") -> Editor:
    """Who changes a rule or a mapping set; at a terminal people are told apart by their login."""
    who = author(container, reason=reason)
    return Editor(author=who, key=who.by)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def only_course(course: str | None, school: str | None) -> str:
    """The course that was named, and nothing else.

    Raises:
        UsageError: Neither a course nor a school was named, or both.
    """
    if course is None or school is not None:
        raise click.UsageError("Name a course, or a school with --school.")
    return course


def course_named(container: Container, tenant: TenantId, called: str) -> CourseWay:
    """The course that is meant.

    Raises:
        ClickException: There is none, or several.
    """
    with reading(container.engine) as connection:
        found = ways.course_ways(connection, tenant, called=called)
    # A number may be another course's code, too.
    exact = [one for one in found if str(one.id) == called] or found
    if len(exact) == 1:
        return exact[0]
    if not found:
        raise click.ClickException(f'There is no course "{called}"; see waymark passback list.')
    lines = ", ".join(f"{one.id} ({printable(one.title)}, {one.platform})" for one in found)
    raise click.ClickException(
        f'Several courses are called "{called}". Name one by number: {lines}'
    )
