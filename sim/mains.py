"""Three-phase mains: the voltage of the street, and a meter that adds up what is drawn from each phase."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from sim.noise import draw, wobble

NOMINAL_V = 230.0
CLASS_1 = 0.008
"""The most by which a meter of class 1 reads wrong all its life; the rest up to 1 % is for its noise."""
NOISE = 0.0015


def phase_volts(seed: int, name: str, phase: int, at_s: float) -> float:
    """Voltage of phase 1-3 of the supply called ``name``: within about 2 % of nominal."""
    slow = wobble(seed, f"{name}/volts/{phase}", at_s, 1800.0)
    fast = wobble(seed, f"{name}/flicker/{phase}", at_s, 20.0)
    return NOMINAL_V + 1.0 + 3.0 * slow + 0.4 * fast


def mains_hz(seed: int, at_s: float) -> float:
    """Frequency of the grid, the same everywhere."""
    return 50.0 + 0.03 * wobble(seed, "hz", at_s, 120.0)


def class_1_gains(seed: int, name: str) -> list[float]:
    """What a meter of class 1 called ``name`` makes of one watt on each phase."""
    return [1.0 + CLASS_1 * draw(seed, f"{name}/gain/{phase}") for phase in (1, 2, 3)]


def _three() -> list[float]:
    return [0.0, 0.0, 0.0]


def _ones() -> list[float]:
    return [1.0, 1.0, 1.0]


@dataclass(slots=True)
class PhaseMeter:
    """What a meter shows; lists hold phase 1, 2, 3. It is exact unless ``gain`` says otherwise."""

    assumed_factor: float = 0.95
    """The power factor of a load whose reactive power nobody records."""
    volts: list[float] = field(default_factory=_three)
    power_w: list[float] = field(default_factory=_three)
    energy_wh: list[float] = field(default_factory=_three)
    hz: float = 50.0
    var: list[float] | None = None
    gain: list[float] = field(default_factory=_ones)

    def record(
        self,
        drawn_wh: list[float],
        power_w: list[float],
        volts: list[float],
        hz: float,
        var: list[float] | None = None,
        ripple: float = 0.0,
    ) -> None:
        """One step: the energy of the step and the instantaneous values at its end; ``ripple`` is noise, -1 to 1."""
        for phase in range(3):
            self.energy_wh[phase] += drawn_wh[phase] * self.gain[phase]
        noisy = [gain * (1.0 + NOISE * ripple) for gain in self.gain]
        self.power_w = [watts * by for watts, by in zip(power_w, noisy, strict=True)]
        self.var = None if var is None else [q * by for q, by in zip(var, noisy, strict=True)]
        self.volts, self.hz = list(volts), hz

    def current_a(self, phase: int) -> float:
        """RMS current of phase 0-2."""
        volts = self.volts[phase]
        return self.apparent_va(phase) / volts if volts > 1.0 else 0.0

    def apparent_va(self, phase: int) -> float:
        """Apparent power of phase 0-2."""
        return math.hypot(self.power_w[phase], self.reactive_var(phase))

    def reactive_var(self, phase: int) -> float:
        """Reactive power of phase 0-2, inductive."""
        if self.var is not None:
            return self.var[phase]
        return self.power_w[phase] * math.tan(math.acos(self.assumed_factor))

    def factor(self, phase: int) -> float:
        """Power factor of phase 0-2; 1 where nothing is drawn, as meters show."""
        apparent = self.apparent_va(phase)
        return self.power_w[phase] / apparent if apparent > 0.0 else 1.0

    @property
    def power_factor(self) -> float:
        """Power factor of all phases."""
        return self.total_w / self.total_va if self.total_va > 0.0 else 1.0

    @property
    def total_va(self) -> float:
        """Apparent power of all phases, added as numbers."""
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
