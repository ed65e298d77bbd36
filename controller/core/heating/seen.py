"""What control functions may believe of a device: good values alone, and what the weather is."""

from __future__ import annotations

from datetime import timedelta

from config.site import Zone
from controller.core.heating import outdoor
from controller.core.heating.trust import trusted
from controller.core.image import NOTHING_HEARD
from controller.core.rooms import Room
from controller.core.state import Draft
from controller.core.wiring import Wiring
from drivers.api import Quality

BLIND_AFTER = timedelta(minutes=10)
"""A read that failed once or twice says nothing of the sensor."""


def good(wiring: Wiring, draft: Draft, device: str, point: str) -> float | None:
    """The value of a point while its quality is good, else None."""
    image = draft.image.get(device) or NOTHING_HEARD
    quality = image.quality(point, draft.now, wiring.stale_after(device, point))
    return image.value(point) if quality is Quality.GOOD else None


def room_c(wiring: Wiring, draft: Draft, zone: Zone) -> float | None:
    """The good temperature of a room; one that its device marks as overridden, or that is not believed, is none."""
    return (
        None
        if not trusted(wiring, draft, zone)
        else good(wiring, draft, zone.device, f"zone.{zone.number}.temperature")
    )


def is_blind(draft: Draft, room: Room) -> bool:
    """Whether the room has had no good temperature for so long that nothing of before counts any more."""
    return room.blind_since is not None and draft.now - room.blind_since >= BLIND_AFTER


def lately_c(wiring: Wiring, draft: Draft, zone: Zone) -> float | None:
    """The good temperature of a room; over a few failed reads the last one that was."""
    measured, room = room_c(wiring, draft, zone), draft.rooms.get(zone.id) or Room()
    if measured is None and room.trace.points and not is_blind(draft, room):
        return room.trace.points[-1][1]
    return measured


def outdoor_c(wiring: Wiring, draft: Draft, zone: Zone) -> float | None:
    """The good outdoor temperature of the zone's building, where it can be weather."""
    building = wiring.site.buildings.get(zone.building)
    return None if building is None else outdoor.plausible_c(good(wiring, draft, building.device, outdoor.POINT))
