"""Energy, burning hours and the account of the night."""

from __future__ import annotations

from datetime import timedelta

import pytest

from controller.core.journal import Saved
from controller.core.wiring import Wiring
from tests.controller.nights import CountingField
from tests.controller.towns import at, town


def test_the_night_closes_at_noon_with_its_account() -> None:
    field = CountingField(Wiring(town()), at("2026-01-12 12:00"))
    field.start()
    field.until(at("2026-01-13 12:05"))
    nights = {event.target: event.facts for event in field.events if event.name == "night"}
    gare, centre = nights["group/gare"], nights["group/centre-ville"]
    assert gare["night"] == "2026-01-12"
    assert gare["lit_h"] == pytest.approx(15.34, abs=0.2)  # sunset 17:09 + 10 min to sunrise 08:43 - 10 min
    assert gare["dark_h"] == pytest.approx(0.33, abs=0.2)
    assert gare["energy_kwh"] == pytest.approx(2 * 0.040 * 15.34, rel=0.03)
    assert gare["baseline_kwh"] == pytest.approx(2 * 0.040 * 15.67, rel=0.02)
    assert centre["dark_h"] == pytest.approx(0.33 + 4.5, abs=0.2)
    assert centre["saved_kwh"] == pytest.approx(centre["baseline_kwh"] - centre["energy_kwh"], abs=0.002)  # type: ignore[operator]


def test_counters_survive_a_restart_and_count_what_passed_meanwhile() -> None:
    field = CountingField(Wiring(town()), at("2026-01-12 20:00"))
    field.start()
    field.advance(timedelta(hours=1))
    saved = Saved(counters=dict(field.state.counters))
    before = field.state.counters["lamp/g-1/energy_kwh"]
    again = CountingField(field.wiring, field.now + timedelta(hours=1), held=dict(field.held))
    again.held["cab-gare", "lamp.1.energy"] += 0.04  # it went on burning while nobody asked
    again.start(saved)
    assert again.state.counters["lamp/g-1/energy_kwh"] == pytest.approx(before + 0.04)


def test_a_replaced_node_that_counts_from_zero_takes_nothing_back() -> None:
    field = CountingField(Wiring(town()), at("2026-01-12 20:00"))
    field.start()
    field.advance(timedelta(hours=2))
    before = field.state.counters["lamp/g-1/energy_kwh"]
    field.held["cab-gare", "lamp.1.energy"] = 0.0
    field.poll()
    assert field.state.counters["lamp/g-1/energy_kwh"] == before
    field.advance(timedelta(hours=1))
    assert field.state.counters["lamp/g-1/energy_kwh"] == pytest.approx(before + 0.04, abs=0.002)
