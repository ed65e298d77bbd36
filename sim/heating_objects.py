"""The BACnet objects of the heating controller and of the room thermostat (docs/profiles.md).

A zone's valve is commandable: the local controller holds slot 16 and a hand above it wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from sim.boiler import Boiler
from sim.building import Building, Zone
from sim.objects import LOWEST_PRIORITY, BacnetObject

MODES = {"comfort": 1.0, "reduced": 2.0, "frost": 3.0, "off": 4.0}
OWN_SETPOINTS_C = {1: 19.0, 2: 16.0, 3: 8.0, 4: 5.0}
"""What a mode means to the controller itself."""
RELINQUISHED_SETPOINT_C = OWN_SETPOINTS_C[2]
LOWEST_SUPPLY_C, HIGHEST_SUPPLY_C = 10.0, 90.0
LOWEST_SETPOINT_C, HIGHEST_SETPOINT_C = 5.0, 30.0


@dataclass(slots=True)
class PlantObjects:
    """By what a supervisor leads the generator."""

    supply: BacnetObject
    enable: BacnetObject
    pump: BacnetObject
    heartbeat: BacnetObject


class ControllerObjects:
    """Generic heating controller: setpoints with a priority array, a valve a zone, boiler, hot water, outdoor sensor.

    ``present`` is the share of its people that is in, by zone: what its presence detectors see.
    """

    def __init__(self, building: Building) -> None:
        self.present: Mapping[int, float] = {}
        self.setpoints = {number: _setpoint(number, zone) for number, zone in building.zones.items()}
        self.modes = {number: _mode(number) for number in building.zones}
        self.plant = None if building.boiler is None else _leading()
        self.all: list[BacnetObject] = []
        for number, zone in building.zones.items():
            self.all += [_room(number, zone), self.setpoints[number], _valve(number, zone), self.modes[number]]
            detected = partial(self._detected, number)
            self.all.append(BacnetObject("binary-input", number, f"Zone {number} presence", "no-units", detected))
        self.all.append(_outdoor(building))
        if self.plant is not None and building.boiler is not None:
            self.all += [*_measured(building.boiler), *self._leading]
        tank = building.tank
        if tank is not None:
            self.all.append(_input(104, "Hot water storage", "degrees-celsius", lambda: tank.storage_c))
            self.all.append(_input(105, "Hot water return", "degrees-celsius", lambda: tank.return_c))

    @property
    def supervised(self) -> list[BacnetObject]:
        """What a supervisor commands."""
        return [*self.setpoints.values(), *self.modes.values(), *self._leading]

    def _detected(self, number: int) -> float:
        return float(self.present.get(number, 0.0) > 0.05)

    @property
    def _leading(self) -> list[BacnetObject]:
        plant = self.plant
        return [] if plant is None else [plant.supply, plant.enable, plant.pump, plant.heartbeat]


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
        BacnetObject("analog-value", 11, "Heating", "percent", lambda: zone.asked_pct, cov_increment=1.0),
        _outdoor(building),
    ]


def _set(zone: Zone, setpoint_c: float) -> None:
    zone.setpoint_c = setpoint_c


def _measured(boiler: Boiler) -> list[BacnetObject]:
    return [
        _input(101, "Boiler supply temperature", "degrees-celsius", lambda: boiler.supply_c),
        _input(102, "Boiler power", "kilowatts", lambda: boiler.power_kw),
        _input(103, "Boiler energy", "kilowatt-hours", lambda: boiler.energy_kwh),
        BacnetObject("binary-value", 1, "Burner", "no-units", lambda: float(boiler.burning)),
        BacnetObject("binary-input", 101, "Boiler alarm", "no-units", lambda: float(boiler.locked_out)),
    ]


def _leading() -> PlantObjects:
    return PlantObjects(
        BacnetObject(
            "analog-value",
            201,
            "Supply setpoint",
            "degrees-celsius",
            read=_nothing,
            commandable=True,
            relinquish_default=38.0,
            minimum=LOWEST_SUPPLY_C,
            maximum=HIGHEST_SUPPLY_C,
        ),
        _switch(202, "Boiler enable", 1.0),
        _switch(203, "Heating pump", 0.0),
        _switch(204, "Heartbeat of the supervisor", 0.0),
    )


def _switch(instance: int, name: str, own: float) -> BacnetObject:
    return BacnetObject(
        "binary-value", instance, name, "no-units", read=_nothing, commandable=True, relinquish_default=own
    )


def _nothing() -> float:
    """What a commandable object computes from its slots is not read from the plant."""
    return 0.0


def _setpoint(number: int, zone: Zone) -> BacnetObject:
    zone.setpoint_c = RELINQUISHED_SETPOINT_C
    return BacnetObject(
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


def _mode(number: int) -> BacnetObject:
    return BacnetObject(
        "multi-state-value",
        number,
        f"Zone {number} mode",
        "no-units",
        read=_nothing,
        commandable=True,
        relinquish_default=MODES["reduced"],
        maximum=float(len(MODES)),
    )


def _valve(number: int, zone: Zone) -> BacnetObject:
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
    return valve


def _local_control(valve: BacnetObject, asked_pct: float) -> float:
    valve.slots[LOWEST_PRIORITY] = asked_pct
    return valve.present_value()


def _room(number: int, zone: Zone) -> BacnetObject:
    return _input(number, f"Zone {number} temperature", "degrees-celsius", lambda: zone.sensed_c)


def _outdoor(building: Building) -> BacnetObject:
    return _input(100, "Outdoor temperature", "degrees-celsius", lambda: building.outdoor_c)


def _input(instance: int, name: str, units: str, read: Callable[[], float]) -> BacnetObject:
    return BacnetObject("analog-input", instance, name, units, read)
