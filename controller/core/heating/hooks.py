"""What a cycle calls of the heating: a device was heard, something is due, a signal spoke, a core begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from controller.core.commands import Heard, Misheard
from controller.core.diagnostics import calendars
from controller.core.heating import (
    absence,
    delegation,
    forecast,
    frost,
    hours,
    law,
    learning,
    plant,
    radar,
    shedding,
    signals,
    trust,
    window,
)
from controller.core.heating.sensing import temperature
from controller.core.heating.zones import zone_due
from controller.core.image import DeviceImage
from controller.core.rooms import Room
from controller.core.state import Draft
from controller.core.wiring import Wiring
from drivers.api import PushResult, ScheduleSeen

_DUE = {
    "zone": zone_due,
    "plant": plant.due,
    "delegation": delegation.due,
    "hour": hours.due,
    calendars.DUE: calendars.due,
    "heartbeat": plant.beat,
    "frost": frost.due,
    "window": window.due,
    "absence": absence.due,
    "signal": signals.due,
    "shed": shedding.judge,
    "law": law.due,
    "forecast": forecast.due,
    "radar": radar.due,
}
"""By the kind of the key that was scheduled."""


def begin(wiring: Wiring, draft: Draft) -> None:
    """Take up every zone and every generator; what was kept over a restart is in ``draft.kept``."""
    calendars.judge(wiring, draft)
    for zone_id in wiring.site.zones:
        learning.begin(wiring, draft, zone_id)
        zone_due(wiring, draft, zone_id)
        delegation.begin(wiring, draft, zone_id)
        absence.begin(wiring, draft, wiring.site.zones[zone_id])
        window.begin(draft, wiring.site.zones[zone_id])
        frost.begin(draft, wiring.site.zones[zone_id])
        forecast.begin(wiring, draft, zone_id)
    signals.begin(wiring, draft)
    for building_id in wiring.site.buildings:
        plant.begin(wiring, draft, building_id)
        law.begin(wiring, draft, building_id)
    radar.begin(wiring, draft)
    hours.begin(wiring, draft)


def heard(wiring: Wiring, draft: Draft, device: str, before: DeviceImage, image: DeviceImage) -> None:
    """A device answered: what its rooms and its generator make of it."""
    back = before.silent is not None or before.heard is None
    for zone_id in wiring.zones_of.get(device, ()):
        zone = wiring.site.zones[zone_id]
        trust.heard(wiring, draft, zone, before)
        frost.heard(wiring, draft, zone)
        absence.judge(wiring, draft, zone)
        if zone.device == device:
            _room_heard(wiring, draft, zone_id, image)
            delegation.unit_heard(wiring, draft, zone, before)
        if back:
            delegation.returned(wiring, draft, zone_id, device)
    radar.heard(wiring, draft, device)
    for building_id in wiring.buildings_at.get(device, ()):
        plant.heard(wiring, draft, building_id)
    hours.heard(wiring, draft, device, before, image)


def rearranged(wiring: Wiring, draft: Draft) -> None:
    """What zones shall do was worked out anew, of those in ``draft.rearrange``."""
    hours.rearranged(wiring, draft)


def due(wiring: Wiring, draft: Draft, kind: str, rest: str) -> bool:
    """``kind/rest`` is due; False where it is none of ours."""
    found = _DUE.get(kind)
    if found is None:
        return False
    found(wiring, draft, rest)
    return True


def unheard(wiring: Wiring, draft: Draft, device: str) -> None:
    """A device fell silent, or some of its points have not been heard for long."""
    for zone_id in wiring.zones_of.get(device, ()):
        absence.judge(wiring, draft, wiring.site.zones[zone_id])


def settle(wiring: Wiring, draft: Draft) -> None:
    """What shall be is about to be worked out anew: what follows the zones follows in the same cycle."""
    plant.follow_zones(wiring, draft)


def commanded(wiring: Wiring, draft: Draft, changed: Iterable[str]) -> None:
    """These targets shall do something else from now on."""
    zones = [key.removeprefix("zone/") for key in changed if key.startswith("zone/")]
    if zones:
        law.commanded(wiring, draft, zones)


def signalled(wiring: Wiring, draft: Draft, said: Heard | Misheard) -> None:
    """A signal has spoken, or nobody understood it."""
    signals.signalled(wiring, draft, said)


def delegated(wiring: Wiring, draft: Draft, answer: ScheduleSeen | PushResult) -> None:
    """A controller's own schedule was read or written."""
    delegation.heard(wiring, draft, answer)


def _room_heard(wiring: Wiring, draft: Draft, zone_id: str, image: DeviceImage) -> None:
    zone = wiring.site.zones[zone_id]
    measured = temperature(wiring, draft, zone)
    reading = image.readings.get(f"zone.{zone.number}.temperature")
    if measured is None or reading is None:
        return
    room = draft.rooms.get(zone_id) or Room()
    trace = room.trace.with_reading(reading.at, measured)
    if trace is room.trace:
        return
    draft.rooms[zone_id] = replace(room, trace=trace)
    learning.heard(wiring, draft, zone, reading.at)
    window.heard(wiring, draft, zone, reading.at)
