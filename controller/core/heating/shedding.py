"""Load shedding on a signal: zones nearest their setpoint first, back one after the other, the coldest first.

At level L of 3 the share L/3 of the zones that have something to give is shed, by so many K as the site says for L,
never below the reduced setpoint. Which ones is decided when they are needed and kept; a zone that has been shed for
long enough rests, and another takes its place. Back they come ``stagger`` apart, so that not everything heats at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from config.site import Building, Shedding, Zone
from controller.core.arbitration import Slot, Source
from controller.core.commands import Stretch
from controller.core.dynamic import BOOST
from controller.core.heating import seen, window
from controller.core.rooms import Room, Shed, SignalState
from controller.core.state import Draft
from controller.core.wiring import Wiring

_LEVELS = 3
_LOOK_AGAIN = timedelta(minutes=10)
_LAST_HOUR = timedelta(hours=1)
"""So long before an opening a preheat is not touched any more: nobody comes into a cold room for a signal."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A zone that gives or could give up heat; ``short_k`` is what it lacks to its setpoint."""

    zone: Zone
    room: Room
    short_k: float


def slot(wiring: Wiring, draft: Draft, zone: Zone, wish: Slot) -> Slot | None:
    """What the signal leaves of ``wish``, the strongest of the plan."""
    room, building = draft.rooms.get(zone.id), wiring.site.buildings.get(zone.building)
    if room is None or room.shed is None or building is None or building.shedding is None:
        return None
    value = max(wish.value - room.shed.reduce_k, zone.setpoints.reduced)
    if value >= wish.value or _is_last_hour(draft, wish):
        return None
    local = room.shed.since.astimezone(wiring.site.place.zone)
    lower_k = wish.value - value
    reason = f"shed since {local:%H:%M}: {lower_k:g} K less at level {room.shed.level} of {building.shedding.signal}"
    return Slot(Source.SHED, value, reason, room.shed.since + building.shedding.longest, wish.allure)


def judge(wiring: Wiring, draft: Draft, building_id: str) -> None:
    """``shed/<building>``: who gives up heat now, who comes back, and when to look again."""
    building = wiring.site.buildings.get(building_id)
    if building is None:
        return
    if building.shedding is None:
        _drop_others(draft, building, set())
        return
    said = in_force(draft, building.shedding)
    level = 0 if said is None else said.level
    candidates = list(_candidates(wiring, draft, building))
    _drop_others(draft, building, {each.zone.id for each in candidates})
    shed = [each for each in candidates if each.room.shed is not None]
    wanted = math.ceil(len(candidates) * level / _LEVELS)
    shed = _relieve(draft, building, building.shedding, shed, wanted)
    _take(draft, building.shedding, candidates, shed, level, wanted)
    _keep_up(draft, building.shedding, shed, level)
    draft.rearrange.update(f"zone/{zone}" for zone in building.zones)
    draft.changed.add(f"building/{building_id}")
    draft.schedule(f"shed/{building_id}", _next_look(draft, building, building.shedding, level))


def in_force(draft: Draft, shedding: Shedding) -> Stretch | None:
    """What the building's signal asks for now."""
    return (draft.signals.get(shedding.signal) or SignalState()).at(draft.now)


def count(draft: Draft, building: Building) -> int:
    """How many zones of the building are shed."""
    rooms = (draft.rooms.get(zone) for zone in building.zones)
    return sum(room is not None and room.shed is not None for room in rooms)


def reduce_k(shedding: Shedding, level: int) -> float:
    """By how much at a level: what the site says for it, else for the next lower one."""
    return next((shedding.reduce_k[each] for each in range(level, 0, -1) if each in shedding.reduce_k), 0.0)


def _candidates(wiring: Wiring, draft: Draft, building: Building) -> Iterator[_Candidate]:
    """The zones with something to give: heated above the reduced setpoint by the plan, and nobody's hand on them."""
    for zone_id in building.zones:
        zone = wiring.site.zones[zone_id]
        key, room = f"zone/{zone_id}", draft.rooms.get(zone_id) or Room()
        wish, measured = _plan(draft, key), seen.lately_c(wiring, draft, zone)
        if not zone.sheddable or key not in wiring.targets or wish is None or measured is None:
            continue
        held = key in draft.overrides or f"building/{building.id}" in draft.overrides or BOOST + key in draft.overrides
        if held or window.is_open(draft, zone_id) or _is_last_hour(draft, wish):
            continue
        if wish.value > zone.setpoints.reduced:
            yield _Candidate(zone, room, wish.value - measured)


def _plan(draft: Draft, key: str) -> Slot | None:
    preheat = draft.preheats.get(key)
    return preheat if preheat is not None and preheat.in_force(draft.now) else draft.demands.get(key)


def _is_last_hour(draft: Draft, wish: Slot) -> bool:
    return wish.source is Source.OPTIMUM_START and wish.until is not None and wish.until - draft.now <= _LAST_HOUR


def _drop_others(draft: Draft, building: Building, candidates: set[str]) -> None:
    """Zones that have nothing to give any more are shed no longer, and nothing comes back at once by that."""
    for zone_id in building.zones:
        room = draft.rooms.get(zone_id)
        if room is not None and room.shed is not None and zone_id not in candidates:
            _restore(draft, zone_id, room, None)


def _relieve(
    draft: Draft, building: Building, shedding: Shedding, shed: list[_Candidate], wanted: int
) -> list[_Candidate]:
    """Let one come back where that is due, the coldest first; the last that may be shed so long are back in time."""
    returned = _returned(draft, building)
    turn = returned is None or not returned <= draft.now < returned + shedding.stagger
    if not shed or not turn:
        return shed
    enough = _enough(shedding, len(shed))
    tired = [each for each in shed if each.room.shed is not None and draft.now - each.room.shed.since >= enough]
    if not tired and len(shed) <= wanted:
        return shed
    chosen = max(tired or shed, key=lambda each: each.short_k)
    rests_until = draft.now + shedding.longest / 2 if tired else None
    _restore(draft, chosen.zone.id, replace(chosen.room, returned=draft.now), rests_until)
    return [each for each in shed if each is not chosen]


def _returned(draft: Draft, building: Building) -> datetime | None:
    """When the last of its zones came back in its turn."""
    rooms = (draft.rooms.get(zone) for zone in building.zones)
    return max((room.returned for room in rooms if room is not None and room.returned is not None), default=None)


def _enough(shedding: Shedding, number: int) -> timedelta:
    """After how long one must come back so that of ``number`` shed together the last is back after ``longest``."""
    return max(shedding.longest - shedding.stagger * (number - 1), shedding.longest / 2)


def _take(
    draft: Draft, shedding: Shedding, candidates: Iterable[_Candidate], shed: list[_Candidate], level: int, wanted: int
) -> None:
    """Shed more zones where the level asks for more, those nearest their setpoint first."""
    lower_k = reduce_k(shedding, level)
    if lower_k <= 0.0:
        return
    rested = [each for each in candidates if (draft.rooms.get(each.zone.id) or each.room).shed is None]
    rested = [each for each in rested if _is_rested(draft, each.zone.id)]
    for each in sorted(rested, key=lambda one: one.short_k)[: max(0, wanted - len(shed))]:
        room = draft.rooms.get(each.zone.id) or each.room
        draft.rooms[each.zone.id] = replace(room, shed=Shed(level, lower_k, draft.now), rests_until=None)
        draft.event("shed", f"zone/{each.zone.id}", signal=shedding.signal, level=level, reduce_k=lower_k)


def _is_rested(draft: Draft, zone_id: str) -> bool:
    room = draft.rooms.get(zone_id)
    return room is None or room.rests_until is None or room.rests_until <= draft.now


def _keep_up(draft: Draft, shedding: Shedding, shed: Iterable[_Candidate], level: int) -> None:
    """Zones that stay shed give what the level of now asks for; what waits for its turn to come back keeps its own."""
    lower_k = reduce_k(shedding, level)
    for each in shed:
        room = draft.rooms.get(each.zone.id)
        if room is not None and room.shed is not None and lower_k > 0.0 and room.shed.level != level:
            draft.rooms[each.zone.id] = replace(room, shed=replace(room.shed, level=level, reduce_k=lower_k))


def _restore(draft: Draft, zone_id: str, room: Room, rests_until: datetime | None) -> None:
    lasted = timedelta() if room.shed is None else draft.now - room.shed.since
    draft.rooms[zone_id] = replace(room, shed=None, rests_until=rests_until)
    draft.event("restored", f"zone/{zone_id}", shed_min=round(lasted.total_seconds() / 60))


def _next_look(draft: Draft, building: Building, shedding: Shedding, level: int) -> datetime | None:
    """While a level stands or a zone is shed: now and then, at the next turn, and when one has been shed for long."""
    rooms = [draft.rooms.get(zone) for zone in building.zones]
    since = [room.shed.since for room in rooms if room is not None and room.shed is not None]
    if not since and level == 0:
        return None
    looks = [draft.now + _LOOK_AGAIN, *(at + _enough(shedding, len(since)) for at in since)]
    preheats = (draft.preheats.get(f"zone/{zone}") for zone in building.zones)
    looks += [each.until - _LAST_HOUR for each in preheats if each is not None and each.until is not None]
    returned = _returned(draft, building)
    if since and returned is not None:
        looks.append(returned + shedding.stagger)
    return min(at for at in looks if at > draft.now)
