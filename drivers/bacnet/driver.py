"""BACnet/IP as a driver: one bus, one lane a device or a network behind a router."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from drivers.api import (
    Driver,
    Fault,
    Host,
    Lane,
    Look,
    Outcome,
    Poll,
    Push,
    PushResult,
    Reading,
    Refused,
    ScheduleSeen,
    Write,
    WriteResult,
)
from drivers.bacnet import polling
from drivers.bacnet.client import Client
from drivers.bacnet.codec import DEVICE, ObjectId
from drivers.bacnet.device import Device
from drivers.bacnet.settings import BacnetBus, BacnetDevice
from drivers.bacnet.stack import Address
from drivers.bacnet.watch import Watch, Watched
from drivers.bacnet.wire import Notification

if TYPE_CHECKING:
    from drivers.registry import BusDevice


FAREWELL_S = 0.3
"""The most that a clean stop spends on ending subscriptions."""


class BacnetDriver:
    """One BACnet/IP bus; implements drivers.api.Driver and drivers.api.Scheduling."""

    def __init__(self, bus_id: str, settings: BacnetBus, devices: Sequence[BusDevice], host: Host) -> None:
        self._now = host.now
        placed = {device.id: _settings(device) for device in devices}
        self._client = Client(settings, hears_broadcasts=_hears_broadcasts(settings, placed.values()))
        self._devices = {device.id: _device(self._client, settings, device, host) for device in devices}
        watched = {name: Watched.of(device.peer, placed[name]) for name, device in self._devices.items()}
        self._watch = Watch(bus_id, settings, self._client, watched, host)
        for one in placed.values():
            if one.station is not None and one.router is not None:
                self._client.routes.name(one.station.network, one.router)
        self._reporting = {ObjectId(DEVICE, device.instance): device for device in self._devices.values()}
        self._lanes = tuple(lanes(bus_id, placed))
        self._polls = MappingProxyType({i: polling.polls(i, d.points) for i, d in self._devices.items()})

    @property
    def lanes(self) -> Sequence[Lane]:
        """One a device, which waits for no other; one for all devices of a network behind a router."""
        return self._lanes

    @property
    def polls(self) -> Mapping[str, Sequence[Poll]]:
        """One poll a period and device."""
        return self._polls

    async def open(self) -> None:
        """Bind our own address. Raises BindFailed."""
        self._client.on_report = self._reported
        await self._client.open()

    async def close(self) -> None:
        """End subscriptions as far as devices answer soon, give up what is running and close the socket."""
        try:
            async with asyncio.timeout(FAREWELL_S):
                await asyncio.gather(*(device.close() for device in self._devices.values()))
        except TimeoutError:
            pass
        finally:
            await self._watch.close()
            await self._client.close()

    def _reported(self, source: Address, report: Notification) -> bool:
        """Hand a COV notification to the device that it names, provided that it comes from there."""
        device = self._reporting.get(report.device)
        if device is None or device.peer.address is None:  # looked for, and not found yet
            return False
        return bool(source == device.peer.address) and device.hear(report)

    async def read(self, poll: Poll) -> Sequence[Reading | Fault]:
        """The points of one poll, in order."""
        device = self._devices[poll.device]
        async with self._watch.over(poll.device):
            if self._watch.doubted(poll.device):
                device.doubt()
            seen = await device.read(poll.points)
            return await self._watch.answered(poll.device, seen)

    async def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """Write to one device and read back."""
        if not writes:
            return ()
        name = writes[0].point.device
        async with self._watch.over(name):
            conflict = await self._watch.forbids(name)
            if conflict is not None:
                return [WriteResult(write, Outcome.REJECTED, self._now(), detail=conflict) for write in writes]
            if self._watch.doubted(name):
                self._devices[name].doubt()
            return await self._devices[name].write(writes)

    async def look(self, errand: Look) -> ScheduleSeen:
        """What a device's own Schedule object holds."""
        async with self._watch.over(errand.ref.device):
            return await self._devices[errand.ref.device].look(errand)

    async def push(self, errand: Push) -> PushResult:
        """Write a device's own Schedule object and read it back."""
        name = errand.ref.device
        async with self._watch.over(name):
            conflict = await self._watch.forbids(name)
            if conflict is not None:
                return PushResult(errand.ref, Outcome.REJECTED, self._now(), detail=conflict)
            return await self._devices[name].push(errand)


def lanes(bus_id: str, devices: Mapping[str, BacnetDevice]) -> Iterator[Lane]:
    """The lanes of a bus: an MS/TP network behind a router is one queue, however many devices share it."""
    sharing: dict[str, list[str]] = {}
    for name, device in devices.items():
        routed = device.station is not None and device.station.routed
        key = f"{bus_id}/net-{device.station.network}" if routed and device.station else f"{bus_id}/{name}"
        sharing.setdefault(key, []).append(name)
    for key, names in sharing.items():
        yield Lane(key, tuple(names))


def _hears_broadcasts(settings: BacnetBus, devices: Iterable[BacnetDevice]) -> bool:
    """A foreign device gets its broadcasts from the BBMD; else a socket for them is opened where they are needed."""
    return settings.broadcast or (settings.foreign is None and any(device.looked_for for device in devices))


def _settings(device: BusDevice) -> BacnetDevice:
    if not isinstance(device.settings, BacnetDevice):
        raise Refused(f"{device.id}: not a BACnet device")
    return device.settings


def _device(client: Client, bus: BacnetBus, device: BusDevice, host: Host) -> Device:
    try:
        points = polling.resolve(device.id, device.profile.points, device.points)
        unused = (name for name, point in device.profile.points.items() if name not in points and point.writable)
        others = polling.resolve(device.id, device.profile.points, unused)
    except ValueError as error:
        raise Refused(str(error)) from error
    return Device(device.id, client, bus, _settings(device), points, host, others)


def build(bus_id: str, settings: BacnetBus, devices: Sequence[BusDevice], host: Host) -> Driver:
    """A driver for one bus, not yet open. Raises Refused on a point no device can have."""
    return BacnetDriver(bus_id, settings, devices, host)
