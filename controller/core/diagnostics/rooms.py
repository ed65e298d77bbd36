"""Rooms that are heated: sensor, valve, heat that does not come, rooms too cold or too warm.

Patience after the building, not after the valve: masonry gains nothing for an hour behind a cold boiler or after a
weekend of frost protection, and 15 minutes without a rise (what room controllers of light buildings take) would call
out somebody on every Monday.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from config.site import Zone
from controller.core.diagnostics.alarms import settle
from controller.core.diagnostics.conditions import Condition, condition
from controller.core.diagnostics.feeding import fresh
from controller.core.heating import outdoor, window
from controller.core.heating.wanted import wanted_c
from controller.core.image import NOTHING_HEARD, DeviceImage
from controller.core.rooms import HeatWatch, Room
from controller.core.state import Draft
from controller.core.wiring import Wiring
from drivers.api import Quality
from schedules import sun
from schedules.allures import Allure

SENSOR = frozenset({"sensorFault"})
HEAT = frozenset({"heatingFailure", "stuckValve", "roomTooCold", "roomTooWarm"})
LACKING_K, ASKS_PCT, SHUT_PCT = 1.0, 90.0, 5.0
NO_RISE_FOR, RISE_K_H = timedelta(minutes=60), 0.1
FALL_K_H, GAINED_K = -0.2, 0.5
RECOVERING_K, REPAIRED_K_H = 0.3, 0.5
"""After airing a room rises from its lowest; heat that has come back gives more in an hour than noise does."""
AIRED_FOR, AIRED_K_H = timedelta(minutes=20), -2.0
"""Without heat no room falls so fast: somebody airs it."""
SHUT_FOR, AFTERGLOW = timedelta(minutes=90), timedelta(minutes=45)
"""With the valve shut: how long before it is judged, and for how long radiators go on warming the room."""
RISEN_K, COLDER_OUT_K = 0.5, 5.0
COLD_K, WARM_K = 1.5, 3.0
_SUNLESS_DEG = -6.0
_HEATING_SEASON_C = 12.0
_HOT_C, _COLD_C = 40.0, 30.0
_DOUBTFUL = "out of service or overridden at the device: what it shows is no measurement"


@dataclass(frozen=True, slots=True)
class _Seen:
    """A room as it is now; temperatures degrees C, None: not known."""

    measured_c: float
    wanted_c: float
    demand_pct: float | None
    held_c: float | None
    """The setpoint that its controller shows."""
    outdoor_c: float | None
    supply_c: float | None
    occupied: bool
    dark: bool


def judge(wiring: Wiring, draft: Draft, zone_id: str, image: DeviceImage) -> None:
    """Judge one zone. Of a device that does not answer nothing is said: that is its own alarm."""
    zone, key = wiring.site.zones[zone_id], f"zone/{zone_id}"
    if not image.online:
        settle(wiring, draft, key, SENSOR | HEAT, (), unjudged=SENSOR | HEAT)
        return
    broken = _sensor(wiring, draft, zone, image)
    settle(wiring, draft, key, SENSOR, [broken] if broken is not None else [])
    seen = None if broken is not None else _seen(wiring, draft, zone, image)
    room = draft.rooms.get(zone_id) or Room()
    if seen is None:
        _remember(draft, zone_id, room, HeatWatch())
        # What rested on a sensor that is not believed is over; what nobody can see now waits.
        settle(wiring, draft, key, HEAT, (), unjudged=HEAT if broken is None else frozenset())
        return
    room = _remember(draft, zone_id, room, _watched(wiring, draft, zone, room, seen))
    settle(wiring, draft, key, HEAT, list(_conditions(wiring, draft, room, seen, zone)))


def _sensor(wiring: Wiring, draft: Draft, zone: Zone, image: DeviceImage) -> Condition | None:
    point = f"zone.{zone.number}.temperature"
    fault, room = image.faults.get(point), draft.rooms.get(zone.id)
    if fault is not None:
        return condition(wiring.site.timing, "sensorFault", detail=f"no usable value: {fault.cause}")
    if image.quality(point, draft.now, wiring.stale_after(zone.device, point)) is Quality.UNCERTAIN:
        return condition(wiring.site.timing, "sensorFault", image.value(point), detail=_DOUBTFUL)
    if room is None or not room.sensor.bad:
        return None
    return condition(wiring.site.timing, "sensorFault", room.sensor.value_c, detail=room.sensor.bad)


def _seen(wiring: Wiring, draft: Draft, zone: Zone, image: DeviceImage) -> _Seen | None:
    stem, wanted = f"zone.{zone.number}", wanted_c(draft, zone.id)
    measured = fresh(wiring, draft, zone.device, image, f"{stem}.temperature")
    if measured is None or wanted is None:
        return None
    building = wiring.site.buildings.get(zone.building)
    device = zone.device if building is None else building.device
    of_building = draft.image.get(device) or NOTHING_HEARD
    demand = draft.demands.get(f"zone/{zone.id}")
    return _Seen(
        measured,
        wanted,
        fresh(wiring, draft, zone.device, image, f"{stem}.heating"),
        image.value(f"{stem}.setpoint"),
        outdoor.plausible_c(fresh(wiring, draft, device, of_building, outdoor.POINT)),
        fresh(wiring, draft, device, of_building, "boiler.supply-temperature"),
        occupied=demand is not None and demand.allure == Allure.COMFORT.value,
        dark=sun.elevation(draft.now, wiring.site.place) < _SUNLESS_DEG,
    )


def _remember(draft: Draft, zone_id: str, room: Room, heat: HeatWatch) -> Room:
    if heat == room.heat:
        return room
    room = replace(room, heat=heat)
    draft.rooms[zone_id] = room
    return room


def _watched(wiring: Wiring, draft: Draft, zone: Zone, room: Room, seen: _Seen) -> HeatWatch:
    watch = room.heat
    asks = _asks(wiring, draft, zone, seen) and not _is_aired(draft, room)
    if asks and watch.asking is None:
        watch = replace(watch, asking=draft.now, asking_c=_came_from_c(room, seen))
    elif not asks and watch.asking is not None:
        watch = replace(watch, asking=None, asking_c=0.0)
    if not _is_shut(seen):
        return watch if watch.shut is None else replace(watch, shut=None, shut_c=0.0)
    if watch.shut is None:
        return replace(watch, shut=draft.now, shut_c=seen.measured_c)
    if draft.now - watch.shut < AFTERGLOW and seen.measured_c > watch.shut_c:
        return replace(watch, shut_c=seen.measured_c)
    return watch


def _is_aired(draft: Draft, room: Room) -> bool:
    """Whether the room falls as only an open window makes it fall."""
    fall_k_h = room.trace.slope_k_h(draft.now, AIRED_FOR)
    return fall_k_h is not None and fall_k_h < AIRED_K_H


def _came_from_c(room: Room, seen: _Seen) -> float:
    """How warm a room was when it began to want heat: one that is held below comfort meanwhile has gained before."""
    climb = room.warmup.climb
    return seen.measured_c if climb is None or climb.from_c is None else min(climb.from_c, seen.measured_c)


def _asks(wiring: Wiring, draft: Draft, zone: Zone, seen: _Seen) -> bool:
    """Whether the room wants heat that it should be getting: nobody airs it, and the plant is not off by plan."""
    if seen.wanted_c - seen.measured_c <= LACKING_K:
        return False
    if seen.demand_pct is not None and seen.demand_pct < ASKS_PCT:
        return False
    if seen.demand_pct is None and seen.held_c is not None and seen.held_c < seen.wanted_c - LACKING_K / 2:
        return False  # its controller does not want what we want: that is not the heating's fault
    return window.slot(wiring, draft, zone) is None and not _off_by_plan(draft, zone.building)


def _off_by_plan(draft: Draft, building_id: str) -> bool:
    output = draft.outputs.get(f"boiler/{building_id}")
    held = [] if output is None else [(priority, value) for priority, value in output.slots if value is not None]
    return bool(held) and min(held)[1] == 0.0


def _is_shut(seen: _Seen) -> bool:
    """Whether nothing that is known of should warm the room: no heat, no sun, nobody in, and colder outside."""
    if seen.occupied or not seen.dark or seen.outdoor_c is None or seen.outdoor_c > seen.measured_c - COLDER_OUT_K:
        return False
    if seen.demand_pct is not None:
        return seen.demand_pct <= SHUT_PCT
    return seen.measured_c > max(seen.wanted_c, seen.held_c or 0.0) + COLD_K


def _conditions(wiring: Wiring, draft: Draft, room: Room, seen: _Seen, zone: Zone) -> Iterator[Condition]:
    timing, heat = wiring.site.timing, room.heat
    alarm = draft.alarms.get((f"zone/{zone.id}", "heatingFailure"))
    raised = alarm is not None and alarm.raised is not None
    if heat.asking is not None and draft.now - heat.asking >= NO_RISE_FOR and _gains_nothing(draft, room, seen, raised):
        words = f"asks for heat since {_local(wiring, heat.asking)} and gets no warmer{_water(seen)}"
        yield replace(condition(timing, "heatingFailure", seen.measured_c, seen.wanted_c, words), since=heat.asking)
    if heat.shut is not None and draft.now - heat.shut >= SHUT_FOR and seen.measured_c >= heat.shut_c + RISEN_K:
        words = f"shut since {_local(wiring, heat.shut)}, nobody in, no sun, and the room gets warmer"
        yield condition(timing, "stuckValve", seen.measured_c, heat.shut_c, words)
    if seen.occupied:
        least_c = min(seen.wanted_c, zone.setpoints.comfort) - COLD_K
        if seen.measured_c < least_c:
            yield condition(timing, "roomTooCold", seen.measured_c, least_c)
    most_c = max(seen.wanted_c, zone.setpoints.comfort) + WARM_K
    if seen.measured_c > most_c and _is_heated(seen):
        yield condition(timing, "roomTooWarm", seen.measured_c, most_c, "and it is still heated")


def _gains_nothing(draft: Draft, room: Room, seen: _Seen, raised: bool) -> bool:
    """By slope, and by what it has gained; once it is told, people who come in are no repair.

    A room that has gained and then rises no more is at the end of what its radiators give on such a day.
    """
    slope = room.trace.slope_k_h(draft.now, NO_RISE_FOR)
    if slope is None:
        return raised
    if raised:
        return seen.occupied or slope < REPAIRED_K_H
    lowest_c = min(value for at, value in room.trace.points if draft.now - at <= NO_RISE_FOR)
    if slope < FALL_K_H:
        return True
    return slope < RISE_K_H and seen.measured_c < min(lowest_c + RECOVERING_K, room.heat.asking_c + GAINED_K)


def _is_heated(seen: _Seen) -> bool:
    """By its own word; without one, by night in the heating season."""
    if seen.demand_pct is not None:
        return seen.demand_pct > SHUT_PCT
    return seen.dark and seen.outdoor_c is not None and seen.outdoor_c < _HEATING_SEASON_C


def water_words(supply_c: float | None) -> str:
    """What the supply temperature says of where the heat stays, for an operator."""
    if supply_c is None:
        return ""
    if supply_c >= _HOT_C:
        return ": the supply water is hot, so look at pump, valves and radiators"
    return ": the supply water is cold, so look at the heat generator" if supply_c < _COLD_C else ""


def _water(seen: _Seen) -> str:
    return water_words(seen.supply_c)


def _local(wiring: Wiring, at: datetime) -> str:
    return f"{at.astimezone(wiring.site.place.zone):%a %H:%M}"
