"""What the state topics of a zone and of a building say beside what was read and what is commanded."""

from __future__ import annotations

from config.site import Building, Zone
from controller.core.heating import delegation, plant_telling
from controller.core.state import Draft
from controller.core.wiring import Wiring

Facts = dict[str, object]


def zone_facts(wiring: Wiring, draft: Draft, zone: Zone) -> Facts:
    """One entry a field; None is left out of the topic."""
    return {**delegation.facts(draft, zone)}


def building_facts(wiring: Wiring, draft: Draft, building: Building) -> Facts:
    """One entry a field; None is left out of the topic."""
    return {**plant_telling.facts(wiring, draft, building)}
