"""What the sun does to the nights of a picture: day and twilight as areas, its crossings as curves, and the marks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from controller.cli.year.nights import MINUTES, NIGHT, Night, Stretch, wall_minute
from schedules import sun
from schedules.moments import night_of
from schedules.sun import CIVIL_DEG, SUNRISE_DEG, Place, Polar

_ZERO = timedelta()
_Crossing = Callable[[date, Place, float], datetime | Polar]


class Light(StrEnum):
    """How light it is outside; a night without either is dark."""

    DAY = "day"
    TWILIGHT = "twilight"


@dataclass(frozen=True, slots=True)
class Mark:
    """What is written beside the row of ``night``."""

    kind: str
    night: Night
    words: tuple[str, str]


def daylight(nights: Sequence[Night], place: Place) -> list[Stretch]:
    """Day and civil twilight of ``nights`` in the order of time; the gaps between are dark."""
    return [stretch for night in nights for stretch in _light_of(night, place)]


def curves(nights: Sequence[Night], place: Place, angle_deg: float) -> list[list[tuple[float, float]]]:
    """Points (minutes after noon, halves of a night) of the evening's and the morning's crossings of ``angle_deg``.

    A curve is broken where the sun does not cross, where the crossing leaves the row, and where the clock is changed.
    """
    return [part for crossing in (sun.evening, sun.morning) for part in _parts(nights, place, angle_deg, crossing)]


def marks(nights: Sequence[Night], place: Place) -> list[Mark]:
    """The clock changes and solstices of ``nights``, from the top."""
    found = [_clock_mark(night, place) for night in nights if night.change is not None]
    return sorted([*found, *_solstice_marks(nights, place)], key=lambda mark: mark.night.row)


def _light_of(night: Night, place: Place) -> Iterator[Stretch]:
    sunset, sunrise = _ends(night, place, SUNRISE_DEG, night.start, night.end)
    dusk, dawn = _ends(night, place, CIVIL_DEG, sunset, sunrise)
    dusk, dawn = max(dusk, sunset), min(dawn, sunrise)
    spans = (
        (night.start, sunset, Light.DAY),
        (sunset, dusk, Light.TWILIGHT),
        (dawn, sunrise, Light.TWILIGHT),
        (sunrise, night.end, Light.DAY),
    )
    return (Stretch(start, end, light) for start, end, light in spans if start < end)


def _ends(night: Night, place: Place, angle_deg: float, first: datetime, last: datetime) -> tuple[datetime, datetime]:
    """When the sun goes below ``angle_deg`` and when it is back, within the night.

    A sun that stays above goes down at ``last`` (there is no dark between); one that stays below was never up.
    """
    down, up = sun.evening(night.day, place, angle_deg), sun.morning(night.day, place, angle_deg)
    if Polar.ALWAYS_UP in (down, up):
        return last, last
    down = first if isinstance(down, Polar) else min(max(down, night.start), night.end)
    up = last if isinstance(up, Polar) else min(max(up, night.start), night.end)
    return down, up


def _parts(
    nights: Sequence[Night], place: Place, angle_deg: float, crossing: _Crossing
) -> list[list[tuple[float, float]]]:
    parts: list[list[tuple[float, float]]] = [[]]
    offset: timedelta | None = None
    for night in nights:
        at = crossing(night.day, place, angle_deg)
        minute = wall_minute(at, night, place.zone) if isinstance(at, datetime) else -1.0
        now = at.astimezone(place.zone).utcoffset() if isinstance(at, datetime) else None
        if not 0.0 <= minute <= MINUTES or now != offset:
            parts.append([])
        if 0.0 <= minute <= MINUTES:
            parts[-1].append((minute, NIGHT * night.row + NIGHT / 2))
        offset = now
    return [part for part in parts if part]


def _clock_mark(night: Night, place: Place) -> Mark:
    if night.change is None:
        raise ValueError(f"the clock is not changed in the night of {night.day}")
    after = night.change.at.astimezone(place.zone).replace(tzinfo=None)
    before = after - night.change.shift
    hours = f"{night.length / timedelta(hours=1):g} h"
    way = "forward" if night.change.shift > _ZERO else "back"
    return Mark("clock", night, (f"{_date(after)}  {before:%H:%M} → {after:%H:%M}", f"clock {way}, row of {hours}"))


def _solstice_marks(nights: Sequence[Night], place: Place) -> Iterator[Mark]:
    by_day = {night.day: night for night in nights}
    years = dict.fromkeys(year for day in by_day for year in (day.year, day.year + 1))
    for at in (instant for year in years for instant in sun.solstices(year)):
        night = by_day.get(night_of(at, place.zone))
        if night is not None:
            yield Mark(
                "solstice", night, (f"{_date(at.astimezone(place.zone))}  solstice", _sun_down(night.day, place))
            )


def _sun_down(day: date, place: Place) -> str:
    """How long the sun is below the horizon in the night of ``day``."""
    down, up = sun.evening(day, place, SUNRISE_DEG), sun.morning(day, place, SUNRISE_DEG)
    if Polar.ALWAYS_UP in (down, up):
        return "the sun does not set"
    if isinstance(down, Polar) or isinstance(up, Polar):
        return "the sun does not rise"
    minutes = round((up - down) / timedelta(minutes=1))
    return f"sun down {minutes // 60} h {minutes % 60:02} min"


def _date(at: datetime) -> str:
    return f"{at.day} {at:%b}"
