"""DALI arc power levels (IEC 62386-102): 0 is off, 1 to 254 are 0.1 % to 100 % of the light on a logarithmic curve.

Pure. One step is 2.8 % more light than the step below, wherever it lies: 50 % is level 229, and level 127 is 3.1 %.
"""

from __future__ import annotations

import math

FULL = 254
_STEPS_A_DECADE = 253 / 3


def arc_level(percent: float) -> int:
    """The level nearest to a light output in percent; 0 is off, and what is more than off gives at least level 1."""
    if percent <= 0.0:
        return 0
    return min(FULL, max(1, round(1 + _STEPS_A_DECADE * (math.log10(percent) + 1))))


def arc_percent(level: int) -> float | None:
    """The light output of a level in percent, to a thousandth; None for 255, "not known", and what is no level."""
    if not 0 <= level <= FULL:
        return None
    return 0.0 if level == 0 else round(10 ** ((level - 1) / _STEPS_A_DECADE - 1), 3)
