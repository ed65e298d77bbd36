"""check, init and schema as commands: what they print and how they exit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.starter import example_directory
from controller.cli import cli
from tests.config.conftest import Town


def run(*words: object, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words], env=env)


def test_a_good_site() -> None:
    result = run("check", example_directory("valbourg"), "--on", "2026-11-21")
    assert result.exit_code == 0
    assert result.stdout == "OK valbourg: 48 lamps, 6 segments, 3 cabinets, 2 meters, 4 zones, 0 warnings\n"


def test_warnings_do_not_fail(valbourg: Town) -> None:
    valbourg.change("comfort: 14, reduced: 12", "comfort: 20, reduced: 12")
    result = run("check", valbourg.directory, "--on", "2026-11-21")
    assert result.exit_code == 0
    warning, summary = result.stdout.splitlines()
    assert ": warning: buildings.gymnase" in warning
    assert summary.endswith("4 zones, 1 warning")


def test_json(minimal: Town) -> None:
    minimal.change("unit: 1,", "unit: 999,")
    line, column = minimal.place("999")
    result = run("check", "--json", minimal.directory)
    facts = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (facts["ok"], facts["site"], facts["inventory"]) == (False, None, None)
    assert facts["problems"] == [
        {
            "file": str(minimal.path()), "line": line, "column": column, "severity": "error",
            "message": "devices.cab-mairie.unit: 999 must be at most 247",
        }
    ]  # fmt: skip


def test_a_site_that_does_not_exist(tmp_path: Path) -> None:
    result = run("check", tmp_path / "nowhere")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: no site at {tmp_path / 'nowhere'}: there is no such directory")


def test_the_site_may_come_from_the_environment(minimal: Town) -> None:
    result = run("check", env={"VEILLEUSE_SITE": str(minimal.directory)})
    assert result.exit_code == 0
    assert result.stdout.startswith("OK ma-commune: 4 lamps")


@pytest.mark.parametrize("words", [("check", "--jsn"), ("check", "a", "b"), ("init",), ("schema", "x")])
def test_wrong_usage_exits_2(words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


@pytest.mark.parametrize("verb", ["check", "init", "schema"])
def test_help_has_an_example(verb: str) -> None:
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert f"veilleuse {verb}" in result.stdout.partition("Example:")[2]


def test_init_writes_a_site_that_passes(tmp_path: Path) -> None:
    result = run("init", tmp_path / "town")
    assert result.exit_code == 0
    assert str(tmp_path / "town" / "site.yaml") in result.stdout
    assert run("check", tmp_path / "town").exit_code == 0


def test_init_refuses_what_is_not_empty(minimal: Town) -> None:
    before = minimal.path().read_text(encoding="utf-8")
    result = run("init", minimal.directory, "--example", "valbourg")
    assert result.exit_code == 1
    assert "is not empty" in result.stderr
    assert minimal.path().read_text(encoding="utf-8") == before


def test_init_of_an_unknown_example(tmp_path: Path) -> None:
    result = run("init", tmp_path / "town", "--example", "paris")
    assert result.exit_code == 2
    assert not (tmp_path / "town").exists()


def test_schema_is_json() -> None:
    result = run("schema")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["$schema"].endswith("draft-07/schema#")
