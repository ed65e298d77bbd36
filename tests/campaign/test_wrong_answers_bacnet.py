"""No wrong value over BACnet/IP: the driver reads hostile devices, and every value that it accepts is proved right.

``make campaign`` gives 100,000 hostile answers; ``make test`` a short stretch of the same.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pytest

from drivers.api import Driver, DriverError, Fault, Host, Reading
from drivers.bacnet.settings import BacnetBus, BacnetDevice
from drivers.profile import BacnetPoint, Profile
from drivers.registry import DRIVERS, BusDevice
from tests.campaign.conftest import Show
from tests.campaign.hostile_bacnet import Hostile
from tests.campaign.tally import Tally
from tests.ports import free_port

NOW = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
TIMEOUT_S = 0.05
HOSTILE_SHARE = 0.4
FIRST = 1200
INSTANCES = range(1, 7)
POINTS = {f"value.{n}": BacnetPoint(f"value.{n}", f"large-analog-value,{n}") for n in INSTANCES}


def _itself(peer: Hostile) -> Hostile:
    return peer


@asynccontextmanager
async def attacked(devices: int) -> AsyncIterator[tuple[Driver, list[Hostile]]]:
    """A driver with so many hostile devices, each with a port of its own and one from where it lies."""
    loop = asyncio.get_running_loop()
    peers: list[Hostile] = []
    attached: list[BusDevice] = []
    profile = Profile("codes", "", "bacnet", "campaign", date(2026, 11, 24), POINTS)
    for number in range(devices):
        peer = Hostile(FIRST + number, number, HOSTILE_SHARE, random.Random(number), TIMEOUT_S)
        transport, _ = await loop.create_datagram_endpoint(partial(_itself, peer), local_addr=("127.0.0.1", 0))
        peer.other_port, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
        peers.append(peer)
        address = f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
        settings = BacnetDevice(address=address, instance=peer.instance)
        attached.append(BusDevice(f"d{number}", settings, profile, tuple(POINTS)))
    bus = BacnetBus.model_validate(
        {"driver": "bacnet", "address": f"127.0.0.1/24:{free_port()}", "timeout_s": TIMEOUT_S, "retries": 1}
    )
    driver = DRIVERS["bacnet"].build("gtb", bus, attached, Host(lambda: NOW, Path()))
    await driver.open()
    try:
        yield driver, peers
    finally:
        await driver.close()
        for peer in peers:
            peer.transport.close()
            assert peer.other_port is not None
            peer.other_port.close()
        await asyncio.sleep(0)


async def read_once(driver: Driver, peer: Hostile, tally: Tally) -> list[Reading | Fault]:
    """Every poll of one device, every value judged."""
    seen: list[Reading | Fault] = []
    try:
        for poll in driver.polls[f"d{peer.number}"]:
            seen += await driver.read(poll)
    except DriverError as error:
        tally.causes[type(error).__name__] += 1
    for observation in seen:
        if isinstance(observation, Reading):
            tally.good += 1
            instance = int(observation.point.point.partition(".")[2])
            if not peer.fits(observation.value, instance):
                tally.wrong.append(f"device {peer.number} {instance}: {observation.value:g} at {peer.serial}")
    return seen


async def attack(driver: Driver, peer: Hostile, hostile_answers: int, tally: Tally) -> None:
    """Read until so many hostile answers were given; then the peer turns honest, and everything must be good again."""
    while peer.hostile < hostile_answers:
        await read_once(driver, peer, tally)
    tally.drawn += peer.drawn
    tally.asked += peer.serial
    peer.share = 0.0
    seen = [await read_once(driver, peer, tally) for _ in range(3)]
    assert len([o for o in seen[-1] if isinstance(o, Reading)]) == len(POINTS), seen[-1]
    assert peer.written == []


async def campaign(devices: int, hostile_answers: int) -> Tally:
    """All devices at a time."""
    tally = Tally()
    async with attacked(devices) as (driver, peers), asyncio.TaskGroup() as group:
        for peer in peers:
            group.create_task(attack(driver, peer, hostile_answers // devices, tally))
    return tally


async def test_no_wrong_value_is_accepted() -> None:
    tally = await campaign(devices=40, hostile_answers=1_600)
    assert tally.wrong == []
    assert tally.good > tally.drawn["right"] / 2


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_no_wrong_value_in_a_hundred_thousand_hostile_answers(show: Show) -> None:
    tally = await campaign(devices=100, hostile_answers=100_000)
    show(f"hostile bacnet: {tally}")
    assert tally.wrong == []
    assert tally.hostile >= 100_000
