"""The plant seam: the daemon's core over a model of a building, in virtual time, without a wire and without waiting.

A ``Plant`` is anything that can be read, written at a priority and moved on by a span of time: the simulator's own
heating (sim.plant), EnergyPlus (bench.energyplus), or a model that somebody else wrote. A ``Rehearsal`` gives the
core what the drivers would give it, and does with its writes what they would do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, TypeVar

from config.site import BacnetPoint, Site, Steering
from controller.core.counting import ALIVE
from controller.core.cycle import Input, begin, cycle, farewell
from controller.core.journal import Journal, Saved
from controller.core.state import Alarm, AlarmKey, CommandResult, Event, Step
from controller.core.wiring import Wiring
from drivers.api import Fault, Outcome, PointId, Reading, Write, WriteResult
from drivers.bacnet.readback import commanded, plain

RESOLUTION = 0.01
"""A value that moved by less is not told again, in the point's own unit."""
TRACE_EVERY = timedelta(minutes=5)
_NO_VALUE = "no value"
_ROUNDS = 8
"""Writes that lead to writes at one instant; more mean that the core and a device disagree, and time has to pass."""
_K = TypeVar("_K")
_V = TypeVar("_V")


class Plant(Protocol):
    """A building model behind the core. Devices and points are named as in the site's files and their profiles."""

    @property
    def now(self) -> datetime:
        """The plant's own time, aware; it moves by ``step`` alone."""
        ...

    def read(self, device: str, point: str) -> float | None:
        """The present value in the profile's unit, binary points 0 or 1; None: the point has no value now."""
        ...

    def write(self, device: str, point: str, value: float | None, priority: int) -> None:
        """Put ``value`` in slot ``priority`` (1-16) of a commandable point; None frees the slot.

        A point without a priority array takes the value as it is, whatever the priority. What the plant does not
        take it leaves undone: a write is judged by reading back, as on a wire.
        """
        ...

    def slots(self, device: str, point: str) -> Mapping[int, float]:
        """The occupied slots of a commandable point's priority array; empty for any other point."""
        ...

    def step(self, dt_s: float) -> None:
        """Let ``dt_s`` seconds pass under what was written."""
        ...


class TracePoint(NamedTuple):
    """One zone at one instant, degrees C; ``setpoint_c`` is what its controller holds, whoever wrote it."""

    at: datetime
    temperature_c: float | None
    setpoint_c: float | None


class _Place(NamedTuple):
    point: PointId
    commandable: bool


class Rehearsal:
    """The core of ``site`` over a plant that moves in steps of ``every_s``.

    The core hears every point after every step, and acts at once. What it wanted between two steps waits for the next
    one, so ``every_s`` is the coarseness of the whole rehearsal: a minute where minutes matter.
    """

    def __init__(self, site: Site, plant: Plant, every_s: float, *, trace_every: timedelta = TRACE_EVERY) -> None:
        self.wiring = Wiring(_supervised(_as_slow_as(site, every_s)))
        self.plant = plant
        self.every_s = every_s
        self.events: list[Event] = []
        self.results: list[CommandResult] = []
        self.alarms: list[tuple[datetime, AlarmKey, Alarm | None]] = []
        """Every alarm that was raised, has other words or another root, or ended (None), and when."""
        self.outcomes: Counter[Outcome] = Counter()
        """What became of the writes."""
        self.traces: dict[str, list[TracePoint]] = {zone: [] for zone in site.zones}
        self.cycles = 0
        self._trace_every, self._traced = trace_every, plant.now - trace_every
        self._disk = _Disk()
        self._heard: dict[PointId, Reading | Fault] = {}
        self._refresh = timedelta(seconds=self.wiring.site.timing.stale_after_s / 2)
        self._places = [
            _Place(PointId(device.id, name), _commandable(device.profile.points.get(name)))
            for device in site.devices.values()
            for name in device.points
        ]
        self._last: Step | None = None

    @property
    def now(self) -> datetime:
        """The plant's time."""
        return self.plant.now

    @property
    def last(self) -> Step:
        """The latest step of the core; it has begun."""
        if self._last is None:
            raise RuntimeError("the rehearsal has not begun")
        return self._last

    @property
    def raised(self) -> list[AlarmKey]:
        """The alarms that came up, each as often as it did; other words for one that stands are no new one."""
        told: dict[tuple[AlarmKey, datetime], None] = {}
        for _, name, alarm in self.alarms:
            if alarm is not None and alarm.raised is not None:
                told[name, alarm.raised] = None
        return [name for name, _ in told]

    @property
    def saved(self) -> Saved:
        """What the store would give back after a power cut at this instant."""
        return self._disk.saved(self.last.state.at)

    def begin(self, saved: Saved | None = None) -> None:
        """The core starts at the plant's time, knows what ``saved`` says, and hears every point for the first time."""
        self._heard.clear()
        self._disk.put(saved or Saved())
        self._take(begin(self.wiring, saved or Saved(), self.now))
        self.hear()

    def restart(self, *, clean: bool) -> None:
        """The daemon dies and starts again at once: by a clean stop, or by a power cut, which writes nothing more."""
        if clean:
            self.stop()
        self.begin(self.saved)

    def stop(self) -> None:
        """A clean stop: the last writes go to the plant, which goes on by itself from here."""
        for write in farewell(self.wiring, self.last.state, self.now):
            self.plant.write(write.point.device, write.point.point, write.value, write.priority)

    def value(self, device: str, point: str) -> float | None:
        """What the core was last told of a point; None: nothing yet, or that it has no value."""
        seen = self._heard.get(PointId(device, point))
        return seen.value if isinstance(seen, Reading) else None

    def until(self, end: datetime) -> None:
        """Let time pass until ``end``, or by less than a step more."""
        while self.now < end:
            self.advance()

    def advance(self) -> None:
        """One step of the plant, and what the core makes of it."""
        self.plant.step(self.every_s)
        self.hear()

    def hear(self, *others: Input) -> None:
        """One cycle with what the plant shows that is new, and with ``others``: commands, signals, notices."""
        inbox: list[Input] = [*self._news(), *others]
        due = self.last.next_due
        if inbox or (due is not None and due <= self.now):
            self._cycle(inbox)
        if self.now - self._traced >= self._trace_every:
            self._trace()

    def _news(self) -> list[Reading | Fault]:
        """What was never told, has moved, or was told so long ago that it would grow stale."""
        news: list[Reading | Fault] = []
        for place in self._places:
            seen, known = self._seen(place), self._heard.get(place.point)
            if known is None or _moved(known, seen) or seen.at - known.at >= self._refresh:
                self._heard[place.point] = seen
                news.append(seen)
        return news

    def _seen(self, place: _Place) -> Reading | Fault:
        device, point = place.point.device, place.point.point
        value = self.plant.read(device, point)
        if value is None:
            return Fault(place.point, _NO_VALUE, self.now)
        slots = tuple(sorted(self.plant.slots(device, point).items())) if place.commandable else ()
        return Reading(place.point, value, self.now, slots=slots)

    def _cycle(self, inbox: Sequence[Input]) -> None:
        self._take(cycle(self.wiring, self.last.state, inbox, self.now))

    def _take(self, step: Step) -> None:
        """Note what a step told, execute its writes, and give the outcomes back at once."""
        for _ in range(_ROUNDS):
            self._note(step)
            outcomes = [self._written(write) for write in step.writes]
            if not outcomes:
                return
            self.outcomes.update(each.outcome for each in outcomes)
            step = cycle(self.wiring, step.state, outcomes, self.now)
        self._note(step)

    def _note(self, step: Step) -> None:
        self._last = step
        self.cycles += 1
        self.events += step.events
        self.results += step.results
        for name in step.alarms:
            alarm = step.state.alarms.get(name)
            self.alarms.append((self.now, name, alarm if alarm is not None and alarm.raised is not None else None))
        self._disk.take(step.journal)

    def _written(self, write: Write) -> WriteResult:
        """Execute one write and judge it by what the plant shows afterwards; there is no delay, so not there is no."""
        device, point = write.point.device, write.point.point
        known = self.wiring.site.devices.get(device)
        place = _Place(write.point, _commandable(known.profile.points.get(point) if known is not None else None))
        self.plant.write(device, point, write.value, write.priority)
        seen = self._seen(place)
        self._heard[write.point] = seen
        if place.commandable:
            result = commanded(write, seen, has_array=True)
        elif write.value is None:
            return WriteResult(write, Outcome.REJECTED, self.now, detail="no priority array: nothing to relinquish")
        else:
            result = plain(write, write.value, seen)
        if result.outcome is Outcome.NO_FEEDBACK and result.observed is not None:
            return replace(result, outcome=Outcome.REJECTED)
        return result

    def _trace(self) -> None:
        self._traced = self.now
        for zone in self.wiring.site.zones.values():
            stem = f"zone.{zone.number}"
            temperature, setpoint = (self.value(zone.device, f"{stem}.{word}") for word in ("temperature", "setpoint"))
            self.traces[zone.id].append(TracePoint(self.now, temperature, setpoint))


class _Disk:
    """What the store would have written down, journal by journal."""

    def __init__(self) -> None:
        self.put(Saved())

    def put(self, saved: Saved) -> None:
        """Begin with ``saved``."""
        self._overrides = dict(saved.overrides)
        self._command_ids, self._counters = dict(saved.command_ids), dict(saved.counters)
        self._held, self._learnt = dict(saved.held), dict(saved.learnt)
        self._ledgers, self._kept, self._seal = dict(saved.ledgers), dict(saved.kept), saved.seal

    def take(self, journal: Journal) -> None:
        """Add one step's journal."""
        if not journal:
            return
        _update(self._overrides, journal.overrides)
        self._command_ids.update(journal.command_ids)
        self._counters.update(journal.counters)
        self._learnt.update(journal.learnt)
        _update(self._held, journal.held)
        _update(self._ledgers, journal.ledgers)
        _update(self._kept, journal.kept)
        for record in journal.records:
            if record.kind == "night":
                self._seal = record.sha256

    def saved(self, alive: datetime) -> Saved:
        """As it would be read again; the daemon was last alive at ``alive``."""
        return Saved(
            overrides=dict(self._overrides), command_ids=dict(self._command_ids),
            counters={**self._counters, ALIVE: alive.timestamp()}, held=dict(self._held), learnt=dict(self._learnt),
            ledgers=dict(self._ledgers), seal=self._seal, kept=dict(self._kept),
        )  # fmt: skip


def heating_of(site: Site) -> Site:
    """The heating half of a site: its buildings, their devices, and nothing that lights a street."""
    wanted = {building.device for building in site.buildings.values()}
    wanted.update(zone.device for zone in site.zones.values())
    wanted.update(zone.absence.device for zone in site.zones.values() if zone.absence is not None)
    devices = {name: device for name, device in site.devices.items() if name in wanted}
    return replace(
        site, devices=devices, plans={}, groups={}, lamps={}, segments={}, cabinets={}, photocells={},
        presence_sensors={}, derogations={},
        meters={name: meter for name, meter in site.meters.items() if meter.device in devices},
    )  # fmt: skip


def _as_slow_as(site: Site, every_s: float) -> Site:
    """A reading must outlive three steps, or the core would take each one for stale before the next."""
    return replace(site, timing=replace(site.timing, stale_after_s=max(site.timing.stale_after_s, 3.0 * every_s)))


def _supervised(site: Site) -> Site:
    """No plant has schedules of its own: what would be delegated is written by the core."""
    zones = {name: replace(zone, steering=Steering.SUPERVISE, delegate=None) for name, zone in site.zones.items()}
    return replace(site, zones=zones)


def _commandable(spec: object) -> bool:
    return isinstance(spec, BacnetPoint) and spec.commandable


def _moved(known: Reading | Fault, seen: Reading | Fault) -> bool:
    if isinstance(known, Fault) or isinstance(seen, Fault):
        return type(known) is not type(seen)
    return known.slots != seen.slots or abs(seen.value - known.value) >= RESOLUTION


def _update(known: dict[_K, _V], news: Mapping[_K, _V | None]) -> None:
    for key, value in news.items():
        if value is None:
            known.pop(key, None)
        else:
            known[key] = value
