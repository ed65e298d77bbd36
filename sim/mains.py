"""Three-phase mains: the voltage of the street, and a meter that adds up what is drawn from each phase."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from sim.noise import wobble

NOMINAL_V = 230.0


def phase_volts(seed: int, name: str, phase: int, at_s: float) -> float:
    """Voltage of phase 1-3 of the supply called ``name``: within about 2 % of nominal."""
    slow = wobble(seed, f"{name}/volts/{phase}", at_s, 1800.0)
    fast = wobble(seed, f"{name}/flicker/{phase}", at_s, 20.0)
    return NOMINAL_V + 1.0 + 3.0 * slow + 0.4 * fast


def mains_hz(seed: int, at_s: float) -> float:
    """Frequency of the grid, the same everywhere."""
    return 50.0 + 0.03 * wobble(seed, "hz", at_s, 120.0)


def _three() -> list[float]:
    return [0.0, 0.0, 0.0]


@dataclass(slots=True)
class PhaseMeter:
    """What a meter knows; lists hold phase 1, 2, 3."""

    power_factor: float = 0.95
    volts: list[float] = field(default_factory=_three)
    power_w: list[float] = field(default_factory=_three)
    energy_wh: list[float] = field(default_factory=_three)
    hz: float = 50.0

    def record(self, drawn_wh: list[float], power_w: list[float], volts: list[float], hz: float) -> None:
        """One step: the energy of the step and the instantaneous values at its end."""
        for phase in range(3):
            self.energy_wh[phase] += drawn_wh[phase]
        self.power_w, self.volts, self.hz = list(power_w), list(volts), hz

    def current_a(self, phase: int) -> float:
        """RMS current of phase 0-2."""
        volts = self.volts[phase]
        return self.power_w[phase] / (volts * self.power_factor) if volts > 1.0 else 0.0

    def apparent_va(self, phase: int) -> float:
        """Apparent power of phase 0-2."""
        return self.power_w[phase] / self.power_factor

    def reactive_var(self, phase: int) -> float:
        """Reactive power of phase 0-2, inductive."""
        return self.power_w[phase] * math.tan(math.acos(self.power_factor))

    @property
    def total_va(self) -> float:
        """Apparent power of all phases, which have one power factor."""
        return sum(self.apparent_va(phase) for phase in range(3))

    @property
    def total_var(self) -> float:
        """Reactive power of all phases."""
        return sum(self.reactive_var(phase) for phase in range(3))

    @property
    def total_w(self) -> float:
        """Active power of all phases."""
        return sum(self.power_w)

    @property
    def total_wh(self) -> float:
        """Imported energy of all phases."""
        return sum(self.energy_wh)
