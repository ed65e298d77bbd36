"""What is learnt of a heated room, and what its running preheat has shown so far. Data, and its document on disk.

A restart loses a ``Climb`` (the morning counts as not clean) and keeps the ``Knowledge``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from controller.core.arbitration import Slot
from schedules.optimum_start import Climate
from schedules.regression import Evidence, Row

REMEMBERED = 20
"""So many errors of the past tell how far a prediction may be trusted."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """One model: the evidence, how many mornings are in it, and how wrong its predictions were of late.

    ``errors_min``: minutes that it was ready later than planned; ``errors_k``: K above the setpoint at the opening.
    """

    evidence: Evidence = field(default_factory=Evidence)
    mornings: int = 0
    bias_min: float = 0.0
    """What the regression systematically misses from a cold start: the dead time of the plant and of the emitters."""
    held_bias_min: float = 0.0
    """The same for the last kelvins of a room that was held below comfort until they were due."""
    errors_min: tuple[float, ...] = ()
    errors_k: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What survives a restart. ``running`` is the opening that a preheat in progress is for."""

    normal: Learnt = Learnt()
    vacancy: Learnt = Learnt()
    """After 48 h without anybody: cold walls, and all zones on the same boiler at once."""
    rest: Learnt = Learnt()
    """The room left alone: ``mornings`` counts nights."""
    wall_c: float | None = None
    wall_at: datetime | None = None
    running: datetime | None = None
    begun: datetime | None = None

    def of(self, long: bool) -> Learnt:
        """The model of preheats after a long vacancy, or of the others."""
        return self.vacancy if long else self.normal


@dataclass(frozen=True, slots=True)
class Mark:
    """Where the room stood at the last observation, degrees C."""

    at: datetime
    room_c: float
    wall_c: float
    outdoor_c: float


@dataclass(frozen=True, slots=True)
class Climb:
    """A preheat in progress: from ``begun`` to ``opening``, aimed at ``target_c``, which counts as warm."""

    begun: datetime
    opening: datetime
    from_c: float | None
    target_c: float
    long: bool
    predicted: timedelta
    """From ``begun`` to the target, the hold included."""
    planned_ready: datetime
    stood: Climate | None = None
    """Where the room stood at its begin; after a hold, when the last kelvins were begun."""
    soak_c: float | None = None
    """While set: what a room that comes there too early is held at until the last kelvins are due."""
    holding: bool = False
    last_begun: datetime | None = None
    """When the last kelvins were begun after a hold."""
    mark: Mark | None = None
    rows: tuple[Row, ...] = ()
    reached: datetime | None = None
    plant_seen: bool = False
    flaw: str = ""
    """Why nothing is learnt from it; empty while it is clean."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the latest preheat ended: minutes from begin to ready, ready later than planned, K at the opening."""

    predicted_min: float
    actual_min: float | None
    error_min: float | None
    error_k: float | None
    flaw: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected of the next opening; ``confidence`` is the probability (0-1) that it is warm by then."""

    at: datetime
    opening: datetime
    target_c: float
    expected_c: float | None
    starts_at: datetime | None
    ready_at: datetime | None
    confidence: float
    obstacle: str = ""
    """What is known to stand in the way, in words."""


@dataclass(frozen=True, slots=True)
class Warmup:
    """One zone's part of ``Room``. ``wall`` is None until a temperature was heard."""

    known: Knowledge = Knowledge()
    wall: Mark | None = None
    """The latest of once a minute: the damped temperature of the room stands for that of its walls."""
    climb: Climb | None = None
    rest: Mark | None = None
    rest_rows: tuple[Row, ...] = ()
    coast: Slot | None = None
    coasted: datetime | None = None
    """The closing for which a coast was given up: not again."""
    outcome: Outcome | None = None
    forecast: Forecast | None = None
    patience: datetime | None = None
    """Until then no preheat begins blind: the core has begun a moment ago."""


def written(known: Knowledge) -> str:
    """The document that is kept."""
    plain = asdict(known)
    for name in ("wall_at", "running", "begun"):
        plain[name] = None if plain[name] is None else plain[name].isoformat()
    return json.dumps(plain, separators=(",", ":"), default=list)


def read(document: str | None) -> Knowledge:
    """The knowledge of a kept document; none at all where it is missing or cannot be read."""
    if document is None:
        return Knowledge()
    try:
        plain = json.loads(document)
        return Knowledge(
            normal=_learnt(plain["normal"]),
            vacancy=_learnt(plain["vacancy"]),
            rest=_learnt(plain["rest"]),
            wall_c=None if plain["wall_c"] is None else float(plain["wall_c"]),
            wall_at=_instant(plain["wall_at"]),
            running=_instant(plain["running"]),
            begun=_instant(plain["begun"]),
        )
    except (ValueError, KeyError, TypeError):
        return Knowledge()


def _learnt(plain: Mapping[str, object]) -> Learnt:
    evidence = plain["evidence"]
    if not isinstance(evidence, Mapping):
        raise TypeError("evidence is an object")
    gram, moment = _numbers(evidence["gram"]), _numbers(evidence["moment"])
    if len(gram) != len(moment) ** 2:
        raise ValueError("a gram matrix is square")
    return Learnt(
        Evidence(gram, moment, float(evidence["weight"])),
        int(str(plain["mornings"])),
        float(str(plain["bias_min"])),
        float(str(plain["held_bias_min"])),
        _numbers(plain["errors_min"]),
        _numbers(plain["errors_k"]),
    )


def _numbers(plain: object) -> tuple[float, ...]:
    if not isinstance(plain, list):
        raise TypeError("numbers are a list")
    return tuple(float(value) for value in plain)


def _instant(plain: object) -> datetime | None:
    return None if plain is None else datetime.fromisoformat(str(plain))
