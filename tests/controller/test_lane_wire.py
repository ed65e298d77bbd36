"""A lane on the real wire: the Modbus driver against the simulated cabinets."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

import controller.turns
from config.site import Site
from controller.lane import Heard, LaneTask
from drivers.api import (
    Fault,
    Host,
    Outcome,
    Reading,
    Silence,
    WriteResult,
)
from drivers.registry import DRIVERS, BusDevice
from sim.run import TownServer
from tests.controller.memory_bus import (
    CLOCK,
    write,
)
from tests.controller.wire import eventually, simulated, wired_town


@asynccontextmanager
async def on_the_wire(
    site: Site, *orders: str
) -> AsyncIterator[tuple[TownServer, LaneTask, list[tuple[float, Heard]]]]:
    """The bus ``mairie`` of a simulated town with its lane at work, and all that is heard."""
    bus_of_it = site.buses["mairie"]
    devices = [
        BusDevice(each.id, each.settings, each.profile, each.points)
        for each in site.devices.values()
        if each.bus == "mairie"
    ]
    heard: list[tuple[float, Heard]] = []
    loop = asyncio.get_running_loop()
    driver = DRIVERS["modbus"].build("mairie", bus_of_it.settings, devices, Host(CLOCK.now, site.directory))
    lane = LaneTask(driver, driver.lanes[0], CLOCK, lambda items: heard.extend((loop.time(), item) for item in items))
    async with simulated(site) as server:
        for order in orders:
            server.control.obey(order)
        task = asyncio.create_task(lane.run())
        try:
            yield server, lane, heard
        finally:
            task.cancel()
            await asyncio.wait([task])
            await driver.close()


async def test_a_lamp_is_read_and_switched_over_the_wire() -> None:
    async with on_the_wire(wired_town()) as (server, lane, heard):
        points = set(server.town.site.devices["cab-mairie"].points)
        dark = {point for point in points if re.fullmatch(r"lamp\.\d+\.(power-factor|temperature)", point)}
        await eventually(lambda: {item.point.point for _, item in heard if isinstance(item, Reading | Fault)} == points)
        assert {item.point.point for _, item in heard if isinstance(item, Fault)} == dark, "nodes have no mains yet"
        lane.put([write("cab-mairie", 60.0, "lamp.1.command"), write("cab-mairie", 1.0, "segment.1.command")])
        await lane.flushed()
        assert server.town.lighting.contactors["mairie-a"].commanded
        results = {item.write.point.point: item for _, item in heard if isinstance(item, WriteResult)}
        assert {name: result.outcome for name, result in results.items()} == {
            "lamp.1.command": Outcome.APPLIED,
            "segment.1.command": Outcome.APPLIED,
        }
        observed = results["lamp.1.command"].observed
        assert observed is not None
        assert observed.value == 60.0


async def test_an_absent_unit_behind_a_gateway_leaves_its_neighbour_in_peace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller.turns, "_FIRST_S", 0.1)
    async with on_the_wire(wired_town(shared=True)) as (server, lane, heard):
        await eventually(
            lambda: {item.point.device for _, item in heard if isinstance(item, Reading)} == {"cab-mairie", "cab-gare"}
        )
        server.control.obey("fault cab-gare absent")
        lane.put([write("cab-gare", 40.0, "lamp.1.command"), write("cab-mairie", 40.0, "lamp.1.command")])
        await lane.flushed()
        outcomes = {item.write.point.device: item.outcome for _, item in heard if isinstance(item, WriteResult)}
        assert outcomes == {"cab-gare": Outcome.NO_FEEDBACK, "cab-mairie": Outcome.APPLIED}
        await eventually(lambda: [item for _, item in heard if isinstance(item, Silence) and item.device == "cab-gare"])
        assert not [item for _, item in heard if isinstance(item, Silence) and item.device == "cab-mairie"]
        server.control.obey("clear cab-gare")
        heard.clear()
        await eventually(
            lambda: [item for _, item in heard if isinstance(item, Reading) and item.point.device == "cab-gare"]
        )


async def test_an_unplugged_cabinet_is_silent_and_answers_again_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(controller.turns, "_FIRST_S", 0.1)
    async with on_the_wire(wired_town(), "fault cab-mairie disconnect") as (server, _, heard):
        await eventually(lambda: [item for _, item in heard if isinstance(item, Silence)])
        server.control.obey("clear cab-mairie")
        await eventually(lambda: [item for _, item in heard if isinstance(item, Reading)])
