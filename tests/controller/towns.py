"""A small town as a Site, built by hand: two cabinets, two groups, a school on BACnet. For tests of the core."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from config.site import (
    BacnetBus,
    BacnetDevice,
    Building,
    Bus,
    Cabinet,
    Device,
    Group,
    Lamp,
    LampType,
    Meter,
    ModbusBus,
    ModbusDevice,
    Mqtt,
    OptimumStart,
    OverridePolicy,
    Segment,
    Site,
    Timing,
    Zone,
)
from drivers.profile import Profile
from drivers.profile_file import load_profile, shipped_profiles
from schedules.allures import Setpoints
from schedules.moments import parse_moment
from schedules.occupancy import Occupancy, parse_weekly
from schedules.plan import Plan
from schedules.program import LevelStep, Program
from schedules.sun import Place

PARIS = ZoneInfo("Europe/Paris")
PLACE = Place(50.291, 2.777, PARIS)
_COUNTED = re.compile(r"lamp\.\d+\.(command|level|power|energy|burning|starts)|segment\.\d+\.\w+|door")
LED = LampType("led-40", 40.0, 0.5, 10.0)


def at(text: str) -> datetime:
    """``2026-01-12 22:30`` local time in Valbourg as aware UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


@lru_cache
def profile(name: str) -> Profile:
    """A shipped profile."""
    return load_profile(shipped_profiles()[name])


def program(name: str, levels: dict[str, float], ramp_s: float = 0.0) -> Program:
    """Lit from sunset+10m to sunrise-10m with levels by clock time."""
    steps = tuple(LevelStep(parse_moment(moment), level) for moment, level in levels.items())
    return Program(name, parse_moment("sunset+10m"), parse_moment("sunrise-10m"), steps, ramp=timedelta(seconds=ramp_s))


CENTRE = Plan("centre", program("centre", {"22:30": 60, "00:30": 0, "05:00": 60}), (), PLACE)
ROADS = Plan("roads", program("roads", {}), (), PLACE)


def cabinet_device(name: str, lamps: int, segments: int, port: int) -> Device:
    """A generic cabinet with that many lamps and segments in use."""
    kind = profile("generic-cabinet")
    used = tuple(
        point
        for point in kind.points
        if not point.startswith(("lamp.", "segment."))
        or (point.startswith("lamp.") and int(point.split(".")[1]) <= lamps)
        or (point.startswith("segment.") and int(point.split(".")[1]) <= segments)
    )
    return Device(name, "armoires", kind, ModbusDevice(unit=1, address=f"127.0.0.1:{port}"), used)


def school_zone(name: str, number: int) -> Zone:
    """A classroom zone, occupied Monday to Friday 08:00-17:30."""
    weekly = parse_weekly({"mon-fri": ["08:00-17:30"]})
    occupancy = Occupancy("ecole", weekly, (), (), PARIS)
    setpoints = Setpoints(19.0, 16.0, 8.0)
    return Zone(f"ecole.{name}", "ecole", "ecole", number, occupancy, setpoints, OptimumStart(minutes_per_k=30.0))


def town(speed: float = 1.0) -> Site:
    """Two cabinets (mairie: 2 segments of 2 lamps, gare: 1 segment of 2 lamps), one school with 2 zones."""
    heating = profile("generic-heating")
    zone_points = tuple(p for p in heating.points if not p.startswith("zone.") or int(p.split(".")[1]) <= 2)
    school = BacnetDevice(address="127.0.0.1:47810", instance=1201)
    lamps = [
        Lamp(f"m-{n}", "cab-mairie", n, LED, "Rue du Port", "mairie", "mairie-a" if n <= 2 else "mairie-b")
        for n in range(1, 5)
    ]
    lamps += [Lamp(f"g-{n}", "cab-gare", n, LED, "Avenue de la Gare", "gare", "gare-a") for n in (1, 2)]
    zones = [school_zone("classes", 1), school_zone("cantine", 2)]
    return Site(
        id="valbourg",
        name="Valbourg",
        place=PLACE,
        country="FR",
        directory=Path("/nonexistent"),
        config_hash="0" * 12,
        mqtt=Mqtt("mqtt://127.0.0.1:1883"),
        timing=Timing().scaled(speed),
        overrides=OverridePolicy(),
        buses={
            "armoires": Bus("armoires", "modbus", ModbusBus(driver="modbus")),
            "gtb": Bus("gtb", "bacnet", BacnetBus(driver="bacnet", address="127.0.0.1/32:47809")),
        },
        devices={
            "cab-mairie": cabinet_device("cab-mairie", 4, 2, 5020),
            "cab-gare": cabinet_device("cab-gare", 2, 1, 5021),
            "ecole": Device("ecole", "gtb", heating, school, zone_points),
        },
        calendars={},
        plans={"centre": CENTRE, "roads": ROADS},
        groups={
            "centre-ville": Group("centre-ville", CENTRE, ("m-1", "m-2", "m-3", "m-4")),
            "gare": Group("gare", ROADS, ("g-1", "g-2")),
        },
        lamps={lamp.id: lamp for lamp in lamps},
        segments={
            "mairie-a": Segment("mairie-a", "mairie", "cab-mairie", 1, 1),
            "mairie-b": Segment("mairie-b", "mairie", "cab-mairie", 2, 2),
            "gare-a": Segment("gare-a", "gare", "cab-gare", 1, 1),
        },
        cabinets={
            "mairie": Cabinet("mairie", "cab-mairie", "Place d'Armes", ("mairie-a", "mairie-b")),
            "gare": Cabinet("gare", "cab-gare", "Gare", ("gare-a",)),
        },
        meters={"gare-mains": Meter("gare-mains", "cab-gare", cabinet="gare")},
        buildings={"ecole": Building("ecole", "ecole", tuple(zone.id for zone in zones), "Ecole Jaures")},
        zones={zone.id: zone for zone in zones},
    )


def lean(site: Site) -> Site:
    """The lighting alone, and of it what is commanded and counted: for tests of whole nights."""
    devices = {
        name: replace(device, points=tuple(point for point in device.points if _COUNTED.fullmatch(point)))
        for name, device in site.devices.items()
        if device.bus == "armoires"
    }
    return replace(site, devices=devices, buildings={}, zones={}, meters={})


def without_lamp(site: Site, lamp_id: str) -> Site:
    """The same town after a lamp was taken out of the inventory."""
    lamps = {name: lamp for name, lamp in site.lamps.items() if name != lamp_id}
    groups = {
        name: replace(group, lamps=tuple(lamp for lamp in group.lamps if lamp != lamp_id))
        for name, group in site.groups.items()
    }
    return replace(site, lamps=lamps, groups=groups)
