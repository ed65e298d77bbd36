"""A school with every control function of rooms, and rooms that a test leads: for tests of the heating."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from config.site import Absence, BoostPolicy, Building, LawGuard, Plant, Shedding, Signal, SignalKind, Site, Zone
from controller.core.commands import Heard, Stretch
from controller.core.report import state_of
from controller.core.wiring import Wiring
from drivers.api import PointId, Quality, Reading
from schedules.occupancy import Occupancy, parse_weekly
from tests.controller.field import Field
from tests.controller.towns import PARIS, at, school_zone, town

MINUTE = timedelta(minutes=1)
DETECTOR = ("cab-mairie", "presence.1.detected")
BOOST = BoostPolicy()
ABSENCE = Absence("cab-mairie", 1)
ZONE = "zone/ecole.classes"


def hours(**weekly: str) -> Occupancy:
    """An occupancy by weekday: ``hours(mon="08:00-17:30")``."""
    return Occupancy("h", parse_weekly({day: [text] for day, text in weekly.items()}), (), (), PARIS)


def school(*names: str, building: Mapping[str, Any] | None = None, **changes: Any) -> Site:
    """The town with these zones in its school, all of them changed so; the detector is one of the cabinet's."""
    site = town()
    found = [
        replace(school_zone(name, number), **changes) for number, name in enumerate(names or ("classes", "cantine"), 1)
    ]
    zones = {zone.id: zone for zone in found}
    ecole = replace(
        Building("ecole", "ecole", tuple(zones), plant=Plant(), law=LawGuard.OFF), **dict(building or {})
    )  # fmt: skip
    device = site.devices["ecole"]
    points = tuple(
        point
        for point in device.profile.points
        if not point.startswith("zone.") or int(point.split(".")[1]) <= len(found)
    )
    cabinet = site.devices["cab-mairie"]
    others = (point for point in cabinet.points if not point.startswith("presence."))
    devices = {
        **site.devices,
        "ecole": replace(device, points=points),
        "cab-mairie": replace(cabinet, points=(*others, DETECTOR[1])),
    }
    return replace(
        site,
        zones=zones,
        buildings={"ecole": ecole},
        devices=devices,
        signals={"ecowatt": Signal("ecowatt", SignalKind.ECOWATT)},
        groups={}, lamps={}, segments={},
        cabinets={name: replace(each, segments=()) for name, each in site.cabinets.items()},
    )  # fmt: skip


def zone_of(site: Site, name: str, **changes: Any) -> Site:
    """The same with one zone changed."""
    zones = {**site.zones, f"ecole.{name}": replace(site.zones[f"ecole.{name}"], **changes)}
    return replace(site, zones=zones)


def started(site: Site, when: str, **rooms_c: float) -> Field:
    """A field at an instant of local time; ``classes=19.2`` is how warm a room is, 16 where nothing is said."""
    field = Field(Wiring(site), at(when))
    field.held["ecole", "outdoor.temperature"] = 5.0
    for zone in site.zones.values():
        warm(field, zone, rooms_c.get(zone.id.removeprefix("ecole."), 19.0))
    field.start()
    return field


def warm(field: Field, zone: Zone | str, value_c: float) -> None:
    """Let a room have a temperature from now on."""
    found = field.wiring.site.zones[f"ecole.{zone}"] if isinstance(zone, str) else zone
    field.held[found.device, f"zone.{found.number}.temperature"] = value_c


def commanded(field: Field, name: str = "classes", slot: int = 13) -> float | None:
    """What the device of a zone holds in a slot of its priority array."""
    number = field.wiring.site.zones[f"ecole.{name}"].number
    return field.slots.get(("ecole", f"zone.{number}.setpoint"), {}).get(slot)


def told(field: Field, key: str = ZONE) -> dict[str, Any]:
    """The state topic."""
    return state_of(field.wiring, field.state, key, field.now)


def bad(field: Field, name: str = "classes", quality: Quality = Quality.UNCERTAIN, value_c: float = -20.0) -> Reading:
    """A reading of a room's temperature that nobody may believe."""
    number = field.wiring.site.zones[f"ecole.{name}"].number
    return Reading(PointId("ecole", f"zone.{number}.temperature"), value_c, field.now, quality)


def level(field: Field, number: int, *, minutes: float = 180.0, in_minutes: float = 0.0) -> Heard:
    """A signal: this level from then on, for so long."""
    since = field.now + MINUTE * in_minutes
    stretches = (Stretch(number, since, since + MINUTE * minutes),) if number else ()
    return Heard("ecowatt", field.now, since, stretches)


def shedding(**changes: Any) -> dict[str, Any]:
    """The shedding of a building."""
    return {"shedding": Shedding("ecowatt", **changes)}
