"""What really is in a town, as plain values: the oracle for tests and for people, never seen by the controller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.boiler import Boiler
from sim.building import Building, Zone
from sim.cabinet import Cabinet, Contactor
from sim.lamp import Lamp
from sim.mains import PhaseMeter

if TYPE_CHECKING:
    from sim.town import Town

Plain = dict[str, object]


def truth(town: Town) -> Plain:
    """JSON-able: time, lamps, contactors (by segment), cabinets and meters (by device), zones, buildings, faults."""
    zones = {
        zone.id: _zone(town.buildings[zone.device].zones[zone.number])
        for zone in town.site.zones.values()
        if zone.device in town.buildings and zone.number in town.buildings[zone.device].zones
    }
    return {
        "time": town.now.isoformat(),
        "lamps": {name: _lamp(lamp) for name, lamp in town.lighting.lamps.items()},
        "contactors": {name: _contactor(contactor) for name, contactor in town.lighting.contactors.items()},
        "cabinets": {name: _cabinet(cabinet) for name, cabinet in town.lighting.cabinets.items()},
        "meters": {name: _meter(meter) for name, meter in town.meters.items()},
        "zones": zones,
        "buildings": {name: _building(building) for name, building in town.buildings.items()},
        "faults": [str(fault) for fault in town.faults.active],
    }


def _lamp(lamp: Lamp) -> Plain:
    return {
        "level_pct": round(lamp.drive_pct, 2),
        "command_pct": lamp.command_pct,
        "light_pct": round(lamp.light_pct, 2),
        "power_w": round(lamp.power_w, 3),
        "lit": lamp.lit,
        "fed": lamp.fed,
        "energy_kwh": lamp.energy_wh / 1000.0,
        "burning_h": lamp.burning_h,
        "failure": str(lamp.failure),
    }


def _contactor(contactor: Contactor) -> Plain:
    return {
        "commanded": contactor.commanded,
        "closed": contactor.closed,
        "tripped": contactor.tripped,
        "stuck": str(contactor.stuck),
        "phase": contactor.phase,
    }


def _cabinet(cabinet: Cabinet) -> Plain:
    return {
        **_meter(cabinet.meter),
        "door_open": cabinet.door_open,
        "losses_kwh": cabinet.losses_wh / 1000.0,
        "own_kwh": cabinet.own_wh / 1000.0,
    }


def _meter(meter: PhaseMeter) -> Plain:
    return {
        "power_w": round(meter.total_w, 3),
        "energy_kwh": meter.total_wh / 1000.0,
        "voltage_v": [round(volts, 2) for volts in meter.volts],
    }


def _zone(zone: Zone) -> Plain:
    return {
        "temperature_c": round(zone.temperature_c, 3),
        "wall_c": round(zone.wall_c, 3),
        "setpoint_c": zone.setpoint_c,
        "valve_pct": round(zone.valve_pct, 1),
        "emitted_w": round(zone.emitted_w, 1),
    }


def _building(building: Building) -> Plain:
    return {
        "outdoor_c": round(building.outdoor_c, 3),
        "heater_kwh": building.heater_kwh,
        "boiler": None if building.boiler is None else _boiler(building.boiler),
    }


def _boiler(boiler: Boiler) -> Plain:
    return {
        "supply_c": round(boiler.supply_c, 2),
        "burning": boiler.burning,
        "power_kw": round(boiler.power_kw, 3),
        "energy_kwh": boiler.energy_kwh,
        "starts": boiler.starts,
    }
