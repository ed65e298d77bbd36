"""Maintenance mode through the core: a work order, words for the public, and an end before it gets dark."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.commands import Command
from controller.core.journal import Saved
from controller.core.maintenance import under_maintenance, until_dark
from controller.core.report import state_of
from controller.core.state import Draft
from controller.core.wiring import Wiring
from schedules import sun
from schedules.sun import Place
from tests.controller.field import Field, names
from tests.controller.towns import PLACE, at, town

ORDER, WORDS = "BT-2026-117", "lamps are cleaned"
MORNING = at("2026-01-12 09:00")
SUNSET = datetime(2026, 1, 12, 16, 10, tzinfo=UTC)
TROMSO = Place(69.65, 18.96, ZoneInfo("Europe/Oslo"))


def field_at(now: datetime) -> Field:
    field = Field(Wiring(town()), now)
    field.start()
    return field


def maintain(field: Field, target: str, name: str = "c1", level: float = 100.0, **fields: Any) -> None:
    kind, _, identity = target.partition("/")
    field.feed(
        Command(name, kind, identity, field.now, value=level, maintenance=ORDER, reason=WORDS, by="anne", **fields)
    )


def order_at(field: Field, key: str) -> str | None:
    return under_maintenance(field.wiring, Draft(field.state, field.now), key)


def test_the_state_tells_the_public_why_there_is_light_by_day() -> None:
    field = field_at(MORNING)
    maintain(field, "group/centre-ville", lasting=timedelta(hours=4))
    assert [field.value("cab-mairie", f"lamp.{n}.command") for n in range(1, 5)] == [100] * 4
    lamp = state_of(field.wiring, field.state, "lamp/m-1", field.now)
    assert (lamp["priority"], lamp["reason"]) == (10, "maintenance BT-2026-117: lamps are cleaned")
    assert lamp["until"] == "2026-01-12T12:00:00Z"
    segment = state_of(field.wiring, field.state, "segment/mairie-a", field.now)
    assert segment["reason"] == "feeds lamps at 100 %: maintenance BT-2026-117: lamps are cleaned"
    field.advance(timedelta(hours=4))
    assert field.value("cab-mairie", "lamp.1.command") == 0
    events = [event for event in field.events if event.name.startswith(("maintenance", "override"))]
    assert names(events) == ["maintenance-set", "maintenance-ended"]
    assert all(event.facts["work_order"] == ORDER for event in events)
    assert events[0].facts["reason"] == WORDS


@pytest.mark.parametrize(
    ("now", "fields", "until"),
    [
        (MORNING, {"lasting": timedelta(hours=4)}, MORNING + timedelta(hours=4)),
        (MORNING, {}, MORNING + timedelta(hours=2)),
        (MORNING, {"lasting": timedelta(days=3)}, SUNSET),
        (MORNING, {"until": at("2026-01-12 22:00")}, SUNSET),
        (at("2026-01-12 22:00"), {"lasting": timedelta(hours=3)}, at("2026-01-13 01:00")),
        (at("2026-01-12 22:00"), {"lasting": timedelta(days=3)}, SUNSET + timedelta(days=1, minutes=1)),
    ],
)
def test_it_ends_as_wanted_and_at_the_next_sunset_at_the_latest(
    now: datetime, fields: dict[str, Any], until: datetime
) -> None:
    field = field_at(now)
    maintain(field, "lamp/m-1", **fields)
    assert abs(field.state.overrides["lamp/m-1"].until - until) <= timedelta(minutes=1)


@given(hours=st.floats(0, 24 * 366), wanted_h=st.floats(0.1, 24.0))
def test_there_is_no_sunset_before_its_end(hours: float, wanted_h: float) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    for place in (PLACE, TROMSO):
        until = until_dark(now + timedelta(hours=wanted_h), now, place)
        assert now < until <= now + timedelta(hours=wanted_h)
        days = [now.date() + timedelta(days=day) for day in range(-2, 3)]
        sunsets = [sun.evening(day, place, sun.SUNRISE_DEG) for day in days]
        assert not [sunset for sunset in sunsets if isinstance(sunset, datetime) and now < sunset < until]


def test_a_day_without_a_sunset_ends_by_the_cap() -> None:
    noon = datetime(2026, 6, 21, 10, 0, tzinfo=UTC)
    assert until_dark(noon + timedelta(hours=24), noon, TROMSO) == noon + timedelta(hours=24)


WHERE = [
    ("lamp/m-1", {"lamp/m-1", "segment/mairie-a"}),
    ("segment/mairie-a", {"lamp/m-1", "lamp/m-2", "segment/mairie-a"}),
    ("group/gare", {"lamp/g-1", "lamp/g-2", "segment/gare-a"}),
]


@pytest.mark.parametrize(("target", "under"), WHERE)
def test_who_is_under_maintenance(target: str, under: set[str]) -> None:
    field = field_at(MORNING)
    keys = [key for key in field.wiring.targets if not key.startswith("zone/")]
    assert [key for key in keys if order_at(field, key)] == []
    maintain(field, target)
    assert {key for key in keys if order_at(field, key) == ORDER} == under
    field.advance(timedelta(hours=3), every=timedelta(minutes=10))
    assert [key for key in keys if order_at(field, key)] == []


def test_a_group_around_counts_and_an_ordinary_override_does_not() -> None:
    site = town()
    groups = {
        "ville": replace(site.groups["gare"], id="ville", lamps=(), groups=("gare",)),
        "gare": replace(site.groups["gare"], parent="ville"),
    }
    field = Field(Wiring(replace(site, groups=groups)), MORNING)
    field.start()
    field.feed(Command("c0", "group", "ville", field.now, value=50.0))
    assert order_at(field, "lamp/g-1") is None
    maintain(field, "group/ville")
    assert (order_at(field, "lamp/g-1"), order_at(field, "segment/gare-a")) == (ORDER, ORDER)
    assert order_at(field, "lamp/m-1") is None


@pytest.mark.parametrize("fields", [{"relinquish": True}, {"value": 30.0}], ids=["released", "overtaken"])
def test_its_end_is_told_however_it_ends(fields: dict[str, Any]) -> None:
    field = field_at(MORNING)
    maintain(field, "lamp/m-1")
    field.feed(Command("c2", "lamp", "m-1", field.now, **fields))
    [ended] = [event for event in field.events if event.name == "maintenance-ended"]
    assert ended.facts["work_order"] == ORDER
    assert order_at(field, "lamp/m-1") is None


def test_the_same_order_again_goes_on() -> None:
    field = field_at(MORNING)
    maintain(field, "lamp/m-1")
    maintain(field, "lamp/m-1", "c2", level=50.0)
    assert names([e for e in field.events if "maintenance" in e.name]) == ["maintenance-set", "maintenance-set"]


def test_it_survives_a_restart() -> None:
    field = field_at(MORNING)
    maintain(field, "lamp/m-1")
    again = Field(field.wiring, field.now + timedelta(minutes=5))
    again.start(Saved(overrides=dict(field.state.overrides)))
    assert order_at(again, "lamp/m-1") == ORDER
    assert again.value("cab-mairie", "lamp.1.command") == 100
