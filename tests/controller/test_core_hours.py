"""The evidence of every hour, in virtual time: sums by hand, gaps that stay gaps, energies that are not guessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from config.site import HEAT, LawGuard, Meter, Site
from controller.core.cycle import adopt, cycle
from controller.core.metering.hourly import HOUR, BuildingHour, DaySums, Energy, Mean, ZoneHour, hour_of
from controller.core.metering.rows import (
    BuildingRow,
    HourRow,
    ZoneRow,
    building_figures,
    building_row,
    hour_at,
    zone_figures,
    zone_row,
)
from controller.core.report import state_of
from controller.core.wiring import Wiring
from controller.rehearsal import heating_of
from drivers.api import Fault, PointId
from tests.controller.field import Field
from tests.controller.towns import at, town

CLASSES, ECOLE = "zone/ecole.classes", "building/ecole"
MINUTE = timedelta(minutes=1)


def school() -> Site:
    """The school alone; a reading holds for two minutes."""
    site = heating_of(town())
    return replace(
        site,
        devices={"ecole": site.devices["ecole"]},
        groups={},
        lamps={},
        segments={},
        cabinets={},
        meters={},
        plans={},
        timing=replace(site.timing, stale_after_s=120.0),
    )


def field_at(when: str, site: Site | None = None, **held: float) -> Field:
    field = Field(Wiring(site or school()), at(when))
    warm = {"zone.1.temperature": 19.0, "zone.2.temperature": 19.0, "outdoor.temperature": 6.0}
    for point, value in {**warm, **{name.replace("__", "."): value for name, value in held.items()}}.items():
        field.held["ecole", point.replace("_", "-")] = value
    field.start()
    return field


def rows_of(field: Field, target: str) -> list[HourRow]:
    return [row for step in field.steps for row in step.journal.hours if row.target == target]


def zones(field: Field, target: str = CLASSES) -> dict[str, ZoneRow]:
    return {row.hour: zone_figures(row.figures) for row in rows_of(field, target)}


def buildings(field: Field) -> dict[str, BuildingRow]:
    return {row.hour: building_figures(row.figures) for row in rows_of(field, ECOLE)}


def hold(field: Field, point: str, value: float) -> None:
    field.held["ecole", point] = value


def test_an_hour_is_the_mean_over_its_time_of_what_was_heard() -> None:
    field = field_at("2026-01-13 10:00")  # 09:00 UTC, Tuesday
    field.advance(timedelta(minutes=15))
    hold(field, "zone.1.temperature", 20.0)
    hold(field, "zone.1.heating", 40.0)
    field.advance(timedelta(minutes=46))
    row = zones(field)["2026-01-13T09:00Z"]
    # 19.0 for 16 min (heard anew each minute, the new value at 10:16), then 20.0 for 44 min
    assert row.temperature_c == pytest.approx((19.0 * 16 + 20.0 * 44) / 60, abs=0.005)
    assert (row.lowest_c, row.highest_c, row.measured_s) == (19.0, 20.0, 3600)
    assert row.heating_pct == pytest.approx(40.0 * 44 / 60, abs=0.05)
    assert (row.setpoint_c, row.comfort_s, row.occupied_s, row.occupied_measured_s) == (19.0, 3600, 3600, 3600)
    assert (row.reduced_s, row.frost_s, row.off_s, row.deficit_kh, row.cap_c) == (0, 0, 0, 0.0, 19.0)


def test_allures_and_occupied_time_change_at_the_minute_they_do() -> None:
    field = field_at("2026-01-13 17:00")
    hold(field, "zone.1.temperature", 18.0)
    field.advance(timedelta(minutes=61))
    row = zones(field)["2026-01-13T16:00Z"]
    assert (row.comfort_s, row.reduced_s, row.occupied_s) == (1800, 1800, 1800)
    assert row.setpoint_c == pytest.approx((19.0 + 16.0) / 2)
    # 19.0 in the first minute, then 1 K short of 19 for 29 min; after 17:30 nobody is due
    assert row.deficit_kh == pytest.approx(29 / 60, abs=0.001)
    assert row.occupied_c == pytest.approx((19.0 + 18.0 * 29) / 30, abs=0.01)


def test_what_nobody_heard_is_not_measured_and_never_nothing() -> None:
    field = field_at("2026-01-13 10:00")
    field.advance(timedelta(minutes=20))
    field.silent.add("ecole")
    field.advance(timedelta(minutes=20))
    field.silent.clear()
    field.advance(timedelta(minutes=21))
    row, building = zones(field)["2026-01-13T09:00Z"], buildings(field)["2026-01-13T09:00Z"]
    stale_s = field.wiring.stale_after("ecole", "zone.1.temperature")
    assert row.measured_s == pytest.approx(3600 - 20 * 60, abs=stale_s + 61)
    assert (row.temperature_c, row.lowest_c) == (19.0, 19.0)
    assert row.comfort_s == 3600, "what is commanded is known all the time"
    assert building.outdoor_c == 6.0
    assert building.measured_s < 2700


def test_a_faulty_sensor_is_not_measured() -> None:
    field = field_at("2026-01-13 10:00")
    broken = Fault(PointId("ecole", "zone.1.temperature"), "no-sensor", field.now)
    for _ in range(61):
        field.now += MINUTE
        inbox = [field.reading("ecole", point) for point in field.wiring.site.devices["ecole"].points]
        field.feed(*(each for each in inbox if each.point.point != "zone.1.temperature"), replace(broken, at=field.now))
    row = zones(field)["2026-01-13T09:00Z"]
    assert row.measured_s <= 60
    assert zones(field, "zone/ecole.cantine")["2026-01-13T09:00Z"].measured_s == 3600
    assert row.heating_s == 3600


@pytest.mark.parametrize(("shown_c", "doubtful"), [(99.0, False), (24.0, True)])
def test_a_sensor_that_is_not_believed_is_no_evidence(shown_c: float, doubtful: bool) -> None:
    field = field_at("2026-01-13 10:00")
    field.advance(timedelta(minutes=30))
    hold(field, "zone.1.temperature", shown_c)
    if doubtful:
        field.doubtful.add(("ecole", "zone.1.temperature"))
    field.advance(timedelta(minutes=20))
    hold(field, "zone.1.temperature", 19.0)
    field.doubtful.clear()
    field.advance(timedelta(minutes=11))
    row = zones(field)["2026-01-13T09:00Z"]
    assert (row.temperature_c, row.lowest_c, row.highest_c, row.occupied_c) == (19.0, 19.0, 19.0, 19.0)
    assert (row.measured_s, row.occupied_measured_s, row.heating_s) == (40 * 60, 40 * 60, 3600)


@pytest.mark.parametrize("shown_c", [85.0, -60.0])
def test_what_cannot_be_weather_is_no_mild_hour_but_one_not_measured(shown_c: float) -> None:
    field = field_at("2026-01-13 10:00")
    field.advance(timedelta(minutes=30))
    hold(field, "outdoor.temperature", shown_c)
    field.advance(timedelta(minutes=31))
    row = buildings(field)["2026-01-13T09:00Z"]
    assert (row.outdoor_c, row.measured_s) == (6.0, 31 * 60)
    assert row.degree_h == pytest.approx(12.0 * 31 / 60, abs=0.01)


def test_a_whole_hour_that_nobody_saw_has_no_temperature_and_keeps_its_plan() -> None:
    field = field_at("2026-01-13 10:00")
    field.silent.add("ecole")
    field.advance(timedelta(hours=2, minutes=1))
    row = zones(field)["2026-01-13T10:00Z"]
    assert (row.temperature_c, row.measured_s, row.comfort_s) == (None, 0, 3600)
    assert buildings(field)["2026-01-13T10:00Z"].energy == {HEAT: (None, 0.0)}


def test_the_boiler_runs_starts_and_heats() -> None:
    field = field_at("2026-01-13 09:58", boiler__energy=1000.0)
    field.advance(timedelta(minutes=2))
    for minute in range(1, 62):
        hold(field, "boiler.status", 1.0 if 10 <= minute < 25 or 40 <= minute < 50 else 0.0)
        hold(field, "boiler.energy", 1000.0 + 0.5 * minute)
        field.advance(MINUTE)
    row = buildings(field)["2026-01-13T09:00Z"]
    assert (row.run_s, row.run_known_s, row.starts) == (25 * 60, 3600, 2)
    assert row.energy[HEAT][0] == pytest.approx(30.0, abs=0.51)
    assert row.energy[HEAT][1] == 0.0
    assert row.degree_h == pytest.approx(12.0, abs=0.001)


def test_a_counter_that_was_away_over_a_full_hour_gives_its_energy_late_and_none_of_it_twice() -> None:
    field = field_at("2026-01-13 09:58", boiler__energy=1000.0)
    field.advance(timedelta(minutes=32))
    field.silent.add("ecole")
    field.advance(timedelta(hours=1))
    field.silent.clear()
    hold(field, "boiler.energy", 1042.0)
    field.advance(timedelta(minutes=91))
    by_hour = {hour: row.energy[HEAT] for hour, row in buildings(field).items()}
    assert by_hour["2026-01-13T09:00Z"] == (None, 0.0)
    assert by_hour["2026-01-13T10:00Z"] == (None, 42.0)
    assert by_hour["2026-01-13T11:00Z"] == (0.0, 0.0)


def test_a_counter_that_begins_anew_takes_nothing_away() -> None:
    field = field_at("2026-01-13 09:58", boiler__energy=1000.0)
    field.advance(timedelta(minutes=22))
    hold(field, "boiler.energy", 0.0)
    field.advance(timedelta(minutes=10))
    hold(field, "boiler.energy", 3.0)
    field.advance(timedelta(minutes=31))
    assert buildings(field)["2026-01-13T09:00Z"].energy[HEAT] == (3.0, 0.0)


def test_meters_of_a_building_count_by_source_and_two_of_one_source_together() -> None:
    site, cabinet = school(), town().devices["cab-gare"]
    twin = replace(cabinet, id="cab-2")
    site = replace(
        site,
        devices={"ecole": site.devices["ecole"], "cab-gare": cabinet, "cab-2": twin},
        groups={}, lamps={}, segments={}, cabinets={}, plans={},
        meters={
            "gas-1": Meter("gas-1", "cab-gare", building="ecole", energy="gas"),
            "gas-2": Meter("gas-2", "cab-2", building="ecole", energy="gas"),
        },
    )  # fmt: skip
    field = field_at("2026-01-13 09:58", site)
    field.advance(timedelta(minutes=32))
    field.held["cab-gare", "meter.energy"], field.held["cab-2", "meter.energy"] = 5.0, 7.0
    field.advance(timedelta(minutes=31))
    assert buildings(field)["2026-01-13T09:00Z"].energy == {HEAT: (0.0, 0.0), "gas": (12.0, 0.0)}


def test_a_counter_without_a_gap_loses_nothing_to_another_of_its_source_that_has_one() -> None:
    start = datetime.fromisoformat("2026-01-13T09:00:00+00:00")
    sound = Energy("gas-1", "gas", 300.0, 100.0, start, True).read(105.0, start + 59 * MINUTE)
    gone = Energy("gas-2", "gas", 300.0, 200.0, start, False).read(203.0, start + 59 * MINUTE)
    heat = Energy("boiler", HEAT, 300.0, 0.0, start, True).read(2.0, start + 59 * MINUTE)
    for both in ((sound, gone), (gone, sound)):
        hour = BuildingHour(start, start, energies=(heat, *(each.closed(start + HOUR) for each in both)))
        energy = building_figures(building_row(ECOLE, hour).figures).energy
        assert energy == {HEAT: (2.0, 0.0), "gas": (None, 8.0)}
        assert dict(DaySums("2026-01-13").plus(hour).energy_kwh) == {HEAT: 2.0, "gas": 8.0}


def test_a_power_cut_costs_what_was_not_kept_and_says_so() -> None:
    field = field_at("2026-01-13 09:58", boiler__energy=1000.0)
    field.advance(timedelta(minutes=22))
    saved = replace(field.saved(), open_hours=dict(field.state.hours))
    again = Field(field.wiring, field.now + timedelta(minutes=10), held=dict(field.held))
    again.held["ecole", "boiler.energy"] = 1004.0
    again.start(saved)
    again.advance(timedelta(minutes=31))
    row, building = zones(again)["2026-01-13T09:00Z"], buildings(again)["2026-01-13T09:00Z"]
    assert (row.measured_s, row.comfort_s, row.occupied_s) == (3000, 3000, 3000)
    assert building.energy[HEAT] == (4.0, 0.0), "a counter needs nobody to watch it within the hour"
    assert building.measured_s == 3000


def test_a_start_in_a_later_hour_closes_the_one_that_was_open() -> None:
    field = field_at("2026-01-13 09:58", boiler__energy=1000.0)
    field.advance(timedelta(minutes=22))
    saved = replace(field.saved(), open_hours=dict(field.state.hours))
    again = Field(field.wiring, at("2026-01-13 14:30"), held=dict(field.held))
    again.held["ecole", "boiler.energy"] = 1100.0
    again.start(saved)
    again.until(at("2026-01-13 15:01"), MINUTE)
    assert list(zones(again)) == ["2026-01-13T09:00Z", "2026-01-13T13:00Z"], "no row for what nobody saw"
    assert zones(again)["2026-01-13T09:00Z"].measured_s == 1200
    assert zones(again)["2026-01-13T13:00Z"].measured_s == 1800
    energies = [row.energy[HEAT] for row in buildings(again).values()]
    assert energies == [(None, 0.0), (None, 100.0)]


def test_a_clock_set_back_closes_and_begins_and_does_not_count_twice() -> None:
    field = field_at("2026-01-13 10:00")
    field.advance(timedelta(minutes=30))
    field.now -= timedelta(hours=1)
    field.poll()
    field.advance(timedelta(minutes=31))
    measured = {hour: row.measured_s for hour, row in zones(field).items()}
    assert measured["2026-01-13T09:00Z"] == 1800
    assert measured["2026-01-13T08:00Z"] <= 1800
    assert all(hour_at(hour).minute == 0 for hour in measured)


def test_a_zone_that_is_gone_leaves_nothing_open() -> None:
    field = field_at("2026-01-13 10:00")
    site = field.wiring.site
    zones_left = {key: zone for key, zone in site.zones.items() if key != "ecole.cantine"}
    building = replace(site.buildings["ecole"], zones=("ecole.classes",))
    step = adopt(
        Wiring(replace(site, zones=zones_left, buildings={"ecole": building})), field.state, field.now + MINUTE
    )
    assert step.journal.open_hours["zone/ecole.cantine"] is None
    assert set(step.state.hours) == {CLASSES, ECOLE}


def test_a_day_and_a_month_end_at_local_midnight() -> None:
    field = field_at("2026-01-31 22:30", boiler__energy=10.0)
    field.until(at("2026-01-31 23:20"))
    hold(field, "boiler.energy", 16.0)
    field.until(at("2026-02-01 00:05"))
    months = {span.target: span for step in field.steps for span in step.journal.months}
    assert set(months) == {CLASSES, "zone/ecole.cantine", ECOLE}
    span = months[ECOLE]
    assert (span.month, span.first, span.last) == ("2026-01", "2025-12-31T23:00Z", "2026-01-31T23:00Z")
    (event,) = [each for each in field.events if each.name == "heating-day"]
    assert (event.target, event.facts["day"], event.facts["day_heat_kwh"]) == (ECOLE, "2026-01-31", 6.0)
    assert event.facts["day_degree_days"] is None, "an hour and a half is no day"
    told = state_of(field.wiring, field.state, ECOLE, field.now)
    assert (told["day"], told["day_heat_kwh"]) == ("2026-01-31", 6.0)


def test_a_whole_day_has_degree_days() -> None:
    field = field_at("2026-01-13 00:00")
    field.until(at("2026-01-14 00:01"), timedelta(minutes=1))
    (event,) = [each for each in field.events if each.name == "heating-day"]
    assert event.facts["day_degree_days"] == pytest.approx(12.0, abs=0.01)
    assert len(zones(field)) == 24


def test_a_tick_without_news_changes_no_hour() -> None:
    field = field_at("2026-01-13 10:00")
    step = cycle(field.wiring, field.state, [], field.now + timedelta(seconds=10))
    assert step.state.hours is field.state.hours
    assert not step.journal


CAPS = [
    ("2026-01-13 10:00", 19.0),  # occupied
    ("2026-01-13 20:00", 19.0),  # a night is no vacancy of 24 h
    ("2026-01-17 10:00", 8.0),  # a weekend is over 48 h
    ("2026-01-16 17:00", 19.0),  # the hour in which they leave
]


@pytest.mark.parametrize(("when", "cap_c"), CAPS)
def test_the_legal_temperature_of_an_hour_is_the_most_lenient_of_it(when: str, cap_c: float) -> None:
    field = field_at(when)
    field.advance(timedelta(minutes=61))
    assert next(iter(zones(field).values())).cap_c == cap_c


def test_without_the_law_there_is_no_cap() -> None:
    site = school()
    site = replace(site, buildings={"ecole": replace(site.buildings["ecole"], law=LawGuard.OFF)})
    field = field_at("2026-01-13 10:00", site)
    field.advance(timedelta(minutes=61))
    assert next(iter(zones(field).values())).cap_c is None


def test_rows_read_back_as_they_were_written_and_shorter_ones_of_before() -> None:
    start = datetime.fromisoformat("2026-01-13T09:00:00+00:00")
    zone = zone_row(CLASSES, ZoneHour(start, start + HOUR, temperature=Mean(3600.0, 3600.0 * 18.5, 18.0, 19.0)), 19.0)
    row = zone_figures(zone.figures)
    assert (row.temperature_c, row.lowest_c, row.measured_s, row.cap_c) == (18.5, 18.0, 3600, 19.0)
    assert zone_figures("[18.5]").cap_c is None
    assert building_figures(building_row(ECOLE, BuildingHour(start, start)).figures).energy == {}
    assert hour_at(zone.hour) == start == hour_of(start + timedelta(minutes=59))
    with pytest.raises(TypeError):
        zone_figures("{}")
