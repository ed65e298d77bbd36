"""The BACnet devices of a site, each asked at its place as its profile says."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from controller.cli.probe.compared import Compared, Verdict, judged, odd
from controller.cli.probe.device import BY_HAND
from controller.cli.probe.network import free_port
from controller.cli.probe.progress import Teller
from drivers.api import BindFailed, DriverError, NoAnswer, Refused
from drivers.bacnet import polling
from drivers.bacnet.client import Peer
from drivers.bacnet.codec import Atoms, Undecodable, number, slots
from drivers.bacnet.reader import Reader
from drivers.bacnet.settings import BacnetBus, BacnetDevice
from drivers.likeness import Likeness, Value

if TYPE_CHECKING:
    from config.site import Device

_ANSWERS_S = 2.0


async def bacnet_bus(settings: BacnetBus, members: Sequence[Device], teller: Teller) -> AsyncGenerator[Compared, None]:
    """Each device of a BACnet bus as it answers; where the bus itself cannot be opened, all are silent."""
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
async def _bacnet_reader(settings: BacnetBus, teller: Teller, *, hears_broadcasts: bool) -> AsyncIterator[Reader]:
    """At the site's own address, or beside it where the daemon has that one: devices answer to any port."""
    reader = Reader(settings, hears_broadcasts=hears_broadcasts)
    try:
        await reader.open()
    except BindFailed:
        if hears_broadcasts:
            raise
        interface, _, taken = settings.address.partition(":")
        port = free_port(interface.partition("/")[0])
        teller.say([f"port {taken} is taken, by the daemon? Asking from {port}"])
        reader = Reader(settings.model_copy(update={"address": f"{interface}:{port}"}))
        await reader.open()
    try:
        yield reader
    finally:
        await reader.close()


async def _bacnet_device(reader: Reader, device: Device, its: BacnetDevice, where: str) -> Compared:
    address = its.address or await _looked_for(reader, its.instance)
    if its.station is not None and its.router is not None:
        reader.route(its.station.network, its.router)
    peer = Peer(address, its.timeout_s, its.retries)
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
    against = [*odd(values), *_without_array(arrays)]
    return judged(device.id, where, says, like, against, _hands(arrays))


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


async def _looked_for(reader: Reader, instance: int) -> str:
    async for one in reader.sweep(instance, instance, _ANSWERS_S):
        return one.address
    raise NoAnswer(f"no device {instance} answers a Who-Is")
