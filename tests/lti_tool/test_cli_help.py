"""What ``--help`` shows of every command there is."""

import click
import pytest
from click.testing import CliRunner

from lti_tool.cli import waymark


def _commands(command, path=()):
    yield path
    if isinstance(command, click.Group):
        for name, part in command.commands.items():
            yield from _commands(part, (*path, name))


@pytest.mark.parametrize("path", list(_commands(waymark)), ids=" ".join)
def test_help_says_what_a_command_is_for_and_nothing_of_code(path):
    done = CliRunner().invoke(waymark, [*path, "--help"])

    told = " ".join(done.output.split())
    assert done.exit_code == 0
    assert "Raises:" not in told
    assert "Args:" not in told
    assert "``" not in told
    assert len(told) > len("Usage: waymark")
