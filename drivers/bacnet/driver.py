"""BACnet/IP as a driver: one UDP socket, one lane a device."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from drivers.api import Driver, Fault, Host, Lane, Poll, Reading, Refused, Write, WriteResult
from drivers.bacnet import polling
from drivers.bacnet.client import Client
from drivers.bacnet.codec import DEVICE, ObjectId
from drivers.bacnet.device import Device
from drivers.bacnet.settings import BacnetBus, BacnetDevice
from drivers.bacnet.stack import Address
from drivers.bacnet.wire import Notification

if TYPE_CHECKING:
    from drivers.registry import BusDevice


FAREWELL_S = 0.3
"""The most that a clean stop spends on ending subscriptions."""


class BacnetDriver:
    """One BACnet/IP bus; implements drivers.api.Driver."""

    def __init__(self, bus_id: str, settings: BacnetBus, devices: Sequence[BusDevice], host: Host) -> None:
        self._client = Client(settings)
        self._devices = {device.id: _device(self._client, settings, device, host) for device in devices}
        self._reporting = {ObjectId(DEVICE, device.instance): device for device in self._devices.values()}
        self._lanes = tuple(Lane(f"{bus_id}/{device.id}", (device.id,)) for device in devices)
        self._polls = MappingProxyType({i: polling.polls(i, d.points) for i, d in self._devices.items()})

    @property
    def lanes(self) -> Sequence[Lane]:
        """One a device: they do not wait for one another."""
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
            await self._client.close()

    def _reported(self, source: Address, report: Notification) -> bool:
        """Hand a COV notification to the device that it names, provided that it comes from there."""
        device = self._reporting.get(report.device)
        return device is not None and source == device.peer.address and device.hear(report)

    async def read(self, poll: Poll) -> Sequence[Reading | Fault]:
        """The points of one poll, in order."""
        return await self._devices[poll.device].read(poll.points)

    async def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """Write to one device and read back."""
        return await self._devices[writes[0].point.device].write(writes) if writes else ()


def _device(client: Client, bus: BacnetBus, device: BusDevice, host: Host) -> Device:
    if not isinstance(device.settings, BacnetDevice):
        raise Refused(f"{device.id}: not a BACnet device")
    try:
        points = polling.resolve(device.id, device.profile.points, device.points)
    except ValueError as error:
        raise Refused(str(error)) from error
    return Device(device.id, client, bus, device.settings, points, host)


def build(bus_id: str, settings: BacnetBus, devices: Sequence[BusDevice], host: Host) -> Driver:
    """A driver for one bus, not yet open. Raises Refused on a point no device can have."""
    return BacnetDriver(bus_id, settings, devices, host)
