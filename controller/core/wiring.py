"""The site's cross references, worked out once per configuration: which point belongs to what, what feeds what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from config.site import Building, Cabinet, Device, Group, Lamp, Meter, Segment, Site, Zone
from controller.core.counted import Counted
from controller.core.loads import hanging_devices, phase_loads
from controller.core.membership import Membership
from controller.core.watched import Watched
from drivers.api import PointId
from drivers.profile import BacnetPoint, ModbusPoint
from schedules import plan as plans


class Kind(StrEnum):
    """The kinds of things that have a state topic."""

    LAMP = "lamp"
    SEGMENT = "segment"
    CABINET = "cabinet"
    METER = "meter"
    ZONE = "zone"
    BUILDING = "building"
    SUPPLY = "supply"
    """The supply temperature of a building's generator, degrees C; like the five below shown by an entity's state."""
    BOILER = "boiler"
    """Whether the generator may run, 0 or 1."""
    PUMP = "pump"
    BACKUP = "backup"
    """Whether the backup heater of a heat pump may run."""
    MODE = "mode"
    """The allure of a zone as its device numbers it: 1 comfort, 2 reduced, 3 frost, 4 off."""
    HEARTBEAT = "heartbeat"
    """Changes every minute; a device that misses it goes back to its own schedule."""


_AT_ONCE = (0.0, 0.0)
_OF_A_LAMP = (
    "command", "level", "power", "energy", "burning", "failure", "gear-failure", "silent", "voltage", "power-factor",
    "temperature", "starts",
)  # fmt: skip

_OF_A_PLANT = {
    Kind.SUPPLY: "boiler.supply-setpoint",
    Kind.BOILER: "boiler.enable",
    Kind.PUMP: "boiler.pump",
    Kind.BACKUP: "boiler.backup",
    Kind.HEARTBEAT: "heartbeat",
}
"""The points by which a generator is led, where its device has them."""


@dataclass(frozen=True, slots=True)
class Target:
    """One commanded point: ``key`` is ``kind/id``, ``command`` the point written, ``feedback`` what it really does."""

    key: str
    kind: Kind
    id: str
    device: str
    command: str
    feedback: str
    point: PointId
    """``command`` at ``device``."""
    minimum: float
    maximum: float
    tolerance: float
    """How far a reading may be from what was written and still show it; ``relative_tolerance`` of the value."""
    relative_tolerance: float
    min_on_s: float
    min_off_s: float
    """Once it is above 0, or at 0, it stays so for so long."""
    prioritised: bool
    """Whether the device has a priority array of its own for it (BACnet commandable)."""
    restore: float | None = None
    """What the point gets back when we let go of it and it has no priority array."""
    entity: str = ""
    """The entity whose state shows it; ``key`` itself unless said otherwise."""
    frost_slot: bool = False
    """Whether frost protection has a slot of its own in the device's priority array."""


def _in_patterns(site: Site) -> Iterator[str]:
    for cabinet in site.cabinets.values():
        for pattern in cabinet.patterns:
            yield from pattern.segments


class Wiring:
    """Read-only index over a Site; everything that a cycle looks up, by id."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.targets: dict[str, Target] = {}
        self.targets_of: defaultdict[str, list[Target]] = defaultdict(list)
        self.commanded: dict[tuple[str, str], Target] = {}
        self.shown_by: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        """The entities whose state shows a point, by device and point."""
        self.steered_by: defaultdict[str, set[str]] = defaultdict(set)
        """The points of a device whose readings steer something: what is commanded, what a zone's plan looks at."""
        self.entities_of: defaultdict[str, list[str]] = defaultdict(list)
        self.lamps_of_segment: defaultdict[str, list[str]] = defaultdict(list)
        """All lamps that a contactor feeds, with a node or without."""
        self.lamps_of_device: defaultdict[str, list[str]] = defaultdict(list)
        """The lamps with a node at a device."""
        self.group_of: dict[str, str] = {}
        """The group that each lamp and each segment of its own belongs to, by ``kind/id``."""
        self.groups_feeding: dict[str, tuple[str, ...]] = {}
        """The groups of the lamps that a contactor feeds, by segment; None in no group is left out."""
        self.chain_of: dict[str, tuple[str, ...]] = {}
        """Each group with those that it is nested in, the nearest first."""
        self.outputs_of: dict[str, tuple[str, ...]] = {}
        """The targets that follow a group, those of nested groups too."""
        self.in_patterns = set(_in_patterns(site))
        """The contactors that relay patterns switch."""
        self.nodeless_of: defaultdict[str, list[str]] = defaultdict(list)
        """The lamps without a node that a contactor feeds, ``lamp/id`` by ``segment/id``."""
        self.sensed: dict[tuple[str, str], tuple[str, str]] = {}
        """What a point tells besides an entity's state: ``("photocell" or "presence", id)`` by device and point."""
        self.cells_of: defaultdict[str, list[str]] = defaultdict(list)
        """The photocells at a device."""
        self.groups_by_cell: defaultdict[str, list[str]] = defaultdict(list)
        """The groups in whose plan a photocell has a say."""
        self.presence_at: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
        """The presence sensors that brighten a lamp, and to which level (%), by lamp id."""
        self.loads = phase_loads(site)
        """What the meter of each cabinet sees of its lamps."""
        self.watched = Watched(site)
        """The points whose priority arrays show who else holds them."""
        self.hanging_on = hanging_devices(site)
        """The other devices that the mains of each cabinet feed."""
        self.judged_of: dict[str, tuple[str, ...]] = {}
        """What may be in alarm at a device, causes before what they explain; ``device/<id>`` where it is no station."""
        self.device_of: dict[str, str] = {}
        self.stale_after_s: dict[str, float] = {}
        self._add_entities(site)
        self._join_groups(site)
        self._find_mains(site)
        self._add_sensors()

    def _add_entities(self, site: Site) -> None:
        self.zones_of: defaultdict[str, list[str]] = defaultdict(list)
        """The zones whose points are at a device, or whose detector is."""
        self.buildings_at: defaultdict[str, list[str]] = defaultdict(list)
        """The buildings whose generator is at a device, or one of whose zones is."""
        self.heated_by: dict[str, tuple[str, ...]] = {}
        """The targets of each building's zones, ``zone/<id>``."""
        self.shed_by: defaultdict[str, list[str]] = defaultdict(list)
        """The buildings that give up heat for a signal."""
        self.zone_keys = frozenset(f"zone/{zone}" for zone in site.zones)
        for device in site.devices.values():
            self._add_device(device)
        for lamp in site.lamps.values():
            self._add_lamp(lamp)
        for segment in site.segments.values():
            self._add_segment(segment)
        for zone in site.zones.values():
            self._add_zone(zone)
        for meter in site.meters.values():
            self._add_meter(meter)
        for cabinet in site.cabinets.values():
            self._add_cabinet(cabinet)
        for building in site.buildings.values():
            self._add_building(building)
        for device_id, entities in self.entities_of.items():
            self.judged_of[device_id] = tuple(_causes_first(device_id, filter(self._is_seen, entities)))

    def _find_mains(self, site: Site) -> None:
        self.mains_of: dict[str, tuple[str, ...]] = {}
        """The devices that may measure a cabinet's phases: its meters, and its own device."""
        for cabinet in site.cabinets.values():
            meters = [meter.device for meter in site.meters.values() if meter.cabinet == cabinet.id]
            self.mains_of[cabinet.id] = tuple(dict.fromkeys((*meters, cabinet.device)))

    def _join_groups(self, site: Site) -> None:
        for group in site.groups.values():
            self._add_group(group)
        for group in site.groups.values():
            self.outputs_of[group.id] = tuple(dict.fromkeys(self._outputs(group)))
        for segment_id, lamps in self.lamps_of_segment.items():
            groups = (self.group_of.get(f"lamp/{lamp}") for lamp in lamps)
            self.groups_feeding[segment_id] = tuple(dict.fromkeys(group for group in groups if group is not None))
        self.counted, self.membership = Counted(self), Membership(self)

    def _is_seen(self, key: str) -> bool:
        """Not so a lamp without a node: nobody measures it."""
        kind, _, identity = key.partition("/")
        return kind != "lamp" or self.site.lamps[identity].has_node

    def points(self, device: str) -> Mapping[str, ModbusPoint | BacnetPoint]:
        """The points of a device's profile by name."""
        return self.site.devices[device].profile.points

    def has(self, device: str, point: str) -> bool:
        """Whether the device has a point of that name."""
        return point in self.points(device)

    def knows(self, subject: str) -> bool:
        """Whether an alarm may stand at ``subject``: an entity, ``site/``, ``photocell/``, ``device/`` or ``bus/``."""
        kind, _, identity = subject.partition("/")
        if kind == "site":
            return identity == self.site.id
        if kind in ("device", "photocell"):
            return identity in (self.site.devices if kind == "device" else self.site.photocells)
        return identity in self.site.buses if kind == "bus" else subject in self.device_of

    def takes_commands(self, key: str) -> bool:
        """Whether ``kind/id`` is commanded: a target, a group, or a building with zones that are."""
        if key.startswith("building/"):
            return bool(self.followers(key))
        return key in self.targets or (key.removeprefix("group/") in self.outputs_of and key.startswith("group/"))

    def followers(self, key: str) -> tuple[str, ...]:
        """The targets that a command to ``key`` reaches."""
        if key.startswith("building/"):
            return self.heated_by.get(key.removeprefix("building/"), ())
        return self.outputs_of[key.removeprefix("group/")] if key.startswith("group/") else (key,)

    def brightened_by(self, sensor: str) -> tuple[str, ...]:
        """The lamps that a presence sensor brightens, its neighbours included."""
        found = self.site.presence_sensors.get(sensor)
        return () if found is None else (*found.lamps, *found.neighbours)

    def stale_after(self, device: str, point: str) -> float:
        """Age in seconds of the site's clock from which a reading of ``point`` is stale."""
        spec = self.points(device).get(point)
        return self._stale_after(0.0 if spec is None else spec.quiet_s)

    def _add_device(self, device: Device) -> None:
        points = device.profile.points
        slowest_s = max((points[name].quiet_s for name in device.points), default=0.0)
        self.stale_after_s[device.id] = self._stale_after(slowest_s)

    def _stale_after(self, quiet_s: float) -> float:
        timing = self.site.timing
        least_s = timing.stale_after_s
        return max(least_s, 3.0 * quiet_s * timing.speed) if quiet_s else least_s

    def _show(self, key: str, device: str, *points: str) -> None:
        for point in points:
            if self.has(device, point):
                self.shown_by[device][point].append(key)
        self.device_of[key] = device
        if key not in self.entities_of[device]:
            self.entities_of[device].append(key)

    def _add_target(
        self, kind: Kind, identity: str, device: str, command: str, feedback: str,
        min_s: tuple[float, float] = _AT_ONCE, entity: str = "", *, frost_slot: bool = False,
    ) -> None:  # fmt: skip
        spec = self.points(device).get(command)
        if spec is None or not spec.writable:
            return
        step, share = (spec.resolution, spec.relative_resolution) if isinstance(spec, ModbusPoint) else (0.1, 0.0)
        target = Target(
            key=f"{kind}/{identity}",
            kind=kind,
            id=identity,
            device=device,
            command=command,
            feedback=feedback,
            point=PointId(device, command),
            minimum=spec.minimum if spec.minimum is not None else (5.0 if kind is Kind.ZONE else 0.0),
            maximum=spec.maximum if spec.maximum is not None else (30.0 if kind is Kind.ZONE else 100.0),
            tolerance=max(step * 0.51, 0.01),
            relative_tolerance=share * 0.51,
            min_on_s=min_s[0],
            min_off_s=min_s[1],
            prioritised=isinstance(spec, BacnetPoint) and spec.commandable,
            restore=spec.restore if isinstance(spec, BacnetPoint) else None,
            entity=entity or f"{kind}/{identity}",
            frost_slot=frost_slot,
        )
        self.targets[target.key] = target
        self.targets_of[device].append(target)
        self.commanded[device, command] = target
        self.steered_by[device].add(command)

    def _add_lamp(self, lamp: Lamp) -> None:
        if lamp.segment is not None:
            self.lamps_of_segment[lamp.segment].append(lamp.id)
        if lamp.has_node:
            stem = f"lamp.{lamp.address}"
            self._add_target(Kind.LAMP, lamp.id, lamp.device, f"{stem}.command", f"{stem}.level")
            self._show(f"lamp/{lamp.id}", lamp.device, *(f"{stem}.{name}" for name in _OF_A_LAMP))
            self.lamps_of_device[lamp.device].append(lamp.id)
        elif lamp.segment is not None:
            stem = f"segment.{self.site.segments[lamp.segment].output}"
            self._show(f"lamp/{lamp.id}", lamp.device, f"{stem}.feedback", f"{stem}.breaker")
            self.nodeless_of[f"segment/{lamp.segment}"].append(f"lamp/{lamp.id}")

    def _add_segment(self, segment: Segment) -> None:
        stem = f"segment.{segment.output}"
        lamps = (self.site.lamps[lamp] for lamp in self.lamps_of_segment.get(segment.id, ()))
        cool_down_s = max((lamp.type.cool_down_s for lamp in lamps), default=0.0)
        limits = (segment.min_on_s, max(segment.min_off_s, cool_down_s))
        self._add_target(Kind.SEGMENT, segment.id, segment.device, f"{stem}.command", f"{stem}.feedback", limits)
        names = (f"{stem}.{name}" for name in ("command", "feedback", "breaker", "local", "loop"))
        self._show(f"segment/{segment.id}", segment.device, *names, "local")

    def _add_zone(self, zone: Zone) -> None:
        stem = f"zone.{zone.number}"
        setpoint, mode = f"{stem}.setpoint", f"{stem}.mode"
        self._add_target(Kind.ZONE, zone.id, zone.device, setpoint, setpoint, frost_slot=zone.frost_slot)
        self._add_target(Kind.MODE, zone.id, zone.device, mode, mode, entity=f"zone/{zone.id}")
        self.zones_of[zone.device].append(zone.id)
        if zone.absence is not None:
            detected = f"presence.{zone.absence.number}.detected"
            self.steered_by[zone.absence.device].add(detected)
            if zone.id not in self.zones_of[zone.absence.device]:
                self.zones_of[zone.absence.device].append(zone.id)
        self._show(f"zone/{zone.id}", zone.device, f"{stem}.setpoint", f"{stem}.temperature", f"{stem}.heating")
        self.steered_by[zone.device].add(f"{stem}.temperature")

    def _add_group(self, group: Group) -> None:
        for lamp in group.lamps:
            self.group_of[f"lamp/{lamp}"] = group.id
        for segment in group.segments:
            self.group_of[f"segment/{segment}"] = group.id
        self.chain_of[group.id] = tuple(self._chain(group.id))
        for cell in plans.photocells_of(group.plan):
            self.groups_by_cell[cell].append(group.id)

    def _chain(self, group: str | None) -> Iterator[str]:
        while group is not None:
            yield group
            group = self.site.groups[group].parent

    def _outputs(self, group: Group) -> Iterator[str]:
        for lamp in group.lamps:
            if f"lamp/{lamp}" in self.targets:
                yield f"lamp/{lamp}"
            elif (segment := self.site.lamps[lamp].segment) is not None and f"segment/{segment}" in self.targets:
                yield f"segment/{segment}"
        yield from (f"segment/{segment}" for segment in group.segments if f"segment/{segment}" in self.targets)
        for nested in group.groups:
            yield from self._outputs(self.site.groups[nested])

    def _add_sensors(self) -> None:
        """Photocells and presence sensors steer; the cabinet of their device shows nothing of them."""
        for cell in self.site.photocells.values():
            for word in ("illuminance", "dark"):
                self._add_sensor(cell.device, f"photocell.{cell.number}.{word}", ("photocell", cell.id))
            self.cells_of[cell.device].append(cell.id)
        for sensor in self.site.presence_sensors.values():
            self._add_sensor(sensor.device, f"presence.{sensor.number}.detected", ("presence", sensor.id))
            for lamp in sensor.lamps:
                self.presence_at[lamp].append((sensor.id, sensor.level))
            for lamp in sensor.neighbours:
                self.presence_at[lamp].append((sensor.id, sensor.neighbour_level))

    def _add_sensor(self, device: str, point: str, sensor: tuple[str, str]) -> None:
        if self.has(device, point):
            self.sensed[device, point] = sensor
            self.steered_by[device].add(point)

    def _add_meter(self, meter: Meter) -> None:
        self._show(
            f"meter/{meter.id}",
            meter.device,
            *(p for p in self.points(meter.device) if p.startswith("meter.")),
        )

    def _add_cabinet(self, cabinet: Cabinet) -> None:
        mains = (p for p in self.points(cabinet.device) if p in ("door", "local", "leakage") or p.startswith("meter."))
        self._show(f"cabinet/{cabinet.id}", cabinet.device, *mains)

    def _add_building(self, building: Building) -> None:
        plant = (p for p in self.points(building.device) if p.startswith(("boiler.", "outdoor.", "hot-water.")))
        self._show(f"building/{building.id}", building.device, *plant)
        keys = (f"zone/{zone}" for zone in building.zones)
        self.heated_by[building.id] = tuple(key for key in keys if key in self.targets)
        if building.shedding is not None:
            self.shed_by[building.shedding.signal].append(building.id)
        zones = (self.site.zones[zone].device for zone in building.zones if zone in self.site.zones)
        for device in dict.fromkeys((building.device, *zones)):
            self.buildings_at[device].append(building.id)
        if building.plant is not None:
            for kind, point in _OF_A_PLANT.items():
                if kind is not Kind.SUPPLY or building.plant.curve is not None:
                    self._add_target(kind, building.id, building.device, point, point, entity=f"building/{building.id}")


_JUDGED = ("cabinet", "building", "meter", "device", "segment", "zone", "lamp")
_STATIONS = ("cabinet/", "building/", "meter/")


def _causes_first(device: str, entities: Iterable[str]) -> list[str]:
    found = [key for key in entities if key.partition("/")[0] in _JUDGED]
    if not any(key.startswith(_STATIONS) for key in found):
        found.append(f"device/{device}")
    return sorted(found, key=lambda key: _JUDGED.index(key.partition("/")[0]))
