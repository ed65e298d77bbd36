"""The heating curve (loi de chauffe): supply temperature by a damped outdoor temperature and what the rooms lack."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class HeatingCurve:
    """Supply temperature: ``room_c + shift_k + slope * (room_c - damped outdoor)``, within the bounds.

    ``feedback`` (K of supply for each K that the coldest zone lacks) is limited to ``feedback_cap_k``.
    """

    slope: float = 1.2
    shift_k: float = 0.0
    minimum_c: float = 25.0
    maximum_c: float = 75.0
    room_c: float = 20.0
    feedback: float = 3.0
    feedback_cap_k: float = 10.0
    damping: timedelta = timedelta(hours=12)

    @property
    def cold_end_c(self) -> float:
        """The outdoor temperature at which the curve reaches its maximum."""
        return self.room_c - (self.maximum_c - self.room_c - self.shift_k) / self.slope


def supply_c(
    curve: HeatingCurve, outdoor_c: float, lacking_k: float = 0.0, setback_k: float = 0.0, *, warming: bool = False
) -> float:
    """The supply temperature for the damped outdoor temperature, degrees C, within the curve's bounds.

    ``setback_k``: how far the warmest wanted room is below the curve's own; it moves the curve down along the line of
    equal temperatures, by ``(1 + slope)`` for each K. ``lacking_k``: what the coldest zone lacks (negative: all zones
    are warmer than wanted). While ``warming`` up a cold building nothing but the maximum limits what that adds.
    """
    room_c = curve.room_c - setback_k
    by_weather_c = room_c + curve.shift_k + curve.slope * (room_c - outdoor_c)
    return min(curve.maximum_c, max(curve.minimum_c, by_weather_c + feedback_k(curve, lacking_k, warming=warming)))


def feedback_k(curve: HeatingCurve, lacking_k: float, *, warming: bool = False) -> float:
    """K that the rooms add to the curve, or take from it; limited both ways, upwards not while ``warming``."""
    raised_k = max(-curve.feedback_cap_k, curve.feedback * lacking_k)
    return raised_k if warming else min(curve.feedback_cap_k, raised_k)


def damped_c(before_c: float, measured_c: float, elapsed: timedelta, damping: timedelta) -> float:
    """``before_c`` moved towards ``measured_c``: a first-order low-pass, exact for any step of time.

    After ``damping`` (its time constant) 63 % of a step of the weather has come through. Time that ran backwards
    counts as none; without damping it is what was measured.
    """
    if damping <= timedelta():
        return measured_c
    share = -math.expm1(-max(0.0, elapsed / damping))
    return before_c + share * (measured_c - before_c)
