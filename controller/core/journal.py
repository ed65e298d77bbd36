"""What must survive a power cut, as values: a step of the core says what changed, the store writes it down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from controller.core.ledger import Ledger
from controller.core.metering.hourly import OpenHour
from controller.core.metering.rows import HourRow, MonthSpan
from schedules.allures import Allure


@dataclass(frozen=True, slots=True)
class Override:
    """An operator's override in force; it always ends at ``until``. ``value`` is a level (%) or degrees C.

    With a ``work_order`` it is maintenance, and ``reason`` is meant for the public.
    """

    value: float
    since: datetime
    until: datetime
    reason: str
    by: str
    command_id: str
    allure: Allure | None = None
    note: str = ""
    """For the result that is still owed; not kept over a restart, where none is."""
    work_order: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One page about a closed night, for good: ``payload`` is canonical JSON, ``sha256`` its hash in hex."""

    kind: str
    """``proof`` of a group, ``accounts``, or ``night``, which seals them all."""
    night: str
    """The evening's date."""
    target: str
    sha256: str
    payload: str


@dataclass(frozen=True, slots=True)
class Journal:
    """Changes since the last step; keys of ``overrides`` are ``kind/id``, None means ended.

    ``counters`` are absolute values by name (``lamp/l-001/energy_kwh``). ``held`` are BACnet slots that we
    occupy, ``device/point@priority`` -> value, None when relinquished. ``learnt`` are a driver's facts of a device.
    """

    overrides: Mapping[str, Override | None] = field(default_factory=dict)
    command_ids: Mapping[str, datetime] = field(default_factory=dict)
    counters: Mapping[str, float] = field(default_factory=dict)
    held: Mapping[str, float | None] = field(default_factory=dict)
    learnt: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    ledgers: Mapping[str, Ledger | None] = field(default_factory=dict)
    """By group; they change often and may wait, like counters."""
    records: tuple[Record, ...] = ()
    kept: Mapping[str, str | None] = field(default_factory=dict)
    """Documents (JSON) that a function of the core keeps over a restart, by a name of its own; None: no more."""
    open_hours: Mapping[str, OpenHour | None] = field(default_factory=dict)
    """The hours in progress of zones and buildings by ``kind/id``; like ledgers they may wait."""
    hours: tuple[HourRow, ...] = ()
    months: tuple[MonthSpan, ...] = ()
    """Months to be added up from their hours, once ``hours`` are written."""

    def then(self, later: Journal) -> Journal:
        """Both as one; where they name the same thing the later one stands."""
        return Journal(
            {**self.overrides, **later.overrides},
            {**self.command_ids, **later.command_ids},
            {**self.counters, **later.counters},
            {**self.held, **later.held},
            {**self.learnt, **later.learnt},
            {**self.ledgers, **later.ledgers},
            self.records + later.records,
            {**self.kept, **later.kept},
            {**self.open_hours, **later.open_hours},
            self.hours + later.hours,
            self.months + later.months,
        )

    def __bool__(self) -> bool:
        small = self.overrides or self.command_ids or self.counters or self.held or self.learnt
        closed = self.records or self.hours or self.months
        return bool(small or self.ledgers or self.kept or self.open_hours or closed)

    @property
    def closes(self) -> bool:
        """Whether a night or an hour is over: what it was closed by goes to the disk with it, or not at all."""
        return bool(self.records or self.hours)


@dataclass(frozen=True, slots=True)
class Saved:
    """What the store gave back at the start."""

    overrides: Mapping[str, Override] = field(default_factory=dict)
    command_ids: Mapping[str, datetime] = field(default_factory=dict)
    counters: Mapping[str, float] = field(default_factory=dict)
    held: Mapping[str, float] = field(default_factory=dict)
    learnt: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    ledgers: Mapping[str, Ledger] = field(default_factory=dict)
    seal: str = ""
    """The hash of the latest night's record."""
    kept: Mapping[str, str] = field(default_factory=dict)
    open_hours: Mapping[str, OpenHour] = field(default_factory=dict)
