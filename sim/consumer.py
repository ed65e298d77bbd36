"""What a building draws over the day, seen by the electricity meter at its door."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime

from sim.mains import PhaseMeter, mains_hz, phase_volts
from sim.noise import draw, wobble


@dataclass(slots=True)
class Consumer:
    """A building behind a meter: base load by night, a bump from morning to evening on working days."""

    name: str
    seed: int
    base_w: float = 900.0
    peak_w: float = 6500.0
    phases: int = 3
    meter: PhaseMeter = field(default_factory=PhaseMeter)

    def load_w(self, local: datetime) -> float:
        """Mean load at a local time; nothing in here but the calendar and the seed."""
        hour = local.hour + local.minute / 60.0
        day = 1.0 if local.weekday() < 5 else 0.15
        bump = 1.0 / (1.0 + math.exp((7.5 - hour) * 2.5)) - 1.0 / (1.0 + math.exp((17.5 - hour) * 2.0))
        noise = 1.0 + 0.12 * wobble(self.seed, f"{self.name}/load", local.timestamp(), 600.0)
        return (self.base_w + self.peak_w * day * max(0.0, bump)) * noise

    def step(self, dt_s: float, local: datetime) -> None:
        """Advance by ``dt_s``, ending at ``local``."""
        total_w = self.load_w(local)
        weights = [1.0 + 0.3 * draw(self.seed, f"{self.name}/phase/{n}") for n in range(self.phases)]
        power_w = [total_w * weight / sum(weights) for weight in weights] + [0.0] * (3 - self.phases)
        at_s = local.timestamp()
        volts = [phase_volts(self.seed, self.name, n + 1, at_s) if n < self.phases else 0.0 for n in range(3)]
        drawn_wh = [power * dt_s / 3600.0 for power in power_w]
        self.meter.record(drawn_wh, power_w, volts, mains_hz(self.seed, at_s))
