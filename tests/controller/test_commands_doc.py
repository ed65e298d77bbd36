"""The reference of the command line names every verb and option there is, and no other."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from config.load import load_site
from controller.cli import VERBS, cli

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
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


def first_steps() -> list[list[str]]:
    """The commands of README's First steps, as a shell would hand them over."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = text.partition("## First steps\n```\n")[2].partition("```")[0]
    lines = (shlex.split(line, comments=True) for line in block.splitlines())
    return [[word for word in line[1:] if word != "&"] for line in lines if line and line[0] == "veilleuse"]


def test_the_first_steps_of_the_readme_can_be_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    steps = first_steps()
    assert {"init", "run", "rehearse", "export"} <= {verb for verb, *_ in steps}
    (state,) = (words[words.index("--state") + 1] for verb, *words in steps if verb == "run")
    for verb, *words in steps:
        command = cli.get_command(click.Context(cli), verb)
        assert command is not None
        parsed = command.make_context(verb, list(words)).params
        if verb == "init":
            assert CliRunner().invoke(cli, [verb, *words]).exit_code == 0
        if "state" in parsed:
            assert parsed["state"] == Path(state), f"{verb} looks where the daemon of the first steps keeps its file"
        if verb == "rehearse":
            assert load_site(parsed["site"]).zones, "the town that is rehearsed has heating"
