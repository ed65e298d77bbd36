"""Alarms at their edges: causes of each other, strangers' loads, meters that fall silent, reloads, silent nights."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from controller.core.cycle import adopt
from controller.core.wiring import Wiring
from tests.controller.street import Street, lit_street, raised, roots, street, with_gateway, with_meter
from tests.controller.towns import at

SECONDS, MINUTES = timedelta(seconds=10), timedelta(minutes=5)


def rewired(field: Street, wiring: Wiring) -> None:
    """A reload."""
    field.wiring = wiring
    field.take(adopt(wiring, field.state, field.now))


@pytest.mark.parametrize("lost", [None, 0, 2])
def test_a_cut_cable_is_one_alarm_that_shouts(lost: int | None) -> None:
    """Its nodes go mute, its power is gone, and a phase is lost besides: nothing explains itself in a circle."""
    field = lit_street()
    field.advance(timedelta(minutes=2), SECONDS)
    field.cut |= set(field.wiring.lamps_of_segment["s1"])
    field.advance(timedelta(seconds=30), SECONDS)
    if lost is not None:
        field.volts[lost] = 0.0
    field.advance(MINUTES, SECONDS)
    found = raised(field)
    assert roots(field)
    causes = {"/".join(name): cause for name, cause in found.items()}
    for name in causes:
        chain = [name]
        while (cause := causes[chain[-1]]) is not None:
            assert cause not in chain, f"explained in a circle: {chain}"
            chain.append(cause)


def test_a_strangers_load_that_is_unplugged_is_no_cut_for_ever() -> None:
    """Lamps that draw less than their data sheet hide it in the first nights; what is usual then ends it."""
    field = Street(Wiring(street(lamps=20)), at("2026-01-12 16:00"))
    field.gain, field.others_w = [0.9, 0.9, 0.9], [0.0, 0.0, 0.0]
    field.start()
    field.until(at("2026-01-12 19:00"))
    for watts in (133.0, 0.0):
        field.others_w = [watts, 0.0, 0.0]
        field.advance(timedelta(minutes=3), SECONDS)
    for day in (13, 14, 15, 16, 17):
        field.until(at(f"2026-01-{day} 21:00"))
    assert raised(field) == {}


@pytest.mark.parametrize("removed", [True, False])
def test_a_phase_that_nobody_reads_any_more_is_not_dead_for_ever(removed: bool) -> None:
    field = Street(Wiring(with_meter(street(lamps=8))), at("2026-01-12 16:00"))
    field.start()
    field.until(at("2026-01-12 19:00"))
    field.volts[0] = 0.0
    field.advance(timedelta(minutes=2), SECONDS)
    assert ("cabinet/c", "supplyLoss") in raised(field)
    if removed:
        site = field.wiring.site
        rest = {name: device for name, device in site.devices.items() if name in ("cab",)}
        field._meter = lambda load: None  # type: ignore[method-assign]
        rewired(field, Wiring(replace(site, meters={}, devices=rest)))
        assert ("cabinet/c", "supplyLoss") not in raised(field)
    else:
        field.silent.add(next(meter.device for meter in field.wiring.site.meters.values()))
    field.volts[0] = 230.0
    field.out.add("l1")
    field.advance(timedelta(minutes=30), SECONDS)
    assert raised(field)["lamp/l1", "lampFailure"] is None


def test_a_lamp_that_lost_its_node_keeps_no_alarm() -> None:
    field = lit_street()
    field.out.add("l1")
    field.advance(MINUTES, SECONDS)
    assert ("lamp/l1", "lampFailure") in raised(field)
    site = field.wiring.site
    rewired(field, Wiring(replace(site, lamps={**site.lamps, "l1": replace(site.lamps["l1"], address=None)})))
    assert ("lamp/l1", "lampFailure") not in raised(field)
    assert "lamp/l1" not in field.state.flickers


def test_the_nights_alarm_is_let_go_though_the_gateway_is_silent() -> None:
    field = lit_street(with_gateway(street(8)))
    field.out.add("l1")
    field.advance(MINUTES, SECONDS)
    assert ("lamp/l1", "lampFailure") in raised(field)
    field.silent.add(field.wiring.site.lamps["l1"].device)
    field.until(at("2026-01-13 18:00"))
    assert ("lamp/l1", "lampFailure") not in raised(field)
