"""Occupancy, buildings, zones and meters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from config.heating import BuildingFile, OccupancyFile, OptimumStartFile, ZoneFile
from config.problems import did_you_mean
from config.site import Building, LawGuard, Meter, OptimumStart, Signal, Zone
from config.tree.calendars import ExceptionFile, build_exceptions
from config.tree.devices import Wired
from config.tree.draft import Draft
from config.tree.inventory import Inventory
from config.tree.rooms import absence, boost, plant, shedding, steering, window
from schedules.allures import Setpoints
from schedules.calendars import WEEKDAYS, Calendar, parse_weekdays
from schedules.exceptions import CLOSED_PRIORITY
from schedules.occupancy import Effective, Occupancy, OccupancyError, parse_interval, parse_weekly

DEFAULTS = OptimumStart()
_WEEK_WORDS = (*WEEKDAYS, "mon-fri", "sat-sun", "mon-sun")


@dataclass(slots=True)
class Heating:
    """Buildings by id and zones by ``<building>.<zone>``."""

    buildings: dict[str, Building] = field(default_factory=dict)
    zones: dict[str, Zone] = field(default_factory=dict)

    def used(self, device: str) -> set[int]:
        """The numbers of the zones at a device."""
        return {zone.number for zone in self.zones.values() if zone.device == device}

    def detectors(self, device: str) -> set[int]:
        """The numbers of the presence detectors at a device that zones listen to."""
        found = (zone.absence for zone in self.zones.values())
        return {each.number for each in found if each is not None and each.device == device}


def build_occupancies(draft: Draft, calendars: Mapping[str, Calendar], zone: ZoneInfo) -> dict[str, Occupancy]:
    """The occupancies by id."""
    built: dict[str, Occupancy] = {}
    for name, written in draft.written.occupancy.items():
        weekly_is_right = _weekly_is_right(draft, written)
        closed = [draft.find("calendar", word, calendars, where) for word, where in _words(draft, written, "closed")]
        files, effective = list(_exceptions(draft, written)), _effective(draft, written)
        if weekly_is_right:
            built[name] = Occupancy(
                name,
                parse_weekly(written.weekly),
                tuple(calendar for calendar in closed if calendar),
                tuple(each for file in files for each in file.exceptions),
                zone,
                effective,
                written.closed_priority or CLOSED_PRIORITY,
                tuple(file.extent for file in files if file.extent is not None),
            )
    return built


def _effective(draft: Draft, written: OccupancyFile) -> Effective:
    """The days on which the hours count; without the key every day."""
    bounds = written.effective
    if bounds is None:
        return Effective()
    if draft.lacks(bounds, "from", "to"):
        draft.error(written.where("effective"), "needs from, to or both; without the key the hours always count")
    if bounds.begin is not None and bounds.to is not None and bounds.to < bounds.begin:
        draft.error(bounds.where("to"), f"{bounds.to} is before from, {bounds.begin}")
    return Effective(bounds.begin, bounds.to)


def _weekly_is_right(draft: Draft, written: OccupancyFile) -> bool:
    """Checks day by day and interval by interval, so that each wrong word is reported at its place."""
    right = True
    for days, intervals in written.weekly.items():
        where = written.where("weekly", days)
        is_list = isinstance(draft.document.at(where), list)
        if parse_weekdays(days) is None:
            right = _refuse_days(draft, where, days)
        for index, text in enumerate(intervals):
            try:
                parse_interval(text)
            except OccupancyError as error:
                right = False
                draft.error((*where, index) if is_list else where, str(error))
    try:
        parse_weekly(written.weekly if right else {})
    except OccupancyError as error:
        right = False
        draft.error(written.where("weekly", error.word), str(error), at_key=True)
    return right


def _refuse_days(draft: Draft, where: tuple[str | int, ...], days: str) -> bool:
    try:
        parse_weekly({days: ()})
    except OccupancyError as error:
        draft.error(where, f"{error}{did_you_mean(error.word, _WEEK_WORDS)}", at_key=True)
    return False


def _words(draft: Draft, written: OccupancyFile, key: str) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    is_list = isinstance(draft.document.at(written.where(key)), list)
    for index, word in enumerate(getattr(written, key)):
        yield word, written.where(key, index) if is_list else written.where(key)


def _exceptions(draft: Draft, written: OccupancyFile) -> Iterator[ExceptionFile]:
    for word, where in _words(draft, written, "also"):
        yield build_exceptions(draft, Path(word), draft.spot(where), draft.document.label(where))


def build_signals(draft: Draft) -> dict[str, Signal]:
    """The signals by id."""
    return {name: Signal(name, written.kind) for name, written in draft.written.signals.items()}


def build_heating(
    draft: Draft,
    devices: Mapping[str, Wired],
    occupancies: Mapping[str, Occupancy],
    signals: Mapping[str, Signal],
    *,
    country: str,
) -> Heating:
    """Buildings and zones with their references resolved."""
    heating = Heating()
    for building in draft.written.buildings:
        spot, label = draft.spot(building.where("id")), draft.document.label(building.where("id"))
        if not draft.unique("building", building.id, spot, label):
            continue
        device = _building_device(draft, devices, building)
        zones = [
            found
            for position, zone in enumerate(building.zones, 1)
            if (found := _zone(draft, devices, occupancies, building, zone, position))
        ]
        heating.zones.update({zone.id: zone for zone in zones})
        law = building.law or (LawGuard.WARN if country == "FR" else LawGuard.OFF)
        heating.buildings[building.id] = Building(
            building.id, device, tuple(zone.id for zone in zones), building.name or "", building.use, building.area,
            plant(draft, building.plant, devices.get(device)), law,
            shedding(draft, building.shedding, signals), building.price,
        )  # fmt: skip
    return heating


def _building_device(draft: Draft, devices: Mapping[str, Wired], building: BuildingFile) -> str:
    name = building.device or building.id
    if building.device:
        draft.find("device", name, devices, building.where("device"))
    elif name not in devices and name not in draft.declared("device"):
        draft.error(building.where("id"), f'no device "{name}"; name the building\'s device: device: ...')
    return name


def _zone(
    draft: Draft, devices: Mapping[str, Wired], occupancies: Mapping[str, Occupancy],
    building: BuildingFile, zone: ZoneFile, position: int,
) -> Zone | None:  # fmt: skip
    name = f"{building.id}.{zone.id}"
    spot, label = draft.spot(zone.where("id")), draft.document.label(zone.where("id"))
    is_first = draft.unique("zone", name, spot, label)
    device = zone.device or building.device or building.id
    if zone.device:
        draft.find("device", device, devices, zone.where("device"))
    number = zone.number or position
    _number_fits(draft, devices.get(device), zone, number)
    occupancy = draft.find("occupancy", zone.occupancy, occupancies, zone.where("occupancy"))
    setpoints = _setpoints(draft, zone)
    if not occupancy or not setpoints or not is_first:
        return None
    optimum = _optimum_start(zone.optimum_start)
    steered, delegate = steering(draft, devices.get(device), zone, building.steering, number)
    return Zone(
        id=name, building=building.id, device=device, number=number,
        occupancy=occupancy, setpoints=setpoints, optimum_start=optimum, name=zone.name or "",
        emitter=zone.emitter, area_m2=zone.area, steering=steered,
        window=window(zone.window), absence=absence(draft, devices, zone.absence, device), boost=boost(zone.boost),
        frost_below_c=zone.frost_below, frost_slot=zone.frost_slot, sheddable=zone.sheddable, delegate=delegate,
    )  # fmt: skip


def _number_fits(draft: Draft, device: Wired | None, zone: ZoneFile, number: int) -> None:
    where = zone.where("number" if zone.number else "id")
    if device is None:
        return
    if not device.has(f"zone.{number}.setpoint"):
        numbers = device.numbers("zone", "setpoint")
        has = f"zones {min(numbers)} to {max(numbers)}" if numbers else "no zones"
        draft.error(where, f"profile {device.profile.id} has {has}, not {number}")
    draft.unique(f"device {device.id} zone", str(number), draft.spot(where), draft.document.label(where))


def _setpoints(draft: Draft, zone: ZoneFile) -> Setpoints | None:
    allures = zone.allures
    falling = [allures.comfort, allures.reduced, allures.frost]
    if falling == sorted(falling, reverse=True):
        return Setpoints(allures.comfort, allures.reduced, allures.frost, allures.off)
    draft.error(zone.where("allures"), "comfort must not be below reduced, nor reduced below frost")
    return None


def _optimum_start(written: OptimumStartFile | None) -> OptimumStart | None:
    if written is None:
        return None
    cap = DEFAULTS.cap if written.cap is None else written.cap
    after = DEFAULTS.cap_after_vacancy if written.cap_after_vacancy is None else written.cap_after_vacancy
    stop = DEFAULTS.stop if written.stop is None else written.stop
    return OptimumStart(cap, after, written.minutes_per_k, written.learn, stop)


def build_meters(
    draft: Draft, devices: Mapping[str, Wired], inventory: Inventory, heating: Heating
) -> dict[str, Meter]:
    """The meters by id."""
    meters: dict[str, Meter] = {}
    for written in draft.written.meters:
        spot, label = draft.spot(written.where("id")), draft.document.label(written.where("id"))
        is_first = draft.unique("meter", written.id, spot, label)
        device = draft.find("device", written.device, devices, written.where("device"))
        if device and not any(name.startswith("meter.") for name in device.profile.points):
            draft.error(written.where("device"), f"profile {device.profile.id} has no meter.* points")
        if written.cabinet:
            draft.find("cabinet", written.cabinet, inventory.cabinets, written.where("cabinet"))
        if written.building:
            draft.find("building", written.building, heating.buildings, written.where("building"))
        if is_first:
            of = (written.cabinet, written.building)
            meters[written.id] = Meter(written.id, written.device, *of, energy=written.energy)
    return meters
