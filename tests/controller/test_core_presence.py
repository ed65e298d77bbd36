"""Presence through the core: who is there has light, as long as the hold, in the lit period only."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from controller.core.commands import Command
from controller.core.cycle import adopt, cycle
from controller.core.report import state_of
from controller.core.wiring import Wiring
from drivers.api import PointId, Quality, Reading
from tests.controller.field import Field
from tests.controller.sensing import CAB, SEEN, SEEN_TOO, fault, seen, sensing_field, sensing_town
from tests.controller.towns import at

MINUTE, TICK = timedelta(minutes=1), timedelta(seconds=10)
CUT = at("2026-01-13 02:00")
DIMMED = at("2026-01-12 23:00")
"""The plan has 60 %."""
FULL = at("2026-01-12 20:00")
DAY = at("2026-01-12 13:00")


def levels(field: Field) -> list[float]:
    """What the four lamps of the town hall are told."""
    return [field.value(CAB, f"lamp.{n}.command") for n in range(1, 5)]


def contactors(field: Field) -> list[float]:
    return [field.value(CAB, f"segment.{n}.command") for n in (1, 2)]


@pytest.mark.parametrize(
    ("start", "during", "closed"),
    [
        (CUT, [80, 40, 0, 0], [1, 0]),
        (DIMMED, [80, 60, 60, 60], [1, 1]),
        (FULL, [100, 100, 100, 100], [1, 1]),
        (DAY, [0, 0, 0, 0], [0, 0]),
    ],
    ids=["cut", "dimmed", "full", "by day"],
)
def test_a_presence_lifts_its_lamps_and_its_neighbours(start: object, during: list[float], closed: list[float]) -> None:
    assert start in (CUT, DIMMED, FULL, DAY)
    field = sensing_field(start)  # type: ignore[arg-type]
    before = (levels(field), contactors(field))
    seen(field, 1.0)
    assert (levels(field), contactors(field)) == (during, closed)
    seen(field, 0.0)
    field.advance(timedelta(seconds=110), every=TICK)
    assert levels(field) == during, "the hold is two minutes"
    field.advance(TICK)
    assert (levels(field), contactors(field)) == before
    assert not field.state.presences


def test_the_hold_begins_when_nobody_is_there_any_more() -> None:
    field = sensing_field(CUT)
    seen(field, 1.0)
    field.advance(10 * MINUTE, every=TICK)
    assert levels(field)[0] == 80
    seen(field, 0.0)
    field.advance(timedelta(seconds=60), every=TICK)
    seen(field, 1.0)
    seen(field, 0.0)
    field.advance(timedelta(seconds=110), every=TICK)
    assert levels(field)[0] == 80, "the second passer-by has a hold of their own"
    field.advance(TICK)
    assert levels(field)[0] == 0


def test_a_pulse_within_one_cycle_counts() -> None:
    field = sensing_field(CUT)
    field.feed(*(Reading(PointId(CAB, SEEN), value, field.now) for value in (1.0, 0.0)))
    assert levels(field)[0] == 80
    field.advance(timedelta(seconds=120), every=TICK)
    assert levels(field)[0] == 0


def test_of_several_sensors_the_highest_level_wins_until_it_ends() -> None:
    field = sensing_field(CUT)
    seen(field, 1.0, SEEN_TOO)
    assert levels(field) == [0, 30, 0, 0]
    seen(field, 1.0)
    seen(field, 0.0)
    assert levels(field) == [80, 40, 0, 0]
    field.advance(timedelta(seconds=120), every=TICK)
    assert levels(field) == [0, 30, 0, 0]
    seen(field, 0.0, SEEN_TOO)
    field.advance(timedelta(seconds=60), every=TICK)
    assert levels(field) == [0, 0, 0, 0]


def test_the_state_says_so_and_a_contactor_follows_its_lamp() -> None:
    field = sensing_field(CUT)
    seen(field, 1.0)
    lamp = state_of(field.wiring, field.state, "lamp/m-1", field.now)
    assert (lamp["commanded"], lamp["priority"], lamp["reason"]) == (80.0, 11, "presence passage: 80 %")
    assert lamp["until"] == "2026-01-13T01:02:00Z"
    segment = state_of(field.wiring, field.state, "segment/mairie-a", field.now)
    assert (segment["commanded"], segment["priority"]) == (True, 11)
    assert segment["reason"] == "feeds lamps at 80 %: presence passage: 80 %"


def test_an_override_is_stronger() -> None:
    field = sensing_field(CUT)
    field.feed(Command("c1", "lamp", "m-1", field.now, value=20.0))
    seen(field, 1.0)
    assert levels(field) == [20, 40, 0, 0]
    field.feed(Command("c2", "lamp", "m-1", field.now, relinquish=True))
    assert levels(field) == [80, 40, 0, 0]
    field.feed(Command("c3", "group", "centre-ville", field.now, value=10.0))
    assert levels(field) == [10, 10, 10, 10]


def test_it_ends_with_the_lit_period_and_begins_with_it() -> None:
    field = sensing_field(at("2026-01-13 07:00"))
    seen(field, 1.0)
    assert levels(field) == [80, 60, 60, 60]
    field.until(at("2026-01-13 12:00"))
    assert field.state.presences, "somebody is still there"
    assert (levels(field), contactors(field)) == ([0, 0, 0, 0], [0, 0])
    field.until(at("2026-01-13 18:00"))
    assert field.state.presences
    reason = state_of(field.wiring, field.state, "lamp/m-1", field.now)["reason"]
    assert reason == "presence passage: 80 %", "never below what the plan has"
    field.until(at("2026-01-14 02:00"))
    assert levels(field) == [80, 40, 0, 0]


@pytest.mark.parametrize("how", ["silent", "fault", "stale"])
def test_a_sensor_that_is_not_heard_any_more_runs_out(how: str) -> None:
    field = sensing_field(CUT)
    seen(field, 1.0)
    if how == "silent":
        field.silent.add(CAB)
        field.advance(3 * MINUTE, every=TICK)
    for _ in range(13 if how != "silent" else 0):
        field.now += TICK
        field.feed(fault(field, SEEN) if how == "fault" else Reading(PointId(CAB, "door"), 0.0, field.now))
    assert not field.state.presences


def test_a_reading_that_the_device_doubts_is_nobody() -> None:
    field = sensing_field(CUT)
    field.feed(Reading(PointId(CAB, SEEN), 1.0, field.now, Quality.UNCERTAIN))
    assert not field.state.presences


def test_readings_that_repeat_themselves_change_nothing_and_a_passer_by_by_day_touches_no_lamp() -> None:
    field = sensing_field(CUT)
    seen(field, 1.0)
    before = field.state
    field.now += timedelta(seconds=1)
    seen(field, 1.0)
    assert field.state.presences is before.presences
    assert field.state.outputs is before.outputs
    by_day = sensing_field(DAY)
    seen(by_day, 1.0)
    assert by_day.steps[-1].changed == frozenset()
    assert not by_day.steps[-1].journal


def test_a_lamp_of_no_group_has_no_lit_period() -> None:
    site = sensing_town()
    groups = {name: replace(group, lamps=("m-2", "m-3", "m-4")) if name == "centre-ville" else group
              for name, group in site.groups.items()}  # fmt: skip
    field = sensing_field(CUT, replace(site, groups=groups))
    seen(field, 1.0)
    assert levels(field) == [0, 40, 0, 0]


def test_detections_of_a_night_are_counted_journalled_and_told_at_noon() -> None:
    field = sensing_field(DAY)
    seen(field, 1.0)
    seen(field, 0.0)
    field.until(CUT)
    for value in (1.0, 0.0, 1.0, 0.0):
        seen(field, value)
    assert field.steps[-2].journal.counters["presence/passage/detections"] == 2.0
    field.until(at("2026-01-13 12:30"), every=10 * MINUTE)
    nights = {event.target: event.facts for event in field.events if event.name == "presence-night"}
    assert nights["presence/passage"] == {"night": "2026-01-12", "detections": 2}
    again = Field(field.wiring, field.now)
    again.start(field.saved())
    again.until(at("2026-01-14 12:30"), every=10 * MINUTE)
    nights = {event.target: event.facts for event in again.events if event.name == "presence-night"}
    assert nights["presence/passage"] == {"night": "2026-01-13", "detections": 0}


def test_a_reload_keeps_a_presence_of_a_sensor_that_is_still_there() -> None:
    field = sensing_field(CUT)
    seen(field, 1.0)
    kept = adopt(field.wiring, field.state, field.now)
    assert set(kept.state.presences) == {"passage"}
    assert kept.state.due["presence/passage"] == field.now + 2 * MINUTE
    gone = adopt(Wiring(replace(sensing_town(), presence_sensors={})), field.state, field.now)
    assert not gone.state.presences
    back = cycle(field.wiring, field.state, [], field.now - timedelta(hours=1))
    assert not back.state.presences
