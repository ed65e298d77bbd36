"""The legal temperatures of the French energy code, 19, 16 and 8 degrees C, on the average of a building.

Article R241-26: 19 in what is occupied. Article R241-27: 16 while nobody comes for 24 h and more, 8 for 48 h and more.
The length of the whole vacancy counts, from its first instant on; warming up for the people who come is no vacancy.
Every zone has the limit of its own hours; the average over the zones, by area where all of them say theirs, must not
be above the average of the limits. A zone that is colder than it may be gives room to another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from config.site import Building, LawGuard, Zone
from controller.core import diagnostics
from controller.core.arbitration import Slot, Source
from controller.core.diagnostics import Condition
from controller.core.heating.wanted import wanted_c
from controller.core.state import Draft
from controller.core.wiring import Wiring
from schedules import legal_temperatures, occupancy

ALARM = "legalTemperature"
_VACANT = {
    legal_temperatures.OCCUPIED_C: "vacant for less than 24 h (R241-26)",
    legal_temperatures.DAY_VACANT_C: "vacant for 24 to 48 h (R241-27)",
    legal_temperatures.LONG_VACANT_C: "vacant for 48 h or more (R241-27)",
}
_ROUNDING_K = 0.05
_AFTER = timedelta(seconds=1)
"""So long after a change of hours it is looked at: by then every zone has what its new hours ask for."""
_SHOWN = 3


class Averages(NamedTuple):
    """Of a building, degrees C: what it has and what it may have, each zone with its area's weight."""

    value_c: float
    allowed_c: float

    @property
    def exceeds(self) -> bool:
        """Whether the law is broken, by more than figures are rounded."""
        return self.value_c > self.allowed_c + _ROUNDING_K


@dataclass(frozen=True, slots=True)
class Limit:
    """What the law allows in a zone, and by which of its rules; ``until`` its hours change."""

    value_c: float
    words: str
    until: datetime


def slot(wiring: Wiring, draft: Draft, zone: Zone, wish: Slot) -> Slot | None:
    """What the law leaves of ``wish``, the strongest of the plan, where the building asks for that."""
    building = wiring.site.buildings.get(zone.building)
    if building is None or building.law is not LawGuard.CLAMP:
        return None
    limit = limit_of(draft, zone, wish)
    if wish.value <= limit.value_c:
        return None

    def planned(each: Zone) -> float | None:
        standing = wish if each.id == zone.id else _planned(draft, each)
        return None if standing is None else standing.value

    found = averages(wiring, draft, building, planned)
    if not found.exceeds:
        return None
    planned_words = f"the plan has {found.value_c:.1f} on the building's average"
    reason = f"{limit.value_c:g} degrees C at most: {limit.words}; {planned_words}"
    until = limit.until if wish.until is None else min(limit.until, wish.until)
    return Slot(Source.LEGAL_CAP, limit.value_c, reason, until, wish.allure)


def limit_of(draft: Draft, zone: Zone, wish: Slot | None) -> Limit:
    """The legal temperature of a zone now; ``wish`` is the plan's, which may be a preheat."""
    presence = occupancy.evaluate(zone.occupancy, draft.now)
    if wish is not None and wish.source is Source.OPTIMUM_START:
        return Limit(legal_temperatures.OCCUPIED_C, "warming up for the opening (R241-26)", presence.until)
    cap_c = legal_temperatures.cap_c(presence)
    words = "occupied (R241-26)" if presence.occupied else _VACANT[cap_c]
    return Limit(cap_c, words, presence.until)


def judge(wiring: Wiring, draft: Draft, building_id: str) -> None:
    """``law/<building>``: compare what is commanded, whoever wants it, with what the law allows; look again later."""
    building = wiring.site.buildings.get(building_id)
    if building is None:
        return
    key = f"building/{building_id}"
    zones = _heated(wiring, building)
    if building.law is LawGuard.OFF or not zones:
        diagnostics.follow(wiring, draft, key, Condition(ALARM, False, "minor", 0.0))
        return
    found = averages(wiring, draft, building, lambda zone: wanted_c(draft, zone.id))
    detail = _detail(draft, zones, found) if found.exceeds else ""
    told = Condition(ALARM, found.exceeds, "minor", 0.0, found.value_c, found.allowed_c, detail)
    diagnostics.follow(wiring, draft, key, told)
    draft.schedule(f"law/{building_id}", min(limit_of(draft, zone, None).until for zone in zones) + _AFTER)


def begin(wiring: Wiring, draft: Draft, building_id: str) -> None:
    """A core begins, or a new configuration: judge it in the next cycle, when everything is arranged."""
    asked = wiring.site.buildings[building_id].law is not LawGuard.OFF
    if asked or (f"building/{building_id}", ALARM) in draft.alarms:
        draft.schedule(f"law/{building_id}", draft.now)


def due(wiring: Wiring, draft: Draft, building_id: str) -> None:
    """The hours of a zone have changed, or another zone's plan: what the law leaves of the others may have too."""
    building = wiring.site.buildings.get(building_id)
    if building is not None and building.law is LawGuard.CLAMP:
        draft.rearrange.update(wiring.heated_by.get(building_id, ()))
    judge(wiring, draft, building_id)


def commanded(wiring: Wiring, draft: Draft, zones: Iterable[str]) -> None:
    """These zones shall have another temperature from now on."""
    buildings = dict.fromkeys(wiring.site.zones[zone].building for zone in zones)
    for building_id in buildings:
        judge(wiring, draft, building_id)
        building = wiring.site.buildings.get(building_id)
        if building is not None and building.law is LawGuard.CLAMP and len(building.zones) > 1:
            draft.schedule(f"law/{building_id}", draft.now)


def _heated(wiring: Wiring, building: Building) -> list[Zone]:
    return [wiring.site.zones[key.removeprefix("zone/")] for key in wiring.heated_by.get(building.id, ())]


def _planned(draft: Draft, zone: Zone) -> Slot | None:
    key = f"zone/{zone.id}"
    preheat = draft.preheats.get(key)
    return preheat if preheat is not None and preheat.in_force(draft.now) else draft.demands.get(key)


def averages(wiring: Wiring, draft: Draft, building: Building, value_of: Callable[[Zone], float | None]) -> Averages:
    """By the setpoint of each zone, degrees C; one without a value counts in neither."""
    zones = [(zone, value) for zone in _heated(wiring, building) if (value := value_of(zone)) is not None]
    weights = [zone.area_m2 or 0.0 for zone, _ in zones]
    if not all(weights):
        weights = [1.0 for _ in zones]
    whole = sum(weights)
    if not whole:
        return Averages(0.0, legal_temperatures.OCCUPIED_C)
    limits = [limit_of(draft, zone, _planned(draft, zone)).value_c for zone, _ in zones]
    average_c = sum(value * weight for (_, value), weight in zip(zones, weights, strict=True)) / whole
    return Averages(average_c, sum(limit * weight for limit, weight in zip(limits, weights, strict=True)) / whole)


def _detail(draft: Draft, zones: Iterable[Zone], found: Averages) -> str:
    over: list[str] = []
    for zone in zones:
        value, limit = wanted_c(draft, zone.id), limit_of(draft, zone, _planned(draft, zone))
        if value is not None and value > limit.value_c:
            over.append(f"{zone.id} {value:g}, {limit.value_c:g} allowed: {limit.words}")
    rest = len(over) - _SHOWN
    named = "; ".join(over[:_SHOWN]) + (f"; and {rest} more" if rest > 0 else "")
    return f"{found.value_c:.1f} degrees C commanded on average, {found.allowed_c:.1f} allowed ({named})"
