"""The small town on a real wire: its cabinets and its school simulated on the loopback, a bus each or one for both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from config.site import BacnetBus, BacnetDevice, Bus, ModbusBus, ModbusDevice, Site
from sim.run import TownServer
from tests.controller.towns import town
from tests.ports import free_port

T = TypeVar("T")


def modbus(name: str, port: int, timeout_s: float = 0.2) -> Bus:
    """A Modbus bus behind one TCP port of the loopback."""
    return Bus(name, "modbus", ModbusBus(driver="modbus", tcp=f"127.0.0.1:{port}", timeout_s=timeout_s))


def wired_town(*, shared: bool = False) -> Site:
    """Cabinets ``cab-mairie`` (unit 1) and ``cab-gare`` (unit 2) on the buses ``mairie`` and ``gare``, or both on the
    first; the school on ``gtb``. All ports are free ones."""
    base = town()
    gtb = BacnetBus(driver="bacnet", address=f"127.0.0.1/32:{free_port()}", timeout_s=0.2, retries=0)
    school = BacnetDevice(address=f"127.0.0.1:{free_port()}", instance=1201)
    buses = [modbus("mairie", free_port()), modbus("gare", free_port()), Bus("gtb", "bacnet", gtb)]
    gare = "mairie" if shared else "gare"
    devices = [
        replace(base.devices["cab-mairie"], bus="mairie", settings=ModbusDevice(unit=1)),
        replace(base.devices["cab-gare"], bus=gare, settings=ModbusDevice(unit=2)),
        replace(base.devices["ecole"], settings=school),
    ]
    used = {device.bus for device in devices}
    return replace(
        base,
        buses={bus.id: bus for bus in buses if bus.id in used},
        devices={device.id: device for device in devices},
    )


@asynccontextmanager
async def simulated(site: Site) -> AsyncIterator[TownServer]:
    """The site's devices on the wire; break them with ``server.control.obey``."""
    server = TownServer(site, now=lambda: datetime.now(UTC))
    await server.start()
    stepping = asyncio.create_task(server.run())
    try:
        yield server
    finally:
        server.leave()
        await stepping
        await server.stop()


async def eventually(found: Callable[[], T | None], within_s: float = 5.0) -> T:
    """What ``found`` gives as soon as it gives something. TimeoutError when it does not in time."""
    async with asyncio.timeout(within_s):
        while not (result := found()):  # noqa: ASYNC110  what a wire shows tells nobody
            await asyncio.sleep(0.01)
    return result
