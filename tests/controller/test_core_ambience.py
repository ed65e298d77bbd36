"""Photocells through the core: hysteresis and hold, what makes a cell unknown, and what the plans make of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from controller.core.cycle import adopt, cycle
from controller.core.report import alarm_of
from controller.core.wiring import Wiring
from drivers.api import PointId, Quality, Reading
from schedules import plan as plans
from schedules.photocell import Ambient
from tests.controller.field import Field
from tests.controller.sensing import BY_CELL, CAB, DARK, LUX, fault, sensing_field, sensing_town
from tests.controller.towns import at

MINUTE, TICK = timedelta(minutes=1), timedelta(seconds=10)
TWILIGHT = at("2026-01-12 17:00")
"""The sun is near the horizon: nothing that a cell says is implausible."""
FAILED = ("photocell/toit", "photocellFailure")


def said(field: Field) -> Ambient:
    return field.state.ambients["toit"].said


def under(field: Field, lux: float, seconds: int) -> Ambient:
    """What the cell says after ``seconds`` under ``lux``."""
    field.held[CAB, LUX] = lux
    field.poll()
    field.advance(timedelta(seconds=seconds), every=TICK)
    return said(field)


def told(field: Field) -> list[tuple[str, object]]:
    return [(str(e.facts["ambient"]), e.facts.get("cause")) for e in field.events if e.name == "ambient"]


@pytest.mark.parametrize(
    "steps",
    [
        [(60, 110, Ambient.UNKNOWN), (60, 10, Ambient.BRIGHT)],
        [(60, 120, Ambient.BRIGHT), (40, 600, Ambient.BRIGHT), (34, 110, Ambient.BRIGHT), (34, 20, Ambient.DARK)],
        [(10, 120, Ambient.DARK), (49, 600, Ambient.DARK), (51, 110, Ambient.DARK), (51, 20, Ambient.BRIGHT)],
        [(40, 600, Ambient.UNKNOWN)],
        [(60, 120, Ambient.BRIGHT), (20, 100, Ambient.BRIGHT), (60, 30, Ambient.BRIGHT), (20, 100, Ambient.BRIGHT)],
    ],
    ids=["hold", "darker", "brighter", "between from the start", "a cloud starts the hold anew"],
)
def test_the_thresholds_have_a_gap_and_each_side_must_hold(steps: list[tuple[float, int, Ambient]]) -> None:
    field = sensing_field(TWILIGHT, lux=40.0)
    for lux, seconds, expected in steps:
        assert under(field, lux, seconds) is expected


def test_a_switch_is_a_cell_too() -> None:
    field = sensing_field(TWILIGHT, sensing_town(lux=False))
    field.held[CAB, DARK] = 1.0
    field.advance(3 * MINUTE, every=TICK)
    assert said(field) is Ambient.DARK
    assert "lux" not in next(event for event in field.events if event.name == "ambient").facts


def test_one_cell_lights_another_cabinet_before_the_clock_and_no_earlier_than_its_window() -> None:
    field = sensing_field(at("2026-01-12 15:30"), lux=10_000.0)
    dusk = plans.evaluate(BY_CELL, field.now).until
    field.until(dusk - 40 * MINUTE)
    field.held[CAB, LUX] = 5.0
    field.advance(5 * MINUTE)
    assert said(field) is Ambient.DARK
    assert field.value("cab-gare", "lamp.1.command") == 0, "before its window the clock rules"
    field.until(dusk - 29 * MINUTE)
    assert field.value("cab-gare", "lamp.1.command") == 100
    assert "photocell toit: dark" in field.state.demands["gare"].reason


def test_a_bright_evening_waits_until_the_window_ends_and_follows_the_cell_at_once() -> None:
    field = sensing_field(at("2026-01-12 16:30"), lux=10_000.0)
    dusk = plans.evaluate(BY_CELL, field.now).until
    field.held[CAB, LUX] = 300.0
    field.until(dusk + 10 * MINUTE)
    assert field.value("cab-gare", "lamp.1.command") == 0
    assert under(field, 10.0, 130) is Ambient.DARK
    assert field.value("cab-gare", "lamp.1.command") == 100
    [event] = [each for each in field.events if each.name == "ambient" and each.facts["ambient"] == "dark"]
    assert (event.target, event.facts["lux"]) == ("photocell/toit", 10.0)


def test_a_silent_cabinet_leaves_the_night_to_the_clock_without_an_alarm_of_the_cell() -> None:
    field = sensing_field(TWILIGHT)
    assert under(field, 10.0, 130) is Ambient.DARK
    assert field.value("cab-gare", "lamp.1.command") == 100
    field.silent.add(CAB)
    field.poll()
    assert said(field) is Ambient.UNKNOWN
    assert told(field)[-1] == ("unknown", "the device does not answer")
    assert field.value("cab-gare", "lamp.1.command") == 0, "the clock has it dark until sunset+10m"
    field.advance(5 * MINUTE)
    assert alarm_of(field.state, FAILED) is None
    field.silent.clear()
    field.advance(3 * MINUTE)
    assert said(field) is Ambient.DARK


def test_a_device_of_cells_alone_raises_their_alarm_when_it_is_silent() -> None:
    site = sensing_town()
    alone = replace(site.devices[CAB], id="mast", points=(LUX,))
    cell = replace(site.photocells["toit"], device="mast")
    field = Field(Wiring(replace(site, devices={**site.devices, "mast": alone}, photocells={"toit": cell})), TWILIGHT)
    field.start()
    field.silent.add("mast")
    field.advance(2 * MINUTE, every=TICK)
    payload = alarm_of(field.state, FAILED)
    assert payload is not None
    assert payload["detail"] == "the device does not answer"


def test_a_fault_of_the_point_makes_it_unknown_and_an_alarm_that_ends() -> None:
    field = sensing_field(TWILIGHT)
    assert under(field, 10.0, 130) is Ambient.DARK
    for _ in range(8):
        field.now += TICK
        field.feed(fault(field))
    assert said(field) is Ambient.UNKNOWN
    payload = alarm_of(field.state, FAILED)
    assert payload is not None
    assert (payload["severity"], payload["detail"]) == ("minor", "the device has no usable value")
    assert under(field, 10.0, 130) is Ambient.DARK
    assert alarm_of(field.state, FAILED) is None


def test_a_reading_that_grew_old_says_nothing() -> None:
    field = sensing_field(TWILIGHT)
    assert under(field, 10.0, 130) is Ambient.DARK
    for _ in range(5):
        field.now += TICK
        field.feed(Reading(PointId(CAB, "door"), 0.0, field.now))
    assert said(field) is Ambient.UNKNOWN
    assert told(field)[-1] == ("unknown", "the last reading is too old")


def test_a_reading_that_the_device_itself_doubts_is_not_used() -> None:
    field = sensing_field(TWILIGHT)
    assert under(field, 10.0, 130) is Ambient.DARK
    field.feed(Reading(PointId(CAB, LUX), 10.0, field.now, Quality.UNCERTAIN))
    assert said(field) is Ambient.UNKNOWN


@pytest.mark.parametrize(
    ("start", "stuck", "other", "detail"),
    [
        (at("2026-06-12 11:00"), 3.0, 20_000.0, "implausible: dark by day"),
        (at("2026-01-12 23:00"), 900.0, 2.0, "implausible: bright at night"),
    ],
)
def test_a_cell_that_contradicts_the_sun_is_not_believed_until_it_moved(
    start: datetime, stuck: float, other: float, detail: str
) -> None:
    field = sensing_field(start, lux=stuck)
    field.advance(28 * MINUTE)
    assert said(field) is not Ambient.UNKNOWN, "half an hour is granted"
    field.advance(5 * MINUTE)
    assert said(field) is Ambient.UNKNOWN
    assert told(field)[-1] == ("unknown", detail)
    payload = alarm_of(field.state, FAILED)
    assert payload is not None
    assert (payload["detail"], payload["value"]) == (detail, stuck)
    field.advance(timedelta(hours=12), every=5 * MINUTE)
    assert said(field) is Ambient.UNKNOWN, "the sun agrees by now; a stuck cell is still stuck"
    field.now = start + timedelta(hours=24)
    field.held[CAB, LUX] = other
    field.advance(10 * MINUTE)
    assert said(field) is (Ambient.BRIGHT if other > stuck else Ambient.DARK)
    assert alarm_of(field.state, FAILED) is None


def test_a_storm_of_a_quarter_of_an_hour_is_no_failure() -> None:
    field = sensing_field(at("2026-06-12 11:00"))
    field.held[CAB, LUX] = 20.0
    field.advance(15 * MINUTE)
    field.held[CAB, LUX] = 9_000.0
    field.advance(40 * MINUTE)
    assert said(field) is Ambient.BRIGHT
    assert not [event for event in field.events if event.name == "alarm"]


def test_a_reload_keeps_what_the_cell_says_and_a_clock_set_back_asks_anew() -> None:
    field = sensing_field(TWILIGHT)
    assert under(field, 10.0, 130) is Ambient.DARK
    again = adopt(field.wiring, field.state, field.now)
    assert again.state.ambients["toit"].said is Ambient.DARK
    assert not [event for event in again.events if event.name == "ambient"]
    without = adopt(Wiring(replace(sensing_town(), photocells={})), field.state, field.now)
    assert without.state.ambients == {}
    back = cycle(field.wiring, field.state, [], field.now - timedelta(hours=1))
    assert back.state.ambients["toit"].said is Ambient.UNKNOWN
    assert back.state.ambients["toit"].since <= back.state.at


def test_readings_on_the_same_side_change_nothing() -> None:
    field = sensing_field(TWILIGHT)
    assert under(field, 10.0, 130) is Ambient.DARK
    before = field.state
    field.now += timedelta(seconds=1)
    field.feed(Reading(PointId(CAB, LUX), 11.0, field.now))
    assert field.state.ambients is before.ambients
    assert field.state.demands is before.demands
    assert field.state.heap is before.heap


def test_an_alarm_of_a_cell_that_is_gone_from_the_files_ends() -> None:
    field = sensing_field(TWILIGHT)
    for _ in range(8):
        field.now += TICK
        field.feed(fault(field))
    assert alarm_of(field.state, FAILED) is not None
    step = adopt(Wiring(replace(sensing_town(), photocells={})), field.state, field.now)
    assert alarm_of(step.state, FAILED) is None
