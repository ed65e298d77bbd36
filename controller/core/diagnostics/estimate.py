"""How many lamps of a phase are out, by the phase's power alone: arithmetic, without memory.

``(expected - measured) / power of one lamp``. A class-1 meter and a type's curve are off by some per cent, but always
by the same: against what the same lamps drew on other nights one lamp of fifty can be told, not one of a hundred.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, hypot, sqrt

from controller.core.traces import Estimate

LEARNT, GUESSED = 0.006, 0.025
"""What a ratio is uncertain by: against the same situation of other nights (noise, temperature, what a voltage bin
leaves), and against the data sheet alone (meter, specimens, ageing, copper)."""
OWN_W = 1.5
"""What the cabinet's own load may change by."""
AT_MOST_GUESSED = 0.5
"""Nobody is sent out by a data sheet: confidence before anything was learnt."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A phase while nothing changes. ``lit`` lamps should draw ``lit_w``, the others that are fed ``idle_w``."""

    lit: int
    lit_w: float
    idle_w: float
    power_w: float
    situation: str
    """What is switched how far, at which voltage, of which inventory: only the same can be compared."""
    fed_segments: tuple[str, ...] = ()
    reported_out: int = 0

    def ratio(self, base_w: float, power_w: float | None = None) -> float:
        """What the lit lamps draw against what they should; 1 where the data sheet is right and none is out."""
        return ((self.power_w if power_w is None else power_w) - base_w - self.idle_w) / self.lit_w


def missing(sample: Sample, base_w: float, usual: float | None) -> float:
    """How many lamps are missing, with fractions; ``usual`` is the ratio when none is."""
    return sample.lit * (1.0 - sample.ratio(base_w) / (usual or 1.0))


def estimated(sample: Sample, base_w: float, usual: float | None) -> Estimate:
    """Lamps out, and how sure it is that some are, or that none is."""
    lamps = missing(sample, base_w, usual)
    spread = sample.lit * hypot(GUESSED if usual is None else LEARNT, OWN_W / sample.lit_w)
    out = min(sample.lit, max(0, round(lamps)))
    sure = _below((lamps - 0.5) / spread if out else (0.5 - lamps) / spread)
    confidence = sure if usual is not None else min(sure, AT_MOST_GUESSED)
    return Estimate(out, round(confidence, 2), max(0, out - sample.reported_out))


def _below(sigmas: float) -> float:
    """Share of a normal distribution below so many standard deviations."""
    return 0.5 * (1.0 + erf(sigmas / sqrt(2.0)))
