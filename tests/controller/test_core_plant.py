"""The heat generator: on and off by the zones' demand, supply by the curve, summer, limits, what a restart leaves."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from config.site import BoostPolicy, Generator, HeatingCurve, HeatPump, Plant
from controller.core.commands import Command
from controller.core.cycle import begin
from controller.core.heating.sensing import outdoors
from controller.core.journal import Saved
from controller.core.report import state_of
from controller.core.state import Draft
from controller.core.wiring import Wiring
from drivers.api import Fault, PointId
from schedules.optimum_start import OUTDOOR_REFERENCE_C, Outdoors
from tests.controller.field import Field, names
from tests.controller.plants import (
    DEVICE,
    ENABLE,
    HEARTBEAT,
    MODE,
    SETPOINT,
    SUPPLY,
    led,
    rooms,
    school,
    slot,
    weather,
)
from tests.controller.rooms import hours
from tests.controller.towns import at

CURVE = HeatingCurve(slope=1.5, minimum_c=25.0, maximum_c=75.0, damping=timedelta(hours=12))
PLANT = Plant(curve=CURVE, summer_above_c=16.0)
PUMP = Plant(Generator.HEAT_PUMP, curve=CURVE, heat_pump=HeatPump(backup_below_c=-5.0))


def building(field: Field) -> dict[str, object]:
    return state_of(field.wiring, field.state, "building/ecole", field.now)


DEMANDS = [
    # when, room, outdoor, enabled, supply
    ("2026-01-12 10:00", 18.0, 0.0, 1.0, 53.0),  # 50 by the curve, 1 K lacks: 3 more
    ("2026-01-12 10:00", 19.6, 0.0, 0.0, 25.0),
    ("2026-01-12 10:00", 10.0, 0.0, 1.0, 75.0),  # 9 K lack: warmed up with all there is
    ("2026-01-12 22:00", 18.0, 0.0, 0.0, 25.0),  # 2 K above the reduced setpoint
    ("2026-01-12 22:00", 15.0, 0.0, 1.0, 45.5),  # reduced: 7.5 lower, 1 K lacks
    ("2026-01-17 12:00", 9.0, 0.0, 0.0, 25.0),  # weekend, frost
    ("2026-01-17 12:00", 7.0, 0.0, 1.0, 25.5),
    ("2026-01-12 10:00", 18.0, 18.0, 0.0, 25.0),  # summer
]


@pytest.mark.parametrize(("when", "room_c", "outdoor_c", "enabled", "supply_c"), DEMANDS)
def test_the_generator_follows_the_zones_and_the_weather(
    when: str, room_c: float, outdoor_c: float, enabled: float, supply_c: float
) -> None:
    field = school(when, room_c, outdoor_c, PLANT)
    field.advance(timedelta(minutes=10))
    assert slot(field, ENABLE) == enabled
    assert slot(field, SUPPLY) == pytest.approx(supply_c, abs=0.5)


def test_a_preheat_and_the_generator_begin_in_the_same_cycle() -> None:
    field = school("2026-01-13 03:00", 17.0, 0.0, PLANT)  # 2 K at 30 min/K: 07:00
    field.until(at("2026-01-13 06:59"))
    assert slot(field, ENABLE) == 0.0
    before = len(field.steps)
    while slot(field, SETPOINT) != 19.0:
        field.advance(timedelta(minutes=1))
    began = next(step for step in field.steps[before:] if any(w.value == 19.0 for w in step.writes))
    assert {(w.point.point, w.value) for w in began.writes} >= {("zone.1.setpoint", 19.0), ("boiler.enable", 1.0)}
    assert building(field)["calling"] == "cantine, classes"


def test_the_water_stays_warm_to_the_end_of_a_preheat_and_follows_the_rooms_after_it() -> None:
    field = school("2026-01-13 06:00", 16.0, 0.0, PLANT)
    field.until(at("2026-01-13 06:40"))
    cold_c = slot(field, SUPPLY)
    rooms(field, 18.4)
    field.until(at("2026-01-13 07:10"))
    assert slot(field, SUPPLY) == cold_c, "3 K at the begin, and taken for 3 K to the last"
    rooms(field, 18.6)
    field.until(at("2026-01-13 07:20"))
    assert float(slot(field, SUPPLY) or 0.0) < float(cold_c or 0.0) - 5.0


def test_after_the_closing_a_warm_building_coasts() -> None:
    field = school("2026-01-12 17:00", 18.8, 0.0, PLANT)
    field.advance(timedelta(minutes=20))
    assert slot(field, ENABLE) == 1.0
    field.until(at("2026-01-12 17:31"))
    assert (slot(field, SETPOINT), slot(field, ENABLE), slot(field, SUPPLY)) == (16.0, 0.0, 25.0)
    rooms(field, 15.8)
    field.advance(timedelta(minutes=30))
    assert slot(field, ENABLE) == 0.0, "0.2 K are no reason to fire"
    rooms(field, 15.6)
    field.advance(timedelta(minutes=1))
    assert slot(field, ENABLE) == 1.0
    rooms(field, 16.1)
    field.advance(timedelta(minutes=30))
    assert slot(field, ENABLE) == 1.0, "nor to stop"
    rooms(field, 16.3)
    field.advance(timedelta(minutes=1))
    assert slot(field, ENABLE) == 0.0


def test_a_zone_whose_temperature_nobody_knows_is_heated_while_people_are_in_or_it_freezes() -> None:
    def blind(field: Field) -> None:
        points = [f"zone.{number}.temperature" for number in (1, 2)]
        field.feed(*(Fault(PointId(DEVICE, point), "no sensor", field.now) for point in points))
        field.now += timedelta(minutes=6)
        field.feed(*(Fault(PointId(DEVICE, point), "no sensor", field.now) for point in points))

    day = school("2026-01-12 10:00", 21.0, 8.0, PLANT)
    blind(day)
    assert slot(day, ENABLE) == 1.0
    assert "its temperature is not known" in str(building(day)["why"])
    mild, frosty = (school("2026-01-12 22:00", 21.0, outdoor_c, PLANT) for outdoor_c in (8.0, -3.0))
    blind(mild)
    blind(frosty)
    assert (slot(mild, ENABLE), slot(frosty, ENABLE)) == (0.0, 1.0)


def test_a_sensor_out_of_service_stops_no_boiler_and_is_told() -> None:
    field = school("2026-01-12 10:00", 18.0, 8.0, PLANT)
    assert slot(field, ENABLE) == 1.0
    field.doubtful.update((DEVICE, f"zone.{number}.temperature") for number in (1, 2))
    rooms(field, 25.0)
    field.advance(timedelta(minutes=10))
    assert slot(field, ENABLE) == 1.0, "as with no sensor at all: people are in"
    assert "its temperature is not known" in str(building(field)["why"])
    alarm = field.state.alarms["zone/ecole.classes", "sensorFault"]
    assert (alarm.raised is not None, alarm.value) == (True, 25.0)
    assert alarm.detail == "out of service or overridden at the device: what it shows is no measurement"
    field.doubtful.clear()
    rooms(field, 19.6)
    field.advance(timedelta(minutes=5))
    assert slot(field, ENABLE) == 0.0
    assert not [event for _, event in field.state.alarms if event == "sensorFault"]


def test_summer_begins_and_ends_with_a_kelvin_between_and_a_hand_is_heated_anyway() -> None:
    field = school("2026-05-11 10:00", 18.0, 15.5, PLANT)
    assert slot(field, ENABLE) == 1.0
    weather(field, 25.0)
    field.advance(timedelta(hours=2), timedelta(minutes=5))
    assert (slot(field, ENABLE), building(field)["summer"]) == (0.0, True)
    command = Command("c1", "zone", "ecole.classes", field.now, value=21.0, lasting=timedelta(hours=1))
    field.feed(command)
    assert slot(field, ENABLE) == 1.0
    field.advance(timedelta(hours=1, minutes=10), timedelta(minutes=5))
    assert slot(field, ENABLE) == 0.0
    weather(field, 14.0)
    field.advance(timedelta(hours=4), timedelta(minutes=5))
    assert building(field).get("summer") is True, "15.4: not yet 1 K below"
    field.advance(timedelta(hours=20), timedelta(minutes=5))
    assert "summer" not in building(field)
    assert [name for name in names(field.events) if name.startswith("summer")] == ["summer-began", "summer-ended"]


def test_a_boost_is_heated_in_summer_too() -> None:
    field = school("2026-05-11 19:00", 15.0, 25.0, PLANT, boost=BoostPolicy())
    field.advance(timedelta(minutes=5))
    assert (slot(field, ENABLE), building(field)["summer"]) == (0.0, True)
    field.feed(Command("b1", "zone", "ecole.classes", field.now, boost=True))
    assert (slot(field, SETPOINT), slot(field, ENABLE), building(field)["calling"]) == (19.0, 1.0, "classes")
    field.advance(timedelta(hours=2, minutes=10), timedelta(minutes=5))
    assert slot(field, ENABLE) == 0.0


def test_a_boiler_runs_five_minutes_at_least_and_stands_three() -> None:
    field = school("2026-01-12 10:00", 18.0, 0.0, PLANT)
    rooms(field, 20.0)
    field.advance(timedelta(minutes=4))
    assert slot(field, ENABLE) == 1.0
    held = [entry for entry in building(field)["why"] if entry["point"] == "boiler.enable"]  # type: ignore[attr-defined]
    assert [(entry["source"], entry["value"]) for entry in held] == [("limit", 1.0), ("plan", 0.0)]
    assert held[0]["reason"] == "least time on of 5 min"
    field.advance(timedelta(minutes=1))
    assert slot(field, ENABLE) == 0.0
    rooms(field, 18.0)
    field.advance(timedelta(minutes=2))
    assert slot(field, ENABLE) == 0.0
    field.advance(timedelta(minutes=1))
    assert slot(field, ENABLE) == 1.0


def test_a_limit_ends_by_the_time_alone() -> None:
    field = school("2026-01-12 10:00", 18.0, 0.0, PLANT)
    rooms(field, 20.0)
    field.advance(timedelta(minutes=1))
    assert field.state.due["plant/ecole"] == at("2026-01-12 10:05")
    field.now = at("2026-01-12 10:05") - timedelta(seconds=15)
    field.poll()
    assert slot(field, ENABLE) == 1.0
    field.now = at("2026-01-12 10:05")
    field.feed()
    assert slot(field, ENABLE) == 0.0


def test_a_heat_pump_starts_three_times_an_hour_and_takes_a_shallow_setback() -> None:
    field = school("2026-01-12 10:00", 18.0, 5.0, PUMP)
    changes = []
    for minute in range(150):
        rooms(field, 20.0 if minute % 2 else 18.0)
        was = slot(field, ENABLE)
        field.advance(timedelta(minutes=1))
        if slot(field, ENABLE) != was:
            changes.append(field.now)
    assert min(b - a for a, b in pairwise(changes)) >= timedelta(minutes=15)
    field.until(at("2026-01-12 20:00"))
    assert slot(field, SETPOINT) == 17.0
    zone = state_of(field.wiring, field.state, "zone/ecole.classes", field.now)
    assert str(zone["reason"]).endswith("heat pump: at most 2 K below comfort")
    field.until(at("2026-01-17 12:00"))
    assert slot(field, SETPOINT) == 8.0, "a weekend is long enough for the deep setback that the law asks for"


def test_a_heat_pump_keeps_no_room_warmer_than_the_law_allows_in_a_vacancy_of_a_day() -> None:
    free_tuesday = hours(mon="08:00-17:30", wed="08:00-17:30", thu="08:00-17:30")
    field = school("2026-01-12 17:00", 18.0, 5.0, PUMP, occupancy=free_tuesday)
    field.until(at("2026-01-12 20:00"))
    assert slot(field, SETPOINT) == 16.0
    field.until(at("2026-01-14 20:00"))
    assert slot(field, SETPOINT) == 17.0, "a night"


def test_starts_are_counted_beyond_the_least_times() -> None:
    quick = HeatPump(min_on=timedelta(minutes=1), min_off=timedelta(minutes=1), starts_per_h=2)
    field = school("2026-01-12 10:00", 18.0, 5.0, Plant(Generator.HEAT_PUMP, heat_pump=quick))
    starts = []
    for minute in range(130):
        rooms(field, 20.0 if minute % 4 < 2 else 18.0)
        was = slot(field, ENABLE)
        field.advance(timedelta(minutes=1))
        if slot(field, ENABLE) == 1.0 != was:
            starts.append(field.now)
    assert len(starts) >= 4
    assert all(c - a >= timedelta(hours=1) for a, c in zip(starts, starts[2:], strict=False))


def test_the_weather_is_damped_and_survives_a_restart() -> None:
    field = school("2026-01-12 10:00", 18.0, 10.0, PLANT)
    weather(field, -2.0)
    field.advance(timedelta(hours=6), timedelta(minutes=5))
    damped = building(field)["outdoor_damped_c"]
    assert damped == pytest.approx(10.0 - 12.0 * 0.3935, abs=0.1)
    kept = {}
    for step in field.steps:
        kept.update({name: text for name, text in step.journal.kept.items() if text is not None})
    again = school("2026-01-12 16:05", 18.0, -2.0, PLANT, Saved(kept=kept))
    assert building(again)["outdoor_damped_c"] == pytest.approx(damped, abs=0.3)


AHEAD = "2026-01-14 10:00"
"""What the gateway's clock said two days too early."""


@pytest.mark.parametrize("plant", [PLANT, Plant(Generator.HEAT_PUMP, heat_pump=HeatPump(starts_per_h=1))])
def test_a_restart_after_the_clock_was_ahead_holds_no_generator(plant: Plant) -> None:
    field = school(AHEAD, 18.0, 5.0, plant)
    field.advance(timedelta(hours=1))
    rooms(field, 20.0)
    field.advance(timedelta(hours=1))
    assert slot(field, ENABLE) == 0.0
    again = school("2026-01-12 10:00", 18.0, 5.0, plant, Saved(kept=field.saved().kept))
    again.advance(timedelta(minutes=15))  # the least time off counts from now
    assert slot(again, ENABLE) == 1.0
    assert building(again)["outdoor_damped_c"] == 5.0


def test_a_lost_outdoor_sensor_is_bridged_then_the_cold_end_of_the_curve_holds() -> None:
    field = school("2026-01-12 10:00", 18.9, 10.0, PLANT)
    point = (DEVICE, "outdoor.temperature")
    field.held[point] = 99.0  # no weather
    field.advance(timedelta(hours=5), timedelta(minutes=5))
    assert slot(field, SUPPLY) == pytest.approx(35.0, abs=1.0)
    field.advance(timedelta(hours=2), timedelta(minutes=5))
    assert slot(field, SUPPLY) == 75.0
    assert "cold end" in str(building(field)["why"])
    assert "outdoor_damped_c" not in building(field)
    field.held[point] = 10.0
    field.advance(timedelta(minutes=5))
    assert slot(field, SUPPLY) == pytest.approx(35.0, abs=1.0)
    assert [name for name in names(field.events) if name.startswith("outdoor")] == [
        "outdoor-sensor-lost", "outdoor-sensor-back"
    ]  # fmt: skip


def test_what_cannot_be_weather_plans_no_preheat_and_a_lost_sensor_is_not_used_for_ever() -> None:
    field = school("2026-01-12 10:00", 18.9, 10.0, PLANT)
    zone = field.wiring.site.zones["ecole.classes"]
    weather(field, 85.0)
    field.advance(timedelta(hours=5), timedelta(minutes=5))
    assert outdoors(field.wiring, Draft(field.state, field.now), zone) == Outdoors(10.0, 10.0), "bridged"
    field.advance(timedelta(hours=2), timedelta(minutes=5))
    reference = Outdoors(OUTDOOR_REFERENCE_C, OUTDOOR_REFERENCE_C)
    assert outdoors(field.wiring, Draft(field.state, field.now), zone) == reference
    rooms(field, 17.0)
    field.advance(timedelta(minutes=5))
    wall = field.state.rooms["ecole.classes"].warmup.wall
    assert wall is not None
    assert wall.outdoor_c == OUTDOOR_REFERENCE_C, "what is learnt from"


def test_the_supply_follows_in_steps_of_a_kelvin() -> None:
    field = school("2026-01-12 10:00", 18.5, 0.0, PLANT)
    for tenth in range(40):
        rooms(field, 18.5 + tenth / 100.0)
        field.advance(timedelta(minutes=1))
    written = [write.value for write in field.writes_of(DEVICE) if write.point.point == "boiler.supply-setpoint"]
    assert written == [51.5, 51.5, 51.5, 50.5], "asserted anew every 15 min, and one step of a kelvin"


def test_the_heartbeat_changes_every_minute() -> None:
    field = school("2026-01-12 10:00", 18.0, 0.0, PLANT)
    seen = []
    for _ in range(6):
        field.advance(timedelta(minutes=1))
        seen.append(slot(field, HEARTBEAT))
    assert seen in ([0.0, 1.0] * 3, [1.0, 0.0] * 3)


def test_the_mode_of_a_zone_follows_its_allure_and_a_hand() -> None:
    field = school("2026-01-12 10:00", 18.0, 0.0, PLANT)
    assert slot(field, MODE) == 1.0
    field.until(at("2026-01-12 17:31"))
    assert slot(field, MODE) == 2.0
    command = Command("c1", "zone", "ecole.classes", field.now, value=21.0, lasting=timedelta(hours=1))
    field.feed(command)
    assert (slot(field, MODE), slot(field, MODE, 10)) == (2.0, 1.0)
    field.advance(timedelta(hours=1, minutes=1))
    assert (slot(field, MODE), slot(field, MODE, 10)) == (2.0, None)
    field.until(at("2026-01-17 12:00"))
    assert slot(field, MODE) == 3.0


def test_a_start_decides_nothing_before_it_has_heard_rooms_and_weather() -> None:
    field = Field(Wiring(led(PLANT)), at("2026-01-12 22:00"))
    field.take(begin(field.wiring, Saved(), field.now))
    field.held = {(DEVICE, point): 0.0 for point in field.wiring.site.devices[DEVICE].points}
    field.feed(field.reading(DEVICE, "boiler.enable"), field.reading(DEVICE, "boiler.supply-setpoint"))
    assert not field.writes_of(DEVICE)
    rooms(field, 18.0)
    field.feed(*(field.reading(DEVICE, point) for point in field.wiring.site.devices[DEVICE].points))
    assert slot(field, ENABLE) == 0.0
    blind = Field(Wiring(led(PLANT)), at("2026-01-12 10:00"))
    blind.take(begin(blind.wiring, Saved(), blind.now))
    for _ in range(3):
        blind.now += timedelta(seconds=29)
        blind.held = {(DEVICE, "boiler.enable"): 0.0}
        blind.feed(blind.reading(DEVICE, "boiler.enable"))
    assert slot(blind, ENABLE) == 1.0, "after a minute the comfort of blind rooms counts"


def test_without_a_curve_the_supply_temperature_stays_the_devices_own() -> None:
    field = school("2026-01-12 10:00", 18.0, 0.0, Plant())
    assert slot(field, SUPPLY) is None
    assert slot(field, ENABLE) == 1.0


@pytest.mark.parametrize("plant", [PLANT, PUMP])
def test_a_clock_set_back_holds_no_generator_until_the_instants_of_before(plant: Plant) -> None:
    field = school("2031-01-14 10:00", 20.0, 0.0, plant)
    field.advance(timedelta(minutes=30))
    assert slot(field, ENABLE) == 0.0
    field.now = at("2026-01-12 10:00")
    rooms(field, 17.0)
    field.advance(timedelta(minutes=20))
    assert slot(field, ENABLE) == 1.0
    field.now -= timedelta(hours=5)
    rooms(field, 20.0)
    field.advance(timedelta(minutes=20))
    assert slot(field, ENABLE) == 0.0
