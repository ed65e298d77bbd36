"""A lighting cabinet: contactors with auxiliary contacts and breakers, three phases, the lamps, the mains meter."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from sim.contactor import Contactor
from sim.lamp import Lamp
from sim.mains import PhaseMeter, mains_hz, phase_volts
from sim.noise import wobble
from sim.sensors import Photocell, Presence
from sim.weather import Sky

OUTPUTS = 8
PRESENCES = 8
OWN_LOAD_W, OWN_LOAD_VAR = 9.0, 5.0
"""Controller, relays and gateway, on phase 1."""
LINE_OHM = 0.4
"""Copper of one phase out to the middle of the street and back."""
DEAD_V = 50.0
"""Below it nothing of the cabinet itself works, coils among it."""

Phases = list[float]


@dataclass(slots=True)
class Load:
    """What is drawn in one step, by phase: energy, and power and reactive power at its end."""

    wh: Phases
    w: Phases
    var: Phases


@dataclass(slots=True)
class Cabinet:
    """One cabinet. ``lamps`` are (lamp, output that feeds it or None for always fed) by gateway address."""

    name: str
    seed: int
    contactors: dict[int, Contactor]
    lamps: dict[int, tuple[Lamp, Contactor | None]] = field(default_factory=dict)
    guests: list[tuple[Lamp, Contactor | None]] = field(default_factory=list)
    """Lamps that this cabinet feeds but that answer at another gateway, or have no node."""
    meter: PhaseMeter = field(default_factory=PhaseMeter)
    photocell: Photocell = field(default_factory=Photocell)
    presences: dict[int, Presence] = field(default_factory=dict)
    door_open: bool = False
    leakage: bool = False
    hand: bool | None = None
    """Where its selector stands: everything on, everything off, or None for automatic."""
    supply_lost: bool = False
    imposed_v: dict[int, float] = field(default_factory=dict)
    """Voltages of phases 1-3 that are not what the grid gives."""
    tapped_w: dict[int, float] = field(default_factory=dict)
    """What strangers draw from phases 1-3."""
    volts: Phases = field(default_factory=lambda: [0.0, 0.0, 0.0])
    drop_v: Phases = field(default_factory=lambda: [0.0, 0.0, 0.0])
    """What is lost of the voltage on the way to the lamps."""
    power_w: float = 0.0
    energy_wh: float = 0.0
    """What was really drawn; the meter is of class 1."""
    losses_wh: float = 0.0
    own_wh: float = 0.0
    at_s: float = 0.0

    def step(self, dt_s: float, at_s: float, sky: Sky = Sky()) -> None:
        """Advance by ``dt_s``, ending at ``at_s`` (seconds of the site's clock since its epoch)."""
        self.at_s, self.photocell.daylight_lx = at_s, sky.lux
        self.volts = volts = [self._phase_v(phase, at_s) for phase in (1, 2, 3)]
        live = not self.supply_lost
        for contactor in self.contactors.values():
            contactor.step(dt_s, live=live, hand=self.hand)
        load = self._load(dt_s, sky.outdoor_c)
        self._lose(dt_s, load)
        self.power_w = sum(load.w)
        self.energy_wh += sum(load.wh)
        hz = mains_hz(self.seed, at_s) if any(voltage >= DEAD_V for voltage in volts) else 0.0
        self.meter.record(load.wh, load.w, volts, hz, load.var, wobble(self.seed, f"{self.name}/ripple", at_s, 7.0))

    def detects(self, number: int) -> bool:
        """Whether a presence sensor sees somebody now."""
        return self.presences[number].detects(self.at_s)

    def hung(self) -> Iterator[tuple[Lamp, Contactor | None, int]]:
        """All lamps that it feeds, with what switches them and their phase (1-3)."""
        for address, (lamp, contactor) in self.lamps.items():
            yield lamp, contactor, lamp.phase or (contactor.phase if contactor else address % 3 + 1)
        for place, (lamp, contactor) in enumerate(self.guests):
            yield lamp, contactor, lamp.phase or (contactor.phase if contactor else place % 3 + 1)

    def _phase_v(self, phase: int, at_s: float) -> float:
        if self.supply_lost:
            return 0.0
        if phase in self.imposed_v:
            return self.imposed_v[phase]
        return phase_volts(self.seed, self.name, phase, at_s)

    def _load(self, dt_s: float, outdoor_c: float) -> Load:
        load = self._own_load(dt_s)
        at_lamps = [max(0.0, voltage - drop) for voltage, drop in zip(self.volts, self.drop_v, strict=True)]
        for lamp, contactor, phase in self.hung():
            fed = (contactor is None or contactor.feeds) and not lamp.cut_off
            load.wh[phase - 1] += lamp.step(dt_s, at_lamps[phase - 1] if fed else 0.0, outdoor_c)
            if fed:
                load.w[phase - 1] += lamp.power_w
                load.var[phase - 1] += lamp.reactive_var
        return load

    def _own_load(self, dt_s: float) -> Load:
        """The cabinet itself, on its battery while phase 1 is dead, and what strangers take."""
        lives = self.volts[0] >= DEAD_V
        own_w = OWN_LOAD_W if lives else 0.0
        self.own_wh += own_w * dt_s / 3600.0
        power_w = [own_w, 0.0, 0.0]
        for phase, watts in self.tapped_w.items():
            power_w[phase - 1] += watts if self.volts[phase - 1] >= DEAD_V else 0.0
        drawn_wh = [watts * dt_s / 3600.0 for watts in power_w]
        return Load(drawn_wh, power_w, [OWN_LOAD_VAR if lives else 0.0, 0.0, 0.0])

    def _lose(self, dt_s: float, load: Load) -> None:
        """Add the losses of the copper to what was drawn."""
        hours = dt_s / 3600.0
        for phase, voltage in enumerate(self.volts):
            if voltage < DEAD_V:
                self.drop_v[phase] = 0.0
                continue
            mean_w = load.wh[phase] / hours if hours else load.w[phase]
            lost_wh = LINE_OHM * (math.hypot(mean_w, load.var[phase]) / voltage) ** 2 * hours
            amps = math.hypot(load.w[phase], load.var[phase]) / voltage
            load.wh[phase] += lost_wh
            load.w[phase] += LINE_OHM * amps**2
            self.drop_v[phase] = LINE_OHM * amps
            self.losses_wh += lost_wh
