"""The acceptance: five different mistakes in one site, all five named with file, line and column in one run."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from config.load import SiteError, load_site
from controller.cli import cli
from tests.config.conftest import Town


@pytest.fixture
def broken(valbourg: Town) -> Town:
    valbourg.change("armoires: {driver: modbus}", "armoires: {driver: modbus, tpc: 127.0.0.1}")
    valbourg.change('"23:30": 30', '"25:30": 30')
    valbourg.change("default: ville", "default: vile")
    valbourg.change("l-020,Avenue", "l-019,Avenue", "lamps.csv")
    valbourg.change("2027-05-01,2027-05-01", "2027-05-01,2027-04-01", "calendars/feries.csv")
    return valbourg


def test_all_five_are_named_at_their_place(broken: Town) -> None:
    site, problems = broken.check()
    assert site is None
    assert [(p.file.removeprefix(f"{broken.directory}/"), p.line, p.column) for p in problems] == [
        ("site.yaml", *broken.place("tpc:")),
        ("site.yaml", *broken.place('"25:30"')),
        ("site.yaml", *broken.place("vile")),
        ("calendars/feries.csv", 17, 12),
        ("lamps.csv", 22, 1),
    ]
    messages = [problem.message for problem in problems]
    assert messages[0].startswith('buses.armoires.tpc: unknown key; did you mean "tcp"? allowed: ')
    assert messages[1].startswith("programs.centre.levels.25:30: '25:30' is no time of day")
    assert messages[2].startswith('plans.quartiers.default: unknown program "vile"; did you mean "ville"? known: ')
    assert messages[3] == "end: 2027-04-01 is before the start, 2027-05-01"
    assert messages[4] == 'id: lamp "l-019" already exists in line 21'


def test_the_command_line_prints_them_and_exits_1(broken: Town) -> None:
    result = CliRunner().invoke(cli, ["check", str(broken.directory)])
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert len(lines) == 6
    line, column = broken.place("tpc:")
    assert lines[0].startswith(f"{broken.path()}:{line}:{column}: error: buses.armoires.tpc: unknown key")
    assert lines[-1] == f"NOT OK {broken.directory}: 5 errors"


def test_load_site_raises_all_of_them(broken: Town) -> None:
    with pytest.raises(SiteError) as raised:
        load_site(broken.directory, {})
    assert len(raised.value.problems) == 5
    assert str(raised.value).splitlines() == [str(problem) for problem in raised.value.problems]
