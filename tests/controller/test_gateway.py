"""The gateway's own state over the real core."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import pytest

from controller import gateway
from controller.clock import Clock
from controller.core.commands import Command
from controller.core.wiring import Wiring
from controller.gateway import clock_quality, gateway_state
from tests.controller.field import Field
from tests.controller.nights import CountingField
from tests.controller.towns import at, town

KEYS = {
    "ts", "version", "site_name", "config_hash", "clock", "clock_speed", "devices", "devices_online", "buses",
    "calendars", "overrides", "alarms", "alarms_suppressed",
}  # fmt: skip
NIGHT = {
    "night", "night_lamps", "night_energy_kwh", "night_lit_h", "night_dark_h", "night_baseline_kwh", "night_saved_kwh",
}  # fmt: skip


def told(field: Field, clock: Clock | None = None) -> dict[str, object]:
    return gateway_state(field.wiring, field.state, field.now, clock or Clock())


@pytest.fixture
def field() -> Field:
    field = Field(Wiring(town()), at("2026-01-12 18:00"))
    field.start()
    return field


def test_what_stands_in_it(field: Field) -> None:
    payload = told(field)
    assert set(payload) == KEYS | NIGHT
    assert payload["version"] == version("veilleuse")
    assert (payload["site_name"], payload["config_hash"]) == ("Valbourg", "0" * 12)
    assert payload["ts"] == "2026-01-12T17:00:00Z"
    assert json.loads(json.dumps(payload, allow_nan=False)) == payload


def test_devices_are_counted_by_bus_as_they_answer(field: Field) -> None:
    assert (told(field)["devices_online"], told(field)["buses"]) == (3, ["armoires 2/2", "gtb 1/1"])
    field.silent.update({"cab-gare", "ecole"})
    field.poll()
    assert (told(field)["devices_online"], told(field)["buses"]) == (1, ["armoires 1/2", "gtb 0/1"])


def test_before_anything_was_heard_nothing_is_online() -> None:
    field = Field(Wiring(town()), at("2026-01-12 18:00"))
    field.silent.update(field.wiring.site.devices)
    field.start()
    assert (told(field)["devices_online"], told(field)["buses"]) == (0, ["armoires 0/2", "gtb 0/1"])


def test_overrides_and_raised_alarms_are_counted(field: Field) -> None:
    field.feed(Command("c-1", "lamp", "g-1", field.now, value=10.0, lasting=timedelta(minutes=30)))
    field.held["cab-mairie", "door"] = 1.0
    field.held["cab-mairie", "lamp.1.power"] = 0.0  # on its way to an alarm, not one yet
    field.poll()
    assert (told(field)["overrides"], told(field)["alarms"]) == (1, 1)
    assert told(field)["alarms_suppressed"] == 0
    field.held["cab-mairie", "door"] = 0.0
    field.held["cab-mairie", "lamp.1.power"] = 40.0
    field.advance(timedelta(hours=1))
    assert (told(field)["overrides"], told(field)["alarms"]) == (0, 0)


def test_what_others_explain_is_counted_apart(field: Field) -> None:
    field.silent.add("cab-gare")
    field.advance(timedelta(minutes=2))
    assert (told(field)["alarms"], told(field)["alarms_suppressed"]) == (1, 1), "the cabinet, and its meter"


def test_the_clock_says_what_it_is(field: Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulated = Clock(field.now, 60.0, 0.0)
    assert (told(field, simulated)["clock"], told(field, simulated)["clock_speed"]) == ("simulated", 60.0)
    monkeypatch.setattr(gateway, "_SYNCHRONISED", tmp_path / "missing")
    assert clock_quality(Clock()) == "unknown"
    monkeypatch.setattr(gateway, "_SYNCHRONISED", tmp_path)
    assert clock_quality(Clock()) == "synchronised"


def test_the_night_so_far_is_the_sum_of_its_groups() -> None:
    field = CountingField(Wiring(town()), at("2026-01-12 16:00"))
    field.start()
    field.until(at("2026-01-13 06:00"))
    payload = told(field)
    assert payload["night"] == "2026-01-12"
    assert payload["night_lamps"] == 6
    # sunset 17:09, lit from 17:19: the station's two lamps all night, the four of the centre dark from 00:30 to 05:00
    lit_h = (2 * 12.68 + 4 * (12.68 - 4.5)) / 6
    assert payload["night_lit_h"] == pytest.approx(lit_h, abs=0.2)
    assert payload["night_dark_h"] == pytest.approx(12.85 - lit_h, abs=0.2)
    assert payload["night_baseline_kwh"] == pytest.approx(6 * 0.040 * 12.85, rel=0.02)
    energy, saved = payload["night_energy_kwh"], payload["night_saved_kwh"]
    assert isinstance(energy, float)
    assert isinstance(saved, float)
    assert energy == pytest.approx(2 * 0.04 * 12.68 + 4 * (0.04 * 5.18 + 0.0242 * 3.0), rel=0.03)
    assert energy + saved == pytest.approx(payload["night_baseline_kwh"], abs=0.002)


def test_a_site_without_lamps_has_no_night() -> None:
    site = town()
    bare = replace(site, lamps={}, groups={}, segments={}, cabinets={})
    field = Field(Wiring(bare), at("2026-01-12 18:00"))
    field.start()
    assert set(told(field)) == KEYS
