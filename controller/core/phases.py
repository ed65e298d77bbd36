"""Which part of a night is which: the sun is up, it is down, or it is down and the plan has cut the light."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

from controller.core.ledger import Phase, Phases
from schedules import sun
from schedules.cuts import cuts
from schedules.nights import DAY, noon
from schedules.plan import Plan
from schedules.sun import Place, Polar

Span = tuple[datetime, datetime]


@lru_cache(maxsize=512)
def phases_of(plan: Plan, night: date) -> Phases:
    """The phases of the night that begins on ``night``, from noon on."""
    start, dark = noon(night, plan.place.zone), dark_span(night, plan.place)
    if dark is None:
        return ((start, Phase.DAY),)
    inside = [cut for cut in cuts(plan, night) if cut.start < dark[1] and cut.end > dark[0]]
    edges = sorted(
        {start, *dark, *(edge for cut in inside for edge in (cut.start, cut.end) if dark[0] <= edge <= dark[1])}
    )
    found: list[tuple[datetime, int]] = []
    for edge in edges:
        phase = Phase.DAY
        if dark[0] <= edge < dark[1]:
            phase = Phase.CUT if any(cut.start <= edge < cut.end for cut in inside) else Phase.NIGHT
        if not found or found[-1][1] is not phase:
            found.append((edge, phase))
    return tuple(found)


def dark_span(night: date, place: Place) -> Span | None:
    """From sunset to sunrise within the night's noons; None where the sun does not set."""
    start, end = noon(night, place.zone), noon(night + DAY, place.zone)
    sunset, sunrise = sun.evening(night, place, sun.SUNRISE_DEG), sun.morning(night, place, sun.SUNRISE_DEG)
    if Polar.ALWAYS_UP in (sunset, sunrise):
        return None
    down = start if isinstance(sunset, Polar) else max(start, sunset)
    up = end if isinstance(sunrise, Polar) else min(end, sunrise)
    return (down, up) if down < up else None
