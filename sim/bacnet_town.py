"""The BACnet side of a town: devices at their addresses, behind routers, and BBMDs where buses are foreign."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime

from config.site import BacnetBus, BacnetDevice, Bus, Device
from sim.bacnet_apdu import Address, Peer
from sim.bacnet_bbmd import Bbmd
from sim.bacnet_clock import DeviceClock
from sim.bacnet_device import Identity
from sim.bacnet_face import BacnetDevice as BacnetSocket
from sim.bacnet_router import Router
from sim.faults import WireFaults
from sim.town import Town

MSTP_MAX_APDU, IP_MAX_APDU = 480, 1476
ANNOUNCE_S = 2.0
"""A double says so often that it is there."""


class _Double(WireFaults):
    """How the double of a device behaves: it is there while the fault lasts."""

    @property
    def deaf(self) -> bool:
        """Gone with the fault."""
        return not self.doubled


class BacnetFace:
    """One BACnet device, with a socket of its own or behind a router, and its double where there is one."""

    def __init__(
        self, device: Device, bus: BacnetBus, where: BacnetDevice, town: Town, now: Callable[[], datetime]
    ) -> None:
        place = where.station
        self.routed = place is not None and place.routed
        host, port = (bus.endpoint[0], 0) if place is None or place.routed else place.endpoint
        one_octet = place is not None and self.routed and len(place.mac) == 1
        identity = Identity(
            where.instance,
            device.id,
            model=device.profile.id,
            max_apdu=MSTP_MAX_APDU if one_octet else IP_MAX_APDU,
        )
        self._device, self._where, self._town = device, where, town
        self._faults = WireFaults(town.faults, device.id)
        self._clock = DeviceClock(now, town.site.place.zone, lambda: self._faults.clock_off_s)
        self._gateway = bus.endpoint
        self.socket = self._socket(host, port, identity, self._faults)
        self._double = self._socket(bus.endpoint[0], 0, identity, _Double(town.faults, device.id))
        self._doubling: asyncio.Task[None] | None = None
        self._announce_s = 0.0

    def _socket(self, host: str, port: int, identity: Identity, faults: WireFaults) -> BacnetSocket:
        objects, owns = self._town.objects[self._device.id], self._town.schedules.get(self._device.id, ())
        clock = self._clock
        return BacnetSocket(host, port, identity, objects, faults=faults, now=clock.now, set_clock=clock.set, owns=owns)

    async def start(self) -> None:
        """Bind; OSError when the port is taken. A device behind a router is started by it."""
        if not self.routed:
            await self.socket.start()

    async def stop(self) -> None:
        """Close the sockets."""
        if self._doubling is not None:
            await self._doubling
            await self._double.stop()
            self._doubling = None
        if not self.routed:
            await self.socket.stop()

    def tick(self) -> None:
        """The town has moved: notify subscribers; a double tells the gateway that it is there."""
        self.socket.tick()
        if not self._faults.doubled:
            return
        loop = asyncio.get_running_loop()
        if self._doubling is None:
            self._doubling = loop.create_task(self._double.start(), name=f"double of {self._device.id}")
        elif self._doubling.done() and loop.time() >= self._announce_s:
            self._announce_s = loop.time() + ANNOUNCE_S
            self._double.announce(Peer(self._gateway))

    def lines(self) -> list[str]:
        """What stands here, for people."""
        place = self._where.address if self.routed else f"{self.socket.host}:{self.socket.port}"
        return [f"bacnet-ip {place} instance {self._where.instance} {self._device.id}"]


class BacnetTown:
    """Builds the faces of BACnet devices, one device after the other."""

    def __init__(self, town: Town, now: Callable[[], datetime]) -> None:
        self._town, self._now = town, now
        self._routers: dict[Address, Router] = {}
        self._bbmds: set[Address] = set()
        self._on_ip: list[BacnetFace] = []

    def faces(self, device: Device, bus: Bus, where: BacnetDevice) -> Iterator[BacnetFace | Router | Bbmd]:
        """The face of ``device``, and those of its router and its bus' BBMD when it is the first there.

        Raises ValueError where two devices share one place, or where no router is named.
        """
        settings = bus.settings
        assert isinstance(settings, BacnetBus)  # noqa: S101 - a BACnet device stands on a BACnet bus, config sees to it
        if settings.foreign is not None and settings.foreign.endpoint not in self._bbmds:
            self._bbmds.add(settings.foreign.endpoint)
            yield Bbmd(settings.foreign.endpoint, self._hearers)
        face = BacnetFace(device, settings, where, self._town, self._now)
        if where.station is not None and where.station.routed:
            router = where.router
            if router is None:
                raise ValueError(f"{device.id}: the simulator needs via, the address of the router to {where.address}")
            is_new = router not in self._routers
            behind = self._routers.setdefault(router, Router(router))
            behind.connect(where.station.network, where.station.mac, face.socket)
            if is_new:
                yield behind
        else:
            self._on_ip.append(face)
        yield face

    def _hearers(self) -> list[Address]:
        devices = [(face.socket.host, face.socket.port) for face in self._on_ip]
        return [*devices, *(router.address for router in self._routers.values())]
