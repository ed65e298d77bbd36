"""All buses of a site on the real wire: what a reload restarts, and a bus that cannot be opened."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

import controller.buses
from config.site import BacnetBus, Bus, ModbusDevice, Site
from controller.buses import Buses
from controller.clock import Clock
from drivers.api import Forgetful, Outcome, PointId, Reading, Silence, Write, WriteResult
from sim.modbus_face import ModbusTcpFace
from sim.run import TownServer
from tests.controller.wire import eventually, modbus, simulated, wired_town
from tests.ports import free_port

CLOCK = Clock()


class Southbound:
    """The buses at work and everything they said."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.buses = Buses(CLOCK, self._hear, Forgetful())

    def _hear(self, items: Sequence[object]) -> None:
        self.heard.extend(items)

    def reading(self, device: str) -> list[Reading]:
        return [item for item in self.heard if isinstance(item, Reading) and item.point.device == device]

    def silences(self, device: str) -> list[Silence]:
        return [item for item in self.heard if isinstance(item, Silence) and item.device == device]

    def result(self, point: str) -> WriteResult | None:
        found = (item for item in self.heard if isinstance(item, WriteResult) and item.write.point.point == point)
        return next(found, None)


class Over(Exception):
    """Ends the task group, as the daemon's Shutdown does."""


@asynccontextmanager
async def southbound() -> AsyncIterator[tuple[Southbound, asyncio.TaskGroup]]:
    """Buses, and the task group that owns their tasks."""
    south = Southbound()
    with contextlib.suppress(Over):
        try:
            async with asyncio.TaskGroup() as tasks:
                yield south, tasks
                raise Over
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None


def connections(server: TownServer, port: int) -> list[int]:
    """The client ports of the connections that a simulated endpoint has now."""
    (face,) = [face for face in server._faces if isinstance(face, ModbusTcpFace) and face.port == port]
    transports = [connection._transport for connection in face._connections]
    return sorted(transport.get_extra_info("peername")[1] for transport in transports if transport is not None)


def port_of(site: Site, bus: str) -> int:
    settings = site.buses[bus].settings
    assert not isinstance(settings, BacnetBus)
    assert settings.tcp is not None
    return int(settings.tcp.rpartition(":")[2])


def moved(site: Site, bus: str, port: int) -> Site:
    """The site after one of its buses got another port."""
    return replace(site, buses={**site.buses, bus: modbus(bus, port)})


async def test_every_device_of_every_bus_is_heard() -> None:
    site = wired_town()
    async with simulated(site), southbound() as (south, tasks):
        assert south.buses.start(tasks, site) == ["gare", "gtb", "mairie"]
        await eventually(lambda: all(south.reading(device) for device in site.devices))
        assert not [device for device in site.devices if south.silences(device)]


async def test_writes_reach_the_bus_of_their_device() -> None:
    site = wired_town()
    async with simulated(site) as server, southbound() as (south, tasks):
        south.buses.start(tasks, site)
        await eventually(lambda: all(south.reading(device) for device in site.devices))
        south.buses.put(
            [
                Write(PointId("cab-mairie", "segment.2.command"), 1.0),
                Write(PointId("cab-gare", "lamp.2.command"), 40.0),
                Write(PointId("ecole", "zone.1.setpoint"), 17.5),
                Write(PointId("nobody", "lamp.1.command"), 1.0),
            ]
        )
        assert south.buses.waiting == 3
        await south.buses.flushed()
        assert south.buses.waiting == 0
        contactors = server.town.lighting.contactors
        assert [name for name, contactor in contactors.items() if contactor.commanded] == ["mairie-b"]
        for point in ("lamp.2.command", "zone.1.setpoint"):
            result = south.result(point)
            assert result is not None
            assert result.outcome is Outcome.APPLIED


async def test_the_same_site_again_restarts_nothing() -> None:
    site = wired_town()
    async with simulated(site) as server, southbound() as (south, tasks):
        south.buses.start(tasks, site)
        await eventually(lambda: all(south.reading(device) for device in site.devices))
        before = connections(server, port_of(site, "mairie"))
        again = replace(site, name="Another name", devices=dict(site.devices), buses=dict(site.buses))
        assert south.buses.start(tasks, again) == []
        await asyncio.sleep(0.05)
        assert connections(server, port_of(site, "mairie")) == before


async def test_a_reload_that_changes_one_bus_restarts_only_that_one() -> None:
    site = wired_town()
    new_port = free_port()
    there = moved(site, "gare", new_port)
    async with simulated(site) as server, simulated(only(there, "gare")), southbound() as (south, tasks):
        south.buses.start(tasks, site)
        await eventually(lambda: all(south.reading(device) for device in site.devices))
        before = connections(server, port_of(site, "mairie"))
        south.heard.clear()
        assert south.buses.start(tasks, there) == ["gare"]
        await eventually(lambda: south.reading("cab-gare"))
        assert connections(server, port_of(site, "gare")) == [], "the old connection is closed"
        assert connections(server, port_of(site, "mairie")) == before, "the other bus did not notice"
        assert not south.silences("cab-gare")


def only(site: Site, bus: str) -> Site:
    """The part of the site that stands on one bus."""
    devices = {name: device for name, device in site.devices.items() if device.bus == bus}
    cabinets = {name: cabinet for name, cabinet in site.cabinets.items() if cabinet.device in devices}
    return replace(
        site,
        buses={bus: site.buses[bus]},
        devices=devices,
        cabinets=cabinets,
        lamps={name: lamp for name, lamp in site.lamps.items() if lamp.device in devices},
        segments={name: segment for name, segment in site.segments.items() if segment.device in devices},
        meters={name: meter for name, meter in site.meters.items() if meter.device in devices},
        buildings={},
        zones={},
    )


async def test_a_device_that_is_taken_out_is_talked_to_no_more() -> None:
    site = wired_town(shared=True)
    async with simulated(site), southbound() as (south, tasks):
        south.buses.start(tasks, site)
        await eventually(lambda: south.reading("cab-mairie") and south.reading("cab-gare"))
        smaller = replace(site, devices={name: each for name, each in site.devices.items() if name != "cab-gare"})
        assert south.buses.start(tasks, smaller) == ["mairie"]
        south.heard.clear()
        south.buses.put([Write(PointId("cab-gare", "lamp.1.command"), 1.0)])
        assert south.buses.waiting == 0
        await eventually(lambda: south.reading("cab-mairie"))
        assert not south.reading("cab-gare")


async def test_a_port_that_moves_from_one_bus_to_another_is_free_by_then() -> None:
    site = wired_town()
    gtb = site.buses["gtb"]
    renamed = replace(
        site,
        buses={**{name: bus for name, bus in site.buses.items() if name != "gtb"}, "bms": replace(gtb, id="bms")},
        devices={**site.devices, "ecole": replace(site.devices["ecole"], bus="bms")},
    )
    async with simulated(site), southbound() as (south, tasks):
        south.buses.start(tasks, site)
        await eventually(lambda: south.reading("ecole"))
        south.heard.clear()
        with capture_logs() as logs:
            assert south.buses.start(tasks, renamed) == ["bms", "gtb"]
            await eventually(lambda: south.reading("ecole"))
        assert [line for line in logs if line["event"] == "bus.not_opened"] == []


async def test_a_bus_that_cannot_be_opened_says_so_once_and_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller.buses, "_REOPEN_FIRST_S", 0.1)
    site = wired_town()
    settings = site.buses["gtb"].settings
    assert isinstance(settings, BacnetBus)
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", int(settings.address.rpartition(":")[2])))
    async with simulated(site), southbound() as (south, tasks):
        with capture_logs() as logs:
            south.buses.start(tasks, site)
            await eventually(lambda: len(south.silences("ecole")) >= 3)  # at once, and at each try
            assert south.reading("cab-mairie"), "the other buses go on"
            assert not south.silences("cab-mairie")
            taken.close()
            await eventually(lambda: south.reading("ecole"))
        said = [line["event"] for line in logs if line.get("bus") == "gtb"]
        assert said == ["bus.not_opened", "bus.opened"]


async def test_a_bus_that_is_stopped_while_it_cannot_be_opened_is_gone() -> None:
    site = wired_town()
    settings = site.buses["gtb"].settings
    assert isinstance(settings, BacnetBus)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", int(settings.address.rpartition(":")[2])))
        async with southbound() as (south, tasks):
            gtb = replace(
                only(site, "mairie"), buses={"gtb": site.buses["gtb"]}, devices={"ecole": site.devices["ecole"]}
            )
            south.buses.start(tasks, gtb)
            await eventually(lambda: south.silences("ecole"))
            assert south.buses.start(tasks, replace(gtb, buses={}, devices={})) == ["gtb"]
            await asyncio.sleep(0)
            assert not [task for task in asyncio.all_tasks() if task.get_name() == "bus:gtb" and not task.cancelling()]


async def test_a_bug_in_one_lane_ends_the_group() -> None:
    site = only(wired_town(), "mairie")
    with pytest.raises(ExceptionGroup) as caught:
        async with simulated(site), asyncio.TaskGroup() as tasks:
            Buses(CLOCK, _broken, Forgetful()).start(tasks, site)
    assert caught.value.subgroup(ZeroDivisionError) is not None


def _broken(_items: Sequence[object]) -> None:
    raise ZeroDivisionError("a bug")


async def test_a_unit_id_that_changes_restarts_the_bus() -> None:
    site = wired_town()
    device = replace(site.devices["cab-gare"], settings=ModbusDevice(unit=7))
    async with southbound() as (south, tasks):
        south.buses.start(tasks, site)
        assert south.buses.start(tasks, replace(site, devices={**site.devices, "cab-gare": device})) == ["gare"]


async def test_a_bus_without_devices_is_no_trouble() -> None:
    site = wired_town()
    empty = replace(site, buses={"spare": Bus("spare", "modbus", site.buses["gare"].settings)}, devices={})
    async with southbound() as (south, tasks):
        assert south.buses.start(tasks, empty) == ["spare"]
        await south.buses.flushed()
