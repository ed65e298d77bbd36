"""What a run came to, day by day: energy, discomfort, the coldest zone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from schedules.occupancy import Weekly


@dataclass(frozen=True, slots=True)
class Day:
    """``discomfort_kh`` is the mean over the zones of the hours times the K of operative temperature missing."""

    day: date
    gas_kwh: float
    discomfort_kh: float
    lowest_c: float
    outdoor_c: float


@dataclass(frozen=True, slots=True)
class Sample:
    """One step: the mean of the zones' air temperatures, and outside."""

    at: datetime
    zones_c: float
    outdoor_c: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run; ``fans_kwh`` and ``heating_gas_kwh`` are of the whole building and the whole run."""

    name: str
    days: tuple[Day, ...]
    samples: tuple[Sample, ...]
    heating_gas_kwh: float
    fans_kwh: float
    took_s: float
    notes: Mapping[str, float] = field(default_factory=dict)

    @property
    def gas_kwh(self) -> float:
        """Of the whole run."""
        return sum(day.gas_kwh for day in self.days)

    @property
    def discomfort_kh(self) -> float:
        """Of the whole run."""
        return sum(day.discomfort_kh for day in self.days)

    @property
    def lowest_c(self) -> float:
        """The air of the coldest zone at its coldest."""
        return min(day.lowest_c for day in self.days)


class Tally:
    """Adds up a run step by step. The temperature found at an instant within the hours counts for one step.

    An instant belongs to the hours from their beginning to before their end; a step's energy to the day it ends in,
    midnight to the day before.
    """

    def __init__(self, weekly: Weekly, comfort_c: float, step_s: float) -> None:
        self._weekly, self._comfort_c, self._step_h = weekly, comfort_c, step_s / 3600.0
        self._half = timedelta(seconds=step_s / 2)
        self._days: dict[date, list[float]] = {}
        self._last_kwh = 0.0
        self.samples: list[Sample] = []

    def add(
        self, at: datetime, air_c: Sequence[float], operative_c: Sequence[float], outdoor_c: float, gas_kwh: float
    ) -> None:
        """One step that ended at ``at``; ``gas_kwh`` is the meter's reading."""
        day = self._days.setdefault((at - self._half).date(), [0.0, 0.0, 99.0, 0.0, 0.0])
        day[0] += gas_kwh - self._last_kwh
        self._last_kwh = gas_kwh
        if is_open(self._weekly, at):
            missing = (max(0.0, self._comfort_c - each) for each in operative_c)
            day[1] += sum(missing) / len(operative_c) * self._step_h
        day[2] = min(day[2], *air_c)
        day[3] += outdoor_c
        day[4] += 1
        self.samples.append(Sample(at, sum(air_c) / len(air_c), outdoor_c))

    def days(self) -> tuple[Day, ...]:
        """All days so far."""
        return tuple(
            Day(day, gas, missing, lowest, outdoor / count)
            for day, (gas, missing, lowest, outdoor, count) in self._days.items()
        )


def is_open(weekly: Weekly, at: datetime) -> bool:
    """Whether a local instant lies within the hours of its weekday; hours over midnight end there."""
    clock = at.time()
    return any(each.start <= clock and (clock < each.end or not each.end) for each in weekly.get(at.weekday(), ()))


def spent(days: Iterable[Day]) -> float:
    """The gas of some days, kWh."""
    return sum(day.gas_kwh for day in days)
