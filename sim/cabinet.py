"""A lighting cabinet: contactors with auxiliary contacts and breakers, three phases, the lamps, the mains meter."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from sim.lamp import Lamp
from sim.mains import PhaseMeter, mains_hz, phase_volts

OUTPUTS = 8
OWN_LOAD_W = 9.0
"""Controller, relays and gateway, on phase 1."""
LINE_OHM = 0.4
"""Copper of one phase out to the middle of the street and back."""


class Stuck(StrEnum):
    """A contactor that does not follow its coil."""

    NO = "no"
    CLOSED = "closed"
    OPEN = "open"


@dataclass(slots=True)
class Contactor:
    """One output. ``closed`` is the auxiliary contact; the segment is fed when it is closed and not tripped."""

    phase: int
    pull_in_s: float = 0.2
    commanded: bool = False
    closed: bool = False
    tripped: bool = False
    stuck: Stuck = Stuck.NO
    waited_s: float = 0.0

    @property
    def feeds(self) -> bool:
        """Whether the segment has mains."""
        return self.closed and not self.tripped

    @property
    def _goal(self) -> bool:
        return self.commanded if self.stuck is Stuck.NO else self.stuck is Stuck.CLOSED

    def step(self, dt_s: float) -> None:
        """The armature follows its coil after ``pull_in_s``."""
        if self.closed == self._goal:
            self.waited_s = 0.0
            return
        self.waited_s += dt_s
        if self.waited_s >= self.pull_in_s:
            self.closed, self.waited_s = self._goal, 0.0


@dataclass(slots=True)
class Cabinet:
    """One cabinet. ``lamps`` are (lamp, output that feeds it or None for always fed) by gateway address."""

    name: str
    seed: int
    contactors: dict[int, Contactor]
    lamps: dict[int, tuple[Lamp, Contactor | None]] = field(default_factory=dict)
    guests: list[tuple[Lamp, Contactor | None]] = field(default_factory=list)
    """Lamps that this cabinet feeds but that answer at another gateway."""
    meter: PhaseMeter = field(default_factory=PhaseMeter)
    door_open: bool = False
    losses_wh: float = 0.0
    own_wh: float = 0.0

    def step(self, dt_s: float, at_s: float) -> None:
        """Advance by ``dt_s``, ending at ``at_s`` (seconds of the site's clock since its epoch)."""
        volts = [phase_volts(self.seed, self.name, phase, at_s) for phase in (1, 2, 3)]
        for contactor in self.contactors.values():
            contactor.step(dt_s)
        drawn_wh, power_w = self._load(dt_s, volts)
        self._lose(dt_s, volts, drawn_wh, power_w)
        self.meter.record(drawn_wh, power_w, volts, mains_hz(self.seed, at_s))

    def _load(self, dt_s: float, volts: list[float]) -> tuple[list[float], list[float]]:
        own = OWN_LOAD_W * dt_s / 3600.0
        self.own_wh += own
        drawn_wh, power_w = [own, 0.0, 0.0], [OWN_LOAD_W, 0.0, 0.0]
        for address, (lamp, contactor) in (*self.lamps.items(), *enumerate(self.guests)):
            phase = contactor.phase - 1 if contactor else address % 3
            fed = contactor is None or contactor.feeds
            drawn_wh[phase] += lamp.step(dt_s, volts[phase] if fed else 0.0)
            power_w[phase] += lamp.power_w
        return drawn_wh, power_w

    def _lose(self, dt_s: float, volts: list[float], drawn_wh: list[float], power_w: list[float]) -> None:
        """Add the losses of the copper to what was drawn."""
        hours = dt_s / 3600.0
        for phase in range(3):
            mean_w = drawn_wh[phase] / hours if hours else power_w[phase]
            lost_wh = LINE_OHM * (mean_w / volts[phase]) ** 2 * hours
            drawn_wh[phase] += lost_wh
            power_w[phase] += LINE_OHM * (power_w[phase] / volts[phase]) ** 2
            self.losses_wh += lost_wh
