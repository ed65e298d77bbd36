"""The arithmetic of the benches: quantiles, spreads over rounds, and how fresh what arrived was. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

TICK_S = 0.01
"""The farm's counter moves every 10 ms; an age is therefore up to 10 ms too long, never too short."""
TICK_TURN = 1_000_000
"""A float point of the farm holds the tick modulo this, plus a hundredth for each point before it."""


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` (0 to 1) of ``values`` do not exceed; NaN of nothing."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure over the rounds of a run."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """The spread of at least one value."""
        known = list(values)
        return cls(median(known), min(known), max(known))

    def text(self, digits: int = 1) -> str:
        """``median (low-high)``; one round, or rounds that agree, have no bracket."""
        middle, low, high = (f"{value:.{digits}f}" for value in (self.median, self.low, self.high))
        return middle if low == high else f"{middle} ({low}-{high})"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """``ours / theirs`` round by round: what slowed a whole round cancels out. Both of one length, theirs not 0."""
    return Spread.of(our / their for our, their in zip(ours, theirs, strict=True))


@dataclass(frozen=True, slots=True)
class Arrival:
    """One update of ``device`` at the subscriber; ``tick`` is the farm's counter that stood in it."""

    at_s: float
    device: str
    tick: int
    points: int = 0


@dataclass(frozen=True, slots=True)
class Freshness:
    """What arrived in a window. ``share`` is of the updates that were due; ages in seconds."""

    share: float
    devices: int
    age_p50_s: float
    age_p99_s: float
    age_max_s: float
    points: float
    messages: int


def freshness(
    arrivals: Iterable[Arrival],
    farm_start_s: float,
    window: tuple[float, float],
    due_devices: int,
    every_s: float = 1.0,
) -> Freshness:
    """Judge what came within ``window`` (monotonic s). A reading told twice is one update: its first arrival counts."""
    begin_s, end_s = window
    first: dict[tuple[str, int], Arrival] = {}
    messages = 0
    for arrival in sorted(arrivals, key=lambda one: one.at_s):
        first.setdefault((arrival.device, arrival.tick), arrival)
        messages += begin_s <= arrival.at_s < end_s
    fresh = [arrival for arrival in first.values() if begin_s <= arrival.at_s < end_s]
    ages = [age_s(arrival, farm_start_s) for arrival in fresh]
    due = due_devices * (end_s - begin_s) / every_s
    return Freshness(
        share=len(fresh) / due,
        devices=len({arrival.device for arrival in fresh}),
        age_p50_s=quantile(ages, 0.5),
        age_p99_s=quantile(ages, 0.99),
        age_max_s=max(ages, default=math.nan),
        points=median(arrival.points for arrival in fresh) if fresh else math.nan,
        messages=messages,
    )


def age_s(arrival: Arrival, farm_start_s: float) -> float:
    """Arrival minus the instant of the value; the counter's turn is unfolded to the latest turn before the arrival."""
    elapsed_ticks = (arrival.at_s - farm_start_s) / TICK_S
    turns = math.floor((elapsed_ticks - arrival.tick) / TICK_TURN) if elapsed_ticks >= TICK_TURN else 0
    return arrival.at_s - (farm_start_s + (arrival.tick + turns * TICK_TURN) * TICK_S)


def farm_start_s(pairs: Iterable[tuple[float, int]]) -> float:
    """When the farm's counter began, from (monotonic s, tick) pairs: each bounds it to one tick, together closer."""
    return min(mono_s - tick * TICK_S for mono_s, tick in pairs)
