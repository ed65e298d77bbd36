"""Degree-days of heating (DJU): what a day was short of a base, in K.day, by three conventions.

``meteo`` takes the middle of the extremes, as the weather service does. ``costic`` is the form of the French heating
trade ("professionnels de l'energie"), which also counts days whose afternoon is above the base. ``integrated`` is the
mean of what was missing hour by hour: the most exact one, and what the baseline uses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from controller.core.metering.hourly import BASE_C
from controller.core.metering.rows import BuildingRow

BASES_C = tuple(range(10, 21))
"""Bases, degrees C, for which the integrated degree-days are kept: that of a building is searched among them."""
LEAST_KNOWN_H = 20.0
"""A day of which less is known has no degree-days: it is missing, not mild."""
_S_PER_H = 3600.0


def meteo(lowest_c: float, highest_c: float, base_c: float = BASE_C) -> float:
    """``base - (Tmin + Tmax) / 2``, never below 0."""
    return max(0.0, base_c - (lowest_c + highest_c) / 2.0)


def costic(lowest_c: float, highest_c: float, base_c: float = BASE_C) -> float:
    """The same below the base; a day that crosses it counts its cold part; 0 for one that is warm throughout."""
    if lowest_c >= base_c:
        return 0.0
    if highest_c <= base_c:
        return base_c - (lowest_c + highest_c) / 2.0
    below = base_c - lowest_c
    return below * (0.08 + 0.42 * below / (highest_c - lowest_c))


@dataclass(frozen=True, slots=True)
class Day:
    """The degree-days of one local day; ``known_h`` of it are behind them."""

    day: date
    known_h: float
    mean_c: float
    meteo: float
    costic: float
    integrated: Mapping[int, float]
    """By base, degrees C."""


@dataclass(slots=True)
class _Sums:
    seconds: float = 0.0
    integral: float = 0.0
    lowest: float = float("inf")
    highest: float = float("-inf")
    below: list[float] | None = None


def days_of(hours: Iterable[tuple[datetime, BuildingRow]], zone: ZoneInfo) -> list[Day]:
    """The days of which enough hours are known, in order; an hour belongs to the local day in which it begins."""
    sums: defaultdict[date, _Sums] = defaultdict(_Sums)
    for at, row in hours:
        if row.outdoor_c is None or row.lowest_c is None or row.highest_c is None:
            continue
        day = sums[at.astimezone(zone).date()]
        day.seconds += row.measured_s
        day.integral += row.outdoor_c * row.measured_s
        day.lowest, day.highest = min(day.lowest, row.lowest_c), max(day.highest, row.highest_c)
        below = [_below(row, base) * row.measured_s for base in BASES_C]
        day.below = below if day.below is None else [a + b for a, b in zip(day.below, below, strict=True)]
    return [_day(day, found) for day, found in sorted(sums.items()) if found.seconds / _S_PER_H >= LEAST_KNOWN_H]


def _below(row: BuildingRow, base_c: int) -> float:
    """What was missing to a base in the mean of the hour, K; to 18 it was taken down as it passed."""
    if base_c == BASE_C and row.measured_s:
        return row.degree_h * _S_PER_H / row.measured_s
    return max(0.0, base_c - (row.outdoor_c or 0.0))


def _day(day: date, sums: _Sums) -> Day:
    return Day(
        day,
        sums.seconds / _S_PER_H,
        sums.integral / sums.seconds,
        meteo(sums.lowest, sums.highest),
        costic(sums.lowest, sums.highest),
        {base: each / sums.seconds for base, each in zip(BASES_C, sums.below or (), strict=True)},
    )
