"""What `plan`, `explain` and `check` say of legal hours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from controller.cli import cli
from tests.controller.sites import SITE, write_site

DEROGATION = """derogations:
  - {id: fete, groups: place, from: 2026-11-24, to: 2026-11-24, until: "03:00", reference: 2026-114, issuer: préfecture}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The square is a car park of the school and lit all night, beyond the law."""
    directory = write_site(tmp_path / "site")
    text = SITE.format(port=1).replace(
        "lamps: {street: Place}}", "lamps: {street: Place}, legal: {category: car-park, occupancy: ecole}}"
    )
    (directory / "site.yaml").write_text(text + DEROGATION, encoding="utf-8")
    return directory


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_check_exits_with_1(site: Path) -> None:
    result = run("check", str(site), "--on", "2026-11-21")
    assert result.exit_code == 1
    assert (
        "error: groups.place.legal: plan place is lit outside the legal hours of car-park (arrêté du " in result.stdout
    )
    assert "NOT OK" in result.stdout


def test_the_plan_shows_where_it_is_cut_off(site: Path) -> None:
    result = run("plan", str(site), "--on", "2026-11-23", "--days", "2", "--of", "place")
    assert result.exit_code == 0, result.output
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert "group/place  1 lamp, plan place, legal hours car-park" in lines
    assert (
        "19:30 - 07:00    0 %  legal hours of car-park (arrêté du 27 décembre 2018, art. 1 e and 2): "
        "from sunset, off 2h after the activity, on again at 07:00 or 1h before the activity"
    ) in lines
    assert any(line.startswith("03:00 - 07:00    0 %  legal hours of car-park") for line in lines)


def test_explain_names_the_law_the_hours_and_the_derogation(site: Path) -> None:
    result = run("explain", str(site), "l-003", "--at", "2026-11-23T22:00")
    assert result.exit_code == 0, result.output
    assert "wins   12  legal-cap" in result.stdout
    rows = [line.split(maxsplit=1) for line in result.stdout.splitlines() if line.startswith("    ")]
    told = {row[0]: row[1].strip() for row in rows if len(row) > 1}
    assert told["law"].startswith("legal hours of car-park (arrêté du 27 décembre 2018, art. 1 e and 2): from sunset, ")
    assert (
        told["permitted"]
        == "Mon 2026-11-23 16:54 to Mon 2026-11-23 19:30, Tue 2026-11-24 07:00 to Tue 2026-11-24 12:00"
    )
    assert told["activity"] == "of  ecole"


def test_explain_as_json(site: Path) -> None:
    result = run("explain", str(site), "l-003", "--at", "2026-11-25T02:00", "--json")
    found = json.loads(result.stdout)
    assert found["winner"]["source"] == "plan"
    assert found["grounds"]["permitted"][1] == {
        "from": "2026-11-24T19:30:00+01:00",
        "to": "2026-11-25T03:00:00+01:00",
        "derogation": "derogation 2026-114 (préfecture)",
    }
