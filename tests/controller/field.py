"""A field for the core: devices that hold what is written and answer with it, in virtual time and without a wire."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from controller.core.counting import ALIVE
from controller.core.cycle import Input, begin, cycle
from controller.core.journal import Journal, Saved
from controller.core.state import CommandResult, Event, State, Step
from controller.core.wiring import Wiring
from drivers.api import Outcome, PointId, Quality, Reading, Silence, Write, WriteResult

_MINUTE, _LONG_STEP, _BY_THE_MINUTE = timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15)
_ROOM, _ROOM_C = re.compile(r"zone\.\d+\.temperature"), 19.0
"""Rooms are warm unless a test says otherwise."""
Answer = Callable[[Write], WriteResult | None]


@dataclass
class Field:
    """Drives the core over a Wiring: ``held`` is what the devices hold by (device, point)."""

    wiring: Wiring
    now: datetime
    held: dict[tuple[str, str], float] = field(default_factory=dict)
    slots: dict[tuple[str, str], dict[int, float]] = field(default_factory=dict)
    pinned: dict[tuple[str, str], float] = field(default_factory=dict)
    """What a broken device shows whatever is written."""
    doubtful: set[tuple[str, str]] = field(default_factory=set)
    """What its device marks as overridden or out of service."""
    silent: set[str] = field(default_factory=set)
    steps: list[Step] = field(default_factory=list)
    refuse: Answer | None = None

    def start(self, saved: Saved | None = None) -> None:
        """Begin the core and let every device answer for the first time."""
        for device in self.wiring.site.devices.values():
            for point in device.points:
                self.held.setdefault((device.id, point), _ROOM_C if _ROOM.fullmatch(point) else 0.0)
        self.take(begin(self.wiring, saved or Saved(), self.now))
        self.poll()

    @property
    def state(self) -> State:
        return self.steps[-1].state

    @property
    def events(self) -> list[Event]:
        return [event for step in self.steps for event in step.events]

    @property
    def results(self) -> list[CommandResult]:
        return [result for step in self.steps for result in step.results]

    def saved(self) -> Saved:
        """What the store would give back after a power cut at this instant."""
        journal = Journal()
        for step in self.steps:
            journal = journal.then(step.journal)
        return Saved(
            overrides={key: each for key, each in journal.overrides.items() if each is not None},
            command_ids=journal.command_ids,
            counters={**journal.counters, ALIVE: self.state.at.timestamp()},
            ledgers={group: each for group, each in journal.ledgers.items() if each is not None},
            kept={name: each for name, each in journal.kept.items() if each is not None},
            seal=next((record.sha256 for record in reversed(journal.records) if record.kind == "night"), ""),
        )

    def writes_of(self, device: str) -> list[Write]:
        """Every write that went to one device so far."""
        return [write for step in self.steps for write in step.writes if write.point.device == device]

    def value(self, device: str, point: str) -> float:
        """What a device holds."""
        return self.held[device, point]

    def feed(self, *inbox: Input) -> None:
        """One cycle with these inputs."""
        self.take(cycle(self.wiring, self.state, inbox, self.now))

    def advance(self, span: timedelta, every: timedelta = timedelta(minutes=1)) -> None:
        """Let time pass; the devices answer every so often."""
        end = self.now + span
        while self.now < end:
            self.now = min(self.now + every, end)
            self.poll()

    def until(self, instant: datetime, every: timedelta | None = None) -> None:
        """Let time pass until an instant; without ``every`` in long steps first, and by the minute at the end."""
        if every is None and instant - self.now > _BY_THE_MINUTE:
            self.advance(instant - self.now - _BY_THE_MINUTE, _LONG_STEP)
        self.advance(instant - self.now, every or _MINUTE)

    def poll(self) -> None:
        """Every device answers with all its points, a silent one with silence."""
        inbox: list[Input] = []
        for device in self.wiring.site.devices.values():
            if device.id in self.silent:
                inbox.append(Silence(device.id, "no answer", self.now))
                continue
            inbox.extend(self.reading(device.id, point) for point in device.points)
        self.feed(*inbox)

    def reading(self, device: str, point: str) -> Reading:
        place = (device, point)
        array = self.slots.get(place)
        slots = tuple(sorted(array.items())) if array else ()
        value = slots[0][1] if slots else self.pinned.get(place, self.held[place])
        quality = Quality.UNCERTAIN if place in self.doubtful else Quality.GOOD
        return Reading(_point(device, point), value, self.now, quality, slots)

    def take(self, step: Step) -> None:
        """Execute a step's writes as the devices would and give the outcomes back at once."""
        self.steps.append(step)
        results = [self._written(write) for write in step.writes if write.point.device not in self.silent]
        if results:
            self.take(cycle(self.wiring, self.state, results, self.now))

    def _written(self, write: Write) -> WriteResult:
        refused = self.refuse(write) if self.refuse is not None else None
        if refused is not None:
            return refused
        place = (write.point.device, write.point.point)
        target = self.wiring.commanded.get(place)
        if target is None or target.prioritised:
            array = self.slots.setdefault(place, {})
            if write.value is None:
                array.pop(write.priority, None)
            else:
                array[write.priority] = write.value
            above = min(array, default=17)
            seen = self.reading(*place)
            if above < write.priority and write.value is not None:
                return WriteResult(write, Outcome.MASKED, self.now, seen, masked_by=above)
            return WriteResult(write, Outcome.APPLIED, self.now, seen)
        assert write.value is not None
        self.held[place] = write.value
        self._behave(place, write.value)
        return WriteResult(write, Outcome.APPLIED, self.now, self.reading(*place))

    def _behave(self, place: tuple[str, str], value: float) -> None:
        """What a sound cabinet does: contacts follow coils, levels follow commands, power follows levels."""
        device, point = place
        stem = point.rpartition(".")[0]
        if point.startswith("segment."):
            self.held[device, f"{stem}.feedback"] = value
        if point.startswith("lamp."):
            self.held[device, f"{stem}.level"] = value
            self.held[device, f"{stem}.power"] = 0.5 + 0.395 * value


@lru_cache(maxsize=65_536)
def _point(device: str, point: str) -> PointId:
    return PointId(device, point)


def masked(write: Write, now: datetime, by: int) -> WriteResult:
    """A write hidden by a stronger priority."""
    return WriteResult(write, Outcome.MASKED, now, masked_by=by)


def names(events: Sequence[Event]) -> list[str]:
    """The names of events in order."""
    return [event.name for event in events]
