"""When to start heating so that the room is warm at the opening. Pure formula."""

from __future__ import annotations

from datetime import datetime, timedelta

HEAVY_MINUTES_PER_K = 20.0
"""Untrained fallback, that of a heavy building: a light one needs about half."""


def preheat_start(
    opening: datetime, temperature_c: float, setpoint_c: float, minutes_per_k: float, cap: timedelta
) -> datetime:
    """``opening`` minus (setpoint - temperature) x ``minutes_per_k``, at most ``cap`` before it.

    ``minutes_per_k`` is how long the zone takes to gain 1 K with the plant running, learnt or the
    fallback above. A zone at or above its setpoint starts at ``opening``. ASHRAE Guideline 36 caps
    the start at 3 h before the opening on normal days.
    """
    missing_k = max(0.0, setpoint_c - temperature_c)
    return opening - min(timedelta(minutes=missing_k * minutes_per_k), cap)
