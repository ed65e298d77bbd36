"""Root causes: which alarm explains which, so that one thing that is broken is one alarm that shouts.

What began well before an alarm is not explained by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from config.site import Lamp
from controller.core.diagnostics.feeding import phase_alive
from controller.core.loads import cabinet_of, phase_of
from controller.core.maintenance import under_maintenance
from controller.core.state import AlarmKey, Draft
from controller.core.wiring import Wiring

_DARK = frozenset({"lampFailure", "controlGearCommFailure", "dimmingFailure", "lampPowerTooLow", "powerFactorTooLow"})
_COLD = frozenset({"heatingFailure", "roomTooCold", "notReady", "plantDidNotStart"})
_EXPLAINS: Mapping[str, frozenset[str]] = {
    "supplyLoss": _DARK | {"switchingErrorOff", "communicationFailure", "estimatedLampsOut", "cableFailure"},
    "cableFailure": _DARK | {"cableFailure", "estimatedLampsOut", "supplyLoss", "supplyVoltageTooLow"},
    "circuitBreakerTripped": _DARK | {"cableFailure", "estimatedLampsOut", "supplyLoss"},
    "switchingErrorOff": _DARK | {"estimatedLampsOut", "supplyLoss"},
    "switchingErrorOn": frozenset({"lampUnexpectedOn"}),
    "localOverride": _DARK | {"lampUnexpectedOn"},
    "communicationFailure": frozenset({"communicationFailure"}),
    "supplyVoltageTooLow": frozenset({"supplyVoltageTooLow", "lampPowerTooLow"}),
    "supplyVoltageTooHigh": frozenset({"supplyVoltageTooHigh", "lampPowerTooHigh"}),
    "controlGearFailure": _DARK | {"lampPowerTooHigh", "lampUnexpectedOn", "cyclingFailure"},
    "cyclingFailure": _DARK,
    "plantFault": _COLD,
    "heatingFailure": frozenset({"roomTooCold", "notReady"}),
    "sensorFault": _COLD | {"roomTooWarm", "stuckValve"},
    "stuckValve": frozenset({"roomTooWarm"}),
    "wrongUnit": frozenset({"sensorFault", "commandFailure"}),
    "duplicateInstance": frozenset({"sensorFault"}),
    "handOverride": _COLD | {"roomTooWarm", "stuckValve"},
}
_ON_A_PHASE = frozenset({"supplyLoss", "cableFailure"})
"""Of a cabinet: they need not concern all of its phases."""
_NOTICED = ("wrongUnit", "duplicateInstance")
"""Causes that a driver notices."""
_SLACK_S = 60.0

WORKS = "maintenance/"
"""Before the work order that explains an alarm."""


def root_of(wiring: Wiring, draft: Draft, name: AlarmKey, since: datetime) -> str | None:
    """What explains an alarm that began at ``since``: works at it, or ``kind/id/event``; the widest cause first."""
    key, event = name
    order = None
    if key.startswith(("lamp/", "segment/")) and next(iter(draft.overrides), None) is not None:
        order = under_maintenance(wiring, draft, key)
    if order is not None:
        return f"{WORKS}{order}"
    slack = timedelta(seconds=max(_SLACK_S, wiring.site.timing.persist_s))
    for cause_key in _causes(wiring, key):
        for cause in (*(draft.alarmed.get(cause_key) or ()), *_NOTICED):
            if event not in _EXPLAINS.get(cause, ()) or _the_other_way_round(cause_key, cause, name):
                continue
            alarm = draft.alarms.get((cause_key, cause))
            if alarm is None or alarm.raised is None or alarm.since > since + slack:
                continue
            if alarm.suppressed_by == f"{key}/{event}":
                continue
            if _concerns(wiring, draft, (cause_key, cause), name):
                return alarm.suppressed_by or f"{cause_key}/{cause}"
    return None


def _the_other_way_round(cause_key: str, cause: str, name: AlarmKey) -> bool:
    """Whether the alarm would explain its own cause: in one place a cable explains a loss, a lost phase the cables."""
    key, event = name
    if (cause_key, cause) == name:
        return True
    if cause == "supplyLoss" and event == "cableFailure":
        return cause_key == key
    return cause == "cableFailure" and event == "supplyLoss" and key.startswith("cabinet/")


def _causes(wiring: Wiring, key: str) -> Iterator[str]:
    """Everything that an alarm at ``key`` may come from, the widest first."""
    kind, _, identity = key.partition("/")
    if kind == "lamp":
        lamp = wiring.site.lamps[identity]
        yield from (f"cabinet/{cabinet}" for cabinet in (cabinet_of(wiring.site, lamp),) if cabinet is not None)
        if lamp.segment is not None:
            yield f"segment/{lamp.segment}"
    elif kind == "segment":
        yield f"cabinet/{wiring.site.segments[identity].cabinet}"
    elif kind == "meter":
        meter = wiring.site.meters[identity]
        yield from _at_device(wiring, meter.device)
        if meter.cabinet is not None:
            yield f"cabinet/{meter.cabinet}"
    elif kind == "device":
        yield from _feeding(wiring, identity)
    elif kind == "zone":
        yield f"building/{wiring.site.zones[identity].building}"
        yield f"device/{wiring.site.zones[identity].device}"
    elif kind == "cabinet":
        yield from (f"segment/{segment}" for segment in wiring.site.cabinets[identity].segments)
    yield key


def _at_device(wiring: Wiring, device: str) -> Iterator[str]:
    return (key for key in wiring.judged_of.get(device, ()) if key.startswith(("cabinet/", "building/")))


def _feeding(wiring: Wiring, device: str) -> Iterator[str]:
    """The cabinets whose mains the lamps of a gateway, and the gateway with them, hang on."""
    lamps = (wiring.site.lamps[lamp] for lamp in wiring.lamps_of_device.get(device, ()))
    found = dict.fromkeys(cabinet_of(wiring.site, lamp) for lamp in lamps)
    return (f"cabinet/{cabinet}" for cabinet in found if cabinet is not None)


def _concerns(wiring: Wiring, draft: Draft, cause: AlarmKey, name: AlarmKey) -> bool:
    """Whether a cause reaches so far: that of one contactor not its whole cabinet, that of one phase no other."""
    kind, _, identity = name[0].partition("/")
    if kind == "cabinet":
        return cause[0] == name[0] or cause[1] == "cableFailure"
    if kind != "lamp" or cause[1] not in _ON_A_PHASE or not cause[0].startswith("cabinet/"):
        return True
    phase = phase_of(wiring.site, wiring.site.lamps[identity])
    if phase is None:
        return True
    if cause[1] == "cableFailure":
        trace = draft.phases.get(f"{cause[0]}/l{phase}")
        return trace is None or trace.cut is not None
    return not phase_alive(wiring, draft, wiring.site.lamps[identity])


def lamps_reported_out(draft: Draft, lamps: tuple[Lamp, ...]) -> int:
    """How many of these are known to be dark, by alarms of their own nodes."""
    return sum(1 for lamp in lamps if not _DARK.isdisjoint(draft.alarmed.get(f"lamp/{lamp.id}") or ()))
