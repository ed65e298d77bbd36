"""Frost protection needs a good room temperature and nothing else: no broker, no right clock, no schedule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from config.site import Plant
from controller.core.commands import Command
from controller.core.cycle import adopt
from controller.core.wiring import Wiring
from drivers.api import Fault, PointId, Quality
from schedules.allures import Allure
from schedules.occupancy import Occupancy
from tests.controller.field import Field
from tests.controller.rooms import MINUTE, ZONE, bad, commanded, hours, level, school, shedding, started, told, warm
from tests.controller.towns import PARIS, at

NIGHT = "2026-01-17 03:00"
ALARM = (ZONE, "frostDanger")
NOBODY = Occupancy("nobody", {}, (), (), PARIS)


def stopped(field: Field, name: str = "classes") -> None:
    """The zone is told to be off for a day."""
    day = timedelta(hours=24)
    field.feed(Command("off", "zone", f"ecole.{name}", field.now, allure=Allure.OFF, lasting=day, by="anne"))


def test_a_room_below_the_limit_is_heated_until_it_is_a_kelvin_above_it() -> None:
    field = started(school(), NIGHT, classes=7.0)
    stopped(field)
    assert (commanded(field), commanded(field, slot=10)) == (8.0, 5.0)
    warm(field, "classes", 5.9)
    field.advance(MINUTE)
    assert commanded(field, slot=10) == 8.0, "above the operator's off"
    state = told(field)
    assert (state["priority"], state["allure"], state["frost_protection"]) == (5, "frost", True)
    assert state["reason"] == "frost protection: the room is at 5.9, below 6; heated until 7"
    alarm = field.state.alarms[ALARM]
    assert (alarm.severity, alarm.raised is not None, alarm.threshold) == ("critical", True, 6.0)
    warm(field, "classes", 6.9)
    field.advance(MINUTE)
    assert commanded(field, slot=10) == 8.0
    warm(field, "classes", 7.0)
    field.advance(MINUTE)
    assert commanded(field, slot=10) == 5.0
    assert ALARM not in field.state.alarms
    assert "frost_protection" not in told(field)


def test_it_is_never_colder_than_the_strongest_other_wish() -> None:
    field = started(school(), "2026-01-12 10:00", classes=5.0)
    assert commanded(field) == 19.0
    assert told(field)["priority"] == 5
    assert told(field)["allure"] == "comfort"


@pytest.mark.parametrize(("own", "slots"), [(False, {10: 8.0, 13: 8.0}), (True, {5: 8.0, 10: 5.0, 13: 8.0})])
def test_slot_5_is_taken_only_where_the_zone_opts_in(own: bool, slots: dict[int, float]) -> None:
    field = started(school(frost_slot=own), NIGHT, classes=5.0)
    stopped(field)
    assert field.slots["ecole", "zone.1.setpoint"] == slots
    warm(field, "classes", 9.0)
    field.advance(MINUTE)
    assert field.slots["ecole", "zone.1.setpoint"] == {10: 5.0, 13: 8.0}


def test_a_low_frost_setpoint_is_lifted_above_the_release() -> None:
    site = school(frost_below_c=10.0)
    field = started(site, NIGHT, classes=9.0)
    assert commanded(field) == 11.5


CLOCKS = [datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 4, 5, tzinfo=UTC), datetime(2100, 2, 1, tzinfo=UTC)]


@pytest.mark.parametrize("now", CLOCKS)
@pytest.mark.parametrize("occupancy", [NOBODY, hours(mon="08:00-17:30")], ids=["no schedule", "a schedule"])
def test_any_clock_and_any_schedule_will_do(now: datetime, occupancy: Occupancy) -> None:
    field = started(school(occupancy=occupancy), NIGHT)
    field.now, field.steps = now, []
    warm(field, "classes", 4.0)
    warm(field, "cantine", 12.0)
    field.start()
    field.advance(5 * MINUTE)
    assert commanded(field) is not None
    assert commanded(field) >= 8.0  # type: ignore[operator]
    assert field.state.alarms[ALARM].raised is not None


@pytest.mark.parametrize("leap", [timedelta(days=400), timedelta(days=-400), timedelta(hours=-3)])
def test_a_clock_that_leaps_while_a_room_freezes_changes_nothing(leap: timedelta) -> None:
    field = started(school(), NIGHT, classes=5.0)
    field.now += leap
    stopped(field)
    field.advance(2 * MINUTE)
    assert commanded(field, slot=10) == 8.0
    assert field.state.alarms[ALARM].raised is not None


@pytest.mark.parametrize("leap", [timedelta(0), timedelta(hours=-3), timedelta(days=-400)])
def test_after_a_clock_set_back_the_danger_ends_with_the_cold(leap: timedelta) -> None:
    field = started(school(), NIGHT, classes=5.0)
    warm(field, "classes", 6.5)
    field.now += leap
    field.poll()
    assert field.state.alarms[ALARM].raised is not None
    assert told(field)["priority"] == 5, "half a kelvin is no release"
    warm(field, "classes", 9.0)
    field.advance(MINUTE)
    assert ALARM not in field.state.alarms
    assert told(field)["priority"] == 13


def test_a_good_reading_without_danger_ends_an_alarm_that_nothing_stands_behind() -> None:
    field = started(school(), NIGHT, classes=5.0)
    step, room = field.steps[-1], field.state.rooms["ecole.classes"]
    rooms = {**field.state.rooms, "ecole.classes": replace(room, frost_since=None)}
    field.steps.append(replace(step, state=replace(step.state, rooms=rooms)))
    warm(field, "classes", 9.0)
    field.advance(MINUTE)
    assert ALARM not in field.state.alarms


def test_no_window_no_shedding_and_no_reload_takes_it_away() -> None:
    site = school(building=shedding())
    field = started(site, NIGHT, classes=5.0)
    field.feed(level(field, 3))
    field.take(adopt(Wiring(site), field.state, field.now))
    field.advance(MINUTE)
    assert commanded(field) == 8.0
    assert field.state.alarms[ALARM].raised is not None


BAD = [
    ("overridden by hand", Quality.UNCERTAIN),
    ("no sensor", None),
]


@pytest.mark.parametrize(("words", "quality"), BAD)
def test_a_bad_sensor_never_drives_it(words: str, quality: Quality | None) -> None:
    field = started(school(), NIGHT, classes=12.0)
    stopped(field)
    point = PointId("ecole", "zone.1.temperature")
    field.feed(bad(field, quality=quality) if quality is not None else Fault(point, words, field.now))
    assert commanded(field, slot=10) == 5.0
    assert ALARM not in field.state.alarms


def blind(field: Field, minutes: int) -> None:
    """The room's sensor is broken for so long, everything else answers."""
    for _ in range(minutes):
        field.now += MINUTE
        points = ("zone.1.setpoint", "outdoor.temperature", "zone.2.temperature", "zone.2.setpoint")
        readings = [field.reading("ecole", point) for point in points]
        field.feed(*readings, Fault(PointId("ecole", "zone.1.temperature"), "no sensor", field.now))


COLD_OUTSIDE = [
    (-3.0, 8.0, "-3.0 degrees C outside"),
    (5.9, 8.0, "5.9 degrees C outside"),
    (6.0, 5.0, None),
    (85.0, 8.0, "nobody knows how cold it is outside"),
]


@pytest.mark.parametrize(("outside_c", "setpoint_c", "words"), COLD_OUTSIDE)
def test_a_blind_room_is_kept_at_frost_while_it_is_cold_outside(
    outside_c: float, setpoint_c: float, words: str | None
) -> None:
    field = started(school(), NIGHT, classes=12.0)
    stopped(field)
    field.held["ecole", "outdoor.temperature"] = outside_c
    blind(field, 5)
    assert commanded(field, slot=10) == 5.0, "a few failed reads say nothing"
    blind(field, 7)
    assert commanded(field, slot=10) == setpoint_c
    if words is not None:
        assert told(field)["reason"] == f"no good temperature of the room and {words}: kept at the frost setpoint"
    field.advance(MINUTE)
    assert commanded(field, slot=10) == 5.0, "the sensor is back"


@pytest.mark.parametrize("reloaded", [False, True])
def test_a_blind_room_is_protected_when_it_gets_cold_outside_later(reloaded: bool) -> None:
    field = started(school(), "2026-01-17 12:00", classes=12.0)
    stopped(field)
    field.held["ecole", "outdoor.temperature"] = 8.0
    blind(field, 30)
    if reloaded:
        field.take(adopt(field.wiring, field.state, field.now))
    assert commanded(field, slot=10) == 5.0
    field.held["ecole", "outdoor.temperature"] = -10.0
    blind(field, 11)
    assert commanded(field, slot=10) == 8.0
    field.held["ecole", "outdoor.temperature"] = 8.0
    blind(field, 11)
    assert commanded(field, slot=10) == 5.0
    field.advance(MINUTE)
    assert "frost/ecole.classes" not in field.state.due, "the sensor is back"


def test_a_blind_room_gives_nothing_away_for_a_signal() -> None:
    site = school(building={**shedding(), "plant": Plant(frost_outdoor_c=5.0)})
    field = started(site, "2026-01-12 10:00")
    field.held["ecole", "outdoor.temperature"] = -5.0
    field.feed(level(field, 3))
    assert commanded(field) == 17.0
    blind(field, 12)
    assert commanded(field) == 19.0


def test_a_few_failed_reads_do_not_end_the_protection_and_a_dead_sensor_does() -> None:
    field = started(school(), NIGHT, classes=5.0)
    stopped(field)
    field.held["ecole", "outdoor.temperature"] = 7.0
    blind(field, 9)
    assert commanded(field, slot=10) == 8.0
    assert field.state.alarms[ALARM].raised is not None
    blind(field, 2)
    assert commanded(field, slot=10) == 5.0, "7 degrees outside: nothing freezes, and nobody knows the room"
    assert ALARM not in field.state.alarms
    field.advance(MINUTE)
    assert commanded(field, slot=10) == 8.0
    assert field.state.alarms[ALARM].raised is not None


@pytest.mark.parametrize(("outside_c", "setpoint_c"), [(4.0, 8.0), (8.0, 5.0)])
def test_a_cold_room_whose_sensor_is_not_believed_is_protected_by_the_weather(
    outside_c: float, setpoint_c: float
) -> None:
    field = started(school(), NIGHT, classes=3.0, cantine=19.0)  # 16 K from its only neighbour
    field.held["ecole", "outdoor.temperature"] = outside_c
    stopped(field)
    field.advance(12 * MINUTE)
    assert ALARM not in field.state.alarms, "a sensor that is not believed drives nothing"
    assert commanded(field, slot=10) == setpoint_c


def test_after_a_clock_set_back_a_sensor_is_judged_as_before() -> None:
    field = started(school(), "2031-01-14 03:00", classes=12.0)
    field.now = at("2026-01-12 22:00")
    field.advance(2 * MINUTE)
    warm(field, "classes", 85.0)
    field.advance(2 * MINUTE)
    assert field.state.rooms["ecole.classes"].sensor.bad.startswith("out of range")
