"""Lamps: what raises each event, what clears it, and what never does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from config.site import LampType
from schedules.plan import Plan
from tests.controller.street import SECONDS, Street, lit_street, moment, raised, roots, street, told
from tests.controller.towns import LED, PLACE, program

Act = Callable[[Street], object]
DIMMED = LampType("led-dim", 40.0, 0.5, 10.0, virtual_output=60.0)
CURVED = replace(LED, id="led-pf", power_factor=((0.0, 0.6), (50.0, 0.85), (100.0, 0.94)))
SODIUM = LampType("hps-100", 100.0, 0.0, 50.0, warm_up_s=480.0, cool_down_s=120.0)


def pin(lamp: int, word: str, value: float) -> Act:
    """The node of this lamp shows that value whatever happens."""
    return lambda field: field.pinned.update({("cab", f"lamp.{lamp}.{word}"): value})


def unpin(field: Street) -> None:
    field.pinned.clear()
    for broken in (field.out, field.mute, field.stuck_at, field.factor):
        broken.clear()


RAISED: dict[str, tuple[LampType, Act, str, float]] = {
    "open circuit": (LED, lambda f: f.out.add("l1"), "lampFailure", 60),
    "the node says so": (LED, pin(1, "failure", 1.0), "lampFailure", 60),
    "open circuit of an LED gear": (LED, pin(1, "open-circuit", 1.0), "lampFailure", 60),
    "thermal shutdown": (LED, pin(1, "thermal-shutdown", 1.0), "controlGearFailure", 60),
    "19 % of the power": (LED, lambda f: f.factor.update(l1=0.19), "lampFailure", 60),
    "gear failure": (LED, pin(1, "gear-failure", 1.0), "controlGearFailure", 60),
    "silent node": (LED, lambda f: f.mute.add("l1"), "controlGearCommFailure", 60),
    "stuck at full": (DIMMED, lambda f: f.stuck_at.update(l1=100.0), "dimmingFailure", 60),
    "stuck between": (DIMMED, lambda f: f.stuck_at.update(l1=75.0), "lampPowerTooHigh", 60),
    "too little": (LED, lambda f: f.factor.update(l1=0.8), "lampPowerTooLow", 60),
    "too much": (LED, lambda f: f.factor.update(l1=1.2), "lampPowerTooHigh", 60),
    "bad power factor": (LED, pin(1, "power-factor", 0.5), "powerFactorTooLow", 60),
    "power factor under its curve": (CURVED, pin(1, "power-factor", 0.9), "powerFactorTooLow", 60),
    "brown-out at the lamp": (LED, pin(1, "voltage", 80.0), "supplyLoss", 10),
    "low voltage at the lamp": (LED, pin(1, "voltage", 200.0), "supplyVoltageTooLow", 600),
    "high voltage at the lamp": (LED, pin(1, "voltage", 260.0), "supplyVoltageTooHigh", 600),
}


@pytest.mark.parametrize("case", RAISED)
def test_what_is_wrong_with_a_lamp_is_one_event_after_its_time_and_ends_after_it(case: str) -> None:
    kind, act, event, after_s = RAISED[case]
    field = lit_street(street(kind=kind))
    act(field)
    field.advance(timedelta(seconds=after_s), every=SECONDS)
    assert raised(field) == {}
    field.advance(2 * SECONDS, every=SECONDS)
    assert roots(field) == {("lamp/l1", event)}
    unpin(field)
    field.advance(timedelta(seconds=after_s), every=SECONDS)
    assert roots(field) == {("lamp/l1", event)}
    field.advance(2 * SECONDS, every=SECONDS)
    assert raised(field) == {}
    assert told(field) == [("lamp/l1", event, "raised"), ("lamp/l1", event, "cleared")]


NEVER: dict[str, tuple[LampType, Act]] = {
    "14 % too little": (LED, lambda f: f.factor.update(l1=0.86)),
    "14 % too much": (LED, lambda f: f.factor.update(l1=1.14)),
    "within its own tolerance": (replace(LED, tolerance_w=20.0), lambda f: f.factor.update(l1=0.6)),
    "stuck where the level is": (LED, lambda f: f.stuck_at.update(l1=100.0)),
    "a node without power factor": (LED, pin(1, "power-factor", 0.0)),
    "a node without voltage": (LED, pin(1, "voltage", 0.0)),
    "207 V": (LED, pin(1, "voltage", 207.0)),
    "253 V": (LED, pin(1, "voltage", 253.0)),
    "a bad power factor far below the nominal power": (
        replace(LED, virtual_output=40.0),
        pin(1, "power-factor", 0.5),
    ),
}


@pytest.mark.parametrize("case", NEVER)
def test_what_is_within_its_limits_is_nothing(case: str) -> None:
    kind, act = NEVER[case]
    field = lit_street(street(kind=kind))
    act(field)
    field.advance(timedelta(minutes=20), every=2 * SECONDS)
    assert told(field) == []


@pytest.mark.parametrize(("share", "event"), [(0.8, None), (0.65, "lampPowerTooLow"), (1.25, None)])
def test_below_30_percent_the_tolerance_is_twice_as_wide(share: float, event: str | None) -> None:
    field = lit_street(street(kind=replace(LED, virtual_output=20.0)))
    field.factor["l1"] = share
    field.advance(timedelta(minutes=5))
    assert raised(field) == ({} if event is None else {("lamp/l1", event): None})


def test_a_hot_gear_is_named_beside_its_low_power() -> None:
    field = lit_street()
    field.factor["l1"] = 0.7
    pin(1, "temperature", 82.0)(field)
    field.advance(timedelta(minutes=3))
    assert field.state.alarms["lamp/l1", "lampPowerTooLow"].detail == "gear at 82 °C"


def test_a_lamp_that_goes_out_and_strikes_again_is_cycling() -> None:
    field = lit_street()
    for expected in (0, 0, 1):
        assert len(raised(field)) == expected
        field.out.add("l1")
        field.advance(timedelta(seconds=40), every=SECONDS)
        field.out.clear()
        field.advance(timedelta(seconds=140), every=SECONDS)
    assert roots(field) == {("lamp/l1", "cyclingFailure")}
    field.advance(timedelta(minutes=35))
    assert raised(field) == {}, "half an hour at peace"


def test_changes_of_the_command_are_no_cycles() -> None:
    field = lit_street()
    for _ in range(6):
        field.out.add("l1")
        field.advance(timedelta(seconds=20), every=SECONDS)
        field.out.clear()
        field.advance(timedelta(minutes=32))
    assert told(field) == []
    assert field.state.flickers == {}


def test_a_discharge_lamp_has_its_time_to_cool_down_and_to_warm_up() -> None:
    field = lit_street(street(kind=SODIUM), "2026-01-12 16:50")
    field.factor["l1"] = 0.5
    for _ in range(300):
        field.advance(SECONDS, every=SECONDS)
        if field.value("cab", "lamp.1.command"):
            break
    field.advance(timedelta(minutes=10), every=2 * SECONDS)
    assert raised(field) == {}
    field.advance(timedelta(minutes=2), every=2 * SECONDS)
    assert raised(field) == {("lamp/l1", "lampPowerTooLow"): None}


def test_a_lamp_that_has_just_got_its_mains_back_is_left_alone() -> None:
    field = lit_street()
    field.welded["s1"] = 0.0
    field.advance(timedelta(minutes=3))
    field.welded.clear()
    field.out.add("l1")
    field.advance(timedelta(seconds=170), every=SECONDS)
    assert raised(field) == {}
    field.advance(timedelta(seconds=30), every=SECONDS)
    assert roots(field) == {("lamp/l1", "lampFailure")}


def test_what_the_night_has_shown_is_latched_until_five_hours_after_the_morning() -> None:
    field = lit_street()
    field.out.add("l1")
    field.advance(timedelta(minutes=10))
    assert roots(field) == {("lamp/l1", "lampFailure")}
    field.until(moment("2026-01-13 08:45"))
    assert field.value("cab", "segment.1.command") == 0.0
    field.until(moment("2026-01-13 13:30"))
    assert roots(field) == {("lamp/l1", "lampFailure")}, "for the morning's report"
    field.until(moment("2026-01-13 14:00"))
    assert raised(field) == {}
    field.until(moment("2026-01-13 18:00"))
    assert roots(field) == {("lamp/l1", "lampFailure")}, "it is still dark"
    field.out.clear()
    field.advance(timedelta(minutes=3))
    assert raised(field) == {}


def test_a_cut_in_the_middle_of_the_night_does_not_let_go_of_anything() -> None:
    field = lit_street(street(plan=Plan("cut", program("cut", {"22:00": 0.0}), (), PLACE)))
    field.out.add("l1")
    field.until(moment("2026-01-13 11:00"))
    assert field.value("cab", "lamp.1.command") == 0.0
    assert roots(field) == {("lamp/l1", "lampFailure")}, "switched off at 22:00, the sun ends the night"
    field.until(moment("2026-01-13 14:00"))
    assert raised(field) == {}


def test_a_day_burner_behind_an_open_contactor_needs_five_minutes() -> None:
    field = lit_street(when="2026-01-13 10:00")
    pin(1, "power", 7.0)(field)
    field.advance(timedelta(seconds=290), every=SECONDS)
    assert raised(field) == {}
    field.advance(2 * SECONDS, every=SECONDS)
    assert roots(field) == {("lamp/l1", "lampUnexpectedOn")}
    pin(1, "power", 6.0)(field)
    field.advance(timedelta(minutes=6))
    assert raised(field) == {}


@pytest.mark.parametrize(
    ("when", "expected"), [("2026-01-13 12:00", {("lamp/l1", "lampUnexpectedOn")}), ("2026-01-13 02:00", set())]
)
def test_where_nothing_commands_a_lamp_the_sun_does(when: str, expected: set[tuple[str, str]]) -> None:
    site = street(lamps=2)
    device = site.devices["cab"]
    points = {n: replace(p, writable=False) if n == "lamp.1.command" else p for n, p in device.profile.points.items()}
    profile = replace(device.profile, points=points)
    field = lit_street(replace(site, devices={"cab": replace(device, profile=profile)}), when)
    pin(1, "power", 40.0)(field)
    field.advance(timedelta(minutes=10))
    assert roots(field) == expected
