"""Zones: from occupancy and allures, optimum start and overrides to the setpoint that a controller shall hold."""

from __future__ import annotations

from datetime import datetime, timedelta

from config.site import Zone
from controller.core.arbitration import PriorityArray, Slot, Source, arbitrate
from controller.core.heating import absence, boost, delegation, frost, law, learning, overall, shedding, warmup, window
from controller.core.heating.plant_limits import shallow
from controller.core.heating.sensing import temperature
from controller.core.lighting import override_slot
from controller.core.state import Draft
from controller.core.wiring import Wiring
from schedules import allures
from schedules.allures import Allure, AllureDemand


def zone_due(wiring: Wiring, draft: Draft, zone_id: str) -> None:
    """Take up the zone's allure at this instant, begin a preheat that is due, and say when to look again."""
    zone = wiring.site.zones[zone_id]
    key = f"zone/{zone_id}"
    demand = allures.evaluate(zone.occupancy, zone.setpoints, draft.now)
    wish = Slot(Source.PLAN, demand.setpoint_c, demand.reason, demand.until, demand.allure.value)
    wish = shallow(wiring, zone, wish, demand.until - demand.since)
    before = draft.demands.get(key)
    if before != wish:
        draft.demands[key] = wish
        draft.rearrange.add(key)
        draft.changed.add(key)
        if before is not None and demand.allure is Allure.COMFORT and before.allure != Allure.COMFORT.value:
            _report_opening(wiring, draft, zone, demand)
    looks = (demand.until, warmup.preheat(wiring, draft, zone, demand), warmup.coast(wiring, draft, zone, demand))
    draft.schedule(key, min(look for look in looks if look is not None))


def zone_array(wiring: Wiring, draft: Draft, zone_id: str) -> PriorityArray:
    """The wishes for one zone's setpoint in degrees C."""
    key = f"zone/{zone_id}"
    zone = wiring.site.zones[zone_id]
    default = Slot(Source.DEFAULT, zone.setpoints.reduced, "no occupancy known", None, Allure.REDUCED.value)
    lowering = (absence.slot(wiring, draft, zone), warmup.coasting(draft, zone))
    wishes_of_plan = (
        *sorted((slot for slot in lowering if slot is not None), key=lambda slot: slot.value),
        draft.preheats.get(key),
        delegation.own(draft, zone, draft.demands.get(key)),
    )
    planned = arbitrate(wishes_of_plan, default, draft.now)
    caps = (slot(wiring, draft, zone, planned.winner) for slot in (law.slot, shedding.slot))
    lowest_first = sorted((cap for cap in caps if cap is not None), key=lambda cap: cap.value)
    overridden = (override_slot(draft, key), overall.slot(draft, zone))
    demanded = (*overridden, window.slot(wiring, draft, zone), boost.slot(draft, zone))
    wishes = arbitrate((*demanded, *lowest_first, *planned.slots[:-1]), default, draft.now)
    return arbitrate((frost.slot(wiring, draft, zone, wishes.winner), *wishes.slots[:-1]), default, draft.now)


def ready_at(wiring: Wiring, draft: Draft, zone: Zone, slot: Slot) -> datetime | None:
    """When the zone will be warm, while ``slot`` asks for comfort, by what it has shown; None where nobody knows."""
    measured, bounds = temperature(wiring, draft, zone), zone.optimum_start
    if bounds is None or measured is None or slot.allure != Allure.COMFORT.value:
        return None
    climb = learning.of(draft, zone.id).climb
    if climb is not None and climb.reached is not None:
        return climb.reached
    demand = allures.evaluate(zone.occupancy, zone.setpoints, draft.now)
    estimate = warmup.needs(wiring, draft, zone, bounds, demand, measured)
    if climb is not None and climb.soak_c is not None:
        return max(climb.planned_ready, draft.now + estimate.needed)
    return draft.now + estimate.needed


def _report_opening(wiring: Wiring, draft: Draft, zone: Zone, demand: AllureDemand) -> None:
    measured = temperature(wiring, draft, zone)
    facts: dict[str, object] = {} if measured is None else {"temperature_c": round(measured, 2)}
    outcome = learning.concluded(wiring, draft, zone)
    if outcome is not None:
        facts |= {
            "preheat_predicted_min": outcome.predicted_min,
            "preheat_actual_min": outcome.actual_min,
            "ready_error_min": outcome.error_min,
            "not_learnt": outcome.flaw or None,
        }
    told = {name: value for name, value in facts.items() if value is not None}
    draft.event("opening", f"zone/{zone.id}", setpoint_c=demand.setpoint_c, **told)
    draft.schedule(f"forecast/{zone.id}", draft.now + timedelta(minutes=1))
