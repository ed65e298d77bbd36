"""The simulator's heating behind the plant seam: points by profile, slots, refusals, and weeks that repeat."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.load import load_site
from config.site import Site
from config.starter import example_directory
from controller.rehearsal import Plant, Rehearsal, heating_of
from sim.plant import SimulatedPlant
from tests.controller.towns import at

START = datetime(2026, 1, 11, 23, tzinfo=UTC)
SCHOOL, GYM = "ecole-jaures", "gymnase"


@pytest.fixture(scope="module")
def site() -> Site:
    return load_site(example_directory("valbourg"), {})


def plant(site: Site, seed: int = 1) -> SimulatedPlant:
    return SimulatedPlant(site, seed=seed, start=START)


def test_it_is_a_plant(site: Site) -> None:
    seen: Plant = plant(site)
    assert seen.now == START


def test_points_are_found_through_the_profile(site: Site) -> None:
    seen = plant(site)
    for device in (SCHOOL, GYM):
        values = {point: seen.read(device, point) for point in site.devices[device].points}
        assert None not in values.values(), values
    room_c = seen.town.buildings[SCHOOL].zones[2].temperature_c
    assert seen.read(SCHOOL, "zone.2.temperature") == room_c


@pytest.mark.parametrize(("device", "point"), [("nobody", "zone.1.temperature"), (SCHOOL, "zone.99.temperature")])
def test_what_does_not_exist_has_no_value(site: Site, device: str, point: str) -> None:
    seen = plant(site)
    seen.write(device, point, 20.0, 13)
    assert (seen.read(device, point), seen.slots(device, point)) == (None, {})


def test_a_commandable_setpoint_has_slots_and_moves_the_room(site: Site) -> None:
    seen = plant(site)
    before = seen.read(SCHOOL, "zone.1.temperature")
    seen.write(SCHOOL, "zone.1.setpoint", 22.0, 13)
    seen.write(SCHOOL, "zone.1.setpoint", 20.0, 8)
    assert seen.slots(SCHOOL, "zone.1.setpoint") == {8: 20.0, 13: 22.0}
    assert seen.read(SCHOOL, "zone.1.setpoint") == 20.0
    seen.write(SCHOOL, "zone.1.setpoint", None, 8)
    seen.step(6 * 3600.0)
    after = seen.read(SCHOOL, "zone.1.temperature")
    assert before is not None
    assert after is not None
    assert after > before + 1.0
    assert seen.now == START + timedelta(hours=6)
    assert seen.energy_kwh(SCHOOL) > 0.0


def test_a_setpoint_without_a_priority_array_stays_as_written(site: Site) -> None:
    seen = plant(site)
    seen.write(GYM, "zone.1.setpoint", 18.0, 13)
    seen.write(GYM, "zone.1.setpoint", None, 13)
    assert (seen.read(GYM, "zone.1.setpoint"), seen.slots(GYM, "zone.1.setpoint")) == (18.0, {})


@pytest.mark.parametrize("value", [4.0, 31.0])
def test_what_the_device_would_refuse_is_not_done(site: Site, value: float) -> None:
    seen = plant(site)
    seen.write(SCHOOL, "zone.1.setpoint", value, 13)
    seen.write(SCHOOL, "outdoor.temperature", 20.0, 13)
    assert seen.slots(SCHOOL, "zone.1.setpoint") == {}
    assert seen.read(SCHOOL, "outdoor.temperature") == seen.town.buildings[SCHOOL].outdoor_c


def test_a_faulty_point_has_no_value(site: Site) -> None:
    seen = plant(site)
    (sensor,) = (each for each in seen.town.objects[SCHOOL] if each.key == "analog-input,1")
    sensor.fault = True
    assert seen.read(SCHOOL, "zone.1.temperature") is None


PEOPLE = [
    # when, school's classes, canteen, gym
    ("2026-01-13 07:44", 0.0, 0.0, 0.0),
    ("2026-01-13 08:00", 0.5, 0.0, 0.0),
    ("2026-01-13 12:00", 1.0, 1.0, 0.0),
    ("2026-01-13 17:15", 0.5, 0.0, 1.0),
    ("2026-01-13 17:30", 0.0, 0.0, 1.0),
    ("2026-01-17 12:00", 0.0, 0.0, 1.0),  # Saturday
    ("2026-02-17 12:00", 0.0, 0.0, 0.0),  # holidays of zone B, a Tuesday
    ("2026-02-17 19:00", 0.0, 0.0, 1.0),
    ("2026-05-14 19:00", 0.0, 0.0, 0.0),  # Ascension Day
]


@pytest.mark.parametrize(("when", "classes", "canteen", "gym"), PEOPLE)
def test_people_come_by_the_hours_and_calendars_of_their_zone(
    site: Site, when: str, classes: float, canteen: float, gym: float
) -> None:
    town = SimulatedPlant(site, seed=1, start=at(when)).town
    school = town.people.at(SCHOOL, town.now)
    assert school == {1: pytest.approx(classes), 2: pytest.approx(classes), 3: pytest.approx(canteen)}
    assert town.people.at(GYM, town.now) == {1: pytest.approx(gym)}


@pytest.mark.parametrize(("day", "seen"), [("2026-02-06", [1.0, 1.0, 0.0]), ("2026-02-17", [0.0, 0.0, 0.0])])
def test_detectors_see_the_people_of_their_own_zone_and_nobody_in_the_holidays(
    site: Site, day: str, seen: list[float]
) -> None:
    running = SimulatedPlant(site, seed=1, start=at(f"{day} 08:50"))
    running.step(600.0)
    assert [running.read(SCHOOL, f"presence.{number}.detected") for number in (1, 2, 3)] == seen


def traced(site: Site, seed: int) -> Mapping[str, list[Any]]:
    running = Rehearsal(heating_of(site), plant(site, seed), 300.0)
    running.begin()
    running.until(START + timedelta(days=1))
    return running.traces


def test_the_same_seed_gives_the_same_day_and_another_seed_another(site: Site) -> None:
    first = traced(site, 1)
    assert first == traced(site, 1)
    assert first != traced(site, 2)


def test_the_core_warms_the_school_for_its_opening(site: Site) -> None:
    running = Rehearsal(heating_of(site), plant(site), 120.0)
    running.begin()
    running.until(START + timedelta(days=1))
    openings = {event.target: event.facts for event in running.events if event.name == "opening"}
    assert set(openings) >= {f"zone/{SCHOOL}.classes", f"zone/{SCHOOL}.maternelle"}
    assert all(isinstance(facts["temperature_c"], float) for facts in openings.values())
