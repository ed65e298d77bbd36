"""The Modbus devices of a site, each asked at its place as its profile says."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from controller.cli.probe.compared import Compared, Verdict, judged, odd
from controller.cli.probe.endpoint import place
from controller.cli.probe.units import said
from drivers.api import BadAnswer, DriverError, NoAnswer, NotConnected
from drivers.likeness import Likeness, Value, named
from drivers.modbus.driver import end_of
from drivers.modbus.ends import End
from drivers.modbus.reader import Reader
from drivers.modbus.settings import ModbusBus, ModbusDevice
from drivers.profile import ModbusPoint, Profile
from drivers.profile_file import load_profiles
from drivers.registry import BusDevice

if TYPE_CHECKING:
    from config.site import Device


async def modbus_bus(directory: Path, settings: ModbusBus, members: Sequence[Device]) -> AsyncGenerator[Compared, None]:
    """Each device of a Modbus bus as it answers; what shares a line or a connection is asked in turn."""
    sharing: dict[End, list[tuple[Device, ModbusDevice]]] = {}
    for device in members:
        assert isinstance(device.settings, ModbusDevice)  # noqa: S101 - the site's loader saw to it
        own = BusDevice(device.id, device.settings, device.profile, device.points)
        end = end_of(settings, own, directory)
        sharing.setdefault(end, []).append((device, device.settings))
    for end, together in sharing.items():
        reader = Reader(end, settings.timeout_s)
        try:
            for device, its in together:
                where = f"{place(end)}, unit {its.unit}, {device.profile.id}"
                try:
                    yield await _twice(partial(_modbus_device, reader, device, its.unit, where))
                except DriverError as error:
                    yield Compared(device.id, where, Verdict.SILENT, against=(error.cause,))
        finally:
            await reader.close()


async def _twice(ask: Callable[[], Awaitable[Compared]]) -> Compared:
    """Asked again where it did not answer properly: a line may lose a frame now and then."""
    try:
        return await ask()
    except (NoAnswer, BadAnswer, NotConnected):
        return await ask()


async def _modbus_device(reader: Reader, device: Device, unit: int, where: str) -> Compared:
    points = [point for name in device.points if isinstance(point := device.profile.points[name], ModbusPoint)]
    values: list[Value] = []
    async with aclosing(reader.values(unit, points, device.profile.modbus)) as parts:
        async for part in parts:
            values += part
    identity = await reader.identity(unit)
    words = list(identity.values())
    like = Likeness(device.profile, tuple(values), named(device.profile, words))
    other = "" if like.named else _named_otherwise(words)
    against = [*([f"it names itself like {other}, the site says {device.profile.id}"] if other else []), *odd(values)]
    return judged(device.id, where, said(identity), like, against)


def _named_otherwise(words: Sequence[str]) -> str:
    """Another shipped profile whose model the device names."""
    return next((name for name, profile in _shipped().items() if named(profile, words)), "")


@cache
def _shipped() -> Mapping[str, Profile]:
    return load_profiles()
