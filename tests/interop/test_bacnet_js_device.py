"""Our BACnet driver against a device on @bacnet-js/client (Node): read, write at both priorities, relinquish, COV."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from drivers.api import Driver, Fault, Host, Observation, Outcome, PointId, Reading, Refused, Write, WriteResult
from drivers.bacnet.settings import BacnetBus, BacnetDevice
from drivers.profile import BacnetPoint, Profile
from drivers.registry import DRIVERS, BusDevice
from tests.interop.station import DEADLINE_S, Stranger, node, stranger
from tests.ports import free_port

pytestmark = pytest.mark.interop

NOW = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
INSTANCE = 1201
SETPOINT = "2,1"
POINTS = [
    BacnetPoint("zone.1.temperature", "analog-input,1", unit="degC"),
    BacnetPoint("zone.1.setpoint", "analog-value,1", writable=True, commandable=True, minimum=5, maximum=30),
    BacnetPoint("boiler.curve", "analog-value,2", writable=True, restore=45.0),
    BacnetPoint("boiler.status", "binary-value,1", writable=True),
    BacnetPoint("boiler.mode", "multi-state-value,1", writable=True),
    BacnetPoint("outdoor.temperature", "analog-input,9"),
    BacnetPoint("zone.1.heating", "analog-input,1", writable=True),
]


@dataclass
class Rig:
    """The driver, the device's process, and what the driver reports by itself."""

    driver: Driver
    device: Stranger
    reports: asyncio.Queue[Observation]

    async def reported(self) -> tuple[str, float]:
        """The next reading that nobody asked for."""
        heard = await asyncio.wait_for(self.reports.get(), DEADLINE_S)
        assert isinstance(heard, Reading), heard
        return heard.point.point, heard.value

    async def read(self) -> dict[str, Reading | Fault]:
        """Every point."""
        seen = [o for poll in self.driver.polls["d"] for o in await self.driver.read(poll)]
        return {o.point.point: o for o in seen}

    async def value(self, point: str) -> float:
        """A point's value; fails the test on a fault."""
        found = (await self.read())[point]
        assert isinstance(found, Reading), found
        return found.value

    async def change(self, line: str) -> None:
        """Change a value inside the device."""
        await self.device.hears(line)
        await self.device.says("heard")

    async def write(self, point: str, value: float | None, priority: int = 13) -> WriteResult:
        """One write."""
        [result] = await self.driver.write([Write(PointId("d", point), value, priority)])
        return result


@asynccontextmanager
async def rigged(
    instance: int = INSTANCE, points: Sequence[BacnetPoint] = POINTS, *, confirmed: bool = False
) -> AsyncIterator[Rig]:
    """The driver expects device 1201; ``instance`` is what answers."""
    port = free_port()
    async with stranger(*node("bacnet_device.js", port, instance)) as device:
        await device.says("ready")
        profile = Profile("all", "", "bacnet", "stranger", date(2026, 11, 24), {p.name: p for p in points})
        settings = BacnetDevice(address=f"127.0.0.1:{port}", instance=INSTANCE)
        attached = BusDevice("d", settings, profile, tuple(profile.points))
        bus = BacnetBus.model_validate(
            {"driver": "bacnet", "address": f"127.0.0.1/24:{free_port()}", "timeout_s": 1.0, "cov_confirmed": confirmed}
        )
        reports: asyncio.Queue[Observation] = asyncio.Queue()

        def hear(seen: Sequence[Observation]) -> None:
            for each in seen:
                reports.put_nowait(each)

        host = Host(lambda: NOW, Path(), hear=hear)
        driver = DRIVERS["bacnet"].build("gtb", bus, [attached], host)
        await driver.open()
        try:
            yield Rig(driver, device, reports)
        finally:
            await driver.close()


async def test_every_type_is_read_and_what_is_not_there_is_a_fault() -> None:
    async with rigged() as rig:
        seen = await rig.read()
        values = {name: o.value for name, o in seen.items() if isinstance(o, Reading)}
        assert values == {
            "zone.1.temperature": 21.5,
            "zone.1.setpoint": 16.0,
            "boiler.curve": 45.0,
            "boiler.status": 1.0,
            "boiler.mode": 3.0,
            "zone.1.heating": 21.5,
        }
        missing = seen["outdoor.temperature"]
        assert isinstance(missing, Fault)
        assert missing.cause == "object: unknown-object"
        await rig.change("set 0,1 19.25")
        assert await rig.value("zone.1.temperature") == 19.25


async def test_a_commandable_point_is_held_at_both_priorities_and_given_back() -> None:
    async with rigged() as rig:
        assert (await rig.write("zone.1.setpoint", 20.5)).outcome is Outcome.APPLIED
        assert await rig.device.says("wrote") == f"{SETPOINT} 20.5 13"
        assert (await rig.write("zone.1.setpoint", 18.0, priority=10)).outcome is Outcome.APPLIED
        assert await rig.device.says("wrote") == f"{SETPOINT} 18 10"
        held = (await rig.read())["zone.1.setpoint"]
        assert isinstance(held, Reading)
        assert (held.value, held.slots) == (18.0, ((10, 18.0), (13, 20.5)))
        assert (await rig.write("zone.1.setpoint", None, priority=10)).outcome is Outcome.APPLIED
        assert await rig.device.says("wrote") == f"{SETPOINT} null 10"
        assert await rig.value("zone.1.setpoint") == 20.5
        assert (await rig.write("zone.1.setpoint", None)).outcome is Outcome.APPLIED
        assert await rig.value("zone.1.setpoint") == 16.0


async def test_the_hand_of_the_bms_masks_a_write() -> None:
    async with rigged() as rig:
        await rig.change("slot 2,1 8 23.5")
        result = await rig.write("zone.1.setpoint", 19.0)
        assert (result.outcome, result.masked_by) == (Outcome.MASKED, 8)
        assert result.observed is not None
        assert result.observed.slots == ((8, 23.5), (13, 19.0))


@pytest.mark.parametrize(
    ("point", "value", "wire"),
    [("boiler.curve", 52.5, "2,2 52.5"), ("boiler.status", 0.0, "5,1 0"), ("boiler.mode", 2.0, "19,1 2")],
)
async def test_points_without_a_priority_array_are_written(point: str, value: float, wire: str) -> None:
    async with rigged() as rig:
        assert (await rig.write(point, value)).outcome is Outcome.APPLIED
        assert await rig.device.says("wrote") == f"{wire} 16"
        assert await rig.value(point) == value


async def test_a_refusal_is_a_result() -> None:
    async with rigged() as rig:
        result = await rig.write("zone.1.heating", 50.0)
        assert (result.outcome, result.detail) == (Outcome.REJECTED, "property: write-access-denied")


async def test_another_instance_at_the_address_is_never_written() -> None:
    async with rigged(instance=1299) as rig:
        with pytest.raises(Refused, match="expected device 1201"):
            await rig.read()
        assert (await rig.write("boiler.curve", 60.0)).outcome is Outcome.REJECTED


@pytest.mark.parametrize("confirmed", [False, True])
async def test_changes_are_reported_and_no_longer_after_the_end(confirmed: bool) -> None:
    told = "acknowledged" if confirmed else "told"
    points = [replace(POINTS[0], cov_s=600.0)]
    async with rigged(points=points, confirmed=confirmed) as rig:
        await rig.read()
        key, process, how, lifetime = (await rig.device.says("subscribed")).split()
        assert (key, how, lifetime) == ("0,1", str(confirmed).lower(), "300")
        assert await rig.device.says(told) == "0,1"
        assert await rig.reported() == ("zone.1.temperature", 21.5)
        await rig.change("set 0,1 19.25")
        assert await rig.device.says(told) == "0,1"
        assert await rig.reported() == ("zone.1.temperature", 19.25)
        await rig.driver.close()
        assert await rig.device.says("cancelled") == f"0,1 {process}"
