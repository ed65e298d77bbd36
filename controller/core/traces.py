"""What diagnostics remembers between two answers of a device: since when something is fed, flickers, phases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Feed:
    """A contactor (``segment/<id>``) or a phase (``cabinet/<id>/l1``): whether mains is there, and since when so."""

    alive: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class Flicker:
    """A lamp that went out, or came back, at a constant command: how it is now, and when it changed."""

    lit: bool
    at: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """Lamps that a cable lost at one stroke: ``share`` of the expected power, of which ``before`` had been there."""

    place: str
    share: float
    before: float
    lamps: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """Lamps out of a phase by its power alone. ``unexplained`` are those that no node has reported."""

    out: int
    confidence: float
    unexplained: int = 0
    judged: bool = True
    """False: of an earlier hour; nothing can be said now."""


Reading = tuple[datetime, float, float]
"""When a phase's power was read, W and V."""


@dataclass(frozen=True, slots=True)
class PhaseTrace:
    """One metered phase: its last readings, and what its power is against what its lamps should draw.

    ``tonight`` are sum and number of the ratios of this night by situation, ``nights`` the means of the last nights.
    """

    readings: tuple[Reading, ...] = ()
    sampled: datetime | None = None
    night: date | None = None
    tonight: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    nights: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    cut: Cut | None = None
    estimate: Estimate | None = None
