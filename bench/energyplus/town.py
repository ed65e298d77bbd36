"""The site of a model: a site file with one zone, repeated for every zone that the model has. Pure but for reading."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.energyplus.building import Commanded
from bench.energyplus.weather import Station
from config.load import load_site
from config.site import Device, Site
from schedules.occupancy import Occupancy, Weekly, parse_weekly
from schedules.sun import Place

TEMPLATE = Path(__file__).parent / "site"
_NOT_IN_AN_ID = re.compile(r"[^a-z0-9]+")


def hours(text: str) -> Weekly:
    """``mon-fri 08:00-17:00, sat 09:00-12:00``. Raises OccupancyError."""
    written: dict[str, list[str]] = {}
    for part in text.split(","):
        days, _, interval = part.strip().partition(" ")
        written.setdefault(days, []).append(interval.strip())
    return parse_weekly(written)


def zone_of(station: Station) -> ZoneInfo:
    """The climate's standard time, all the year round. Raises ValueError for one that is not whole hours from UTC."""
    if not station.utc_offset_h.is_integer():
        raise ValueError(f"the clock of {station.city} is {station.utc_offset_h:g} h from UTC: only whole hours")
    return ZoneInfo(f"Etc/GMT{-int(station.utc_offset_h):+d}" if station.utc_offset_h else "Etc/GMT")


def site_of(found: Commanded, station: Station, weekly: Weekly | None = None, template: Path = TEMPLATE) -> Site:
    """The template's only zone for every zone of the model, open at ``weekly`` where it is given."""
    site = load_site(template, {})
    (building,) = site.buildings.values()
    (pattern,) = site.zones.values()
    place = Place(station.latitude, station.longitude, zone_of(station))
    occupancy = _open_at(pattern.occupancy, weekly, place.zone)
    zones = {
        zone.id: zone
        for zone in (
            replace(pattern, id=f"{building.id}.{_slug(name)}", number=number, name=name, occupancy=occupancy)
            for number, name in enumerate(found.zones, 1)
        )
    }
    return replace(
        site, place=place, zones=zones,
        buildings={building.id: replace(building, zones=tuple(zones))},
        devices=_with_zones(site.devices, pattern.device, range(1, len(zones) + 1), has_loop=found.loop is not None),
    )  # fmt: skip


def _open_at(occupancy: Occupancy, weekly: Weekly | None, zone: ZoneInfo) -> Occupancy:
    return replace(occupancy, weekly=occupancy.weekly if weekly is None else weekly, zone=zone)


def _with_zones(
    devices: Mapping[str, Device], name: str, numbers: Sequence[int], *, has_loop: bool
) -> Mapping[str, Device]:
    device = devices[name]
    points = tuple(point for point in device.profile.points if _is_there(point, numbers, has_loop=has_loop))
    profile = replace(device.profile, points={point: device.profile.points[point] for point in points})
    return {**devices, name: replace(device, profile=profile, points=points)}


def _is_there(point: str, numbers: Sequence[int], *, has_loop: bool) -> bool:
    family, number, *_ = point.split(".")
    if family == "zone":
        return int(number) in numbers
    return has_loop or family != "boiler" or number == "energy"


def _slug(name: str) -> str:
    return _NOT_IN_AN_ID.sub("-", name.lower()).strip("-")
