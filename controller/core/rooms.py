"""What the core remembers of a heated zone and of a heat generator between two cycles, besides what was last read.

Data alone: each control function of ``controller.core.heating`` keeps its own part here, and all of it may be lost at
a restart. What must survive one is kept as a document (``Draft.keep``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from config.delegated import Compiled
from controller.core.commands import Stretch
from controller.core.warmth import Warmup
from drivers.timetable import Agenda

TRACE_EVERY = timedelta(minutes=1)
TRACE_FOR = timedelta(minutes=90)


@dataclass(frozen=True, slots=True)
class Trace:
    """The latest good temperatures of a room, degrees C, at most one a minute; the oldest first."""

    points: tuple[tuple[datetime, float], ...] = ()

    def with_reading(self, at: datetime, value_c: float) -> Trace:
        """The trace with one more; the very same object while a minute has not passed."""
        if self.points and timedelta() <= at - self.points[-1][0] < TRACE_EVERY:
            return self
        kept = tuple(point for point in self.points if timedelta() < at - point[0] <= TRACE_FOR)
        return Trace((*kept, (at, value_c)))

    def slope_k_h(self, at: datetime, over: timedelta) -> float | None:
        """How fast it rises by least squares over the span before ``at``; None with less than half of it known."""
        seen = [((when - at) / timedelta(hours=1), value) for when, value in self.points if at - when <= over]
        if len(seen) < 3 or (seen[-1][0] - seen[0][0]) * timedelta(hours=1) < over / 2:
            return None
        mean_t = sum(t for t, _ in seen) / len(seen)
        mean_v = sum(v for _, v in seen) / len(seen)
        spread = sum((t - mean_t) ** 2 for t, _ in seen)
        return sum((t - mean_t) * (v - mean_v) for t, v in seen) / spread


class Sync(StrEnum):
    """How a controller's own schedule stands to the plan."""

    PENDING = "pending"
    """Not yet known, or a new plan is on its way."""
    IN_SYNC = "in-sync"
    DRIFTED = "drifted"
    """Somebody else changed it."""
    REFUSED = "refused"
    """The controller does not take it, or cannot be read."""


@dataclass(frozen=True, slots=True)
class Delegated:
    """The plan of a zone that its controller holds; ``day`` is the local day that ``held_today`` is about."""

    compiled: Compiled
    day: date
    held_today: bool
    compiled_at: datetime
    next_at: datetime
    """When the controller is asked next, with a push where ``push``."""
    push: bool = False
    sync: Sync = Sync.PENDING
    detail: str = ""
    in_flight: datetime | None = None
    """Until when an answer is waited for."""
    checked: datetime | None = None
    pushed: datetime | None = None
    sent: Agenda | None = None
    """What the last push asked for."""
    otherwise: str = ""
    """The digest of what it made of the plan, while it takes that and holds something else; empty: it does not."""
    failures: int = 0

    def brought_back(self, now: datetime) -> Delegated:
        """The same after a clock that was ahead: nothing waits for its instants."""
        return replace(self, checked=_earlier(self.checked, now), pushed=_earlier(self.pushed, now))


@dataclass(frozen=True, slots=True)
class Opened:
    """A window that is taken for open."""

    since: datetime
    slope_k_h: float
    """How fast the room fell when it was noticed."""


@dataclass(frozen=True, slots=True)
class Attendance:
    """What the detector of a room has said without a break since an instant."""

    present: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class Shed:
    """A zone that gives up heat for a signal."""

    level: int
    reduce_k: float
    since: datetime


@dataclass(frozen=True, slots=True)
class Swing:
    """Between what a temperature has moved since one began to look; degrees C."""

    lowest_c: float = math.inf
    highest_c: float = -math.inf

    @property
    def span_k(self) -> float:
        return max(0.0, self.highest_c - self.lowest_c)

    def taking(self, value_c: float | None) -> Swing:
        if value_c is None or self.lowest_c <= value_c <= self.highest_c:
            return self
        return Swing(min(self.lowest_c, value_c), max(self.highest_c, value_c))


@dataclass(frozen=True, slots=True)
class SensorWatch:
    """What the judgement of a room sensor rests on; temperatures degrees C."""

    at: datetime | None = None
    """When it was last read."""
    value_c: float = 0.0
    jumped: datetime | None = None
    """When it last jumped and has not been believed since."""
    before_c: float = 0.0
    flat_since: datetime | None = None
    flat_c: float = 0.0
    elsewhere: Swing = field(default_factory=Swing)
    """The mean of the building's other zones, since it became flat."""
    wanted: Swing = field(default_factory=Swing)
    """Its own setpoint, since then."""
    bad: str = ""
    """Why it is not believed; empty: it is."""


@dataclass(frozen=True, slots=True)
class HeatWatch:
    """Since when a room has asked for heat, and since when nothing should have warmed it."""

    asking: datetime | None = None
    asking_c: float = 0.0
    """How warm it was then."""
    shut: datetime | None = None
    shut_c: float = 0.0
    """How warm it was then, the afterglow of its radiators included."""


@dataclass(frozen=True, slots=True)
class Room:
    """One zone."""

    trace: Trace = Trace()
    delegated: Delegated | None = None
    sensor: SensorWatch = SensorWatch()
    heat: HeatWatch = HeatWatch()
    warmup: Warmup = field(default_factory=Warmup)
    frost_since: datetime | None = None
    """Frost protection acts since then."""
    blind_since: datetime | None = None
    """Its temperature has not been good since then."""
    wanted_since: datetime | None = None
    """Heat has been wanted without a break since then: what fell before says nothing of a window."""
    window: Opened | None = None
    window_locked_until: datetime | None = None
    attendance: Attendance | None = None
    """None while nothing good is heard of its detector, or it has none."""
    shed: Shed | None = None
    rests_until: datetime | None = None
    """It was shed for as long as one may be, and is left in peace until then."""
    returned: datetime | None = None
    """When it last came back in its turn from being shed."""

    def brought_back(self, now: datetime) -> Room:
        """The room after the clock was set back to ``now``: of what has an instant only a danger of frost stays."""
        return replace(
            self, trace=Trace(), sensor=SensorWatch(), heat=HeatWatch(), frost_since=_earlier(self.frost_since, now),
            blind_since=None, wanted_since=None, window=None, window_locked_until=None, attendance=None, shed=None,
            rests_until=None, returned=None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Damped:
    """A temperature behind a low-pass filter, degrees C, as it was at an instant."""

    value_c: float
    at: datetime


@dataclass(frozen=True, slots=True)
class WaterDay:
    """Domestic hot water on one day of the site: what the log against legionella is judged by."""

    day: date
    at: datetime
    """When the storage was last read."""
    hot_since: datetime | None = None
    """Since when the storage has been hot enough without a break."""
    hot_for: timedelta = timedelta()
    """The longest such span that ended or goes on today."""
    hottest_c: float | None = None
    coolest_c: float | None = None
    """The lowest temperature in the distribution."""


@dataclass(frozen=True, slots=True)
class Lead:
    """One commanded point of a generator: the value, the reason, a limit that holds it, and what it was before."""

    value: float
    reason: str
    since: datetime
    limit: str = ""
    """Why the value is still what it was, against ``reason``; empty: nothing holds it."""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlantMemory:
    """One building's heat generator."""

    outdoor: Damped | None = None
    """The outdoor temperature damped over the time constant of the heating curve (12 h where there is none)."""
    trusted: datetime | None = None
    """When the outdoor sensor last had a good value; when we began where it never had."""
    lost: bool = False
    """Its value is missing for so long that nothing is steered by it any more."""
    summer: bool = False
    calling: frozenset[str] = frozenset()
    """The zones that want heat now, by id."""
    boiler: Lead | None = None
    supply: Lead | None = None
    pump: Lead | None = None
    backup: Lead | None = None
    starts: tuple[datetime, ...] = ()
    """When the generator was last told to run, within the last hour."""
    pump_ran: datetime | None = None
    """When the pump last stood after a run, or the last instant that it was seen to run."""
    begun: datetime | None = None
    """When we began; nothing is decided while everything is still to be heard for the first time."""
    judged: datetime | None = None
    saved: datetime | None = None
    water: WaterDay | None = None
    water_hot: datetime | None = None
    """The last instant at which the storage had been hot for long enough."""
    shock_before: datetime | None = None
    """The opening before which a thermal shock was asked for."""

    def brought_back(self, now: datetime) -> PlantMemory:
        """The memory after the clock was set back to ``now``: no least time may last until an instant of before."""
        return replace(
            self,
            outdoor=None if self.outdoor is None else replace(self.outdoor, at=min(self.outdoor.at, now)),
            boiler=_no_later(self.boiler, now), supply=_no_later(self.supply, now),
            pump=_no_later(self.pump, now), backup=_no_later(self.backup, now),
            trusted=_earlier(self.trusted, now), pump_ran=_earlier(self.pump_ran, now),
            begun=_earlier(self.begun, now), water_hot=_earlier(self.water_hot, now),
            starts=(), judged=None, saved=None, water=None, shock_before=None,
        )  # fmt: skip


def _earlier(at: datetime | None, now: datetime) -> datetime | None:
    return None if at is None else min(at, now)


def _no_later(lead: Lead | None, now: datetime) -> Lead | None:
    return None if lead is None else replace(lead, since=min(lead.since, now), until=_earlier(lead.until, now))


@dataclass(frozen=True, slots=True)
class SignalState:
    """What a signal has said: stretches in the order of time that do not overlap; between them its level is 0."""

    stretches: tuple[Stretch, ...] = ()

    def at(self, now: datetime) -> Stretch | None:
        """The stretch in force; None: nothing is asked of anybody."""
        return next((each for each in self.stretches if each.since <= now < each.until), None)

    def next_change(self, now: datetime) -> datetime | None:
        """When a stretch begins or ends next."""
        return min((edge for each in self.stretches for edge in (each.since, each.until) if edge > now), default=None)

    def heard(self, since: datetime, stretches: Sequence[Stretch], now: datetime) -> SignalState:
        """After a message that speaks for all the time from ``since`` on; what stood before that stays."""
        before = (replace(each, until=min(each.until, since)) for each in self.stretches if each.since < since)
        return SignalState(tuple(each for each in (*before, *stretches) if each.until > now))
