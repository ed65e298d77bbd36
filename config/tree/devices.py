"""Buses, device profiles and devices; a driver's own keys are checked by the driver's own models."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from config.model import DeviceFile
from config.problems import Spot
from config.site import Bus, Device
from config.source import Placed, Where
from config.tree.draft import Draft
from config.wording import checked, not_one_of
from drivers.bacnet.addresses import Station
from drivers.bacnet.settings import BacnetBus, BacnetDevice
from drivers.modbus.settings import ModbusBus, ModbusDevice
from drivers.profile import Profile
from drivers.profile_file import ProfileError, load_profile, profile_paths, shipped_profiles
from drivers.registry import DRIVERS

PROFILES = Path("profiles")
_OWN_KEYS = ("id", "bus", "profile")
_INDEXED = re.compile(r"(lamp|segment|zone|photocell|presence)\.(\d+)\.")


@dataclass(frozen=True, slots=True)
class Wired:
    """A device before it is known which of its points are in use."""

    id: str
    bus: Bus
    profile: Profile
    settings: ModbusDevice | BacnetDevice

    def has(self, point: str) -> bool:
        """Whether the profile has the point."""
        return point in self.profile.points

    def numbers(self, family: str, last_word: str) -> list[int]:
        """The numbers n for which the profile has ``<family>.<n>.<last_word>``."""
        pattern = re.compile(rf"{family}\.(\d+)\.{last_word}")
        return [int(match[1]) for name in self.profile.points if (match := pattern.fullmatch(name))]


def build_buses(draft: Draft) -> dict[str, Bus]:
    """The buses by id, each with its driver's settings."""
    buses: dict[str, Bus] = {}
    for name, bus in draft.written.buses.items():
        entry = DRIVERS.get(bus.driver)
        if entry is None:
            draft.error(bus.where("driver"), not_one_of(bus.driver, DRIVERS))
            continue
        before = draft.findings.count
        raw = draft.document.at(bus.where())
        settings = checked(draft.document, entry.bus_settings, draft.findings, raw=raw, where=bus.where())
        if isinstance(settings, ModbusBus | BacnetBus):
            buses[name] = Bus(name, bus.driver, _with_the_sites_zone(draft, settings))
            _own_wire(draft, buses[name], bus.where())
        if draft.findings.count > before:
            draft.doubtful.add(name)
    return buses


def _with_the_sites_zone(draft: Draft, settings: ModbusBus | BacnetBus) -> ModbusBus | BacnetBus:
    """The clocks of BACnet devices show the site's time where the bus says nothing else."""
    site = draft.written.site
    if not isinstance(settings, BacnetBus) or settings.timezone is not None or site is None:
        return settings
    return settings.model_copy(update={"timezone": site.timezone})


def _own_wire(draft: Draft, bus: Bus, where: Where) -> None:
    """Two buses cannot open the same line or the same port."""
    match bus.settings:
        case ModbusBus(serial=str(line)):
            draft.unique("serial line", line, draft.spot((*where, "serial")), f"buses.{bus.id}.serial")
        case BacnetBus(address=address):
            draft.unique("address", address, draft.spot((*where, "address")), f"buses.{bus.id}.address")
        case _:
            return


def build_devices(draft: Draft, buses: Mapping[str, Bus]) -> dict[str, Wired]:
    """The devices by id, their profiles loaded, without their points."""
    profiles = _Profiles(draft)
    wired: dict[str, Wired] = {}
    for device in draft.written.devices:
        label = draft.document.label(device.where())
        is_first = draft.unique("device", device.id, draft.spot(device.where("id")), f"{label}.id")
        bus = draft.find("bus", device.bus, buses, device.where("bus"))
        profile = profiles.named(device)
        settings = _device_settings(draft, bus, device) if bus else None
        if bus and profile and profile.protocol != bus.driver:
            message = f'profile "{profile.id}" is for {profile.protocol}, bus "{bus.id}" speaks {bus.driver}'
            draft.error(device.where("profile"), message)
        elif bus and profile and settings and is_first:
            wired[device.id] = Wired(device.id, bus, profile, settings)
    profiles.check_the_rest()
    _one_router_a_network(draft, wired)
    return wired


def _device_settings(draft: Draft, bus: Bus, device: DeviceFile) -> ModbusDevice | BacnetDevice | None:
    raw = draft.document.at(device.where())
    if not isinstance(raw, Placed):
        return None
    rest = Placed(((key, value) for key, value in raw.items() if key not in _OWN_KEYS), raw.where)
    model = DRIVERS[bus.driver].device_settings
    before = draft.findings.count
    settings = checked(draft.document, model, draft.findings, raw=rest, where=device.where(), beside=_OWN_KEYS)
    if not isinstance(settings, ModbusDevice | BacnetDevice):
        return None
    _own_address(draft, bus, device, settings)
    if draft.findings.count == before:
        _findable(draft, bus, device, settings)
    return settings


def _own_address(draft: Draft, bus: Bus, device: DeviceFile, settings: ModbusDevice | BacnetDevice) -> None:
    """Each device answers at an address of its own; a Modbus device needs a wire at all."""
    if isinstance(settings, BacnetDevice):
        _own_station(draft, bus, device, settings)
        return
    if not isinstance(bus.settings, ModbusBus):
        return
    line, endpoint = bus.settings.serial, bus.settings.endpoint(settings.address)
    if line and settings.address:
        draft.error(device.where("address"), f'bus "{bus.id}" is a serial line: its devices have only a unit')
    elif bus.settings.without_ids and settings.unit == 0:
        draft.error(device.where("unit"), "unit 0 is the broadcast of a serial line, nobody answers to it")
    elif not line and not endpoint and bus.id not in draft.doubtful:
        draft.error(device.where(), f'address: missing; bus "{bus.id}" has neither tcp nor serial')
    where = device.where("unit" if line or not settings.address else "address")
    name = f"{line or endpoint} unit {settings.unit}"
    draft.unique("address", name, draft.spot(where), draft.document.label(where))


def _own_station(draft: Draft, bus: Bus, device: DeviceFile, settings: BacnetDevice) -> None:
    """One instance, one place, one way to each network; we ourselves are a device too."""
    where = device.where("instance")
    draft.unique("BACnet instance", str(settings.instance), draft.spot(where), draft.document.label(where))
    if not isinstance(bus.settings, BacnetBus):
        return
    if settings.instance == bus.settings.instance:
        draft.error(where, f'{settings.instance} is the instance of bus "{bus.id}" itself')
    if settings.station is None:
        return
    where = device.where("address")
    if settings.station == Station.at(bus.settings.endpoint):
        draft.error(where, f'{settings.address} is the address of bus "{bus.id}" itself')
    # A network number means something on its own bus only.
    name = f"{bus.id} {settings.address}" if settings.station.routed else str(settings.address)
    draft.unique("address", name, draft.spot(where), draft.document.label(where))


def _findable(draft: Draft, bus: Bus, device: DeviceFile, settings: ModbusDevice | BacnetDevice) -> None:
    """What is looked for by broadcast needs a network that hears it."""
    own = bus.settings
    if not isinstance(settings, BacnetDevice) or not isinstance(own, BacnetBus):
        return
    if settings.looked_for and own.foreign is None and own.broadcast_endpoint == own.endpoint:
        message = f'it is looked for by broadcast, but bus "{bus.id}" is a network of one (/32) and has no foreign'
        draft.error(device.where("address"), message)


def _one_router_a_network(draft: Draft, wired: Mapping[str, Wired]) -> None:
    """All devices of a network are reached the same way."""
    routers: dict[tuple[str, int], str] = {}
    for device in draft.written.devices:
        settings = wired[device.id].settings if device.id in wired else None
        if isinstance(settings, BacnetDevice) and settings.via is not None and settings.station is not None:
            network = settings.station.network
            first = routers.setdefault((device.bus, network), settings.via)
            if first != settings.via:
                message = f"another device reaches network {network} by {first}; a network has one router"
                draft.error(device.where("via"), message)


@cache
def _shipped(path: Path) -> Profile:
    """A profile of the package: it does not change while we run, so that a reload need not read it again."""
    return load_profile(path)


class _Profiles:
    """Loads each profile once; what is wrong in a profile's file is reported at its place there."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        directory = draft.files.directory / PROFILES
        self.paths = profile_paths(directory if directory.is_dir() else None)
        self.shipped = set(shipped_profiles().values())
        self.loaded: dict[str, Profile | None] = {}

    def named(self, device: DeviceFile) -> Profile | None:
        path = self.draft.find("profile", device.profile, self.paths, device.where("profile"))
        return self._load(device.profile, path) if path else None

    def check_the_rest(self) -> None:
        """The site's own profiles are read even where no device uses them yet."""
        for name, path in self.paths.items():
            if path.parent == self.draft.files.directory / PROFILES:
                self._load(name, path)

    def _load(self, name: str, path: Path) -> Profile | None:
        if name not in self.loaded:
            self.draft.files.count(path.absolute())
            try:
                self.loaded[name] = _shipped(path) if path in self.shipped else load_profile(path)
            except ProfileError as error:
                self.loaded[name] = None
                for problem in error.problems:
                    spot = Spot(str(problem.file), problem.line, problem.column)
                    self.draft.findings.error(spot, problem.message)
        return self.loaded[name]


def with_points(wired: Wired, used: Mapping[str, Collection[int]]) -> Device:
    """The device with the points in use; ``used`` has the lamps, segments and zones that exist there."""
    points = tuple(_in_use(wired.profile, used))
    return Device(wired.id, wired.bus.id, wired.profile, wired.settings, points)


def _in_use(profile: Profile, used: Mapping[str, Collection[int]]) -> Iterator[str]:
    for name in profile.points:
        match = _INDEXED.match(name)
        if match is None or int(match[2]) in used.get(match[1], ()):
            yield name
