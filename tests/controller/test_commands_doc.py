"""The reference of the command line names every verb and option there is, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from controller.cli import VERBS, cli

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
SECTIONS = {head.split("\n", 1)[0].strip(): head for head in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]}


def test_every_verb_has_a_section() -> None:
    assert set(SECTIONS) == set(VERBS)


def parameters(command: click.Command) -> list[click.Parameter]:
    """Those of a verb, and of its actions."""
    found = list(command.params)
    if isinstance(command, click.Group):
        context = click.Context(command)
        actions = (command.get_command(context, name) for name in command.list_commands(context))
        found += [each for action in actions if action is not None for each in parameters(action)]
    return found


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_option_is_in_the_usage_of_its_verb(verb: str) -> None:
    command = cli.get_command(click.Context(cli), verb)
    assert command is not None
    options = {name for each in parameters(command) if isinstance(each, click.Option) for name in each.opts}
    usage = " ".join(re.findall(r"^`veilleuse .*`$", SECTIONS[verb], flags=re.MULTILINE))
    assert set(re.findall(r"--[a-z-]+", usage)) == options - {"--help"}
