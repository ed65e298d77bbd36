"""One lamp by what its node says: dark, at the wrong level, burning by day, flickering, badly fed, or without a word.

Thresholds after the published practice (Echelon CPD 3000) and TALQ's LampMonitorFunction; a lamp is judged only while
it is fed and settled, and what nobody can judge keeps its alarms.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from config.site import Lamp, LampType, on_curve
from controller.core.diagnostics.alarms import settle
from controller.core.diagnostics.conditions import Condition, condition
from controller.core.diagnostics.feeding import fed_since, fresh, powered
from controller.core.drive import expected_power_w
from controller.core.image import DeviceImage
from controller.core.loads import cabinet_of
from controller.core.state import Draft, Output, WriteState
from controller.core.traces import Flicker
from controller.core.wiring import Wiring
from drivers.profile import ModbusPoint
from schedules import sun

NOMINAL_V = 230.0
LOST_V = 0.5 * NOMINAL_V
"""Below half of the nominal voltage nothing works."""
LOW_V, HIGH_V = 0.9 * NOMINAL_V, 1.1 * NOMINAL_V
"""EN 50160: +-10 %."""

_DARK_SHARE = 0.2
"""Echelon: LampFailed below 20 % of the expected power."""
_BURNER_W, _BURNER_SHARE = 6.0, 0.1
"""Echelon: RelayFailed above 6 W; 10 % for lamps whose standby is more."""
_DAY_DEG = 3.0
"""Where nothing commands a lamp, the sun does: above it no lamp is meant to burn."""
_FACTOR, _FACTOR_FROM = 0.65, 0.5
"""Echelon: 0.65, only while on; below half of the nominal power a good gear may be there too."""
_DIM_LEVEL, _DIM_WIDER = 30.0, 2.0
"""uCIFI has thresholds of their own for low levels: below 30 % twice the tolerance."""
_RESOLUTIONS = 3.0
"""A difference of less than three steps of the meter is none."""
_TRANSITIONS, _WITHIN, _LIT_SHARE = 4, timedelta(minutes=30), 0.5
"""Four times out or back by more than half of the power within 30 minutes, at a constant command."""
_HOT_C = 65.0
"""Echelon: high temperature."""

_BY_NODE = frozenset({
    "lampFailure", "controlGearFailure", "controlGearCommFailure", "dimmingFailure", "cyclingFailure",
    "powerFactorTooLow", "lampPowerTooLow", "lampPowerTooHigh", "supplyLoss", "supplyVoltageTooLow",
    "supplyVoltageTooHigh",
})  # fmt: skip
_ALL = _BY_NODE | {"lampUnexpectedOn"}
_WHILE_LIT = _BY_NODE - {"controlGearFailure", "controlGearCommFailure", "supplyLoss"}
_BY_POWER = frozenset({"dimmingFailure", "cyclingFailure", "powerFactorTooLow", "lampPowerTooLow", "lampPowerTooHigh"})
_NAMES = (
    "power", "failure", "gear-failure", "silent", "voltage", "power-factor", "temperature", "short-circuit",
    "open-circuit", "thermal-shutdown",
)  # fmt: skip
_UNCONFIRMED = (WriteState.PENDING, WriteState.REJECTED)


class Points(NamedTuple):
    """The names of one node's points."""

    power: str
    failure: str
    gear_failure: str
    silent: str
    voltage: str
    factor: str
    temperature: str
    short_circuit: str
    open_circuit: str
    thermal_shutdown: str


@dataclass(frozen=True, slots=True)
class Look:
    """One lamp at one moment: what it was told, what it draws, and what it should."""

    lamp: Lamp
    level: float
    power_w: float | None
    expected_w: float
    resolution_w: float
    failed: bool

    @property
    def dark(self) -> bool:
        """Whether it gives no light."""
        return self.failed or (self.power_w is not None and self.power_w < _DARK_SHARE * self.expected_w)


@lru_cache(maxsize=1024)
def points_of(address: int) -> Points:
    """The points of the node with this address."""
    return Points(*(f"lamp.{address}.{name}" for name in _NAMES))


def _says(image: DeviceImage, *points: str) -> bool:
    """Whether one of these bits is set."""
    for point in points:  # noqa: SIM110 - a generator for each lamp and answer would cost as much as the rest
        if image.value(point) == 1.0:
            return True
    return False


def judge(wiring: Wiring, draft: Draft, lamp: Lamp, image: DeviceImage) -> None:
    """Judge one lamp that has a node."""
    key, output = f"lamp/{lamp.id}", draft.outputs.get(f"lamp/{lamp.id}")
    if lamp.address is None:
        return
    points = points_of(lamp.address)
    power = fresh(wiring, draft, lamp.device, image, points.power)
    if not image.online or (power is None and wiring.has(lamp.device, points.power)):
        settle(wiring, draft, key, _ALL, (), _ALL)  # nothing can be said, but no night is latched for ever
        return
    timing = wiring.site.timing
    level = (output.slots[0][1] or 0.0) if output is not None else 0.0
    fed = powered(wiring, draft, lamp)
    settled = _settled(wiring, draft, lamp, output, fed, level)
    holding: list[Condition] = []
    unjudged = _BY_NODE
    if image.value(points.silent) == 1.0:
        if fed and settled:
            holding.append(condition(timing, "controlGearCommFailure"))
    elif fed:
        if _says(image, points.gear_failure, points.thermal_shutdown):
            holding.append(condition(timing, "controlGearFailure"))
        holding.extend(_supply(wiring, draft, lamp, image.value(points.voltage)))
        unjudged = _WHILE_LIT
        if settled and output is not None and _on_duty(lamp, output, level):
            look = _look(wiring, draft, lamp, image, level, power)
            holding.extend(_lit(wiring, draft, look, image, output))
            unjudged = _unknown(draft, look, output)
    unexpected = _unexpected(wiring, draft, lamp, output, power)
    if unexpected is not None:
        holding.append(unexpected)
    elif level == 0.0 and not settled:
        unjudged |= {"lampUnexpectedOn"}
    settle(wiring, draft, key, _ALL, holding, unjudged)


def tolerance_w(kind: LampType, expected_w: float, level: float, resolution_w: float) -> float:
    """How far the power may be from what is expected at a level (%)."""
    tolerance = max(kind.tolerance_w, kind.tolerance * expected_w, _RESOLUTIONS * resolution_w)
    return tolerance * _DIM_WIDER if level < _DIM_LEVEL else tolerance


def settle_s(wiring: Wiring, kind: LampType) -> float:
    """How long after any change a lamp is left alone: a discharge lamp must cool down, strike and warm up."""
    return max(wiring.site.timing.settle_s, kind.cool_down_s + kind.warm_up_s)


def _settled(wiring: Wiring, draft: Draft, lamp: Lamp, output: Output | None, fed: bool, level: float) -> bool:
    """Whether nothing has changed for long enough; where not, its device is due when that is so."""
    instants = [output.since] if output is not None else []
    if fed and (since := fed_since(wiring, draft, lamp)) is not None:
        instants.append(since)
    if not instants:
        return True
    ready = max(instants) + timedelta(seconds=settle_s(wiring, lamp.type))
    if ready <= draft.now:
        return True
    due = f"alarm/device/{lamp.device}/settled"
    planned = draft.due.get(due)
    if level > 0.0 and (planned is None or planned < ready):
        draft.schedule(due, ready)
    return False


def _on_duty(lamp: Lamp, output: Output, level: float) -> bool:
    """Whether it shall burn, and has been told so as far as anybody knows."""
    return level >= max(lamp.type.min_level, 1.0) and output.write not in _UNCONFIRMED


def _look(wiring: Wiring, draft: Draft, lamp: Lamp, image: DeviceImage, level: float, power: float | None) -> Look:
    points = points_of(lamp.address or 0)
    spec = wiring.points(lamp.device).get(points.power)
    resolution = spec.resolution if isinstance(spec, ModbusPoint) else 0.1
    failed = _says(image, points.failure, points.short_circuit, points.open_circuit)
    return Look(lamp, level, power, expected_power_w(draft, lamp, level), resolution, failed)


def _unknown(draft: Draft, look: Look, output: Output) -> frozenset[str]:
    """What a lamp on duty cannot be judged for: a dark one by its power, any by its flicker before it burnt long."""
    power = _BY_POWER - {"cyclingFailure"} if look.dark or look.power_w is None else frozenset()
    return power if draft.now - output.since > _WITHIN else power | {"cyclingFailure"}


def _lit(wiring: Wiring, draft: Draft, look: Look, image: DeviceImage, output: Output) -> Iterator[Condition]:
    """What a lamp that shall burn may be found at."""
    timing, power = wiring.site.timing, look.power_w
    if look.dark:
        yield condition(timing, "lampFailure", power, None if power is None else _DARK_SHARE * look.expected_w)
    if power is None:
        return
    flicker = _flicker(wiring, draft, look, power, output)
    if flicker is not None and len(flicker.at) >= _TRANSITIONS:
        yield condition(timing, "cyclingFailure", float(len(flicker.at)), float(_TRANSITIONS))
    if look.dark:
        return
    yield from _wrong_power(wiring, draft, look, power, image)
    yield from _wrong_factor(wiring, look, power, image)


def _wrong_power(wiring: Wiring, draft: Draft, look: Look, power: float, image: DeviceImage) -> Iterator[Condition]:
    kind, timing = look.lamp.type, wiring.site.timing
    tolerance = tolerance_w(kind, look.expected_w, look.level, look.resolution_w)
    if abs(power - look.expected_w) <= tolerance:
        return
    if power < look.expected_w:
        celsius = image.value(points_of(look.lamp.address or 0).temperature)
        detail = f"gear at {celsius:.0f} °C" if celsius is not None and celsius > _HOT_C else ""
        yield condition(timing, "lampPowerTooLow", power, look.expected_w - tolerance, detail)
        return
    full_w = expected_power_w(draft, look.lamp, 100.0)
    full_tolerance = tolerance_w(kind, full_w, 100.0, look.resolution_w)
    apart = full_w - look.expected_w > tolerance
    event = "dimmingFailure" if apart and abs(power - full_w) <= full_tolerance else "lampPowerTooHigh"
    yield condition(timing, event, power, look.expected_w + tolerance)


def _wrong_factor(wiring: Wiring, look: Look, power: float, image: DeviceImage) -> Iterator[Condition]:
    """A node that measures no power factor answers 0, which no lamp that draws power has."""
    kind = look.lamp.type
    factor = image.value(points_of(look.lamp.address or 0).factor)
    if factor is None or factor <= 0.0:
        return
    if not kind.power_factor and power < _FACTOR_FROM * kind.power_w:
        return
    least = on_curve(kind.power_factor, look.level) if kind.power_factor else _FACTOR
    if factor < least:
        yield condition(wiring.site.timing, "powerFactorTooLow", factor, least)


def _supply(wiring: Wiring, draft: Draft, lamp: Lamp, volts: float | None) -> Iterator[Condition]:
    """The voltage, where only the lamp sees that it is bad. A node that measures none answers 0."""
    if volts is None or volts <= 1.0 or LOW_V <= volts <= HIGH_V:
        return
    event = "supplyLoss" if volts < LOST_V else "supplyVoltageTooLow" if volts < LOW_V else "supplyVoltageTooHigh"
    if event in (draft.alarmed.get(f"cabinet/{cabinet_of(wiring.site, lamp)}") or ()):
        return
    limit = {"supplyLoss": LOST_V, "supplyVoltageTooLow": LOW_V}.get(event, HIGH_V)
    yield condition(wiring.site.timing, event, volts, limit, severity="major" if event == "supplyLoss" else None)


def _unexpected(
    wiring: Wiring, draft: Draft, lamp: Lamp, output: Output | None, power: float | None
) -> Condition | None:
    """A day burner; contactor or not: power that nobody asked for is wrong everywhere."""
    burner_w = max(_BURNER_W, _BURNER_SHARE * lamp.type.power_w)
    if power is None or power <= burner_w:
        return None
    if output is None:
        unasked = sun.elevation(draft.now, wiring.site.place) > _DAY_DEG
    else:
        since = output.since + timedelta(seconds=wiring.site.timing.settle_s)
        unasked = output.slots[0][1] == 0.0 and draft.now >= since
    return condition(wiring.site.timing, "lampUnexpectedOn", power, burner_w) if unasked else None


def _flicker(wiring: Wiring, draft: Draft, look: Look, power: float, output: Output) -> Flicker | None:
    """Take up that the lamp went out or came back; a lamp that burns steadily needs no memory.

    Coming on is no flicker: one that is found dark when it has just been told, or fed, never burnt.
    """
    key = f"lamp/{look.lamp.id}"
    lit = power > _LIT_SHARE * look.expected_w
    known = draft.flickers.get(key)
    if known is None and lit:
        return None
    since = max(output.since, fed_since(wiring, draft, look.lamp) or output.since)
    instants = () if known is None else tuple(at for at in known.at if _counts(at, draft.now, since))
    timing = wiring.site.timing
    late = known is None and draft.now - since <= timedelta(seconds=timing.settle_s + timing.persist_s)
    changed = not late if known is None else lit is not known.lit and bool(known.at or not lit)
    if changed:
        instants = (*instants, draft.now)
    if not instants and lit:
        draft.flickers.drop(key)
        return None
    now_so = Flicker(lit, instants)
    if now_so != known:
        draft.flickers[key] = now_so
    return now_so


def _counts(at: datetime, now: datetime, since: datetime) -> bool:
    return at > since and now - at <= _WITHIN
