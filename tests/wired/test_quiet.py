"""A street without a fault raises no alarm: nights, a week with young lamps, a month; on the wire, in virtual time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from config.site import Site
from tests.controller.towns import at
from tests.wired.stepped import Stepped, lighting_of, stepped

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
YOUNG = ((0.0, 80.0), (12_000.0, 92.0), (60_000.0, 100.0))
"""A constant light output by burning hours: the simulated lamps are between 500 and 17,500 hours old."""


def only(site: Site, cabinets: Iterable[str]) -> Site:
    """The town without its other cabinets."""
    kept = set(cabinets)
    lamps = {name: lamp for name, lamp in site.lamps.items() if lamp.cabinet in kept}
    groups = {
        name: replace(group, lamps=tuple(lamp for lamp in group.lamps if lamp in lamps))
        for name, group in site.groups.items()
    }
    devices = {name: device for name, device in site.devices.items() if name in kept}
    segments = {name: segment for name, segment in site.segments.items() if segment.cabinet in kept}
    chosen = {name: cabinet for name, cabinet in site.cabinets.items() if name in kept}
    cells = {name: cell for name, cell in site.photocells.items() if cell.device in devices}
    return replace(
        site, lamps=lamps, groups=groups, devices=devices, segments=segments, cabinets=chosen, photocells=cells
    )


def kept_constant(site: Site) -> Site:
    """Every lamp with a constant light output: half by the controller, half by its gear."""
    lamps = {
        name: replace(lamp, type=replace(lamp.type, clo=YOUNG, clo_by_gear=number % 2 == 1))
        for number, (name, lamp) in enumerate(site.lamps.items())
    }
    return replace(site, lamps=lamps)


async def live(town: Stepped, until: datetime) -> None:
    """Minute by minute while the sun is down, in longer steps by day."""
    zone = town.wiring.site.place.zone
    while town.now < until:
        local = town.now.astimezone(zone)
        by_day = 9 <= local.hour < 16
        await town.advance(10 * MINUTE if by_day else MINUTE, 10 * MINUTE if by_day else MINUTE)


def silent(town: Stepped) -> None:
    """Nothing was raised, however shortly."""
    assert [(f"{moment}", "/".join(name)) for moment, name, alarm in town.alarms if alarm is not None] == []


async def test_a_night_of_a_village_without_nodes() -> None:
    async with stepped(lighting_of("armoires"), at("2026-11-24 12:00")) as town:
        await live(town, at("2026-11-25 12:00"))
        silent(town)
        assert town.state("segment/rues-pair")["commanded"] is False


@pytest.mark.timeout(600)
@pytest.mark.parametrize("nights", [1, pytest.param(7, marks=pytest.mark.long)])
async def test_dimmed_lamps_kept_at_constant_light_and_cut_at_night(nights: int) -> None:
    """The quarter's lamps: dimmed at 22:30, dark from 00:30 to 05:00, other hours at the weekend."""
    site = kept_constant(only(lighting_of("valbourg"), ["cab-ecoles"]))
    async with stepped(site, at("2026-11-24 12:00")) as town:
        await live(town, at("2026-11-24 12:00") + nights * DAY)
        silent(town)
        told = [town.state(f"lamp/{name}") for name in site.lamps]
        assert all(state["quality"] == "good" or state["level"] == 0.0 for state in told)


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("example", ["armoires", "valbourg"])
async def test_a_month_without_a_fault(example: str) -> None:
    """Thirty nights about the autumn's clock change, all programs, photocell and holidays included."""
    async with stepped(lighting_of(example), at("2026-10-15 12:00")) as town:
        await live(town, at("2026-11-14 12:00"))
        silent(town)
