"""When a building is occupied: weekly hours, closed days, dated exceptions. Local time in, aware UTC out.

Precedence as in a BACnet Schedule object: outside the effective period nobody is there; within it exceptions beat
the weekly hours, by their priority and then in the order of the files (schedules.exceptions). The closed calendars
are exceptions too, at a priority of their own, behind the dated ones that are equal to them.

Hours over midnight belong to the day on which they start: a closed Saturday does not cut Friday's 22:00-02:00
short, and a closed Friday drops it whole; only the end of the effective period cuts at midnight. Daylight saving
follows schedules.nights.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from schedules.calendars import Calendar, weekday_words
from schedules.exceptions import (
    ALWAYS,
    CLOSED_PRIORITY,
    WHOLE_DAY,
    DatedException,
    Effective,
    Extent,
    Interval,
    OccupancyError,
    Precedence,
    Weekly,
    parse_interval,
    parse_weekly,
)
from schedules.nights import at_local, noon

__all__ = [
    "HORIZON_DAYS", "MORNING", "OUTSIDE_HOURS", "WHOLE_DAY", "DatedException", "Effective", "Extent", "Interval",
    "Occupancy", "OccupancyError", "Presence", "Weekly", "closing_of_night", "evaluate", "next_opening",
    "opening_after", "opening_of_night", "parse_interval", "parse_weekly",
]  # fmt: skip

HORIZON_DAYS = 400
"""How far a search for the end of a presence or vacancy goes, in days; more than a school year."""
MORNING = time(3)
"""A presence that begins before this belongs to the evening, however long it lasts, one that begins later to the
morning: a bar's 22:00-04:30 closes an evening, a bakery's 04:00-13:00 opens a morning."""
OUTSIDE_HOURS = "outside the weekly hours"

_DAY = timedelta(days=1)
_MIDNIGHT = time(0)
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, eq=False)
class Occupancy:
    """Compared by identity, which makes it a cheap key; a reload builds new ones."""

    id: str
    weekly: Weekly
    closed: tuple[Calendar, ...]
    exceptions: tuple[DatedException, ...]
    zone: ZoneInfo
    effective: Effective = ALWAYS
    closed_priority: int = CLOSED_PRIORITY
    """How strong the closed calendars are among the exceptions, 1 to 16; a lower number beats them."""
    extents: tuple[Extent, ...] = ()
    """How far the files of its exceptions reach, where they say so."""
    _precedence: Precedence = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_precedence", Precedence(self.exceptions))

    def starting_on(self, day: date) -> Iterator[tuple[int, DatedException]]:
        """The exceptions whose hours start on ``day`` and that no closed calendar beats, with their ranks."""
        if not self.effective.holds_on(day):
            return
        for rank, exception in self._precedence.starting_on(day):
            if exception.priority <= self.closed_priority or _closed(self, day) is None:
                yield rank, exception


@dataclass(frozen=True, slots=True)
class Presence:
    """Occupied or vacant from ``since`` to before ``until`` (aware UTC), the whole stretch around an instant.

    ``reason`` names everything that shaped the stretch. An end beyond the horizon stands at its edge.
    """

    occupied: bool
    since: datetime
    until: datetime
    reason: str
    bounded: bool = True
    """Whether ``until`` is a real change and not the edge of the horizon."""


@dataclass(frozen=True, slots=True)
class _Run:
    """A stretch within one local day; ``reasons`` in the order of time."""

    occupied: bool
    since: datetime
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Span:
    """One opening or exception as instants, start included, end not."""

    start: datetime
    end: datetime
    occupied: bool
    reason: str


def evaluate(occupancy: Occupancy, at: datetime) -> Presence:
    """Whether the building is occupied at the aware instant ``at``, with the whole stretch around it."""
    presences, starts = _presences(occupancy, at.astimezone(occupancy.zone).date())
    return presences[max(bisect_right(starts, at) - 1, 0)]


def next_opening(occupancy: Occupancy, at: datetime) -> datetime | None:
    """The first beginning of a presence after ``at``, None where the horizon knows none."""
    return opening_after(occupancy, evaluate(occupancy, at))


def opening_after(occupancy: Occupancy, presence: Presence) -> datetime | None:
    """The first beginning of a presence after the stretch ``presence`` began, None where none is known."""
    if presence.occupied and presence.bounded:
        presence = evaluate(occupancy, presence.until)
    return presence.until if presence.bounded and not presence.occupied else None


def closing_of_night(occupancy: Occupancy, night: date) -> datetime:
    """The end of the last presence that began before the morning (03:00 local) that ends the night of ``night``.

    Where nobody came that evening it lies before the night, when the building was last left; where the building
    does not close, after it.
    """
    presence = evaluate(occupancy, _before_morning(occupancy, night))
    return presence.until if presence.occupied else presence.since


def opening_of_night(occupancy: Occupancy, night: date) -> datetime | None:
    """The first beginning of a presence from the morning (03:00 local) of the night to its noon, None without one."""
    opening = next_opening(occupancy, _before_morning(occupancy, night))
    return opening if opening and opening < noon(night + _DAY, occupancy.zone) else None


def _before_morning(occupancy: Occupancy, night: date) -> datetime:
    return at_local(night + _DAY, MORNING, occupancy.zone) - _INSTANT


@lru_cache(maxsize=8192)
def _presences(occupancy: Occupancy, day: date) -> tuple[tuple[Presence, ...], tuple[datetime, ...]]:
    """The stretches that touch the local day, whole, and when each begins."""
    runs = _runs(occupancy, day)
    before, since = _reach_back(occupancy, day, runs[0])
    after, until, bounded = _reach_forward(occupancy, day, runs[-1])
    found = []
    for index, run in enumerate(runs):
        is_last = index + 1 == len(runs)
        reasons = (*(before if index == 0 else ()), *run.reasons, *(after if is_last else ()))
        found.append(
            Presence(
                run.occupied,
                since if index == 0 else run.since,
                until if is_last else runs[index + 1].since,
                ", ".join(dict.fromkeys(reasons)) or OUTSIDE_HOURS,
                bounded if is_last else True,
            )
        )
    return tuple(found), tuple(presence.since for presence in found)


def _reach_back(occupancy: Occupancy, day: date, run: _Run) -> tuple[tuple[str, ...], datetime]:
    """The reasons of earlier days for the same stretch and when it began."""
    reasons: tuple[str, ...] = ()
    since = run.since
    for back in range(1, HORIZON_DAYS + 1):
        earlier = _runs(occupancy, day - _DAY * back)
        if earlier[-1].occupied != run.occupied:
            break
        reasons, since = (*earlier[-1].reasons, *reasons), earlier[-1].since
        if len(earlier) > 1:
            break
    return reasons, since


def _reach_forward(occupancy: Occupancy, day: date, run: _Run) -> tuple[tuple[str, ...], datetime, bool]:
    """The reasons of later days for the same stretch, when it ends, and whether that is a real end."""
    reasons: tuple[str, ...] = ()
    for ahead in range(1, HORIZON_DAYS + 1):
        later = _runs(occupancy, day + _DAY * ahead)
        if later[0].occupied != run.occupied:
            return reasons, later[0].since, True
        reasons += later[0].reasons
        if len(later) > 1:
            return reasons, later[1].since, True
    return reasons, at_local(day + _DAY * (HORIZON_DAYS + 1), _MIDNIGHT, occupancy.zone), False


@lru_cache(maxsize=32_768)
def _runs(occupancy: Occupancy, day: date) -> tuple[_Run, ...]:
    """The local day cut where occupied changes; the first run starts at its midnight."""
    start = at_local(day, _MIDNIGHT, occupancy.zone)
    if not occupancy.effective.holds_on(day):
        return (_Run(False, start, (f"outside the effective period {occupancy.effective}",)),)
    end = at_local(day + _DAY, _MIDNIGHT, occupancy.zone)
    spans = [*_exceptions(occupancy, day), *_openings(occupancy, day)]
    edges = {start, *(edge for span in spans for edge in (span.start, span.end) if start < edge < end)}
    closed = _closed(occupancy, day)
    runs: list[_Run] = []
    for edge in sorted(edges):
        span = next((span for span in spans if span.start <= edge < span.end), None)
        occupied = span is not None and span.occupied
        reason = closed if span is None else span.reason
        reasons = (reason,) if reason else ()
        if runs and runs[-1].occupied == occupied:
            runs[-1] = _Run(occupied, runs[-1].since, (*runs[-1].reasons, *reasons))
        else:
            runs.append(_Run(occupied, edge, reasons))
    return tuple(runs)


def _exceptions(occupancy: Occupancy, day: date) -> list[_Span]:
    """The exceptions that reach into ``day``, in the order of precedence."""
    ranked = [
        (rank, started, exception)
        for started in (day - _DAY, day)
        for rank, exception in occupancy.starting_on(started)
    ]
    ranked.sort(key=lambda each: each[:2])
    return [
        _span(started, each.interval or WHOLE_DAY, occupancy.zone, bool(each.occupied), each.reason(started))
        for _, started, each in ranked
    ]


def _openings(occupancy: Occupancy, day: date) -> Iterator[_Span]:
    """The weekly hours that reach into ``day``, without those of a closed day."""
    for started in (day - _DAY, day):
        if occupancy.effective.holds_on(started) and _closed(occupancy, started) is None:
            for interval in occupancy.weekly.get(started.weekday(), ()):
                reason = f"weekly {_weekdays_of(occupancy.weekly, interval)} {interval}"
                yield _span(started, interval, occupancy.zone, True, reason)


def _span(day: date, interval: Interval, zone: ZoneInfo, occupied: bool, reason: str) -> _Span:
    last_day = day if interval.start < interval.end else day + _DAY
    return _Span(at_local(day, interval.start, zone), at_local(last_day, interval.end, zone), occupied, reason)


def _closed(occupancy: Occupancy, day: date) -> str | None:
    for calendar in occupancy.closed:
        label = calendar.label_on(day)
        if label is not None:
            return f"closed: {calendar.id}: {label}" if label else f"closed: {calendar.id}"
    return None


def _weekdays_of(weekly: Weekly, interval: Interval) -> str:
    return weekday_words(day for day, intervals in weekly.items() if interval in intervals)
