"""Where the sun is and when it crosses an angle: own solver, pure, no exception for any latitude.

Low-precision solar coordinates after J. Meeus, Astronomical Algorithms, 2nd ed., chapters 12, 22 and 25, good
to 0.01 degrees. Against an ephemeris (JPL DE421, 2020 to 2035) the events are within 5 s up to 60 degrees of
latitude, within some minutes on the days above it when the sun just grazes the angle. Real refraction and
terrain move them by up to two minutes anyway.

Every event belongs to the night that begins on a local date: it is anchored on that date's solar noon and
lies before the next one, so a dusk after midnight is still the dusk of its evening. Angles are geometric
elevations of the sun's centre in degrees, positive above the horizon. Instants are aware UTC, rounded to the
second. Dates from year 2 to 9998.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import lru_cache
from zoneinfo import ZoneInfo

SUNRISE_DEG = -0.833
"""Upper limb on the horizon: 34' of refraction and 16' of semidiameter (Meeus, chapter 15)."""
CIVIL_DEG = -6.0
"""Civil twilight."""

_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
_DELTA_T_S = 69.2  # TT - UT; within 1 s from 2015 to 2035
_DAY_S = 86_400.0
_CENTURY_S = 36_525.0 * _DAY_S
_SPIN_DEG_PER_S = 360.0 / _DAY_S  # of the hour angle of the mean sun
_ASCENSION_DEG_PER_S = 360.0 / (365.2422 * _DAY_S)
_PARALLAX_DEG = 8.794 / 3600.0
_CLOSE_S = 0.01


class Polar(Enum):
    """The sun does not cross the angle: it stays above or below it around the solar midnight."""

    ALWAYS_UP = "always-up"
    ALWAYS_DOWN = "always-down"


@dataclass(frozen=True, slots=True)
class Place:
    """A point on earth, degrees north and east, with its civil time."""

    latitude: float
    longitude: float
    zone: ZoneInfo


@lru_cache(maxsize=16_384)
def evening(day: date, place: Place, angle_deg: float) -> datetime | Polar:
    """The crossing downwards between the solar noon of local date ``day`` and the solar midnight after it."""
    noon_s, midnight_s, _ = _transits(day, place)
    return _crossing(place, angle_deg, high_s=noon_s, low_s=midnight_s)


@lru_cache(maxsize=16_384)
def morning(day: date, place: Place, angle_deg: float) -> datetime | Polar:
    """The crossing upwards that ends the night of ``day``: from its solar midnight to the next solar noon."""
    _, midnight_s, next_noon_s = _transits(day, place)
    return _crossing(place, angle_deg, high_s=next_noon_s, low_s=midnight_s)


def solar_noon(day: date, place: Place) -> datetime:
    """The sun's upper transit nearest to 12:00 of local date ``day``."""
    return _instant(_transits(day, place)[0])


def elevation(at: datetime, place: Place) -> float:
    """Geometric elevation of the sun's centre in degrees (no refraction) at the aware instant ``at``."""
    return _elevation((at - _J2000).total_seconds(), place)


def solstices(year: int) -> tuple[datetime, datetime]:
    """The June and the December solstice of ``year``, within a quarter of an hour."""
    return _solstice(datetime(year, 6, 21, tzinfo=UTC), 90.0), _solstice(datetime(year, 12, 21, tzinfo=UTC), 270.0)


@lru_cache(maxsize=4096)
def _transits(day: date, place: Place) -> tuple[float, float, float]:
    """Solar noon of ``day``, the solar midnight and the solar noon after it, in seconds since J2000 (UTC)."""
    clock_noon = datetime.combine(day, time(12), place.zone)
    start_s = (clock_noon - _J2000).total_seconds()
    start_s -= _wrapped(_hour_angle(start_s, place.longitude)) / _SPIN_DEG_PER_S
    return (
        _transit(start_s, place.longitude, 0.0),
        _transit(start_s + _DAY_S / 2, place.longitude, 180.0),
        _transit(start_s + _DAY_S, place.longitude, 0.0),
    )


def _transit(near_s: float, longitude: float, hour_angle_deg: float) -> float:
    for _ in range(3):
        near_s -= _wrapped(_hour_angle(near_s, longitude) - hour_angle_deg) / _SPIN_DEG_PER_S
    return near_s


def _solstice(near: datetime, ascension_deg: float) -> datetime:
    near_s = (near - _J2000).total_seconds()
    for _ in range(8):
        near_s += _wrapped(ascension_deg - _sun(near_s)[0]) / _ASCENSION_DEG_PER_S
    return _instant(near_s)


def _crossing(place: Place, angle_deg: float, *, high_s: float, low_s: float) -> datetime | Polar:
    """The instant between ``high_s`` (sun above the angle) and ``low_s`` (below), in either order."""
    if _elevation(low_s, place) >= angle_deg:
        return Polar.ALWAYS_UP
    if _elevation(high_s, place) <= angle_deg:
        return Polar.ALWAYS_DOWN
    # Regula falsi with the Illinois weights: the bracket holds for every latitude, grazing days included.
    above_s, below_s = high_s, low_s
    above, below = _elevation(above_s, place) - angle_deg, _elevation(below_s, place) - angle_deg
    guess_s = above_s
    for _ in range(100):
        before_s, guess_s = guess_s, above_s + (below_s - above_s) * above / (above - below)
        error = _elevation(guess_s, place) - angle_deg
        if abs(guess_s - before_s) < _CLOSE_S:
            break
        if error > 0.0:
            below *= 0.5 if before_s == above_s else 1.0
            above_s, above = guess_s, error
        else:
            above *= 0.5 if before_s == below_s else 1.0
            below_s, below = guess_s, error
    return _instant(guess_s)


def _instant(since_j2000_s: float) -> datetime:
    return _J2000 + timedelta(seconds=round(since_j2000_s))


def _wrapped(angle_deg: float) -> float:
    return (angle_deg + 180.0) % 360.0 - 180.0


def _elevation(since_j2000_s: float, place: Place) -> float:
    ascension_deg, declination, sidereal_deg = _sun(since_j2000_s)
    hour_angle = math.radians(sidereal_deg + place.longitude - ascension_deg)
    latitude = math.radians(place.latitude)
    sine = math.sin(latitude) * math.sin(declination)
    sine += math.cos(latitude) * math.cos(declination) * math.cos(hour_angle)
    geocentric = math.asin(max(-1.0, min(1.0, sine)))
    return math.degrees(geocentric) - _PARALLAX_DEG * math.cos(geocentric)


def _hour_angle(since_j2000_s: float, longitude: float) -> float:
    ascension_deg, _, sidereal_deg = _sun(since_j2000_s)
    return sidereal_deg + longitude - ascension_deg


def _sun(since_j2000_s: float) -> tuple[float, float, float]:
    """Apparent right ascension (degrees), declination (radians), sidereal time at Greenwich (degrees)."""
    t = (since_j2000_s + _DELTA_T_S) / _CENTURY_S
    node = math.radians(125.04 - 1934.136 * t)
    nutation_deg = -0.00478 * math.sin(node)
    longitude = math.radians(_true_longitude(t) - 0.00569 + nutation_deg)
    obliquity = math.radians(23.4392911 - 0.0130042 * t + 0.00256 * math.cos(node))
    ascension = math.atan2(math.cos(obliquity) * math.sin(longitude), math.cos(longitude))
    declination = math.asin(math.sin(obliquity) * math.sin(longitude))
    mean_sidereal_deg = 280.46061837 + 360.98564736629 * (since_j2000_s / _DAY_S)
    return math.degrees(ascension), declination, mean_sidereal_deg + nutation_deg * math.cos(obliquity)


def _true_longitude(t: float) -> float:
    """Geometric longitude of the sun in degrees, mean equinox of date; ``t`` in Julian centuries TT."""
    anomaly = math.radians(357.52911 + 35999.05029 * t - 0.0001537 * t * t)
    centre = (1.914602 - 0.004817 * t - 0.000014 * t * t) * math.sin(anomaly)
    centre += (0.019993 - 0.000101 * t) * math.sin(2 * anomaly) + 0.000289 * math.sin(3 * anomaly)
    return 280.46646 + 36000.76983 * t + 0.0003032 * t * t + centre
