"""Hours and months on disk: they survive a power cut, old files open, a month is the same however often it is made."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from controller.core.journal import Journal
from controller.core.metering.hourly import BuildingHour, Energy, Mean, OpenHour, Wish, ZoneHour, hour_of
from controller.core.metering.monthly import month_span
from controller.core.metering.rows import HourRow, MonthSpan, building_figures, building_row, zone_figures, zone_row
from controller.store import hours
from controller.store.database import Database, Quota
from controller.store.reading import NoStore, Reading
from tests.controller.test_store import NOW, running

PARIS = ZoneInfo("Europe/Paris")
ZONE, BUILDING = "zone/ecole.classes", "building/ecole"
HOUR = timedelta(hours=1)


def zone(at: datetime, temperature_c: float, seconds: float = 3600.0) -> HourRow:
    mean = Mean(seconds, temperature_c * seconds, temperature_c, temperature_c)
    return zone_row(ZONE, ZoneHour(at, at + HOUR, temperature=mean, occupied_s=1800.0), 19.0)


def building(at: datetime, outdoor_c: float, heat_kwh: float) -> HourRow:
    mean = Mean(3600.0, outdoor_c * 3600.0, outdoor_c, outdoor_c)
    energy = Energy("building/ecole/heat_kwh", "heat", 300.0, 100.0, at + HOUR, True, heat_kwh)
    below = max(0.0, 18.0 - outdoor_c)
    return building_row(BUILDING, BuildingHour(at, at + HOUR, outdoor=mean, degree_h=below, energies=(energy,)))


def january(make: int = 31 * 24) -> list[HourRow]:
    first = datetime(2026, 1, 1, tzinfo=PARIS).astimezone(NOW.tzinfo)
    return [building(first + n * HOUR, 8.0, 2.0) for n in range(make)]


def months(path: Path, target: str) -> dict[str, dict[str, object]]:
    with contextlib.closing(Reading(path)) as file:
        return {month: json.loads(figures) for month, figures in file.months(target, "0001", "9999")}


async def test_the_hour_in_progress_comes_back_as_it_was(tmp_path: Path) -> None:
    start = hour_of(NOW)
    known: dict[str, OpenHour] = {
        ZONE: ZoneHour(start, NOW, 19.0, None, temperature=Mean(60.0, 1140.0, 19.0, 19.0)),
        BUILDING: BuildingHour(start, NOW, 4.5, True, energies=(Energy("m", "gas", 300.0, 12.5, NOW, True, 1.5),)),
    }
    async with running(tmp_path / "a.sqlite") as store:
        await store.write(Journal(open_hours={**known, "zone/gone": ZoneHour(start, NOW)}))
        await store.write(Journal(open_hours={"zone/gone": None}))
    async with running(tmp_path / "a.sqlite") as store:
        assert store.load(NOW).open_hours == known


async def test_an_hour_of_another_version_is_left_out(tmp_path: Path) -> None:
    async with running(tmp_path / "a.sqlite") as store:
        await store.write(Journal(open_hours={ZONE: ZoneHour(NOW, NOW)}))
    with contextlib.closing(sqlite3.connect(tmp_path / "a.sqlite")) as db, db:
        db.execute("""UPDATE open_hour SET state = '{"start": 3}'""")
    async with running(tmp_path / "a.sqlite") as store:
        assert store.load(NOW).open_hours == {}


def test_a_month_is_made_of_its_hours_and_the_same_however_often(tmp_path: Path) -> None:
    span = month_span(BUILDING, datetime(2026, 1, 15, 12, tzinfo=PARIS), PARIS)
    with contextlib.closing(Database(tmp_path / "a.sqlite", Quota())) as file:
        file.commit(Journal(hours=tuple(january())))
        file.commit(Journal(months=(span,)))
        once = months(tmp_path / "a.sqlite", BUILDING)
        file.commit(Journal(months=(span, span)))
    assert months(tmp_path / "a.sqlite", BUILDING) == once
    figures = once["2026-01"]
    assert figures["energy_kwh"] == {"heat": 1488.0}
    assert (figures["degree_days"], figures["degree_days_meteo"], figures["days"]) == (310.0, 310.0, 31)
    assert (figures["hours"], figures["unmeasured_h"], figures["energy_unknown_h"]) == (744, 0.0, {"heat": 0})


def test_of_two_rows_of_one_hour_the_longer_measured_one_stands(tmp_path: Path) -> None:
    at = hour_of(NOW)
    with contextlib.closing(Database(tmp_path / "a.sqlite", Quota())) as file:
        file.commit(Journal(hours=(zone(at, 19.0),)))
        file.commit(Journal(hours=(zone(at, 12.0, 600.0),)))
        file.commit(Journal(hours=(zone(at, 20.0),)))
    with contextlib.closing(Reading(tmp_path / "a.sqlite")) as file:
        ((_, figures),) = file.hours(ZONE, "0001", "9999")
    assert json.loads(figures)[0] == 20.0


@pytest.mark.parametrize("seconds", [(3600, 2), (2, 3600)])
def test_a_building_without_weather_and_a_zone_without_a_sensor_keep_their_full_hour(
    tmp_path: Path, seconds: tuple[int, int]
) -> None:
    start = hour_of(NOW)
    with contextlib.closing(Database(tmp_path / "a.sqlite", Quota())) as file:
        for each in seconds:
            begun, kwh = start + HOUR - timedelta(seconds=each), 40.0 * each / 3600.0
            energy = Energy("building/ecole/heat_kwh", "heat", 300.0, 100.0, start + HOUR, True, kwh)
            of_building = BuildingHour(start, begun, energies=(energy,)).settled(start + HOUR, None, None)
            of_zone = ZoneHour(start, begun, wish=Wish(19.0, "comfort")).settled(start + HOUR, None, None)
            file.commit(Journal(hours=(building_row(BUILDING, of_building), zone_row(ZONE, of_zone, None))))
    with contextlib.closing(Reading(tmp_path / "a.sqlite")) as file:
        ((_, figures),), ((_, zones),) = (list(file.hours(target, "0001", "9999")) for target in (BUILDING, ZONE))
    assert building_figures(figures).energy == {"heat": (40.0, 0.0)}
    assert zone_figures(zones).comfort_s == 3600


def test_only_so_many_hours_and_months_of_each_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hours, "KEEP_HOURS", 48)
    monkeypatch.setattr(hours, "KEEP_MONTHS", 2)
    first = datetime(2026, 1, 1, tzinfo=NOW.tzinfo)
    other = replace(zone(first, 18.0), target="zone/ecole.cantine")
    with contextlib.closing(Database(tmp_path / "a.sqlite", Quota())) as file:
        file.commit(Journal(hours=(other,)))
        for day in range(5):
            file.commit(Journal(hours=tuple(zone(first + (24 * day + n) * HOUR, 19.0) for n in range(24))))
        spans = [
            MonthSpan(ZONE, f"2026-0{n}", "Europe/Paris", "2026-01-01T00:00Z", "2026-01-02T00:00Z") for n in (1, 2, 3)
        ]
        file.commit(Journal(months=tuple(spans)))
    with contextlib.closing(Reading(tmp_path / "a.sqlite")) as file:
        kept = [hour for hour, _ in file.hours(ZONE, "0001", "9999")]
        assert len(list(file.hours("zone/ecole.cantine", "0001", "9999"))) == 1
    assert (len(kept), kept[-1]) == (48, "2026-01-05T23:00Z")
    assert list(months(tmp_path / "a.sqlite", ZONE)) == ["2026-02", "2026-03"]


def test_a_file_of_before_hours_opens_and_says_so_to_readers(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with contextlib.closing(Database(path, Quota())) as old:
        old.commit(Journal(kept={"warmup/x": "{}"}))
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript("DROP TABLE open_hour; DROP TABLE hour; DROP TABLE month; PRAGMA user_version = 5")
    with contextlib.closing(Reading(path)) as file:
        with pytest.raises(NoStore, match="earlier version"):
            list(file.hours(ZONE, "0001", "9999"))
        assert list(file.documents("warmup/")) == [("warmup/x", "{}")]
        assert list(file.documents("warmup/y")) == []
    with contextlib.closing(Database(path, Quota())) as db_file:
        db_file.commit(Journal(hours=(zone(hour_of(NOW), 19.0),)))
        assert db_file.load(NOW).kept == {"warmup/x": "{}"}


async def test_hours_and_months_move_over_from_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    span = month_span(BUILDING, datetime(2026, 1, 15, 12, tzinfo=PARIS), PARIS)
    async with running(path) as store:
        await store.write(Journal(hours=(zone(hour_of(NOW), 19.0), *january(30)), months=(span,)))
    with contextlib.closing(sqlite3.connect(path)) as db:
        (root,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'held'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * 64)
    async with running(path) as store:
        store.load(NOW)
        await store.write(Journal(counters={"a": 1.0}))
    with contextlib.closing(Reading(path)) as reading:
        assert len(list(reading.hours(ZONE, "0001", "9999"))) == 1
        assert len(list(reading.hours(BUILDING, "0001", "9999"))) == 30
    assert list(months(path, BUILDING)) == ["2026-01"]
