"""Zones: from occupancy and allures, optimum start and overrides to the setpoint that a controller shall hold."""

from __future__ import annotations

from datetime import datetime, timedelta

from config.site import OptimumStart, Zone
from controller.core.arbitration import PriorityArray, Slot, Source, arbitrate
from controller.core.heating import absence, boost, delegation, frost, law, shedding, window, overall
from controller.core.heating.plant_limits import shallow
from controller.core.lighting import override_slot
from controller.core.state import Draft
from controller.core.wiring import Wiring
from drivers.api import Quality
from schedules import allures
from schedules.allures import Allure, AllureDemand
from schedules.optimum_start import preheat_start

_LONG_VACANCY = timedelta(hours=48)


def zone_due(wiring: Wiring, draft: Draft, zone_id: str) -> None:
    """Take up the zone's allure at this instant, begin a preheat that is due, and say when to look again."""
    zone = wiring.site.zones[zone_id]
    key = f"zone/{zone_id}"
    demand = allures.evaluate(zone.occupancy, zone.setpoints, draft.now)
    wish = shallow(wiring, zone, Slot(Source.PLAN, demand.setpoint_c, demand.reason, demand.until, demand.allure.value))
    before = draft.demands.get(key)
    if before != wish:
        draft.demands[key] = wish
        draft.rearrange.add(key)
        draft.changed.add(key)
        if before is not None and demand.allure is Allure.COMFORT and before.allure != Allure.COMFORT.value:
            _report_opening(wiring, draft, zone, demand)
    start = _preheat(wiring, draft, zone, demand)
    draft.schedule(key, min(demand.until, start) if start is not None else demand.until)


def zone_array(wiring: Wiring, draft: Draft, zone_id: str) -> PriorityArray:
    """The wishes for one zone's setpoint in degrees C."""
    key = f"zone/{zone_id}"
    zone = wiring.site.zones[zone_id]
    default = Slot(Source.DEFAULT, zone.setpoints.reduced, "no occupancy known", None, Allure.REDUCED.value)
    plan = delegation.own(draft, zone, draft.demands.get(key))
    planned = arbitrate((absence.slot(wiring, draft, zone), draft.preheats.get(key), plan), default, draft.now)
    caps = (slot(wiring, draft, zone, planned.winner) for slot in (law.slot, shedding.slot))
    lowest_first = sorted((cap for cap in caps if cap is not None), key=lambda cap: cap.value)
    overridden = (override_slot(draft, key), overall.slot(draft, zone))
    demanded = (*overridden, window.slot(wiring, draft, zone), boost.slot(draft, zone))
    wishes = arbitrate((*demanded, *lowest_first, *planned.slots[:-1]), default, draft.now)
    return arbitrate((frost.slot(wiring, draft, zone, wishes.winner), *wishes.slots[:-1]), default, draft.now)


def temperature(wiring: Wiring, draft: Draft, zone: Zone) -> float | None:
    """The room temperature while it can be trusted, else None: a bad sensor never drives control."""
    device = draft.image.get(zone.device)
    point = f"zone.{zone.number}.temperature"
    if device is None:
        return None
    quality = device.quality(point, draft.now, wiring.stale_after(zone.device, point))
    return device.value(point) if quality in (Quality.GOOD, Quality.UNCERTAIN) else None


def ready_at(zone: Zone, slot: Slot, measured_c: float | None, now: datetime) -> datetime | None:
    """When the zone will have reached the setpoint of ``slot``, by the zone's own heating-up time."""
    if zone.optimum_start is None or measured_c is None or slot.allure != Allure.COMFORT.value:
        return None
    missing_k = max(0.0, slot.value - measured_c)
    return now + timedelta(minutes=missing_k * zone.optimum_start.minutes_per_k)


def preheat_from(
    zone: Zone, bounds: OptimumStart, demand: AllureDemand, opening: datetime, measured_c: float | None
) -> datetime:
    """When heating begins so that the zone is warm at ``opening``, which ends the vacancy ``demand``."""
    if measured_c is None:  # blind: as if the room had fallen to the setpoint that it is kept at
        measured_c = demand.setpoint_c
    comfort = zone.setpoints.of(Allure.COMFORT)
    return preheat_start(opening, measured_c, comfort, bounds.minutes_per_k, preheat_cap(bounds, demand))


def preheat_cap(bounds: OptimumStart, demand: AllureDemand) -> timedelta:
    """How long before the opening that ends the vacancy ``demand`` heating begins at the earliest."""
    return bounds.cap_after_vacancy if demand.until - demand.since >= _LONG_VACANCY else bounds.cap


def _preheat(wiring: Wiring, draft: Draft, zone: Zone, demand: AllureDemand) -> datetime | None:
    """Begin, keep or end the preheat; returns when it would begin if nothing changed."""
    key = f"zone/{zone.id}"
    running = draft.preheats.get(key)
    if running is not None and not running.in_force(draft.now):
        draft.preheats.drop(key)
        draft.rearrange.add(key)
        running = None
    if running is not None or zone.optimum_start is None or demand.next_opening is None:
        return None
    if demand.allure is Allure.COMFORT:
        return None
    start = preheat_from(zone, zone.optimum_start, demand, demand.next_opening, temperature(wiring, draft, zone))
    if start > draft.now:
        return start
    if start >= demand.next_opening:
        return None
    local = demand.next_opening.astimezone(wiring.site.place.zone)
    reason = f"optimum start for the opening on {local:%a %H:%M}"
    comfort = zone.setpoints.of(Allure.COMFORT)
    draft.preheats[key] = Slot(Source.OPTIMUM_START, comfort, reason, demand.next_opening, Allure.COMFORT.value)
    draft.rearrange.add(key)
    draft.event("preheat", key, opening=demand.next_opening, **_measured(wiring, draft, zone))
    return None


def _report_opening(wiring: Wiring, draft: Draft, zone: Zone, demand: AllureDemand) -> None:
    draft.event("opening", f"zone/{zone.id}", setpoint_c=demand.setpoint_c, **_measured(wiring, draft, zone))


def _measured(wiring: Wiring, draft: Draft, zone: Zone) -> dict[str, float]:
    measured = temperature(wiring, draft, zone)
    return {} if measured is None else {"temperature_c": round(measured, 2)}
