"""Small sites built by hand for the simulator's tests, and raw clients that know nothing but bytes."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from config.site import (
    BacnetBus,
    BacnetDevice,
    Building,
    Bus,
    Cabinet,
    Device,
    Lamp,
    LampType,
    Meter,
    ModbusBus,
    ModbusDevice,
    Mqtt,
    OverridePolicy,
    Photocell,
    PresenceSensor,
    Segment,
    Site,
    Timing,
    Zone,
)
from drivers.profile import BacnetPoint, ModbusPoint, Profile
from schedules.allures import Setpoints
from schedules.occupancy import Occupancy, parse_interval
from schedules.sun import Place

PARIS = ZoneInfo("Europe/Paris")
WINTER_EVENING = datetime(2026, 1, 13, 17, 0, tzinfo=UTC)
LED = LampType("led-60", 60.0, 0.5, 1.0, ((0.0, 0.5), (10.0, 9.0), (50.0, 31.0), (100.0, 60.0)))
SODIUM = LampType("shp-100", 100.0, 1.0)


def profile(name: str, protocol: str, points: Mapping[str, ModbusPoint | BacnetPoint] | None = None) -> Profile:
    """A profile of which the simulator needs the id, or the points where it is a site's own."""
    return Profile(name, name, protocol, "test", date(2026, 1, 1), points or {})


def modbus_device(name: str, bus: str, unit: int, kind: Profile, address: str | None = None) -> Device:
    """A Modbus device."""
    return Device(name, bus, kind, ModbusDevice.model_validate({"unit": unit, "address": address}), ())


def bacnet_device(name: str, port: int, instance: int, kind: Profile) -> Device:
    """A BACnet device on the loopback."""
    settings = BacnetDevice(address=f"127.0.0.1:{port}", instance=instance)
    return Device(name, "gtb", kind, settings, ())


def zone(name: str, building: str, device: str, number: int) -> Zone:
    """A zone with the hours of a school, and no calendar."""
    weekly = dict.fromkeys(range(5), (parse_interval("08:00-17:30"),))
    return Zone(name, building, device, number, Occupancy("school", weekly, (), (), PARIS), Setpoints(19.0, 16.0, 8.0))


def site(directory: Path, **parts: object) -> Site:
    """A site of these parts, all others empty."""
    empty = Site(
        id="test",
        name="Test",
        place=Place(50.29, 2.78, PARIS),
        country="FR",
        directory=directory,
        config_hash="0",
        mqtt=Mqtt("mqtt://127.0.0.1:1883"),
        timing=Timing(),
        overrides=OverridePolicy(),
        buses={},
        devices={},
        calendars={},
        plans={},
        groups={},
        lamps={},
        segments={},
        cabinets={},
        meters={},
        buildings={},
        zones={},
    )
    return replace(empty, **parts)  # type: ignore[arg-type]


def street(directory: Path = Path("."), *, port: int = 5020, lamps: int = 6, serial: str | None = None) -> Site:
    """A cabinet with two segments (phases 1 and 2), ``lamps`` lamps by turns, the last one always fed.

    There are two meters, a photocell and a presence sensor besides.
    """
    wire: dict[str, object] = {"serial": serial} if serial else {"tcp": f"127.0.0.1:{port}"}
    bus = Bus("line", "modbus", ModbusBus.model_validate({"driver": "modbus", **wire}))
    devices = [
        modbus_device("cab", "line", 1, profile("generic-cabinet", "modbus")),
        modbus_device("meter", "line", 2, profile("eastron-sdm630", "modbus")),
        modbus_device("feeder", "line", 3, profile("schneider-iem3155", "modbus")),
    ]
    inventory = {}
    for number in range(1, lamps + 1):
        segment = None if number == lamps else f"seg-{(number - 1) % 2 + 1}"
        kind = SODIUM if number == lamps - 1 else LED
        inventory[f"l-{number}"] = Lamp(f"l-{number}", "cab", number, kind, cabinet="cab", segment=segment)
    segments = {f"seg-{n}": Segment(f"seg-{n}", "cab", "cab", n, n) for n in (1, 2)}
    return site(
        directory,
        buses={"line": bus},
        devices={device.id: device for device in devices},
        lamps=inventory,
        segments=segments,
        cabinets={"cab": Cabinet("cab", "cab", segments=tuple(segments))},
        photocells={"cell": Photocell("cell", "cab", 1)},
        presence_sensors={"eye": PresenceSensor("eye", "cab", 3, ())},
        meters={"feeder": Meter("feeder", "feeder", cabinet="cab"), "hall": Meter("hall", "meter", building="hall")},
    )


def school(directory: Path = Path("."), *, ports: tuple[int, int] = (47810, 47811)) -> Site:
    """A heating controller with three zones, and a gym's thermostat."""
    bus = Bus("gtb", "bacnet", BacnetBus(driver="bacnet", address="127.0.0.1/24:47809"))
    devices = [
        bacnet_device("ecole", ports[0], 1201, profile("generic-heating", "bacnet")),
        bacnet_device("gym", ports[1], 1202, profile("generic-thermostat", "bacnet")),
    ]
    zones = [zone(f"ecole.z{number}", "ecole", "ecole", number) for number in (1, 2, 3)]
    zones.append(zone("gym.hall", "gym", "gym", 1))
    return site(
        directory,
        buses={"gtb": bus},
        devices={device.id: device for device in devices},
        buildings={
            "ecole": Building("ecole", "ecole", ("ecole.z1", "ecole.z2", "ecole.z3")),
            "gym": Building("gym", "gym", ("gym.hall",)),
        },
        zones={each.id: each for each in zones},
    )


class Ticking:
    """A site clock that a test moves by hand."""

    def __init__(self, start: datetime = WINTER_EVENING) -> None:
        self.at = start

    def __call__(self) -> datetime:
        """The time now."""
        return self.at

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)


class TcpClient:
    """A Modbus TCP client of bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.transaction = 0

    @classmethod
    async def to(cls, port: int) -> TcpClient:
        """Connect to the loopback."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, unit: int, pdu: bytes) -> int:
        """Send a request; returns its transaction id."""
        self.transaction += 1
        self.writer.write(struct.pack(">HHHB", self.transaction, 0, len(pdu) + 1, unit) + pdu)
        return self.transaction

    async def receive(self, within_s: float = 2.0) -> tuple[int, int, bytes]:
        """Transaction, unit and PDU of the next answer."""
        async with asyncio.timeout(within_s):
            transaction, protocol, length, unit = struct.unpack(">HHHB", await self.reader.readexactly(7))
            assert protocol == 0
            return transaction, unit, await self.reader.readexactly(length - 1)

    async def ask(self, unit: int, pdu: bytes, within_s: float = 2.0) -> bytes:
        """The answer PDU to a request PDU."""
        wanted = self.send(unit, pdu)
        transaction, answered_unit, answer = await self.receive(within_s)
        assert (transaction, answered_unit) == (wanted, unit)
        return answer

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            return


async def tells(port: int, line: str) -> str:
    """One line to a control channel, one line back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(line.encode() + b"\n")
        async with asyncio.timeout(2.0):
            return (await reader.readline()).decode()
    finally:
        writer.close()
        await writer.wait_closed()
