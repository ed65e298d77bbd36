"""One street lamp with its control gear: power by level, fade, run-up, ageing and the ways in which it fails.

The gear obeys a level command (0-100 %) while it is fed. What the node on top of the gear reports as its level
is what the gear was told; ``power_w`` is what is really drawn, so a lamp that burns by day shows in its power.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

BLACKOUT_V = 115.0
"""Below half of the nominal voltage nothing works."""
OPEN_CIRCUIT_W = 0.4
"""What a gear draws whose light source is an open circuit."""
RUN_UP_S = 150.0
"""Time constant of a discharge lamp's warming and cooling; it gives 90 % of its light after about 6 minutes."""
RESTRIKE_BELOW = 0.35
"""A discharge lamp that went out hot strikes again only when it has cooled to this share."""
LONGEST_S = 10.0


class Failure(StrEnum):
    """What is broken."""

    NONE = "none"
    OPEN = "open"
    DAY_BURNING = "day-burning"
    GEAR_FULL = "gear"
    GEAR_DARK = "gear-dark"


@dataclass(frozen=True, slots=True)
class LampData:
    """The data sheet of a lamp. ``curve`` is the rising (level %, W) table of a new lamp at 230 V."""

    nominal_w: float
    standby_w: float = 0.5
    min_level: float = 1.0
    curve: tuple[tuple[float, float], ...] = ()
    full_fade_s: float = 2.0
    discharge: bool = False

    def power_w(self, level_pct: float) -> float:
        """Watts at a level; standby at 0."""
        if level_pct <= 0.0:
            return self.standby_w
        table = self.curve or ((0.0, self.standby_w), (100.0, self.nominal_w))
        for (x0, y0), (x1, y1) in pairwise(table):
            if level_pct <= x1:
                return y0 + (y1 - y0) * max(0.0, level_pct - x0) / (x1 - x0)
        return table[-1][1]


@dataclass(slots=True)
class Lamp:
    """State of one lamp; ``step`` moves it on. Powers in W, energies in Wh, levels in %."""

    sheet: LampData
    spread: float = 1.0
    """This specimen's power against the data sheet (manufacturing)."""
    burning_h: float = 0.0
    energy_wh: float = 0.0
    command_pct: float = 100.0
    """A lamp that was never told anything burns at full when it is fed."""
    failure: Failure = Failure.NONE
    volts: float = 0.0
    level_pct: float = 0.0
    """What the gear was told, after its fade."""
    warm: float = 0.0
    """How far a discharge lamp has run up, 0-1."""
    cooling: bool = False
    power_w: float = field(default=0.0, init=False)

    @property
    def fed(self) -> bool:
        """Whether mains is there."""
        return self.volts >= BLACKOUT_V

    @property
    def drive_pct(self) -> float:
        """The level that the light source really gets."""
        if not self.fed or self.failure in (Failure.OPEN, Failure.GEAR_DARK):
            return 0.0
        if self.failure in (Failure.DAY_BURNING, Failure.GEAR_FULL):
            return 100.0
        return self.level_pct

    @property
    def lit(self) -> bool:
        """Whether it gives light."""
        return self.drive_pct > 0.0 and not self.cooling

    @property
    def light_pct(self) -> float:
        """Luminous flux against a new lamp at full level."""
        if not self.lit:
            return 0.0
        kept = max(0.5, 1.0 - 0.2 * self.burning_h / (20_000.0 if self.sheet.discharge else 100_000.0))
        run_up = 0.1 + 0.9 * self.warm**2 if self.sheet.discharge else 1.0
        return self.drive_pct * kept * run_up

    @property
    def status_bits(self) -> int:
        """Bit 0 gear failure, 1 lamp failure, 2 lamp on, 3 node without answer (unfed)."""
        if not self.fed:
            return 0b1000
        gear = self.failure in (Failure.GEAR_FULL, Failure.GEAR_DARK)
        return int(gear) | int(self.failure is Failure.OPEN) << 1 | int(self.lit) << 2

    def step(self, dt_s: float, volts: float) -> float:
        """Advance by ``dt_s`` with ``volts`` at its terminals; returns the energy drawn, in Wh."""
        self.volts = volts
        drawn = 0.0
        while dt_s > 0.0:
            piece = min(dt_s, LONGEST_S) if self.sheet.discharge else dt_s
            drawn += self._piece(piece)
            dt_s -= piece
        self.power_w = self._power_w(self.drive_pct, self.warm)
        return drawn

    def _piece(self, dt_s: float) -> float:
        if not self.fed:
            self.level_pct = 0.0
            self._temper(dt_s)
            return 0.0
        before, fading_s = self.drive_pct, self._fade(dt_s)
        after, mean_warm = self.drive_pct, self._temper(dt_s)
        faded_w = (self._power_w(before, mean_warm) + self._power_w(after, mean_warm)) / 2.0
        steady_w = self._power_w(after, mean_warm)
        drawn = (faded_w * fading_s + steady_w * (dt_s - fading_s)) / 3600.0
        self.energy_wh += drawn
        if self.lit:
            self.burning_h += dt_s / 3600.0
        return drawn

    def _fade(self, dt_s: float) -> float:
        """Move the level towards the command; returns for how many seconds of ``dt_s`` it moved."""
        goal = 0.0 if self.command_pct <= 0.0 else min(100.0, max(self.sheet.min_level, self.command_pct))
        way = goal - self.level_pct
        needed_s = abs(way) / 100.0 * self.sheet.full_fade_s
        if needed_s <= dt_s:
            self.level_pct = goal
            return needed_s
        self.level_pct += math.copysign(dt_s / self.sheet.full_fade_s * 100.0, way)
        return dt_s

    def _temper(self, dt_s: float) -> float:
        """Warm up or cool down; returns the mean warmth over ``dt_s``. Light-emitting diodes need neither."""
        if not self.sheet.discharge:
            return 1.0
        if self.drive_pct <= 0.0:
            self.cooling = self.warm > RESTRIKE_BELOW
        elif self.warm <= RESTRIKE_BELOW:
            self.cooling = False
        goal = 1.0 if self.lit else 0.0
        decay = math.exp(-dt_s / RUN_UP_S)
        start = self.warm
        self.warm = goal + (start - goal) * decay
        return goal + (start - goal) * (1.0 - decay) * RUN_UP_S / dt_s

    def _power_w(self, drive_pct: float, warm: float) -> float:
        if not self.fed:
            return 0.0
        if self.failure is Failure.OPEN:
            return OPEN_CIRCUIT_W
        if drive_pct <= 0.0 or self.cooling:
            return self.sheet.standby_w
        full_w = self.sheet.power_w(drive_pct) * self.spread
        if self.sheet.discharge:
            supply = math.pow(self.volts / 230.0, 1.5)
            return full_w * (0.5 + 0.5 * warm) * supply * (1.0 + self.burning_h / 300_000.0)
        return full_w * (1.0 + 0.03 * self.burning_h / 100_000.0)
