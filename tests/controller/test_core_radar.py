"""The override radar: who else holds our points, since when, at what cost, also after a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from controller.core.journal import Journal, Saved
from controller.core.report import state_of
from controller.core.wiring import Wiring
from controller.rehearsal import heating_of
from tests.controller.field import Field, names
from tests.controller.towns import at, town

SETPOINT, VALVE = ("ecole", "zone.1.setpoint"), ("ecole", "zone.1.heating")
EVENING = "2026-01-13 20:00"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def school(when: datetime, area_m2: float | None = 300.0) -> Field:
    site = heating_of(town())
    zones = {name: replace(zone, area_m2=area_m2) for name, zone in site.zones.items()}
    field = Field(Wiring(replace(site, zones=zones)), when)
    for number in (1, 2):
        field.held["ecole", f"zone.{number}.temperature"] = 18.0
    field.held["ecole", "outdoor.temperature"] = 0.0
    return field


def put(field: Field, place: tuple[str, str], value: float, priority: int = 8) -> None:
    field.slots.setdefault(place, {})[priority] = value


def kept(field: Field) -> dict[str, str]:
    journal = Journal()
    for step in field.steps:
        journal = journal.then(step.journal)
    return {name: document for name, document in journal.kept.items() if document is not None}


def hand(field: Field) -> object:
    alarm = field.state.alarms.get(("zone/ecole.classes", "handOverride"))
    return None if alarm is None or alarm.raised is None else alarm


def test_a_hand_is_named_with_its_value_its_beginning_and_its_cost() -> None:
    field = school(at(EVENING))
    field.start()
    put(field, SETPOINT, 22.0)
    field.held["ecole", "zone.1.temperature"] = 21.0
    field.advance(3 * MINUTE)
    alarm = field.state.alarms["zone/ecole.classes", "handOverride"]
    assert (alarm.severity, alarm.value, alarm.threshold) == ("minor", 22.0, 16.0)
    words = "zone.1.setpoint held at 22 by priority 8 since Tue 2026-01-13 20:01, by estimate 0 kWh and 0 EUR so far"
    assert alarm.detail == words
    field.advance(4 * HOUR)
    zone = state_of(field.wiring, field.state, "zone/ecole.classes", field.now)
    assert zone["detail"] == "masked by priority 8 since Tue 2026-01-13 20:01"
    assert (zone["held_points"], zone["held_priority"]) == (["zone.1.setpoint"], 8)
    building = state_of(field.wiring, field.state, "building/ecole", field.now)
    assert (building["held_by_others"], building["held_since"]) == (1, "2026-01-13T19:01:00Z")
    # 5 K above the plan's 16 through 300 m2 of 2 W/(m2 K) for four hours: 12 kWh at 0.12 EUR
    assert abs(float(str(building["held_cost_eur"])) - 1.44) < 0.1
    assert "by estimate 12 kWh and 1 EUR" in field.state.alarms["zone/ecole.classes", "handOverride"].detail
    assert "zone/ecole.cantine" not in {key for key, _ in field.state.alarms}


def test_it_is_grave_after_a_day_and_gone_when_released() -> None:
    field = school(at(EVENING))
    field.start()
    put(field, SETPOINT, 22.0)
    field.advance(25 * HOUR, timedelta(minutes=5))
    assert field.state.alarms["zone/ecole.classes", "handOverride"].severity == "major"
    del field.slots[SETPOINT][8]
    field.advance(5 * MINUTE)
    assert hand(field) is None
    assert not [name for name in kept(field) if name.startswith("hand/")]
    assert names(field.events).count("hand-released") == 1
    assert "held_by_others" not in state_of(field.wiring, field.state, "building/ecole", field.now)


def test_since_when_is_known_after_a_restart() -> None:
    field = school(at(EVENING))
    field.start()
    put(field, SETPOINT, 22.0)
    field.advance(6 * HOUR, timedelta(minutes=5))
    again = school(field.now + HOUR)
    again.slots[SETPOINT] = dict(field.slots[SETPOINT])
    again.start(Saved(kept=kept(field)))
    again.advance(MINUTE)
    alarm = again.state.alarms["zone/ecole.classes", "handOverride"]
    assert alarm.raised is not None, "it has held long enough"
    assert alarm.since == at(EVENING) + 5 * MINUTE
    assert "since Tue 2026-01-13 20:05" in alarm.detail
    gone = school(field.now + HOUR)
    gone.start(Saved(kept=kept(field)))
    gone.advance(3 * MINUTE)
    assert hand(gone) is None
    assert "held_by_others" not in state_of(gone.wiring, gone.state, "building/ecole", gone.now)


def test_a_valve_that_only_its_controller_writes_is_watched_too() -> None:
    field = school(at(EVENING))
    field.start()
    put(field, VALVE, 40.0, priority=16)
    field.advance(5 * MINUTE)
    assert hand(field) is None, "the local controller's own slot"
    put(field, VALVE, 100.0)
    field.advance(5 * MINUTE)
    assert "zone.1.heating held at 100 by priority 8" in field.state.alarms["zone/ecole.classes", "handOverride"].detail


def test_what_is_no_hand() -> None:
    field = school(at(EVENING))
    field.start()
    put(field, SETPOINT, 21.0, priority=6)  # minimum on and off times, the device's own
    put(field, SETPOINT, 21.0, priority=15)  # weaker than ours
    field.advance(10 * MINUTE)
    assert hand(field) is None
    put(field, SETPOINT, 21.0, priority=11)  # another system, stronger than our plan
    field.advance(5 * MINUTE)
    assert hand(field) is not None


def test_without_an_area_nothing_is_claimed_and_mild_weather_costs_nothing() -> None:
    field = school(at(EVENING), area_m2=None)
    field.start()
    put(field, SETPOINT, 22.0)
    field.advance(3 * HOUR)
    assert field.state.alarms["zone/ecole.classes", "handOverride"].detail.endswith("its cost is not estimated")
    assert "held_cost_eur" not in state_of(field.wiring, field.state, "building/ecole", field.now)
    mild = school(at(EVENING))
    mild.held["ecole", "outdoor.temperature"] = 15.0
    mild.start()
    put(mild, SETPOINT, 22.0)
    mild.advance(3 * HOUR)
    assert state_of(mild.wiring, mild.state, "building/ecole", mild.now)["held_cost_eur"] == 0.0


def test_a_hand_is_never_written_away() -> None:
    field = school(at(EVENING))
    field.start()
    put(field, SETPOINT, 22.0)
    field.advance(30 * HOUR, timedelta(minutes=5))
    assert {write.priority for write in field.writes_of("ecole")} <= {10, 13}
    assert field.slots[SETPOINT][8] == 22.0
