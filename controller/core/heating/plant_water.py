"""Domestic hot water: the daily log against legionella, its alarm, and the thermal shock after a vacancy.

Arrete of 30 November 2005 (and of 1 February 2010 for places with showers): storage above 400 L once a day for 60 min
at 60, 4 at 65 or 2 at 70 degrees C, never below 50 in the distribution. Nothing is commanded here: it is written down.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from config.site import Building, HotWater
from controller.core.diagnostics import Condition, follow
from controller.core.rooms import PlantMemory, WaterDay
from controller.core.state import Draft
from controller.core.wiring import Wiring
from drivers.api import Quality
from schedules import allures
from schedules.allures import AllureDemand

ALARM = "legionellaRisk"
STORAGE, RETURN = "hot-water.storage-temperature", "hot-water.return-temperature"
_GAP = timedelta(minutes=10)
"""Two readings further apart prove nothing of the time between them."""
_DAY = timedelta(hours=24)
_UNUSED = timedelta(days=5)
"""After a vacancy that is longer than a long weekend the water has stood."""
_DAYS_KEPT = 400


def log_name(building_id: str) -> str:
    """Where the log of a building is kept: a JSON list, each day ``[date, reached, hottest, minutes, coolest]``."""
    return f"hot-water/{building_id}"


def heard(wiring: Wiring, draft: Draft, building: Building, memory: PlantMemory) -> PlantMemory:
    """Take up what the storage and the return show; close the day at midnight; raise or clear the alarm."""
    rule = building.hot_water
    if rule is None or not wiring.has(building.device, STORAGE):
        return memory
    if memory.water_hot is None:  # nobody knows what was before: the first verdict is due a day from now
        memory = replace(memory, water_hot=draft.now)
    storage_c = _value(wiring, draft, building.device, STORAGE)
    memory = _turned(wiring, draft, building, rule, memory)
    if storage_c is not None:
        memory = _noted(wiring, draft, building, rule, memory, storage_c)
    memory = _shock(wiring, draft, building, rule, memory)
    _judge(wiring, draft, building, rule, memory)
    return memory


def advice(wiring: Wiring, draft: Draft, building: Building, memory: PlantMemory) -> str | None:
    """What somebody has to do before the building reopens after a long vacancy, in words."""
    rule = building.hot_water
    found = _vacancy(wiring, draft, building) if rule is not None else None
    if rule is None or found is None or found.next_opening is None:
        return None
    local = found.next_opening.astimezone(wiring.site.place.zone)
    days = (found.until - found.since) / _DAY
    return (
        f"reopens {local:%a %Y-%m-%d %H:%M} after {days:.0f} days: before that {_minutes(rule.lasting)} min at "
        f"{rule.storage_c:g} degC in the storage, and every tap flushed"
    )


def _turned(wiring: Wiring, draft: Draft, building: Building, rule: HotWater, memory: PlantMemory) -> PlantMemory:
    day, water = draft.now.astimezone(wiring.site.place.zone).date(), memory.water
    if water is None or water.day == day:
        return memory
    reached = water.hot_for >= rule.lasting
    coolest_c = None if water.coolest_c is None else round(water.coolest_c, 1)
    hottest_c = None if water.hottest_c is None else round(water.hottest_c, 1)
    minutes = _minutes(water.hot_for)
    draft.event(
        "hot-water-day", f"building/{building.id}", day=water.day.isoformat(), reached=reached, hottest_c=hottest_c,
        hot_for_min=minutes, coolest_c=coolest_c, distribution_ok=coolest_c is None or coolest_c >= rule.least_c,
    )  # fmt: skip
    log = [*_log(draft, building.id), [water.day.isoformat(), int(reached), hottest_c, minutes, coolest_c]]
    draft.keep(log_name(building.id), json.dumps(log[-_DAYS_KEPT:], separators=(",", ":")))
    return replace(memory, water=WaterDay(day, water.at, hot_since=water.hot_since))


def _noted(
    wiring: Wiring, draft: Draft, building: Building, rule: HotWater, memory: PlantMemory, storage_c: float
) -> PlantMemory:
    now = draft.now
    water = memory.water or WaterDay(now.astimezone(wiring.site.place.zone).date(), now)
    since = water.hot_since if now - water.at <= _GAP else None
    hot = storage_c >= rule.storage_c
    since = (since or now) if hot else None
    lasted = timedelta() if since is None else now - since
    return_c = _value(wiring, draft, building.device, RETURN)
    noted = replace(
        water, at=now, hot_since=since, hot_for=max(water.hot_for, lasted),
        hottest_c=max(storage_c, water.hottest_c or storage_c),
        coolest_c=water.coolest_c if return_c is None else min(return_c, water.coolest_c or return_c),
    )  # fmt: skip
    return replace(memory, water=noted, water_hot=now if lasted >= rule.lasting else memory.water_hot)


def _shock(wiring: Wiring, draft: Draft, building: Building, rule: HotWater, memory: PlantMemory) -> PlantMemory:
    """Ask for the thermal shock once, a day before the opening that ends a long vacancy."""
    found = _vacancy(wiring, draft, building)
    opening = None if found is None else found.next_opening
    if opening is None or opening - draft.now > _DAY or memory.shock_before == opening:
        return memory
    draft.event(
        "thermal-shock", f"building/{building.id}", opening=opening, storage_c=rule.storage_c,
        lasting_min=_minutes(rule.lasting), detail=advice(wiring, draft, building, memory),
    )  # fmt: skip
    return replace(memory, shock_before=opening)


def _judge(wiring: Wiring, draft: Draft, building: Building, rule: HotWater, memory: PlantMemory) -> None:
    """While nobody draws water for days the storage may be cold: then the shock before the reopening is what counts."""
    hot = memory.water_hot or draft.now
    late, vacant = draft.now - hot > _DAY, _vacancy(wiring, draft, building) is not None
    words = f"not {_minutes(rule.lasting)} min at {rule.storage_c:g} degC since {hot:%Y-%m-%dT%H:%MZ}"
    hours = round((draft.now - hot) / timedelta(hours=1), 1)
    risk = Condition(ALARM, late and not vacant, "major", 0.0, hours, _DAY / timedelta(hours=1), words)
    follow(wiring, draft, f"building/{building.id}", risk)


def _vacancy(wiring: Wiring, draft: Draft, building: Building) -> AllureDemand | None:
    """The long vacancy that the whole building is in: of all zones the one that opens first."""
    found = list(_demands(wiring, building, draft.now))
    if not found or any(demand.until - demand.since < _UNUSED or _occupied(demand) for demand in found):
        return None
    return min(found, key=lambda demand: demand.until)


def _demands(wiring: Wiring, building: Building, now: datetime) -> Iterator[AllureDemand]:
    for zone_id in building.zones:
        zone = wiring.site.zones[zone_id]
        yield allures.evaluate(zone.occupancy, zone.setpoints, now)


def _occupied(demand: AllureDemand) -> bool:
    return demand.allure is allures.Allure.COMFORT


def _log(draft: Draft, building_id: str) -> list[object]:
    try:
        found = json.loads(draft.kept.get(log_name(building_id)) or "[]")
    except ValueError:
        return []
    return found if isinstance(found, list) else []


def _value(wiring: Wiring, draft: Draft, device: str, point: str) -> float | None:
    image = draft.image.get(device)
    if image is None:
        return None
    quality = image.quality(point, draft.now, wiring.stale_after(device, point))
    return image.value(point) if quality in (Quality.GOOD, Quality.UNCERTAIN) else None


def _minutes(span: timedelta) -> int:
    return round(span / timedelta(minutes=1))
