"""A cable that goes while its lamps burn: at once, and only then."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from config.site import LampType, Site
from controller.core.diagnostics.cable import fallen_w
from tests.controller.street import SECONDS, Street, lit_street, moment, raised, roots, street
from tests.controller.towns import at

BLIND = LampType("led-42", 42.0, 0.5, 10.0)
T0 = at("2026-01-12 20:00")


def readings(*pairs: tuple[float, float]) -> list[tuple[datetime, float, float]]:
    return [(T0 + timedelta(seconds=2 * n), watts, volts) for n, (watts, volts) in enumerate(pairs)]


@pytest.mark.parametrize(
    ("pairs", "watts"),
    [
        ([(800.0, 230.0), (600.0, 230.0), (600.0, 230.0)], 200.0),
        ([(800.0, 230.0), (600.0, 230.0), (650.0, 231.0)], 150.0),
        ([(800.0, 230.0), (600.0, 230.0)], 0.0),
        ([(800.0, 230.0), (600.0, 230.0), (800.0, 230.0)], 0.0),
        ([(800.0, 230.0), (600.0, 200.0), (600.0, 200.0)], 0.0),
        ([(800.0, 230.0), (790.0, 230.0), (790.0, 230.0)], 0.0),
        ([(20.0, 230.0), (12.0, 230.0), (12.0, 230.0)], 0.0),
        ([(600.0, 230.0), (800.0, 230.0), (800.0, 230.0)], 0.0),
    ],
)
def test_a_fall_stays_and_the_voltage_does_too(pairs: list[tuple[float, float]], watts: float) -> None:
    assert fallen_w(readings(*pairs)) == watts


def dumb(lamps: int = 20, segments: int = 1) -> Site:
    return street(lamps, BLIND, segments=segments, nodes=False)


def test_three_lamps_at_one_stroke_are_a_cut_cable_at_once() -> None:
    field = lit_street(dumb())
    field.cut.update({"l18", "l19", "l20"})
    field.advance(timedelta(seconds=4), every=timedelta(seconds=2))
    assert raised(field) == {("segment/s1", "cableFailure"): None}
    alarm = field.state.alarms["segment/s1", "cableFailure"]
    assert (alarm.severity, alarm.detail) == ("critical", "about 3 lamps at one stroke")
    field.cut.clear()
    field.advance(timedelta(seconds=50), every=SECONDS)
    assert raised(field) == {}


@pytest.mark.parametrize("lost", [1, 2])
def test_one_or_two_lamps_are_no_cable(lost: int) -> None:
    field = lit_street(dumb())
    field.cut.update({f"l{n}" for n in range(1, lost + 1)})
    field.advance(timedelta(minutes=30), every=SECONDS)
    assert raised(field) == {}


def test_it_is_still_cut_in_the_morning_and_the_next_evening() -> None:
    field = lit_street(dumb())
    field.cut.update({"l18", "l19", "l20"})
    for when in ("2026-01-12 20:00", "2026-01-13 15:00", "2026-01-13 19:00"):
        field.until(moment(when))
        assert set(roots(field)) == {("segment/s1", "cableFailure")}
    field.cut.clear()
    field.advance(timedelta(minutes=2))
    assert raised(field) == {}


def test_what_a_stranger_unplugs_is_no_cable() -> None:
    field = Street(lit_street(dumb()).wiring, moment("2026-01-12 16:00"), others_w=[400.0, 0.0, 0.0])
    field.start()
    field.until(moment("2026-01-12 19:00"))
    field.others_w = [0.0, 0.0, 0.0]
    field.advance(timedelta(minutes=10), every=SECONDS)
    assert raised(field) == {}


def test_a_command_is_no_cable() -> None:
    field = lit_street(dumb(20, 2))
    field.until(moment("2026-01-13 12:00"), every=2 * SECONDS)
    assert raised(field) == {}


def test_a_breaker_or_a_contactor_is_no_cable() -> None:
    site = dumb(20, 2)
    one_phase = {name: replace(segment, phase=1) for name, segment in site.segments.items()}
    field = lit_street(replace(site, segments=one_phase))
    field.bits["segment.1.breaker"] = 1.0
    field.advance(timedelta(minutes=5), every=SECONDS)
    assert raised(field) == {("segment/s1", "circuitBreakerTripped"): None}


def test_behind_which_contactor_it_is_mute_nodes_tell() -> None:
    site = street(20, BLIND, segments=2)
    one_phase = {name: replace(segment, phase=1) for name, segment in site.segments.items()}
    field = lit_street(replace(site, segments=one_phase))
    field.cut.update({"l16", "l18", "l20"})
    field.advance(timedelta(minutes=4), every=SECONDS)
    assert roots(field) == {("segment/s2", "cableFailure")}
    assert set(raised(field).values()) == {None, "segment/s2/cableFailure"}


def test_where_no_contactor_can_be_blamed_the_cabinet_is() -> None:
    site = dumb(20, 2)
    one_phase = {name: replace(segment, phase=1) for name, segment in site.segments.items()}
    field = lit_street(replace(site, segments=one_phase))
    field.cut.update({"l16", "l18", "l20"})
    field.advance(timedelta(minutes=4), every=SECONDS)
    assert roots(field) == {("cabinet/c", "cableFailure")}
    assert field.state.alarms["cabinet/c", "cableFailure"].detail == "about 3 lamps at one stroke on phase 1"


def test_the_loop_says_it_already() -> None:
    field = lit_street(dumb())
    field.bits["segment.1.loop"] = 1.0
    field.cut.update({"l18", "l19", "l20"})
    field.advance(timedelta(minutes=4), every=SECONDS)
    assert raised(field) == {("segment/s1", "cableFailure"): None}
    assert field.state.phases["cabinet/c/l1"].cut is None
