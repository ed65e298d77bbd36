"""What may be wrong: events with TALQ names, how grave each is and how long it must hold before it is an alarm.

Filters after the published practice (Echelon CPD 3000: 120 s after any change, then 60 s), times of the other events
as derived for street lighting. Durations are seconds of the site's clock, and never shorter than some real seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from config.site import Timing


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is or is not so now; an alarm once it has held for ``persist_s``."""

    event: str
    holds: bool
    severity: str = "major"
    persist_s: float = 60.0
    value: float | None = None
    threshold: float | None = None
    detail: str = ""
    since: datetime | None = None
    """When it began, where that is known better than by when it was first judged."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How grave an event is, and how long it must hold, and be gone, on the site's clock."""

    severity: str
    persist_s: Callable[[Timing], float]


def _persist(timing: Timing) -> float:
    return timing.persist_s


def _five_persist(timing: Timing) -> float:
    """A day burner counts after five minutes (Echelon: RelayFailed; the published practice of day burners)."""
    return 5.0 * timing.persist_s


def _ten_minutes(timing: Timing) -> float:
    """EN 50160 judges the voltage by its means over ten minutes; an estimate deserves no less patience."""
    return max(600.0, 10.0 * timing.speed)


def _contactor(timing: Timing) -> float:
    """A contactor has followed within ten seconds, or does not."""
    return max(10.0, 3.0 * timing.speed)


def _dip(timing: Timing) -> float:
    """Longer than a dip or an automatic reclosing, shorter than anything that it explains."""
    return max(5.0, 2.0 * timing.speed)


def _silence(timing: Timing) -> float:
    return max(20.0, 5.0 * timing.speed)


def _at_once(timing: Timing) -> float:
    return 0.0


def _half_an_hour(timing: Timing) -> float:
    return max(1800.0, 10.0 * timing.speed)


def _hour(timing: Timing) -> float:
    """A room follows its radiators within the hour, or people complain."""
    return max(3600.0, 10.0 * timing.speed)


def _two_hours(timing: Timing) -> float:
    return max(7200.0, 10.0 * timing.speed)


KINDS: Mapping[str, Kind] = {
    "lampFailure": Kind("major", _persist),
    "controlGearFailure": Kind("major", _persist),
    "controlGearCommFailure": Kind("minor", _persist),
    "lampUnexpectedOn": Kind("minor", _five_persist),
    "dimmingFailure": Kind("minor", _persist),
    "cyclingFailure": Kind("major", _at_once),
    "powerFactorTooLow": Kind("minor", _persist),
    "lampPowerTooLow": Kind("minor", _persist),
    "lampPowerTooHigh": Kind("minor", _persist),
    "supplyLoss": Kind("critical", _dip),
    "supplyVoltageTooLow": Kind("minor", _ten_minutes),
    "supplyVoltageTooHigh": Kind("major", _ten_minutes),
    "switchingErrorOn": Kind("major", _contactor),
    "switchingErrorOff": Kind("critical", _contactor),
    "localOverride": Kind("minor", _contactor),
    "circuitBreakerTripped": Kind("critical", _at_once),
    "cableFailure": Kind("critical", _at_once),
    "cabinetDoorOpen": Kind("minor", _at_once),
    "leakageDetected": Kind("critical", _at_once),
    "communicationFailure": Kind("major", _silence),
    "estimatedLampsOut": Kind("minor", _ten_minutes),
    "scheduleDrift": Kind("minor", _at_once),
    "scheduleRefused": Kind("major", _at_once),
    "legionellaRisk": Kind("major", _at_once),
    "notReady": Kind("major", _at_once),
    "plantDidNotStart": Kind("critical", _at_once),
    "sensorFault": Kind("major", _persist),
    "heatingFailure": Kind("major", _persist),
    "stuckValve": Kind("minor", _half_an_hour),
    "roomTooCold": Kind("major", _hour),
    "roomTooWarm": Kind("minor", _two_hours),
    "plantFault": Kind("critical", _persist),
    "commandFailure": Kind("major", _five_persist),
    "handOverride": Kind("minor", _persist),
}


def condition(
    timing: Timing,
    event: str,
    value: float | None = None,
    threshold: float | None = None,
    detail: str = "",
    severity: str | None = None,
) -> Condition:
    """One of the events above that holds now."""
    kind = KINDS[event]
    return Condition(event, True, severity or kind.severity, kind.persist_s(timing), value, threshold, detail)
