"""What goes wrong in heating on the real wire: each fault is named, and no other zone loses its setpoint by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from config.site import Site
from drivers.bacnet import clock
from drivers.profile import BacnetPoint
from tests.controller.towns import at
from tests.wired.stepped import Stepped, heating_of, stepped

STEP = timedelta(seconds=30)
MORNING, NIGHT = "2026-01-13 10:00", "2026-01-13 21:00"
ZONES = ("ecole-jaures.classes", "ecole-jaures.maternelle", "ecole-jaures.cantine", "gymnase.salle")
CLASSES = "ecole-jaures.classes"
Change = Callable[[Site], Site]


@dataclass(frozen=True)
class Row:
    """``lines`` break something at ``when``; ``alarms`` stand ``after`` so long, ``event`` was told once.

    ``state`` is what the zone that is hit then shows; ``lost`` are the zones that are not commanded any more.
    """

    lines: tuple[str, ...]
    alarms: tuple[str, ...] = ()
    after: timedelta = timedelta(minutes=10)
    when: str = MORNING
    event: str = ""
    detail: str = ""
    state: dict[str, Any] = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    before: timedelta = timedelta(hours=6)
    """The simulated rooms begin cold: so long they have to get warm."""
    change: Change | None = None


def reported(site: Site) -> Site:
    """The school reports changes by itself."""
    school = site.devices["ecole-jaures"]
    points = {
        name: replace(point, cov_s=60.0) if isinstance(point, BacnetPoint) and name.endswith("setpoint") else point
        for name, point in school.profile.points.items()
    }
    known = {**site.devices, "ecole-jaures": replace(school, profile=replace(school.profile, points=points))}
    return replace(site, devices=known)


def claimed(site: Site) -> Site:
    """The profile of the gym's thermostat says that its setpoint has a priority array."""
    gym = site.devices["gymnase"]
    points = {
        name: replace(point, commandable=True, restore=None)
        if isinstance(point, BacnetPoint) and name.endswith("setpoint")
        else point
        for name, point in gym.profile.points.items()
    }
    return replace(site, devices={**site.devices, "gymnase": replace(gym, profile=replace(gym.profile, points=points))})


def unled(site: Site) -> Site:
    """Nobody leads the boiler: it goes on heating the water at night."""
    school = replace(site.buildings["ecole-jaures"], plant=None)
    return replace(site, buildings={**site.buildings, "ecole-jaures": school})


HOURS_2, HOURS_4 = timedelta(hours=2), timedelta(hours=4)
ROWS = {
    "a hand at priority 8": Row(
        (f"{CLASSES} hand 22",), (f"zone/{CLASSES}/handOverride",), detail="held at 22 by priority 8 since Tue",
        state={"write": "masked", "detail": "masked by priority 8 since Tue 2026-01-13 10:00"}, lost=(CLASSES,),
    ),
    "a hand at a valve": Row(
        ("ecole-jaures hand analog-output,1 100",), (f"zone/{CLASSES}/handOverride",),
        detail="zone.1.heating held at 100 by priority 8", state={"write": "applied"},
    ),
    "a setpoint without a priority array": Row((), state={"write": "applied"}),
    "one that the profile says has one": Row(
        (), ("zone/gymnase.salle/commandFailure",), detail="the device shows no priority array",
        change=claimed, lost=("gymnase.salle",),
    ),
    "a setpoint that takes no write": Row(
        (f"{CLASSES} write-denied",), (f"zone/{CLASSES}/commandFailure",), detail="write-access-denied",
        after=timedelta(minutes=25), state={"write": "rejected"}, lost=(CLASSES,), when="2026-01-13 17:25",
        before=timedelta(hours=5),
    ),
    "a full COV table": Row(
        ("ecole-jaures cov-full 1",), ("device/ecole-jaures/covTableFull",), detail="no room for more subscriptions",
        change=reported,
    ),
    "no ReadPropertyMultiple": Row(("ecole-jaures no-rpm",), event="device-limits"),
    "a small APDU and no segments": Row(("ecole-jaures max-apdu 206",), event="device-limits"),
    "NaN": Row(
        (f"{CLASSES} nan",), (f"zone/{CLASSES}/sensorFault",), detail="no usable value", state={"quality": "fault"},
    ),
    "Fahrenheit": Row(
        (f"{CLASSES} fahrenheit",),
        ("device/ecole-jaures/wrongUnit", f"zone/{CLASSES}/sensorFault", f"zone/{CLASSES}/commandFailure"),
        detail="unit is degrees-fahrenheit, the profile says degC", state={"quality": "fault", "write": "rejected"},
        lost=(CLASSES,),
    ),
    "a clock off by an hour": Row(
        ("ecole-jaures clock -3600",), ("device/ecole-jaures/clockError",), detail="summer time not applied",
    ),
    "a valve that is stuck open": Row(
        (f"{CLASSES} valve stuck 100",), (f"zone/{CLASSES}/stuckValve",), after=timedelta(hours=6), when=NIGHT,
        detail="shut since", change=unled,
    ),
    "a sensor that jumps": Row(
        (f"{CLASSES} sensor jump 9",), (f"zone/{CLASSES}/sensorFault",), detail="jumped by more than 5 K",
        state={"quality": "fault"},
    ),
    "a sensor that drifts": Row(
        (f"{CLASSES} sensor drift 9",), (f"zone/{CLASSES}/sensorFault",), after=timedelta(hours=3),
        state={"quality": "fault"},
    ),
    "a sensor that is frozen": Row(
        (f"{CLASSES} sensor frozen",), (f"zone/{CLASSES}/sensorFault",), after=timedelta(hours=26),
        detail="while the zones around it move", state={"quality": "fault"},
    ),
    "a boiler that is locked out": Row(
        ("ecole-jaures boiler fault",), ("building/ecole-jaures/plantFault",), detail="its alarm contact is closed",
    ),
    "a pump that is seized": Row(
        ("ecole-jaures pump seized",), ("building/ecole-jaures/plantFault",), after=timedelta(hours=6),
        detail="the supply water is hot", when="2026-01-13 04:00",
    ),
}  # fmt: skip
BEFORE_THE_START = ("cov-full", "no-rpm", "max-apdu", "fahrenheit", "clock")
"""Met when a device is first asked."""


async def settled(town: Stepped, when: str) -> None:
    """Until ``when``, in long steps first."""
    await town.until(at(when), timedelta(minutes=5))


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", ROWS)
async def test_each_fault_is_named_and_stops_no_other_zone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = ROWS[name]
    monkeypatch.setattr(clock, "FIRST_S", 0.0)
    site = heating_of("valbourg")
    early = any(word in line for line in row.lines for word in BEFORE_THE_START)
    async with stepped(site if row.change is None else row.change(site), at(row.when) - row.before) as town:
        if early:
            town.break_(*row.lines)
        await settled(town, row.when)
        if not early:
            assert {name for name in town.raised if "commandFailure" not in name} == set()
            town.break_(*row.lines)
        await town.advance(row.after, _pace(row.after))
        roots = {key for key, root in town.raised.items() if not root}
        assert set(row.alarms) <= set(town.raised), town.raised
        assert roots <= {*row.alarms} | _consequences(row), town.raised
        told = " ".join(alarm.detail for alarm in town.last.state.alarms.values())
        assert row.detail in told
        if row.event:
            assert town.events[row.event] == 1
        hit = town.state(f"zone/{CLASSES}")
        assert {key: hit.get(key) for key in row.state} == row.state
        for zone in ZONES:
            if zone not in row.lost:
                assert town.state(f"zone/{zone}")["write"] == "applied", zone


def _pace(span: timedelta) -> timedelta:
    if span < timedelta(hours=1):
        return STEP
    return timedelta(minutes=3) if span < timedelta(hours=12) else timedelta(minutes=10)


def _consequences(row: Row) -> set[str]:
    """A room that is colder or warmer for it may say so as well."""
    hit = any("valve" in line or "sensor" in line or "analog-output" in line for line in row.lines)
    return {f"zone/{CLASSES}/{event}" for event in ("roomTooWarm", "roomTooCold")} if hit else set()


async def test_a_window_is_no_failure_of_the_heating() -> None:
    async with stepped(heating_of("valbourg"), at(MORNING) - timedelta(hours=1)) as town:
        await settled(town, MORNING)
        town.break_(f"{CLASSES} window open for 25m")
        await town.advance(timedelta(minutes=25), STEP)
        assert set(town.raised) <= {f"zone/{CLASSES}/roomTooCold"}
        await town.advance(timedelta(hours=2), timedelta(minutes=2))
        assert set(town.raised) <= {f"zone/{CLASSES}/roomTooCold"}, "it is cold, and on its way back"


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_weeks_without_a_fault_raise_nothing() -> None:
    """Nights, two weekends; a preheat of which little is known yet may say that it comes late, and nothing else may."""
    async with stepped(heating_of("valbourg"), at("2026-01-08 12:00")) as town:
        await town.until(at("2026-01-20 12:00"), timedelta(minutes=10))
        assert town.raised == {}
        assert {event for _, (_, event), _ in town.alarms} <= {"notReady"}
