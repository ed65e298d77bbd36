"""A written site compared with what is wired: each device is asked at its address, as its profile says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.exits import DONE, WRONG
from controller.cli.probe.device import BY_HAND
from controller.cli.probe.endpoint import INTERRUPTED, place
from controller.cli.probe.network import free_port
from controller.cli.probe.progress import Teller
from controller.cli.probe.units import like_facts, said
from controller.cli.targets import loaded
from drivers.api import BadAnswer, BindFailed, DriverError, NoAnswer, NotConnected, Refused
from drivers.bacnet import polling
from drivers.bacnet.client import Peer
from drivers.bacnet.codec import Atoms, Undecodable, number, slots
from drivers.bacnet.reader import Reader as BacnetReader
from drivers.bacnet.settings import BacnetBus, BacnetDevice
from drivers.likeness import Likeness, Sight, Value, named
from drivers.modbus.driver import end_of
from drivers.modbus.ends import End
from drivers.modbus.reader import Reader as ModbusReader
from drivers.modbus.settings import ModbusBus, ModbusDevice
from drivers.profile import ModbusPoint, Profile
from drivers.profile_file import load_profiles
from drivers.registry import BusDevice

if TYPE_CHECKING:
    from config.site import Device, Site

ALL = "all"
_SHOWN_ODD = 4
_ANSWERS_S = 2.0


class Verdict(StrEnum):
    """How a device compares with its lines in the site."""

    FITS = "ok"
    ODD = "odd"
    WRONG = "wrong"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Compared:
    """One device; ``against`` is what contradicts the site, a sentence each."""

    id: str
    where: str
    verdict: Verdict
    says: str = ""
    against: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What contradicts nothing, but is good to know before the first write."""
    like: Likeness | None = None

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"{self.verdict.value:<6} {self.id}  {self.where}"
        if self.says:
            yield f"       says {self.says}"
        if self.like is not None:
            like = self.like
            good = like.count(Sight.TELLING, Sight.POSSIBLE)
            telling = [str(value) for value in like.values if value.sight is Sight.TELLING][:_SHOWN_ODD]
            yield f"       {good} of {len(like.values)} points plausible{': ' * bool(telling)}{', '.join(telling)}"
        for sentence in self.against[:_SHOWN_ODD]:
            yield f"       {sentence}"
        yield from (f"       {sentence}" for sentence in self.notes)
        if len(self.against) > _SHOWN_ODD:
            yield f"       and {len(self.against) - _SHOWN_ODD} more (--json tells all)"

    def facts(self) -> dict[str, object]:
        """For scripts."""
        return {
            "id": self.id,
            "where": self.where,
            "verdict": self.verdict.value,
            "says": self.says,
            "against": list(self.against),
            "notes": list(self.notes),
            "points": None if self.like is None else like_facts(self.like),
        }


def probe_site(directory: Path, name: str, timeout_s: float | None, *, as_json: bool) -> int:
    """Compare the devices that ``name`` means; 0 when all fit."""
    site = loaded(directory)
    devices = _meant(site, name)
    found: list[Compared] = []
    interrupted = False
    with Teller(quiet=as_json) as teller:
        teller.say([f"{site.name}: {len(devices)} of {len(site.devices)} devices, as {directory} says"])
        try:
            asyncio.run(_compare(site, devices, timeout_s, found, teller))
        except KeyboardInterrupt:
            interrupted = True
    good = sum(one.verdict is Verdict.FITS for one in found)
    if as_json:
        facts = {"site": site.id, "complete": not interrupted, "devices": [one.facts() for one in found]}
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        click.echo(f"{'stopped; ' * interrupted}{good} of {len(devices)} as the site says; nothing was written")
    return INTERRUPTED if interrupted else DONE if good == len(devices) else WRONG


def _meant(site: Site, name: str) -> list[Device]:
    """The device, the devices of the bus, or all; exit code 1 for another name."""
    from controller.cli.targets import unknown

    if name in site.devices:
        return [site.devices[name]]
    devices = [device for device in site.devices.values() if name in (device.bus, ALL)]
    if name != ALL and name not in site.buses:
        raise unknown(name, [*site.devices, *site.buses, ALL])
    if not devices:
        raise click.ClickException(f"{name} has no devices")
    return devices


async def _compare(
    site: Site, devices: Sequence[Device], timeout_s: float | None, found: list[Compared], teller: Teller
) -> None:
    """Bus by bus; ``found`` grows as it goes."""
    for bus in dict.fromkeys(device.bus for device in devices):
        members = [device for device in devices if device.bus == bus]
        settings = site.buses[bus].settings
        if timeout_s is not None:
            settings = settings.model_copy(update={"timeout_s": timeout_s})
        comparing = (
            _modbus_bus(site.directory, settings, members)
            if isinstance(settings, ModbusBus)
            else _bacnet_bus(settings, members, teller)
        )
        async with aclosing(comparing) as several:
            async for one in several:
                found.append(one)
                teller.say(one.lines())
                teller.at(len(found), len(devices), one.id)


async def _modbus_bus(
    directory: Path, settings: ModbusBus, members: Sequence[Device]
) -> AsyncGenerator[Compared, None]:
    sharing: dict[End, list[tuple[Device, ModbusDevice]]] = {}
    for device in members:
        assert isinstance(device.settings, ModbusDevice)  # noqa: S101 - the site's loader saw to it
        own = BusDevice(device.id, device.settings, device.profile, device.points)
        end = end_of(settings, own, directory)
        sharing.setdefault(end, []).append((device, device.settings))
    for end, together in sharing.items():
        reader = ModbusReader(end, settings.timeout_s)
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


async def _modbus_device(reader: ModbusReader, device: Device, unit: int, where: str) -> Compared:
    points = [point for name in device.points if isinstance(point := device.profile.points[name], ModbusPoint)]
    values: list[Value] = []
    async with aclosing(reader.values(unit, points, device.profile.modbus)) as parts:
        async for part in parts:
            values += part
    identity = await reader.identity(unit)
    words = list(identity.values())
    like = Likeness(device.profile, tuple(values), named(device.profile, words))
    other = "" if like.named else _named_otherwise(words)
    against = [*([f"it names itself like {other}, the site says {device.profile.id}"] if other else []), *_odd(values)]
    return _judged(device.id, where, said(identity), like, against)


def _named_otherwise(words: Sequence[str]) -> str:
    """Another shipped profile whose model the device names."""
    return next((name for name, profile in _shipped().items() if named(profile, words)), "")


@cache
def _shipped() -> Mapping[str, Profile]:
    return load_profiles()


async def _bacnet_bus(settings: BacnetBus, members: Sequence[Device], teller: Teller) -> AsyncGenerator[Compared, None]:
    its = {device.id: device.settings for device in members}
    looked_for = any(isinstance(one, BacnetDevice) and one.looked_for for one in its.values())
    try:
        async with _bacnet_reader(settings, teller, hears_broadcasts=looked_for) as reader:
            for device in members:
                one = its[device.id]
                assert isinstance(one, BacnetDevice)  # noqa: S101 - the site's loader saw to it
                where = f"BACnet {one.address or 'looked for'} device {one.instance}, {device.profile.id}"
                try:
                    yield await _bacnet_device(reader, device, one, where)
                except DriverError as error:
                    yield Compared(device.id, where, Verdict.SILENT, against=(error.cause,))
    except BindFailed as error:
        for device in members:
            yield Compared(device.id, f"BACnet, {device.profile.id}", Verdict.SILENT, against=(error.cause,))


@asynccontextmanager
async def _bacnet_reader(settings: BacnetBus, teller: Teller, *, hears_broadcasts: bool) -> AsyncIterator[BacnetReader]:
    """At the site's own address, or beside it where the daemon has that one: devices answer to any port."""
    reader = BacnetReader(settings, hears_broadcasts=hears_broadcasts)
    try:
        await reader.open()
    except BindFailed:
        if hears_broadcasts:
            raise
        interface, _, taken = settings.address.partition(":")
        port = free_port(interface.partition("/")[0])
        teller.say([f"port {taken} is taken, by the daemon? Asking from {port}"])
        reader = BacnetReader(settings.model_copy(update={"address": f"{interface}:{port}"}))
        await reader.open()
    try:
        yield reader
    finally:
        await reader.close()


async def _bacnet_device(reader: BacnetReader, device: Device, its: BacnetDevice, where: str) -> Compared:
    address = its.address or await _looked_for(reader, its.instance)
    if its.station is not None and its.router is not None:
        reader.route(its.station.network, its.router)
    peer = Peer(address)
    instance = await reader.instance(peer)
    if instance != its.instance:
        return Compared(device.id, where, Verdict.WRONG, against=(f"device {instance} answers there",))
    about = await reader.about(peer, instance)
    points = polling.resolve(device.id, device.profile.points, device.points).values()
    refs = [ref for point in points for ref in (point.value, point.array) if ref is not None]
    answers = await reader.gather(peer, list(dict.fromkeys(refs)))
    values = [_value(point, answers[point.value]) for point in points]
    arrays = {point.profile.name: answers[point.array] for point in points if point.array is not None}
    says = ", ".join(filter(None, (about.name, about.vendor, about.model, about.firmware)))
    like = Likeness(device.profile, tuple(values))
    against = [*_odd(values), *_without_array(arrays)]
    return _judged(device.id, where, says, like, against, _hands(arrays))


def _value(point: polling.Point, answer: Atoms | Refused) -> Value:
    if isinstance(answer, Refused):
        return Value(point.profile, None, answer.cause)
    try:
        return Value(point.profile, number(answer))
    except Undecodable as error:
        return Value(point.profile, None, str(error))


def _without_array(arrays: Mapping[str, Atoms | Refused]) -> list[str]:
    """Points that their profile calls commandable and that are not."""
    return [
        f"{name} has no priority array: commandable: false and restore are for it"
        for name, array in arrays.items()
        if isinstance(array, Refused)
    ]


def _hands(arrays: Mapping[str, Atoms | Refused]) -> list[str]:
    """Points that somebody at the device holds: whatever is commanded there stays without effect."""
    notes: list[str] = []
    for name, array in arrays.items():
        try:
            held = () if isinstance(array, Refused) else slots(array)
        except Undecodable:
            continue
        notes += [f"{name} is held by hand (priority 8) at {value:.5g}" for at, value in held if at == BY_HAND]
    return notes


async def _looked_for(reader: BacnetReader, instance: int) -> str:
    async for one in reader.sweep(instance, instance, _ANSWERS_S):
        return one.address
    raise NoAnswer(f"no device {instance} answers a Who-Is")


def _odd(values: Sequence[Value]) -> list[str]:
    """What contradicts a profile, a sentence each."""
    odd = [f"{value.point.name} is {value}: not plausible" for value in values if value.sight is Sight.ODD]
    return odd + [f"{value.point.name}: {value.refused}" for value in values if value.refused]


def _judged(
    name: str, where: str, says: str, like: Likeness, against: Sequence[str], notes: Sequence[str] = ()
) -> Compared:
    verdict = Verdict.ODD if against else Verdict.FITS
    return Compared(name, where, verdict, says, tuple(against), tuple(notes), like)
