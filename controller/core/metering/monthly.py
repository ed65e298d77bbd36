"""A month of a zone or of a building, added up from its hours. The same hours give the same month, however often."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from controller.core.metering.degree_days import BASES_C, days_of
from controller.core.metering.hourly import BASE_C
from controller.core.metering.rows import (
    BuildingRow,
    MonthSpan,
    ZoneRow,
    building_figures,
    hour_at,
    hour_text,
    zone_figures,
)

OVER_K = 0.5
"""An hour is above the law when its mean was by so much, and heat was given: the sun breaks no law."""
_S_PER_H = 3600.0
Month = dict[str, object]


def month_span(target: str, at: datetime, zone: ZoneInfo) -> MonthSpan:
    """The local month in which ``at`` lies."""
    local = at.astimezone(zone)
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    after = (first + timedelta(days=32)).replace(day=1)
    return MonthSpan(target, f"{local:%Y-%m}", zone.key, hour_text(first), hour_text(after))


def month_of(span: MonthSpan, rows: Iterable[tuple[str, str]]) -> str:
    """The month's figures as a JSON object, from ``(hour, figures)`` of its hours. Raises ValueError, TypeError."""
    found = list(rows)
    total_h = (hour_at(span.last) - hour_at(span.first)) / timedelta(hours=1)
    if span.target.startswith("zone/"):
        of_zone = [(hour_at(hour), zone_figures(figures)) for hour, figures in found]
        month = zone_month(of_zone, total_h, ZoneInfo(span.timezone))
    else:
        hours = [(hour_at(hour), building_figures(figures)) for hour, figures in found]
        month = building_month(hours, total_h, ZoneInfo(span.timezone))
    return json.dumps(month, separators=(",", ":"), allow_nan=False)


def occupied_days(hours: Iterable[tuple[datetime, ZoneRow]], zone: ZoneInfo) -> set[date]:
    """The local days on which somebody was due for an hour or more."""
    due_s: defaultdict[date, float] = defaultdict(float)
    for at, row in hours:
        due_s[at.astimezone(zone).date()] += row.occupied_s
    return {day for day, seconds in due_s.items() if seconds >= _S_PER_H}


def zone_month(hours: Sequence[tuple[datetime, ZoneRow]], total_h: float, zone: ZoneInfo) -> Month:
    """Of ``total_h`` hours that the month has; what is not measured is told as such."""
    rows = [row for _, row in hours]
    measured_s = sum(row.measured_s for row in rows)
    occupied_s = sum(row.occupied_measured_s for row in rows)
    return {
        "hours": round(total_h),
        "unmeasured_h": round(max(0.0, total_h - measured_s / _S_PER_H), 2),
        "temperature_c": _mean((row.temperature_c, row.measured_s) for row in rows),
        "occupied_h": _hours(row.occupied_s for row in rows),
        "occupied_days": len(occupied_days(hours, zone)),
        "occupied_c": _mean((row.occupied_c, row.occupied_measured_s) for row in rows),
        "occupied_unmeasured_h": round(max(0.0, sum(row.occupied_s for row in rows) - occupied_s) / _S_PER_H, 2),
        "deficit_kh": round(sum(row.deficit_kh for row in rows), 2),
        "comfort_h": _hours(row.comfort_s for row in rows),
        "reduced_h": _hours(row.reduced_s for row in rows),
        "frost_h": _hours(row.frost_s for row in rows),
        "off_h": _hours(row.off_s for row in rows),
        "heating_pct": _mean((row.heating_pct, row.heating_s) for row in rows),
        "over_legal_h": sum(is_over(row) for row in rows),
    }


def is_over(row: ZoneRow) -> bool:
    """Whether the hour was above the legal temperature while heat was given (or nobody knows whether it was)."""
    if row.temperature_c is None or row.cap_c is None or row.temperature_c <= row.cap_c + OVER_K:
        return False
    return row.heating_pct is None or row.heating_pct > 0.0


def building_month(hours: Sequence[tuple[datetime, BuildingRow]], total_h: float, zone: ZoneInfo) -> Month:
    """Energy by source with its hours unknown, degree-days with the days that are behind them."""
    days = days_of(hours, zone)
    rows = [row for _, row in hours]
    sources: defaultdict[str, list[tuple[float | None, float]]] = defaultdict(list)
    for row in rows:
        for source, figures in row.energy.items():
            sources[source].append(figures)
    known_s = sum(row.run_known_s for row in rows)
    return {
        "hours": round(total_h),
        "unmeasured_h": round(max(0.0, total_h - sum(row.measured_s for row in rows) / _S_PER_H), 2),
        "outdoor_c": _mean((row.outdoor_c, row.measured_s) for row in rows),
        "days": len(days),
        "degree_days": round(sum(day.integrated[int(BASE_C)] for day in days), 2),
        "degree_days_meteo": round(sum(day.meteo for day in days), 2),
        "degree_days_costic": round(sum(day.costic for day in days), 2),
        "degree_days_by_base": {str(base): round(sum(day.integrated[base] for day in days), 2) for base in BASES_C},
        "run_h": _hours(row.run_s for row in rows) if known_s else None,
        "starts": sum(row.starts for row in rows) if known_s else None,
        "energy_kwh": {
            source: round(sum((known or 0.0) + late for known, late in figures), 3)
            for source, figures in sorted(sources.items())
        },
        "energy_unknown_h": {
            source: round(total_h - sum(known is not None for known, _ in figures))
            for source, figures in sorted(sources.items())
        },
    }


def _hours(seconds: Iterable[float]) -> float:
    return round(sum(seconds) / _S_PER_H, 2)


def _mean(parts: Iterable[tuple[float | None, float]]) -> float | None:
    known = [(value, weight) for value, weight in parts if value is not None and weight > 0]
    total = sum(weight for _, weight in known)
    return round(sum(value * weight for value, weight in known) / total, 2) if total else None
