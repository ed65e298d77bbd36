"""Which face stands where: the addresses that the site declares, with the town's devices behind them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from ssl import SSLContext
from typing import Protocol

from config.site import BacnetDevice, Bus, ModbusBus, ModbusDevice, Site
from sim.bacnet_town import BacnetTown
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


def build_faces(town: Town, now: Callable[[], datetime], speed: float) -> list[Face]:
    """All faces of a site, in the order of its devices. Raises ValueError where two devices share one place."""
    faces: list[Face] = []
    bacnet = BacnetTown(town, now)
    lines: dict[tuple[str, str], dict[int, Slave]] = {}
    for device in town.site.devices.values():
        bus = town.site.buses[device.bus]
        if isinstance(device.settings, BacnetDevice):
            faces.extend(bacnet.faces(device, bus, device.settings))
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
