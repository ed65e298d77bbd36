"""The lighting half of a town: cabinets, contactors and lamps wired as the site's inventory says."""

from __future__ import annotations

from dataclasses import dataclass, field

from config.site import Lamp as InventoryLamp
from config.site import LampType, Site
from sim.cabinet import OUTPUTS, Cabinet, Contactor
from sim.dali_maps import GATEWAYS
from sim.lamp import Lamp, LampData
from sim.noise import draw

CABINET_PROFILE, RELAYS_PROFILE = "generic-cabinet", "generic-relays"
DISCHARGE = ("shp", "hps", "sodium", "mercury", "halide", "ballon")
"""Words in a lamp type's id that make it a discharge lamp; the others are LED."""


@dataclass(slots=True)
class LightingPlant:
    """Models by the site's ids: cabinets by device, contactors by segment, lamps by lamp."""

    cabinets: dict[str, Cabinet] = field(default_factory=dict)
    contactors: dict[str, Contactor] = field(default_factory=dict)
    lamps: dict[str, Lamp] = field(default_factory=dict)
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
            plant.contactors[segment.id] = contactor
    for lamp in site.lamps.values():
        if lamp.device not in plant.cabinets and lamp.device not in plant.gateways:
            continue
        model = plant.lamps[lamp.id] = _lamp(lamp.id, lamp.type, seed)
        fed_by = plant.contactors.get(lamp.segment) if lamp.segment else None
        if lamp.address is None:
            _feeding(site, lamp, plant).guests.append((model, fed_by))
        elif lamp.device in plant.cabinets:
            plant.cabinets[lamp.device].lamps[lamp.address] = (model, fed_by)
        else:
            plant.gateways[lamp.device][lamp.address] = model
            _feeding(site, lamp, plant).guests.append((model, fed_by))
    return plant


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
    for phase in range(3):
        cabinet.meter.energy_wh[phase] = 4e6 + 3e6 * draw(seed, f"{name}/index/{phase}")
    return cabinet


def _lamp(name: str, kind: LampType, seed: int) -> Lamp:
    discharge = any(word in kind.id.lower() for word in DISCHARGE)
    sheet = LampData(kind.power_w, kind.standby_w, kind.min_level, kind.profile, discharge=discharge)
    burning_h = 9000.0 + 8500.0 * draw(seed, f"{name}/burning")
    return Lamp(
        sheet,
        spread=1.0 + 0.02 * draw(seed, f"{name}/spread"),
        burning_h=burning_h,
        energy_wh=burning_h * kind.power_w * 0.7,
    )
