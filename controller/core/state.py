"""What the core remembers between two cycles, and what a cycle gives back.

A State is never changed: a cycle works on a Draft, which copies a mapping when it first changes it, so that
a cycle in which nothing changes copies nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from heapq import heappop, heappush
from typing import NamedTuple

from controller.core.arbitration import PriorityArray, Slot
from controller.core.books import Books, merged
from controller.core.image import DeviceImage
from controller.core.journal import Journal, Override, Record
from controller.core.ledger import Ledger
from controller.core.metering.hourly import OpenHour
from controller.core.metering.rows import HourRow, MonthSpan
from controller.core.overlay import Overlay
from controller.core.rooms import PlantMemory, Room, SignalState
from controller.core.sensed import Ambience, Presence
from controller.core.traces import Feed, Flicker, PhaseTrace
from drivers.api import Errand, Write

_SPARE = 64
"""Outdated entries that a heap may carry beside as many as are due."""


class WriteState(StrEnum):
    """What a state topic says of the last write."""

    APPLIED = "applied"
    PENDING = "pending"
    MASKED = "masked"
    REJECTED = "rejected"
    NO_FEEDBACK = "no-feedback"


Slots = tuple[tuple[int, float | None], ...]
"""What a point shall hold: ``((13, 60.0),)``; on a prioritised point also ``(10, value or None)``."""


class Kept(NamedTuple):
    """What a device shows in place of what it was told: the value of each of our slots, or the point's alone."""

    values: tuple[float | None, ...]
    since_attempt: int


class Output(NamedTuple):
    """One commanded point: what is wanted of it and how far the wire has followed.

    A named tuple because at dusk every lamp of a town gets a new one.
    """

    slots: Slots
    since: datetime
    write: WriteState = WriteState.PENDING
    detail: str = ""
    masked_by: int | None = None
    attempts: int = 0
    in_flight: datetime | None = None
    not_before: datetime | None = None
    reassert: bool = False
    """The device was away: write on its return even where the register still shows our value."""
    command_id: str = ""
    """The command whose result is owed once this output is settled."""
    held: float | None = None
    """What the device was last seen to hold; None before that, and on points with a priority array."""
    held_since: datetime | None = None
    kept: Kept | None = None
    """After a write without feedback."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One condition on its way: pending since ``since``, ``raised`` when it became an alarm, ``gone`` when it ended."""

    severity: str
    since: datetime
    raised: datetime | None = None
    gone: datetime | None = None
    value: float | None = None
    threshold: float | None = None
    detail: str = ""
    suppressed_by: str | None = None
    """The alarm that explains this one, ``kind/id/event``, or ``maintenance/<work order>``."""


AlarmKey = tuple[str, str]
"""``(kind/id, TALQ event)``."""


@dataclass(frozen=True, slots=True)
class Debt:
    """A command to a group: the targets whose write is still to be settled, and what became of the others."""

    target: str
    waiting: frozenset[str]
    outcomes: Mapping[str, int] = field(default_factory=dict)
    worst: str = ""
    """The first target that was not applied, and why."""


@dataclass(frozen=True, slots=True)
class State:
    """Everything the core knows. Keys are ``kind/id`` unless said otherwise."""

    at: datetime
    image: Mapping[str, DeviceImage] = field(default_factory=dict)
    demands: Mapping[str, Slot] = field(default_factory=dict)
    """The plan's wish by group id or ``zone/id``."""
    preheats: Mapping[str, Slot] = field(default_factory=dict)
    overrides: Mapping[str, Override] = field(default_factory=dict)
    """By target; the relight of one by ``relight/<target>``."""
    outputs: Mapping[str, Output] = field(default_factory=dict)
    alarms: Mapping[AlarmKey, Alarm] = field(default_factory=dict)
    alarmed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The events that may stand in ``alarms``, by ``kind/id``: the core's own, not those that a driver noticed."""
    feeds: Mapping[str, Feed] = field(default_factory=dict)
    flickers: Mapping[str, Flicker] = field(default_factory=dict)
    phases: Mapping[str, PhaseTrace] = field(default_factory=dict)
    counters: Mapping[str, float] = field(default_factory=dict)
    seen: Mapping[str, datetime] = field(default_factory=dict)
    """Ids of commands already executed or refused."""
    held: Mapping[str, float] = field(default_factory=dict)
    """BACnet slots that we occupy, ``device/point@priority``."""
    closings: Mapping[str, datetime] = field(default_factory=dict)
    """When a contactor of a staggered cabinet was last told to close, by cabinet."""
    debts: Mapping[str, Debt] = field(default_factory=dict)
    """Commands to groups whose result is owed, by the command's id."""
    ambients: Mapping[str, Ambience] = field(default_factory=dict)
    """By photocell id."""
    presences: Mapping[str, Presence] = field(default_factory=dict)
    """By sensor id, from the first detection until its hold has passed."""
    rooms: Mapping[str, Room] = field(default_factory=dict)
    """By zone id."""
    plants: Mapping[str, PlantMemory] = field(default_factory=dict)
    """By building id."""
    signals: Mapping[str, SignalState] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    """Documents that survive a restart (``Draft.keep``)."""
    hours: Mapping[str, OpenHour] = field(default_factory=dict)
    """The hour in progress of every zone and building."""
    due: Mapping[str, datetime] = field(default_factory=dict)
    heap: tuple[tuple[datetime, str], ...] = ()
    night: date | None = None
    """The evening's date of the night that the accounts are in."""
    noon: Mapping[str, float] = field(default_factory=dict)
    """The counters as they were when that night began."""
    ledgers: Mapping[str, Ledger] = field(default_factory=dict)
    """Commanded against measured in that night, by group."""
    seal: str = ""
    """The hash of the record of the latest closed night."""


@dataclass(frozen=True, slots=True)
class Event:
    """One transition for the ``event`` topic and the log: ``name`` is constant, the rest are facts."""

    name: str
    target: str
    at: datetime
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The outcome of one command: applied, pending, masked, rejected, no-feedback or refused."""

    id: str
    target: str
    outcome: str
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """What one cycle decided. ``changed`` names the entities whose state topic may differ now."""

    state: State
    writes: tuple[Write, ...] = ()
    events: tuple[Event, ...] = ()
    results: tuple[CommandResult, ...] = ()
    changed: frozenset[str] = frozenset()
    alarms: frozenset[AlarmKey] = frozenset()
    journal: Journal = field(default_factory=Journal)
    next_due: datetime | None = None
    errands: tuple[Errand, ...] = ()
    """What is asked of the controllers' own Schedule objects."""

    def then(self, later: Step) -> Step:
        """This step and the next one as one."""
        return Step(
            state=later.state,
            writes=self.writes + later.writes,
            events=self.events + later.events,
            results=self.results + later.results,
            changed=self.changed | later.changed,
            alarms=self.alarms | later.alarms,
            journal=self.journal.then(later.journal),
            next_due=later.next_due,
            errands=self.errands + later.errands,
        )


class Draft:
    """The workspace of one cycle over a State."""

    def __init__(self, state: State, now: datetime) -> None:
        self.now = now
        self.image: Overlay[str, DeviceImage] = Overlay(state.image)
        self.demands: Overlay[str, Slot] = Overlay(state.demands)
        self.preheats: Overlay[str, Slot] = Overlay(state.preheats)
        self.overrides: Overlay[str, Override] = Overlay(state.overrides)
        self.outputs: Overlay[str, Output] = Overlay(state.outputs)
        self.alarms: Overlay[AlarmKey, Alarm] = Overlay(state.alarms)
        self.alarmed: Overlay[str, tuple[str, ...]] = Overlay(state.alarmed)
        self.feeds: Overlay[str, Feed] = Overlay(state.feeds)
        self.flickers: Overlay[str, Flicker] = Overlay(state.flickers)
        self.phases: Overlay[str, PhaseTrace] = Overlay(state.phases)
        self.counters: Overlay[str, float] = Overlay(state.counters)
        self.seen: Overlay[str, datetime] = Overlay(state.seen)
        self.held: Overlay[str, float] = Overlay(state.held)
        self.closings: Overlay[str, datetime] = Overlay(state.closings)
        self.debts: Overlay[str, Debt] = Overlay(state.debts)
        self.ambients: Overlay[str, Ambience] = Overlay(state.ambients)
        self.presences: Overlay[str, Presence] = Overlay(state.presences)
        self.rooms: Overlay[str, Room] = Overlay(state.rooms)
        self.plants: Overlay[str, PlantMemory] = Overlay(state.plants)
        self.signals: Overlay[str, SignalState] = Overlay(state.signals)
        self.kept: Overlay[str, str] = Overlay(state.kept)
        self.hours: Overlay[str, OpenHour] = Overlay(state.hours)
        self.due: Overlay[str, datetime] = Overlay(state.due)
        self.night = state.night
        self.noon: Overlay[str, float] = Overlay(state.noon)
        self.seal = state.seal
        self.fed: dict[tuple[str, str], bool | None] = {}
        """Whether a contactor gives mains, by its device and contact, while many lamps are looked at."""
        self.touched_groups: set[str] = set()
        """Groups of which a wish for the whole changed in this cycle."""
        self.books = Books(state.ledgers)
        self._ledgers = state.ledgers
        self.arrays: dict[str, PriorityArray] = {}
        """What each group wants, as far as it was asked for in this cycle."""
        self.single: set[str] | None = None
        """The targets with a wish of their own; None: not known yet."""
        self.rearrange: set[str] = set()
        """Targets whose wishes changed in this cycle."""
        self.judged: set[str] = set()
        """Devices whose alarms were judged in this cycle."""
        self._open_outcome()
        self._open_journal()
        self._heap: list[tuple[datetime, str]] | None = None
        self._old_heap = state.heap

    def _open_outcome(self) -> None:
        self.changed: set[str] = set()
        self.alarm_changes: set[AlarmKey] = set()
        self.writes: list[Write] = []
        self.errands: list[Errand] = []
        self.events: list[Event] = []
        self.results: list[CommandResult] = []

    def _open_journal(self) -> None:
        self.journal_overrides: dict[str, Override | None] = {}
        self.journal_ids: dict[str, datetime] = {}
        self.journal_counters: dict[str, float] = {}
        self.journal_held: dict[str, float | None] = {}
        self.journal_kept: dict[str, str | None] = {}
        self.records: list[Record] = []
        self.journal_hours: dict[str, OpenHour | None] = {}
        self.closed_hours: list[HourRow] = []
        self.closed_months: list[MonthSpan] = []

    def event(self, name: str, target: str, **facts: object) -> None:
        """Report one transition."""
        self.events.append(Event(name, target, self.now, facts))

    def keep(self, name: str, document: str | None) -> None:
        """Keep a document over a restart under a name of the caller's own; None: it is wanted no more."""
        if self.kept.get(name) == document:
            return
        if document is None:
            self.kept.drop(name)
        else:
            self.kept[name] = document
        self.journal_kept[name] = document

    def schedule(self, key: str, at: datetime | None) -> None:
        """``key`` is next due at ``at`` (None: not until something else happens)."""
        if at is None:
            self.due.drop(key)
        elif self.due.get(key) != at:
            self.due[key] = at
            heappush(self._own_heap(), (at, key))

    def take_due(self) -> list[str]:
        """Everything due by now, each key once, in order of its time."""
        taken = []
        while self.next_due is not None and self.next_due <= self.now:
            _, key = heappop(self._own_heap())
            self.due.drop(key)
            taken.append(key)
        return taken

    @property
    def next_due(self) -> datetime | None:
        """When something is due next; forgets outdated entries on the way."""
        heap: list[tuple[datetime, str]] | tuple[tuple[datetime, str], ...]
        heap = self._heap if self._heap is not None else self._old_heap
        while heap and self.due.get(heap[0][1]) != heap[0][0]:
            heap = self._own_heap()
            heappop(heap)
        return heap[0][0] if heap else None

    def _own_heap(self) -> list[tuple[datetime, str]]:
        if self._heap is None:
            self._heap = list(self._old_heap)
        return self._heap

    def _heap_over(self, due: Mapping[str, datetime]) -> tuple[tuple[datetime, str], ...]:
        """The heap for the next state: what was put off again and again is thrown out before it piles up."""
        if self._heap is None:
            return self._old_heap
        if len(self._heap) <= 2 * len(due) + _SPARE:
            return tuple(self._heap)
        return tuple(sorted((at, key) for key, at in due.items()))

    def finish(self) -> Step:
        """The step: the next state and everything that has to happen because of it."""
        next_due, due = self.next_due, self.due.merged()
        ledgers = self.books.changes()
        state = State(
            at=self.now,
            image=self.image.merged(),
            demands=self.demands.merged(),
            preheats=self.preheats.merged(),
            overrides=self.overrides.merged(),
            outputs=self.outputs.merged(),
            alarms=self.alarms.merged(),
            alarmed=self.alarmed.merged(),
            feeds=self.feeds.merged(),
            flickers=self.flickers.merged(),
            phases=self.phases.merged(),
            counters=self.counters.merged(),
            seen=self.seen.merged(),
            held=self.held.merged(),
            closings=self.closings.merged(),
            debts=self.debts.merged(),
            ambients=self.ambients.merged(),
            presences=self.presences.merged(),
            rooms=self.rooms.merged(),
            plants=self.plants.merged(),
            signals=self.signals.merged(),
            kept=self.kept.merged(),
            hours=self.hours.merged(),
            due=due,
            heap=self._heap_over(due),
            night=self.night,
            noon=self.noon.merged(),
            ledgers=merged(self._ledgers, ledgers),
            seal=self.seal,
        )
        return Step(
            state=state,
            writes=tuple(self.writes),
            events=tuple(self.events),
            results=tuple(self.results),
            changed=frozenset(self.changed),
            alarms=frozenset(self.alarm_changes),
            journal=self._journal(ledgers),
            next_due=next_due,
            errands=tuple(self.errands),
        )

    def _journal(self, ledgers: Mapping[str, Ledger | None]) -> Journal:
        return Journal(
            self.journal_overrides, self.journal_ids, self.journal_counters, self.journal_held,
            ledgers=ledgers, records=tuple(self.records), kept=self.journal_kept,
            open_hours=self.journal_hours, hours=tuple(self.closed_hours), months=tuple(self.closed_months),
        )  # fmt: skip
