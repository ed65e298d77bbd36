"""Heat generators: their alarm contact, and rooms that stay cold together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from controller.core.diagnostics.alarms import settle
from controller.core.diagnostics.conditions import Condition, condition
from controller.core.diagnostics.feeding import fresh
from controller.core.diagnostics.rooms import NO_RISE_FOR, water_words
from controller.core.image import DeviceImage
from controller.core.state import Draft
from controller.core.wiring import Wiring

_SCOPE = frozenset({"plantFault"})
_TOGETHER = 2
"""One room may have a valve that is shut; two or more, and most of those that ask, have one cause."""


def judge(wiring: Wiring, draft: Draft, building_id: str, image: DeviceImage) -> None:
    """Judge the generator of one building, whose device answers."""
    settle(wiring, draft, f"building/{building_id}", _SCOPE, list(_conditions(wiring, draft, building_id, image))[:1])


def _conditions(wiring: Wiring, draft: Draft, building_id: str, image: DeviceImage) -> Iterator[Condition]:
    timing, building = wiring.site.timing, wiring.site.buildings[building_id]
    if fresh(wiring, draft, building.device, image, "boiler.alarm") == 1.0:
        yield condition(timing, "plantFault", detail="its alarm contact is closed")
    rooms = {name: draft.rooms.get(name) for name in building.zones}
    long_ago = draft.now - NO_RISE_FOR - timedelta(seconds=2.0 * timing.persist_s)
    asking = [
        name
        for name, room in rooms.items()
        if room is not None and room.heat.asking is not None and room.heat.asking <= long_ago
    ]
    alarms = [draft.alarms.get((f"zone/{name}", "heatingFailure")) for name in asking]
    cold = [alarm for alarm in alarms if alarm is not None and alarm.raised is not None]
    if len(cold) >= _TOGETHER and len(cold) > len(asking) / 2.0:
        supply_c = fresh(wiring, draft, building.device, image, "boiler.supply-temperature")
        words = f"{len(cold)} of the {len(asking)} zones that ask for heat get no warmer{water_words(supply_c)}"
        found = condition(timing, "plantFault", float(len(cold)), detail=words)
        yield replace(found, since=min(alarm.since for alarm in cold))
