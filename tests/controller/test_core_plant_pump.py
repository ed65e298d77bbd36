"""The circulation pump and the backup heater: after-run, frost, exercise over restarts, lockout."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from config.site import Exercise, Generator, HeatPump, Plant
from controller.core.heating.plant_pump import backup_lead, exercise_at, pump_lead
from controller.core.journal import Saved
from controller.core.rooms import Lead, PlantMemory
from tests.controller.field import Field
from tests.controller.plants import ENABLE, PUMP, rooms, school, slot, weather
from tests.controller.towns import at

BOILER = Plant(exercise=Exercise())
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NOW = at("2026-01-17 12:00")


def runs(
    memory: PlantMemory, outdoor_c: float | None, hours: float, plant: Plant = BOILER
) -> list[tuple[datetime, datetime]]:
    """When the pump runs while nothing heats, minute by minute."""
    found: list[tuple[datetime, datetime]] = []
    now, began = NOW, None
    for _ in range(round(hours * 60)):
        lead = pump_lead("ecole", plant, memory, heats=False, outdoor_c=outdoor_c, now=now)
        memory = replace(memory, pump=lead, pump_ran=now if lead.value else memory.pump_ran)
        if lead.value and began is None:
            began = now
        if not lead.value and began is not None:
            found.append((began, now))
            began = None
        now += MINUTE
    return found if began is None else [*found, (began, now)]


def test_mild_weather_leaves_it_standing_and_hard_frost_keeps_it_running() -> None:
    stood = PlantMemory(pump_ran=NOW - 3 * HOUR)
    assert runs(stood, 4.0, 24) == []
    assert runs(stood, -8.0, 24) == [(NOW, NOW + 24 * HOUR)]


@pytest.mark.parametrize("outdoor_c", [0.5, -4.9, None])
def test_light_frost_and_unknown_weather_move_the_water_every_six_hours(outdoor_c: float | None) -> None:
    found = runs(PlantMemory(pump_ran=NOW - 3 * HOUR), outdoor_c, 24)
    assert found[0][0] == NOW + 3 * HOUR
    assert all(end - start == 10 * MINUTE for start, end in found)
    assert all(abs(b[0] - a[1] - timedelta(hours=6)) <= MINUTE for a, b in pairwise(found))
    assert len(found) == 4


def test_a_pump_that_stood_a_week_turns_for_a_minute_and_the_fleet_not_at_once() -> None:
    found = runs(PlantMemory(pump_ran=NOW), 15.0, 24 * 8)
    assert len(found) == 1
    start, end = found[0]
    assert end - start == MINUTE
    assert timedelta(hours=162) <= start - NOW <= timedelta(hours=168)
    fleet = {exercise_at(f"ecole-{n}", Exercise(), NOW, NOW) for n in range(50)}
    assert len(fleet) > 40
    assert max(fleet) - min(fleet) > timedelta(hours=4)
    assert max(fleet) <= NOW + timedelta(hours=168)


def test_without_the_rule_nothing_is_exercised() -> None:
    assert runs(PlantMemory(pump_ran=NOW), 15.0, 24 * 9, Plant()) == []


def test_it_runs_with_the_boiler_and_ten_minutes_after_it() -> None:
    field = school("2026-01-12 10:00", 18.0, 8.0, BOILER)
    field.advance(10 * MINUTE)
    assert (slot(field, ENABLE), slot(field, PUMP)) == (1.0, 1.0)
    rooms(field, 21.0)
    field.advance(MINUTE)
    assert (slot(field, ENABLE), slot(field, PUMP)) == (0.0, 1.0)
    field.advance(9 * MINUTE)
    assert slot(field, PUMP) == 1.0
    field.advance(MINUTE)
    assert slot(field, PUMP) == 0.0


def kept(field: Field) -> dict[str, str]:
    """What the store has of a field."""
    found: dict[str, str] = {}
    for step in field.steps:
        found |= {name: text for name, text in step.journal.kept.items() if text is not None}
    return found


def test_the_week_goes_on_over_a_restart() -> None:
    field = school("2026-06-15 12:00", 22.0, 20.0, BOILER)
    field.advance(timedelta(hours=2), timedelta(minutes=10))
    again = school("2026-06-22 05:00", 22.0, 20.0, BOILER, Saved(kept=kept(field)))
    again.advance(timedelta(hours=8), MINUTE)
    turned = [write for write in again.writes_of("ecole") if write.point.point == "boiler.pump" and write.value == 1.0]
    assert len(turned) == 1
    fresh = school("2026-06-22 05:00", 22.0, 20.0, BOILER)
    fresh.advance(timedelta(hours=8), MINUTE)
    assert all(write.value == 0.0 for write in fresh.writes_of("ecole") if write.point.point == "boiler.pump")


def test_a_pump_that_ran_by_a_clock_that_was_ahead_is_exercised_by_the_one_of_now() -> None:
    field = school("2026-08-15 12:00", 22.0, 20.0, BOILER)
    field.advance(timedelta(hours=2), timedelta(minutes=10))
    again = school("2026-06-15 12:00", 22.0, 20.0, BOILER, Saved(kept=kept(field)))
    again.until(at("2026-06-22 13:00"), timedelta(minutes=10))
    turned = [write for write in again.writes_of("ecole") if write.point.point == "boiler.pump" and write.value == 1.0]
    assert len(turned) == 1


def test_frost_outside_turns_the_pump_of_a_building_that_wants_no_heat() -> None:
    field = school("2026-01-17 12:00", 12.0, 5.0, BOILER)
    field.advance(10 * MINUTE)
    assert slot(field, PUMP) == 0.0
    weather(field, -7.0)
    field.advance(MINUTE)
    assert (slot(field, PUMP), slot(field, ENABLE)) == (1.0, 0.0)


LOCKOUT = [
    # outdoor, may run now, may run then
    (-5.5, None, True),
    (-4.5, None, False),
    (-4.5, True, True),
    (-3.9, True, False),
    (-4.5, False, False),
    (-5.1, False, True),
    (None, False, True),
]


@pytest.mark.parametrize(("outdoor_c", "before", "after"), LOCKOUT)
def test_the_backup_heater_is_locked_out_in_mild_weather(
    outdoor_c: float | None, before: bool | None, after: bool
) -> None:
    lead = None if before is None else Lead(float(before), "", NOW - HOUR)
    found = backup_lead(HeatPump(backup_below_c=-5.0), lead, outdoor_c, NOW)
    assert bool(found.value) is after
    assert found.since == (NOW - HOUR if before is after else NOW)


def test_a_boiler_has_no_backup_heater_to_lead() -> None:
    field = school("2026-01-12 10:00", 18.0, 8.0, BOILER)
    assert field.state.plants["ecole"].backup is None
    pump = school("2026-01-12 10:00", 18.0, 8.0, Plant(Generator.HEAT_PUMP))
    backup = pump.state.plants["ecole"].backup
    assert backup is not None
    assert backup.value == 0.0
