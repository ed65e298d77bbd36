"""The site as the rest of the house sees it: one frozen tree, cross-referenced, nothing left to look up by string.

Built by config.load from the site files; nobody mutates it, a reload builds a new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

from config.buildings import (
    HEAT,
    Absence,
    BoostPolicy,
    Building,
    Delegation,
    Drift,
    Emitter,
    Exercise,
    Generator,
    HeatPump,
    HotWater,
    LawGuard,
    OptimumStart,
    Plant,
    Shedding,
    Signal,
    SignalKind,
    Steering,
    WindowRule,
    Zone,
)
from drivers.bacnet.settings import BacnetBus, BacnetDevice
from drivers.modbus.settings import ModbusBus, ModbusDevice
from drivers.profile import BacnetPoint, ModbusPoint, Profile
from schedules.calendars import Calendar
from schedules.heating_curve import HeatingCurve
from schedules.legal import Derogation, LegalHours
from schedules.occupancy import Occupancy
from schedules.plan import Plan
from schedules.sun import Place

__all__ = [
    "HEAT", "Absence", "BacnetBus", "BacnetDevice", "BacnetPoint", "BoostPolicy", "Building", "Delegation", "Drift",
    "Emitter", "Exercise", "Generator", "HeatPump", "HeatingCurve", "HotWater", "LawGuard", "ModbusBus",
    "ModbusDevice", "ModbusPoint", "OptimumStart", "Plant", "Shedding", "Signal", "SignalKind", "Steering",
    "WindowRule", "Zone",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mqtt:
    """Where the broker is. ``url`` is ``mqtt://host:port`` or ``mqtts://host:port``; secrets never in the file."""

    url: str
    base: str = "veilleuse"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    protocol: str = "3.1.1"
    keepalive_s: int = 15
    home_assistant: str | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations of the wire and of reporting, in seconds of the site's clock."""

    heartbeat_s: float = 900.0
    """A state is published at least this often, changed or not."""
    stale_after_s: float = 30.0
    """A reading older than this is stale (never less than three of its own poll periods)."""
    reassert_s: float = 900.0
    """An unchanged output is written again this often, so that a device's own comm-loss timer stays armed."""
    feedback_s: float = 10.0
    """How long a written output may take to show in the feedback."""
    settle_s: float = 120.0
    """No diagnosis of a lamp for this long after its level changed."""
    persist_s: float = 60.0
    """A condition must hold this long before it is an alarm, and be gone this long before it ends."""
    sample_s: float = 60.0
    """Period of the history samples."""
    speed: float = 1.0
    """How many seconds of the site's clock pass in a real one; wire durations above are already scaled."""

    def scaled(self, speed: float) -> Timing:
        """The same durations of real time on a clock that runs ``speed`` times faster."""
        if speed == 1.0:
            return self
        return replace(
            self,
            stale_after_s=self.stale_after_s * speed,
            feedback_s=self.feedback_s * speed,
            reassert_s=max(self.reassert_s, 15.0 * speed),
            heartbeat_s=max(self.heartbeat_s, 10.0 * speed),
            settle_s=max(self.settle_s, 3.0 * speed),
            persist_s=max(self.persist_s, 2.0 * speed),
            sample_s=max(self.sample_s, 1.0 * speed),
            speed=speed,
        )


@dataclass(frozen=True, slots=True)
class OverridePolicy:
    """An override always ends: after ``default`` when none is given, after ``cap`` at the latest."""

    default: timedelta = timedelta(hours=2)
    cap: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Bus:
    """One bus; ``settings`` is the driver's own model."""

    id: str
    driver: str
    settings: ModbusBus | BacnetBus


@dataclass(frozen=True, slots=True)
class Device:
    """One device on a bus; ``points`` are the names out of ``profile.points`` that this site uses, polled in turn."""

    id: str
    bus: str
    profile: Profile
    settings: ModbusDevice | BacnetDevice
    points: tuple[str, ...]


Curve = tuple[tuple[float, float], ...]
"""Points (x, y) with rising x; linear in between, level outside."""


def on_curve(curve: Curve, x: float) -> float:
    """The value of a curve that has at least one point."""
    before = curve[0]
    for after in curve:
        if x <= after[0]:
            span = after[0] - before[0]
            share = (x - before[0]) / span if span else 1.0
            return before[1] + share * (after[1] - before[1])
        before = after
    return curve[-1][1]


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Cleaning: a clean luminaire needs only ``factor`` (%) of its output, rising to all of it after ``every``."""

    factor: float
    every: timedelta


@dataclass(frozen=True, slots=True)
class LampType:
    """Electrical data of a lamp, after TALQ's LampType: ``power_w`` at 100 %.

    ``profile`` is the measured (level %, W) table; without it ``power_gradient`` says by how much the power falls
    slower than the level. ``clo`` is the (burning h, %) curve of the constant light output, kept by the controller or
    by the gear itself; ``virtual_output`` (%) what the luminaire is cut down to for good. ``power_factor`` is the
    least good (level %, power factor). ``warm_up_s`` and ``cool_down_s`` are a discharge lamp's.
    """

    id: str
    power_w: float
    standby_w: float = 0.5
    min_level: float = 1.0
    profile: Curve = ()
    tolerance: float = 0.15
    tolerance_w: float = 0.0
    power_gradient: float = 1.0
    virtual_output: float = 100.0
    clo: Curve = ()
    clo_by_gear: bool = False
    upkeep: Upkeep | None = None
    power_factor: Curve = ()
    warm_up_s: float = 0.0
    cool_down_s: float = 0.0

    def expected_power_w(self, level: float) -> float:
        """Power while the gear gives ``level`` (%), from the profile or by the gradient."""
        if level <= 0.0:
            return self.standby_w
        if self.profile:
            return on_curve(self.profile, level)
        share = 1.0 - (1.0 - level / 100.0) / self.power_gradient
        return self.standby_w + (self.power_w - self.standby_w) * max(0.0, share)


@dataclass(frozen=True, slots=True)
class Lamp:
    """One lamp: the points ``lamp.<address>.*`` of ``device``, fed by ``segment`` (None: always fed).

    Without an ``address`` it has no node: it burns at full while its segment feeds it, and nobody measures it alone.
    ``burnt_h`` are the hours that it had burnt when it was entered; ``cleaned`` the day of the last cleaning.
    """

    id: str
    device: str
    address: int | None
    type: LampType
    street: str = ""
    cabinet: str | None = None
    segment: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    phase: int | None = None
    burnt_h: float = 0.0
    cleaned: date | None = None

    @property
    def has_node(self) -> bool:
        """Whether it can be told a level and asked for its power."""
        return self.address is not None


@dataclass(frozen=True, slots=True)
class Segment:
    """One contactor of a cabinet: the points ``segment.<output>.*`` of the cabinet's device.

    Once closed it stays so for ``min_on_s``, once open for ``min_off_s``, whoever asks.
    """

    id: str
    cabinet: str
    device: str
    output: int
    phase: int | None = None
    min_on_s: float = 0.0
    min_off_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which contactors of a cabinet are closed for a level (%): half-night circuits instead of dimming."""

    level: float
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cabinet:
    """One lighting cabinet with its device (door, mains) and its segments.

    Its contactors close at least ``stagger_s`` apart. ``patterns`` rise by level; a level takes the first one that
    gives at least as much.
    """

    id: str
    device: str
    name: str = ""
    segments: tuple[str, ...] = ()
    stagger_s: float = 0.0
    patterns: tuple[Pattern, ...] = ()

    def pattern_for(self, level: float) -> Pattern | None:
        """The pattern of a level above 0 (%); None without patterns."""
        strongest = self.patterns[-1] if self.patterns else None
        return next((each for each in self.patterns if each.level >= level), strongest)


@dataclass(frozen=True, slots=True)
class Photocell:
    """One light sensor: ``photocell.<number>.illuminance`` or ``.dark`` of ``device``.

    Dark below ``on_below_lx``, bright above ``off_above_lx``, each after ``hold_s``.
    """

    id: str
    device: str
    number: int
    on_below_lx: float = 35.0
    off_above_lx: float = 50.0
    hold_s: float = 120.0


@dataclass(frozen=True, slots=True)
class PresenceSensor:
    """One detector, ``presence.<number>.detected`` of ``device``: its lamps at ``level`` (%) at least, for ``hold_s``
    after the last presence, those next to them at ``neighbour_level``.
    """

    id: str
    device: str
    number: int
    lamps: tuple[str, ...]
    level: float = 100.0
    hold_s: float = 120.0
    neighbours: tuple[str, ...] = ()
    neighbour_level: float = 0.0


@dataclass(frozen=True, slots=True)
class RelightPolicy:
    """Light on demand inside the cut: ``lasting`` unless asked for less or more, at most ``cap``."""

    level: float = 100.0
    lasting: timedelta = timedelta(minutes=10)
    cap: timedelta = timedelta(minutes=15)
    per_hour: int = 4
    per_night: int = 20


@dataclass(frozen=True, slots=True)
class Meter:
    """One meter: the points ``meter.*`` of ``device``; ``energy`` is what it counts."""

    id: str
    device: str
    cabinet: str | None = None
    building: str | None = None
    energy: str = "electricity"


@dataclass(frozen=True, slots=True)
class Group:
    """Lamps and segments that follow one plan; membership is live (computed from the inventory at each load).

    ``groups`` are nested in it; one without a plan of its own has that of ``parent``.
    """

    id: str
    plan: Plan
    lamps: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    parent: str | None = None
    groups: tuple[str, ...] = ()
    relight: RelightPolicy | None = None
    legal: LegalHours | None = None
    """The hours in which the law permits its light; None: nobody said."""


@dataclass(frozen=True, slots=True)
class Site:
    """A whole site. Mappings are keyed by id, in the order of the files."""

    id: str
    name: str
    place: Place
    country: str
    directory: Path
    config_hash: str
    mqtt: Mqtt
    timing: Timing
    overrides: OverridePolicy
    buses: Mapping[str, Bus]
    devices: Mapping[str, Device]
    calendars: Mapping[str, Calendar]
    plans: Mapping[str, Plan]
    groups: Mapping[str, Group]
    lamps: Mapping[str, Lamp]
    segments: Mapping[str, Segment]
    cabinets: Mapping[str, Cabinet]
    meters: Mapping[str, Meter]
    buildings: Mapping[str, Building]
    zones: Mapping[str, Zone]
    photocells: Mapping[str, Photocell] = field(default_factory=dict)
    presence_sensors: Mapping[str, PresenceSensor] = field(default_factory=dict)
    derogations: Mapping[str, Derogation] = field(default_factory=dict)
    signals: Mapping[str, Signal] = field(default_factory=dict)
    occupancies: Mapping[str, Occupancy] = field(default_factory=dict)
