"""The weather of a temperate lowland: yearly and daily waves, fronts that pass every few days, sun through clouds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from sim.noise import wobble

DAY_S = 86_400.0
J2000_DAY = 10_957.5
"""Days from the epoch to noon of 1 January 2000."""
OBLIQUITY = math.radians(23.439)
DAYLIGHT = (
    (-18.0, 0.001), (-12.0, 0.01), (-6.0, 3.5), (-4.0, 35.0), (-0.83, 400.0), (5.0, 5_000.0), (10.0, 11_000.0),
    (30.0, 50_000.0), (60.0, 95_000.0), (90.0, 110_000.0),
)  # fmt: skip
"""Lux on the level under a mean sky by the sun's elevation (degrees): 400 at sunset, 35 some 20 minutes later."""


class Sky(NamedTuple):
    """What lamps and photocells feel of the weather."""

    outdoor_c: float = 15.0
    lux: float = 0.0


@dataclass(frozen=True, slots=True)
class Weather:
    """A function of time and seed. ``latitude`` and ``longitude`` in degrees, north and east positive."""

    seed: int
    latitude: float = 50.0
    longitude: float = 3.0

    def outdoor_c(self, at: datetime) -> float:
        """Air temperature in the shade, degrees C."""
        stamp, hour = at.timestamp(), self._solar_hour(at)
        yearly = 10.8 - 7.6 * math.cos(math.tau * (at.timetuple().tm_yday - 18) / 365.25)
        daily = (2.5 + 1.2 * self._clear(stamp)) * math.cos(math.tau * (hour - 15.0) / 24.0)
        fronts = 4.0 * wobble(self.seed, "front", stamp, 4.3 * DAY_S) + 1.2 * wobble(
            self.seed, "air", stamp, 5 * 3600.0
        )
        return yearly + daily + fronts

    def sky(self, at: datetime) -> Sky:
        """Air and daylight."""
        return Sky(self.outdoor_c(at), self.lux(at))

    def elevation_deg(self, at: datetime) -> float:
        """Where the sun stands above the horizon (without refraction), by the Almanac's low-precision formula."""
        days = at.timestamp() / DAY_S - J2000_DAY
        anomaly, mean = math.radians(357.529 + 0.98560028 * days), 280.459 + 0.98564736 * days
        longitude = math.radians(mean + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2.0 * anomaly))
        declination = math.asin(math.sin(OBLIQUITY) * math.sin(longitude))
        ascension = math.atan2(math.cos(OBLIQUITY) * math.sin(longitude), math.cos(longitude))
        angle = math.radians(mean) - ascension + math.tau * (self._solar_hour(at) - 12.0) / 24.0
        latitude = math.radians(self.latitude)
        height = math.sin(latitude) * math.sin(declination)
        height += math.cos(latitude) * math.cos(declination) * math.cos(angle)
        return math.degrees(math.asin(height))

    def sun_w_m2(self, at: datetime) -> float:
        """Global irradiance on the level, W/m2."""
        height = math.sin(math.radians(self.elevation_deg(at)))
        return max(0.0, height) * 1000.0 * (0.25 + 0.55 * self._clear(at.timestamp()))

    def lux(self, at: datetime) -> float:
        """Daylight on the level: by the sun's elevation, half as much under thick clouds."""
        stamp, elevation = at.timestamp(), self.elevation_deg(at)
        passing = 1.0 + 0.1 * wobble(self.seed, "passing cloud", stamp, 600.0)
        return _daylight(elevation) * (0.65 + 0.7 * self._clear(stamp)) * passing

    def _clear(self, stamp: float) -> float:
        return 0.5 + 0.5 * wobble(self.seed, "cloud", stamp, 0.4 * DAY_S)

    def _solar_hour(self, at: datetime) -> float:
        return (at.timestamp() / 3600.0 + self.longitude / 15.0) % 24.0


def _daylight(elevation_deg: float) -> float:
    """Lux of ``DAYLIGHT``, even steps of the elevation being even ratios of the light."""
    if elevation_deg <= DAYLIGHT[0][0]:
        return DAYLIGHT[0][1]
    for (low, dark), (high, bright) in pairwise(DAYLIGHT):
        if elevation_deg <= high:
            return dark * math.pow(bright / dark, (elevation_deg - low) / (high - low))
    return DAYLIGHT[-1][1]
