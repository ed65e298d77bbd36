"""One Modbus bus: a serial line, a shared TCP gateway, or devices with connections of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from drivers.api import Driver, Fault, Host, Lane, Now, Poll, Reading, Write, WriteResult
from drivers.modbus.client import Client
from drivers.modbus.deadlines import Deadlines
from drivers.modbus.device import Device
from drivers.modbus.ends import End, Pace, SerialEnd, TcpEnd, Tls
from drivers.modbus.settings import ModbusBus, ModbusDevice, ModbusTls
from drivers.profile import ModbusPoint
from drivers.registry import BusDevice


class ModbusDriver:
    """Implements ``drivers.api.Driver``; a lane for each line or TCP endpoint."""

    def __init__(self, bus_id: str, settings: ModbusBus, devices: Sequence[BusDevice], host: Host) -> None:
        sharing: dict[End, list[BusDevice]] = {}
        for device in devices:
            sharing.setdefault(end_of(settings, device, host.directory), []).append(device)
        deadlines = Deadlines(settings.timeout_s)
        self._clients: list[Client] = []
        self._devices: dict[str, Device] = {}
        self._lanes: list[Lane] = []
        for end, together in sharing.items():
            own = settings.endpoint(_settings(together[0]).address) != settings.endpoint(None)
            name = f"{bus_id}/{together[0].id}" if own else bus_id
            self._lanes.append(Lane(name, tuple(device.id for device in together)))
            # Where several devices share a line, repeats for a silent one would be paid by the others.
            retries = settings.retries if len(together) == 1 else 0
            client = Client(end, settings.timeout_s, retries, deadlines)
            self._clients.append(client)
            self._devices |= {device.id: _device(device, client, host.now) for device in together}
        self._polls = MappingProxyType({name: device.polls for name, device in self._devices.items()})

    @property
    def lanes(self) -> Sequence[Lane]:
        """One an endpoint: what shares a line or a connection waits for its turn."""
        return self._lanes

    @property
    def polls(self) -> Mapping[str, Sequence[Poll]]:
        """One poll a period and device."""
        return self._polls

    async def open(self) -> None:
        """Nothing: lines and connections open on first use."""

    async def close(self) -> None:
        """Close every line and connection."""
        for client in self._clients:
            await client.close()

    async def read(self, poll: Poll) -> Sequence[Reading | Fault]:
        """The points of one poll. Raises DriverError."""
        return await self._devices[poll.device].read(poll.index)

    async def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """Write to one device and read back. Raises DriverError; ValueError on writes to several devices."""
        names = {write.point.device for write in writes}
        if len(names) > 1:
            raise ValueError(f"writes of one call concern one device, not {', '.join(sorted(names))}")
        return await self._devices[names.pop()].write(writes) if names else []


def _settings(device: BusDevice) -> ModbusDevice:
    if not isinstance(device.settings, ModbusDevice):
        raise TypeError(f"{device.id}: not a Modbus device")
    return device.settings


def end_of(bus: ModbusBus, device: BusDevice, directory: Path) -> End:
    """Where ``device`` of a bus is reached, for who asks it outside the daemon too. Raises as ``build``."""
    address = _settings(device).address
    pace = Pace(bus.baudrate, bus.parity, bus.stopbits)
    if bus.serial is not None:
        if address is not None:
            raise ValueError(f"{device.id}: an address of its own on a serial bus")
        return SerialEnd(str(directory / bus.serial), pace.baudrate, pace.parity, pace.stopbits)
    text = bus.endpoint(address)
    if text is None:
        raise ValueError(f"{device.id}: neither the device nor its bus has an address")
    host, _, port = text.rpartition(":")
    tls = _tls(bus.tls, directory) if bus.tls else None
    return TcpEnd(host.strip("[]"), int(port), pace if bus.framing == "rtu" else None, tls)


def _tls(files: ModbusTls, directory: Path) -> Tls:
    cert, key = (directory / path if path else None for path in (files.cert, files.key))
    return Tls(directory / files.ca, cert, key, files.server_name)


def _device(device: BusDevice, client: Client, now: Now) -> Device:
    points = {name: p for name, p in device.profile.points.items() if isinstance(p, ModbusPoint)}
    unknown = [name for name in device.points if name not in points]
    if unknown:
        raise ValueError(f"{device.id}: profile {device.profile.id} has no Modbus point {', '.join(unknown)}")
    unit = _settings(device).unit
    return Device(device.id, unit, client, points, device.points, device.profile.modbus, now)


def build(bus_id: str, settings: ModbusBus, devices: Sequence[BusDevice], host: Host) -> Driver:
    """A driver for one bus, not yet open. Raises ValueError on an endpoint or a point that does not exist."""
    return ModbusDriver(bus_id, settings, devices, host)
