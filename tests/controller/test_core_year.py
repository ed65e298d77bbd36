"""A whole leap year through the core: at every minute every output is what the independent oracle says.

The core runs only when it says that it is due, so that a missed due instant shows as a wrong minute. The year has its
29 February, both clock changes and both ends; the oracle is that of tests/schedules, which shares nothing but the sun.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from itertools import groupby

import pytest

from config.site import Group, Zone
from controller.core.cycle import begin, cycle
from controller.core.journal import Saved
from controller.core.state import Step
from controller.core.wiring import Wiring
from schedules.allures import Setpoints
from tests.controller.towns import LED, town
from tests.schedules import test_virtual_year as oracle
from tests.schedules.builders import PARIS


def wiring() -> Wiring:
    """The test's town on the oracle's plan and occupancy, at the oracle's place."""
    site = town()
    plan = oracle.town()
    zone = next(iter(site.zones.values()))
    school = Zone(zone.id, zone.building, zone.device, 1, oracle.school(), Setpoints(19.0, 16.0, 8.0))
    lamps = tuple(site.lamps)
    return Wiring(replace(site, place=PARIS, groups={"ville": Group("ville", plan, lamps)}, zones={school.id: school}))


def held(step: Step, key: str) -> float | None:
    """What the core wants the automatic slot of an output to hold."""
    return dict(step.state.outputs[key].slots)[13]


def lamp_levels(first: datetime, last: datetime) -> dict[datetime, float]:
    """The oracle's level at each minute, as far down as the lamps go."""
    year = list(oracle.minutes(first, last + oracle.DAY))
    clock = {highest: at for at, highest in reversed(year)}
    found: dict[datetime, float] = {}
    evening, level = date.min, 0.0
    pending: list[tuple[datetime, float]] = []
    for at, highest in year[: -24 * 60]:
        tonight = highest.date() if highest.hour >= 12 else highest.date() - oracle.DAY
        if tonight != evening:
            evening, level, pending = tonight, 0.0, oracle.levels_of_the_night(tonight, clock)[::-1]
        while pending and pending[-1][0] <= at:
            level = pending.pop()[1]
        found[at] = max(level, LED.min_level) if level > 0 else 0.0
    return found


def setpoints(first: datetime, last: datetime) -> dict[datetime, float]:
    """The oracle's setpoint at each minute."""
    around = [(at, oracle.is_open(now)) for at, now in oracle.minutes(first - 20 * oracle.DAY, last + 20 * oracle.DAY)]
    found: dict[datetime, float] = {}
    for is_occupied, run in groupby(around, lambda pair: pair[1]):
        instants = [at for at, _ in run]
        long = instants[-1] + oracle.MINUTE - instants[0] >= 48 * oracle.HOUR
        found |= dict.fromkeys(instants, 19.0 if is_occupied else 8.0 if long else 16.0)
    return found


@pytest.mark.long
def test_every_minute_of_a_leap_year() -> None:
    minutes, cycles = compared(oracle.FIRST, oracle.LAST)
    assert minutes == 367 * 1440
    assert 5_000 < cycles < 30_000, "the core runs when something changes, not every minute"


AROUND = ["2028-02-27", "2028-03-24", "2028-10-27", "2028-12-23"]
"""The leap day, both changes of the clock, the end of the year."""


@pytest.mark.parametrize("first", AROUND)
def test_every_minute_of_the_days_that_are_special(first: str) -> None:
    start = datetime.fromisoformat(f"{first}T12:00:00+00:00")
    minutes, cycles = compared(start, start + 11 * oracle.DAY)
    assert minutes >= 11 * 1440
    assert 150 < cycles < 900


def compared(first: datetime, last: datetime) -> tuple[int, int]:
    """Hold the core against the oracle at every minute; returns how many there were, and in how many cycles."""
    town_wiring = wiring()
    levels, wanted = lamp_levels(first, last), setpoints(first, last)
    zone = next(iter(town_wiring.site.zones))
    lamp, segment = f"lamp/{next(iter(town_wiring.site.lamps))}", f"segment/{next(iter(town_wiring.site.segments))}"
    step = begin(town_wiring, Saved(), first)
    cycles = 0
    for at, level in levels.items():
        while step.next_due is not None and step.next_due <= at:
            step = cycle(town_wiring, step.state, (), max(step.next_due, step.state.at))
            cycles += 1
        found = held(step, lamp)
        assert found is not None
        assert abs(found - level) < 0.01, at
        assert held(step, segment) == (1.0 if level > 0 else 0.0), at
        assert held(step, f"zone/{zone}") == wanted[at], at
    return len(levels), cycles
