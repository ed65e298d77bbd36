"""A heated building: each zone an air-and-furniture mass and an envelope mass, fed by radiators or an air heater.

Per zone, in W, W/K and J/K::

    air:       C_air  dT/dt = emitted + gains + H_wall (T_wall - T) + H_air (T_out - T) + neighbours
    envelope:  C_wall dT/dt = H_wall (T - T_wall) + H_out (T_out - T_wall) + sun
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sim.boiler import Boiler
from sim.hot_water import HotWaterTank
from sim.room_sensor import RoomSensor

PIPE_LAG_S = 4 * 3600.0
"""An insulated pipe in an unheated roof."""
LONGEST_S = 10.0
"""Explicit Euler is stable far beyond this; the local controller wants it."""
WINDOW_W_K = 12.0
"""Per m2 of floor, all windows of a classroom open: about twelve air changes an hour."""
Actuator = Callable[[float], float]
"""Gives the position in force for the one that the local controller asks for: a hand may have it."""


def obey(position_pct: float) -> float:
    """An actuator that nobody holds."""
    return position_pct


@dataclass(slots=True)
class Zone:
    """One zone; the defaults are a block of classrooms of 300 m2. ``heater_w`` None: radiators on the boiler."""

    area_m2: float = 300.0
    air_j_k: float = 80_000.0
    wall_j_k: float = 360_000.0
    wall_w_k: float = 10.0
    out_w_k: float = 1.0
    air_w_k: float = 0.55
    glass_m2: float = 0.06
    radiator_w: float = 66.0
    """Output at 40 K above the room. This and the five constants above count per m2 of floor."""
    heater_w: float | None = None
    band_k: float = 0.8
    """Proportional band of the valve, which is 65 % open at the setpoint."""
    temperature_c: float = 16.5
    wall_c: float = 15.5
    setpoint_c: float = 16.0
    occupied_w_m2: float = 14.0
    actuator: Actuator = obey
    valve_pct: float = 0.0
    asked_pct: float = 0.0
    """What the local controller tells its drive, which need not follow."""
    radiator_c: float = 20.0
    emitted_w: float = 0.0
    sensor: RoomSensor = field(default_factory=RoomSensor)
    window_open: bool = False
    stuck_pct: float | None = None
    """Where the valve stands whatever its drive says."""

    @property
    def sensed_c(self) -> float:
        """What the room sensor shows; the local controller has no other."""
        return self.sensor.shown_c(self.temperature_c)

    def regulate(self) -> None:
        """The local controller: a proportional valve, or an air heater's thermostat (hysteresis 0.5 K)."""
        error_k = self.setpoint_c - self.sensed_c
        if self.heater_w is None:
            asked = min(1.0, max(0.0, 0.65 + error_k / self.band_k)) * 100.0
        else:
            asked = 100.0 if error_k > (-0.25 if self.valve_pct > 50.0 else 0.25) else 0.0
        self.asked_pct = asked
        position_pct = self.actuator(asked)
        self.valve_pct = position_pct if self.stuck_pct is None else self.stuck_pct

    def emit(self, dt_s: float, supply_c: float, *, flows: bool = True) -> None:
        """Heat given to the room: a radiator lags behind its valve and its water, which comes while the pump runs."""
        if self.heater_w is not None:
            goal_w = self.heater_w * self.valve_pct / 100.0
            self.emitted_w += (goal_w - self.emitted_w) * min(1.0, dt_s / 60.0)
            return
        water_c = max(self.temperature_c, supply_c - 6.0)
        opening = self.valve_pct / 100.0 if flows else 0.0
        goal_c = self.temperature_c + (water_c - self.temperature_c) * opening
        self.radiator_c += (goal_c - self.radiator_c) * min(1.0, dt_s / 600.0)
        excess_k = max(0.0, self.radiator_c - self.temperature_c)
        self.emitted_w = self.radiator_w * self.area_m2 * (excess_k / 40.0) ** 1.3

    def warm(self, dt_s: float, outdoor_c: float, sun_w_m2: float, gains_w: float) -> None:
        """One Euler step of both masses."""
        area = self.area_m2
        to_wall_w = self.wall_w_k * area * (self.temperature_c - self.wall_c)
        air_w_k = self.air_w_k + (WINDOW_W_K if self.window_open else 0.0)
        air_loss_w = air_w_k * area * (self.temperature_c - outdoor_c)
        wall_loss_w = self.out_w_k * area * (self.wall_c - outdoor_c)
        self.sensor.step(dt_s)
        sun_w = sun_w_m2 * self.glass_m2 * area
        self.temperature_c += (self.emitted_w + gains_w - to_wall_w - air_loss_w) * dt_s / (self.air_j_k * area)
        self.wall_c += (to_wall_w + sun_w - wall_loss_w) * dt_s / (self.wall_j_k * area)


@dataclass(slots=True)
class Building:
    """Zones by number in a row, each one leaning on the next (``coupling_w_k``), and the boiler that they share.

    A controller may lead the boiler: ``supply_goal_c`` None is its own curve, ``enabled`` False keeps it off,
    ``pump_held`` None lets the pump follow the valves. ``pipe_c`` is the water in the coldest pipe, under the roof.
    """

    zones: dict[int, Zone]
    boiler: Boiler | None = None
    coupling_w_k: float = 60.0
    heater_kwh: float = 0.0
    tank: HotWaterTank | None = None
    supply_goal_c: float | None = None
    enabled: bool = True
    pump_held: bool | None = None
    pump_on: bool = field(default=False, init=False)
    pipe_c: float = field(default=15.0, init=False)
    coldest_pipe_c: float = field(default=15.0, init=False)
    outdoor_c: float = field(default=10.0, init=False)

    def step(self, dt_s: float, outdoor_c: float, sun_w_m2: float, present: Mapping[int, float]) -> None:
        """Advance by ``dt_s``; ``present`` is the share of its people that is in, 0-1, by zone, none where not said."""
        self.outdoor_c = outdoor_c
        while dt_s > 0.0:
            piece = min(dt_s, LONGEST_S)
            self._piece(piece, outdoor_c, sun_w_m2, present)
            dt_s -= piece

    def share(self, present: Mapping[int, float]) -> float:
        """The share of the building's people, as many a m2 everywhere."""
        area_m2 = sum(zone.area_m2 for zone in self.zones.values())
        inside = sum(zone.area_m2 * present.get(number, 0.0) for number, zone in self.zones.items())
        return inside / area_m2 if area_m2 else 0.0

    def _piece(self, dt_s: float, outdoor_c: float, sun_w_m2: float, present: Mapping[int, float]) -> None:
        turns = self.boiler is None or not self.boiler.pump_seized
        supply_c = self.boiler.supply_c if self.boiler and turns else 20.0
        wet = [zone for zone in self.zones.values() if zone.heater_w is None]
        calling = self.enabled and max((zone.valve_pct for zone in wet), default=0.0) > 5.0
        self.pump_on = turns and (calling if self.pump_held is None else self.pump_held)
        flows = self._between()
        for (number, zone), flow_w in zip(self.zones.items(), flows, strict=True):
            zone.regulate()
            zone.emit(dt_s, supply_c, flows=self.pump_on)
            people_w = zone.occupied_w_m2 * zone.area_m2 * present.get(number, 0.0)
            zone.warm(dt_s, outdoor_c, sun_w_m2, flow_w + people_w)
            if zone.heater_w is not None:
                self.heater_kwh += zone.emitted_w * dt_s / 3.6e6
        if self.boiler:
            drawn_w = sum(zone.emitted_w for zone in wet) if self.pump_on else 0.0
            self.boiler.step(dt_s, outdoor_c, drawn_w, calling=calling, goal_c=self.supply_goal_c)
            self._cool_pipe(dt_s, outdoor_c)

    def _cool_pipe(self, dt_s: float, outdoor_c: float) -> None:
        """Standing water goes towards the cold in hours, running water has the house's warmth in minutes."""
        indoors_c = sum(zone.temperature_c for zone in self.zones.values()) / len(self.zones)
        goal_c, lag_s = (indoors_c, 600.0) if self.pump_on else (outdoor_c, PIPE_LAG_S)
        self.pipe_c += (goal_c - self.pipe_c) * min(1.0, dt_s / lag_s)
        self.coldest_pipe_c = min(self.coldest_pipe_c, self.pipe_c)

    def _between(self) -> list[float]:
        temperatures = [zone.temperature_c for zone in self.zones.values()]
        flows = [0.0] * len(temperatures)
        for left in range(len(temperatures) - 1):
            flow_w = self.coupling_w_k * (temperatures[left + 1] - temperatures[left])
            flows[left] += flow_w
            flows[left + 1] -= flow_w
        return flows
