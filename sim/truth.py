"""What really is in a town, as plain values: the oracle for tests and for people, never seen by the controller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.boiler import Boiler
from sim.building import Building, Zone
from sim.cabinet import Cabinet
from sim.contactor import Contactor
from sim.lamp import BLACKOUT_V, Lamp
from sim.lamp_failures import DARK
from sim.mains import PhaseMeter

if TYPE_CHECKING:
    from sim.town import Town

Plain = dict[str, object]


def truth(town: Town) -> Plain:
    """JSON-able, by the site's ids, cabinets and meters by device; ``faults`` are the lines that broke something.

    What a cabinet draws stands in it, what its meter of class 1 makes of that in its ``meter``. A lamp that gives no
    light says why in ``dark``.
    """
    causes = {
        id(lamp): _dark(lamp, contactor, cabinet.volts[phase - 1])
        for cabinet in (*town.lighting.cabinets.values(), *town.lighting.supplies.values())
        for lamp, contactor, phase in cabinet.hung()
    }
    zones = {
        zone.id: _zone(town.buildings[zone.device].zones[zone.number])
        for zone in town.site.zones.values()
        if zone.device in town.buildings and zone.number in town.buildings[zone.device].zones
    }
    return {
        "time": town.now.isoformat(),
        "lamps": {name: _lamp(lamp, causes[id(lamp)]) for name, lamp in town.lighting.lamps.items()},
        "contactors": {name: _contactor(contactor) for name, contactor in town.lighting.contactors.items()},
        "cabinets": {name: _cabinet(cabinet) for name, cabinet in town.lighting.cabinets.items()},
        "photocells": {name: cell.lux for name, cell in town.lighting.photocells.items()},
        "presence": {name: sensor.detects(town.now_s) for name, sensor in town.lighting.presences.items()},
        "meters": {name: _meter(meter) for name, meter in town.meters.items()},
        "zones": zones,
        "buildings": {name: _building(building) for name, building in town.buildings.items()},
        "alone": {name: controller.alone for name, controller in town.controllers.items()},
        "faults": [str(fault) for fault in town.faults.active],
    }


def _dark(lamp: Lamp, contactor: Contactor | None, supply_v: float) -> str | None:
    """Why a lamp gives no light, from the grid down to its gear; None while it does."""
    if lamp.lit:
        return None
    causes = {
        "supply": supply_v < BLACKOUT_V,
        "contactor": contactor is not None and not contactor.closed,
        "breaker": contactor is not None and contactor.tripped,
        "cable": lamp.cut_off,
        str(lamp.failure): lamp.failure in DARK or lamp.out,
        "cooling": lamp.cooling and lamp.drive_pct > 0.0,
    }
    return next((cause for cause, holds in causes.items() if holds), "level")


def _lamp(lamp: Lamp, dark: str | None) -> Plain:
    return {
        "level_pct": round(lamp.drive_pct, 2),
        "command_pct": lamp.command_pct,
        "light_pct": round(lamp.light_pct, 2),
        "power_w": round(lamp.power_w, 3),
        "lit": lamp.lit,
        "fed": lamp.fed,
        "energy_kwh": lamp.energy_wh / 1000.0,
        "burning_h": lamp.burning_h,
        "power_factor": round(lamp.power_factor, 3),
        "gear_c": round(lamp.gear_c, 1),
        "starts": lamp.starts,
        "answers": lamp.answers,
        "failure": str(lamp.failure),
        "dark": dark,
    }


def _contactor(contactor: Contactor) -> Plain:
    return {
        "commanded": contactor.commanded,
        "closed": contactor.closed,
        "tripped": contactor.tripped,
        "stuck": str(contactor.stuck),
        "selector": _selector(contactor.hand),
        "loop_open": contactor.loop_open,
        "phase": contactor.phase,
    }


def _cabinet(cabinet: Cabinet) -> Plain:
    return {
        "power_w": round(cabinet.power_w, 3),
        "energy_kwh": cabinet.energy_wh / 1000.0,
        "voltage_v": [round(volts, 2) for volts in cabinet.volts],
        "meter": _meter(cabinet.meter),
        "door_open": cabinet.door_open,
        "leakage": cabinet.leakage,
        "supply_lost": cabinet.supply_lost,
        "selector": _selector(cabinet.hand),
        "losses_kwh": cabinet.losses_wh / 1000.0,
        "own_kwh": cabinet.own_wh / 1000.0,
    }


def _selector(hand: bool | None) -> str:
    return "auto" if hand is None else "on" if hand else "off"


def _meter(meter: PhaseMeter) -> Plain:
    return {
        "power_w": round(meter.total_w, 3),
        "energy_kwh": meter.total_wh / 1000.0,
        "voltage_v": [round(volts, 2) for volts in meter.volts],
        "power_factor": [round(meter.factor(phase), 3) for phase in range(3)],
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
        "pump_on": building.pump_on,
        "enabled": building.enabled,
        "supply_goal_c": None if building.supply_goal_c is None else round(building.supply_goal_c, 2),
        "coldest_pipe_c": round(building.coldest_pipe_c, 2),
        "hot_water_c": None if building.tank is None else round(building.tank.storage_c, 2),
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
