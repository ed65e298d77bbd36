"""No wrong value over Modbus: the driver reads hostile peers, and every value that it accepts is proved right.

``make campaign`` gives 100,000 hostile answers a wire; ``make test`` a short stretch of the same.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from drivers.api import Driver, DriverError, Fault, Host, Reading
from drivers.modbus.settings import ModbusBus, ModbusDevice
from drivers.profile import ModbusLimits, ModbusPoint, Profile, Table, WireType
from drivers.registry import DRIVERS, BusDevice
from tests.campaign.codes import Code
from tests.campaign.conftest import Show
from tests.campaign.device_server import device_server
from tests.campaign.hostile_modbus import RTU_LOTS, TCP_LOTS, Hostile, Lot, Pulse, rtu_frame
from tests.campaign.tally import Tally
from tests.drivers.modbus_peer import Peer, Script, rtu_peer, tcp_peer

NOW = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
HOSTILE_SHARE = 0.6
CANCELLED_SHARE = 0.1
"""Of the reads: given up somewhere within one timeout, as at a reload."""
UNITS = (1, 2, 3)
PLACES = [(Table.INPUT, at) for at in (0, 4, 8, 12, 200, 204)] + [(Table.HOLDING, at) for at in (100, 104)]
"""Three requests: 16 and 8 input registers, 8 holding registers; no address stands in both tables."""
POINTS = {f"at.{address}": ModbusPoint(f"at.{address}", table, address, WireType.UINT64) for table, address in PLACES}


@dataclass
class Wire:
    """One kind of bus."""

    name: str
    timeout_s: float
    lots: Sequence[Lot]
    peer: Callable[[Script], AbstractAsyncContextManager[Peer]]
    settings: Callable[[Peer], dict[str, object]]


TCP = Wire("tcp", 0.05, TCP_LOTS, tcp_peer, lambda peer: {"tcp": f"127.0.0.1:{peer.port}"})
RTU = Wire("rtu", 0.1, RTU_LOTS, rtu_peer, lambda peer: {"serial": peer.path, "baudrate": 115200, "parity": "N"})


RTU_OVER_TCP = Wire(
    "rtu-over-tcp",
    0.1,
    RTU_LOTS,
    device_server,
    lambda peer: {"tcp": f"127.0.0.1:{peer.port}", "framing": "rtu", "baudrate": 115200},
)
WIRES = pytest.mark.parametrize("wire", [TCP, RTU, RTU_OVER_TCP], ids=lambda wire: wire.name)


@asynccontextmanager
async def attacked(wire: Wire, seed: int, pulse: Pulse) -> AsyncIterator[tuple[Driver, Hostile]]:
    """A driver for three units and the peer that is all of them."""
    script = Hostile(wire.timeout_s, wire.lots, HOSTILE_SHARE, random.Random(seed))
    if wire.lots is RTU_LOTS:
        script.frame = rtu_frame
        script.pulse = pulse
    async with wire.peer(script) as peer:
        words = {"driver": "modbus", "timeout_s": wire.timeout_s, "retries": 0} | wire.settings(peer)
        profile = Profile("codes", "", "modbus", "campaign", date(2026, 11, 24), POINTS, ModbusLimits())
        devices = [BusDevice(f"d{unit}", ModbusDevice(unit=unit), profile, tuple(POINTS)) for unit in UNITS]
        driver = DRIVERS["modbus"].build("bus", ModbusBus.model_validate(words), devices, Host(lambda: NOW, Path()))
        await driver.open()
        try:
            yield driver, script
        finally:
            await driver.close()


async def read_once(driver: Driver, peer: Hostile, unit: int, tally: Tally) -> Sequence[Reading | Fault]:
    """One poll of one unit, every value of it judged."""
    [poll] = driver.polls[f"d{unit}"]
    try:
        seen = await driver.read(poll)
    except DriverError as error:
        tally.causes[type(error).__name__] += 1
        return []
    for observation in seen:
        if isinstance(observation, Reading):
            tally.good += 1
            address = POINTS[observation.point.point].address
            if not peer.fits(unit, observation.value, address):
                tally.wrong.append(f"unit {unit} address {address}: {Code.of(observation.value)}, latest {peer.serial}")
    return seen


async def attack(wire: Wire, seed: int, hostile_answers: int, tally: Tally, pulse: Pulse) -> None:
    """Read until so many hostile answers were given; then the peer turns honest, and everything must be good again."""
    async with attacked(wire, seed, pulse) as (driver, peer):
        order = random.Random(seed)
        while peer.hostile < hostile_answers:
            unit = order.choice(UNITS)
            for _ in range(order.randint(1, 3)):
                hurried = order.random() < CANCELLED_SHARE
                with suppress(TimeoutError):
                    async with asyncio.timeout(wire.timeout_s * order.random() if hurried else None):
                        await read_once(driver, peer, unit, tally)
        tally.drawn += peer.drawn
        tally.asked += peer.serial
        peer.share = 0.0
        await asyncio.sleep(3 * wire.timeout_s)  # what is still late comes in
        for known in UNITS:
            # The first request may have to find out that the connection is in doubt, or the plan that it was refused;
            # with a hundred lanes on a busy machine an honest answer may come too late as well.
            seen: list[Sequence[Reading | Fault]] = []
            while not seen or len([o for o in seen[-1] if isinstance(o, Reading)]) < len(POINTS):
                assert len(seen) < 6, seen
                seen.append(await read_once(driver, peer, known, tally))


async def campaign(wire: Wire, lanes: int, hostile_answers: int) -> Tally:
    """The same on many buses at a time, each with draws of its own."""
    tally, pulse = Tally(), Pulse()
    async with asyncio.TaskGroup() as group:
        for seed in range(lanes):
            group.create_task(attack(wire, seed, hostile_answers // lanes, tally, pulse))
    pulse.stop()
    return tally


@WIRES
async def test_no_wrong_value_is_accepted(wire: Wire) -> None:
    tally = await campaign(wire, lanes=100, hostile_answers=2_000)
    assert tally.wrong == []
    assert len(tally.drawn) == len(wire.lots) + 1
    assert tally.good > tally.drawn["right"]


@pytest.mark.long
@pytest.mark.timeout(900)
@WIRES
async def test_no_wrong_value_in_a_hundred_thousand_hostile_answers(wire: Wire, show: Show) -> None:
    tally = await campaign(wire, lanes=120, hostile_answers=100_000)
    show(f"hostile modbus {wire.name}: {tally}")
    assert tally.wrong == []
    assert tally.hostile >= 100_000
