"""A look at a BACnet network, or at one device of it: who is there, and what its objects hold."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from controller.cli.exits import DONE, INTERRUPTED, WRONG
from controller.cli.probe.device import HEADER, BacnetDevice, object_line
from controller.cli.probe.fragment import save
from controller.cli.probe.listed import bacnet_fragment, check_profile_path, drafted
from controller.cli.probe.progress import Teller
from drivers.api import BadAnswer, BindFailed, Busy, DriverError
from drivers.bacnet.addresses import DEFAULT_PORT
from drivers.bacnet.browse import About, SeenObject
from drivers.bacnet.client import Peer
from drivers.bacnet.codec import ObjectId
from drivers.bacnet.reader import Reader
from drivers.bacnet.settings import BacnetBus

_ANSWERS_S = 2.0
"""How long answers to a Who-Is are waited for."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked; ``own`` None: our own address is the one that leads to the device."""

    text: str
    own: str | None
    low: int
    high: int
    objects: bool
    timeout_s: float
    save: Path | None
    as_json: bool


class Seen:
    """What was found so far; it is there when somebody interrupts."""

    def __init__(self, wish: Wish, teller: Teller) -> None:
        self.wish = wish
        self.devices: list[BacnetDevice] = []
        self._teller = teller

    async def network(self) -> None:
        """Who is there, then who each of them is. Raises BindFailed."""
        assert self.wish.own is not None  # noqa: S101 - a network is named by our own address
        reader = await opened(self.wish.own, self.wish.timeout_s, hears_broadcasts=True)
        try:
            found = []
            low, high = self.wish.low, self.wish.high
            self._teller.at(0, high - low + 1, "Who-Is")
            async for one in reader.sweep(low, high, _ANSWERS_S):
                found.append(one)
                self._teller.at(one.instance - low, high - low + 1, f"Who-Is, {len(found)} found")
            for step, one in enumerate(sorted(found, key=lambda each: each.instance)):
                self._teller.at(step, len(found), f"device {one.instance}")
                await self._device(reader, one.address, one.instance, objects=self.wish.objects)
        finally:
            await reader.close()

    async def station(self, address: str) -> None:
        """One device with all of its objects. Raises DriverError where it does not answer."""
        reader = await _reader_toward(address, self.wish, self._teller)
        try:
            instance = await reader.instance(Peer(address))
            await self._device(reader, address, instance, objects=True)
        finally:
            await reader.close()

    async def _device(self, reader: Reader, address: str, instance: int, *, objects: bool) -> None:
        device = BacnetDevice(address, About(instance))
        self.devices.append(device)
        peer = Peer(address)
        try:
            device.about = await reader.about(peer, instance)
            self._teller.say(device.head())
            listed = await reader.objects(peer, instance)
            device.listed = len(listed)
            self._teller.say([f"  {len(listed)} objects"])
            if objects and listed:
                self._teller.say([HEADER])
                for step, each in enumerate(listed):
                    self._teller.at(step, len(listed), f"device {instance}, object {step + 1}")
                    device.objects.append(await _object(reader, peer, each))
                    self._teller.say([object_line(device.objects[-1])])
        except DriverError as error:
            device.trouble = error.cause
            self._teller.say([f"device {instance} at {address}: {error.cause}"])


async def _object(reader: Reader, peer: Peer, object_: ObjectId) -> SeenObject:
    """One object that answers strangely does not end the list. Raises NoAnswer, NotConnected."""
    try:
        return await reader.object(peer, object_)
    except (BadAnswer, Busy) as error:
        return SeenObject(object_, cause=error.cause)


def probe_network(wish: Wish) -> int:
    """Ask, tell, save; the exit code."""
    with Teller(quiet=wish.as_json) as teller:
        seen = Seen(wish, teller)
        teller.say([f"BACnet network of {wish.own}, devices {wish.low} to {wish.high}"])
        trouble, interrupted = _run(seen.network())
    text = bacnet_fragment(wish.text, str(wish.own), seen.devices) if wish.save and seen.devices else ""
    return _end(seen, trouble, text, interrupted=interrupted)


def probe_station(wish: Wish, address: str) -> int:
    """Ask, tell, save; the exit code."""
    if wish.save is not None:
        check_profile_path(wish.save)
    with Teller(quiet=wish.as_json) as teller:
        seen = Seen(wish, teller)
        trouble, interrupted = _run(seen.station(address))
    text = ""
    if wish.save is not None and seen.devices and seen.devices[0].objects:
        text = drafted(wish.save, seen.devices[0])
    return _end(seen, trouble, text, interrupted=interrupted)


async def opened(own: str, timeout_s: float, *, hears_broadcasts: bool = False) -> Reader:
    """A reader bound to ``own``. Raises BindFailed."""
    settings = BacnetBus(driver="bacnet", address=own, timeout_s=timeout_s)
    reader = Reader(settings, hears_broadcasts=hears_broadcasts)
    try:
        await reader.open()
    except BindFailed as error:
        taken = "in use" in error.cause
        hint = "a daemon on this machine has it? Stop it meanwhile" if taken else "is it this machine's own address?"
        raise BindFailed(f"{error.cause}; {hint}") from error
    return reader


async def _reader_toward(address: str, wish: Wish, teller: Teller) -> Reader:
    """Bound to the address that leads to the device, at the usual port or, where that is taken, at any."""
    if wish.own is not None:
        return await opened(wish.own, wish.timeout_s)
    own = own_toward(address)
    try:
        return await opened(f"{own}/32:{DEFAULT_PORT}", wish.timeout_s)
    except BindFailed:
        port = free_port(own)
        teller.say([f"port {DEFAULT_PORT} is taken here, asking from {port}"])
        return await opened(f"{own}/32:{port}", wish.timeout_s)


def own_toward(address: str) -> str:
    """Which of this machine's addresses leads to ``address``. Raises BindFailed where none does."""
    host, _, port = address.partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        try:
            way.connect((host, int(port)))
        except OSError as error:
            raise BindFailed(f"no way to {address}: {(error.strerror or str(error)).lower()}") from error
        return str(way.getsockname()[0])


def free_port(own: str) -> int:
    """A UDP port that nobody has now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_port:
        any_port.bind((own, 0))
        return int(any_port.getsockname()[1])


def _run(look: Coroutine[object, object, None]) -> tuple[str, bool]:
    """Why it ended early, if it did, and whether by Ctrl-C."""
    try:
        asyncio.run(look)
    except DriverError as error:
        return error.cause, False
    except KeyboardInterrupt:
        return "", True
    return "", False


def _end(seen: Seen, trouble: str, text: str, *, interrupted: bool) -> int:
    wish, devices = seen.wish, seen.devices
    broken = bool(trouble) or not devices or all(device.trouble for device in devices)
    code = INTERRUPTED if interrupted else WRONG if broken else DONE
    saved = save(wish.save, text) if wish.save is not None and text else ""
    if wish.as_json:
        facts = {
            "target": wish.text,
            "protocol": "bacnet",
            "complete": not (interrupted or trouble),
            "error": trouble or None,
            "devices": [device.facts() for device in devices],
        }
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return code
    if trouble:
        click.echo(f"Error: {wish.text}: {trouble}", err=True)
    elif interrupted:
        click.echo(f"stopped; {_counted(devices)}")
    else:
        click.echo(_summary(devices))
    if saved:
        click.echo(saved)
    return code


def _summary(devices: Sequence[BacnetDevice]) -> str:
    if not devices:
        return "nobody answers. Right network and mask? Behind a router or BBMD a broadcast does not get through"
    return _counted(devices)


def _counted(devices: Sequence[BacnetDevice]) -> str:
    objects = sum(len(device.objects) for device in devices)
    counted = "1 device" if len(devices) == 1 else f"{len(devices)} devices"
    return f"{counted}{f', {objects} objects' if objects else ''}; nothing was written"
