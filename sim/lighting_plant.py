"""The lighting half of a town: cabinets, contactors and lamps wired as the site's inventory says."""

from __future__ import annotations

from dataclasses import dataclass, field

from config.site import Lamp as InventoryLamp
from config.site import LampType, Site
from sim.cabinet import OUTPUTS, PRESENCES, Cabinet
from sim.contactor import Contactor
from sim.dali_maps import GATEWAYS
from sim.lamp import Lamp
from sim.lamp_sheet import RUN_UP_S, Curve, LampData, along
from sim.mains import class_1_gains
from sim.noise import draw
from sim.sensors import Photocell, Presence

CABINET_PROFILE, RELAYS_PROFILE = "generic-cabinet", "generic-relays"
DISCHARGE = ("shp", "hps", "sodium", "mercury", "halide", "ballon")
"""Words in a lamp type's id that make it a discharge lamp, as a time to cool down does; the others are LED."""
RUN_UPS = 2.4
"""Time constants until a discharge lamp gives 90 % of its light."""
COOLINGS = 1.05
"""Time constants until one that was hot strikes again."""
HEALTHY = 0.02
"""By how much a sound gear's power factor is better than the least good one."""
NIGHT_H = 9.0
"""Burning hours of a start."""


@dataclass(slots=True)
class LightingPlant:
    """Models by the site's ids: cabinets by device, contactors by segment, lamps by lamp."""

    cabinets: dict[str, Cabinet] = field(default_factory=dict)
    contactors: dict[str, Contactor] = field(default_factory=dict)
    lamps: dict[str, Lamp] = field(default_factory=dict)
    circuits: dict[str, list[Lamp]] = field(default_factory=dict)
    """The lamps of a segment, from the cabinet to the cable's end (the order of the inventory)."""
    photocells: dict[str, Photocell] = field(default_factory=dict)
    presences: dict[str, Presence] = field(default_factory=dict)
    gateways: dict[str, dict[int, Lamp]] = field(default_factory=dict)
    """Nodes by their number, by the gateway's device."""
    supplies: dict[str, Cabinet] = field(default_factory=dict)
    """What feeds the lamps of a gateway that hang on no simulated cabinet."""


def build_lighting(site: Site, seed: int) -> LightingPlant:
    """Cabinets for all devices with a generic cabinet's profile, nodes for all gateways."""
    plant = LightingPlant()
    for device in site.devices.values():
        if device.profile.id in (CABINET_PROFILE, RELAYS_PROFILE):
            plant.cabinets[device.id] = _cabinet(device.id, seed)
        elif device.profile.id in GATEWAYS:
            plant.gateways[device.id], plant.supplies[device.id] = {}, Cabinet(device.id, seed, {})
    for segment in site.segments.values():
        if segment.device in plant.cabinets:
            contactor = plant.cabinets[segment.device].contactors[segment.output]
            contactor.phase = segment.phase or contactor.phase
            plant.contactors[segment.id], plant.circuits[segment.id] = contactor, []
    for lamp in site.lamps.values():
        if lamp.device in plant.cabinets or lamp.device in plant.gateways:
            _hang(site, lamp, plant, seed)
    for cell in site.photocells.values():
        if cell.device in plant.cabinets:
            plant.photocells[cell.id] = plant.cabinets[cell.device].photocell
    for sensor in site.presence_sensors.values():
        if sensor.device in plant.cabinets:
            plant.presences[sensor.id] = plant.cabinets[sensor.device].presences[sensor.number]
    return plant


def _hang(site: Site, lamp: InventoryLamp, plant: LightingPlant, seed: int) -> None:
    """Wire a lamp to what feeds it and to the gateway that it answers at; without a node it answers nowhere."""
    model = plant.lamps[lamp.id] = _lamp(lamp, seed)
    fed_by = plant.contactors.get(lamp.segment) if lamp.segment else None
    if lamp.segment in plant.circuits:
        plant.circuits[lamp.segment].append(model)
    if lamp.address is not None and lamp.device in plant.cabinets:
        plant.cabinets[lamp.device].lamps[lamp.address] = (model, fed_by)
        return
    _feeding(site, lamp, plant).guests.append((model, fed_by))
    if lamp.address is not None:
        plant.gateways[lamp.device][lamp.address] = model


def _feeding(site: Site, lamp: InventoryLamp, plant: LightingPlant) -> Cabinet:
    """The cabinet that a gateway's lamp hangs on: its segment's, else its own cabinet's, else a supply of its own."""
    devices = [site.segments[lamp.segment].device] if lamp.segment else []
    devices += [site.cabinets[lamp.cabinet].device] if lamp.cabinet else []
    known = next((plant.cabinets[device] for device in devices if device in plant.cabinets), None)
    return known or plant.supplies[lamp.device]


def _cabinet(name: str, seed: int) -> Cabinet:
    contactors = {
        output: Contactor((output - 1) % 3 + 1, 0.2 + 0.1 * draw(seed, f"{name}/pull-in/{output}"))
        for output in range(1, OUTPUTS + 1)
    }
    cabinet = Cabinet(name, seed, contactors)
    cabinet.photocell.gain = 1.0 + 0.05 * draw(seed, f"{name}/photocell")
    cabinet.presences = {number: Presence(f"{name}/{number}", seed) for number in range(1, PRESENCES + 1)}
    cabinet.meter.gain = class_1_gains(seed, name)
    for phase in range(3):
        cabinet.meter.energy_wh[phase] = 4e6 + 3e6 * draw(seed, f"{name}/index/{phase}")
    cabinet.energy_wh = cabinet.meter.total_wh
    return cabinet


def _lamp(lamp: InventoryLamp, seed: int) -> Lamp:
    burning_h = lamp.burnt_h or 9000.0 + 8500.0 * draw(seed, f"{lamp.id}/burning")
    return Lamp(
        lamp_data(lamp.type),
        spread=1.0 + 0.02 * draw(seed, f"{lamp.id}/spread"),
        burning_h=burning_h,
        energy_wh=burning_h * lamp.type.power_w * 0.7,
        phase=lamp.phase,
        starts=round(burning_h / NIGHT_H),
    )


def lamp_data(kind: LampType) -> LampData:
    """The physics of a type of lamp: what the site knows of it, and what its kind adds."""
    discharge = kind.cool_down_s > 0.0 or any(word in kind.id.lower() for word in DISCHARGE)
    bare = LampData(kind.power_w, discharge=discharge)
    return LampData(
        kind.power_w,
        kind.standby_w,
        kind.min_level,
        kind.profile or _sloping(kind),
        discharge=discharge,
        factors=_healthy(kind.power_factor, bare),
        clo=kind.clo if kind.clo_by_gear else (),
        run_up_s=kind.warm_up_s / RUN_UPS or RUN_UP_S,
        cool_s=kind.cool_down_s / COOLINGS or RUN_UP_S,
    )


def _sloping(kind: LampType) -> Curve:
    """Power by level where nobody measured it: by the gradient it falls slower than the level, or faster."""
    at_none = 1.0 - 1.0 / kind.power_gradient
    if at_none >= 0.0:
        return (0.0, kind.standby_w + (kind.power_w - kind.standby_w) * at_none), (100.0, kind.power_w)
    return (0.0, kind.standby_w), (100.0 * (1.0 - kind.power_gradient), kind.standby_w), (100.0, kind.power_w)


def _healthy(least: Curve, kind: LampData) -> Curve:
    """Power factor by level of a sound gear: its kind's, and better than the least good one that the site gives."""
    levels = {0.0, *(float(level) for level in range(10, 101, 10)), *(level for level, _ in least)}
    return tuple((level, _sound(level, least, kind)) for level in sorted(levels)) if least else ()


def _sound(level: float, least: Curve, kind: LampData) -> float:
    own = kind.power_factor(level)
    return own if level <= 0.0 else min(0.99, max(own, along(least, level) + HEALTHY))
