"""``veilleuse plan``: the JSON contract, the page of text, the CSV, and what is said about a wrong question."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from config.starter import example_directory
from controller.cli import cli
from tests.controller.sites import write_site

VALBOURG = Path(__file__).resolve().parents[2] / "config" / "examples" / "valbourg"
PARIS = ZoneInfo("Europe/Paris")
TARGETS = ["group/rues", "group/place", "segment/s-1", "segment/s-2", "segment/twin", "zone/ecole.classes"]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path / "site")


def run(site: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["plan", str(site), *arguments])


def rows(site: Path, *arguments: str) -> list[dict[str, Any]]:
    result = run(site, *arguments, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert isinstance(found, list)
    return found


def hours(row: dict[str, Any]) -> timedelta:
    return datetime.fromisoformat(row["to"]).astimezone(UTC) - datetime.fromisoformat(row["from"]).astimezone(UTC)


def test_json_is_the_contract(site: Path) -> None:
    found = rows(site, "--on", "2026-11-23")
    lighting = {"target", "from", "to", "level", "reason"}
    heating = {"target", "from", "to", "setpoint_c", "allure", "reason"}
    assert list(dict.fromkeys(row["target"] for row in found)) == TARGETS
    assert all(set(row) == (heating if row["target"].startswith("zone/") else lighting) for row in found)
    assert [row for row in found if row["target"] == "group/rues"][1:4] == [
        {
            "target": "group/rues",
            "from": "2026-11-23T17:04:53+01:00",
            "to": "2026-11-23T22:30:00+01:00",
            "level": 100.0,
            "reason": "plan rues: sunset+10m (default)",
        },
        {
            "target": "group/rues",
            "from": "2026-11-23T22:30:00+01:00",
            "to": "2026-11-24T00:30:00+01:00",
            "level": 60.0,
            "reason": "plan rues: 22:30 (default)",
        },
        {
            "target": "group/rues",
            "from": "2026-11-24T00:30:00+01:00",
            "to": "2026-11-24T05:00:00+01:00",
            "level": 0.0,
            "reason": "plan rues: 00:30 (default)",
        },
    ]


@pytest.mark.parametrize(
    ("on", "days", "length_h", "ends"),
    [
        ("2026-10-24", 1, 25, ("2026-10-24T12:00:00+02:00", "2026-10-25T12:00:00+01:00")),
        ("2027-03-27", 1, 23, ("2027-03-27T12:00:00+01:00", "2027-03-28T12:00:00+02:00")),
        ("2026-12-24", 9, 216, ("2026-12-24T12:00:00+01:00", "2027-01-02T12:00:00+01:00")),
        ("2028-02-28", 2, 48, ("2028-02-28T12:00:00+01:00", "2028-03-01T12:00:00+01:00")),
    ],
)
@pytest.mark.parametrize("town", ["own", "valbourg"])
def test_json_covers_the_window_without_a_gap(
    site: Path, town: str, on: str, days: int, length_h: int, ends: tuple[str, str]
) -> None:
    found = rows(site if town == "own" else VALBOURG, "--on", on, "--days", str(days))
    for _, each in groupby(found, key=lambda row: row["target"]):
        stretches = list(each)
        assert (stretches[0]["from"], stretches[-1]["to"]) == ends
        assert all(before["to"] == after["from"] for before, after in pairwise(stretches))
        assert all(hours(row) > timedelta() for row in stretches)
        assert sum(map(hours, stretches), timedelta()) == timedelta(hours=length_h)


def test_the_default_is_noon_of_today_to_the_next(site: Path) -> None:
    before = datetime.now(UTC).astimezone(PARIS).date()
    found = rows(site, "--of", "rues")
    after = datetime.now(UTC).astimezone(PARIS).date()
    start = datetime.fromisoformat(found[0]["from"])
    assert start.date() in (before, after)
    assert (start.hour, start.minute, start.second) == (12, 0, 0)
    assert datetime.fromisoformat(found[-1]["to"]).date() == start.date() + timedelta(days=1)


@pytest.mark.parametrize(
    ("target", "shown"),
    [("zone/ecole.classes", "zone/ecole.classes"), ("classes", "zone/ecole.classes"), ("l-003", "group/place")],
)
def test_of_shows_one_target(site: Path, target: str, shown: str) -> None:
    assert {row["target"] for row in rows(site, "--of", target)} == {shown}


def test_the_page_has_a_block_with_the_hours_lit_and_in_the_cut(site: Path) -> None:
    result = run(site, "--on", "2026-11-23", "--of", "rues")
    assert result.stdout == (
        "Bourg, Mon 2026-11-23 12:00 to Tue 2026-11-24 12:00 (Europe/Paris)\n"
        "\n"
        "group/rues  3 lamps, plan rues\n"
        "  Mon 2026-11-23  program coupure (default)\n"
        "    12h   15h   18h   21h   00h   03h   06h   09h\n"
        "    ..........###########6666.........666666........\n"
        "    12:00 - 17:04    0 %  plan rues: off until sunset+10m (default)\n"
        "    17:04 - 22:30  100 %  plan rues: sunset+10m (default)\n"
        "    22:30 - 00:30   60 %  plan rues: 22:30 (default)\n"
        "    00:30 - 05:00    0 %  plan rues: 00:30 (default)\n"
        "    05:00 - 08:06   60 %  plan rues: 05:00 (default)\n"
        "    08:06 - 12:00    0 %  plan rues: off after sunrise-10m (default)\n"
        "  lit 10 h 32 min, dark in the cut 4 h 30 min\n"
    )


def test_the_page_of_a_zone_over_the_clock_change(site: Path) -> None:
    lines = run(site, "--on", "2026-10-24", "--days", "2", "--of", "classes").stdout.splitlines()
    assert lines[2:] == [
        "zone/ecole.classes  occupancy ecole",
        "  Sat 2026-10-24",
        "    12h   15h   18h   21h   00h     03h   06h   09h",
        "    ffffffffffffffffffffffffffffffffffffffffffffffffff",
        "    12:00 - 12:00     frost 8.0 °C  vacant 63.5 h until Mon 08:00",
        "  Sun 2026-10-25",
        "    12h   15h   18h   21h   00h   03h   06h   09h",
        "    fffffffffffffffffffffffffffffffffCCCCCCCCCCCCCCC",
        "    12:00 - 04:20     frost 8.0 °C  vacant 63.5 h until Mon 08:00",
        (
            "    04:20 - 08:00  comfort 19.0 °C  optimum start for the opening on Mon 08:00: "
            "no temperature, 3 h 40 predicted (20 min/K, nothing learnt)"
        ),
        "    08:00 - 12:00  comfort 19.0 °C  weekly mon-fri 08:00-17:30",
        "  frost 41 h 20 min, comfort 7 h 40 min",
    ]


def test_the_cut_is_counted_night_by_night(site: Path) -> None:
    lines = run(site, "--on", "2026-11-23", "--days", "5", "--of", "rues").stdout.splitlines()
    assert lines[-1].endswith("dark in the cut 22 h 30 min")
    assert run(site, "--on", "2026-11-28", "--of", "rues").stdout.endswith("dark in the cut 0 h 00 min\n")


def test_csv_has_the_rows_of_the_json(site: Path, tmp_path: Path) -> None:
    file = tmp_path / "plan.csv"
    result = run(site, "--on", "2026-11-23", "--csv", str(file))
    expected = rows(site, "--on", "2026-11-23")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"{file}: {len(expected)} lines\n")
    text = file.read_text(encoding="utf-8")
    assert text.splitlines()[0] == "target,from,to,level,setpoint_c,allure,reason"
    read = [{name: value for name, value in row.items() if value} for row in csv.DictReader(io.StringIO(text))]
    assert read == [{name: str(value) for name, value in row.items()} for row in expected]
    assert run(site, "--on", "2026-11-23", "--csv", "-").stdout == text


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--of", "group/ruse"], 1, "no such target: 'group/ruse'; did you mean \"group/rues\"?"),
        (["--of", "clases"], 1, 'did you mean "classes"?'),
        (["--of", "zzz"], 1, "no such target: 'zzz'\n"),
        (["--csv", "/nowhere/plan.csv"], 1, "/nowhere/plan.csv cannot be written: No such file or directory"),
        (["--on", "tomorrow"], 2, "'tomorrow'"),
        (["--on", "2026-02-30"], 2, "'2026-02-30'"),
        (["--on", "9999-12-31"], 2, "the year 9999 is not within 1970 to 2199"),
        (["--on", "0001-01-01"], 2, "the year 1 is not within 1970 to 2199"),
        (["--days", "0"], 2, "--days"),
    ],
)
def test_a_wrong_question_is_answered_in_words(site: Path, arguments: list[str], code: int, words: str) -> None:
    result = run(site, *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr


def test_a_wrong_site_is_told_with_its_place(site: Path) -> None:
    file = site / "site.yaml"
    file.write_text(file.read_text().replace("default: pleine", "default: plein"))
    result = run(site)
    assert result.exit_code == 1
    assert f"{file}:2" in result.stderr
    assert 'did you mean "pleine"?' in result.stderr


def test_a_year_out_of_reach_is_wrong_usage_for_the_picture_too() -> None:
    found = CliRunner().invoke(cli, ["plan", str(example_directory("minimal")), "--on", "9999-12-31", "--svg", "-"])
    assert found.exit_code == 2
    assert "Traceback" not in found.output
