"""A device with the objects of the standard's own examples (ASHRAE 135, annex F) and a bare UDP client beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sim.bacnet_device import Identity
from sim.bacnet_face import BacnetDevice, WireFaults
from sim.objects import BacnetObject

DEADLINE_S = 5.0
I_AM_OF_4 = bytes.fromhex("1000 c402000004 2205c4 9103 2203e7")


@dataclass
class Plant:
    """What the objects stand for; models write here, tests look here."""

    now_s: float = 1000.0
    values: dict[str, float] = field(default_factory=dict)

    def point(self, kind: str, instance: int, value: float, **options: Any) -> BacnetObject:
        """An object whose value is ``values[name]``; ``writable=True`` lets it be written."""
        name = f"{kind}-{instance}"
        self.values[name] = value
        if options.pop("writable", False) or options.get("commandable"):
            options["write"] = lambda new: self.values.update({name: new})
        units = options.pop("units", "degrees-celsius" if kind.startswith("analog") else "no-units")
        return BacnetObject(kind, instance, name, units, lambda: self.values[name], **options)


def annex_f_objects(plant: Plant) -> dict[str, BacnetObject]:
    """One object of each kind, by key."""
    objects = [
        plant.point("analog-input", 5, 72.3),
        plant.point("analog-input", 10, 65.0, cov_increment=1.0),
        plant.point("analog-input", 16, 72.3),
        plant.point("analog-value", 1, 10.0, writable=True, maximum=200.0),
        plant.point("analog-value", 2, 16.0, commandable=True, relinquish_default=16.0, minimum=5.0, maximum=35.0),
        plant.point("analog-output", 1, 0.0, commandable=True, units="percent", minimum=0.0, maximum=100.0),
        plant.point("binary-input", 1, 1.0),
        plant.point("binary-value", 1, 0.0, writable=True),
        plant.point("binary-output", 1, 0.0, commandable=True),
        plant.point("multi-state-value", 1, 2.0, writable=True, maximum=4.0),
    ]
    return {point.key: point for point in objects}


class Wire(asyncio.DatagramProtocol):
    """A UDP client that shows the octets as they came."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self.closed = asyncio.Event()
        self.transport: asyncio.DatagramTransport | None = None

    @property
    def port(self) -> int:
        """Its own port."""
        assert self.transport is not None
        return int(self.transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.inbox.put_nowait(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()

    def send(self, datagram: bytes) -> None:
        """A whole datagram."""
        assert self.transport is not None
        self.transport.sendto(datagram, self.target)

    async def receive(self) -> bytes:
        """The next whole datagram."""
        return await asyncio.wait_for(self.inbox.get(), DEADLINE_S)

    async def heard(self) -> bytes:
        """The APDU of the next datagram, which must be a plain Original-Unicast-NPDU."""
        datagram = await self.receive()
        assert datagram[:2] == b"\x81\x0a"
        assert int.from_bytes(datagram[2:4], "big") == len(datagram)
        assert datagram[4] == 1
        assert datagram[5] in (0x00, 0x04)
        return datagram[6:]

    async def ask(self, apdu: str) -> str:
        """Send an APDU (hex) as a unicast that expects a reply; the answer's APDU in hex."""
        self.send(unicast(bytes.fromhex(apdu)))
        return (await self.heard()).hex()

    async def is_quiet(self) -> bool:
        """Whether nothing of what was sent before was answered: a service that nobody has is rejected first."""
        return await self.ask("0005ee1b") == "60ee09"


def unicast(apdu: bytes) -> bytes:
    """An Original-Unicast-NPDU that expects a reply."""
    return b"\x81\x0a" + (len(apdu) + 6).to_bytes(2, "big") + b"\x01\x04" + apdu


@dataclass
class Rig:
    """The device, its plant and a client."""

    device: BacnetDevice
    plant: Plant
    objects: dict[str, BacnetObject]
    faults: WireFaults
    wire: Wire

    def state(self) -> list[object]:
        """All that a datagram could change but subscriptions."""
        points = self.objects.values()
        return [dict(self.plant.values)] + [
            (dict(point.slots), point.relinquish_default, point.out_of_service, point.cov_increment) for point in points
        ]


@asynccontextmanager
async def wired(target: tuple[str, int]) -> AsyncIterator[Wire]:
    """A client of its own port."""
    wire = Wire(target)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: wire, local_addr=("127.0.0.1", 0))
    wire.transport = transport
    try:
        yield wire
    finally:
        transport.close()
        await wire.closed.wait()


@asynccontextmanager
async def rigged(
    objects: Callable[[Plant], dict[str, BacnetObject]] = annex_f_objects, **switches: Any
) -> AsyncIterator[Rig]:
    """Device 4 on a free port of loopback."""
    plant, faults = Plant(), WireFaults()
    points = objects(plant)
    device = BacnetDevice(
        "127.0.0.1",
        0,
        Identity(4, "Office", **switches),
        list(points.values()),
        faults=faults,
        seconds=lambda: plant.now_s,
        now=lambda: datetime(2026, 11, 21, 17, 35, 45, 170_000, UTC),
    )
    await device.start()
    try:
        async with wired(("127.0.0.1", device.port)) as wire:
            yield Rig(device, plant, points, faults, wire)
    finally:
        await device.stop()
