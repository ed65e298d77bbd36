"""Which face stands where: the addresses that the site declares, with the town's devices behind them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from ssl import SSLContext
from typing import Protocol

from config.site import BacnetDevice, Bus, Device, ModbusBus, ModbusDevice, Site
from sim.bacnet_device import Identity
from sim.bacnet_face import BacnetDevice as BacnetSocket
from sim.faults import WireFaults
from sim.modbus_face import ModbusTcpFace, Slave
from sim.rtu_face import RtuFace
from sim.rtu_tcp_face import RtuTcpFace
from sim.tls import server_context
from sim.town import Town


class Face(Protocol):
    """Something that stands on the wire."""

    async def start(self) -> None:
        """Open; OSError when the address cannot be had."""
        ...

    async def stop(self) -> None:
        """Close; never raises."""
        ...

    def lines(self) -> list[str]:
        """One line a device, for people."""
        ...


class BacnetFace:
    """One BACnet device with its socket."""

    def __init__(self, device: Device, where: BacnetDevice, town: Town, now: Callable[[], datetime]) -> None:
        host, _, port = where.address.rpartition(":")
        zone = town.site.place.zone
        self._device, self._instance = device, where.instance
        self.socket = BacnetSocket(
            host,
            int(port),
            Identity(where.instance, device.id, model=device.profile.id),
            town.objects[device.id],
            faults=WireFaults(town.faults, device.id),
            now=lambda: now().astimezone(zone),
        )

    async def start(self) -> None:
        """Bind; OSError when the port is taken."""
        await self.socket.start()

    async def stop(self) -> None:
        """Close the socket."""
        await self.socket.stop()

    def tick(self) -> None:
        """The town has moved: notify subscribers."""
        self.socket.tick()

    def lines(self) -> list[str]:
        """What stands here, for people."""
        return [f"bacnet-ip {self.socket.host}:{self.socket.port} instance {self._instance} {self._device.id}"]


def build_faces(town: Town, now: Callable[[], datetime], speed: float) -> list[Face]:
    """All faces of a site, in the order of its devices. Raises ValueError where two devices share one place."""
    faces: list[Face] = []
    lines: dict[tuple[str, str], dict[int, Slave]] = {}
    for device in town.site.devices.values():
        bus = town.site.buses[device.bus]
        if isinstance(device.settings, BacnetDevice):
            faces.append(BacnetFace(device, device.settings, town, now))
            continue
        place = _place(bus, device.settings)
        if place not in lines:
            lines[place] = {}
            faces.append(_modbus_face(place, bus, lines[place], town, speed))
        if device.settings.unit in lines[place]:
            raise ValueError(f"{device.id}: unit {device.settings.unit} stands at {place[1]} already")
        slave = Slave(device.id, town.units[device.id], WireFaults(town.faults, device.id))
        lines[place][device.settings.unit] = slave
    return faces


def _place(bus: Bus, where: ModbusDevice) -> tuple[str, str]:
    settings = bus.settings
    assert isinstance(settings, ModbusBus)  # noqa: S101 - a Modbus device stands on a Modbus bus, config sees to it
    if settings.serial is not None:
        return "serial", settings.serial
    endpoint = settings.endpoint(where.address)
    if endpoint is None:
        raise ValueError(f"bus {bus.id}: neither tcp nor serial, and a device without an address")
    return "tcp", endpoint


def _modbus_face(place: tuple[str, str], bus: Bus, slaves: dict[int, Slave], town: Town, speed: float) -> Face:
    settings = bus.settings
    assert isinstance(settings, ModbusBus)  # noqa: S101 - see _place
    bits = 9 + (settings.parity != "N") + settings.stopbits
    if place[0] == "serial":
        path = serial_path(town.site, place[1])
        return RtuFace(path, slaves, baudrate=settings.baudrate, character_bits=bits, speed=speed)
    host, _, port = place[1].rpartition(":")
    if settings.framing == "rtu":
        return RtuTcpFace(
            host, int(port), slaves, town.faults, baudrate=settings.baudrate, character_bits=bits, speed=speed
        )
    return ModbusTcpFace(host, int(port), slaves, town.faults, _tls(settings, town.site))


def _tls(settings: ModbusBus, site: Site) -> Callable[[], SSLContext] | None:
    """Where the site gives its devices a certificate to know it by, the simulated ones ask for it."""
    if settings.tls is None:
        return None
    ca, asks_who = site.directory / settings.tls.ca, settings.tls.cert is not None
    return lambda: server_context(ca, asks_who)


def serial_path(site: Site, path: str) -> Path:
    """A relative path starts at the site's directory."""
    return site.directory / path
