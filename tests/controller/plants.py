"""The school of the test town with its heat generator led, in a virtual field."""

from __future__ import annotations

from dataclasses import replace

from config.site import Plant, Site
from controller.core.journal import Saved
from controller.core.wiring import Wiring
from controller.rehearsal import heating_of
from tests.controller.field import Field
from tests.controller.towns import at, town

DEVICE = "ecole"
ENABLE, SUPPLY, PUMP = (DEVICE, "boiler.enable"), (DEVICE, "boiler.supply-setpoint"), (DEVICE, "boiler.pump")
HEARTBEAT = (DEVICE, "heartbeat")
MODE = (DEVICE, "zone.1.mode")
SETPOINT = (DEVICE, "zone.1.setpoint")


def led(plant: Plant, **of_zones: object) -> Site:
    """The test town, its school with a plant."""
    site = heating_of(town())
    zones = {name: replace(zone, **of_zones) for name, zone in site.zones.items()}  # type: ignore[arg-type]
    buildings = {name: replace(building, plant=plant) for name, building in site.buildings.items()}
    return replace(site, buildings=buildings, zones=zones)


def school(
    when: str, room_c: float, outdoor_c: float, plant: Plant, saved: Saved | None = None, **of_zones: object
) -> Field:
    """Both zones at ``room_c``; the core has begun at ``when``."""
    field = Field(Wiring(led(plant, **of_zones)), at(when))
    weather(field, outdoor_c)
    rooms(field, room_c)
    field.start(saved)
    return field


def weather(field: Field, outdoor_c: float) -> None:
    """What the outdoor sensor shows from now on."""
    field.held[DEVICE, "outdoor.temperature"] = outdoor_c


def rooms(field: Field, room_c: float, number: int | None = None) -> None:
    """What the rooms' sensors show from now on, or that of one."""
    for zone in (1, 2) if number is None else (number,):
        field.held[DEVICE, f"zone.{zone}.temperature"] = room_c


def slot(field: Field, place: tuple[str, str], priority: int = 13) -> float | None:
    """What a slot of the device holds."""
    return field.slots.get(place, {}).get(priority)
