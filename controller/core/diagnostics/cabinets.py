"""Cabinets, meters, buildings and gateways: whether they answer, what their inputs say, and their mains."""

from __future__ import annotations

from collections.abc import Iterator

from controller.core.diagnostics import phases
from controller.core.diagnostics.alarms import settle
from controller.core.diagnostics.conditions import Condition, condition
from controller.core.diagnostics.feeding import fresh, note
from controller.core.diagnostics.lamps import HIGH_V, LOST_V, LOW_V
from controller.core.image import DeviceImage
from controller.core.loads import PHASES
from controller.core.state import Draft
from controller.core.wiring import Wiring

_ANSWERS = frozenset({"communicationFailure"})
_INPUTS = frozenset({"cabinetDoorOpen", "leakageDetected"})
_MAINS = frozenset({"supplyLoss", "supplyVoltageTooLow", "supplyVoltageTooHigh"})


def judge(wiring: Wiring, draft: Draft, key: str, image: DeviceImage) -> None:
    """Judge a cabinet, a meter, a building, or the gateway of some lamps."""
    kind, _, identity = key.partition("/")
    _answers(wiring, draft, key, image)
    if not image.online:
        return
    if kind == "cabinet":
        _inputs(wiring, draft, key, image)
        device = wiring.site.cabinets[identity].device
        _mains(wiring, draft, key, device, image)
        phases.judge(wiring, draft, identity, device)
    elif kind == "meter":
        meter = wiring.site.meters[identity]
        cabinet = wiring.site.cabinets.get(meter.cabinet or "")
        if cabinet is None:
            _mains(wiring, draft, key, meter.device, image)
        elif cabinet.device != meter.device:
            _mains(wiring, draft, f"cabinet/{cabinet.id}", meter.device, image)
            phases.judge(wiring, draft, cabinet.id, meter.device)


def _answers(wiring: Wiring, draft: Draft, key: str, image: DeviceImage) -> None:
    holding: list[Condition] = []
    if image.silent is not None:
        severity = "critical" if key.startswith("cabinet/") else "major"
        holding.append(condition(wiring.site.timing, "communicationFailure", severity=severity))
    settle(wiring, draft, key, _ANSWERS, holding)


def _inputs(wiring: Wiring, draft: Draft, key: str, image: DeviceImage) -> None:
    timing = wiring.site.timing
    words = (("door", "cabinetDoorOpen"), ("leakage", "leakageDetected"))
    holding = [condition(timing, event) for point, event in words if image.value(point) == 1.0]
    settle(wiring, draft, key, _INPUTS, holding)


def _mains(wiring: Wiring, draft: Draft, key: str, device: str, image: DeviceImage) -> None:
    """The voltages of the phases; one that nobody has ever seen alive, and no lamp hangs on, is not connected."""
    read = {phase: fresh(wiring, draft, device, image, f"meter.voltage-l{phase}") for phase in PHASES}
    volts = {phase: value for phase, value in read.items() if value is not None}
    if not volts:
        return
    for phase in _connected(wiring, draft, key, volts):
        note(draft, f"{key}/l{phase}", volts[phase] >= LOST_V)
    known = {phase: value for phase, value in volts.items() if draft.feeds.get(f"{key}/l{phase}") is not None}
    settle(wiring, draft, key, _MAINS, list(_voltage(wiring, known)))


def _connected(wiring: Wiring, draft: Draft, key: str, volts: dict[int, float]) -> Iterator[int]:
    some_alive = any(value >= LOST_V for value in volts.values())
    for phase, value in volts.items():
        seen = draft.feeds.get(f"{key}/l{phase}") is not None
        if value >= LOST_V or seen or (some_alive and _is_used(wiring, key, phase)):
            yield phase


def _is_used(wiring: Wiring, key: str, phase: int) -> bool:
    kind, _, identity = key.partition("/")
    return kind == "cabinet" and any(load.phase == phase for load in wiring.loads.get(identity, ()))


def _voltage(wiring: Wiring, volts: dict[int, float]) -> Iterator[Condition]:
    timing = wiring.site.timing
    lost = {phase: value for phase, value in volts.items() if value < LOST_V}
    low = {phase: value for phase, value in volts.items() if LOST_V <= value < LOW_V}
    high = {phase: value for phase, value in volts.items() if value > HIGH_V}
    if lost:
        yield condition(timing, "supplyLoss", min(lost.values()), LOST_V, _words(lost, len(lost) == len(volts)))
    if low:
        yield condition(timing, "supplyVoltageTooLow", min(low.values()), LOW_V, _words(low))
    if high:
        yield condition(timing, "supplyVoltageTooHigh", max(high.values()), HIGH_V, _words(high))


def _words(phases: dict[int, float], all_of_them: bool = False) -> str:
    if all_of_them and len(phases) > 1:
        return "all phases"
    return f"phase{'s' if len(phases) > 1 else ''} {', '.join(str(phase) for phase in sorted(phases))}"
