"""Contactors, cables, inputs and mains: what raises each event, what clears it, and what never does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from config.site import Timing
from controller.core.report import alarm_of
from tests.controller.street import SECONDS, Street, lit_street, moment, raised, roots, street, with_gateway, with_meter

Act = Callable[[Street], object]
NIGHT, DAY = "2026-01-12 19:00", "2026-01-13 10:00"
Name = tuple[str, str]


def bit(point: str) -> Act:
    return lambda field: field.bits.update({point: 1.0})


def phase(number: int, volts: float) -> Act:
    def act(field: Street) -> None:
        field.volts[number - 1] = volts

    return act


def whole(field: Street) -> None:
    """Everything is repaired."""
    field.bits = dict.fromkeys(field.bits, 0.0)
    field.welded.clear()
    field.cut.clear()
    field.volts = [230.0, 230.0, 230.0]
    field.silent.clear()


AT_ONCE: dict[str, tuple[str, Act, Name]] = {
    "door": (DAY, bit("door"), ("cabinet/c", "cabinetDoorOpen")),
    "leakage": (NIGHT, bit("leakage"), ("cabinet/c", "leakageDetected")),
    "breaker": (NIGHT, bit("segment.1.breaker"), ("segment/s1", "circuitBreakerTripped")),
    "loop by day": (DAY, bit("segment.1.loop"), ("segment/s1", "cableFailure")),
    "loop by night": (NIGHT, bit("segment.2.loop"), ("segment/s2", "cableFailure")),
}


@pytest.mark.parametrize("case", AT_ONCE)
def test_inputs_are_alarms_at_once_and_end_at_once(case: str) -> None:
    when, act, name = AT_ONCE[case]
    field = lit_street(when=when)
    act(field)
    field.poll()
    assert raised(field) == {name: None}
    whole(field)
    field.advance(SECONDS)
    assert raised(field) == {}


AFTER: dict[str, tuple[str, Act, Name, float]] = {
    "welded": (DAY, lambda f: f.welded.update(s1=1.0), ("segment/s1", "switchingErrorOn"), 10),
    "does not close": (NIGHT, lambda f: f.welded.update(s1=0.0), ("segment/s1", "switchingErrorOff"), 10),
    "phase 2 lost": (NIGHT, phase(2, 0.0), ("cabinet/c", "supplyLoss"), 5),
    "unused phase lost": (DAY, phase(3, 20.0), ("cabinet/c", "supplyLoss"), 5),
    "low": (DAY, phase(3, 206.9), ("cabinet/c", "supplyVoltageTooLow"), 600),
    "high": (NIGHT, phase(2, 253.1), ("cabinet/c", "supplyVoltageTooHigh"), 600),
    "silent": (NIGHT, lambda f: f.silent.add("cab"), ("cabinet/c", "communicationFailure"), 20),
}


@pytest.mark.parametrize("case", AFTER)
def test_what_must_last_is_an_alarm_after_its_time_and_ends_after_it(case: str) -> None:
    when, act, name, after_s = AFTER[case]
    field = lit_street(when=when)
    act(field)
    field.advance(timedelta(seconds=after_s), every=timedelta(seconds=min(5.0, after_s / 2)))
    assert raised(field) == {}
    field.advance(SECONDS, every=SECONDS / 2)
    assert raised(field) == {name: None}
    whole(field)
    field.advance(timedelta(seconds=after_s + 70.0), every=SECONDS)
    assert raised(field) == {}


@pytest.mark.parametrize(("volts", "event"), [(207.0, None), (253.0, None), (115.0, "supplyVoltageTooLow")])
def test_the_limits_of_the_voltage(volts: float, event: str | None) -> None:
    field = lit_street(when=DAY)
    field.volts[0] = volts
    field.advance(timedelta(minutes=15))
    assert set(raised(field)) == (set() if event is None else {("cabinet/c", event)})


def test_the_phases_are_named() -> None:
    field = lit_street(when=DAY)
    field.volts = [0.0, 230.0, 12.0]
    field.advance(2 * SECONDS, every=SECONDS)
    payload = alarm_of(field.state, ("cabinet/c", "supplyLoss"))
    assert payload is not None
    assert (payload["detail"], payload["value"], payload["threshold"]) == ("phases 1, 3", 0.0, 115.0)
    field.volts = [0.0, 0.0, 0.0]
    field.advance(SECONDS)
    assert (alarm_of(field.state, ("cabinet/c", "supplyLoss")) or {})["detail"] == "all phases"
    assert len([event for event in field.events if event.name == "alarm"]) == 1


def test_a_phase_that_is_not_connected_is_not_lost() -> None:
    field = Street(lit_street().wiring, moment("2026-01-12 16:00"), volts=[230.0, 230.0, 0.0])
    field.start()
    field.until(moment(NIGHT))
    assert raised(field) == {}


def test_a_phase_with_lamps_that_was_never_alive_is_lost() -> None:
    field = Street(lit_street().wiring, moment("2026-01-12 16:00"), volts=[230.0, 0.0, 230.0])
    field.start()
    field.until(moment("2026-01-12 16:10"))
    assert raised(field) == {("cabinet/c", "supplyLoss"): None}


def test_mains_that_a_meter_of_its_own_reads_belong_to_the_cabinet() -> None:
    field = lit_street(with_meter(street()))
    field.volts[1] = 0.0
    field.advance(2 * SECONDS, every=SECONDS)
    assert raised(field) == {("cabinet/c", "supplyLoss"): None}


@pytest.mark.parametrize("selector", ["local", "segment.1.local"])
@pytest.mark.parametrize(("when", "closed"), [(NIGHT, 0.0), (DAY, 1.0)])
def test_a_hand_at_the_selector_is_no_switching_error(selector: str, when: str, closed: float) -> None:
    field = lit_street(when=when)
    field.bits[selector], field.welded["s1"] = 1.0, closed
    field.advance(3 * SECONDS, every=SECONDS)
    assert raised(field) == {("segment/s1", "localOverride"): None}
    assert field.state.alarms["segment/s1", "localOverride"].detail == ("ON" if closed else "OFF")
    whole(field)
    field.advance(3 * SECONDS, every=SECONDS)
    assert raised(field) == {}


def test_a_hand_that_wants_what_the_plan_wants_is_nothing() -> None:
    field = lit_street()
    field.bits["local"] = 1.0
    field.advance(timedelta(minutes=5))
    assert raised(field) == {}


def test_a_contactor_that_waits_for_its_turn_has_not_failed() -> None:
    site = street(segments=2)
    cabinets = {"c": replace(site.cabinets["c"], stagger_s=60.0)}
    field = lit_street(replace(site, cabinets=cabinets), "2026-01-12 16:55")
    for _ in range(200):
        field.advance(SECONDS, every=SECONDS)
        assert raised(field) == {}
    assert field.value("cab", "segment.2.feedback") == 1.0


def test_a_gateway_without_a_cabinet_of_its_own_is_one_alarm() -> None:
    field = lit_street(with_gateway(street()))
    field.silent.add("dali")
    field.advance(timedelta(minutes=3))
    assert raised(field) == {("device/dali", "communicationFailure"): None}
    field.silent.clear()
    field.advance(timedelta(minutes=3))
    assert raised(field) == {}


def test_no_node_of_a_closed_contactor_answers() -> None:
    field = lit_street()
    field.mute.update({"l1", "l3", "l5", "l7"})
    field.advance(timedelta(minutes=3))
    assert roots(field) == {("segment/s1", "supplyLoss")}
    assert raised(field)["lamp/l1", "controlGearCommFailure"] == "segment/s1/supplyLoss"
    field.mute.discard("l1")
    field.advance(timedelta(minutes=5))
    assert roots(field) == {("lamp/l3", "controlGearCommFailure"), ("lamp/l5", "controlGearCommFailure"),
                            ("lamp/l7", "controlGearCommFailure")}  # fmt: skip


def test_times_of_the_wire_are_never_shorter_than_real_seconds() -> None:
    field = lit_street(replace(street(), timing=Timing().scaled(60.0)), DAY)
    field.welded["s1"] = 1.0
    field.advance(timedelta(seconds=180), every=timedelta(seconds=30))
    assert raised(field) == {}
    field.advance(timedelta(seconds=60), every=timedelta(seconds=30))
    assert raised(field) == {("segment/s1", "switchingErrorOn"): None}
