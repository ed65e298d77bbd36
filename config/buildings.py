"""Heated buildings as the rest of the house sees them: zones, plants, and what the control functions are bounded by.

Temperatures are degrees C, differences K, spans timedeltas. Everything optional is None where the site says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from schedules.allures import Setpoints
from schedules.heating_curve import HeatingCurve
from schedules.occupancy import Occupancy
from schedules.optimum_start import HEAVY_MINUTES_PER_K

HEAT = "heat"
"""Of the energies that a meter counts, what comes out of a generator or an exchange station."""


class Emitter(StrEnum):
    """How heat comes into a zone: slow ones take no short setbacks (ISO 52120-1 leaves floors out)."""

    RADIATOR = "radiator"
    FLOOR = "floor"
    AIR = "air"


class Steering(StrEnum):
    """Who holds the plan of a zone: this daemon writes setpoints, or the controller's own Schedule object has it."""

    SUPERVISE = "supervise"
    DELEGATE = "delegate"


class Generator(StrEnum):
    """What heats the water or the air of a building."""

    BOILER = "boiler"
    HEAT_PUMP = "heat-pump"
    DISTRICT = "district"


class LawGuard(StrEnum):
    """What becomes of a setpoint above the legal one (articles R241-26 and R241-27 of the French energy code)."""

    OFF = "off"
    WARN = "warn"
    CLAMP = "clamp"


class SignalKind(StrEnum):
    """What a signal on MQTT speaks: EcoWatt levels 0-3, Tempo colours, or a plain level 0-3 of the town's own."""

    ECOWATT = "ecowatt"
    TEMPO = "tempo"
    LEVEL = "level"


@dataclass(frozen=True, slots=True)
class OptimumStart:
    """Bounds of the preheat; ``minutes_per_k`` is the heating-up time of the zone until one is learnt.

    ``stop`` is the longest coast before the closing (0: never); ``learn`` False keeps to the fallback for ever.
    """

    cap: timedelta = timedelta(hours=3)
    cap_after_vacancy: timedelta = timedelta(hours=36)
    minutes_per_k: float = HEAVY_MINUTES_PER_K
    learn: bool = True
    stop: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class WindowRule:
    """A window is open when the room falls faster than ``slope_k_h`` (negative); heating waits ``lasting`` at most."""

    slope_k_h: float = -3.0
    lasting: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Absence:
    """Nobody seen by ``presence.<number>.detected`` of ``device`` for ``after``: the comfort is ``reduce_k`` lower."""

    device: str
    number: int
    after: timedelta = timedelta(minutes=30)
    reduce_k: float = 1.5


@dataclass(frozen=True, slots=True)
class BoostPolicy:
    """Warmth on demand outside the hours: ``lasting`` unless asked for less or more, at most ``cap``."""

    lasting: timedelta = timedelta(hours=2)
    cap: timedelta = timedelta(hours=4)
    maximum_c: float = 19.0


class Drift(StrEnum):
    """What becomes of a controller's schedule that somebody else changed: it is told of either way."""

    PUSH = "push"
    TELL = "tell"


@dataclass(frozen=True, slots=True)
class Delegation:
    """Where the plan of a zone goes: the Schedule object ``schedule,1`` of its device, and what that has room for.

    ``modes``: its values are 1 comfort, 2 reduced, 3 frost, 4 off, else degrees C. ``lead`` is how much earlier than
    the opening comfort begins: the controller knows no optimum start.
    """

    schedule: str
    calendar: str | None = None
    modes: bool = False
    entries_per_day: int = 6
    exceptions: int = 1
    check: timedelta = timedelta(hours=6)
    lead: timedelta = timedelta()
    drift: Drift = Drift.PUSH


@dataclass(frozen=True, slots=True)
class Zone:
    """One heated zone, ``id`` is ``<building>.<zone>``: the points ``zone.<number>.*`` of ``device``."""

    id: str
    building: str
    device: str
    number: int
    occupancy: Occupancy
    setpoints: Setpoints
    optimum_start: OptimumStart | None = None
    name: str = ""
    emitter: Emitter = Emitter.RADIATOR
    area_m2: float | None = None
    steering: Steering = Steering.SUPERVISE
    window: WindowRule | None = WindowRule()
    absence: Absence | None = None
    boost: BoostPolicy | None = None
    frost_below_c: float = 6.0
    """Colder than this the zone is heated whatever anybody wants."""
    frost_slot: bool = False
    """Whether frost protection takes slot 5 of the device's priority array; else it goes with the automatic value."""
    sheddable: bool = True
    delegate: Delegation | None = None
    """Given where ``steering`` is DELEGATE, and only there."""


@dataclass(frozen=True, slots=True)
class HeatPump:
    """What a compressor asks for: least times, starts an hour, a shallow setback, no backup heater in mild weather."""

    min_on: timedelta = timedelta(minutes=15)
    min_off: timedelta = timedelta(minutes=15)
    starts_per_h: int = 3
    setback_k: float = 2.0
    backup_below_c: float = -5.0


@dataclass(frozen=True, slots=True)
class Exercise:
    """A pump that has not run for ``after`` runs ``lasting``, so that it does not seize in summer."""

    after: timedelta = timedelta(hours=168)
    lasting: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class HotWater:
    """Domestic hot water: the storage must reach ``storage_c`` once a day for ``lasting``, distribution ``least_c``.

    Arrete of 30 November 2005: storage above 400 L daily 60 min at 60, 4 at 65 or 2 at 70; 50 in the distribution.
    """

    storage_c: float = 60.0
    lasting: timedelta = timedelta(minutes=60)
    least_c: float = 50.0


@dataclass(frozen=True, slots=True)
class Plant:
    """The heat generator of a building and how it is led; a part that is None is left to the device."""

    generator: Generator = Generator.BOILER
    curve: HeatingCurve | None = None
    summer_above_c: float | None = None
    """No heating while the damped outdoor temperature is above it (1 K of hysteresis)."""
    frost_outdoor_c: float = 1.0
    """Colder than this outside the pump runs, whatever the zones want."""
    exercise: Exercise | None = None
    heat_pump: HeatPump | None = None
    hot_water: HotWater | None = None
    start_within: timedelta = timedelta(minutes=20)
    """So long after a planned start the plant must show that it runs, or it is an alarm."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal that the town's own software publishes for this site on ``<base>/<site>/signal/<id>``."""

    id: str
    kind: SignalKind


@dataclass(frozen=True, slots=True)
class Shedding:
    """By how much the setpoints fall at the levels 1-3 of a signal; zones come back ``stagger`` apart."""

    signal: str
    reduce_k: Mapping[int, float] = field(default_factory=lambda: {1: 0.5, 2: 1.0, 3: 2.0})
    stagger: timedelta = timedelta(minutes=10)
    longest: timedelta = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Building:
    """One heated building; ``device`` carries ``boiler.*`` and ``outdoor.temperature`` where it has them."""

    id: str
    device: str
    zones: tuple[str, ...]
    name: str = ""
    use: str = "other"
    """``school``, ``office``, ``hall`` (lecture hall), ``sports`` or ``other``: the factors of ISO 52120-1."""
    area_m2: float | None = None
    plant: Plant | None = None
    law: LawGuard = LawGuard.WARN
    shedding: Shedding | None = None
    price_eur_kwh: float = 0.12
    """What a kWh of its heat costs, for what a forgotten hand costs."""

    @property
    def hot_water(self) -> HotWater | None:
        """By what rule its domestic hot water is logged, where it is."""
        return None if self.plant is None else self.plant.hot_water
