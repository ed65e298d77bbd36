"""The heat generator: supply temperature by the heating curve, on and off, its pump, its limits.

``judge`` decides everything at once from the zones' wishes and the weather and remembers it (``PlantMemory``);
``plant_array`` gives what was decided to the points that are commanded. It runs whenever a wish of one of the zones
changes, in the same cycle, when devices were heard, and when a time limit ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from config.site import Building, Plant
from controller.core.arbitration import PriorityArray, Slot, Source
from controller.core.heating import outdoor, plant_kept, plant_outdoor, plant_water
from controller.core.heating.plant_demand import Demand, demand
from controller.core.heating.plant_limits import limited, limits_of, pump_of, with_start
from controller.core.heating.plant_pump import AFTER_RUN, backup_lead, exercise_at, frost_at, pump_lead
from controller.core.heating.sensing import temperature
from controller.core.heating.zones import zone_array
from controller.core.rooms import Lead, PlantMemory
from controller.core.state import Draft
from controller.core.wiring import Kind, Target, Wiring
from schedules.allures import Allure, Setpoints
from schedules.heating_curve import supply_c

_JUDGED_EVERY = timedelta(seconds=20)
_BEAT = timedelta(seconds=60)
_SUMMER_K = 1.0
_SUPPLY_STEP_K = 1.0
"""The supply setpoint follows in steps: small controllers keep every write in a memory that wears out."""
_LED = (Kind.SUPPLY, Kind.BOILER, Kind.PUMP, Kind.BACKUP)
_MODES = {Allure.COMFORT.value: 1.0, Allure.REDUCED.value: 2.0, Allure.FROST.value: 3.0, Allure.OFF.value: 4.0}


def plant_array(wiring: Wiring, draft: Draft, target: Target) -> PriorityArray:
    """The wishes for one commanded point of a heat generator, of a zone's mode or of a heartbeat."""
    if target.kind is Kind.MODE:
        return _modes(wiring, draft, target)
    if target.kind is Kind.HEARTBEAT:
        return PriorityArray((_beat(wiring, draft.now),))
    lead = lead_of(draft.plants.get(target.id) or PlantMemory(), target.kind)
    if lead is None:
        return PriorityArray((Slot(Source.DEFAULT, max(0.0, target.minimum), "nothing is asked of it yet"),))
    value = min(target.maximum, max(target.minimum, lead.value))
    if not lead.limit:
        return PriorityArray((Slot(Source.PLAN, value, lead.reason, lead.until),))
    wished = Slot(Source.PLAN, 1.0 - value, lead.reason)
    return PriorityArray((Slot(Source.LIMIT, value, lead.limit, lead.until), wished))


def lead_of(memory: PlantMemory, kind: Kind) -> Lead | None:
    """What was decided for a point of the generator."""
    by_kind = {
        Kind.SUPPLY: memory.supply, Kind.BOILER: memory.boiler, Kind.PUMP: memory.pump, Kind.BACKUP: memory.backup
    }  # fmt: skip
    return by_kind.get(kind)


def begin(wiring: Wiring, draft: Draft, building_id: str) -> None:
    """A core begins, or a new configuration: take up what the building's generator shall do."""
    building = wiring.site.buildings[building_id]
    if building.plant is None:
        draft.plants.drop(building_id)
        return
    if building_id not in draft.plants:
        memory = plant_kept.load(draft, building_id)
        draft.plants[building_id] = replace(memory, pump_ran=memory.pump_ran or draft.now, begun=draft.now)
    if f"{Kind.HEARTBEAT}/{building_id}" in wiring.targets:
        draft.schedule(f"heartbeat/{building_id}", _next_beat(wiring, draft.now))
    judge(wiring, draft, building_id)


def heard(wiring: Wiring, draft: Draft, building_id: str) -> None:
    """The building's device, or that of one of its zones, was heard."""
    memory = draft.plants.get(building_id)
    if memory is None:
        return
    every = _JUDGED_EVERY * max(1.0, wiring.site.timing.speed / 20.0)
    if memory.judged is None or not timedelta() <= draft.now - memory.judged < every:
        draft.schedule(f"plant/{building_id}", draft.now)  # once every device of this cycle was heard


def due(wiring: Wiring, draft: Draft, building_id: str) -> None:
    """``plant/<building>`` is due."""
    if building_id in draft.plants:
        judge(wiring, draft, building_id)


def beat(wiring: Wiring, draft: Draft, building_id: str) -> None:
    """``heartbeat/<building>`` is due: the controller sees that somebody is there."""
    if f"{Kind.HEARTBEAT}/{building_id}" in wiring.targets:
        draft.rearrange.add(f"{Kind.HEARTBEAT}/{building_id}")
        draft.schedule(f"heartbeat/{building_id}", _next_beat(wiring, draft.now))


def follow_zones(wiring: Wiring, draft: Draft) -> None:
    """The wishes of some zones changed in this cycle: their modes and their generators follow in the same one."""
    zones = [key.removeprefix("zone/") for key in draft.rearrange if key.startswith("zone/")]
    known = [wiring.site.zones[zone] for zone in zones if zone in wiring.site.zones]
    draft.rearrange.update(f"{Kind.MODE}/{zone.id}" for zone in known)
    for building_id in sorted({zone.building for zone in known}):
        if building_id in draft.plants:
            judge(wiring, draft, building_id)


def judge(wiring: Wiring, draft: Draft, building_id: str) -> None:
    """Decide everything about one generator and have what changed commanded."""
    building, before = wiring.site.buildings[building_id], draft.plants.get(building_id) or PlantMemory()
    plant = building.plant
    if plant is None:
        return
    memory = plant_outdoor.heard(wiring, draft, building, before)
    settled = _settled(wiring, draft, building, memory)
    if settled > draft.now:
        draft.plants[building_id] = memory
        draft.schedule(f"plant/{building_id}", settled)
        return
    memory = plant_water.heard(wiring, draft, building, memory)
    memory = _season(draft, building, plant, memory)
    outdoor_c = plant_outdoor.outdoor_c(wiring, draft, building, memory)
    cold = outdoor_c is None or outdoor_c < plant.frost_outdoor_c
    wanted = demand(wiring, draft, building, memory, cold=cold)
    memory = _generator(draft, plant, memory, wanted)
    memory = replace(memory, supply=_supply(building, plant, memory, wanted, draft.now), judged=draft.now)
    memory = _circulation(draft, building_id, plant, memory, outdoor_c)
    changed = [kind for kind in _LED if _differs(lead_of(before, kind), lead_of(memory, kind))]
    for kind in changed:
        draft.rearrange.add(f"{kind}/{building_id}")
    if changed or memory.calling != before.calling or memory.summer != before.summer:
        draft.changed.add(f"building/{building_id}")
    switched = any(_switched(lead_of(before, kind), lead_of(memory, kind)) for kind in (Kind.BOILER, Kind.PUMP))
    memory = plant_kept.save(draft, building_id, memory, transition=switched, speed=wiring.site.timing.speed)
    draft.plants[building_id] = memory
    draft.schedule(f"plant/{building_id}", min(_dues(building_id, plant, memory, draft.now), default=None))


def _settled(wiring: Wiring, draft: Draft, building: Building, memory: PlantMemory) -> datetime:
    """From when on it is decided: as soon as weather and rooms were heard, and after a moment whatever was heard."""
    if memory.judged is not None or memory.begun is None:
        return draft.now
    weather = memory.outdoor is not None or not wiring.has(building.device, outdoor.POINT)
    zones = (wiring.site.zones[zone] for zone in building.zones)
    if weather and all(temperature(wiring, draft, zone) is not None for zone in zones):
        return draft.now
    return memory.begun + timedelta(seconds=2.0 * wiring.site.timing.stale_after_s)


def _season(draft: Draft, building: Building, plant: Plant, memory: PlantMemory) -> PlantMemory:
    """Summer begins above the limit of the damped temperature and ends 1 K below; unknown weather is no summer."""
    above_c, known = plant.summer_above_c, memory.outdoor
    if above_c is None or known is None or memory.lost:
        summer = False
    else:
        summer = known.value_c > (above_c - _SUMMER_K if memory.summer else above_c)
    if summer != memory.summer:
        facts = {} if known is None else {"outdoor_damped_c": round(known.value_c, 1)}
        draft.event("summer-began" if summer else "summer-ended", f"building/{building.id}", **facts)
    return replace(memory, summer=summer)


def _generator(draft: Draft, plant: Plant, memory: PlantMemory, wanted: Demand) -> PlantMemory:
    runs = bool(wanted.calling)
    lead = limited(limits_of(plant), memory.boiler, memory.starts, runs, _reason(plant, memory, wanted), draft.now)
    started = lead.value and (memory.boiler is None or not memory.boiler.value)
    starts = with_start(memory.starts, draft.now) if started else memory.starts
    return replace(memory, boiler=lead, starts=starts, calling=frozenset(want.zone.id for want in wanted.calling))


def _reason(plant: Plant, memory: PlantMemory, wanted: Demand) -> str:
    if wanted.calling:
        return wanted.words()
    if memory.summer and memory.outdoor is not None:
        return f"summer: {memory.outdoor.value_c:.1f} degC outside, damped, above {plant.summer_above_c:g}"
    return "every zone is as warm as it shall be"


def _supply(building: Building, plant: Plant, memory: PlantMemory, wanted: Demand, now: datetime) -> Lead | None:
    curve, before = plant.curve, memory.supply
    if curve is None:
        return None
    if not wanted.calling:
        return Lead(curve.minimum_c, "no zone wants heat: the minimum of the curve", now)
    outdoor_c, lacking_k, setback_k = plant_outdoor.steering_c(building, memory), wanted.lacking_k, wanted.setback_k
    value_c = supply_c(curve, outdoor_c, lacking_k, setback_k, warming=wanted.warming)
    if before is not None and abs(before.value - value_c) < _SUPPLY_STEP_K and curve.minimum_c < value_c:
        return before
    words = f"curve {curve.slope:g} at {plant_outdoor.words(memory)}"
    if setback_k:
        words += f", {setback_k:g} K below comfort"
    if abs(lacking_k) >= 0.1:
        words += f", coldest zone {'lacks' if lacking_k > 0 else 'has'} {abs(lacking_k):.1f} K"
        words += ", warming up" if wanted.warming else "" if lacking_k > 0 else " too much"
    return Lead(round(value_c * 2.0) / 2.0, words, now)


def _circulation(
    draft: Draft, building_id: str, plant: Plant, memory: PlantMemory, outdoor_c: float | None
) -> PlantMemory:
    heats = memory.boiler is not None and bool(memory.boiler.value)
    ran_before = memory.pump is not None and bool(memory.pump.value)
    pump = pump_lead(building_id, plant, memory, heats=heats, outdoor_c=outdoor_c, now=draft.now)
    compressor = pump_of(plant)
    backup = None if compressor is None else backup_lead(compressor, memory.backup, outdoor_c, draft.now)
    ran = draft.now if pump.value or ran_before else memory.pump_ran
    return replace(memory, pump=pump, backup=backup, pump_ran=ran)


def _dues(building_id: str, plant: Plant, memory: PlantMemory, now: datetime) -> Iterator[datetime]:
    """When something will be different by the time alone."""
    for lead in (memory.boiler, memory.pump):
        if lead is not None and lead.until is not None and lead.until > now:
            yield lead.until
    if memory.pump is None or memory.pump.value:
        return
    if plant.exercise is not None:
        yield max(exercise_at(building_id, plant.exercise, memory.pump_ran, now), now + AFTER_RUN)
    yield max(frost_at(memory, now), now + AFTER_RUN)


def _modes(wiring: Wiring, draft: Draft, target: Target) -> PriorityArray:
    """The wishes for the zone's setpoint as allures; against frost that wish alone, for a lower number is warmer."""
    array, setpoints = zone_array(wiring, draft, target.id), wiring.site.zones[target.id].setpoints
    slots = array.slots[:1] if array.winner.source is Source.FROST else array.slots
    return PriorityArray(tuple(_mode(setpoints, slot) for slot in slots))


def _mode(setpoints: Setpoints, slot: Slot) -> Slot:
    """The allure of a wish; where it names none, the allure whose setpoint is nearest."""
    nearest = min((Allure.COMFORT, Allure.REDUCED, Allure.FROST), key=lambda each: abs(setpoints.of(each) - slot.value))
    allure = slot.allure or nearest.value
    return replace(slot, value=_MODES[allure], allure=allure)


def _beat(wiring: Wiring, now: datetime) -> Slot:
    beats = int(now.timestamp() // _period(wiring).total_seconds())
    return Slot(Source.PLAN, float(beats % 2), "the gateway is there", _next_beat(wiring, now))


def _next_beat(wiring: Wiring, now: datetime) -> datetime:
    period_s = _period(wiring).total_seconds()
    return now + timedelta(seconds=period_s - now.timestamp() % period_s)


def _period(wiring: Wiring) -> timedelta:
    """A minute, and never less than a real second."""
    return max(_BEAT, timedelta(seconds=wiring.site.timing.speed))


def _differs(before: Lead | None, after: Lead | None) -> bool:
    if before is None or after is None:
        return before is not after
    return (before.value, before.limit, before.until) != (after.value, after.limit, after.until)


def _switched(before: Lead | None, after: Lead | None) -> bool:
    return (before.value if before is not None else None) != (after.value if after is not None else None)
