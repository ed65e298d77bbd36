"""Lamps out by a cabinet's power alone: told by its count and confidence, an alarm only against other nights."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.site import LampType, Site
from controller.core.diagnostics.estimate import Sample, estimated
from controller.core.journal import Saved
from controller.core.report import state_of
from controller.core.traces import Estimate
from controller.core.wiring import Wiring
from schedules.plan import Plan
from tests.controller.street import Street, moment, raised, street, told
from tests.controller.towns import PLACE, at, program

FIVE = timedelta(minutes=5)
BLIND = LampType("led-42", 42.0, 0.5, 10.0)
PART_NIGHT = Plan("part", program("part", {"22:30": 60, "00:30": 0, "05:00": 60}), (), PLACE)


def dumb(lamps: int = 20, segments: int = 1, plan: Plan | None = None) -> Site:
    """A street whose lamps have no nodes."""
    base = street(lamps, BLIND, segments=segments, nodes=False)
    groups = {"all": replace(base.groups["all"], plan=plan)} if plan is not None else base.groups
    return replace(base, groups=groups)


def after_nights(site: Site, nights: int, gain: float = 1.0) -> Street:
    """A street that was well for so many nights, on an evening at 20:00."""
    field = Street(Wiring(site), at("2026-01-05 14:00"), gain=[gain, gain, gain])
    field.start()
    field.until(at("2026-01-05 20:00") + timedelta(days=nights), every=2 * FIVE)
    field.steps = field.steps[-1:]
    return field


def sample(lamps: int, out: float, gain: float = 1.0, level_w: float = 40.0, reported: int = 0) -> Sample:
    return Sample(lamps, lamps * level_w, 0.0, gain * (9.0 + (lamps - out) * level_w), "", (), reported)


@pytest.mark.parametrize(
    ("lamps", "out", "expected", "at_least", "at_most"),
    [
        (20, 0, 0, 0.99, 1.0),
        (20, 1, 1, 0.99, 1.0),
        (20, 20, 20, 0.99, 1.0),
        (50, 1, 1, 0.94, 0.97),
        (60, 1, 1, 0.85, 0.95),
        (100, 1, 1, 0.7, 0.85),
        (100, 0, 0, 0.7, 0.85),
        (100, 5, 5, 0.99, 1.0),
        (3, 1, 1, 0.99, 1.0),
    ],
)
def test_how_sure_it_is_falls_with_the_number_of_lamps(
    lamps: int, out: int, expected: int, at_least: float, at_most: float
) -> None:
    found = estimated(sample(lamps, out), 9.0, 1.0)
    assert found.out == expected
    assert at_least <= found.confidence <= at_most


def test_before_anything_was_learnt_nobody_is_sure() -> None:
    assert estimated(sample(20, 3), 9.0, None) == Estimate(3, 0.5, 3)


def test_what_nodes_have_reported_needs_no_explanation() -> None:
    assert estimated(sample(20, 3, reported=2), 9.0, 1.0).unexplained == 1


@given(
    lamps=st.integers(1, 50),
    share=st.floats(0.0, 1.0),
    gain=st.floats(0.99, 1.01),
    off_by=st.floats(-0.002, 0.002),
    type_off=st.floats(0.85, 1.15),
)
def test_against_the_same_nights_a_class_1_meter_counts_right(
    lamps: int, share: float, gain: float, off_by: float, type_off: float
) -> None:
    """Whatever the meter's gain and however wrong the data sheet, as long as tonight is like the nights before."""
    out = round(share * lamps)
    usual = sample(lamps, 0, gain, 40.0 * type_off).power_w
    tonight = (usual - gain * out * 40.0 * type_off) * (1.0 + off_by)
    ratio = (usual - gain * 9.0) / (lamps * 40.0)
    found = estimated(replace(sample(lamps, 0), power_w=tonight), gain * 9.0, ratio)
    assert found.out == out


@given(out=st.integers(0, 3), gain=st.floats(0.99, 1.01))
def test_one_of_twenty_is_seen_on_the_first_evening_too(out: int, gain: float) -> None:
    assert estimated(sample(20, out, gain), 9.0, None).out == out


@settings(max_examples=3, deadline=None)
@given(gain=st.floats(0.99, 1.01))
def test_a_lamp_out_of_twenty_is_estimated_and_after_ten_minutes_a_minor_alarm(gain: float) -> None:
    field = after_nights(dumb(), 4, gain)
    shown = state_of(field.wiring, field.state, "segment/s1", field.now)
    assert (shown["estimated_lamps_out"], raised(field)) == (0, {})
    assert float(str(shown["estimated_confidence"])) > 0.99
    field.out.add("l7")
    field.advance(timedelta(minutes=9))
    assert state_of(field.wiring, field.state, "segment/s1", field.now)["estimated_lamps_out"] == 1
    assert raised(field) == {}
    field.advance(timedelta(minutes=3))
    assert raised(field) == {("segment/s1", "estimatedLampsOut"): None}
    alarm = field.state.alarms["segment/s1", "estimatedLampsOut"]
    assert (alarm.severity, alarm.value, alarm.detail) == ("minor", 1.0, "1 of 20 on phase 1")
    field.out.clear()
    field.advance(timedelta(minutes=12))
    assert raised(field) == {}


def test_a_lamp_that_stays_out_is_not_learnt_and_its_alarm_is_the_nights() -> None:
    field = after_nights(dumb(), 4)
    field.out.add("l7")
    for _ in range(5):
        field.until(field.now + timedelta(hours=14), every=FIVE)
        assert set(raised(field)) == {("segment/s1", "estimatedLampsOut")}, "for the morning's report"
        field.until(field.now + timedelta(hours=10), every=FIVE)
        field.steps = field.steps[-1:]
    assert set(raised(field)) == {("segment/s1", "estimatedLampsOut")}


def test_a_fortnight_of_cuts_voltages_and_a_market_raises_nothing() -> None:
    field = Street(Wiring(dumb(20, 2, PART_NIGHT)), at("2026-01-05 14:00"), gain=[1.01, 0.99, 1.0])
    field.start()
    for day in range(14):
        field.others_w[0] = 400.0 if day in (10, 11, 12) else 0.0
        for hour in range(24):
            field.volts = [226.0 + (day * 7 + hour * 3) % 9, 229.0 + hour % 4, 230.0]
            field.gain = [1.01 + 0.001 * (hour % 3 - 1), 0.99 - 0.001 * (day % 3 - 1), 1.0]
            field.advance(timedelta(hours=1), every=timedelta(minutes=10))
        assert told(field) == []
        field.steps = field.steps[-1:]


def test_what_was_learnt_survives_a_restart() -> None:
    field = after_nights(dumb(), 5)
    again = Street(field.wiring, field.now, held=field.held)
    again.start(Saved(counters=field.state.counters))
    again.advance(timedelta(minutes=5))
    shown = state_of(again.wiring, again.state, "segment/s1", again.now)
    assert shown["estimated_lamps_out"] == 0
    assert float(str(shown["estimated_confidence"])) > 0.99
    again.out.add("l1")
    again.advance(timedelta(minutes=15))
    assert set(raised(again)) == {("segment/s1", "estimatedLampsOut")}


def test_two_contactors_on_a_phase_are_told_at_their_cabinet() -> None:
    site = dumb(20, 2)
    segments = {name: replace(segment, phase=1) for name, segment in site.segments.items()}
    field = after_nights(replace(site, segments=segments), 4)
    shown = state_of(field.wiring, field.state, "cabinet/c", field.now)
    assert shown["estimated_lamps_out_l1"] == 0
    assert "estimated_lamps_out" not in state_of(field.wiring, field.state, "segment/s1", field.now)
    field.out.add("l3")
    field.advance(timedelta(minutes=15))
    assert set(raised(field)) == {("cabinet/c", "estimatedLampsOut")}


def test_lamps_whose_phase_nobody_knows_are_estimated_by_the_whole_power() -> None:
    site = dumb(20, 2)
    segments = {name: replace(segment, phase=None) for name, segment in site.segments.items()}
    field = after_nights(replace(site, segments=segments), 4)
    field.out.add("l3")
    field.advance(timedelta(minutes=15))
    assert state_of(field.wiring, field.state, "cabinet/c", field.now)["estimated_lamps_out"] == 1
    assert set(raised(field)) == {("cabinet/c", "estimatedLampsOut")}


def test_a_lamp_that_its_node_reports_is_counted_but_no_second_alarm() -> None:
    field = after_nights(street(20, BLIND, segments=1), 4)
    field.out.add("l7")
    field.advance(timedelta(minutes=20))
    assert set(raised(field)) == {("lamp/l7", "lampFailure")}
    assert state_of(field.wiring, field.state, "segment/s1", field.now)["estimated_lamps_out"] == 1


def test_by_day_nothing_is_estimated_and_nothing_forgotten() -> None:
    field = after_nights(dumb(), 4)
    field.until(moment("2026-01-10 12:00"), every=FIVE)
    assert told(field) == []
    assert state_of(field.wiring, field.state, "segment/s1", field.now)["estimated_lamps_out"] == 0
