"""Every fault of the simulator on the real wire: exactly its alarm, in its time, with what it explains folded into it.

Faults that do not touch each other happen at once, in a town that is real but for its clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from controller.core.commands import Command
from sim.fault_kinds import KINDS
from tests.controller.towns import at
from tests.wired.stepped import Stepped, lighting_of, stepped

STEP = timedelta(seconds=5)
SETTLED = timedelta(minutes=4)
AT_ONCE, CONTACTOR, SILENCE, PERSIST, FIVE, TEN = (0, 5), (10, 20), (20, 35), (60, 75), (300, 320), (600, 620)
"""Seconds from the fault to its alarm, at least and at most: the published time, a poll, and what the plant takes."""
LATE, DAY = "2026-11-24 22:50", "2026-11-25 10:00"
"""The centre at 60 %, the quarters at 50 %; and a morning on which all is off."""


@dataclass(frozen=True)
class Fault:
    """``line`` is what the simulator is told, ``alarm`` what must come of it and ``within`` which seconds.

    ``folded`` are the alarms that name it as their cause.
    """

    line: str
    alarm: str
    within: tuple[int, int]
    folded: tuple[str, ...] = ()


def lamps(first: int, last: int, event: str) -> tuple[str, ...]:
    """The same alarm at lamps that follow each other."""
    return tuple(f"lamp/l-{number:03}/{event}" for number in range(first, last + 1))


SCENES: dict[str, tuple[str, timedelta, tuple[Fault, ...]]] = {
    "lamps": (
        LATE,
        SETTLED,
        (
            Fault("l-001 lamp open", "lamp/l-001/lampFailure", PERSIST),
            Fault("l-002 lamp stuck-level 100", "lamp/l-002/dimmingFailure", PERSIST),
            Fault("l-003 lamp power 1.25", "lamp/l-003/lampPowerTooHigh", PERSIST),
            Fault("l-004 lamp power 0.6", "lamp/l-004/lampPowerTooLow", PERSIST),
            Fault("l-005 lamp low-pf", "lamp/l-005/powerFactorTooLow", PERSIST),
            Fault(
                "l-006 lamp gear", "lamp/l-006/controlGearFailure", PERSIST, ("lamp/l-006/dimmingFailure",)
            ),
            Fault("l-007 lamp gear-dark", "lamp/l-007/controlGearFailure", PERSIST, ("lamp/l-007/lampFailure",)),
            Fault("l-009 lamp node-silent", "lamp/l-009/controlGearCommFailure", PERSIST),
            Fault("l-010 lamp short", "lamp/l-010/lampFailure", PERSIST),
            Fault("l-011 lamp hot", "lamp/l-011/lampPowerTooLow", PERSIST),
        ),
    ),
    "cabinets": (
        LATE,
        SETTLED,
        (
            Fault("cab-gare door", "cabinet/cab-gare/cabinetDoorOpen", AT_ONCE),
            Fault("cab-gare leakage", "cabinet/cab-gare/leakageDetected", AT_ONCE),
            Fault("gare-1 stuck open", "segment/gare-1/switchingErrorOff", CONTACTOR),
            Fault("gare-2 breaker", "segment/gare-2/circuitBreakerTripped", AT_ONCE),
            Fault("cab-ecoles phase-loss 3", "cabinet/cab-ecoles/supplyLoss", (5, 15)),
            Fault(
                "mairie-1 cut 5", "segment/mairie-1/cableFailure", AT_ONCE, lamps(4, 8, "controlGearCommFailure")
            ),
            Fault("mairie-2 selector off", "segment/mairie-2/localOverride", CONTACTOR),
        ),
    ),
    "supplies": (
        LATE,
        timedelta(minutes=12),
        (
            Fault("cab-mairie voltage 1 262", "cabinet/cab-mairie/supplyVoltageTooHigh", TEN),
            Fault("cab-mairie voltage 3 201", "cabinet/cab-mairie/supplyVoltageTooLow", TEN),
            Fault(
                "cab-ecoles supply-loss", "cabinet/cab-ecoles/supplyLoss", (5, 15),
                ("segment/ecoles-1/switchingErrorOff", "segment/ecoles-2/switchingErrorOff"),
            ),
        ),
    ),
    "by day": (
        DAY,
        SETTLED,
        (
            Fault("gare-1 stuck closed", "segment/gare-1/switchingErrorOn", CONTACTOR),
            Fault("ecoles-2 selector on", "segment/ecoles-2/localOverride", CONTACTOR),
            Fault("gare-2 loop", "segment/gare-2/cableFailure", AT_ONCE),
            Fault("cab-mairie absent", "cabinet/cab-mairie/communicationFailure", SILENCE),
            Fault("cab-ecoles phase-loss 1", "cabinet/cab-ecoles/supplyLoss", (5, 15)),
        ),
    ),
    "blind photocell": (
        DAY,
        timedelta(minutes=35),
        (Fault("mairie photocell dark", "photocell/mairie/photocellFailure", (1800, 1990)),),
    ),
    "restrikes": (
        LATE,
        timedelta(minutes=31),
        (Fault("l-012 lamp cycling", "lamp/l-012/cyclingFailure", (120, 1800)),),
    ),
}  # fmt: skip


def expected(faults: tuple[Fault, ...]) -> dict[str, str]:
    """The alarms that stand in the end, each with what suppresses it."""
    roots = {fault.alarm: "" for fault in faults}
    return roots | {child: fault.alarm for fault in faults for child in fault.folded}


async def quiet(town: Stepped, when: str) -> None:
    """Until ``when``, with everything settled and nothing raised."""
    await town.until(at(when), STEP)
    assert town.raised == {}
    town.alarms.clear()


@pytest.mark.parametrize("name", SCENES)
async def test_a_fault_raises_exactly_its_alarm(name: str) -> None:
    when, span, faults = SCENES[name]
    async with stepped(lighting_of("valbourg"), at(when) - SETTLED) as town:
        await quiet(town, when)
        town.break_(*(fault.line for fault in faults))
        await town.advance(span, STEP)
        assert town.raised == expected(faults)
        seen = {f"{key}/{event}": (raised - at(when)).total_seconds() for raised, (key, event), _ in town.alarms}
        late = {
            fault.alarm: seen[fault.alarm]
            for fault in faults
            if not fault.within[0] <= seen[fault.alarm] <= fault.within[1]
        }
        assert late == {}
        assert len(town.alarms) == len(expected(faults)), "each was raised once"
        town.repair()
        await town.advance(timedelta(minutes=12 if name != "restrikes" else 40), STEP * 4)
        assert town.raised == {}


async def test_a_lamp_that_burns_against_its_command() -> None:
    """Its contactor stays closed for the others of the street."""
    async with stepped(lighting_of("valbourg"), at(LATE) - SETTLED) as town:
        await quiet(town, LATE)
        town.break_("l-001 lamp day-burning")
        await town.command(Command("off", "lamp", "l-001", town.now, value=0.0, lasting=timedelta(hours=1)))
        await town.advance(timedelta(minutes=9), STEP)
        assert town.raised == {"lamp/l-001/lampUnexpectedOn": ""}
        raised = (town.alarms[0][0] - at(LATE)).total_seconds()
        assert FIVE[0] <= raised <= FIVE[1] + 120, "after the settle time"


async def test_a_lamp_that_stays_dark_when_its_supply_has_returned_is_an_alarm_of_its_own() -> None:
    async with stepped(lighting_of("valbourg"), at(LATE) - SETTLED) as town:
        await quiet(town, LATE)
        town.break_("mairie-1 breaker", "l-003 lamp open")
        await town.advance(timedelta(minutes=5), STEP)
        assert town.raised == {"segment/mairie-1/circuitBreakerTripped": ""}
        assert town.server.control.obey("clear mairie-1")["ok"]
        await town.advance(timedelta(minutes=5), STEP)
        assert town.raised == {"lamp/l-003/lampFailure": ""}


async def test_maintenance_silences_what_it_does() -> None:
    async with stepped(lighting_of("valbourg"), at(DAY) - SETTLED) as town:
        await quiet(town, DAY)
        order = Command(
            "m1", "group", "gare", town.now, value=100.0, maintenance="BT-2026-117", reason="remplacement",
            lasting=timedelta(hours=2),
        )  # fmt: skip
        await town.command(order)
        town.break_("l-020 lamp open")
        await town.advance(timedelta(minutes=6), STEP)
        assert town.raised == {"lamp/l-020/lampFailure": "maintenance/BT-2026-117"}


async def test_one_lamp_of_twenty_is_estimated_by_a_class_1_meter_and_nobody_is_accused() -> None:
    async with stepped(lighting_of("armoires"), at("2026-11-24 19:00")) as town:
        await town.advance(timedelta(minutes=25), STEP * 2)
        assert town.raised == {}
        assert town.state("cabinet/armoire-bourg")["estimated_lamps_out_l1"] == 0
        town.break_("r-14 lamp open")
        await town.advance(timedelta(minutes=25), STEP * 2)
        cabinet = town.state("cabinet/armoire-bourg")
        assert [cabinet[f"estimated_lamps_out_l{phase}"] for phase in (1, 2, 3)] == [1, 0, 0]
        assert cabinet["estimated_confidence_l1"] >= 0.5
        assert town.raised == {}, "no alarm before the nights have taught it what is usual"


def test_every_kind_of_fault_that_a_street_can_have_is_in_a_scene() -> None:
    words = {fault.line.split()[1] for _, _, faults in SCENES.values() for fault in faults}
    of_the_street = {kind.name for kind in KINDS.values() if kind.scope in ("cabinet", "segment", "lamp", "photocell")}
    # A load of somebody else's is no alarm, and "segment or cabinet" is the selector's scope.
    assert of_the_street - words == {"load"}
