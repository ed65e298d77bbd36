"""Closed hours as they are kept: one row a target and hour, its figures as a compact JSON array.

New columns are only ever added at the end; a row of an earlier version has None there.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

from controller.core.metering.hourly import BuildingHour, Energy, Mean, ZoneHour

_HOUR_FORM = "%Y-%m-%dT%H:00Z"


@dataclass(frozen=True, slots=True)
class HourRow:
    """One closed hour of ``zone/<id>`` or ``building/<id>``; ``hour`` is its UTC beginning, ``2026-11-23T07:00Z``.

    Of two rows of the same hour (a clock set back, a restart) the one that covers more of it stands.
    """

    target: str
    hour: str
    covered_s: int
    """For how long a zone's temperature was known, or its setpoint without one; a building was followed."""
    figures: str


@dataclass(frozen=True, slots=True)
class MonthSpan:
    """The order to add up the hours of a target from ``first`` to before ``last`` (as in HourRow) as ``month``."""

    target: str
    month: str
    """``2026-11``, of the site's clock."""
    timezone: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """What is kept of a zone's hour; ``_s`` are seconds of it, of which ``measured_s`` with a temperature."""

    temperature_c: float | None
    lowest_c: float | None
    highest_c: float | None
    measured_s: int
    setpoint_c: float | None
    """Mean of what was commanded."""
    comfort_s: int
    reduced_s: int
    frost_s: int
    off_s: int
    occupied_s: int
    occupied_c: float | None
    occupied_measured_s: int
    deficit_kh: float
    heating_pct: float | None
    heating_s: int
    """For how long the output was known."""
    cap_c: float | None
    """The legal temperature of that hour by the occupancy, the most lenient one; None where there is no law."""


@dataclass(frozen=True, slots=True)
class BuildingRow:
    """What is kept of a building's hour."""

    outdoor_c: float | None
    lowest_c: float | None
    highest_c: float | None
    measured_s: int
    degree_h: float
    """K.h below 18 degrees C within the measured time."""
    run_s: int
    run_known_s: int
    starts: int
    energy: Mapping[str, tuple[float | None, float]]
    """By source: kWh of this hour (None: not known for the whole of it), and kWh that came late from a gap."""


def hour_text(at: datetime) -> str:
    """Fixed width, so that text order is time order."""
    return at.astimezone(UTC).strftime(_HOUR_FORM)


def hour_at(text: str) -> datetime:
    """The instant that ``hour_text`` wrote. Raises ValueError."""
    return datetime.strptime(text, _HOUR_FORM).replace(tzinfo=UTC)


def zone_row(target: str, hour: ZoneHour, cap_c: float | None) -> HourRow:
    """A zone's hour, closed."""
    comfort_s, reduced_s, frost_s, off_s = (round(each) for each in hour.allures_s)
    row = ZoneRow(
        *_of(hour.temperature, 2),
        _rounded(hour.setpoint.mean, 2),
        comfort_s,
        reduced_s,
        frost_s,
        off_s,
        round(hour.occupied_s),
        _rounded(hour.occupied_temperature.mean, 2),
        round(hour.occupied_temperature.seconds),
        round(hour.deficit_k_h, 3),
        _rounded(hour.heating.mean, 1),
        round(hour.heating.seconds),
        cap_c,
    )
    covered_s = row.measured_s or round(hour.setpoint.seconds)
    return HourRow(target, hour_text(hour.start), covered_s, _dumped(row))


def building_row(target: str, hour: BuildingHour) -> HourRow:
    """A building's hour, its energies closed."""
    row = BuildingRow(
        *_of(hour.outdoor, 2),
        round(hour.degree_h, 3),
        round(hour.run.integral),
        round(hour.run.seconds),
        hour.starts,
        _by_source(hour.energies),
    )
    return HourRow(target, hour_text(hour.start), round(hour.accounted_s), _dumped(row))


def zone_figures(figures: str) -> ZoneRow:
    """A zone's row, read. Raises ValueError or TypeError for something else."""
    return ZoneRow(*_loaded(figures, len(fields(ZoneRow))))


def building_figures(figures: str) -> BuildingRow:
    """A building's row, read. Raises ValueError or TypeError for something else."""
    row = BuildingRow(*_loaded(figures, len(fields(BuildingRow))))
    return replace(row, energy={source: (known, late) for source, (known, late) in (row.energy or {}).items()})


def _by_source(energies: Iterable[Energy]) -> dict[str, tuple[float | None, float]]:
    """A source of several counters is known where all of them are; else all that they gained is told as late."""
    counters: defaultdict[str, list[Energy]] = defaultdict(list)
    for each in energies:
        counters[each.source].append(each)
    found: dict[str, tuple[float | None, float]] = {}
    for source, of_source in counters.items():
        gained, late = sum(each.gained for each in of_source), sum(each.late for each in of_source)
        whole = all(each.whole for each in of_source)
        found[source] = (round(gained, 3), round(late, 3)) if whole else (None, round(late + gained, 3))
    return found


def _of(mean: Mean, digits: int) -> tuple[float | None, float | None, float | None, int]:
    found = (_rounded(each, digits) for each in (mean.mean, mean.lowest, mean.highest))
    middle, lowest, highest = found
    return middle, lowest, highest, round(mean.seconds)


def _dumped(row: ZoneRow | BuildingRow) -> str:
    figures = [getattr(row, each.name) for each in fields(row)]
    return json.dumps(figures, separators=(",", ":"), allow_nan=False)


def _loaded(figures: str, columns: int) -> list[Any]:
    found = json.loads(figures)
    if not isinstance(found, list):
        raise TypeError("figures of an hour are an array")
    return [*found, *[None] * (columns - len(found))][:columns]


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
