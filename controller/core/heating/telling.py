"""What the state topics of a zone and of a building say beside what was read and what is commanded."""

from __future__ import annotations

from datetime import UTC, datetime

from config.site import Building, Zone
from controller.core.heating import (
    absence,
    boost,
    delegation,
    forecast,
    frost,
    plant_telling,
    radar,
    seen,
    shedding,
    trust,
    window,
)
from controller.core.heating.hours import yesterday
from controller.core.rooms import Room
from controller.core.state import Draft
from controller.core.wiring import Wiring
from drivers.api import Quality

Facts = dict[str, object]


def zone_facts(wiring: Wiring, draft: Draft, zone: Zone) -> Facts:
    """One entry a field; None is left out of the topic."""
    return {
        **delegation.facts(draft, zone),
        **forecast.facts(draft, zone),
        **_room_facts(wiring, draft, zone),
        **_sensor_facts(wiring, draft, zone),
        **_zone_hands(wiring, draft, zone),
    }


def building_facts(wiring: Wiring, draft: Draft, building: Building) -> Facts:
    """One entry a field; None is left out of the topic."""
    return {
        **plant_telling.facts(wiring, draft, building),
        **_override_facts(draft, building),
        **_signal_facts(draft, building),
        **_building_hands(wiring, draft, building),
        **yesterday(draft, building),
    }


def _room_facts(wiring: Wiring, draft: Draft, zone: Zone) -> Facts:
    """Windows, absence, boost, load shedding, frost."""
    room = draft.rooms.get(zone.id) or Room()
    boosted = boost.standing(draft, zone)
    sees = zone.window is not None and seen.room_c(wiring, draft, zone) is not None
    return {
        "window_open": window.is_open(draft, zone.id) if sees else None,
        "vacant_since": _instant(absence.since(wiring, draft, zone)),
        "boost_until": None if boosted is None else _instant(boosted.until),
        "boosts": boost.counted(draft, zone),
        "shed_k": None if room.shed is None else room.shed.reduce_k,
        "frost_protection": True if frost.acting(draft, zone.id) else None,
    }


def _override_facts(draft: Draft, building: Building) -> Facts:
    """What an operator has told the whole building."""
    found = draft.overrides.get(f"building/{building.id}")
    if found is None:
        return {}
    return {
        "override": found.value if found.allure is None else found.allure.value,
        "override_until": _instant(found.until),
        "override_by": found.by or None,
        "override_reason": found.reason or None,
    }


def _signal_facts(draft: Draft, building: Building) -> Facts:
    """The signal that the building gives up heat for."""
    if building.shedding is None:
        return {}
    said = shedding.in_force(draft, building.shedding)
    return {
        "signal": building.shedding.signal,
        "signal_level": 0 if said is None else said.level,
        "signal_word": None if said is None else said.word or None,
        "signal_until": None if said is None else _instant(said.until),
        "zones_shed": shedding.count(draft, building),
    }


def _sensor_facts(wiring: Wiring, draft: Draft, zone: Zone) -> Facts:
    """A sensor that is not believed has no temperature."""
    return {} if trust.trusted(wiring, draft, zone) else {"temperature_c": None, "quality": Quality.FAULT.value}


def _zone_hands(wiring: Wiring, draft: Draft, zone: Zone) -> Facts:
    """Who else holds its points."""
    hands = radar.hands_of(wiring, draft, f"zone/{zone.id}")
    if not hands:
        return {}
    oldest, cost = hands[0][1], radar.cost_eur(wiring, zone.building, hands)
    return {
        "held_points": [point for point, _ in hands],
        "held_priority": oldest.priority,
        "held_since": _instant(oldest.since),
        "held_cost_eur": None if cost is None else round(cost, 2),
    }


def _building_hands(wiring: Wiring, draft: Draft, building: Building) -> Facts:
    """How many points of the building others hold, since when, at what cost."""
    keys = (f"building/{building.id}", *(f"zone/{zone}" for zone in building.zones))
    hands = [each for key in keys for each in radar.hands_of(wiring, draft, key)]
    if not hands:
        return {}
    cost = radar.cost_eur(wiring, building.id, hands)
    return {
        "held_by_others": len(hands),
        "held_since": _instant(min(hand.since for _, hand in hands)),
        "held_cost_eur": None if cost is None else round(cost, 2),
    }


def _instant(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the second."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
