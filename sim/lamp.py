"""One street lamp with its control gear: power by level, fade, run-up, ageing and the ways in which it fails.

The gear obeys a level command (0-100 %) while it is fed. What the node on top of the gear reports as its level
is what the gear was told; ``power_w`` is what is really drawn, so a lamp that burns by day shows in its power.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from sim.lamp_failures import BROKEN_GEAR, BROKEN_LAMP, DARK, FULL, Failure
from sim.lamp_sheet import LampData, along

BLACKOUT_V = 115.0
"""Below half of the nominal voltage nothing works."""
OPEN_CIRCUIT_W = 0.4
"""What a gear draws whose light source is an open or a short circuit."""
RESTRIKE_BELOW = 0.35
"""A discharge lamp that went out hot strikes again only when it has cooled to this share."""
LONGEST_S = 10.0
CYCLE_S, CYCLE_LIT_S = 180.0, 140.0
"""A lamp that cycles goes out and strikes again, so often and for so long."""
LOW_FACTOR = 0.4
"""Power factor of a gear whose compensation or correction is dead."""
WARMING_S, WARMING_K = 1200.0, 28.0
"""How slowly a gear warms, and how far at full power, above the air outside."""
HOT_K, HOT_SHARE = 65.0, 0.7
"""A gear that overheats is so much warmer, and gives its lamp this share of the level only."""


@dataclass(slots=True)
class Lamp:
    """State of one lamp; ``step`` moves it on. Powers in W and var, energies in Wh, levels in %."""

    sheet: LampData
    spread: float = 1.0
    """This specimen's power against the data sheet (manufacturing)."""
    burning_h: float = 0.0
    energy_wh: float = 0.0
    command_pct: float = 100.0
    """A lamp that was never told anything burns at full when it is fed."""
    failure: Failure = Failure.NONE
    amount: float = 0.0
    """The level at which it sticks, or the factor on its power, by ``failure``."""
    volts: float = 0.0
    level_pct: float = 0.0
    """What the gear was told, after its fade."""
    warm: float = 0.0
    """How far a discharge lamp has run up, 0-1."""
    cooling: bool = False
    phase: int | None = None
    """The phase that it hangs on (1-3); None: that of its contactor."""
    cut_off: bool = False
    """The cable was cut before it."""
    starts: int = 0
    gear_c: float = 15.0
    power_w: float = field(default=0.0, init=False)
    power_factor: float = field(default=1.0, init=False)
    _burns: bool = field(default=False, init=False)
    _cycle_s: float = field(default=0.0, init=False)
    _seen_pct: float = field(default=-1.0, init=False)
    _sheet_w: float = field(default=0.0, init=False)
    _sheet_factor: float = field(default=1.0, init=False)

    @property
    def fed(self) -> bool:
        """Whether mains is there."""
        return self.volts >= BLACKOUT_V

    @property
    def answers(self) -> bool:
        """Whether its node does."""
        return self.fed and self.failure is not Failure.NODE_SILENT

    @property
    def out(self) -> bool:
        """Whether it is in the dark part of its cycles."""
        return self.failure is Failure.CYCLING and self._cycle_s % CYCLE_S >= CYCLE_LIT_S

    @property
    def drive_pct(self) -> float:
        """The level that the light source really gets."""
        if not self.fed or self.failure in DARK or self.out:
            return 0.0
        if self.failure in FULL:
            return 100.0
        if self.failure is Failure.STUCK_LEVEL:
            return self.amount if self.level_pct > 0.0 else 0.0
        derated = self.level_pct * HOT_SHARE if self.failure is Failure.HOT else self.level_pct
        return derated * along(self.sheet.clo, self.burning_h) / 100.0 if self.sheet.clo else derated

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
    def reactive_var(self) -> float:
        """What it draws beside its power."""
        return self.power_w * math.sqrt(1.0 / self.power_factor**2 - 1.0)

    @property
    def status_bits(self) -> int:
        """Bit 0 gear failure, 1 lamp failure, 2 lamp on, 3 node without answer (unfed, or silent)."""
        if not self.answers:
            return 0b1000
        return int(self.failure in BROKEN_GEAR) | int(self.failure in BROKEN_LAMP) << 1 | int(self.lit) << 2

    def tell(self, level_pct: float) -> None:
        """What arrives at its node: nothing does where the node is silent."""
        if self.failure is not Failure.NODE_SILENT:
            self.command_pct = level_pct

    def fail(self, failure: Failure, amount: float = 0.0) -> None:
        """Break it in this way, or repair it with NONE."""
        self.failure, self.amount, self._cycle_s = failure, amount, 0.0

    def step(self, dt_s: float, volts: float, outdoor_c: float = 15.0) -> float:
        """Advance by ``dt_s`` with ``volts`` at its terminals; returns the energy drawn, in Wh."""
        self.volts = volts
        if volts < BLACKOUT_V:
            self._rest(dt_s, outdoor_c)
            return 0.0
        drawn, left_s = 0.0, dt_s
        in_pieces = self.sheet.discharge or self.failure is Failure.CYCLING
        while left_s > 0.0:
            piece = min(left_s, LONGEST_S) if in_pieces else left_s
            drawn += self._piece(piece)
            left_s -= piece
        drive = self.drive_pct
        self.power_w = self._power_w(drive, self.warm)
        self.power_factor = self._factor(drive)
        goal_c = outdoor_c + WARMING_K * self.power_w / self.sheet.nominal_w
        if self.failure is Failure.HOT and self._burns:
            goal_c += HOT_K
        self.gear_c += (goal_c - self.gear_c) * dt_s / (dt_s + WARMING_S)
        return drawn

    def _rest(self, dt_s: float, outdoor_c: float) -> None:
        """Without mains it cools, and has forgotten its level."""
        self.level_pct, self.power_w, self._burns, self._cycle_s = 0.0, 0.0, False, 0.0
        if self.sheet.discharge and dt_s > 0.0:
            self._temper(dt_s, 0.0)
        self.gear_c += (outdoor_c - self.gear_c) * dt_s / (dt_s + WARMING_S)

    def _piece(self, dt_s: float) -> float:
        before, fading_s = self.drive_pct, self._fade(dt_s)
        self._cycle_s = self._cycle_s + dt_s if self.level_pct > 0.0 else 0.0
        after = self.drive_pct
        mean_warm = self._temper(dt_s, after)
        steady_w = self._power_w(after, mean_warm)
        faded_w = steady_w if before == after else (self._power_w(before, mean_warm) + steady_w) / 2.0
        drawn = (faded_w * fading_s + steady_w * (dt_s - fading_s)) / 3600.0
        self.energy_wh += drawn
        burns = after > 0.0 and not self.cooling
        if burns:
            self.burning_h += dt_s / 3600.0
            self.starts += not self._burns
        self._burns = burns
        return drawn

    def _fade(self, dt_s: float) -> float:
        """Move the level towards the command; returns for how many seconds of ``dt_s`` it moved."""
        goal = 0.0 if self.command_pct <= 0.0 else min(100.0, max(self.sheet.min_level, self.command_pct))
        way = goal - self.level_pct
        if way == 0.0:
            return 0.0
        needed_s = abs(way) / 100.0 * self.sheet.full_fade_s
        if needed_s <= dt_s:
            self.level_pct = goal
            return needed_s
        self.level_pct += math.copysign(dt_s / self.sheet.full_fade_s * 100.0, way)
        return dt_s

    def _temper(self, dt_s: float, drive_pct: float) -> float:
        """Warm up or cool down; returns the mean warmth over ``dt_s``. Light-emitting diodes need neither."""
        if not self.sheet.discharge:
            return 1.0
        if drive_pct <= 0.0:
            self.cooling = self.warm > RESTRIKE_BELOW
        elif self.warm <= RESTRIKE_BELOW:
            self.cooling = False
        goal = 1.0 if drive_pct > 0.0 and not self.cooling else 0.0
        slow_s = self.sheet.run_up_s if goal else self.sheet.cool_s
        decay = math.exp(-dt_s / slow_s)
        start = self.warm
        self.warm = goal + (start - goal) * decay
        return goal + (start - goal) * (1.0 - decay) * slow_s / dt_s

    def _look_up(self, drive_pct: float) -> None:
        """The data sheet at a level; it seldom changes from one step to the next."""
        if drive_pct != self._seen_pct:
            self._seen_pct = drive_pct
            self._sheet_w = self.sheet.power_w(drive_pct)
            self._sheet_factor = self.sheet.power_factor(drive_pct)

    def _power_w(self, drive_pct: float, warm: float) -> float:
        if self.failure in BROKEN_LAMP:
            return OPEN_CIRCUIT_W
        if drive_pct <= 0.0 or self.cooling:
            return self.sheet.standby_w
        self._look_up(drive_pct)
        full_w = self._sheet_w * self.spread
        if self.failure is Failure.POWER:
            full_w *= self.amount
        if self.sheet.discharge:
            supply = math.pow(self.volts / 230.0, 1.5)
            return full_w * (0.5 + 0.5 * warm) * supply * (1.0 + self.burning_h / 300_000.0)
        return full_w * (1.0 + 0.03 * self.burning_h / 100_000.0)

    def _factor(self, drive_pct: float) -> float:
        if drive_pct <= 0.0 or self.cooling:
            return self.sheet.power_factor(0.0)
        if self.failure is Failure.LOW_FACTOR:
            return LOW_FACTOR
        self._look_up(drive_pct)
        return self._sheet_factor
