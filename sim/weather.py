"""The weather of a temperate lowland: yearly and daily waves, fronts that pass every few days, sun through clouds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from sim.noise import wobble

DAY_S = 86_400.0


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

    def sun_w_m2(self, at: datetime) -> float:
        """Global irradiance on the level, W/m2."""
        declination = math.radians(-23.44) * math.cos(math.tau * (at.timetuple().tm_yday + 10) / 365.25)
        latitude, angle = math.radians(self.latitude), math.tau * (self._solar_hour(at) - 12.0) / 24.0
        height = math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(declination) * math.cos(
            angle
        )
        return max(0.0, height) * 1000.0 * (0.25 + 0.55 * self._clear(at.timestamp()))

    def _clear(self, stamp: float) -> float:
        return 0.5 + 0.5 * wobble(self.seed, "cloud", stamp, 0.4 * DAY_S)

    def _solar_hour(self, at: datetime) -> float:
        return (at.timestamp() / 3600.0 + self.longitude / 15.0) % 24.0
