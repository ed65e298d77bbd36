"""Nights as rows of the wall clock, noon to noon, and what a row shows where the clock is changed.

Across a row runs the wall clock in minutes after noon, 0 to 1440; downwards one night is two units. On the night whose
clock is set back one hour occurs twice: its row is two bands, the first pass above, the second below. On the night
whose clock is set forward the hour that does not exist stays bare.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from schedules.moments import noon

MINUTES = 1440
NIGHT = 2
"""Height of a night: two halves, for the hour that occurs twice."""
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class ClockChange:
    """At the aware instant ``at`` the wall clock jumps by ``shift``, forward where it is positive."""

    at: datetime
    shift: timedelta


@dataclass(frozen=True, slots=True)
class Night:
    """One row: the night that begins at noon of ``day``, aware UTC from ``start`` to ``end``."""

    day: date
    row: int
    start: datetime
    end: datetime
    change: ClockChange | None = None

    @property
    def length(self) -> timedelta:
        """From noon to noon: 24 hours, 23 or 25 where the clock is changed."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Stretch:
    """From ``start`` to before ``end`` (aware UTC) the value is ``value``."""

    start: datetime
    end: datetime
    value: Hashable


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of one band: from ``left`` to ``right`` in minutes of the wall clock after noon."""

    left: int
    right: int
    value: Hashable


@dataclass(frozen=True, slots=True)
class Band:
    """What one row shows, or one half of it."""

    top: int
    height: int
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """From ``start`` to ``end`` the wall clock runs on from ``minute`` after noon."""

    start: datetime
    end: datetime
    minute: float


def nights_from(first: date, count: int, zone: ZoneInfo) -> list[Night]:
    """``count`` nights, the first one that of ``first``."""
    found = []
    for row in range(count):
        day = first + row * _DAY
        start, end = noon(day, zone), noon(day + _DAY, zone)
        found.append(Night(day, row, start, end, _change(start, end, zone)))
    return found


def bands(nights: Iterable[Night], stretches: Sequence[Stretch]) -> list[Band]:
    """The rows of ``nights``; ``stretches`` in the order of time, without overlaps, gaps allowed."""
    starts = [stretch.start for stretch in stretches]
    found = []
    for night in nights:
        halves = _halves(night)
        height = NIGHT // len(halves)
        for half, pieces in enumerate(halves):
            runs = _merged(run for piece in pieces for run in _runs(piece, starts, stretches))
            found.append(Band(NIGHT * night.row + half * height, height, runs))
    return found


def wall_minute(at: datetime, night: Night, zone: ZoneInfo) -> float:
    """Minutes of the wall clock from noon of ``night`` to ``at``, below 0 or above 1440 for an instant outside."""
    here, there = (instant.astimezone(zone).replace(tzinfo=None) for instant in (at, night.start))
    return (here - there) / _MINUTE


def missing_hour(night: Night) -> tuple[int, int] | None:
    """The minutes that the wall clock leaps over in ``night``, None where it leaps over none."""
    if night.change is None or night.change.shift < timedelta():
        return None
    left = (night.change.at - night.start) / _MINUTE
    return round(left), round(left + night.change.shift / _MINUTE)


def clipped(stretches: Sequence[Stretch], start: datetime, end: datetime) -> list[Stretch]:
    """The part of ``stretches`` between ``start`` and ``end``."""
    index = max(0, bisect_right(stretches, start, key=lambda stretch: stretch.start) - 1)
    found = []
    while index < len(stretches) and stretches[index].start < end:
        each = stretches[index]
        if each.end > start:
            found.append(Stretch(max(each.start, start), min(each.end, end), each.value))
        index += 1
    return found


def _change(start: datetime, end: datetime, zone: ZoneInfo) -> ClockChange | None:
    """The change of the offset between two noons, to the second."""
    before, after = (at.astimezone(zone).utcoffset() or timedelta() for at in (start, end))
    if before == after:
        return None
    low, high = 0, round((end - start) / _SECOND)
    while high - low > 1:
        middle = (low + high) // 2
        if (start + middle * _SECOND).astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return ClockChange(start + high * _SECOND, after - before)


def _halves(night: Night) -> tuple[tuple[_Piece, ...], ...]:
    if night.change is None:
        return ((_Piece(night.start, night.end, 0.0),),)
    at, shift = night.change.at, night.change.shift
    elapsed = (at - night.start) / _MINUTE
    after = elapsed + shift / _MINUTE
    if shift > timedelta():
        return ((_Piece(night.start, at, 0.0), _Piece(at, night.end, after)),)
    first = (_Piece(night.start, at, 0.0), _Piece(at - shift, night.end, elapsed))
    second = (_Piece(night.start, at + shift, 0.0), _Piece(at, night.end, after))
    return first, second


def _runs(piece: _Piece, starts: Sequence[datetime], stretches: Sequence[Stretch]) -> Iterable[Run]:
    index = max(0, bisect_right(starts, piece.start) - 1)
    while index < len(stretches) and starts[index] < piece.end:
        each = stretches[index]
        left, right = _minute(piece, max(each.start, piece.start)), _minute(piece, min(each.end, piece.end))
        if left < right:
            yield Run(left, right, each.value)
        index += 1


def _minute(piece: _Piece, at: datetime) -> int:
    return min(MINUTES, max(0, round(piece.minute + (at - piece.start) / _MINUTE)))


def _merged(runs: Iterable[Run]) -> tuple[Run, ...]:
    kept: list[Run] = []
    for run in runs:
        if kept and kept[-1].value == run.value and kept[-1].right == run.left:
            kept[-1] = Run(kept[-1].left, run.right, run.value)
        else:
            kept.append(run)
    return tuple(kept)
