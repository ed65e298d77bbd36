"""Hot water: the daily verdict, the alarm after a day without heat, the shock after a vacancy, a restart."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from config.site import HotWater, Plant
from controller.core.cycle import adopt
from controller.core.diagnostics.scope import orphaned
from controller.core.journal import Saved
from controller.core.report import alarm_of, state_of
from controller.core.wiring import Wiring
from tests.controller.field import Field
from tests.controller.plants import DEVICE, led, school
from tests.controller.test_core_plant_pump import kept
from tests.controller.towns import at, town

PLANT = Plant(hot_water=HotWater(storage_c=60.0, lasting=timedelta(minutes=60), least_c=50.0))
RISK = ("building/ecole", "legionellaRisk")


def tank(field: Field, storage_c: float, return_c: float = 52.0) -> None:
    field.held[DEVICE, "hot-water.storage-temperature"] = storage_c
    field.held[DEVICE, "hot-water.return-temperature"] = return_c


def day(field: Field, hot_min: int) -> None:
    """One day: hot for so long from 02:00 on."""
    midnight = field.now
    tank(field, 56.0)
    field.until(midnight + timedelta(hours=2), timedelta(minutes=5))
    tank(field, 62.5)
    field.advance(timedelta(minutes=hot_min), timedelta(minutes=5))
    tank(field, 56.0)
    field.until(midnight + timedelta(hours=24), timedelta(minutes=5))


def begun(when: str = "2026-01-12 00:00", saved: Saved | None = None) -> Field:
    field = school(when, 19.0, 5.0, PLANT, saved)
    tank(field, 56.0)
    return field


def verdicts(field: Field) -> list[tuple[object, object, object]]:
    days = [event for event in field.events if event.name == "hot-water-day"]
    return [(event.facts["day"], event.facts["reached"], event.facts["distribution_ok"]) for event in days]


def test_a_day_is_good_when_the_storage_was_hot_for_an_hour_without_a_break() -> None:
    field = begun()
    day(field, 65)
    day(field, 50)
    assert verdicts(field) == [("2026-01-12", True, True), ("2026-01-13", False, True)]
    log = json.loads(kept(field)["hot-water/ecole"])
    assert log[0][:2] == ["2026-01-12", 1]
    assert log[0][2] == 62.5
    assert log[1][:2] == ["2026-01-13", 0]


def test_a_cold_return_is_written_down() -> None:
    field = begun()
    tank(field, 56.0, 47.0)
    field.advance(timedelta(minutes=10))
    day(field, 65)
    assert verdicts(field)[0][2] is False


def test_a_day_without_heat_is_an_alarm_and_the_heat_ends_it() -> None:
    field = begun()
    day(field, 65)
    field.advance(timedelta(hours=3), timedelta(minutes=5))
    assert alarm_of(field.state, RISK) is None, "less than a day after the last heat"
    field.advance(timedelta(minutes=15), timedelta(minutes=5))
    raised = alarm_of(field.state, RISK)
    assert raised is not None
    assert raised["severity"] == "major"
    assert "not 60 min at 60 degC since 2026-01-12T02:" in str(raised["detail"])
    tank(field, 63.0)
    field.advance(timedelta(minutes=70), timedelta(minutes=5))
    assert alarm_of(field.state, RISK) is None


WITHOUT_WATER: list[tuple[Plant | None, bool]] = [(None, True), (Plant(), True), (PLANT, False)]


@pytest.mark.parametrize(("plant", "ends"), WITHOUT_WATER, ids=["no plant", "no hot water", "the same"])
def test_a_reload_after_which_nobody_judges_the_water_ends_the_alarm(plant: Plant | None, ends: bool) -> None:
    field = begun()
    field.advance(timedelta(hours=25), timedelta(minutes=5))
    assert alarm_of(field.state, RISK) is not None
    site = led(PLANT)
    site = replace(site, buildings={name: replace(each, plant=plant) for name, each in site.buildings.items()})
    field.wiring = Wiring(site)
    field.take(adopt(field.wiring, field.state, field.now))
    assert (alarm_of(field.state, RISK) is None) is ends


def test_a_reload_after_which_the_storage_has_no_sensor_ends_the_alarm() -> None:
    site = led(PLANT)
    device = site.devices[DEVICE]
    points = {name: point for name, point in device.profile.points.items() if not name.startswith("hot-water.")}
    dry = replace(device, profile=replace(device.profile, points=points), points=())
    assert orphaned(Wiring(replace(site, devices={**site.devices, DEVICE: dry})), RISK)
    assert not orphaned(Wiring(site), RISK)


def test_two_readings_far_apart_prove_nothing_between_them() -> None:
    field = begun()
    tank(field, 63.0)
    field.poll()
    field.now += timedelta(minutes=90)
    field.poll()
    field.until(at("2026-01-13 00:01"), timedelta(minutes=5))
    water = next(event for event in field.events if event.name == "hot-water-day")
    assert water.facts["hot_for_min"] != 90


def test_the_last_heat_survives_a_restart() -> None:
    field = begun()
    day(field, 65)
    again = begun("2026-01-14 00:00", Saved(kept=kept(field)))
    again.advance(timedelta(hours=4), timedelta(minutes=5))
    assert alarm_of(again.state, RISK) is not None
    fresh = begun("2026-01-14 00:00")
    fresh.advance(timedelta(hours=4), timedelta(minutes=5))
    assert alarm_of(fresh.state, RISK) is None


def test_before_the_reopening_a_thermal_shock_is_asked_for_and_the_vacancy_itself_is_no_alarm() -> None:
    zone = town().zones["ecole.classes"]
    empty = replace(zone.occupancy, weekly={0: zone.occupancy.weekly[0]})
    site = led(PLANT, occupancy=empty)
    field = Field(Wiring(site), at("2026-01-13 00:00"))
    tank(field, 30.0)
    field.start()
    field.until(at("2026-01-18 07:00"), timedelta(minutes=9))
    assert not [event for event in field.events if event.name == "thermal-shock"]
    assert alarm_of(field.state, RISK) is None
    field.until(at("2026-01-18 12:00"), timedelta(minutes=9))
    shock = [event for event in field.events if event.name == "thermal-shock"]
    assert len(shock) == 1
    told = state_of(field.wiring, field.state, "building/ecole", field.now)
    assert told["hot_water_advice"] == shock[0].facts["detail"]
    assert "reopens Mon 2026-01-19 08:00" in str(told["hot_water_advice"])
    field.until(at("2026-01-19 08:30"), timedelta(minutes=9))
    assert alarm_of(field.state, RISK) is not None, "reopened, and the storage is still cold"
