"""The composition root: one TaskGroup that owns every task of the daemon, and the scan cycle between its edges.

Tasks: ``signals``, ``bus:<name>``, ``cycle`` (feeds the watchdog itself), ``store``, ``mqtt``, ``reload``. Any
exception that is no driver error and no broker's loss is a bug: it ends the group and the process; systemd starts it
again.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TextIO

import structlog

from config.load import SiteError, load_site
from config.site import Site
from controller.buses import Buses
from controller.clock import Clock
from controller.core import cycle as core
from controller.core.counting import ALIVE
from controller.core.cycle import Input
from controller.core.journal import Journal
from controller.core.ledger import Ledger
from controller.core.metering.hourly import OpenHour
from controller.core.replay import Beginning, first_line, line_of
from controller.core.stack import rfc3339
from controller.core.state import State, Step
from controller.core.wiring import Wiring
from controller.difference import difference
from controller.gateway import gateway_state
from controller.heap import settle_heap
from controller.memory import DeviceMemory
from controller.mqtt.commands import MAX_BYTES
from controller.mqtt.outbox import Outbox
from controller.mqtt.session import Pace, Session
from controller.mqtt.signals import parse_signal
from controller.mqtt.topics import Topics
from controller.notify import READY, STOPPING, WATCHDOG, notify, reloading, status, watchdog_interval_s
from controller.reporter import Reporter
from controller.store import Store
from drivers.api import WriteResult

_log = structlog.get_logger()

_GATEWAY_EVERY_S, _GATEWAY_AT_MOST_S = 5.0, 0.5
_COUNTERS_EVERY_S = 60.0
_FAREWELL_S = 2.5
_GATHER_S = 0.005
"""A cycle costs something, whatever it brings: the devices of a slot answer within a few milliseconds."""
_OF_THE_GATEWAY = frozenset({"device-online", "device-offline", "alarm", "override-set", "override-ended"})
"""Events that change what the gateway says of itself."""
_SIGNALS = 64
"""So many may be said on topics that this configuration does not name."""
_PACE = Pace(last_retry_s=4.0)
"""A broker that comes back has every state again within 5 s."""


class Shutdown(Exception):
    """Raised inside the TaskGroup to end it in good order."""


class Daemon:
    """One site under control. ``run`` returns after SIGTERM or SIGINT."""

    def __init__(self, site: Site, clock: Clock, store: Store, record: TextIO | None = None) -> None:
        self._clock = clock
        self._store = store
        self._record = record
        self._directory = site.directory
        self._wiring = Wiring(_paced(site, clock))
        self._state = State(clock.now())
        self._inbox: list[Input] = []
        self._woken = asyncio.Event()
        self._gathering = False
        self._stopping = False
        self._next_due: datetime | None = None
        self._counters: dict[str, float] = {}
        self._ledgers: dict[str, Ledger | None] = {}
        self._hours: dict[str, OpenHour | None] = {}
        self._counters_at = self._gateway_at = self._gateway_told = self._samples_at = 0.0
        topics = Topics(site.mqtt.base, site.id)
        self._gateway_topic = topics.gateway
        self._outbox = Outbox()
        self._said: dict[str, bytes] = {}
        """What each signal last said: a reload may bring the one that it is for."""
        self._session = Session(
            site.mqtt, topics, self._outbox, store, self._hear_one, clock, _PACE, self._hear_signal
        )  # fmt: skip
        self._reporter = Reporter(self._wiring, topics, self._outbox)
        self._memory = DeviceMemory(store.put)
        self._buses = Buses(clock, self._hear, self._memory)

    async def run(self) -> None:
        """Run until told to stop. Raises whatever bug ended the group."""
        loop = asyncio.get_running_loop()
        stop, reload = asyncio.Event(), asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, reload.set)
        self._begin()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._buses.start(tasks, self._wiring.site)
                tasks.create_task(self._store.run(), name="store")
                tasks.create_task(self._session.run(), name="mqtt")
                tasks.create_task(self._cycle(), name="cycle")
                tasks.create_task(self._reloads(tasks, reload), name="reload")
                tasks.create_task(self._until(stop), name="signals")
                settle_heap()
                notify(READY, status(f"{self._wiring.site.name}: running"))
        except* Shutdown:
            _log.info("daemon.stopped", site=self._wiring.site.id)
        finally:
            await self._store.close()

    def _hear(self, items: Sequence[Input]) -> None:
        """From a lane: the answers of one slot are taken up together, the outcome of a write at once."""
        self._inbox.extend(items)
        if isinstance(items[0], WriteResult):
            self._woken.set()
        elif not self._gathering:
            self._gathering = True
            asyncio.get_running_loop().call_later(_GATHER_S, self._woken.set)

    def _hear_one(self, item: Input) -> None:
        """A command: at once."""
        self._inbox.append(item)
        self._woken.set()

    def _hear_signal(self, name: str, payload: bytes, retained: bool) -> None:
        if name in self._said or len(self._said) < _SIGNALS:
            self._said[name] = payload[: MAX_BYTES + 1]
        self._take_up_signal(name, payload, retained)

    def _take_up_signal(self, name: str, payload: bytes, retained: bool) -> None:
        """What a signal of the site says; one that the site does not name is none."""
        site = self._wiring.site
        found = site.signals.get(name)
        if found is not None:
            self._hear_one(parse_signal(found, payload, retained, self._clock.now(), site.place.zone))

    def _begin(self) -> None:
        now = self._clock.now()
        saved = self._store.load(now)
        self._memory.restore(saved.learnt)
        if self._record is not None:
            beginning = Beginning(now, saved, self._clock.speed, self._wiring.site.config_hash)
            self._record.write(first_line(beginning) + "\n")
        site = self._wiring.site
        _log.info("daemon.started", site=site.id, lamps=len(site.lamps), zones=len(site.zones), at=rfc3339(now))
        self._take(core.begin(self._wiring, saved, now), now)

    async def _cycle(self) -> None:
        watchdog_s = watchdog_interval_s()
        while True:
            self._woken.clear()
            self._gathering = False
            now = self._clock.now()
            inbox, self._inbox = self._inbox, []
            if self._record is not None:
                self._record.write(line_of(inbox, now) + "\n")
            step = core.cycle(self._wiring, self._state, inbox, now)
            self._carry_out(step)
            if step.writes:
                await asyncio.sleep(0)  # the lanes first: what goes to the field does not wait for what is told of it
            self._tell(step, now)
            self._housekeep(now)
            notify(WATCHDOG)
            await self._rest(watchdog_s)

    async def _rest(self, watchdog_s: float | None) -> None:
        """Wait for input or for the next thing that is due."""
        loop = asyncio.get_running_loop()
        now = self._clock.now()
        waits = [self._gateway_at - loop.time(), self._samples_at - loop.time()]
        waits += [self._clock.real_seconds(at - now) for at in (self._next_due, self._reporter.next_beat()) if at]
        if watchdog_s is not None:
            waits.append(watchdog_s)
        try:
            async with asyncio.timeout(max(0.0, min(waits))):
                await self._woken.wait()
        except TimeoutError:
            return

    def _take(self, step: Step, now: datetime) -> None:
        """Carry out and tell what one cycle decided; nothing here waits."""
        self._carry_out(step)
        self._tell(step, now)

    def _carry_out(self, step: Step) -> None:
        self._state, self._next_due = step.state, step.next_due
        if step.writes and not self._stopping:
            self._buses.put(step.writes)
        if step.errands and not self._stopping:
            self._buses.ask(step.errands)
        if step.journal:
            self._counters.update(step.journal.counters)
            self._ledgers.update(step.journal.ledgers)
            self._hours.update(step.journal.open_hours)
            if step.journal.closes:  # what is closed is closed with what it was closed by, or not at all
                self._store.put(self._with_waiting(step.journal))
            else:
                self._store.put(replace(step.journal, counters={}, ledgers={}, open_hours={}))

    def _tell(self, step: Step, now: datetime) -> None:
        """Tell what ``step`` changed as it is by now: a reload may have come between."""
        self._reporter.report(replace(step, state=self._state), now)
        if any(event.name in _OF_THE_GATEWAY for event in step.events):
            self._gateway_at = min(self._gateway_at, self._gateway_told + _GATEWAY_AT_MOST_S)

    def _housekeep(self, now: datetime) -> None:
        """What goes by real time: the gateway's own state, history samples, counters to the disk."""
        at = asyncio.get_running_loop().time()
        if at >= self._gateway_at:
            self._gateway_at, self._gateway_told = at + _GATEWAY_EVERY_S, at
            self._tell_gateway(now)
        if at >= self._samples_at:
            self._samples_at = at + self._wiring.site.timing.sample_s / self._clock.speed
            self._store.put_samples(self._reporter.samples(now))
        if at >= self._counters_at:
            self._counters_at = at + _COUNTERS_EVERY_S
            self._keep_counters()

    def _keep_counters(self) -> None:
        """What changes with every answer goes to the disk together, once a minute and at the end."""
        self._counters[ALIVE] = self._state.at.timestamp()
        self._store.put(self._with_waiting(Journal()))

    def _with_waiting(self, journal: Journal) -> Journal:
        whole = replace(journal, counters=self._counters, ledgers=self._ledgers, open_hours=self._hours)
        self._counters, self._ledgers, self._hours = {}, {}, {}
        return whole

    def _tell_gateway(self, now: datetime) -> None:
        payload = gateway_state(self._wiring, self._state, now, self._clock)
        payload |= {
            "queue_depth": self._outbox.depth,
            "writes_waiting": self._buses.waiting,
            "poll_lag_ms": self._buses.take_lag_ms(),
            "dropped": self._outbox.dropped + self._store.dropped,
            "store_failing": self._store.failing,
            "broker_losses": self._session.counts.losses,
        }
        self._outbox.retain(self._gateway_topic, payload)

    async def _until(self, stop: asyncio.Event) -> None:
        """Wait for the signal, leave the outputs in their documented state, end the group."""
        await stop.wait()
        notify(STOPPING)
        _log.info("daemon.stopping")
        self._stopping = True
        self._buses.put(core.farewell(self._wiring, self._state, self._clock.now()))
        try:
            async with asyncio.timeout(_FAREWELL_S):
                await self._buses.flushed()
        except TimeoutError:
            _log.warning("daemon.farewell_cut_short", writes_waiting=self._buses.waiting)
        self._keep_counters()
        raise Shutdown

    async def _reloads(self, tasks: asyncio.TaskGroup, reload: asyncio.Event) -> None:
        while True:
            await reload.wait()
            reload.clear()
            notify(reloading())
            await self._reload(tasks)
            notify(READY)

    async def _reload(self, tasks: asyncio.TaskGroup) -> None:
        """Parse, validate, show the difference, swap; on an error the old plan stays in force."""
        try:
            today = self._clock.now().astimezone(self._wiring.site.place.zone).date()
            site = await asyncio.to_thread(load_site, self._directory, today=today)
        except SiteError as error:
            for problem in error.problems:
                _log.error("configuration.refused", problem=str(problem))
            _log.warning("configuration.kept", config_hash=self._wiring.site.config_hash)
            self._reporter.configuration("configuration-refused", self._clock.now(), problems=len(error.problems))
            return
        paced = _paced(site, self._clock)
        changes = await asyncio.to_thread(difference, self._wiring.site, paced)
        wiring = await asyncio.to_thread(Wiring, paced)
        _log.info("configuration.reloaded", config_hash=site.config_hash, **(changes or {"changes": "none"}))
        if (site.mqtt, site.id) != (self._wiring.site.mqtt, self._wiring.site.id):
            _log.warning("configuration.needs_restart", parts="mqtt, site.id")
        now = self._clock.now()
        before = self._wiring.site.signals
        self._wiring = wiring
        self._reporter.rewired(wiring)
        touched = self._buses.start(tasks, paced)
        if touched:
            _log.info("configuration.buses_restarted", buses=", ".join(touched))
        self._reporter.configuration("configuration-reloaded", now, config_hash=site.config_hash, **changes)
        self._take(core.adopt(self._wiring, self._state, now), now)
        for name, payload in self._said.items():
            if paced.signals.get(name) != before.get(name):
                self._take_up_signal(name, payload, retained=True)
        self._woken.set()
        settle_heap()


def _paced(site: Site, clock: Clock) -> Site:
    """Durations of the wire are real time: on a faster clock they span more of it."""
    return replace(site, timing=site.timing.scaled(clock.speed))


def run_daemon(directory: Path, clock: Clock, state_directory: Path, record: Path | None = None) -> None:
    """Load, run, return after a clean stop. Raises SiteError for a site that cannot run."""
    site = load_site(directory)

    async def main() -> None:
        store = await asyncio.to_thread(Store.open, state_directory / f"{site.id}.sqlite")
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(record.open("w", buffering=1)) if record is not None else None
            await Daemon(site, clock, store, file).run()

    asyncio.run(main())
