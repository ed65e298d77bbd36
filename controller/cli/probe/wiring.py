"""A written site compared with what is wired: which devices are meant, bus by bus, and the sum."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.exits import DONE, INTERRUPTED, WRONG
from controller.cli.probe.compared import Compared, Verdict
from controller.cli.probe.progress import Teller
from controller.cli.probe.wired_bacnet import bacnet_bus
from controller.cli.probe.wired_modbus import modbus_bus
from controller.cli.targets import loaded, unknown
from drivers.modbus.settings import ModbusBus, ModbusDevice

if TYPE_CHECKING:
    from config.site import Device, Site

ALL = "all"


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
    if name in site.devices:
        return [site.devices[name]]
    devices = [device for device in site.devices.values() if name in (device.bus, ALL)]
    if name != ALL and name not in site.buses:
        raise unknown(name, [*site.devices, *site.buses, ALL])
    if not devices:
        raise click.ClickException(f"{name} has no devices")
    return devices


def _patient(device: Device, timeout_s: float) -> Device:
    """With ``timeout_s`` where the device has one of its own."""
    if isinstance(device.settings, ModbusDevice):
        return device
    return replace(device, settings=device.settings.model_copy(update={"timeout_s": timeout_s}))


async def _compare(
    site: Site, devices: Sequence[Device], timeout_s: float | None, found: list[Compared], teller: Teller
) -> None:
    """Bus by bus; ``found`` grows as it goes."""
    for bus in dict.fromkeys(device.bus for device in devices):
        members = [device for device in devices if device.bus == bus]
        settings = site.buses[bus].settings
        if timeout_s is not None:
            settings = settings.model_copy(update={"timeout_s": timeout_s})
            members = [_patient(device, timeout_s) for device in members]
        comparing = (
            modbus_bus(site.directory, settings, members)
            if isinstance(settings, ModbusBus)
            else bacnet_bus(settings, members, teller)
        )
        async with aclosing(comparing) as several:
            async for one in several:
                found.append(one)
                teller.say(one.lines())
                teller.at(len(found), len(devices), one.id)
