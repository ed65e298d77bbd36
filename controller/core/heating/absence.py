"""Presence setback: nobody in the room within its hours means a slightly lower comfort.

It counts from the opening or from when the detector last saw somebody, whichever is later, and ends with the first
detection. A detector that is stale, faulty or silent lowers nothing. Floors are left out: they answer in hours.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from config.site import Emitter, Zone
from controller.core.arbitration import Slot, Source
from controller.core.heating import seen
from controller.core.rooms import Attendance, Room
from controller.core.state import Draft
from controller.core.wiring import Wiring
from schedules import allures
from schedules.allures import Allure


def slot(wiring: Wiring, draft: Draft, zone: Zone) -> Slot | None:
    """The lower comfort while nobody is there."""
    empty = _empty_since(wiring, draft, zone)
    rule = zone.absence
    if empty is None or rule is None or draft.now < empty + rule.after or _detected(wiring, draft, zone) is not False:
        return None
    value = max(zone.setpoints.comfort - rule.reduce_k, zone.setpoints.reduced)
    local = empty.astimezone(wiring.site.place.zone)
    lower_k = zone.setpoints.comfort - value
    until = allures.evaluate(zone.occupancy, zone.setpoints, draft.now).until
    reason = f"nobody seen since {local:%H:%M}: {lower_k:g} K below the comfort"
    return Slot(Source.ABSENCE, value, reason, until, Allure.COMFORT.value)


def judge(wiring: Wiring, draft: Draft, zone: Zone) -> None:
    """Take up what the detector says now, or that it says nothing any more."""
    if not _applies(zone):
        return
    room = draft.rooms.get(zone.id) or Room()
    detected, before = _detected(wiring, draft, zone), room.attendance
    if before is not None and before.present is detected:
        return
    known = None if detected is None else Attendance(detected, draft.now)
    if known == before:
        return
    draft.rooms[zone.id] = replace(room, attendance=known)
    _look_again(wiring, draft, zone)


def begin(wiring: Wiring, draft: Draft, zone: Zone) -> None:
    """A core begins, or a new configuration: be due when the setback may begin."""
    if _applies(zone):
        _look_again(wiring, draft, zone)


def due(wiring: Wiring, draft: Draft, zone_id: str) -> None:
    """``absence/<zone>``: a room may have been empty for long enough, or its hours have begun."""
    _look_again(wiring, draft, wiring.site.zones[zone_id])


def since(wiring: Wiring, draft: Draft, zone: Zone) -> datetime | None:
    """Since when the room is empty within its hours, while that lowers its setpoint."""
    return None if slot(wiring, draft, zone) is None else _empty_since(wiring, draft, zone)


def _applies(zone: Zone) -> bool:
    return zone.absence is not None and zone.emitter is not Emitter.FLOOR


def _detected(wiring: Wiring, draft: Draft, zone: Zone) -> bool | None:
    """Whether somebody is seen; None where the detector cannot be believed."""
    rule = zone.absence
    value = None if rule is None else seen.good(wiring, draft, rule.device, f"presence.{rule.number}.detected")
    return None if value is None else value >= 0.5


def _empty_since(wiring: Wiring, draft: Draft, zone: Zone) -> datetime | None:
    room = draft.rooms.get(zone.id)
    if not _applies(zone) or room is None or room.attendance is None or room.attendance.present:
        return None
    demand = allures.evaluate(zone.occupancy, zone.setpoints, draft.now)
    return max(room.attendance.since, demand.since) if demand.allure is Allure.COMFORT else None


def _look_again(wiring: Wiring, draft: Draft, zone: Zone) -> None:
    """Arrange the zone anew, and be due when the setback may begin: after an opening too."""
    key, rule = f"zone/{zone.id}", zone.absence
    draft.rearrange.add(key)
    draft.changed.add(key)
    if rule is None or not _applies(zone):
        return
    demand = allures.evaluate(zone.occupancy, zone.setpoints, draft.now)
    empty = _empty_since(wiring, draft, zone)
    begins = [at + rule.after for at in (empty, demand.next_opening) if at is not None]
    draft.schedule(f"absence/{zone.id}", min((at for at in begins if at > draft.now), default=None))
