"""Rooms that are heated: what is wrong there, by name, after how long, and what explains it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from controller.core.heating import temperature
from controller.core.report import state_of
from controller.core.wiring import Wiring
from controller.rehearsal import heating_of
from drivers.api import Fault, Notice, PointId
from tests.controller.field import Field
from tests.controller.towns import at, town

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ROOM, DEMAND = ("ecole", "zone.1.temperature"), ("ecole", "zone.1.heating")
OTHER, OTHER_DEMAND = ("ecole", "zone.2.temperature"), ("ecole", "zone.2.heating")
WORKDAY, NIGHT = "2026-01-13 10:00", "2026-01-13 21:00"


def school(when: str, room_c: float, demand_pct: float) -> Field:
    """Two zones alike, 2 degrees outside, warm water."""
    field = Field(Wiring(heating_of(town())), at(when))
    for place in (ROOM, OTHER):
        field.held[place] = room_c
    for place in (DEMAND, OTHER_DEMAND):
        field.held[place] = demand_pct
    field.held["ecole", "outdoor.temperature"] = 2.0
    field.held["ecole", "boiler.supply-temperature"] = 55.0
    field.start()
    return field


def raised(field: Field, heating_only: bool = True) -> dict[str, str]:
    """The alarms that stand, each with what suppresses it."""
    return {
        f"{key}/{event}": alarm.suppressed_by or ""
        for (key, event), alarm in field.state.alarms.items()
        if alarm.raised is not None and (not heating_only or key.startswith(("zone/", "building/")))
    }


def believed(field: Field) -> float | None:
    from controller.core.state import Draft

    return temperature(field.wiring, Draft(field.state, field.now), field.wiring.site.zones["ecole.classes"])


def test_a_room_that_asks_for_an_hour_and_gains_nothing() -> None:
    field = school(WORKDAY, 17.8, 60.0)
    field.held[DEMAND] = 100.0
    field.advance(55 * MINUTE)
    assert raised(field) == {}, "masonry behind a cold boiler gains nothing for a while"
    field.advance(10 * MINUTE)
    assert raised(field) == {"zone/ecole.classes/heatingFailure": ""}
    alarm = field.state.alarms["zone/ecole.classes", "heatingFailure"]
    assert alarm.since == at(WORKDAY) + MINUTE
    assert "asks for heat since Tue 10:01 and gets no warmer: the supply water is hot" in alarm.detail


RISES = [(0.3, False), (0.02, True)]


@pytest.mark.parametrize(("rise_k_h", "fails"), RISES)
def test_a_room_that_gets_warmer_slowly_is_heated(rise_k_h: float, fails: bool) -> None:
    field = school(WORKDAY, 16.0, 100.0)
    for _ in range(90):
        field.held[ROOM] += rise_k_h / 60.0
        field.held[OTHER] += 0.01
        field.advance(MINUTE)
    assert ("zone/ecole.classes/heatingFailure" in raised(field)) is fails


def test_rooms_that_stay_cold_together_are_one_fault_of_the_plant() -> None:
    field = school(WORKDAY, 16.9, 100.0)
    field.held["ecole", "boiler.supply-temperature"] = 24.0
    field.advance(2 * HOUR)
    root = "building/ecole/plantFault"
    assert raised(field) == {
        root: "",
        "zone/ecole.classes/heatingFailure": root,
        "zone/ecole.cantine/heatingFailure": root,
        "zone/ecole.classes/roomTooCold": root,
        "zone/ecole.cantine/roomTooCold": root,
    }
    words = field.state.alarms["building/ecole", "plantFault"].detail
    assert words == (
        "2 of the 2 zones that ask for heat get no warmer: the supply water is cold, so look at the heat generator"
    )
    field.held[ROOM] = field.held[OTHER] = 18.9
    field.held[DEMAND] = field.held[OTHER_DEMAND] = 60.0
    field.advance(3 * HOUR)
    assert raised(field) == {}


def test_the_alarm_contact_of_a_boiler_explains_its_rooms() -> None:
    field = school(WORKDAY, 17.2, 100.0)
    field.held["ecole", "boiler.alarm"] = 1.0
    field.advance(3 * MINUTE)
    assert raised(field) == {"building/ecole/plantFault": ""}
    assert field.state.alarms["building/ecole", "plantFault"].severity == "critical"
    field.advance(90 * MINUTE)
    assert set(raised(field).values()) == {"", "building/ecole/plantFault"}


def test_a_room_too_cold_in_its_hours() -> None:
    field = school(WORKDAY, 17.4, 70.0)
    field.advance(58 * MINUTE)
    assert raised(field) == {}
    field.advance(4 * MINUTE)
    alarm = field.state.alarms["zone/ecole.classes", "roomTooCold"]
    assert (alarm.value, alarm.threshold, alarm.suppressed_by) == (17.4, 17.5, None)


def test_a_cold_room_at_night_is_the_plan() -> None:
    field = school(NIGHT, 15.2, 80.0)
    field.until(at("2026-01-14 04:00"))
    assert raised(field) == {}


def test_a_room_too_warm_and_still_heated() -> None:
    field = school(WORKDAY, 22.5, 40.0)
    field.held[OTHER_DEMAND] = 0.0
    field.advance(130 * MINUTE)
    assert raised(field) == {"zone/ecole.classes/roomTooWarm": ""}, "the other one is warmed by sun or people"


def test_a_valve_that_is_shut_and_a_room_that_rises_by_night() -> None:
    field = school(NIGHT, 18.5, 0.0)
    field.advance(45 * MINUTE)
    for _ in range(150):
        field.held[ROOM] += 0.02
        field.held[OTHER] -= 0.003
        field.advance(MINUTE)
    assert raised(field) == {"zone/ecole.classes/stuckValve": ""}
    assert "shut since Tue 21:0" in field.state.alarms["zone/ecole.classes", "stuckValve"].detail


def test_a_room_that_was_aired_in_the_evening_recovers_from_its_walls() -> None:
    field = school(NIGHT, 18.5, 0.0)
    field.held[ROOM] = 16.6
    for _ in range(240):
        field.held[ROOM] = min(18.3, field.held[ROOM] + 0.02)
        field.advance(MINUTE)
    assert raised(field) == {}


def test_a_hot_night_is_no_stuck_valve() -> None:
    field = school("2026-07-13 22:00", 24.0, 0.0)
    field.held["ecole", "outdoor.temperature"] = 26.0
    for _ in range(240):
        field.held[ROOM] += 0.01
        field.advance(MINUTE)
    assert raised(field) == {}


@pytest.mark.parametrize("shown_c", [-60.0, 85.0])
def test_out_of_range_is_no_temperature(shown_c: float) -> None:
    field = school(WORKDAY, 19.0, 50.0)
    field.held[ROOM] = shown_c
    field.advance(3 * MINUTE)
    assert believed(field) is None
    assert raised(field) == {"zone/ecole.classes/sensorFault": ""}
    told = state_of(field.wiring, field.state, "zone/ecole.classes", field.now)
    assert told["quality"] == "fault"
    assert "temperature_c" not in told


def test_a_faulty_point_is_named_with_its_cause() -> None:
    field = school(WORKDAY, 19.0, 50.0)
    for _ in range(3):
        field.now += MINUTE
        field.feed(Fault(PointId(*ROOM), "value is not a number", field.now))
    assert raised(field) == {"zone/ecole.classes/sensorFault": ""}
    assert field.state.alarms["zone/ecole.classes", "sensorFault"].detail == "no usable value: value is not a number"


def test_a_jump_is_not_believed_until_it_is_taken_back_or_has_settled() -> None:
    field = school(WORKDAY, 19.0, 50.0)
    field.advance(MINUTE, timedelta(seconds=10))
    field.held[ROOM] = 26.0
    field.advance(MINUTE, timedelta(seconds=10))
    assert believed(field) is None
    field.held[ROOM] = 19.5
    field.advance(MINUTE, timedelta(seconds=10))
    assert believed(field) == 19.5
    field.held[ROOM] = 12.0
    field.advance(MINUTE, timedelta(seconds=10))
    field.advance(110 * MINUTE)
    assert believed(field) is None
    assert "zone/ecole.classes/sensorFault" in raised(field)
    field.advance(15 * MINUTE)
    assert believed(field) == 12.0, "plausible for two hours: it is another sensor, or it hangs elsewhere"


def test_a_sensor_that_stands_still_while_the_others_move() -> None:
    field = school("2026-01-12 10:00", 19.0, 0.0)
    for hour in range(26):
        field.held[OTHER] = 19.0 if 8 <= (10 + hour) % 24 < 18 else 16.5
        field.advance(HOUR, timedelta(minutes=5))
    assert believed(field) is None
    assert raised(field)["zone/ecole.classes/sensorFault"] == ""
    field.held[ROOM] = 18.7
    field.advance(5 * MINUTE)
    assert raised(field) == {}


def test_what_the_others_swing_through_counts_from_wherever_they_stood() -> None:
    field = school("2026-01-12 10:00", 19.0, 0.0)
    for hour in range(26):  # 1.2 K to either side of where they stood when the sensor froze
        field.held[OTHER] = 18.0 + (1.2 if 3 <= hour < 9 else -1.2 if 12 <= hour < 20 else 0.0)
        field.advance(HOUR, timedelta(minutes=5))
    assert believed(field) is None
    assert raised(field)["zone/ecole.classes/sensorFault"] == ""


def test_a_sensor_far_from_all_others() -> None:
    field = school(WORKDAY, 19.0, 0.0)
    for _ in range(40):
        field.held[ROOM] += 0.4
        field.advance(MINUTE)
    assert believed(field) is None
    assert "every other zone" in field.state.alarms["zone/ecole.classes", "sensorFault"].detail


def test_one_out_of_service_says_nothing_of_its_neighbours_nor_jumps_when_it_comes_back() -> None:
    field = school(WORKDAY, 12.0, 100.0)
    field.doubtful.add(OTHER)
    field.held[OTHER] = 25.0
    for _ in range(20):
        field.held[ROOM] -= 0.4
        field.advance(MINUTE)
    assert believed(field) == pytest.approx(4.0), "21 K from what was typed in at the other"
    field.doubtful.add(ROOM)
    field.held[ROOM] = 20.0
    field.advance(3 * HOUR, 5 * MINUTE)
    assert believed(field) is None
    field.doubtful.clear()
    field.held[ROOM], field.held[OTHER] = 4.0, 10.0
    field.advance(MINUTE, timedelta(seconds=30))
    assert believed(field) == 4.0


def test_a_duplicate_instance_explains_the_doubt_about_its_rooms() -> None:
    field = school(WORKDAY, 19.0, 50.0)
    field.feed(Notice("device/ecole", "duplicateInstance", True, field.now))
    field.doubtful.update((ROOM, OTHER))
    field.advance(3 * MINUTE)
    root = "device/ecole/duplicateInstance"
    assert raised(field) == {"zone/ecole.classes/sensorFault": root, "zone/ecole.cantine/sensorFault": root}


def test_a_silent_device_is_one_alarm_and_judges_no_room() -> None:
    field = school(WORKDAY, 17.0, 100.0)
    field.silent.add("ecole")
    field.advance(3 * HOUR)
    assert raised(field) == {"building/ecole/communicationFailure": ""}


def test_a_plant_that_is_off_by_plan_fails_nobody() -> None:
    field = school(WORKDAY, 17.8, 100.0)
    from controller.core.state import Output

    outputs = {**field.state.outputs, "boiler/ecole": Output(((13, 0.0), (10, None)), field.now)}
    step = field.steps[-1]
    field.steps.append(replace(step, state=replace(step.state, outputs=outputs)))
    field.advance(90 * MINUTE)
    assert raised(field) == {}


def test_radiators_at_the_end_of_what_they_give_are_no_failure() -> None:
    field = school("2026-01-13 01:00", 14.0, 100.0)
    field.held[OTHER], field.held[OTHER_DEMAND] = 16.5, 0.0
    for minute in range(60, 420):
        field.held[ROOM] = 14.0 + 3.2 * min(1.0, minute / 240.0)
        field.advance(MINUTE)
    assert field.now == at("2026-01-13 07:00")
    assert "zone/ecole.classes/heatingFailure" not in raised(field)
    for _ in range(90):  # and now the burner is out
        field.held[ROOM] -= 0.006
        field.advance(MINUTE)
    assert "zone/ecole.classes/heatingFailure" in raised(field)


def test_a_room_that_was_held_below_comfort_has_gained_before_it_asks_again() -> None:
    field = school("2026-01-13 06:00", 14.0, 0.0)
    field.held[OTHER] = 18.0
    for minute in range(170):
        field.held[ROOM] = 14.0 + 3.4 * min(1.0, max(0.0, (minute - 20) / 60.0))
        field.held[DEMAND] = 100.0 if 20 <= minute < 80 or minute >= 90 else 20.0
        field.advance(MINUTE)
        if minute == 80:
            climb = field.state.rooms["ecole.classes"].warmup.climb
            assert climb is not None
            assert climb.from_c == 14.0
    assert "zone/ecole.classes/heatingFailure" not in raised(field)
