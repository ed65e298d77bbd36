"""What a cabinet senses of the street: daylight, and who passes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sim.noise import draw

DARK_LX, BRIGHT_LX = 0.3, 20_000.0
SEEN_S = 20.0
"""For how long a presence sensor keeps its contact after somebody passed."""


class Stare(StrEnum):
    """What a broken photocell shows for ever."""

    NO = "no"
    DARK = "dark"
    BRIGHT = "bright"
    SILENT = "silent"


@dataclass(slots=True)
class Photocell:
    """A light sensor; ``gain`` is this specimen's."""

    gain: float = 1.0
    stare: Stare = Stare.NO
    daylight_lx: float = 0.0

    @property
    def lux(self) -> float | None:
        """What it shows; None: no value."""
        if self.stare is Stare.NO:
            return self.daylight_lx * self.gain
        return {Stare.DARK: DARK_LX, Stare.BRIGHT: BRIGHT_LX}.get(self.stare)


@dataclass(slots=True)
class Presence:
    """A presence sensor: nobody passes unless somebody is sent, or traffic is."""

    name: str
    seed: int
    somebody: bool = False
    traffic_per_h: float = 0.0

    def detects(self, at_s: float) -> bool:
        """Whether it sees somebody at ``at_s``: one passer-by in each equal part of the hour, at a drawn moment."""
        if self.somebody:
            return True
        if self.traffic_per_h <= 0.0:
            return False
        every_s = 3600.0 / self.traffic_per_h
        return any(0.0 <= at_s - self._passes_s(part, every_s) < SEEN_S for part in _parts(at_s, every_s))

    def _passes_s(self, part: int, every_s: float) -> float:
        return (part + 0.5 + 0.5 * draw(self.seed, f"{self.name}/passes", part)) * every_s


def _parts(at_s: float, every_s: float) -> range:
    """The parts of time whose passer-by may still be seen."""
    return range(int((at_s - SEEN_S) // every_s), int(at_s // every_s) + 1)
