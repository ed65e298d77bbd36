"""``veilleuse rehearse``: the report a day and zone, the rules, and what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from controller.cli import cli
from tests.controller.sites import write_site

DAYS = ("--from", "2027-01-12", "--to", "2027-01-13")


def rehearse(directory: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["rehearse", str(directory), *words])


@pytest.fixture(scope="module")
def gentle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A school that takes its time for the preheat: warm whatever the weather."""
    directory = write_site(tmp_path_factory.mktemp("gentle") / "site")
    file = directory / "site.yaml"
    text = (
        file.read_text(encoding="utf-8")
        .replace("cap: 3h", "cap: 8h")
        .replace("minutes_per_k: 20", "minutes_per_k: 150")
    )
    file.write_text(text, encoding="utf-8")
    return directory


@pytest.fixture(scope="module")
def facts(gentle: Path) -> dict[str, Any]:
    done = rehearse(gentle, *DAYS, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.output)
    return found


def test_every_day_of_a_zone_has_its_opening(facts: dict[str, Any]) -> None:
    (zone,) = facts["zones"]
    assert zone["target"] == "zone/ecole.classes"
    assert [day["date"] for day in zone["days"]] == ["2027-01-12", "2027-01-13"]
    for day in zone["days"]:
        (opening,) = day["openings"]
        assert opening["at"] == f"{day['date']}T08:00:00+01:00"
        assert opening["met"] is True
        assert opening["temperature_c"] >= 18.5
        assert opening["preheat"] < opening["at"]
        assert opening["early_min"] > 0
        assert day["lowest_c"] < opening["temperature_c"]


def test_energy_is_told_a_day_and_building(facts: dict[str, Any]) -> None:
    (building,) = facts["buildings"]
    assert building["target"] == "building/ecole"
    assert [day["date"] for day in building["days"]] == ["2027-01-12", "2027-01-13"]
    assert all(day["energy_kwh"] > 10 for day in building["days"])


def test_the_heat_of_a_zone_on_another_device_is_its_buildings_too(tmp_path: Path) -> None:
    def kwh(text: str) -> float:
        directory = write_site(tmp_path / "site")
        (directory / "site.yaml").write_text(text, encoding="utf-8")
        done = rehearse(directory, "--from", "2027-01-12", "--to", "2027-01-12", "--json")
        (building,) = json.loads(done.output)["buildings"]
        return float(building["days"][0]["energy_kwh"])

    alone = (write_site(tmp_path / "site") / "site.yaml").read_text(encoding="utf-8")
    device = '  - {id: halle, bus: gtb, address: "127.0.0.1:47997", instance: 1202, profile: generic-thermostat}\n'
    zone = "      - {id: halle, device: halle, number: 1, occupancy: ecole, allures: {comfort: 19, reduced: 16}}\n"
    both = alone.replace("lamp_types:\n", f"{device}lamp_types:\n") + zone
    assert kwh(both) > kwh(alone) + 100.0


def test_all_rules_are_told_and_lighting_is_not_rehearsed(facts: dict[str, Any]) -> None:
    rules = {rule["rule"]: rule["held"] for rule in facts["rules"]}
    assert rules == {
        "never below frost": True,
        "legal caps": True,
        "warm at the opening: zone/ecole.classes": True,
    }
    assert facts["not_rehearsed"] == ["lighting"]


def test_the_text_says_what_is_not_rehearsed_and_that_the_rules_hold(gentle: Path) -> None:
    done = rehearse(gentle, *DAYS)
    assert done.exit_code == 0
    assert "lighting is not rehearsed yet" in done.output
    assert "zone/ecole.classes  2 of 2 openings within 0.5 K" in done.output
    assert "held    warm at the opening: zone/ecole.classes  2 of 2 openings" in done.output


def test_a_cold_monday_breaks_a_rule(tmp_path: Path) -> None:
    directory = write_site(tmp_path / "site")
    file = directory / "site.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("36h, minutes_per_k: 20", "1h, minutes_per_k: 5"))
    done = rehearse(directory, "--from", "2027-01-16", "--to", "2027-01-18")
    assert done.exit_code == 1
    assert "BROKEN  warm at the opening: zone/ecole.classes  0 of 1 openings" in done.output
    assert "  cold" in done.output


def test_a_comfort_above_the_law_breaks_a_rule(gentle: Path, tmp_path: Path) -> None:
    directory = write_site(tmp_path / "site")
    text = (gentle / "site.yaml").read_text(encoding="utf-8").replace("comfort: 19", "comfort: 21")
    (directory / "site.yaml").write_text(text, encoding="utf-8")
    done = rehearse(directory, "--from", "2027-01-12", "--to", "2027-01-12", "--json")
    (law,) = (rule for rule in json.loads(done.output)["rules"] if rule["rule"] == "legal caps")
    assert done.exit_code == 1
    assert law["held"] is False
    assert "building/ecole on Tue 2027-01-12 " in law["detail"]
    assert "the law allows 19.0" in law["detail"]


HEAT_PUMP = ("  - id: ecole\n    zones:", "  - id: ecole\n    plant: {generator: heat-pump}\n    zones:")
REDUCED = ("reduced: 16", "reduced: 17")
LAWFUL = {
    "17 in nights of 14.5 h": ([REDUCED], True, ""),
    "a heat pump's 17 in such nights": ([HEAT_PUMP], True, ""),
    "17 in a vacancy of 38.5 h": (
        [REDUCED, ('mon-fri: ["08:00-17:30"]', 'tue: ["08:00-17:30"], thu: ["08:00-17:30"]')], False,
        "building/ecole on Tue 2027-01-12 17:30: setpoints mean 17.0 degrees, the law allows 16.0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAWFUL)
def test_a_reduced_setpoint_is_judged_by_the_length_of_the_vacancy(gentle: Path, tmp_path: Path, name: str) -> None:
    changes, held, detail = LAWFUL[name]
    directory = write_site(tmp_path / "site")
    text = (gentle / "site.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (directory / "site.yaml").write_text(text, encoding="utf-8")
    done = rehearse(directory, *DAYS, "--json")
    (law,) = (rule for rule in json.loads(done.output)["rules"] if rule["rule"] == "legal caps")
    assert (law["held"], law["detail"]) == (held, detail)


def test_the_table_has_a_line_a_day_and_zone(gentle: Path, tmp_path: Path) -> None:
    file = tmp_path / "days.csv"
    done = rehearse(gentle, *DAYS, "--csv", str(file))
    assert done.exit_code == 0
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert [(row["date"], row["zone"], row["openings"], row["met"]) for row in rows] == [
        ("2027-01-12", "ecole.classes", "1", "1"),
        ("2027-01-13", "ecole.classes", "1", "1"),
    ]


WRONG = [
    (("--from", "2027-01-13", "--to", "2027-01-12"), "--to lies before --from"),
    (("--from", "2027-01-13"), "Missing option '--to'"),
    (("--from", "2027-01-13", "--to", "2030-01-13"), "at most 400 days"),
    ((*DAYS, "--json", "--csv", "-"), "only one of --json and --csv -"),
]


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_wrong_usage_is_told(gentle: Path, words: tuple[str, ...], message: str) -> None:
    done = rehearse(gentle, *words)
    assert done.exit_code == 2
    assert message in done.output


def test_a_site_without_heating_has_nothing_to_rehearse(tmp_path: Path) -> None:
    directory = write_site(tmp_path / "site")
    file = directory / "site.yaml"
    file.write_text(file.read_text(encoding="utf-8").partition("buildings:")[0], encoding="utf-8")
    done = rehearse(directory, *DAYS)
    assert done.exit_code == 1
    assert "nothing to rehearse" in done.output
