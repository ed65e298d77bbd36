"""What of the EnergyPlus comparison runs without EnergyPlus: the text of a model, its site, its figures."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from bench.energyplus.building import HotWaterLoop, Schedule, commanded_in
from bench.energyplus.idf import Model, only_what_is_asked, run_between
from bench.energyplus.tally import Tally, is_open
from bench.energyplus.town import hours, site_of, zone_of
from bench.energyplus.weather import Station

TEXT = """\
! a comment; with, marks
  Version,25.2;
  SimulationControl,
    YES,                     !- Do Zone Sizing Calculation
    YES, YES, YES, NO, YES,
    1;                       !- Maximum Number of HVAC Sizing Simulation Passes
  RunPeriod, annual, 1, 1, , 12, 31, , Sunday, No, No, No, Yes, Yes;
  RunPeriodControl:DaylightSavingTime, 2nd Sunday in March, 1st Sunday in November;
  RunPeriodControl:SpecialDays, MLK Day, 3rd Monday in January, 1, Holiday;
  Timestep,6;
  Output:Variable,*,Zone Mean Air Temperature,hourly;
  Zone, Attic;
  Zone, Class 1;
  Zone, Class 2;
  Zone, Gym_ZN_1;
  ZoneList, Classes, Class 1, Class 2;
  ZoneControl:Thermostat, T1, CLASSES, Sched, ThermostatSetpoint:DualSetpoint, SP1;
  ZoneControl:Thermostat, T2, Gym_ZN_1, Sched, ThermostatSetpoint:DualSetpoint, SP2;
  Schedule:Compact, HW-Temp, Temperature, Through: 12/31, For: AllDays, Until: 24:00, 67.0;
  SetpointManager:Scheduled, M1, Temperature, HW-temp, Heat Out;
  SetpointManager:Scheduled, M2, Temperature, HW-Temp, Boiler Out;
  Boiler:HotWater, The Boiler, NaturalGas, AUTOSIZE;
  Branch, Pump Branch, , Pump:VariableSpeed, The Pump, Heat In, Pump Out;
  Branch, Boiler Branch, , Boiler:HotWater, The Boiler, Pump Out, Boiler Out;
  Branch, Tap Branch, , WaterHeater:Mixed, Heater, A, B;
  BranchList, Tap Supply, Tap Branch;
  BranchList, Heat Supply, Pump Branch, Boiler Branch;
  PlantLoop, Taps, Water, , S, Tap Out, 60, 10, A, 0, A, I, O, Tap Supply;
  PlantLoop, Heat, Water, , S, Heat Out, 100, 10, A, 0, A, I, O, heat supply;
"""
CHICAGO = Station("Chicago", 41.98, -87.92, -6.0)


def test_a_model_is_read_and_written_without_loss() -> None:
    model = Model(TEXT)
    assert model.entries == Model(model.text()).entries
    assert model.of("timestep")[0].fields == ["6"]
    assert model.steps_per_hour == 6


def test_the_run_is_of_the_dates_and_their_weekdays() -> None:
    model = Model(TEXT)
    run_between(model, date(2023, 1, 8), date(2023, 1, 21))
    (period,) = model.of("RunPeriod")
    assert period.fields[1:8] == ["1", "8", "2023", "1", "21", "2023", "Sunday"]
    (control,) = model.of("SimulationControl")
    assert control.fields == ["YES", "YES", "YES", "No", "Yes", "YES", "1"], "how the plant is sized is the model's own"
    assert model.of("RunPeriodControl:DaylightSavingTime") == []
    assert len(model.of("RunPeriodControl:SpecialDays")) == 1


def test_only_reports_are_thrown_out() -> None:
    model = Model(TEXT)
    before = len(model.entries)
    only_what_is_asked(model)
    assert len(model.entries) == before - 1


def test_zones_loop_schedule_and_pumps_are_found_in_the_model() -> None:
    found = commanded_in(Model(TEXT))
    assert found.zones == ("Class 1", "Class 2", "Gym_ZN_1")
    assert found.step_s == 600.0
    schedule = Schedule("Schedule:Compact", "HW-Temp")
    assert found.loop == HotWaterLoop("Heat", ("Heat Out", "Boiler Out"), schedule, ("The Pump",))


def test_a_schedule_that_others_follow_too_is_left_alone() -> None:
    shared = TEXT + "SetpointManager:Scheduled, M3, Temperature, HW-Temp, Tap Out;\n"
    loop = commanded_in(Model(shared)).loop
    assert loop is not None
    assert loop.schedule is None


def test_a_model_without_a_boiler_has_no_loop() -> None:
    without = "\n".join(line for line in TEXT.splitlines() if "Boiler:HotWater, The Boiler, NaturalGas" not in line)
    assert commanded_in(Model(without)).loop is None


def test_one_zone_of_the_site_file_stands_for_all() -> None:
    site = site_of(commanded_in(Model(TEXT)), CHICAGO, hours("mon-fri 07:00-13:00, sat 08:00-12:00"))
    assert list(site.zones) == ["building.class-1", "building.class-2", "building.gym-zn-1"]
    assert [zone.number for zone in site.zones.values()] == [1, 2, 3]
    assert site.buildings["building"].zones == tuple(site.zones)
    points = site.devices["energyplus"].points
    assert {"zone.3.setpoint", "boiler.enable", "boiler.supply-setpoint", "outdoor.temperature"} <= set(points)
    assert "zone.4.setpoint" not in points
    assert site.place.zone.key == "Etc/GMT+6"
    assert set(site.zones["building.class-1"].occupancy.weekly) == {0, 1, 2, 3, 4, 5}


def test_without_a_loop_the_boiler_has_its_meter_alone() -> None:
    found = commanded_in(Model(TEXT.replace("Boiler:HotWater, The Boiler, N", "Chiller:Electric, The Boiler, N")))
    points = site_of(found, CHICAGO).devices["energyplus"].points
    assert [point for point in points if point.startswith("boiler.")] == ["boiler.energy"]


@pytest.mark.parametrize(("offset_h", "key"), [(-6.0, "Etc/GMT+6"), (1.0, "Etc/GMT-1"), (0.0, "Etc/GMT")])
def test_the_clock_of_a_climate_is_its_standard_time(offset_h: float, key: str) -> None:
    zone = zone_of(Station("Somewhere", 0.0, 0.0, offset_h))
    assert zone.key == key
    assert datetime(2023, 7, 1, tzinfo=zone).utcoffset() == timedelta(hours=offset_h)


def test_a_clock_of_half_hours_is_refused() -> None:
    with pytest.raises(ValueError, match="whole hours"):
        zone_of(Station("Delhi", 28.6, 77.2, 5.5))


def test_the_head_of_a_weather_file(tmp_path: Path) -> None:
    file = tmp_path / "x.epw"
    file.write_text("LOCATION,Chicago Ohare Intl Ap,IL,USA,TMY3,725300,41.98,-87.92,-6.0,201.0\nDESIGN\n")
    assert Station.of(file) == Station("Chicago Ohare Intl Ap", 41.98, -87.92, -6.0)


HOURS = [("09 08:00", True), ("09 16:59", True), ("09 17:00", False), ("09 07:59", False), ("08 12:00", False)]


@pytest.mark.parametrize(("when", "opened"), HOURS)
def test_hours_begin_with_the_opening_and_end_before_the_closing(when: str, opened: bool) -> None:
    assert is_open(hours("mon-fri 08:00-17:00"), datetime.fromisoformat(f"2023-01-{when}")) is opened


def test_figures_by_hand() -> None:
    tally = Tally(hours("mon-fri 08:00-09:00"), 20.0, 1800.0)
    monday = datetime.fromisoformat("2023-01-09")
    tally.add(monday, [15.0, 14.0], [15.0, 15.0], -5.0, 10.0)  # the step that ended at midnight is Sunday's
    tally.add(monday + timedelta(hours=8), [18.0, 16.0], [19.0, 17.0], -3.0, 25.0)  # 1 K and 3 K for half an hour
    tally.add(monday + timedelta(hours=8.5), [21.0, 20.0], [21.0, 19.0], -1.0, 30.0)  # 0 and 1 K
    tally.add(monday + timedelta(hours=9), [15.0, 15.0], [15.0, 15.0], -2.0, 31.0)  # closed
    sunday, day = tally.days()
    assert (sunday.day, sunday.gas_kwh, sunday.discomfort_kh, sunday.lowest_c) == (date(2023, 1, 8), 10.0, 0.0, 14.0)
    assert (day.gas_kwh, day.discomfort_kh, day.lowest_c, day.outdoor_c) == (21.0, 1.25, 15.0, -2.0)
