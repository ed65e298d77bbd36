"""What is counted at each device, worked out once per configuration: lamps, contactors and the meters of cabinets."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from config.site import HEAT, Building, Cabinet, Lamp, Segment
from drivers.profile import ModbusPoint, WireType

if TYPE_CHECKING:
    from controller.core.wiring import Wiring

OWED = "@owed"
"""Behind the name of a contactor's counter: what has passed and is not told yet."""
_BURST_H = 25.0
"""Nodes may tell their counters once a day only: so many hours may come in one step."""
_STARTS_PER_H = 60.0
_CABINET_KW = 250.0
_BUILDING_KW = 5000.0
_SLACK_S = 300.0
"""The counter of a building may be read so long before or after a full hour and still close it."""
_FLOATS = frozenset({WireType.FLOAT32, WireType.FLOAT64})
_SPARE = 2.0
"""Gear on test, a lamp type that was entered too small: nobody's energy is thrown away for that."""


class By(StrEnum):
    """How an energy was measured."""

    COUNTER = "counter"
    POWER = "power"
    PROFILE = "profile"
    LAMPS = "lamps"
    METER = "meter"


@dataclass(frozen=True, slots=True)
class DeviceCounter:
    """A counter inside a device, point ``point``, and ours that follows it, ``name``.

    ``per_hour`` is more than it can gain in an hour, ``step`` its resolution; it begins anew at ``modulus`` (0: never).
    """

    name: str
    at_device: str
    point: str
    per_hour: float
    step: float
    modulus: float

    def gained(self, last: float | None, value: float, span_h: float | None) -> float:
        """What passed between two readings ``span_h`` apart (None: nobody knows); 0 after a reset or a replacement."""
        if last is None:
            return 0.0
        gained = value - last
        if gained < 0.0:
            gained += self.modulus
        most = self.per_hour * (_BURST_H + (span_h if span_h is not None else _BURST_H * 40.0)) + self.step
        return gained if 0.0 < gained <= most else 0.0


@dataclass(frozen=True, slots=True)
class LampCount:
    """One lamp with a node: its counters there, and the points to count by where it has none."""

    lamp: Lamp
    counters: tuple[DeviceCounter, ...]
    energy: str
    burning_h: str
    switch_ons: str
    level: str
    power: str
    integrates: frozenset[str]
    """Of our counters, those that no counter at the node feeds."""
    stale_after_s: float
    segment: str | None
    """The counter of the energy of the segment that feeds it; None without one, or where a meter counts it."""


@dataclass(frozen=True, slots=True)
class SegmentCount:
    """One contactor: its auxiliary contact, its breaker, the lamps without a node behind it."""

    id: str
    feedback: str
    breaker: str
    stale_after_s: float
    nodeless: tuple[Lamp, ...]
    meter: tuple[str, str] | None
    """Device and point of the power that is this segment's alone; None: its energy is that of its lamps."""


@dataclass(frozen=True, slots=True)
class BuildingCounter:
    """A counter of the energy that a building uses: ``heat`` of its boiler, or what a meter of it counts."""

    building: str
    source: str
    counter: DeviceCounter
    slack_s: float


class Counted:
    """By device: what to look at when it has answered."""

    def __init__(self, wiring: Wiring) -> None:
        self.lamps: dict[str, tuple[LampCount, ...]] = {}
        self.segments: defaultdict[str, list[SegmentCount]] = defaultdict(list)
        self.meters: defaultdict[str, list[DeviceCounter]] = defaultdict(list)
        self.buildings: defaultdict[str, list[BuildingCounter]] = defaultdict(list)
        self.energy_by: dict[str, By] = {}
        """How the energy of ``lamp/<id>``, ``segment/<id>`` and ``cabinet/<id>`` is measured."""
        self._wiring = wiring
        for segment in wiring.site.segments.values():
            self._add_segment(segment)
        for device, lamps in wiring.lamps_of_device.items():
            self.lamps[device] = tuple(self._lamp(wiring.site.lamps[lamp]) for lamp in lamps)
        for lamp in wiring.site.lamps.values():
            if not lamp.has_node:
                self.energy_by[f"lamp/{lamp.id}"] = By.PROFILE
        for cabinet in wiring.site.cabinets.values():
            self._add_cabinet(cabinet)
        for building in wiring.site.buildings.values():
            self._add_building(building)

    def _lamp(self, lamp: Lamp) -> LampCount:
        stem, key = f"lamp.{lamp.address}", f"lamp/{lamp.id}"
        rates = {
            "energy_kwh": ("energy", _SPARE * lamp.type.power_w / 1000.0),
            "burning_h": ("burning", 1.0),
            "switch_ons": ("starts", _STARTS_PER_H),
        }
        points = self._wiring.points(lamp.device)
        found = {
            name: self._counter(f"{key}/{name}", lamp.device, f"{stem}.{point}", rate)
            for name, (point, rate) in rates.items()
            if f"{stem}.{point}" in points
        }
        has_power = f"{stem}.power" in points
        by = By.COUNTER if "energy_kwh" in found else By.POWER if has_power else By.PROFILE
        self.energy_by[key] = by
        metered = lamp.segment is not None and self.energy_by[f"segment/{lamp.segment}"] is By.METER
        return LampCount(
            lamp,
            tuple(found.values()),
            f"{key}/energy_kwh",
            f"{key}/burning_h",
            f"{key}/switch_ons",
            f"{stem}.level",
            f"{stem}.power" if has_power else "",
            frozenset(f"{key}/{name}" for name in rates if name not in found),
            self._wiring.stale_after(lamp.device, f"{stem}.level"),
            f"segment/{lamp.segment}/energy_kwh{OWED}" if lamp.segment is not None and not metered else None,
        )

    def _add_segment(self, segment: Segment) -> None:
        stem = f"segment.{segment.output}"
        lamps = (self._wiring.site.lamps[lamp] for lamp in self._wiring.lamps_of_segment.get(segment.id, ()))
        meter = self._own_power(segment)
        self.energy_by[f"segment/{segment.id}"] = By.LAMPS if meter is None else By.METER
        self.segments[segment.device].append(
            SegmentCount(
                segment.id,
                f"{stem}.feedback",
                f"{stem}.breaker",
                self._wiring.stale_after(segment.device, f"{stem}.feedback"),
                tuple(lamp for lamp in lamps if not lamp.has_node),
                meter,
            )
        )

    def _own_power(self, segment: Segment) -> tuple[str, str] | None:
        """The power of the one phase on which it is alone."""
        cabinet = self._wiring.site.cabinets.get(segment.cabinet)
        if cabinet is None or segment.phase is None:
            return None
        others = (self._wiring.site.segments[other] for other in cabinet.segments if other != segment.id)
        if any(other.phase in (None, segment.phase) for other in others):
            return None
        point = f"meter.power-l{segment.phase}"
        return next(((device, point) for device in self._meters(cabinet) if self._wiring.has(device, point)), None)

    def _add_cabinet(self, cabinet: Cabinet) -> None:
        for device in self._meters(cabinet):
            if self._wiring.has(device, "meter.energy"):
                counter = self._counter(f"cabinet/{cabinet.id}/energy_kwh", device, "meter.energy", _CABINET_KW)
                self.meters[device].append(counter)
                self.energy_by[f"cabinet/{cabinet.id}"] = By.METER
                return

    def _add_building(self, building: Building) -> None:
        """Its meters, and the boiler's own count of heat where no meter counts that."""
        meters = [meter for meter in self._wiring.site.meters.values() if meter.building == building.id]
        for meter in meters:
            self._add_source(building, meter.energy, meter.device, "meter.energy", f"meter/{meter.id}/energy_kwh")
        if not any(meter.energy == HEAT for meter in meters):
            self._add_source(building, HEAT, building.device, "boiler.energy", f"building/{building.id}/heat_kwh")

    def _add_source(self, building: Building, source: str, device: str, point: str, name: str) -> None:
        if self._wiring.has(device, point):
            counter = self._counter(name, device, point, _BUILDING_KW)
            self.meters[device].append(counter)
            slack_s = max(_SLACK_S, self._wiring.stale_after(device, point))
            self.buildings[device].append(BuildingCounter(building.id, source, counter, slack_s))

    def _meters(self, cabinet: Cabinet) -> tuple[str, ...]:
        """The cabinet's own device, then the meters that are said to be of it."""
        meters = (meter.device for meter in self._wiring.site.meters.values() if meter.cabinet == cabinet.id)
        return tuple(dict.fromkeys((cabinet.device, *meters)))

    def _counter(self, name: str, device: str, point: str, per_hour: float) -> DeviceCounter:
        spec = self._wiring.points(device)[point]
        if isinstance(spec, ModbusPoint):
            whole = spec.type not in _FLOATS and spec.bits is None and spec.bit is None
            modulus = 2.0 ** (16 * spec.type.registers) * abs(spec.scale) if whole else 0.0
            return DeviceCounter(name, f"{name}@device", point, per_hour, spec.resolution, modulus)
        return DeviceCounter(name, f"{name}@device", point, per_hour, 0.0, 0.0)
