"""Never cold on Monday: forecast, the alarms of the evening before and of the morning, and a plant that stays cold."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from config.site import OptimumStart
from controller.core.cycle import adopt
from controller.core.report import state_of
from controller.core.state import Event
from controller.core.wiring import Wiring
from controller.rehearsal import heating_of
from tests.controller.field import Field
from tests.controller.test_core_warmup import CANTINE, CLASSES, School
from tests.controller.towns import at, town

ZONE, BUILDING = f"zone/{CLASSES}", "building/ecole"


def alarms(school: School, event: str) -> list[Event]:
    return [e for e in school.field.events if e.name == "alarm" and e.facts["event"] == event]


def raised(school: School, key: str, event: str) -> bool:
    alarm = school.field.state.alarms.get((key, event))
    return alarm is not None and alarm.raised is not None


def told(school: School) -> dict[str, object]:
    return state_of(school.field.wiring, school.field.state, ZONE, school.field.now)


def test_a_sound_week_raises_nothing_and_is_foreseen() -> None:
    school = School("2026-01-12 18:00")
    school.until("2026-01-15 21:00")
    first = at("2026-01-13 09:00")
    assert not [each for each in alarms(school, "notReady") if each.at > first], (
        "the first morning went by the fallback"
    )
    assert not alarms(school, "plantDidNotStart")
    zone = told(school)
    assert zone["opening_at"] == "2026-01-16T07:00:00Z"
    assert 18.5 <= float(str(zone["expected_c"])) <= 19.0
    assert float(str(zone["confidence"])) > 0.7
    assert zone["learnt_mornings"] == 3
    assert str(zone["preheat_at"]) < str(zone["forecast_ready_at"]) < "2026-01-16T07:00:00Z"


def test_nothing_is_sure_before_anything_is_learnt() -> None:
    school = School("2026-01-12 18:00")
    school.until("2026-01-12 19:00")
    assert float(str(told(school)["confidence"])) <= 0.6


def frozen() -> School:
    """Sunday afternoon at 8 degrees: 11 K at 30 min/K, and three hours at most."""
    bounds = OptimumStart(minutes_per_k=30.0, cap_after_vacancy=timedelta(hours=3))
    return School("2026-01-18 17:30", 8.0, bounds)


def test_a_room_too_cold_for_the_cap_is_an_alarm_the_evening_before_and_again_at_five() -> None:
    school = frozen()
    school.until("2026-01-18 17:55")
    assert not raised(school, ZONE, "notReady")
    school.until("2026-01-18 18:05")
    assert raised(school, ZONE, "notReady")
    detail = school.field.state.alarms[ZONE, "notReady"].detail
    assert detail.endswith("degrees expected at the opening on Mon 08:00: the preheat may not begin earlier")
    school.until("2026-01-19 05:10")
    evening, morning = [e.at for e in school.field.events if e.name == "not-ready" and e.target == ZONE]
    assert at("2026-01-18 18:00") <= evening <= at("2026-01-18 18:05")
    assert at("2026-01-19 05:00") <= morning <= at("2026-01-19 05:05")


def test_the_alarm_ends_when_the_room_is_warm_after_all() -> None:
    school = frozen()
    school.until("2026-01-19 09:00")
    assert raised(school, ZONE, "notReady"), "open and still cold"
    school.field.held["ecole", "zone.1.temperature"] = 18.9
    school.until("2026-01-19 09:40")
    assert not raised(school, ZONE, "notReady")


def test_the_alarm_ends_with_the_day_at_the_latest() -> None:
    school = frozen()
    school.rising_k_min = 0.002
    school.until("2026-01-19 17:00")
    assert raised(school, ZONE, "notReady")
    school.field.held["ecole", "zone.1.temperature"] = 18.0
    school.until("2026-01-19 17:50")
    assert not raised(school, ZONE, "notReady"), "before 18:00 nobody asks about tomorrow"


def test_a_device_that_fell_silent_is_told_the_evening_before() -> None:
    school = School("2026-01-12 12:00", room_c=19.0)
    school.until("2026-01-12 17:40")
    school.field.silent.add("ecole")
    school.until("2026-01-12 18:10")
    assert "communicationFailure" in school.field.state.alarms[ZONE, "notReady"].detail
    school.field.silent.clear()
    school.until("2026-01-12 18:45")
    assert not raised(school, ZONE, "notReady")


def test_a_hand_that_holds_the_room_cold_is_told_beforehand() -> None:
    school = School("2026-01-12 12:00", room_c=19.0)
    school.field.slots["ecole", "zone.1.setpoint"][8] = 12.0
    school.until("2026-01-12 18:10")
    assert school.field.state.alarms[ZONE, "notReady"].detail.endswith(
        "its setpoint is held at 12 degrees by priority 8"
    )


def test_a_plant_that_does_not_start_is_told_within_its_twenty_minutes() -> None:
    school = School("2026-01-12 18:00")
    school.dead = True
    school.until("2026-01-13 06:10")
    begun = next(e.at for e in school.field.events if e.name == "preheat")
    (alarm,) = alarms(school, "plantDidNotStart")
    assert timedelta(minutes=20) <= alarm.at - begun <= timedelta(minutes=30)
    assert alarm.target == BUILDING
    assert "20 minutes after the preheat of ecole.classes" in str(alarm.facts["detail"])
    school.until("2026-01-13 07:30")
    assert "plantDidNotStart" in school.field.state.alarms[ZONE, "notReady"].detail
    school.until("2026-01-13 08:30")
    assert raised(school, BUILDING, "plantDidNotStart"), "open, cold, and still nothing runs"
    school.dead = False
    school.until("2026-01-13 09:00")
    assert not raised(school, BUILDING, "plantDidNotStart")
    told = [event.at for event in school.field.events if event.name == "not-ready"]
    assert told, "at 05:00 it is known that no heat comes"
    assert min(told) >= at("2026-01-13 05:00"), "at 18:00 it was not known yet"


def without_optimum_start(school: School, *zones: str) -> None:
    """A reload after which these zones have none."""
    field = school.field
    site = field.wiring.site
    less = {name: replace(site.zones[name], optimum_start=None) for name in zones}
    field.wiring = Wiring(replace(site, zones={**site.zones, **less}))
    field.take(adopt(field.wiring, field.state, field.now))


def test_a_reload_that_takes_the_optimum_start_away_ends_what_nobody_judges_any_more() -> None:
    school = School("2026-01-12 18:00")
    school.dead = True
    school.until("2026-01-13 07:30")
    assert raised(school, ZONE, "notReady")
    assert raised(school, BUILDING, "plantDidNotStart")
    without_optimum_start(school, CLASSES)
    assert (ZONE, "notReady") not in school.field.state.alarms
    assert raised(school, BUILDING, "plantDidNotStart"), "the other zone of the building judges it"
    assert "opening_at" not in told(school)
    without_optimum_start(school, CANTINE)
    assert (BUILDING, "plantDidNotStart") not in school.field.state.alarms
    assert [e.facts["state"] for e in alarms(school, "plantDidNotStart")] == ["raised", "cleared"]


BURNER = ("boiler.status", "boiler.power", "boiler.supply-temperature")
VALVES = ("zone.1.heating", "zone.2.heating")


def test_without_a_burner_to_look_at_an_open_valve_shows_that_it_runs() -> None:
    school = School("2026-01-12 18:00", hides=BURNER)
    school.until("2026-01-13 08:05")
    assert not alarms(school, "plantDidNotStart")


def test_with_nothing_but_the_room_to_look_at_it_must_get_warmer_within_the_hour() -> None:
    school = School("2026-01-12 18:00", hides=BURNER + VALVES)
    school.until("2026-01-13 08:05")
    assert not alarms(school, "plantDidNotStart")
    cold = School("2026-01-12 18:00", hides=BURNER + VALVES)
    cold.dead = True
    cold.until("2026-01-13 08:05")
    begun = next(e.at for e in cold.field.events if e.name == "preheat")
    assert timedelta(minutes=60) <= alarms(cold, "plantDidNotStart")[0].at - begun <= timedelta(minutes=75)


def test_a_core_that_begins_waits_for_the_first_temperature_before_it_says_that_there_is_none() -> None:
    site = heating_of(town())
    field = Field(Wiring(replace(site, timing=replace(site.timing, stale_after_s=300.0))), at("2026-01-13 04:30"))
    field.silent.add("ecole")
    field.start()
    field.advance(timedelta(minutes=9))
    assert (ZONE, "notReady") not in field.state.alarms, "devices that are slow to be read have twice that"
    field.advance(timedelta(minutes=2))
    assert field.state.alarms[ZONE, "notReady"].raised is not None
