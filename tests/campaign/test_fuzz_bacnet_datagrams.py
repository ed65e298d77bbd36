"""Fuzzed datagrams at our BACnet port while a device is read: nothing is heard, nothing goes out, nothing breaks."""

from __future__ import annotations

import asyncio
import gc
import random
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from drivers.api import Driver, Host, Observation, Reading
from drivers.bacnet.settings import BacnetBus, BacnetDevice
from drivers.profile import BacnetPoint, Profile
from drivers.registry import DRIVERS, BusDevice
from tests.campaign.conftest import Show
from tests.campaign.hostile_bacnet import Hostile, changes_something, datagram
from tests.campaign.mutation import Mutator
from tests.ports import free_port

NOW = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
INSTANCE, OWN_INSTANCE = 1201, 4_190_000
BURST = 40
"""Datagrams between two readings; they fit into a socket's buffer."""
PROCESS = 4171
"""The process identifier of our subscriptions."""
VALUES = 4
REPORTED = 9
"""The instance that is subscribed to."""
DEVICE, VALUE, OWN = (
    (number << 22 | at).to_bytes(4, "big") for number, at in ((8, INSTANCE), (46, REPORTED), (8, OWN_INSTANCE))
)
DOUBLE = b"\x55\x08" + struct.pack(">d", 99.0)
REPORT = (
    b"\x0a" + PROCESS.to_bytes(2, "big") + b"\x1c" + DEVICE + b"\x2c" + VALUE + b"\x3a\x01\x2c"
    b"\x4e\x09\x55\x2e" + DOUBLE + b"\x2f\x09\x6f\x2e\x82\x04\x00\x2f\x4f"
)  # fmt: skip
READ_VALUE = b"\x0c" + VALUE + b"\x19\x55"
APDUS = [
    b"\x10\x00\xc4" + DEVICE + b"\x22\x05\xc4\x91\x03\x22\x03\xe7",  # I-Am
    b"\x10\x08\x09\x00\x1b\x3f\xff\xff",  # Who-Is
    b"\x10\x07\x3d\x08\x00chauffe",  # Who-Has
    b"\x10\x06\xa4\x7e\x0b\x15\x06\xb4\x16\x00\x00\x00",  # TimeSynchronization
    b"\x10\x02" + REPORT,
    b"\x00\x05\x07\x01" + REPORT,
    b"\x00\x05\x01\x0c\x0c" + OWN + b"\x19\x4d",  # ReadProperty of our name
    b"\x00\x05\x02\x0e\x0c" + OWN + b"\x1e\x09\x08\x1f",  # ReadPropertyMultiple of all
    b"\x00\x05\x03\x0f\x0c" + OWN + b"\x19\x4d\x3e\x75\x04\x00abc\x3f",  # WriteProperty
    b"\x00\x05\x04\x11\x09\x05\x19\x01",  # DeviceCommunicationControl
    b"\x00\x05\x05\x14\x09\x01",  # ReinitializeDevice
    b"\x00\x05\x06\x05\x09\x12\x1c" + OWN + b"\x29\x01\x3a\x01\x2c",  # SubscribeCOV
    b"\x0c\x05\x08\x00\x04\x0f" + READ_VALUE,  # a segment of a request
    b"\x30\x09\x0c" + READ_VALUE + b"\x3e" + DOUBLE + b"\x3f",  # an answer
    b"\x30\x0a\x0e\x0c" + VALUE + b"\x1e\x29\x55\x4e" + DOUBLE + b"\x4f\x1f",
    b"\x3c\x0b\x00\x04\x0e\x0c" + VALUE + b"\x1e\x29\x55\x4e" + DOUBLE,  # a segment of one
    b"\x20\x0c\x0f", b"\x40\x0d\x00\x04", b"\x50\x0e\x0c\x91\x02\x91\x20", b"\x60\x0f\x09", b"\x71\x10\x04",
]  # fmt: skip
CORPUS = [datagram(apdu) for apdu in APDUS]
CORPUS += [
    b"\x81\x0b\x00\x08\x01\x20\xff\xff", b"\x81\x00\x00\x06\x00\x30", b"\x81\x05\x00\x06\x00\x3c",
    b"\x81\x04\x00\x12\x7f\x00\x00\x01\xba\xc0\x01\x00\x10\x08\x09\x00\x19\x05",
    b"\x81\x0a\x00\x09\x01\x80\x01\x00\x07",
    b"\x81\x0a\x00\x10\x01\x08\x00\x05\x01\x07\x10\x08\x09\x00\x19\x05",
]  # fmt: skip


class Stranger(asyncio.DatagramProtocol):
    """A port that nobody configured; what it hears back is kept."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.answered = asyncio.Event()
        self.awaited = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append(data)
        if data[6:9] == self.awaited:
            self.answered.set()

    async def asks(self, own: tuple[str, int], invoke_id: int) -> None:
        """Read our own device's name and wait for it: all that was sent before has been taken in."""
        self.awaited = bytes([0x30, invoke_id, 12])
        self.answered.clear()
        self.transport.sendto(datagram(bytes([0x00, 0x05, invoke_id, 12]) + b"\x0c" + OWN + b"\x19\x4d"), own)
        await asyncio.wait_for(self.answered.wait(), 5.0)


@dataclass
class Rig:
    """Our port, a good device, a stranger, a neighbour that asks in order, and what the driver reported by itself."""

    driver: Driver
    device: Hostile
    stranger: Stranger
    neighbour: Stranger
    own: tuple[str, int]
    reported: list[Observation]


def _itself(side: Hostile | Stranger) -> Hostile | Stranger:
    return side


@asynccontextmanager
async def rigged() -> AsyncIterator[Rig]:
    """Everything up; afterwards nothing was left behind that nobody saw."""
    loop, complaints, reported = asyncio.get_running_loop(), list[dict[str, Any]](), list[Observation]()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    device = Hostile(INSTANCE, 1, 0.0, random.Random(1), 1.0)
    stranger, neighbour = Stranger(), Stranger()
    for side in (device, stranger, neighbour):
        await loop.create_datagram_endpoint(partial(_itself, side), local_addr=("127.0.0.1", 0))
    made = [BacnetPoint(f"value.{n}", f"large-analog-value,{n}") for n in range(1, VALUES + 1)]
    made += [BacnetPoint(f"value.{REPORTED}", f"large-analog-value,{REPORTED}", every_s=60.0, cov_s=600.0)]
    points = {point.name: point for point in made}
    port = device.transport.get_extra_info("sockname")[1]
    settings = BacnetDevice(address=f"127.0.0.1:{port}", instance=INSTANCE)
    profile = Profile("codes", "", "bacnet", "campaign", date(2026, 11, 24), points)
    own = ("127.0.0.1", free_port())
    bus = BacnetBus(driver="bacnet", address=f"127.0.0.1/24:{own[1]}", instance=OWN_INSTANCE, timeout_s=2.0)
    host = Host(lambda: NOW, Path(), hear=reported.extend)
    driver = DRIVERS["bacnet"].build("gtb", bus, [BusDevice("d", settings, profile, tuple(points))], host)
    await driver.open()
    try:
        yield Rig(driver, device, stranger, neighbour, own, reported)
    finally:
        await driver.close()
        for side in (device, stranger, neighbour):
            side.transport.close()
        await asyncio.sleep(0)
    gc.collect()
    await asyncio.sleep(0)
    assert complaints == []


async def reads_well(rig: Rig) -> None:
    """All values of the device, each from the answer to the request that asked for it."""
    polls = [poll for poll in rig.driver.polls["d"] if f"value.{REPORTED}" not in poll.points]
    seen = [o for poll in polls for o in await rig.driver.read(poll)]
    good = [o for o in seen if isinstance(o, Reading)]
    assert len(good) == VALUES, seen
    for reading in good:
        assert rig.device.fits(reading.value, int(reading.point.point.partition(".")[2])), reading


async def is_subscribed(rig: Rig) -> None:
    """Read the reported point, which asks the device for its reports, and hear the first one."""
    [poll] = [poll for poll in rig.driver.polls["d"] if f"value.{REPORTED}" in poll.points]
    await rig.driver.read(poll)
    assert len(rig.device.subscribed) == 1
    rig.device.transport.sendto(datagram(b"\x10\x02" + REPORT), rig.own)
    await rig.neighbour.asks(rig.own, 0)
    [heard] = rig.reported
    assert isinstance(heard, Reading)
    assert heard.value == 99.0
    rig.reported.clear()


def forged(rig: Rig) -> list[bytes]:
    """Reports and answers of the device as a BBMD would hand them on; but the sender is none."""
    origin = bytes([127, 0, 0, 1]) + rig.device.transport.get_extra_info("sockname")[1].to_bytes(2, "big")
    npdus = [b"\x01\x00" + apdu for apdu in APDUS]
    return [b"\x81\x04" + (len(npdu) + 10).to_bytes(2, "big") + origin + npdu for npdu in npdus]


async def fuzz(count: int, seed: int) -> str:
    """From a stranger's port and from the device's own by turns; after each burst the device is read. The figures."""
    told = 0
    async with rigged() as rig:
        strange, own = Mutator(seed, [*CORPUS, *forged(rig)]), Mutator(seed + 1, CORPUS)
        await is_subscribed(rig)
        await reads_well(rig)
        for burst in range(count // BURST):
            from_device = burst % 2 == 0
            for message in (own if from_device else strange).messages(BURST):
                (rig.device if from_device else rig.stranger).transport.sendto(message, rig.own)
            await rig.neighbour.asks(rig.own, burst % 256)
            await reads_well(rig)
            # What the device itself reports may be a report; a stranger has nothing to tell us.
            assert from_device or rig.reported == []
            told += len(rig.reported)
            rig.reported.clear()
        assert told > 0
        assert rig.device.written == []
        assert not [data for data in rig.stranger.heard if changes_something(data)]
        answers = len(rig.stranger.heard)
    return (
        f"bacnet datagrams: {count} fuzzed, {count // BURST} readings all right, {answers} answers, "
        f"{told} reports heard of the device, 0 of strangers, 0 crashes"
    )


async def test_fuzzed_datagrams() -> None:
    await fuzz(6_000, seed=1)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_million_fuzzed_datagrams(show: Show) -> None:
    show(await fuzz(1_000_000, seed=2))
