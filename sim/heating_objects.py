"""The BACnet objects of the heating controller and of the room thermostat (docs/profiles.md).

A zone's valve is commandable: the local controller holds slot 16 and a hand above it wins.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sim.building import Building, Zone
from sim.objects import LOWEST_PRIORITY, BacnetObject

RELINQUISHED_SETPOINT_C = 16.0
LOWEST_SETPOINT_C, HIGHEST_SETPOINT_C = 5.0, 30.0


def controller_objects(building: Building) -> list[BacnetObject]:
    """Generic heating controller: setpoints with a priority array, a valve a zone, boiler and outdoor sensor."""
    objects = [made for number, zone in building.zones.items() for made in _zone(number, zone)]
    objects.append(_outdoor(building))
    boiler = building.boiler
    if boiler is not None:
        objects += [
            _input(101, "Boiler supply temperature", "degrees-celsius", lambda: boiler.supply_c),
            _input(102, "Boiler power", "kilowatts", lambda: boiler.power_kw),
            _input(103, "Boiler energy", "kilowatt-hours", lambda: boiler.energy_kwh),
            BacnetObject("binary-value", 1, "Burner", "no-units", lambda: float(boiler.burning)),
        ]
    return objects


def thermostat_objects(building: Building) -> list[BacnetObject]:
    """Generic room thermostat: a setpoint that stays as it is written, no priority array."""
    zone = building.zones[1]
    return [
        _room(1, zone),
        BacnetObject(
            "analog-value",
            1,
            "Setpoint",
            "degrees-celsius",
            read=lambda: zone.setpoint_c,
            write=partial(_set, zone),
            minimum=LOWEST_SETPOINT_C,
            maximum=HIGHEST_SETPOINT_C,
        ),
        BacnetObject("analog-value", 11, "Heating", "percent", lambda: zone.valve_pct, cov_increment=1.0),
        _outdoor(building),
    ]


def _set(zone: Zone, setpoint_c: float) -> None:
    zone.setpoint_c = setpoint_c


def _zone(number: int, zone: Zone) -> list[BacnetObject]:
    zone.setpoint_c = RELINQUISHED_SETPOINT_C
    setpoint = BacnetObject(
        "analog-value",
        number,
        f"Zone {number} setpoint",
        "degrees-celsius",
        read=lambda: zone.setpoint_c,
        write=partial(_set, zone),
        commandable=True,
        relinquish_default=RELINQUISHED_SETPOINT_C,
        minimum=LOWEST_SETPOINT_C,
        maximum=HIGHEST_SETPOINT_C,
    )
    valve = BacnetObject(
        "analog-output",
        number,
        f"Zone {number} valve",
        "percent",
        read=lambda: zone.valve_pct,
        commandable=True,
        minimum=0.0,
        maximum=100.0,
        cov_increment=1.0,
    )
    zone.actuator = partial(_local_control, valve)
    return [_room(number, zone), setpoint, valve]


def _local_control(valve: BacnetObject, asked_pct: float) -> float:
    valve.slots[LOWEST_PRIORITY] = asked_pct
    return valve.present_value()


def _room(number: int, zone: Zone) -> BacnetObject:
    return _input(number, f"Zone {number} temperature", "degrees-celsius", lambda: zone.temperature_c)


def _outdoor(building: Building) -> BacnetObject:
    return _input(100, "Outdoor temperature", "degrees-celsius", lambda: building.outdoor_c)


def _input(instance: int, name: str, units: str, read: Callable[[], float]) -> BacnetObject:
    return BacnetObject("analog-input", instance, name, units, read)
