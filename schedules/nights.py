"""The night, 12:00 of its date to 12:00 of the next, local time, and local clock times as instants.

Daylight saving by rule: a clock time inside the gap is the first valid instant after it; one that occurs twice
is the first of the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

NOON = time(12)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Two instants (aware UTC); ``start`` is inside, ``end`` is not."""

    start: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end

    @property
    def is_empty(self) -> bool:
        """Whether no instant lies inside."""
        return self.start >= self.end

    @property
    def length(self) -> timedelta:
        """From start to end."""
        return self.end - self.start

    def within(self, other: Span) -> Span:
        """What lies in both; empty where they do not overlap."""
        return Span(max(self.start, other.start), min(self.end, other.end))


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """``spans``, in the order of their starts, with those that touch or overlap as one."""
    found: list[Span] = []
    for span in spans:
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return tuple(found)


@lru_cache(maxsize=4096)
def at_local(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant (aware UTC) of the naive clock time ``at`` on ``day`` in ``zone``, by the rule above."""
    first = datetime.combine(day, at, zone)
    later = first.replace(fold=1)
    before, after = first.utcoffset(), later.utcoffset()
    if before is None or after is None or before >= after:
        return first.astimezone(UTC)
    return _end_of_gap(later.astimezone(UTC), first.astimezone(UTC), zone)


def noon(day: date, zone: ZoneInfo) -> datetime:
    """Where the night of ``day`` begins: 12:00 local time, aware UTC."""
    return at_local(day, NOON, zone)


def night_span(day: date, zone: ZoneInfo) -> Span:
    """The whole night of ``day``: 23 to 25 hours."""
    return Span(noon(day, zone), noon(day + DAY, zone))


def night_of(at: datetime, zone: ZoneInfo) -> date:
    """The date of the evening whose night (noon to noon, local) holds the aware instant ``at``."""
    local = at.astimezone(zone)
    return local.date() if local.hour >= NOON.hour else local.date() - DAY


def _end_of_gap(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    """The instant between two UTC instants at which the zone's offset changes, to the second."""
    before = early.astimezone(zone).utcoffset()
    low, high = 0, int((late - early).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (early + timedelta(seconds=middle)).astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return early + timedelta(seconds=high)
