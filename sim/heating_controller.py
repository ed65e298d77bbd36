"""The heating controller beside its plant: its own weekly schedule and curve, and what it does with commands.

It obeys the slots of its objects. What is relinquished goes back to its own: setpoints by its weekly schedule, the
supply temperature by its curve, generator and pump by the valves. Once a heartbeat has been seen it must go on: without
a change for ``watchdog_s`` the slots of a supervisor, 10 and 13, are released, and again whenever they are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sim.boiler import Boiler
from sim.building import Building
from sim.heating_objects import MODES, OWN_SETPOINTS_C, ControllerObjects
from sim.objects import BacnetObject

WATCHDOG_S = 300.0
SUPERVISOR = (10, 13)
COMFORT, REDUCED = MODES["comfort"], MODES["reduced"]
OPENS, CLOSES = 6, 18
"""Its own schedule: comfort on weekdays from 6 to 18."""


def own_mode(local: datetime) -> float:
    """The allure by the schedule that the controller was delivered with."""
    return COMFORT if local.weekday() < 5 and OPENS <= local.hour < CLOSES else REDUCED


class HeatingController:
    """One controller; ``step`` comes before that of its building."""

    def __init__(self, building: Building, watchdog_s: float = WATCHDOG_S) -> None:
        self.building, self.watchdog_s = building, watchdog_s
        self.objects = ControllerObjects(building)
        self.alone = False
        """The heartbeat has stopped: nobody supervises."""
        self._mark: tuple[float, bool] | None = None
        self._seen = False
        self._silent_s = 0.0

    @property
    def shown(self) -> list[BacnetObject]:
        """Everything that the device shows."""
        return self.objects.all

    def step(self, dt_s: float, local: datetime, present: Mapping[int, float]) -> None:
        """What its programme does before the plant moves on by ``dt_s``; ``present`` as its building has them."""
        self._watch(dt_s)
        for number, mode in self.objects.modes.items():
            _default(mode, own_mode(local))
            _default(self.objects.setpoints[number], OWN_SETPOINTS_C[round(mode.present_value())])
        self.objects.present = present
        tank = self.building.tank
        if tank is not None:
            tank.step(dt_s, local.hour + local.minute / 60.0, self.building.share(present))
        boiler, plant = self.building.boiler, self.objects.plant
        if boiler is None or plant is None:
            return
        plant.supply.relinquish_default = Boiler.curve_c(self.building.outdoor_c)
        self.building.supply_goal_c = plant.supply.present_value()
        self.building.enabled = plant.enable.present_value() == 1.0
        self.building.pump_held = plant.pump.present_value() == 1.0 if plant.pump.slots else None
        plant.pump.relinquish_default = float(self.building.pump_on)

    def _watch(self, dt_s: float) -> None:
        plant = self.objects.plant
        if plant is None:
            return
        beat = plant.heartbeat
        mark = (beat.present_value(), bool(beat.slots))
        self._silent_s += dt_s
        if self._mark is not None and mark != self._mark and beat.slots:
            self._seen, self._silent_s, self.alone = True, 0.0, False
        self._mark = mark
        if self.alone or (self._seen and self._silent_s >= self.watchdog_s):
            self.alone = True
            for point in self.objects.supervised:
                for priority in SUPERVISOR:
                    if priority in point.slots:
                        point.command(priority, None)
            self._mark = (beat.present_value(), bool(beat.slots))


def _default(point: BacnetObject, value: float) -> None:
    """A new relinquish default, which shows at once where no slot is taken."""
    if point.relinquish_default == value:
        return
    point.relinquish_default = value
    if not point.slots and point.write is not None:
        point.write(value)
