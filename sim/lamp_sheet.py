"""The data sheet of a lamp with its control gear: what it draws, and how well, at each level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

RUN_UP_S = 150.0
"""Time constant of a discharge lamp's warming and cooling; it gives 90 % of its light after about 6 minutes."""
LED_FACTOR = (
    (0.0, 0.35), (10.0, 0.50), (20.0, 0.65), (30.0, 0.75), (40.0, 0.82), (50.0, 0.87), (60.0, 0.90), (80.0, 0.935),
    (100.0, 0.95),
)  # fmt: skip
"""Power factor by level (%) of a driver for light-emitting diodes: it falls as the lamp is dimmed."""
DISCHARGE_FACTOR = ((0.0, 0.40), (1.0, 0.88), (100.0, 0.92))
"""The same of a compensated magnetic ballast, which is there or not."""

Curve = tuple[tuple[float, float], ...]


def along(curve: Sequence[tuple[float, float]], at: float) -> float:
    """The value of a rising table at ``at``, linear between its points and flat beyond its ends."""
    if at <= curve[0][0]:
        return curve[0][1]
    for (x0, y0), (x1, y1) in pairwise(curve):
        if at <= x1:
            return y0 + (y1 - y0) * (at - x0) / (x1 - x0)
    return curve[-1][1]


@dataclass(frozen=True, slots=True)
class LampData:
    """``curve`` is the rising (level %, W) table of a new lamp at 230 V, ``clo`` the (burning h, %) of its gear."""

    nominal_w: float
    standby_w: float = 0.5
    min_level: float = 1.0
    curve: Curve = ()
    full_fade_s: float = 2.0
    discharge: bool = False
    factors: Curve = ()
    clo: Curve = ()
    run_up_s: float = RUN_UP_S
    cool_s: float = RUN_UP_S

    def power_w(self, level_pct: float) -> float:
        """Watts at a level; standby at 0."""
        if level_pct <= 0.0:
            return self.standby_w
        return along(self.curve or ((0.0, self.standby_w), (100.0, self.nominal_w)), level_pct)

    def power_factor(self, level_pct: float) -> float:
        """Power factor at a level."""
        return along(self.factors or (DISCHARGE_FACTOR if self.discharge else LED_FACTOR), level_pct)
