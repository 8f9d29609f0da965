"""What is wrong with a file, told line by line."""

from collections.abc import Sequence


class FileRefused(Exception):  # noqa: N818 - named for what happened
    """A file cannot be used as it is.

    Attributes:
        problems: A sentence each, with the line or element it is about.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        shown = list(problems[:10])
        if len(problems) > len(shown):
            shown.append(f"and {len(problems) - len(shown)} more.")
        super().__init__("\n".join(shown))
        self.problems = tuple(problems)
