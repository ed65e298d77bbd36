"""All buses of a site: opens their drivers, runs a lane for each thing that must be talked to in turn, reopens after
a reload only what changed. A bus that cannot be opened says so once, its devices are silent, and it tries again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from config.site import Bus, Site
from controller.clock import Clock
from controller.lane import Heard, LaneTask, Sink
from controller.wakes import Wakes
from drivers.api import BindFailed, Driver, Errand, Host, Memory, Notice, Silence, Write
from drivers.registry import DRIVERS, BusDevice

_log = structlog.get_logger()

_APART_S = 0.002
"""Lanes begin one after the other: thousands of connections at once would miss their own deadlines."""
_REOPEN_FIRST_S = 1.0
_REOPEN_CAP_S = 20.0


@dataclass(slots=True)
class _Running:
    """One bus with what it was built from, to see whether a reload touches it."""

    bus: Bus
    devices: tuple[BusDevice, ...]
    task: asyncio.Task[None]
    lanes: list[LaneTask] = field(default_factory=list)


class Buses:
    """The southbound side of the daemon."""

    def __init__(self, clock: Clock, sink: Sink, memory: Memory) -> None:
        self._clock = clock
        self._sink = sink
        self._memory = memory
        self._standing: dict[tuple[str, str], Notice] = {}
        self._wakes = Wakes()
        self._running: dict[str, _Running] = {}
        self._lane_of: dict[str, LaneTask] = {}

    @property
    def waiting(self) -> int:
        """Writes that wait in all lanes."""
        return sum(lane.waiting for running in self._running.values() for lane in running.lanes)

    def take_lag_ms(self) -> int:
        """How late the latest poll since the last call began, in ms: what this machine could not keep up with."""
        lag_s, self._wakes.worst_lag_s = self._wakes.worst_lag_s, 0.0
        return round(1000.0 * lag_s)

    def start(self, tasks: asyncio.TaskGroup, site: Site) -> list[str]:
        """Start what is new or changed and stop what is gone; returns the ids of the buses that were touched."""
        wanted = {bus.id: (bus, _devices(site, bus.id)) for bus in site.buses.values()}
        ending: dict[str, asyncio.Task[None]] = {}
        for bus_id, running in list(self._running.items()):
            if wanted.get(bus_id) == (running.bus, running.devices):
                del wanted[bus_id]
            else:
                ending[bus_id] = self._stop(bus_id)
        for bus, devices in wanted.values():
            self._start(tasks, site, bus, devices, list(ending.values()))
        return sorted({*wanted, *ending})

    def put(self, writes: Iterable[Write]) -> None:
        """Hand writes to the lanes of their devices; a bus that is not open reports silence by itself."""
        for write in writes:
            lane = self._lane_of.get(write.point.device)
            if lane is not None:
                lane.put((write,))

    def ask(self, errands: Iterable[Errand]) -> None:
        """Hand errands at Schedule objects to the lanes of their devices."""
        for errand in errands:
            lane = self._lane_of.get(errand.ref.device)
            if lane is not None:
                lane.ask((errand,))

    async def flushed(self) -> None:
        """Wait until every queued write was sent."""
        for running in list(self._running.values()):
            for lane in running.lanes:
                await lane.flushed()

    def _hear(self, items: Sequence[Heard]) -> None:
        if isinstance(items[0], Notice):  # they never come together with readings, which are many
            for item in items:
                if isinstance(item, Notice):
                    self._remember(item)
        self._sink(items)

    def _remember(self, notice: Notice) -> None:
        if notice.holds:
            self._standing[notice.subject, notice.event] = notice
        else:
            self._standing.pop((notice.subject, notice.event), None)

    def _withdraw(self, subjects: set[str]) -> None:
        """Nobody watches over these conditions any more: whoever comes next finds them again, if they are there."""
        now = self._clock.now()
        gone = [notice for notice in self._standing.values() if notice.subject in subjects]
        if gone:
            self._hear([replace(notice, holds=False, at=now) for notice in gone])

    def _stop(self, bus_id: str) -> asyncio.Task[None]:
        running = self._running.pop(bus_id)
        self._withdraw({f"bus/{bus_id}", *(f"device/{device.id}" for device in running.devices)})
        for device in running.devices:
            self._lane_of.pop(device.id, None)
        running.task.cancel()
        return running.task

    def _start(
        self,
        tasks: asyncio.TaskGroup,
        site: Site,
        bus: Bus,
        devices: tuple[BusDevice, ...],
        ending: list[asyncio.Task[None]],
    ) -> None:
        entry = DRIVERS[bus.driver]
        driver = entry.build(
            bus.id, bus.settings, devices, Host(self._clock.now, site.directory, self._memory, self._hear)
        )
        lanes = [
            LaneTask(driver, lane, self._clock, self._hear, self._wakes, number * _APART_S)
            for number, lane in enumerate(driver.lanes)
        ]
        task = tasks.create_task(self._run(bus, driver, lanes, ending), name=f"bus:{bus.id}")
        self._running[bus.id] = _Running(bus, devices, task, lanes)
        for lane in lanes:
            self._lane_of.update(dict.fromkeys(lane.devices, lane))

    async def _run(self, bus: Bus, driver: Driver, lanes: list[LaneTask], ending: list[asyncio.Task[None]]) -> None:
        if ending:  # a port or line that moves from one bus to another is free only then
            await asyncio.wait(ending)
        try:
            await self._open(bus, driver, [device for lane in lanes for device in lane.devices])
            async with asyncio.TaskGroup() as running:
                for lane in lanes:
                    running.create_task(lane.run(), name=f"bus:{lane.name}")
        finally:
            await driver.close()

    async def _open(self, bus: Bus, driver: Driver, devices: list[str]) -> None:
        wait_s, said = _REOPEN_FIRST_S, False
        while True:
            try:
                await driver.open()
            except BindFailed as error:
                if not said:
                    _log.error("bus.not_opened", bus=bus.id, cause=error.cause)
                    said = True
                now = self._clock.now()
                self._sink([Silence(device, error.cause, now) for device in devices])
                await asyncio.sleep(wait_s)
                wait_s = min(_REOPEN_CAP_S, wait_s * 2)
            else:
                if said:
                    _log.info("bus.opened", bus=bus.id)
                return


def _devices(site: Site, bus_id: str) -> tuple[BusDevice, ...]:
    return tuple(
        BusDevice(device.id, device.settings, device.profile, device.points)
        for device in site.devices.values()
        if device.bus == bus_id
    )
