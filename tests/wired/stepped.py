"""The core over the real wire in virtual time: real drivers, simulated devices behind real sockets, a clock in steps.

Each step moves the simulated town on, reads every device through its driver, and runs the core at that instant; its
writes go out over the wire at once. So weeks pass in minutes, and every octet of them is real.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from config.load import load_site
from config.site import BacnetBus, BacnetDevice, ModbusBus, ModbusDevice, Site
from config.starter import example_directory
from controller.core.commands import Command
from controller.core.cycle import Input, begin, cycle
from controller.core.journal import Saved
from controller.core.report import state_of
from controller.core.state import Alarm, AlarmKey, Step
from controller.core.wiring import Wiring
from drivers.api import Driver, DriverError, Hear, Host, Outcome, Poll, Silence, Write, WriteResult
from drivers.registry import DRIVERS, BusDevice
from sim.run import TownServer
from tests.ports import free_port

_SILENT_AFTER = 2
_SECOND = timedelta(seconds=1)


def lighting_of(example: str) -> Site:
    """The lighting half of an example town, at free ports of the loopback."""
    whole = load_site(example_directory(example), {})
    ports: dict[str, str] = {}
    buses = {
        name: replace(bus, settings=_moved_bus(bus.settings, ports))
        for name, bus in whole.buses.items()
        if isinstance(bus.settings, ModbusBus) and bus.settings.serial is None
    }
    devices = {
        name: replace(device, settings=_moved(device.settings, ports))
        for name, device in whole.devices.items()
        if device.bus in buses and isinstance(device.settings, ModbusDevice)
    }
    meters = {name: meter for name, meter in whole.meters.items() if meter.device in devices}
    return replace(whole, buses=buses, devices=devices, meters=meters, buildings={}, zones={})


def heating_of(example: str) -> Site:
    """The heating half of an example town, at free ports of the loopback; readings are stale after some steps only."""
    whole = load_site(example_directory(example), {})
    buses = {
        name: replace(bus, settings=bus.settings.model_copy(update={"address": f"127.0.0.1/32:{free_port()}"}))
        for name, bus in whole.buses.items()
        if isinstance(bus.settings, BacnetBus)
    }
    devices = {
        name: replace(device, settings=device.settings.model_copy(update={"address": f"127.0.0.1:{free_port()}"}))
        for name, device in whole.devices.items()
        if isinstance(device.settings, BacnetDevice)
    }
    timing = replace(whole.timing, stale_after_s=900.0)
    return replace(
        whole, buses=buses, devices=devices, timing=timing, lamps={}, segments={}, cabinets={}, groups={}, meters={},
        photocells={}, presence_sensors={},
    )  # fmt: skip


def _moved_bus(settings: ModbusBus, ports: dict[str, str]) -> ModbusBus:
    return settings.model_copy(update={"tcp": _free(settings.tcp, ports), "timeout_s": 0.15, "retries": 0})


def _moved(settings: ModbusDevice, ports: dict[str, str]) -> ModbusDevice:
    return settings.model_copy(update={"address": _free(settings.address, ports)})


def _free(address: str | None, ports: dict[str, str]) -> str | None:
    """Another port for an address, the same one each time."""
    if address is None:
        return None
    if address not in ports:
        ports[address] = f"127.0.0.1:{free_port()}"
    return ports[address]


@dataclass
class Stepped:
    """A running town. ``steps`` of the core are not kept; what they told is."""

    wiring: Wiring
    now: datetime
    server: TownServer
    drivers: Mapping[str, Driver]
    last: Step = field(init=False)
    alarms: list[tuple[datetime, AlarmKey, Alarm | None]] = field(default_factory=list)
    """Every alarm that was raised, or cleared (None), and when."""
    events: Counter[str] = field(default_factory=Counter)
    said: list[Input] = field(default_factory=list)
    """What drivers told unasked, for the next cycle."""
    _failures: Counter[str] = field(default_factory=Counter)

    async def begin(self) -> None:
        """The first step: nothing was heard yet."""
        await self._take(begin(self.wiring, Saved(), self.now))

    async def advance(self, span: timedelta, every: timedelta = _SECOND) -> None:
        """Let the town's time pass in steps of ``every``."""
        end = self.now + span
        while self.now < end:
            step = min(every, end - self.now)
            self.now += step
            self.server.town.step(step.total_seconds())
            await self._cycle(await self._heard())

    async def until(self, instant: datetime, every: timedelta = _SECOND) -> None:
        """Let it pass until ``instant``."""
        await self.advance(instant - self.now, every)

    async def command(self, command: Command) -> None:
        """An operator's command."""
        await self._cycle([command])

    def state(self, key: str) -> dict[str, Any]:
        """What the topic of ``kind/id`` would say."""
        return dict(state_of(self.wiring, self.last.state, key, self.now))

    def break_(self, *lines: str) -> None:
        """Faults, as the control channel takes them."""
        for line in lines:
            answer = self.server.control.obey(f"fault {line}")
            assert answer["ok"], answer

    def repair(self) -> None:
        """Clear all faults."""
        assert self.server.control.obey("clear")["ok"]

    @property
    def raised(self) -> dict[str, str]:
        """The alarms that stand: ``kind/id/event`` and what suppresses each, or nothing."""
        return {
            f"{key}/{event}": alarm.suppressed_by or ""
            for (key, event), alarm in self.last.state.alarms.items()
            if alarm.raised is not None
        }

    async def _heard(self) -> list[Input]:
        """Every poll of every device, as its lane would pass it on."""
        inbox: list[Input] = []
        self.server.report()
        for driver in self.drivers.values():
            for device, polls in driver.polls.items():
                inbox += await self._read(driver, device, polls)
        inbox += self.said
        self.said.clear()
        return inbox

    async def _read(self, driver: Driver, device: str, polls: Iterable[Poll]) -> list[Input]:
        found: list[Input] = []
        try:
            for poll in polls:
                found += await driver.read(poll)
        except DriverError as error:
            self._failures[device] += 1
            if self._failures[device] >= _SILENT_AFTER:
                found.append(Silence(device, error.cause, self.now))
            return found
        self._failures[device] = 0
        return found

    async def _cycle(self, inbox: list[Input]) -> None:
        await self._take(cycle(self.wiring, self.last.state, inbox, self.now))

    async def _take(self, step: Step) -> None:
        """Note what a step told, and send its writes."""
        self.last = step
        for name in step.alarms:
            alarm = step.state.alarms.get(name)
            self.alarms.append((self.now, name, alarm if alarm is not None and alarm.raised is not None else None))
        self.events.update(event.name for event in step.events)
        outcomes: list[Input] = []
        by_device: dict[str, list[Write]] = {}
        for write in step.writes:
            by_device.setdefault(write.point.device, []).append(write)
        for device, writes in by_device.items():
            outcomes += await self._write(device, writes)
        if outcomes:
            await self._cycle(outcomes)

    async def _write(self, device: str, writes: list[Write]) -> list[WriteResult]:
        driver = self.drivers[self.wiring.site.devices[device].bus]
        try:
            return list(await driver.write(writes))
        except DriverError as error:
            return [WriteResult(write, Outcome.NO_FEEDBACK, self.now, detail=error.cause) for write in writes]


@asynccontextmanager
async def stepped(site: Site, start: datetime) -> AsyncIterator[Stepped]:
    """The site on the wire from ``start`` on; everything is closed at the end."""
    held: list[Stepped] = []
    server = TownServer(site, now=lambda: held[0].now if held else start)
    unasked: list[Input] = []
    drivers = {name: _driver(site, name, lambda: held[0].now, unasked.extend) for name in site.buses}
    running = Stepped(Wiring(site), start, server, drivers, said=unasked)
    held.append(running)
    await server.start()
    try:
        for driver in drivers.values():
            await driver.open()
        await running.begin()
        yield running
    finally:
        for driver in drivers.values():
            await driver.close()
        await server.stop()


def _driver(site: Site, bus: str, now: Callable[[], datetime], hear: Hear) -> Driver:
    devices = [
        BusDevice(device.id, device.settings, device.profile, device.points)
        for device in site.devices.values()
        if device.bus == bus
    ]
    entry = DRIVERS[site.buses[bus].driver]
    return entry.build(bus, site.buses[bus].settings, devices, Host(now, site.directory, hear=hear))
