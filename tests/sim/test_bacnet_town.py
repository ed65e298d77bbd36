"""A town's BACnet network on the wire, met by the real driver: routers, a BBMD, doubles, clocks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from config.site import BacnetBus, BacnetDevice, Bus, Site
from drivers.api import Driver, Host, Notice, Outcome, PointId, Reading, Write
from drivers.bacnet import clock as driver_clock
from drivers.bacnet import identity
from drivers.bacnet.discovery import sweep, who_is
from drivers.bacnet.driver import BacnetDriver, build
from drivers.profile_file import load_profile, shipped_profiles
from drivers.registry import BusDevice
from sim.run import CannotStart, TownServer
from tests.drivers.bacnet_wire import Ear
from tests.ports import free_port
from tests.sim.towns import Ticking, bacnet_device, site, zone

POINT = "zone.1.temperature"


def places(bus: Mapping[str, object], **devices: Mapping[str, object]) -> Site:
    """Heating controllers of one zone at ``devices``, on a bus of these keys."""
    own = f"127.0.0.1/32:{free_port()}"
    settings = BacnetBus.model_validate({"driver": "bacnet", "address": own, "timeout_s": 0.5, **bus})
    kind = load_profile(shipped_profiles()["generic-heating"])
    made = {}
    for number, (name, where) in enumerate(devices.items()):
        base = bacnet_device(name, 1, 1201 + number, kind)
        place = BacnetDevice.model_validate({"instance": 1201 + number, **where})
        made[name] = replace(base, settings=place)
    zones = {f"b.{name}": zone(f"b.{name}", "b", name, 1) for name in made}
    return site(Path(), buses={"gtb": Bus("gtb", "bacnet", settings)}, devices=made, zones=zones)


@asynccontextmanager
async def town(of: Site) -> AsyncIterator[tuple[TownServer, BacnetDriver, Ear, Ticking]]:
    """The town running, and the driver that polls one point of each of its devices."""
    clock, ear = Ticking(), Ear()
    server = TownServer(of, now=clock)
    await server.start()
    task = asyncio.create_task(server.run())
    devices = [BusDevice(d.id, d.settings, d.profile, (POINT, "zone.1.setpoint")) for d in of.devices.values()]
    settings = of.buses["gtb"].settings
    assert isinstance(settings, BacnetBus)
    driver = build("gtb", settings, devices, Host(clock, Path(), hear=ear))
    assert isinstance(driver, BacnetDriver)
    await driver.open()
    try:
        yield server, driver, ear, clock
    finally:
        await driver.close()
        server.leave()
        await task
        await server.stop()


async def read(driver: Driver, device: str) -> list[float]:
    """The values of its first poll."""
    seen = await driver.read(driver.polls[device][0])
    assert all(isinstance(one, Reading) for one in seen)
    return [one.value for one in seen if isinstance(one, Reading)]


def order(device: str, value: float) -> list[Write]:
    """A setpoint."""
    return [Write(PointId(device, "zone.1.setpoint"), value)]


async def test_devices_behind_a_router() -> None:
    via = f"127.0.0.1:{free_port()}"
    behind = {"a": {"address": "2001:17", "via": via}, "b": {"address": "2001:0x12", "via": via}}
    async with town(places({}, **behind, c={"address": "2002:10.0.0.9", "via": via})) as (server, driver, _, _):
        for device in ("a", "b", "c"):
            assert 10.0 < (await read(driver, device))[0] < 20.0
            (result,) = await driver.write(order(device, 21.0))
            assert result.outcome is Outcome.APPLIED
        assert {lane.name for lane in driver.lanes} == {"gtb/net-2001", "gtb/net-2002"}
        found = await who_is(driver._client, 0, 2000, target="2001", wait_s=0.2)
        assert [(one.instance, one.address, one.max_apdu) for one in found] == [
            (1201, "2001:17", 480),
            (1202, "2001:18", 480),
        ]
        server.control.obey("fault a silence")
        assert 10.0 < (await read(driver, "b"))[0] < 20.0


async def test_a_foreign_device_finds_everybody_and_a_device_without_an_address() -> None:
    via = f"127.0.0.1:{free_port()}"
    foreign = {"foreign": {"bbmd": f"127.0.0.1:{free_port()}", "ttl": "60s"}}
    here = {"address": f"127.0.0.1:{free_port()}"}
    devices = {"a": here, "b": {"address": "2001:17", "via": via}, "c": {"address": "auto"}}
    async with town(places(foreign, **devices)) as (_, driver, ear, _):
        assert 10.0 < (await read(driver, "c"))[0] < 20.0
        found = [one async for one in sweep(driver._client, (0, 3000), wait_s=0.2)]
        assert sorted(one.instance for one in found) == [1201, 1202, 1203]
        assert ear.heard.empty(), "registered"


async def test_a_double_stops_every_write_until_it_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "BETWEEN_QUESTIONS_S", 0.0)
    monkeypatch.setattr(identity, "RECHECK_S", 0.0)
    async with town(places({}, a={"address": f"127.0.0.1:{free_port()}"})) as (server, driver, ear, _):
        assert (await driver.write(order("a", 21.0)))[0].outcome is Outcome.APPLIED
        assert server.control.obey("fault a double")["ok"] is True
        notice = await _told(driver, ear)
        assert (notice.event, notice.holds) == ("duplicateInstance", True)
        assert (await driver.write(order("a", 22.0)))[0].outcome is Outcome.REJECTED
        server.control.obey("clear a double")
        assert (await _told(driver, ear)).holds is False
        assert (await driver.write(order("a", 22.0)))[0].outcome is Outcome.APPLIED


@pytest.mark.parametrize("time_sync", [False, True])
async def test_a_clock_an_hour_off_is_told_and_set_where_asked(
    time_sync: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRST_S", "AGAIN_S", "AFTER_SYNC_S"):
        monkeypatch.setattr(driver_clock, name, 0.0)
    bus = {"timezone": "Europe/Paris", "time_sync": time_sync}
    async with town(places(bus, a={"address": f"127.0.0.1:{free_port()}"})) as (server, driver, ear, clock):
        assert server.control.obey("fault a clock 3600")["ok"] is True
        await read(driver, "a")
        await read(driver, "a")
        if time_sync:
            assert ear.heard.empty()
            return
        notice = await ear.notice()
        assert (notice.event, notice.holds, notice.value) == ("clockError", True, 3600.0)
        assert "one hour fast" in notice.detail
        server.control.obey("clear a clock")
        clock.pass_s(timedelta(minutes=1).total_seconds())
        while ear.heard.empty() or (await ear.notice()).holds:
            await read(driver, "a")


async def test_a_station_is_taken_once() -> None:
    via = f"127.0.0.1:{free_port()}"
    twice = {"address": "2001:17", "via": via}
    with pytest.raises(CannotStart, match="MAC 0x11 of network 2001 is taken"):
        TownServer(places({}, a=twice, b=twice), now=Ticking())
    with pytest.raises(CannotStart, match="the simulator needs via"):
        TownServer(places({}, a={"address": "2001:17"}), now=Ticking())


async def _told(driver: Driver, ear: Ear) -> Notice:
    """The next notice, polling meanwhile."""
    async with asyncio.timeout(4.0):
        while ear.heard.empty():
            await read(driver, "a")
            await asyncio.sleep(0.02)
    return await ear.notice()
