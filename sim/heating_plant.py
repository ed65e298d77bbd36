"""The heating half of a town: one building model for each heating controller or thermostat that the site declares."""

from __future__ import annotations

from config.site import Site
from sim.boiler import Boiler
from sim.building import Building, Zone
from sim.hot_water import HotWaterTank
from sim.noise import draw

CONTROLLER_PROFILE = "generic-heating"
THERMOSTAT_PROFILE = "generic-thermostat"
OVERSIZE = 1.25


def build_heating(site: Site, seed: int, outdoor_c: float) -> dict[str, Building]:
    """Buildings by device id. Rooms start where a night at reduced setpoint would have left them."""
    buildings = {}
    for device in site.devices.values():
        numbers = sorted({zone.number for zone in site.zones.values() if zone.device == device.id})
        if device.profile.id == CONTROLLER_PROFILE:
            zones = {number: _classrooms(device.id, number, seed) for number in numbers}
            heat_w = sum(zone.radiator_w * zone.area_m2 for zone in zones.values())
            buildings[device.id] = Building(
                zones, Boiler(nominal_w=max(10_000.0, heat_w * OVERSIZE)), tank=HotWaterTank()
            )
        elif device.profile.id == THERMOSTAT_PROFILE:
            buildings[device.id] = Building({1: _hall(device.id, seed)})
    for building in buildings.values():
        building.outdoor_c = outdoor_c
        for zone in building.zones.values():
            zone.temperature_c = max(zone.temperature_c, outdoor_c)
            zone.wall_c = max(zone.wall_c, outdoor_c)
    return buildings


def _classrooms(device: str, number: int, seed: int) -> Zone:
    name = f"{device}/{number}"
    return Zone(
        area_m2=260.0 + 120.0 * draw(seed, f"{name}/area"),
        out_w_k=1.0 + 0.12 * draw(seed, f"{name}/envelope"),
        radiator_w=66.0 + 5.0 * draw(seed, f"{name}/radiators"),
        temperature_c=16.4 + 0.6 * draw(seed, f"{name}/air"),
        wall_c=16.0 + 0.5 * draw(seed, f"{name}/wall"),
    )


def _hall(device: str, seed: int) -> Zone:
    """A gym: high, light, leaky, with a gas air heater of its own."""
    area_m2 = 550.0 + 100.0 * draw(seed, f"{device}/area")
    return Zone(
        area_m2=area_m2,
        air_j_k=45_000.0,
        wall_j_k=240_000.0,
        wall_w_k=8.0,
        out_w_k=1.6,
        air_w_k=1.2,
        glass_m2=0.04,
        heater_w=100.0 * area_m2,
        temperature_c=14.5 + 0.5 * draw(seed, f"{device}/air"),
        wall_c=13.5 + 0.5 * draw(seed, f"{device}/wall"),
        occupied_w_m2=6.0,
    )
