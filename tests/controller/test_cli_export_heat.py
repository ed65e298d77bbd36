"""``veilleuse export`` of the heating: hours, months, degree-days, savings and classes, beside the daemon's file."""

from __future__ import annotations

import csv
import io
import json
import math
import random
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from config.heating import EnergySource
from config.load import load_site
from controller.cli import cli, export
from controller.cli.export.heat import occupied_in
from controller.core.journal import Journal
from controller.core.metering.hourly import BuildingHour, Energy, Mean, ZoneHour
from controller.core.metering.monthly import month_span
from controller.core.metering.rows import HourRow, MonthSpan, building_row, zone_row
from controller.store.database import Database, Quota
from tests.controller.sites import write_site

PARIS, HOUR = ZoneInfo("Europe/Paris"), timedelta(hours=1)
FIRST, CHANGE, LAST = (datetime(*when, tzinfo=PARIS) for when in ((2024, 9, 1), (2025, 9, 1), (2026, 3, 11)))
ZONE, BUILDING = "zone/ecole.classes", "building/ecole"


def outdoor_c(at: datetime) -> float:
    return (
        11.0
        - 9.0 * math.cos((at.timetuple().tm_yday - 20) * 2 * math.pi / 365)
        - 3.0 * math.cos(at.hour * math.pi / 12)
    )


def evidence() -> tuple[list[HourRow], list[MonthSpan]]:
    """18 months: 30 kWh a day, 2 kW a K below 16 outside; from September 2025 on a quarter less."""
    chance, rows, spans = random.Random(7), list[HourRow](), dict[str, MonthSpan]()
    at = FIRST.astimezone(UTC)
    while at < LAST:
        local = at.astimezone(PARIS)
        cold = outdoor_c(local)
        kwh = (30.0 / 24 + 2.0 * max(0.0, 16.0 - cold)) * (0.75 if local >= CHANGE else 1.0) * chance.uniform(0.8, 1.2)
        energy = Energy("building/ecole/heat_kwh", "heat", 300.0, 1.0, at + HOUR, True, kwh)
        mean = Mean(3600.0, cold * 3600.0, cold, cold)
        below = max(0.0, 18.0 - cold)
        rows.append(
            building_row(BUILDING, BuildingHour(at, at + HOUR, outdoor=mean, degree_h=below, energies=(energy,)))
        )
        due_s = 3600.0 if local.weekday() < 5 and 8 <= local.hour < 17 else 0.0
        room = Mean(3600.0, 19.5 * 3600.0, 19.5, 19.5)
        rows.append(zone_row(ZONE, ZoneHour(at, at + HOUR, temperature=room, occupied_s=due_s), 19.0))
        for target in (ZONE, BUILDING):
            spans.setdefault(f"{target}{local:%Y-%m}", month_span(target, at, PARIS))
        at += HOUR
    return rows, [span for span in spans.values() if span.month != "2026-03"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = write_site(tmp_path_factory.mktemp("bourg") / "site")
    rows, spans = evidence()
    with closing(Database(directory.parent / "bourg.sqlite", Quota())) as file:
        file.commit(Journal(hours=tuple(rows), months=tuple(spans)))
    return directory


def run(site: Path, *arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, ["export", str(site), *arguments, "--state", str(site.parent)])
    assert result.exit_code == code, result.output
    return result


def table(result: Result) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(result.stdout)))


def parsed(result: Result) -> list[dict[str, Any]]:
    found = json.loads(result.stdout)
    assert isinstance(found, list)
    return found


def test_hours_are_those_of_local_days_and_have_the_sites_offset(site: Path) -> None:
    rows = table(run(site, "heat-hours", "--from", "2025-10-26", "--to", "2025-10-26"))
    of_building = [row for row in rows if row["target"] == BUILDING]
    assert len(of_building) == 25, "the day of the clock change"
    assert (of_building[0]["hour"], of_building[-1]["hour"]) == (
        "2025-10-26T00:00:00+02:00",
        "2025-10-26T23:00:00+01:00",
    )
    assert float(of_building[3]["heat_kwh"]) > 0.0
    assert {row["temperature_c"] for row in rows if row["target"] == ZONE} == {"19.5"}
    assert {row["target"] for row in table(run(site, "heat-hours", "--of", "classes", "--from", "2026-03-10"))} == {
        ZONE
    }


def test_months_are_those_that_were_closed_and_the_one_in_progress(site: Path) -> None:
    rows = parsed(run(site, "heat-months", "--json", "--from", "2026-01-01"))
    building = {row["month"]: row for row in rows if row["target"] == BUILDING}
    assert {month: row["closed"] for month, row in building.items()} == {
        "2026-01": True, "2026-02": True, "2026-03": False
    }  # fmt: skip
    hours = table(run(site, "heat-hours", "--of", "building/ecole", "--from", "2026-01-01", "--to", "2026-01-31"))
    by_hour = sum(float(row["heat_kwh"]) for row in hours if row["target"] == BUILDING)
    assert building["2026-01"]["heat_kwh"] == pytest.approx(by_hour, abs=0.01)
    zone = next(row for row in rows if row["target"] == ZONE)
    assert (zone["occupied_h"], zone["occupied_days"], zone["unmeasured_h"]) == (198.0, 22, 0.0)
    assert zone["over_legal_h"] == 0, "19.5 is within what a sensor may be off"


def test_degree_days_by_day_and_month_agree_and_say_where_the_weather_comes_from(site: Path) -> None:
    days = table(run(site, "degree-days", "--by", "day", "--from", "2026-01-01", "--to", "2026-01-31"))
    (month,) = table(run(site, "degree-days", "--from", "2026-01-01", "--to", "2026-01-31"))
    for name in ("degree_days", "meteo", "costic"):
        assert sum(float(day[name]) for day in days) == pytest.approx(float(month[name]), abs=0.2)
    assert (len(days), month["days_known"]) == (31, "31")
    assert month["weather"] == "outdoor.temperature of ecole, own sensor"


def test_savings_against_the_year_before_by_month(site: Path) -> None:
    (report,) = parsed(run(site, "savings", "--of", "ecole", "--from", "2025-09-01", "--json"))
    model = report["baseline"]
    assert (model["periods"], model["from"], model["to"]) == (12, "2024-09", "2025-08")
    assert abs(model["base_c"] - 16) <= 1
    assert report["significant"]
    assert report["periods"] == 6
    truth = report["measured_kwh"] / 0.75 * 0.25
    assert abs(report["saved_kwh"] - truth) < report["margin_kwh"] + 0.02 * truth
    assert report["verdict"] == "significant: 25% saved, at 90 % confidence"
    text = run(site, "savings", "--of", "ecole", "--from", "2025-09-01").stdout
    assert "verdict    significant" in text
    assert "kWh a degree-day below" in text


def test_savings_by_day_and_of_nothing(site: Path) -> None:
    years = ("--baseline", "2024-09-01", "2025-02-28", "--from", "2025-03-01", "--to", "2025-05-31")
    (report,) = parsed(run(site, "savings", "--by", "day", *years, "--json"))
    assert report["baseline"]["periods"] == 181
    assert abs(report["saved_kwh"]) < 2.5 * report["margin_kwh"], "nothing was changed in that spring"
    assert report["night_ratio"] > 1.0, "nothing is set back at night, and nights are cold"


def test_too_short_is_the_verdict_and_no_figure(site: Path) -> None:
    (report,) = parsed(run(site, "savings", "--from", "2025-01-01", "--json"))
    assert report["verdict"].startswith("too short: 4 months")
    assert "saved_kwh" not in report
    assert "too short" in run(site, "savings", "--from", "2025-01-01").stdout


def test_what_no_weather_explains_is_told_with_the_savings(site: Path, tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text("date;building;note\n2025-12-01;ecole;new wing opened\n2025-12-02;mairie;boiler out\n")
    asked = ("savings", "--from", "2025-09-01", "--events", str(file))
    (report,) = parsed(run(site, *asked, "--json"))
    assert report["events"] == [{"date": "2025-12-01", "note": "new wing opened"}]
    assert "event      2025-12-01 new wing opened" in run(site, *asked).stdout
    file.write_text("date;note\n2025-12-01;x\n")
    assert "building" in run(site, *asked, code=1).output


def test_the_log_of_the_hot_water(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site")
    log = [["2026-03-08", 1, 62.1, 75, 51.5], ["2026-03-09", 0, 58.0, 0, None]]
    with closing(Database(tmp_path / "bourg.sqlite", Quota())) as file:
        file.commit(Journal(kept={"hot-water/ecole": json.dumps(log), "hot-water/ecole-2": "[]"}))
    rows = table(run(site, "hot-water-log", "--from", "2026-03-09"))
    assert [(row["day"], row["reached"], row["hottest_c"], row["coolest_c"]) for row in rows] == [
        ("2026-03-09", "False", "58.0", "")
    ]
    assert len(table(run(site, "hot-water-log"))) == 2


def test_a_year_for_a_declaration(site: Path) -> None:
    rows = table(run(site, "operat"))
    (row,) = [row for row in rows if row["year"] == "2025"]
    assert (row["building"], row["energy"], row["months"], row["energy_unknown_h"]) == ("ecole", "heat", "12", "0")
    assert row["energy_kwh"] == row["of_which_heating_kwh"]
    assert (row["occupied_days"], row["degree_days_known"]) == ("261", "365")
    assert float(row["occupied_h"]) == pytest.approx(261 * 9.5)


def test_occupied_hours_of_zones_are_those_of_any_of_them(site: Path) -> None:
    zone = load_site(site, {}).zones["ecole.classes"].occupancy
    week = (date(2026, 1, 12), date(2026, 1, 18))
    occupied_h, days = occupied_in([zone, zone], week)
    assert occupied_h == pytest.approx(47.5)
    assert days == 5
    assert occupied_in([], week) == (0.0, 0)


def test_the_classes_are_told_with_what_holds_them_back(site: Path) -> None:
    text = run(site, "iso52120").stdout
    assert text.startswith("ecole: class B at best, not known: 1.3, 1.4, 1.6, held back by ")
    assert "self-declared from the configuration, no certificate" in text
    (found,) = parsed(run(site, "iso52120", "--json"))
    functions = {each["function"]: each for each in found["functions"]}
    assert functions["1.5"]["class"] == "B"
    assert functions["1.3"]["class"] == "?"
    assert {row["function"] for row in table(run(site, "iso52120", "--csv"))} == set(functions)


WRONG = [
    (
        ("heat-hours", "--night", "2026-01-01"),
        2,
        "--night does not go with heat-hours, which takes --from, --to, --of and",
    ),
    (("heat-hours", "--energy", "gas"), 2, "--energy does not go with heat-hours"),
    (("heat-months", "--by", "day"), 2, "--by does not go with heat-months"),
    (("iso52120", "--from", "2026-01-01"), 2, "--from does not go with iso52120, which takes --of and"),
    (("degree-days", "--energy", "gas"), 2, "--energy does not go with degree-days"),
    (("operat", "--baseline", "2025-01-01", "2025-02-01"), 2, "--baseline does not go with operat"),
    (("savings", "--energy", "gaz"), 2, "'gaz' is not one of 'electricity', 'gas', 'heat', 'oil', 'wood'"),
    (("energy", "--of", "ecole"), 2, "--of does not go with energy"),
    (("heat-hours", "--of", "ecolle"), 1, "did you mean"),
    (("degree-days", "--of", "classes"), 1, "is a zone"),
    (("iso52120", "--of", "mairie"), 1, "no such building"),
    (("heat-months", "--from", "2030-01-01"), 1, "nothing was kept"),
]


@pytest.mark.parametrize(("arguments", "code", "words"), WRONG)
def test_what_cannot_be_told_is_said(site: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    assert words in run(site, *arguments, code=code).output


def test_classes_need_no_file(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site")
    run(site, "iso52120")
    assert "does not exist" in run(site, "heat-hours", code=1).output


def test_every_export_knows_what_it_takes() -> None:
    assert {"proofs", "energy", "readings", *export.HEAT_KINDS} == set(export._TAKES)
    assert get_args(EnergySource) == export._ENERGIES
