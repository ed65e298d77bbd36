"""When to start heating so that the room is warm at the opening, and when to stop before the closing. Pure formulas.

A room is two masses: air and furniture, which the thermometer shows, and the walls, which follow it slowly and which
nobody measures. Their temperature is taken to be that of the room behind a low-pass filter (``WALL_TAU``)::

    d room / dt = base + wall (walls - room) + own (room - 18) + outdoor (outdoor - 5)      K/h
    d walls / dt = (room - walls) / WALL_TAU

Linear in its four coefficients, so every quarter of an hour of a preheat is one observation of an ordinary
regression. Cold walls (a Monday, the first day after holidays) make the last kelvins slow; a room near its setpoint
needs little: both follow from the equations, not from rules. The coefficients hold for the plant at full power, those
of a room that is left alone are others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

HEAVY_MINUTES_PER_K = 20.0
"""Untrained fallback, that of a heavy building: a light one needs about half."""
READY_WITHIN_K = 0.5
"""A room that is so near its setpoint is warm."""
WALL_TAU = timedelta(hours=10)
"""How slowly the walls follow the room: some 200 kg of masonry a m2 of floor behind 10 W/K."""
ROOM_REFERENCE_C, OUTDOOR_REFERENCE_C = 18.0, 5.0

_STEP_H, _COARSE_STEP_H, _FINELY_H = 1.0 / 6.0, 0.5, 6.0
_HOUR = timedelta(hours=1)
_TAU_H = WALL_TAU / _HOUR
_WEATHER_TAU_H = 6.0
"""The outdoor temperature is expected to come back to its mean of late with this time constant."""


@dataclass(frozen=True, slots=True)
class Response:
    """How a room changes, K/h: ``base`` at the reference temperatures, the others for each K of their difference."""

    base: float
    wall: float
    own: float
    outdoor: float

    def rate_k_h(self, room_c: float, wall_c: float, outdoor_c: float) -> float:
        """How fast the room rises (negative: falls)."""
        by_walls, by_itself = self.wall * (wall_c - room_c), self.own * (room_c - ROOM_REFERENCE_C)
        return self.base + by_walls + by_itself + self.outdoor * (outdoor_c - OUTDOOR_REFERENCE_C)


@dataclass(frozen=True, slots=True)
class Outdoors:
    """The outdoor temperature now and its mean of late, degrees C: it is expected to come back to that."""

    now_c: float
    mean_c: float

    def in_h(self, hours: float) -> float:
        """The temperature expected in so many hours."""
        return self.mean_c + (self.now_c - self.mean_c) * math.exp(-hours / _WEATHER_TAU_H)


@dataclass(frozen=True, slots=True)
class Climate:
    """Where a room stands, degrees C: itself, its walls, and what is outside."""

    room_c: float
    wall_c: float
    outdoors: Outdoors


def quantities(room_c: float, wall_c: float, outdoor_c: float) -> tuple[float, float, float, float]:
    """What the coefficients of a Response are multiplied with, in their order."""
    return 1.0, wall_c - room_c, room_c - ROOM_REFERENCE_C, outdoor_c - OUTDOOR_REFERENCE_C


def plausible(coefficients: tuple[float, ...]) -> Response:
    """The Response of fitted coefficients, kept to what a room can be: warm walls never cool it."""
    base, wall, own, outdoor = coefficients
    return Response(
        min(max(base, -20.0), 20.0), min(max(wall, 0.0), 3.0), min(max(own, -1.0), 0.0), min(max(outdoor, -0.3), 0.5)
    )


def warmed_after(response: Response, climate: Climate, target_c: float, longest: timedelta) -> timedelta:
    """How long a room with its plant at full power takes to ``target_c``; ``longest`` where it takes longer."""
    outdoors = climate.outdoors
    hours = _hours_to(
        response, round(climate.room_c, 2), round(climate.wall_c, 1), round(outdoors.now_c, 1),
        round(outdoors.mean_c, 1), round(target_c, 2), longest / _HOUR,
    )  # fmt: skip
    return min(timedelta(hours=hours), longest)


@lru_cache(maxsize=8192)
def _hours_to(
    response: Response, room_c: float, wall_c: float, now_c: float, mean_c: float, target_c: float, longest_h: float
) -> float:
    outdoors, hours = Outdoors(now_c, mean_c), 0.0
    while room_c < target_c:
        if hours >= longest_h:
            return longest_h
        next_c = room_c + response.rate_k_h(room_c, wall_c, outdoors.in_h(hours)) * _STEP_H
        wall_c += (room_c - wall_c) * _STEP_H / _TAU_H
        if next_c >= target_c:
            return hours + _STEP_H * (target_c - room_c) / (next_c - room_c)
        room_c, hours = next_c, hours + _STEP_H
    return hours


def course(response: Response, climate: Climate, span: timedelta, floor_c: float, ceiling_c: float) -> Climate:
    """Where the room stands after ``span``, held above ``floor_c`` and below ``ceiling_c`` by its controller."""
    room_c, wall_c, hours, end = climate.room_c, climate.wall_c, 0.0, span / _HOUR
    longest_h = _STEP_H if end <= _FINELY_H else _COARSE_STEP_H
    while hours < end:
        step_h = min(longest_h, end - hours)
        next_c = room_c + response.rate_k_h(room_c, wall_c, climate.outdoors.in_h(hours)) * step_h
        wall_c += (room_c - wall_c) * step_h / _TAU_H
        room_c = _held(room_c, next_c, floor_c, ceiling_c)
        hours += step_h
    now_c = climate.outdoors.in_h(end)
    return Climate(room_c, wall_c, Outdoors(now_c, climate.outdoors.mean_c))


def _held(room_c: float, next_c: float, floor_c: float, ceiling_c: float) -> float:
    """A room that falls is caught at the floor, one that rises at the ceiling; one beyond them comes back freely."""
    if next_c < room_c:
        return next_c if next_c > floor_c else min(room_c, floor_c)
    return next_c if next_c < ceiling_c else max(room_c, ceiling_c)


def damped_wall_c(wall_c: float, room_c: float, span: timedelta) -> float:
    """The walls after ``span`` beside a room at ``room_c``."""
    return room_c + (wall_c - room_c) * math.exp(-max(0.0, span / WALL_TAU))


def preheat_start(
    opening: datetime, temperature_c: float, setpoint_c: float, minutes_per_k: float, cap: timedelta
) -> datetime:
    """``opening`` minus (setpoint - temperature) x ``minutes_per_k``, at most ``cap`` before it.

    The rule before anything is learnt: ``minutes_per_k`` is how long the zone takes to gain 1 K with the plant
    running. A zone at or above its setpoint starts at ``opening``. ASHRAE Guideline 36 caps the start at 3 h before
    the opening on normal days.
    """
    missing_k = max(0.0, setpoint_c - temperature_c)
    return opening - min(timedelta(minutes=missing_k * minutes_per_k), cap)
