"""The clock hour in progress, of a zone and of a building: what was known, for how long, and its sums.

A value counts from when it was heard until the next one, at most until it is stale; the rest of the time is not
measured, and never 0. Times are aware UTC, hours those of UTC. Nothing is computed while nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

HOUR = timedelta(hours=1)
BASE_C = 18.0
"""The degree-days of the French trade count what is missing to this."""
_ALLURES = ("comfort", "reduced", "frost", "off")
_S_PER_H = 3600.0


def hour_of(at: datetime) -> datetime:
    """The clock hour that ``at`` lies in."""
    return at.replace(minute=0, second=0, microsecond=0)


class Mean(NamedTuple):
    """A quantity over the time for which it was known: seconds, its integral over them, its extremes.

    A named tuple because every answer of a room makes new ones.
    """

    seconds: float = 0.0
    integral: float = 0.0
    lowest: float | None = None
    highest: float | None = None

    def plus(self, value: float | None, seconds: float) -> Mean:
        """With ``value`` held for ``seconds`` more; None is not known."""
        if value is None or seconds <= 0.0:
            return self
        lowest = value if self.lowest is None else min(self.lowest, value)
        highest = value if self.highest is None else max(self.highest, value)
        return Mean(self.seconds + seconds, self.integral + value * seconds, lowest, highest)

    def and_(self, other: Mean) -> Mean:
        """Both stretches as one."""
        lows = [each for each in (self.lowest, other.lowest) if each is not None]
        highs = [each for each in (self.highest, other.highest) if each is not None]
        seconds, integral = self.seconds + other.seconds, self.integral + other.integral
        return Mean(seconds, integral, min(lows, default=None), max(highs, default=None))

    @property
    def mean(self) -> float | None:
        """None where it was never known."""
        return self.integral / self.seconds if self.seconds > 0.0 else None


_NOTHING = Mean()


@dataclass(frozen=True, slots=True)
class Wish:
    """What is commanded of a zone: setpoint, allure, and the comfort that people are due (None: nobody is expected)."""

    setpoint_c: float | None = None
    allure: str | None = None
    comfort_c: float | None = None


NO_WISH = Wish()


@dataclass(frozen=True, slots=True)
class ZoneHour:
    """One zone from ``start`` on, accounted up to ``at``; the first four of the rest hold from ``at`` on."""

    start: datetime
    at: datetime
    temperature_c: float | None = None
    heating_pct: float | None = None
    wish: Wish = NO_WISH
    temperature: Mean = _NOTHING
    occupied_temperature: Mean = _NOTHING
    setpoint: Mean = _NOTHING
    heating: Mean = _NOTHING
    allures_s: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    occupied_s: float = 0.0
    deficit_k_h: float = 0.0
    """K.h below the comfort while people were due."""

    def settled(self, at: datetime, temperature_until: datetime | None, heating_until: datetime | None) -> ZoneHour:
        """Accounted up to ``at``, what was heard being known until those instants (None: not at all)."""
        if at <= self.at:
            return self
        span_s, wish = (at - self.at).total_seconds(), self.wish
        known_s = _within_s(self.at, at, temperature_until)
        occupied = wish.comfort_c is not None
        deficit_k = 0.0
        if wish.comfort_c is not None and self.temperature_c is not None:
            deficit_k = max(0.0, wish.comfort_c - self.temperature_c)
        of_occupied = self.occupied_temperature
        return ZoneHour(  # not replace(): every answer of a room comes here
            self.start,
            at,
            self.temperature_c,
            self.heating_pct,
            wish,
            self.temperature.plus(self.temperature_c, known_s),
            of_occupied.plus(self.temperature_c, known_s) if occupied else of_occupied,
            self.setpoint.plus(wish.setpoint_c, span_s),
            self.heating.plus(self.heating_pct, _within_s(self.at, at, heating_until)),
            self._allures(span_s),
            self.occupied_s + (span_s if occupied else 0.0),
            self.deficit_k_h + deficit_k * known_s / _S_PER_H,
        )

    def next(self, start: datetime) -> ZoneHour:
        """The hour that begins at ``start``, with what holds now."""
        return ZoneHour(start, start, self.temperature_c, self.heating_pct, self.wish)

    def abandoned(self) -> ZoneHour:
        """Nobody commands or measures from ``at`` on."""
        return replace(self, temperature_c=None, heating_pct=None, wish=NO_WISH)

    def _allures(self, span_s: float) -> tuple[float, float, float, float]:
        if self.wish.allure not in _ALLURES:
            return self.allures_s
        held = list(self.allures_s)
        held[_ALLURES.index(self.wish.allure)] += span_s
        return held[0], held[1], held[2], held[3]


@dataclass(frozen=True, slots=True)
class Energy:
    """One counter of ours, by name, and the source of energy that it follows: ``counter`` as last seen at ``seen``.

    ``gained`` is what came in this hour; it is the hour's energy only where the counter was seen from its first
    moments (``whole``) to its last, ``slack_s`` off at most. ``late`` is what came in a gap and belongs to this hour
    or to one before it.
    """

    name: str
    source: str
    slack_s: float
    counter: float | None = None
    seen: datetime | None = None
    whole: bool = False
    gained: float = 0.0
    late: float = 0.0

    def read(self, counter: float, at: datetime) -> Energy:
        """The counter stands at ``counter`` now."""
        gained = 0.0 if self.counter is None else counter - self.counter
        if self.whole:
            return replace(self, counter=counter, seen=at, gained=self.gained + gained)
        return replace(self, counter=counter, seen=at, late=self.late + gained)

    def closed(self, end: datetime) -> Energy:
        """At the end of the hour: what cannot be said to be of it alone is late."""
        if self.whole and self._seen_by(end):
            return self
        return replace(self, whole=False, gained=0.0, late=self.late + self.gained)

    def next(self, start: datetime) -> Energy:
        """For the hour that begins at ``start``."""
        return Energy(self.name, self.source, self.slack_s, self.counter, self.seen, self._seen_by(start))

    def _seen_by(self, at: datetime) -> bool:
        return self.seen is not None and self.seen >= at - timedelta(seconds=self.slack_s)


@dataclass(frozen=True, slots=True)
class DaySums:
    """What the closed hours of one local day come to."""

    day: str
    """``2026-11-23``."""
    outdoor: Mean = _NOTHING
    degree_h: float = 0.0
    energy_kwh: tuple[tuple[str, float], ...] = ()
    """By source, what came late included."""

    def plus(self, hour: BuildingHour) -> DaySums:
        """With an hour that is closed."""
        energy = dict(self.energy_kwh)
        for each in hour.energies:
            energy[each.source] = energy.get(each.source, 0.0) + each.gained + each.late
        outdoor = self.outdoor.and_(hour.outdoor)
        return DaySums(self.day, outdoor, self.degree_h + hour.degree_h, tuple(energy.items()))

    def degree_days(self, least_known_s: float) -> float | None:
        """Integrated, base 18; None where less than that is known."""
        known_s = self.outdoor.seconds
        return self.degree_h * _S_PER_H / known_s if known_s >= max(least_known_s, 1.0) else None


@dataclass(frozen=True, slots=True)
class BuildingHour:
    """One building from ``start`` on, accounted up to ``at``; outdoor temperature and boiler hold from ``at`` on."""

    start: datetime
    at: datetime
    outdoor_c: float | None = None
    running: bool | None = None
    outdoor: Mean = _NOTHING
    degree_h: float = 0.0
    """K.h below 18 degrees C outside."""
    run: Mean = _NOTHING
    starts: int = 0
    energies: tuple[Energy, ...] = ()
    day: DaySums | None = None
    """The local day in progress up to ``start``."""
    yesterday: DaySums | None = None
    """The latest day that was closed."""
    accounted_s: float = 0.0
    """For how long it was followed; counters need no outdoor temperature."""

    def settled(self, at: datetime, outdoor_until: datetime | None, running_until: datetime | None) -> BuildingHour:
        """Accounted up to ``at``; see ``ZoneHour.settled``."""
        if at <= self.at:
            return self
        known_s = _within_s(self.at, at, outdoor_until)
        below_k = 0.0 if self.outdoor_c is None else max(0.0, BASE_C - self.outdoor_c)
        running = None if self.running is None else float(self.running)
        return replace(
            self,
            at=at,
            outdoor=self.outdoor.plus(self.outdoor_c, known_s),
            degree_h=self.degree_h + below_k * known_s / _S_PER_H,
            run=self.run.plus(running, _within_s(self.at, at, running_until)),
            accounted_s=self.accounted_s + (at - self.at).total_seconds(),
        )

    def next(self, start: datetime) -> BuildingHour:
        """The hour that begins at ``start``, with what holds now; its day is the caller's to say."""
        energies = tuple(each.next(start) for each in self.energies)
        return BuildingHour(start, start, self.outdoor_c, self.running, energies=energies)

    def abandoned(self) -> BuildingHour:
        """Nobody measures from ``at`` on."""
        return replace(self, outdoor_c=None, running=None)


OpenHour = ZoneHour | BuildingHour


def _within_s(start: datetime, end: datetime, until: datetime | None) -> float:
    """How many seconds of [start, end) lie before ``until``."""
    return 0.0 if until is None else max(0.0, (min(end, until) - start).total_seconds())
