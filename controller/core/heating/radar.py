"""The override radar: who else holds a point of ours, since when, and about what it costs.

A hand at a stronger priority is never fought: slot 8 belongs to the people at the controller. It is shown, with the
day on which it began (kept over a restart) and an estimate of the heat that it wastes, until it is released.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from config.site import Zone
from controller.core.heating import outdoor
from controller.core.heating.trust import trusted
from controller.core.heating.wanted import wanted_c
from controller.core.state import Draft
from controller.core.wiring import Wiring
from drivers.api import Reading

DEFAULT_W_K_M2 = 2.0
"""Heat loss of a school per m2 of floor: 110 kWh/m2 a year over 2,300 degree-days are 2.0 W/(m2 K)."""
COUNTED_EVERY = timedelta(minutes=15)
_HAND = 8
_MINIMUM_TIMES = 6
"""The device's own minimum on and off times (ASHRAE 135, clause 19.2.3): no hand."""
_KEPT = "hand/"
_MARGIN_K = 3.0
"""Warmer outside than the plan's setpoint less this: nobody heats, and a hand costs nothing."""


@dataclass(frozen=True, slots=True)
class Hand:
    """One point that somebody else holds; ``kwh`` is the heat that it has wasted by estimate, None: not estimated."""

    priority: int
    value: float
    since: datetime
    counted: datetime
    kwh: float | None

    @property
    def document(self) -> str:
        """For ``Draft.keep``."""
        facts = {
            "priority": self.priority, "value": self.value, "since": self.since.isoformat(),
            "counted": self.counted.isoformat(), "kwh": self.kwh,
        }  # fmt: skip
        return json.dumps(facts)


def hand_at(draft: Draft, device: str, point: str) -> Hand | None:
    """Who holds a point, None: nobody but ourselves, or the device."""
    document = draft.kept.get(f"{_KEPT}{device}/{point}")
    return None if document is None else _parsed(document)


def hands_of(wiring: Wiring, draft: Draft, key: str) -> list[tuple[str, Hand]]:
    """The points of a zone or a building that somebody else holds, by name, the oldest first."""
    found = [(point, hand_at(draft, device, point)) for device, point in wiring.watched.places(key)]
    return sorted(((point, hand) for point, hand in found if hand is not None), key=lambda each: each[1].since)


def begin(wiring: Wiring, draft: Draft) -> None:
    """A core begins: forget points that are watched no more, go on counting at the others."""
    watched = {f"{_KEPT}{device}/{point}" for device, points in wiring.watched.by_device.items() for point in points}
    for name in [name for name in draft.kept if name.startswith(_KEPT)]:
        if name not in watched:
            draft.keep(name, None)
        else:
            draft.schedule(f"radar/{name.removeprefix(_KEPT).partition('/')[0]}", draft.now + COUNTED_EVERY)


def heard(wiring: Wiring, draft: Draft, device: str) -> None:
    """A device answered: look at the priority arrays of its points."""
    image = draft.image.get(device)
    for point, key in wiring.watched.points(device).items():
        reading = None if image is None or point in image.faults else image.readings.get(point)
        if reading is not None:
            _look(wiring, draft, device, point, key, reading)


def due(wiring: Wiring, draft: Draft, device: str) -> None:
    """``radar/<device>``: count what the hands there have cost since the last time."""
    held = False
    for point, key in wiring.watched.points(device).items():
        hand = hand_at(draft, device, point)
        if hand is None:
            continue
        held = True
        _keep(draft, device, point, _counted(wiring, draft, point, key, hand))
        draft.changed.update((key, *building_of(wiring, key)))
    draft.schedule(f"radar/{device}", draft.now + COUNTED_EVERY if held else None)


def cost_eur(wiring: Wiring, building_id: str, hands: list[tuple[str, Hand]]) -> float | None:
    """What these hands have cost by estimate, None where nothing could be estimated."""
    known = [hand.kwh for _, hand in hands if hand.kwh is not None]
    building = wiring.site.buildings.get(building_id)
    return None if not known or building is None else sum(known) * building.price_eur_kwh


def _look(wiring: Wiring, draft: Draft, device: str, point: str, key: str, reading: Reading) -> None:
    seen = _foreign(wiring, draft, device, point, reading)
    hand = hand_at(draft, device, point)
    if seen is None:
        if hand is not None:
            draft.keep(f"{_KEPT}{device}/{point}", None)
            held_h = round((draft.now - hand.since) / timedelta(hours=1), 1)
            draft.event("hand-released", key, point=point, priority=hand.priority, held_h=held_h, kwh=_round(hand.kwh))
            draft.changed.update((key, *building_of(wiring, key)))
        return
    priority, value = seen
    if hand is not None and (hand.priority, hand.value) == seen:
        return
    if hand is None:
        start_kwh = 0.0 if _loss_w_k(wiring, point, key) is not None else None
        hand = Hand(priority, value, draft.now, draft.now, start_kwh)
        draft.event("hand-override", key, point=point, priority=priority, value=value)
        draft.schedule(f"radar/{device}", draft.now + COUNTED_EVERY)
    else:
        hand = replace(_counted(wiring, draft, point, key, hand), priority=priority, value=value)
    _keep(draft, device, point, hand)
    draft.changed.update((key, *building_of(wiring, key)))


def _foreign(wiring: Wiring, draft: Draft, device: str, point: str, reading: Reading) -> tuple[int, float] | None:
    """The strongest slot that is not ours and hides ours; of a point that we do not write, that of a hand."""
    if not reading.slots:
        return None
    target = wiring.commanded.get((device, point))
    output = None if target is None else draft.outputs.get(target.key)
    ours = {10, 13} | ({5} if target is not None and target.frost_slot else set())
    below = _HAND + 1
    if target is not None:
        wanted = [priority for priority, value in output.slots if value is not None] if output is not None else []
        below = max(min(wanted, default=13), _HAND + 1)
    for priority, value in sorted(reading.slots):
        if priority >= below:
            return None
        if priority != _MINIMUM_TIMES and (target is None or priority not in ours):
            return priority, value
    return None


def _keep(draft: Draft, device: str, point: str, hand: Hand) -> None:
    draft.keep(f"{_KEPT}{device}/{point}", hand.document)


def _parsed(document: str) -> Hand | None:
    try:
        facts = json.loads(document)
        since, counted = (datetime.fromisoformat(facts[name]) for name in ("since", "counted"))
        kwh = None if facts["kwh"] is None else float(facts["kwh"])
        return Hand(int(facts["priority"]), float(facts["value"]), since, counted, kwh)
    except (ValueError, KeyError, TypeError):
        return None


def _counted(wiring: Wiring, draft: Draft, point: str, key: str, hand: Hand) -> Hand:
    """With the heat of the time since it was last counted; of an outage of the daemon nothing is claimed."""
    loss_w_k = _loss_w_k(wiring, point, key)
    span = draft.now - hand.counted
    if loss_w_k is None or hand.kwh is None:
        return replace(hand, counted=draft.now)
    if not timedelta() < span <= 2 * COUNTED_EVERY:
        return replace(hand, counted=draft.now)
    wasted = _above_plan_k(wiring, draft, point, key, hand) * loss_w_k * (span / timedelta(hours=1)) / 1000.0
    return replace(hand, counted=draft.now, kwh=hand.kwh + wasted)


def _loss_w_k(wiring: Wiring, point: str, key: str) -> float | None:
    """The heat loss of the zone by its area, or its share of the building's; None: no area, or not a zone's point."""
    zone = wiring.site.zones.get(key.removeprefix("zone/"))
    if zone is None or not key.startswith("zone/"):
        return None
    building = wiring.site.buildings.get(zone.building)
    area_m2 = zone.area_m2
    if area_m2 is None and building is not None and building.area_m2 is not None:
        area_m2 = building.area_m2 / max(1, len(building.zones))
    return None if area_m2 is None else area_m2 * DEFAULT_W_K_M2


def _above_plan_k(wiring: Wiring, draft: Draft, point: str, key: str, hand: Hand) -> float:
    """How much warmer than planned the room is because of it, as far as it can be blamed."""
    zone = wiring.site.zones[key.removeprefix("zone/")]
    planned = wanted_c(draft, zone.id)
    outdoor_c = _outdoor_c(wiring, draft, zone)
    if planned is None or (outdoor_c is not None and outdoor_c > planned - _MARGIN_K):
        return 0.0
    most_k = hand.value - planned if point.endswith(".setpoint") else None
    image = draft.image.get(zone.device)
    measured = None if image is None else image.value(f"zone.{zone.number}.temperature")
    if measured is None or not trusted(wiring, draft, zone):
        return max(0.0, most_k or 0.0)
    above_k = measured - planned
    return max(0.0, above_k if most_k is None else min(above_k, most_k))


def _outdoor_c(wiring: Wiring, draft: Draft, zone: Zone) -> float | None:
    building = wiring.site.buildings.get(zone.building)
    image = None if building is None else draft.image.get(building.device)
    return None if image is None else outdoor.plausible_c(image.value(outdoor.POINT))


def building_of(wiring: Wiring, key: str) -> tuple[str, ...]:
    """The building of a zone, or the building itself, ``building/<id>``; nothing for anything else."""
    kind, _, identity = key.partition("/")
    if kind == "building":
        return (key,)
    zone = wiring.site.zones.get(identity)
    return () if zone is None else (f"building/{zone.building}",)


def _round(kwh: float | None) -> float | None:
    return None if kwh is None else round(kwh, 1)
