"""Zones through the core: allures by occupancy, optimum start, and what a bad sensor may not do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from controller.core.commands import Command
from controller.core.cycle import begin, cycle, farewell
from controller.core.journal import Saved
from controller.core.report import state_of
from controller.core.wiring import Wiring
from controller.rehearsal import heating_of
from drivers.api import Fault, Outcome, PointId, Quality, Reading, WriteResult
from tests.controller.field import Field, names
from tests.controller.towns import at, town

SETPOINT = ("ecole", "zone.1.setpoint")


def school(when: str, temperature_c: float) -> Field:
    field = Field(Wiring(heating_of(town())), at(when))
    field.held["ecole", "zone.1.temperature"] = temperature_c
    field.held["ecole", "zone.2.temperature"] = temperature_c
    field.start()
    return field


WEEK = [
    ("2026-01-12 10:00", 19.0, "comfort"),
    ("2026-01-12 17:29", 19.0, "comfort"),
    ("2026-01-12 17:31", 16.0, "reduced"),
    ("2026-01-16 17:31", 8.0, "frost"),
    ("2026-01-18 23:00", 8.0, "frost"),
]


@pytest.mark.parametrize(("when", "setpoint", "allure"), WEEK)
def test_the_setpoint_follows_the_occupancy(when: str, setpoint: float, allure: str) -> None:
    field = school(when, 19.0)
    zone = state_of(field.wiring, field.state, "zone/ecole.classes", field.now)
    assert (field.slots[SETPOINT][13], zone["allure"]) == (setpoint, allure)


def test_preheat_starts_when_the_room_needs_it_and_lasts_to_the_opening() -> None:
    field = school("2026-01-13 03:00", 16.0)  # 3 K at 30 min/K: 06:30
    field.until(at("2026-01-13 06:29"))
    assert field.slots[SETPOINT][13] == 16.0
    field.until(at("2026-01-13 06:31"))
    assert field.slots[SETPOINT][13] == 19.0
    zone = state_of(field.wiring, field.state, "zone/ecole.classes", field.now)
    assert zone["reason"] == (
        "optimum start for the opening on Tue 08:00: 16.0 degrees, 1 h 30 predicted (30 min/K, nothing learnt)"
    )
    assert zone["ready_at"] == "2026-01-13T07:01:00Z"
    field.held["ecole", "zone.1.temperature"] = 18.9
    field.until(at("2026-01-13 07:00"))
    assert field.slots[SETPOINT][13] == 19.0, "a preheat once begun is not taken back"
    field.until(at("2026-01-13 08:01"))
    assert field.slots[SETPOINT][13] == 19.0
    assert names(field.events).count("preheat") == 2, "one for each zone"
    opening = next(event for event in field.events if event.name == "opening")
    assert opening.facts["temperature_c"] == 18.9


def test_a_room_that_cools_starts_earlier() -> None:
    field = school("2026-01-13 03:00", 18.0)
    field.until(at("2026-01-13 05:00"))
    assert field.slots[SETPOINT][13] == 16.0
    field.held["ecole", "zone.1.temperature"] = 13.0
    field.advance(timedelta(minutes=1))
    assert field.slots[SETPOINT][13] == 19.0


def test_the_preheat_is_capped_at_three_hours_and_longer_after_a_vacancy() -> None:
    field = school("2026-01-13 02:00", 5.0)
    field.until(at("2026-01-13 04:59"))
    assert field.slots[SETPOINT][13] == 16.0
    field.until(at("2026-01-13 05:01"))
    assert field.slots[SETPOINT][13] == 19.0
    monday = school("2026-01-18 23:00", 8.0)  # 11 K at 30 min/K: 02:30, after a weekend
    monday.until(at("2026-01-19 02:31"))
    assert monday.slots[SETPOINT][13] == 19.0


def test_a_warm_room_is_not_preheated() -> None:
    field = school("2026-01-13 03:00", 19.5)
    field.until(at("2026-01-13 07:59"))
    assert field.slots[SETPOINT][13] == 16.0


def test_a_faulty_sensor_never_drives_the_preheat() -> None:
    field = school("2026-01-13 03:00", 16.0)
    field.held["ecole", "zone.1.temperature"] = -50.0
    bad = Fault(PointId("ecole", "zone.1.temperature"), "no sensor", field.now)
    field.feed(bad)
    zone = state_of(field.wiring, field.state, "zone/ecole.classes", field.now)
    assert zone["quality"] == "fault"
    assert "temperature_c" not in zone
    assert field.slots[SETPOINT][13] == 16.0, "as if the room were at the setpoint it is kept at"


def test_an_uncertain_reading_is_shown_as_such() -> None:
    field = school("2026-01-13 03:00", 16.0)
    overridden = Reading(PointId("ecole", "zone.1.temperature"), 21.0, field.now, Quality.UNCERTAIN)
    field.feed(overridden)
    assert state_of(field.wiring, field.state, "zone/ecole.classes", field.now)["quality"] == "uncertain"


def test_a_clean_stop_relinquishes_what_is_held_and_leaves_the_lamps() -> None:
    field = school("2026-01-12 20:00", 16.0)
    writes = farewell(field.wiring, field.state, field.now)
    assert {(w.point.point, w.value, w.priority) for w in writes} == {
        ("zone.1.setpoint", None, 13),
        ("zone.2.setpoint", None, 13),
        ("zone.1.mode", None, 13),
        ("zone.2.mode", None, 13),
    }


def test_a_clean_stop_relinquishes_what_is_on_its_way_too() -> None:
    field = school("2026-01-12 20:00", 16.0)
    wish = Command("c1", "zone", "ecole.classes", field.now, value=20.0, lasting=timedelta(hours=1))
    step = cycle(field.wiring, field.state, [wish], field.now)
    written = [(w.point.point, w.value, w.priority) for w in step.writes]
    assert written == [("zone.1.mode", 1.0, 10), ("zone.1.setpoint", 20.0, 10)]
    writes = farewell(field.wiring, step.state, field.now)
    assert ("zone.1.setpoint", None, 10) in {(w.point.point, w.value, w.priority) for w in writes}


def test_a_slot_held_by_an_earlier_run_at_a_point_nobody_commands_is_freed() -> None:
    saved = Saved(held={"ecole/zone.2.setpoint@10": 22.0, "ecole/zone.7.setpoint@13": 16.0})
    step = begin(Wiring(heating_of(town())), saved, at("2026-01-12 20:00"))
    assert [(w.point.point, w.value, w.priority) for w in step.writes] == [("zone.7.setpoint", None, 13)]
    assert step.journal.held == {}, "it may not answer yet"
    read_back = WriteResult(step.writes[0], Outcome.APPLIED, at("2026-01-12 20:00"))
    later = cycle(Wiring(heating_of(town())), step.state, [read_back], at("2026-01-12 20:00"))
    assert later.journal.held == {"ecole/zone.7.setpoint@13": None}


def test_an_override_left_in_the_device_by_an_earlier_run_is_freed_when_no_longer_wanted() -> None:
    field = Field(Wiring(heating_of(town())), at("2026-01-12 20:00"))
    field.slots["ecole", "zone.2.setpoint"] = {10: 22.0, 13: 16.0}
    field.start(Saved(held={"ecole/zone.2.setpoint@10": 22.0}))
    assert field.slots["ecole", "zone.2.setpoint"] == {13: 16.0}
