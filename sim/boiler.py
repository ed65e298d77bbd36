"""A gas boiler on a heating curve: water mass, minimum on and off times, what it burns."""

from __future__ import annotations

from dataclasses import dataclass

IDLE_W = 60.0
"""Pump and electronics, and what the casing loses while the burner stands."""


@dataclass(slots=True)
class Boiler:
    """Heat in W and kWh, temperatures in degrees C. ``power_kw`` and ``energy_kwh`` count the gas, not the heat."""

    nominal_w: float = 60_000.0
    efficiency: float = 0.92
    water_j_k: float = 900_000.0
    min_on_s: float = 300.0
    min_off_s: float = 180.0
    hysteresis_k: float = 3.0
    supply_c: float = 35.0
    burning: bool = False
    since_s: float = 1e9
    energy_kwh: float = 0.0
    heat_kwh: float = 0.0
    starts: int = 0
    locked_out: bool = False
    """Its safety has locked it: it burns no more, and its alarm contact is closed."""
    pump_seized: bool = False

    @property
    def power_kw(self) -> float:
        """Gas burnt now."""
        return self.nominal_w / self.efficiency / 1000.0 if self.burning else 0.0

    @staticmethod
    def curve_c(outdoor_c: float) -> float:
        """The heating curve: 70 degrees at -7 outside, 38 at 16, never outside these."""
        return min(70.0, max(38.0, 70.0 - (outdoor_c + 7.0) * 32.0 / 23.0))

    def step(
        self, dt_s: float, outdoor_c: float, drawn_w: float, *, calling: bool, goal_c: float | None = None
    ) -> None:
        """Advance by ``dt_s`` while the radiators draw ``drawn_w``; ``goal_c`` None: its own curve."""
        wanted_c = self.curve_c(outdoor_c) if goal_c is None else goal_c
        self._burner(dt_s, wanted_c if calling else 0.0)
        heat_w = self.nominal_w if self.burning else 0.0
        lost_w = IDLE_W + 8.0 * (self.supply_c - 18.0)
        self.supply_c += (heat_w - drawn_w - lost_w) * dt_s / self.water_j_k
        self.supply_c = max(18.0, self.supply_c)
        self.energy_kwh += self.power_kw * dt_s / 3600.0
        self.heat_kwh += heat_w * dt_s / 3.6e6

    def _burner(self, dt_s: float, goal_c: float) -> None:
        self.since_s += dt_s
        if self.locked_out:
            if self.burning:
                self.burning, self.since_s = False, 0.0
            return
        if self.burning:
            hot = self.supply_c > goal_c + self.hysteresis_k
            limit = self.supply_c > 85.0
            if limit or (hot and self.since_s >= self.min_on_s):
                self.burning, self.since_s = False, 0.0
        elif self.supply_c < goal_c - self.hysteresis_k and self.since_s >= self.min_off_s:
            self.burning, self.since_s = True, 0.0
            self.starts += 1
