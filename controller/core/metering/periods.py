"""Months and days as a baseline takes them: only those whose energy and weather are known well enough."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from controller.core.metering.baseline import Period, ratio
from controller.core.metering.degree_days import days_of
from controller.core.metering.monthly import occupied_days
from controller.core.metering.rows import BuildingRow, ZoneRow

LEAST_SHARE = 0.9
"""So much of a month's days and hours must be known; its degree-days are then raised to the whole of it."""
_MOST_UNKNOWN_H = 2
_NIGHT_FROM_H, _NIGHT_TO_H = 22, 6
_SATURDAY = 5
Hours = Sequence[tuple[datetime, BuildingRow]]


def month_periods(
    months: Iterable[tuple[str, Mapping[str, Any]]], occupied: Mapping[str, float], source: str
) -> list[Period]:
    """The months of a building with ``source`` counted; ``occupied`` are occupied days by month."""
    found = []
    for month, figures in months:
        days = monthrange(int(month[:4]), int(month[5:]))[1]
        energy, unknown_h = figures["energy_kwh"].get(source), figures["energy_unknown_h"].get(source)
        if energy is None or unknown_h > (1.0 - LEAST_SHARE) * figures["hours"] or figures["days"] < LEAST_SHARE * days:
            continue
        whole = days / figures["days"]
        degree_days = {int(base): value * whole for base, value in figures["degree_days_by_base"].items()}
        found.append(Period(month, float(days), energy, degree_days, occupied.get(month, 0.0)))
    return found


def day_periods(
    hours: Hours, zones: Iterable[Sequence[tuple[datetime, ZoneRow]]], source: str, place: ZoneInfo
) -> list[Period]:
    """The days of a building on which ``source`` and the weather were known."""
    energies, unknown_h = _by_day(hours, source, place)
    occupied: set[date] = set().union(*(occupied_days(each, place) for each in zones))
    return [
        Period(day.day.isoformat(), 1.0, energies[day.day], day.integrated, float(day.day in occupied))
        for day in days_of(hours, place)
        if day.day in energies and unknown_h[day.day] <= _MOST_UNKNOWN_H
    ]


def night_ratio(hours: Hours, source: str, place: ZoneInfo) -> float | None:
    """The energy of an hour from 22:00 to 06:00 local against that of one in the day."""
    clock = ((_known(row, source), at.astimezone(place).hour) for at, row in hours)
    return ratio((known, hour >= _NIGHT_FROM_H or hour < _NIGHT_TO_H) for known, hour in clock)


def weekend_ratio(hours: Hours, source: str, place: ZoneInfo) -> float | None:
    """The energy of an hour on Saturday and Sunday against that of one from Monday to Friday."""
    return ratio((_known(row, source), at.astimezone(place).weekday() >= _SATURDAY) for at, row in hours)


def _known(row: BuildingRow, source: str) -> float | None:
    return row.energy.get(source, (None, 0.0))[0]


def _by_day(hours: Hours, source: str, place: ZoneInfo) -> tuple[dict[date, float], dict[date, int]]:
    """kWh by local day, what came late included, and the hours of which nothing is known."""
    energies: defaultdict[date, float] = defaultdict(float)
    unknown: defaultdict[date, int] = defaultdict(lambda: 24)
    for at, row in hours:
        if source in row.energy:
            day = at.astimezone(place).date()
            known, late = row.energy[source]
            energies[day] += (known or 0.0) + late
            unknown[day] -= known is not None
    return dict(energies), dict(unknown)
