"""Lighting for works: an override with a work order and words for the public, which ends before it gets dark.

While it stands, what the workers do at a lamp is no fault: its alarms are explained by the work order.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from controller.core.state import Draft
from controller.core.wiring import Wiring
from schedules import sun
from schedules.nights import DAY, night_of
from schedules.sun import Place


def under_maintenance(wiring: Wiring, draft: Draft, key: str) -> str | None:
    """The work order under which ``lamp/<id>`` or ``segment/<id>`` is worked at, None when it is not."""
    for each in _reaching(wiring, key):
        override = draft.overrides.get(each)
        if override is not None and override.work_order and override.until > draft.now:
            return override.work_order
    return None


def until_dark(until: datetime, now: datetime, place: Place) -> datetime:
    """``until``, or the next sunset where that comes earlier; a day without one changes nothing."""
    night = night_of(now, place.zone)
    # An evening belongs to the solar noon of its date, which need not be the clock's: look at the next one as well.
    for day in (night, night + DAY, night + timedelta(days=2)):
        sunset = sun.evening(day, place, sun.SUNRISE_DEG)
        if isinstance(sunset, datetime) and sunset > now:
            return min(until, sunset)
    return until


def _reaching(wiring: Wiring, key: str) -> Iterator[str]:
    """Every target whose command reaches ``key``, or at which works are works at ``key``."""
    kind, _, identity = key.partition("/")
    yield key
    yield from _around(wiring, wiring.group_of.get(key))
    if kind == "lamp":
        segment = wiring.site.lamps[identity].segment
        if segment is not None:
            yield f"segment/{segment}"
    elif kind == "segment":
        for group in wiring.groups_feeding.get(identity, ()):
            yield from _around(wiring, group)
        yield from (f"lamp/{lamp}" for lamp in wiring.lamps_of_segment.get(identity, ()))


def _around(wiring: Wiring, group: str | None) -> Iterator[str]:
    return (f"group/{each}" for each in wiring.chain_of[group]) if group is not None else iter(())
