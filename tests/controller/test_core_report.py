"""State payloads: exactly the contract's keys, and nothing told that is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from controller.core.commands import Command
from controller.core.cycle import begin
from controller.core.journal import Saved
from controller.core.report import alarm_of, state_of
from controller.core.stack import rfc3339
from controller.core.state import State
from controller.core.wiring import Wiring
from drivers.api import Fault, PointId, Quality, Reading
from tests.controller.field import Field
from tests.controller.towns import at, town

COUNTED = {"energy_kwh", "energy_by", "burning_h", "switch_ons"}
COMMANDED = {"write", "priority", "reason", "until", "why"}
FORECAST = {"opening_at", "expected_c", "forecast_ready_at", "preheat_at", "confidence", "learnt_mornings"}
MAINS = (
    {"power_w", "energy_kwh", "frequency_hz"}
    | {
        f"{quantity}_{phase}_{unit}"
        for quantity, unit in (("voltage", "v"), ("current", "a"), ("power", "w"))
        for phase in ("l1", "l2", "l3")
    }
    | {"power_factor_l1", "power_factor_l2", "power_factor_l3"}
)
KEYS = {
    "lamp/m-1": {"level", "commanded", "power_w", "expected_power_w"}
    | {"power_factor", "voltage_v", "temperature_c"}
    | COUNTED
    | COMMANDED,
    "segment/mairie-a": {"on", "commanded", "breaker_tripped", "loop_open", "local_override", "lamps", "switch_ons"}
    | COMMANDED,
    "cabinet/mairie": {"door_open", "lamps", "lamps_lit"} | MAINS,
    "meter/gare-mains": MAINS,
    "zone/ecole.classes": {"temperature_c", "setpoint_c", "commanded_c", "allure", "heating", "window_open"}
    | FORECAST
    | COMMANDED,
    "building/ecole": {"outdoor_c", "boiler_on", "supply_c", "heating_kw", "heating_kwh", "zones"},
}
UNHEARD = {
    "lamp/m-1": {"commanded", "expected_power_w", "detail"} | COMMANDED,
    "segment/mairie-a": {"commanded", "lamps", "detail"} | COMMANDED,
    "cabinet/mairie": {"lamps"},
    "meter/gare-mains": set(),
    "zone/ecole.classes": {"commanded_c", "allure", "detail", "learnt_mornings"} | COMMANDED,
    "building/ecole": {"zones"},
}


@pytest.fixture
def field() -> Field:
    field = Field(Wiring(town()), at("2026-01-12 18:00"))
    field.start()
    field.advance(timedelta(minutes=1))
    return field


def told(field: Field, key: str) -> dict[str, object]:
    return state_of(field.wiring, field.state, key, field.now)


@pytest.mark.parametrize("key", KEYS)
def test_the_keys_of_a_state_are_the_contracts(field: Field, key: str) -> None:
    assert set(told(field, key)) == KEYS[key] | {"ts", "quality"}


@pytest.mark.parametrize("key", UNHEARD)
def test_what_was_never_heard_is_absent_and_never_0(key: str) -> None:
    now = at("2026-01-12 18:00")
    wiring = Wiring(town())
    payload = state_of(wiring, begin(wiring, Saved(), now).state, key, now)
    assert set(payload) == UNHEARD[key] | {"ts", "quality"}
    assert payload["quality"] == "offline"
    assert payload.get("write", "pending") == "pending"


@pytest.mark.parametrize("key", KEYS)
def test_a_silent_device_keeps_only_what_does_not_come_from_it(field: Field, key: str) -> None:
    field.silent.update(field.wiring.site.devices)
    field.poll()
    counted = {"lamp": COUNTED, "segment": {"switch_ons"}, "zone": FORECAST}.get(key.partition("/")[0], set())
    assert set(told(field, key)) | UNHEARD[key] & {"detail"} == UNHEARD[key] | counted | {"ts", "quality"}
    assert told(field, key)["quality"] == "offline"


def test_no_value_is_null_or_nan(field: Field) -> None:
    for key in field.wiring.device_of:
        payload = told(field, key)
        assert None not in payload.values()
        assert all(value == value for value in payload.values())


def test_a_lamp_tells_what_is_seen_beside_what_is_wanted(field: Field) -> None:
    field.pinned["cab-gare", "lamp.1.level"] = 37.04
    field.pinned["cab-gare", "lamp.1.power"] = 15.26
    field.poll()
    lamp = told(field, "lamp/g-1")
    assert {name: lamp[name] for name in ("level", "commanded", "power_w", "expected_power_w")} == {
        "level": 37.0,
        "commanded": 100.0,
        "power_w": 15.3,
        "expected_power_w": 40.0,
    }
    assert (lamp["quality"], lamp["write"], lamp["priority"]) == ("good", "applied", 13)
    assert str(lamp["reason"]).startswith("plan roads: ")
    assert str(lamp["until"]).startswith("2026-01-13T07:3"), "ten minutes before sunrise"


def test_why_is_the_whole_stack_with_the_winner_first(field: Field) -> None:
    order = Command("c-1", "lamp", "g-1", field.now, value=30.0, lasting=timedelta(hours=2), reason="works", by="ops")
    field.feed(order)
    why = told(field, "lamp/g-1")["why"]
    assert isinstance(why, list)
    assert [(entry["priority"], entry["source"], entry["value"]) for entry in why] == [
        (10, "override", 30.0),
        (13, "plan", 100.0),
        (17, "relinquish-default", 0.0),
    ]
    assert why[0] == {
        "priority": 10,
        "source": "override",
        "value": 30.0,
        "reason": "override by ops: works",
        "until": rfc3339(field.now + timedelta(hours=2)),
    }
    zone = told(field, "zone/ecole.classes")["why"]
    assert isinstance(zone, list)
    assert [set(entry) for entry in zone] == [{"priority", "source", "value", "allure", "reason", "until"}] * len(zone)


def test_a_zone_on_its_way_to_comfort_says_when_it_is_ready() -> None:
    field = Field(Wiring(town()), at("2026-01-12 09:00"))
    field.held["ecole", "zone.1.temperature"] = 17.0
    field.start()
    assert told(field, "zone/ecole.classes")["ready_at"] == rfc3339(field.now + timedelta(minutes=60))
    assert "ready_at" in told(field, "zone/ecole.cantine")
    field.until(at("2026-01-12 18:00"))
    assert "ready_at" not in told(field, "zone/ecole.classes"), "nobody wants it warm"


def test_a_failed_write_says_why(field: Field) -> None:
    field.silent.add("cab-gare")
    field.poll()
    field.feed(Command("c-1", "lamp", "g-1", field.now, value=30.0))
    lamp = told(field, "lamp/g-1")
    assert lamp["write"] == "pending"
    assert lamp["detail"] == "the device does not answer; written when it returns"


def test_a_contactor_that_does_not_follow_has_no_feedback_whatever_its_coil_says(field: Field) -> None:
    assert told(field, "segment/gare-a")["write"] == "applied"
    field.pinned["cab-gare", "segment.1.feedback"] = 0.0
    field.advance(timedelta(minutes=1))
    segment = told(field, "segment/gare-a")
    assert (segment["on"], segment["commanded"], segment["write"]) == (False, True, "no-feedback")


def test_a_point_with_a_fault_has_no_value(field: Field) -> None:
    field.feed(Fault(PointId("cab-gare", "lamp.1.level"), "no value", field.now))
    lamp = told(field, "lamp/g-1")
    assert "level" not in lamp
    assert lamp["quality"] == "fault"
    assert told(field, "cabinet/gare")["lamps_lit"] == 1, "of those whose level is known"


@pytest.mark.parametrize(
    ("age_s", "quality", "told_as"),
    [
        (0, Quality.GOOD, "good"),
        (0, Quality.UNCERTAIN, "uncertain"),
        (29, Quality.GOOD, "good"),
        (31, Quality.GOOD, "stale"),
    ],
)
def test_quality_follows_the_reading_and_the_time(field: Field, age_s: float, quality: Quality, told_as: str) -> None:
    field.feed(Reading(PointId("cab-gare", "lamp.1.level"), 100.0, field.now, quality))
    later = field.now + timedelta(seconds=age_s)
    assert state_of(field.wiring, field.state, "lamp/g-1", later)["quality"] == told_as


def test_an_output_without_a_feedback_of_its_own_is_judged_by_what_it_has(field: Field) -> None:
    """A plain relay: its coil is all that can be read."""
    site = field.wiring.site
    device = site.devices["cab-gare"]
    points = {
        name: point for name, point in device.profile.points.items() if not name.endswith((".feedback", ".level"))
    }
    relay = replace(
        device,
        profile=replace(device.profile, points=points),
        points=tuple(name for name in device.points if name in points),
    )
    other = Field(Wiring(replace(site, devices={**site.devices, "cab-gare": relay})), field.now)
    other.start()
    assert told(other, "segment/gare-a")["quality"] == "good"
    assert "on" not in told(other, "segment/gare-a")
    assert told(other, "lamp/g-1")["quality"] == "good"
    assert "level" not in told(other, "lamp/g-1")
    assert "lamps_lit" not in told(other, "cabinet/gare")


def test_an_alarm_has_the_contracts_keys_while_it_is_raised(field: Field) -> None:
    name = ("lamp/g-1", "lampFailure")
    assert alarm_of(field.state, name) is None
    field.pinned["cab-gare", "lamp.1.power"] = 0.1234
    field.advance(timedelta(minutes=5))
    payload = alarm_of(field.state, name)
    assert payload is not None
    assert set(payload) == {"event", "severity", "since", "value", "threshold", "suppressed_by"}
    assert (payload["value"], payload["threshold"]) == (0.123, 8.0)


@pytest.mark.parametrize("key", ["lamp/nobody", "tree/m-1", "m-1", ""])
def test_an_unknown_key_is_a_key_error(key: str) -> None:
    with pytest.raises(KeyError):
        state_of(Wiring(town()), State(at("2026-01-12 18:00")), key, at("2026-01-12 18:00"))


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC), "2026-01-02T03:04:05.678Z"),
        (datetime(2026, 7, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))), "2026-07-02T01:04:05Z"),
    ],
)
def test_times_are_rfc_3339_in_utc(instant: datetime, text: str) -> None:
    assert rfc3339(instant) == text
