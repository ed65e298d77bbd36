"""Frost protection: depends on a good room temperature alone, on no schedule, no broker and no right clock.

A room that is blind (no good temperature for ten minutes) is never taken for cold. While it is cold outside, or nobody
knows, it is kept at what its allure says, and never colder than its frost setpoint; that is looked at again and again,
for the weather changes.
"""

from __future__ import annotations

from dataclasses import replace

from config.site import Plant, Zone
from controller.core import diagnostics
from controller.core.arbitration import Slot, Source
from controller.core.diagnostics import Condition
from controller.core.heating import seen
from controller.core.rooms import Room
from controller.core.state import Draft
from controller.core.wiring import Wiring
from schedules.allures import Allure

ALARM = "frostDanger"
RELEASE_K = 1.0
"""So much warmer than the limit a room is out of danger."""
_OVERSHOOT_K = 0.5
"""The setpoint lies beyond the release: a controller that stops just below its setpoint must get there."""


def slot(wiring: Wiring, draft: Draft, zone: Zone, wish: Slot) -> Slot | None:
    """Warmth for a room that is about to freeze, never less than ``wish``, the strongest of the others."""
    room = draft.rooms.get(zone.id) or Room()
    if seen.is_blind(draft, room):
        return _blind(wiring, draft, zone, wish)
    measured = seen.lately_c(wiring, draft, zone)
    if room.frost_since is None or measured is None:
        return None
    value = max(wish.value, zone.setpoints.frost, zone.frost_below_c + RELEASE_K + _OVERSHOOT_K)
    out_at = zone.frost_below_c + RELEASE_K
    reason = f"frost protection: the room is at {measured:.1f}, below {zone.frost_below_c:g}; heated until {out_at:g}"
    return Slot(Source.FROST, value, reason, None, _allure(wish, value))


def begin(draft: Draft, zone: Zone) -> None:
    """A new configuration: a blind room goes on being looked at."""
    room = draft.rooms.get(zone.id)
    if room is not None and room.blind_since is not None:
        draft.schedule(f"frost/{zone.id}", max(draft.now, room.blind_since + seen.BLIND_AFTER))


def heard(wiring: Wiring, draft: Draft, zone: Zone) -> None:
    """The zone's device answered: danger begins below the limit and ends ``RELEASE_K`` above it."""
    room = draft.rooms.get(zone.id) or Room()
    measured = seen.room_c(wiring, draft, zone)
    if measured is None:
        if room.blind_since is None:
            draft.rooms[zone.id] = replace(room, blind_since=draft.now)
            _again(draft, zone)
            draft.schedule(f"frost/{zone.id}", draft.now + seen.BLIND_AFTER)
        return
    since = room.frost_since
    if measured < zone.frost_below_c:
        since = since or draft.now
    elif measured >= zone.frost_below_c + RELEASE_K:
        since = None
    if since is None and (f"zone/{zone.id}", ALARM) in draft.alarms:
        _tell(wiring, draft, zone, measured, acts=False)
    if since == room.frost_since and room.blind_since is None:
        return
    draft.rooms[zone.id] = replace(room, frost_since=since, blind_since=None)
    draft.schedule(f"frost/{zone.id}", None)
    if since is not None:
        _tell(wiring, draft, zone, measured, acts=True)
    _again(draft, zone)


def due(wiring: Wiring, draft: Draft, zone_id: str) -> None:
    """``frost/<zone>``: the sensor has been bad for so long that nobody knows; the weather may be another by now."""
    zone, room = wiring.site.zones[zone_id], draft.rooms.get(zone_id) or Room()
    if not seen.is_blind(draft, room):
        return
    if room.frost_since is not None:
        draft.rooms[zone_id] = replace(room, frost_since=None)
        _tell(wiring, draft, zone, zone.frost_below_c, acts=False)
    draft.schedule(f"frost/{zone_id}", draft.now + seen.BLIND_AFTER)
    _again(draft, zone)


def _tell(wiring: Wiring, draft: Draft, zone: Zone, measured: float, *, acts: bool) -> None:
    detail = f"the room is at {measured:.1f} degrees C; it is heated until {zone.frost_below_c + RELEASE_K:g}"
    told = Condition(ALARM, acts, "critical", 0.0, measured, zone.frost_below_c, detail)
    diagnostics.follow(wiring, draft, f"zone/{zone.id}", told)


def acting(draft: Draft, zone_id: str) -> bool:
    """Whether a room is in danger of frost, as far as was last heard of it."""
    room = draft.rooms.get(zone_id)
    return room is not None and room.frost_since is not None


def _blind(wiring: Wiring, draft: Draft, zone: Zone, wish: Slot) -> Slot | None:
    building = wiring.site.buildings.get(zone.building)
    plant = (building.plant if building is not None else None) or Plant()
    outdoor = seen.outdoor_c(wiring, draft, zone)
    if outdoor is not None and outdoor >= max(plant.frost_outdoor_c, zone.frost_below_c):
        return None  # no room is colder than what is around it
    plan = draft.demands.get(f"zone/{zone.id}")
    by_hand = wish.source is Source.OVERRIDE
    floor = zone.setpoints.frost if plan is None or by_hand else max(plan.value, zone.setpoints.frost)
    if wish.value >= floor:
        return None
    outside = "nobody knows how cold it is outside" if outdoor is None else f"{outdoor:.1f} degrees C outside"
    kept = "the frost setpoint" if plan is None or by_hand else f"what its allure {plan.allure} says"
    reason = f"no good temperature of the room and {outside}: kept at {kept}"
    return Slot(Source.FROST, floor, reason, None, _allure(wish, floor))


def _allure(wish: Slot, value: float) -> str | None:
    warm = wish.value >= value and wish.allure != Allure.OFF.value
    return wish.allure if warm else Allure.FROST.value


def _again(draft: Draft, zone: Zone) -> None:
    draft.rearrange.add(f"zone/{zone.id}")
    draft.changed.add(f"zone/{zone.id}")
