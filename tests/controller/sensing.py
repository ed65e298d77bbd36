"""The small town with senses: a photocell, two presence sensors at the town hall, and relight for its streets."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from config.site import Group, Photocell, PresenceSensor, RelightPolicy, Site
from controller.core.wiring import Wiring
from drivers.api import Fault, PointId, Reading
from drivers.profile import ModbusPoint, Profile, Table, WireType
from schedules.photocell import PhotocellWindow
from schedules.plan import Plan
from tests.controller.field import Field
from tests.controller.towns import CENTRE, PLACE, program, town

CAB = "cab-mairie"
LUX, DARK = "photocell.1.illuminance", "photocell.1.dark"
SEEN, SEEN_TOO = "presence.1.detected", "presence.2.detected"
WINDOW = PhotocellWindow("toit", timedelta(minutes=30), timedelta(minutes=30))
BY_CELL = Plan("by-cell", replace(program("by-cell", {}), photocell=WINDOW), (), PLACE)
POLICY = RelightPolicy(level=80.0, per_hour=3, per_night=5)
BITS = {name: 100 + index for index, name in enumerate((DARK, SEEN, SEEN_TOO))}


def sensing(profile: Profile, lux: bool = True) -> Profile:
    """A cabinet's profile with the points of sensors, for tests that know what is in them."""
    points = {name: ModbusPoint(name, Table.DISCRETE, address, WireType.BIT) for name, address in BITS.items()}
    if lux:
        points[LUX] = ModbusPoint(LUX, Table.INPUT, 100, WireType.FLOAT32, unit="lx")
    rest = {name: point for name, point in profile.points.items() if not name.startswith(("photocell.", "presence."))}
    return replace(profile, points={**rest, **points})


def sensing_town(lux: bool = True, plan: Plan = CENTRE) -> Site:
    """Everything that senses; the streets around the town hall follow ``plan``, the station the photocell too."""
    site = town()
    cabinet = site.devices[CAB]
    profile = sensing(cabinet.profile, lux)
    used = (*(name for name in cabinet.points if name in profile.points), *([LUX] if lux else [DARK]), SEEN, SEEN_TOO)
    groups = {
        "centre-ville": Group("centre-ville", plan, ("m-1", "m-2", "m-3", "m-4"), relight=POLICY),
        "gare": Group("gare", BY_CELL, ("g-1", "g-2")),
    }
    return replace(
        site,
        devices={**site.devices, CAB: replace(cabinet, profile=profile, points=tuple(dict.fromkeys(used)))},
        groups=groups,
        photocells={"toit": Photocell("toit", CAB, 1, 35.0, 50.0, 120.0)},
        presence_sensors={
            "passage": PresenceSensor("passage", CAB, 1, ("m-1",), 80.0, 120.0, ("m-2",), 40.0),
            "place": PresenceSensor("place", CAB, 2, ("m-2",), 30.0, 60.0),
        },
    )


def sensing_field(now: datetime, site: Site | None = None, lux: float = 10_000.0) -> Field:
    """The core over that town, started at ``now`` under ``lux``."""
    field = Field(Wiring(site or sensing_town()), now)
    field.held[CAB, LUX] = lux
    field.start()
    return field


def fault(field: Field, point: str = LUX) -> Fault:
    """The cabinet answers, but has no usable value for ``point``."""
    return Fault(PointId(CAB, point), "sensor disconnected", field.now)


def seen(field: Field, value: float, point: str = SEEN) -> None:
    """One reading of a sensor, and what it shows from now on."""
    field.held[CAB, point] = value
    field.feed(Reading(PointId(CAB, point), value, field.now))
