"""Names of schools as people type them, on a page or in a command."""

from lti_tool.launch.form import is_plain
from store.schools import NameRefused

LONGEST_NAME = 255
NAME_WRONG = f"A name has at most {LONGEST_NAME} characters, in one line."


def tidy(text: str) -> str:
    """What was typed, each white space within it a single one."""
    return " ".join(text.split())


def can_be_kept(name: str) -> bool:
    """Whether a name can be kept; an empty one, which means none, can."""
    return len(name) <= LONGEST_NAME and is_plain(name)


def school_name(text: str) -> str:
    """The name of a school.

    Raises:
        NameRefused: It is empty, too long or no line.
    """
    name = tidy(text)
    if not name or not can_be_kept(name):
        raise NameRefused(NAME_WRONG)
    return name
