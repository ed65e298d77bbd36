"""An open window, seen by the slope of the room's temperature; heating waits, for a while.

Only while heat is wanted: a room that is let cool at the beginning of a setback, or that was warmer than its setpoint
by the sun, has no window open. A sensor of coarse steps must fall by two of them. After the end it is not looked for
again at once, so that a wrong guess costs little.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from config.site import WindowRule, Zone
from controller.core.arbitration import Slot, Source
from controller.core.heating import seen
from controller.core.heating.wanted import wanted_c
from controller.core.rooms import Opened, Room, Trace
from controller.core.state import Draft
from controller.core.wiring import Wiring
from schedules.allures import Allure

_SHORT, _LONG = timedelta(minutes=10), timedelta(minutes=20)
"""Spans over which a fall is looked for; the longer one for coarse sensors and slow leaks."""
_COARSE_K = 0.25
_KNOWN_SHARE = 0.75
_FALL_SHARE = 0.8
"""A straight line through noise may be steep where the room has hardly moved: it must have fallen as well."""
_WANTED_K = 0.5
"""A room warmer than its setpoint by more than this is given no heat that a window could waste."""
_SETTLED = timedelta(minutes=10)
"""After an end by a rise, the rise itself must be out of the picture before another look."""


def slot(wiring: Wiring, draft: Draft, zone: Zone) -> Slot | None:
    """The lower setpoint while a window is open."""
    room = draft.rooms.get(zone.id)
    if room is None or room.window is None or zone.window is None or seen.is_blind(draft, room):
        return None
    opened = room.window
    local = opened.since.astimezone(wiring.site.place.zone)
    limit = -zone.window.slope_k_h
    reason = f"window open since {local:%H:%M}: the room fell by {-opened.slope_k_h:.1f} K/h, {limit:g} are allowed"
    until = opened.since + zone.window.lasting
    return Slot(Source.WINDOW, zone.setpoints.frost, reason, until, Allure.FROST.value)


def heard(wiring: Wiring, draft: Draft, zone: Zone, at: datetime) -> None:
    """The trace of the room has one more point."""
    room, rule = draft.rooms.get(zone.id) or Room(), zone.window
    if rule is None:
        return
    if room.window is not None:
        if _rises(room.trace, at, room.window.since):
            _close(draft, zone, "the room cools no more", _SETTLED)
        return
    wanted = _wanted(wiring, draft, zone)
    if wanted is not (room.wanted_since is not None):
        room = replace(room, wanted_since=at if wanted else None)
        draft.rooms[zone.id] = room
    locked = room.window_locked_until is not None and at < room.window_locked_until
    if room.wanted_since is None or locked:
        return
    after = room.wanted_since if room.window_locked_until is None else max(room.wanted_since, room.window_locked_until)
    slope = fall_k_h(room.trace, at, after, rule)
    if slope is not None:
        _open(draft, zone, rule, at, slope)


def due(wiring: Wiring, draft: Draft, zone_id: str) -> None:
    """``window/<zone>``: it has been open for as long as heating waits."""
    zone, room = wiring.site.zones[zone_id], draft.rooms.get(zone_id)
    if room is None or room.window is None:
        return
    lasting = (zone.window or WindowRule()).lasting
    if draft.now < room.window.since + lasting:
        draft.schedule(f"window/{zone_id}", room.window.since + lasting)
    else:
        _close(draft, zone, f"heating has waited for {lasting.total_seconds() / 60:g} min", lasting)


def begin(draft: Draft, zone: Zone) -> None:
    """A new configuration, or a core begins: one that is open still ends."""
    room = draft.rooms.get(zone.id)
    if room is not None and room.window is not None:
        draft.schedule(f"window/{zone.id}", draft.now)


def is_open(draft: Draft, zone_id: str) -> bool:
    """Whether a window of the zone is taken for open: such a morning teaches nothing."""
    room = draft.rooms.get(zone_id)
    return room is not None and room.window is not None


def fall_k_h(trace: Trace, at: datetime, after: datetime, rule: WindowRule) -> float | None:
    """The slope by which a window is open at ``at``, by what came after ``after``; None where none is."""
    seen = _since(trace, after)
    step_k = _step_k(trace)
    for span in (_SHORT, _LONG):
        within = [point for point in seen.points if at - point[0] <= span]
        if not within or at - within[0][0] < span * _KNOWN_SHARE:
            return None
        slope = seen.slope_k_h(at, span)
        least_k = max(-rule.slope_k_h * ((at - within[0][0]) / timedelta(hours=1)) * _FALL_SHARE, 2.0 * step_k - 0.01)
        if slope is not None and slope <= rule.slope_k_h and within[0][1] - within[-1][1] >= least_k:
            return slope
    return None


def _rises(trace: Trace, at: datetime, since: datetime) -> bool:
    span = _LONG if _step_k(trace) >= _COARSE_K else _SHORT
    seen = _since(trace, max(since, at - span))
    if not seen.points or at - seen.points[0][0] < span * _KNOWN_SHARE:
        return False
    slope = seen.slope_k_h(at, span)
    return slope is not None and slope >= 0.0


def _since(trace: Trace, since: datetime) -> Trace:
    return Trace(tuple(point for point in trace.points if point[0] >= since))


def _step_k(trace: Trace) -> float:
    """The sensor's resolution, as far as it has shown: the least change between two readings."""
    values = [value for _, value in trace.points]
    changes = [abs(later - earlier) for earlier, later in pairwise(values)]
    return min((change for change in changes if change > 0.001), default=0.0)


def _wanted(wiring: Wiring, draft: Draft, zone: Zone) -> bool:
    """Whether the zone's device is heating or would at once, as it was last commanded."""
    commanded, measured = wanted_c(draft, zone.id), seen.room_c(wiring, draft, zone)
    return commanded is not None and measured is not None and measured <= commanded + _WANTED_K


def _open(draft: Draft, zone: Zone, rule: WindowRule, at: datetime, slope_k_h: float) -> None:
    room = draft.rooms.get(zone.id) or Room()
    draft.rooms[zone.id] = replace(room, window=Opened(at, slope_k_h))
    draft.schedule(f"window/{zone.id}", at + rule.lasting)
    draft.event("window-open", f"zone/{zone.id}", slope_k_h=round(slope_k_h, 1), temperature_c=_latest(room))
    _again(draft, zone)


def _close(draft: Draft, zone: Zone, why: str, locked: timedelta) -> None:
    room = draft.rooms.get(zone.id) or Room()
    since = draft.now if room.window is None else room.window.since
    draft.rooms[zone.id] = replace(room, window=None, window_locked_until=draft.now + locked, wanted_since=None)
    draft.schedule(f"window/{zone.id}", None)
    lasted = round((draft.now - since).total_seconds() / 60)
    draft.event("window-closed", f"zone/{zone.id}", detail=why, open_min=lasted, temperature_c=_latest(room))
    _again(draft, zone)


def _latest(room: Room) -> float | None:
    return round(room.trace.points[-1][1], 2) if room.trace.points else None


def _again(draft: Draft, zone: Zone) -> None:
    draft.rearrange.add(f"zone/{zone.id}")
    draft.changed.add(f"zone/{zone.id}")
