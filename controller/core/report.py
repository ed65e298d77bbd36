"""State topics: what is known of one lamp, segment, cabinet, meter, zone or building as a flat payload.

The keys are the contract's (docs/mqtt.md). A value that is not known is left out: absence is explicit, never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from config.site import Lamp
from controller.core.diagnostics import by_hand, powered
from controller.core.drive import expected_power_w, told_level
from controller.core.drive import reasons as drive_words
from controller.core.heating import ready_at
from controller.core.heating.radar import hand_at
from controller.core.heating.telling import building_facts, zone_facts
from controller.core.image import NOTHING_HEARD, DeviceImage
from controller.core.loads import PhaseLoad
from controller.core.reconcile import array_of
from controller.core.stack import rfc3339, why
from controller.core.state import AlarmKey, Draft, Output, State, WriteState
from controller.core.wiring import Kind, Target, Wiring
from drivers.api import Quality

Payload = dict[str, object]


def state_of(wiring: Wiring, state: State, key: str, now: datetime) -> Payload:
    """The payload of ``kind/id/state`` at ``now``. Raises KeyError for an unknown key."""
    return {"ts": rfc3339(now), **body_of(wiring, Draft(state, now), key)}


def body_of(wiring: Wiring, draft: Draft, key: str) -> Payload:
    """The payload without its ``ts``, for those who tell many states of one moment."""
    kind, _, identity = key.partition("/")
    body = _BODIES[kind](wiring, draft, identity)
    return {name: value for name, value in body.items() if value is not None}


def alarm_of(state: State, name: AlarmKey) -> Payload | None:
    """The payload of an alarm topic while it is raised, else None (the retained topic is cleared)."""
    alarm = state.alarms.get(name)
    if alarm is None or alarm.raised is None:
        return None
    payload: Payload = {
        "event": name[1],
        "severity": alarm.severity,
        "since": rfc3339(alarm.since),
        "suppressed_by": alarm.suppressed_by,
    }
    if alarm.value is not None:
        payload["value"] = round(alarm.value, 3)
    if alarm.threshold is not None:
        payload["threshold"] = round(alarm.threshold, 3)
    if alarm.detail:
        payload["detail"] = alarm.detail
    return payload


def _lamp(wiring: Wiring, draft: Draft, identity: str) -> Payload:
    lamp = wiring.site.lamps[identity]
    if not lamp.has_node:
        return _lamp_without_node(wiring, draft, lamp)
    image = _image(draft, lamp.device)
    stem = f"lamp.{lamp.address}"
    power = image.value(f"{stem}.power")
    body: Payload = {
        "level": _rounded(image.value(f"{stem}.level"), 1),
        "power_w": _rounded(power, 1),
        **_counted(wiring, draft, f"lamp/{identity}"),
        "quality": _quality(wiring, draft, lamp.device, f"{stem}.level", f"{stem}.command"),
        **_gear(image, stem),
    }
    commanded = _command(wiring, draft, f"lamp/{identity}")
    level = commanded.pop("value", None)
    if isinstance(level, int | float):
        told = told_level(draft, lamp, level)
        body["commanded"] = _rounded(told, 1)
        body["expected_power_w"] = _rounded(expected_power_w(draft, lamp, told), 1)
        if told != level:
            body["demand"] = _rounded(level, 1)
            body["drive"] = drive_words(draft, lamp) or [f"lowest level {lamp.type.min_level:g} %"]
    return body | commanded


def _gear(image: DeviceImage, stem: str) -> Payload:
    """What some nodes measure beside the power; in steps that do not make a message of every flicker of the mains."""
    return {
        "power_factor": _rounded(image.value(f"{stem}.power-factor"), 2),
        "voltage_v": _rounded(image.value(f"{stem}.voltage"), 0),
        "temperature_c": _rounded(image.value(f"{stem}.temperature"), 0),
    }


def _lamp_without_node(wiring: Wiring, draft: Draft, lamp: Lamp) -> Payload:
    """Nobody measures it: it is fed or not, and is commanded as its contactor is."""
    segment = wiring.site.segments[lamp.segment or ""]
    key, stem = f"segment/{segment.id}", f"segment.{segment.output}"
    image = _image(draft, segment.device)
    fed = powered(wiring, draft, lamp) if image.value(f"{stem}.feedback") is not None else None
    commanded = _command(wiring, draft, key)
    closed = commanded.pop("value", None)
    level = None if closed is None else 100.0 * float(closed == 1.0)
    return {
        "fed": fed,
        "commanded": level,
        "expected_power_w": None if level is None else _rounded(lamp.type.expected_power_w(level) if level else 0.0, 1),
        **_counted(wiring, draft, f"lamp/{lamp.id}"),
        "quality": _quality(wiring, draft, segment.device, f"{stem}.feedback", f"{stem}.command"),
        **commanded,
    }


def _segment(wiring: Wiring, draft: Draft, identity: str) -> Payload:
    segment = wiring.site.segments[identity]
    image = _image(draft, segment.device)
    stem = f"segment.{segment.output}"
    commanded = _command(wiring, draft, f"segment/{identity}")
    value = commanded.pop("value", None)
    body: Payload = {
        "on": _switch(image.value(f"{stem}.feedback")),
        "commanded": None if value is None else value == 1.0,
        "breaker_tripped": _switch(image.value(f"{stem}.breaker")),
        "loop_open": _switch(image.value(f"{stem}.loop")),
        "local_override": _hand(image, stem),
        **_estimate(draft, wiring.loads.get(segment.cabinet, ()), identity),
        "lamps": len(wiring.lamps_of_segment.get(identity, ())),
        **_counted(wiring, draft, f"segment/{identity}"),
        "quality": _quality(wiring, draft, segment.device, f"{stem}.feedback", f"{stem}.command"),
    }
    return body | commanded


def _hand(image: DeviceImage, stem: str) -> str | None:
    """What the selector makes of a contactor, TALQ's localOverride; None where it has no selector."""
    if image.value("local") is None and image.value(f"{stem}.local") is None:
        return None
    if not by_hand(image, f"{stem}.feedback"):
        return "NONE"
    return "ON" if image.value(f"{stem}.feedback") == 1.0 else "OFF"


def _estimate(draft: Draft, loads: Iterable[PhaseLoad], segment: str | None = None) -> Payload:
    """Lamps out by the power of a phase, of the contactor that has one to itself, or of the cabinet by phase."""
    told: Payload = {}
    for load in loads:
        trace = draft.phases.get(load.key)
        if trace is None or trace.estimate is None or (segment is not None and load.only_segment != segment):
            continue
        suffix = f"_{load.suffix}" if load.suffix and segment is None else ""
        told[f"estimated_lamps_out{suffix}"] = trace.estimate.out
        told[f"estimated_confidence{suffix}"] = trace.estimate.confidence
    return told


def _cabinet(wiring: Wiring, draft: Draft, identity: str) -> Payload:
    cabinet = wiring.site.cabinets[identity]
    image = _image(draft, cabinet.device)
    lamps = [wiring.site.lamps[lamp] for lamp in wiring.lamps_of_device.get(cabinet.device, ())]
    levels = [level for lamp in lamps if (level := image.value(f"lamp.{lamp.address}.level")) is not None]
    return {
        "door_open": _switch(image.value("door")),
        "lamps": len(lamps),
        "lamps_lit": sum(level > 0.0 for level in levels) if levels else None,
        **_estimate(draft, wiring.loads.get(identity, ())),
        **_mains(image),
        "quality": _device_quality(wiring, draft, cabinet.device),
    }


def _meter(wiring: Wiring, draft: Draft, identity: str) -> Payload:
    device = wiring.site.meters[identity].device
    return {**_mains(_image(draft, device)), "quality": _device_quality(wiring, draft, device)}


def _building(wiring: Wiring, draft: Draft, identity: str) -> Payload:
    building = wiring.site.buildings[identity]
    image = _image(draft, building.device)
    return {
        "outdoor_c": _rounded(image.value("outdoor.temperature"), 1),
        "boiler_on": _switch(image.value("boiler.status")),
        "supply_c": _rounded(image.value("boiler.supply-temperature"), 1),
        "heating_kw": _rounded(image.value("boiler.power"), 1),
        "heating_kwh": _rounded(image.value("boiler.energy"), 2),
        "zones": len(building.zones),
        **building_facts(wiring, draft, building),
        "quality": _device_quality(wiring, draft, building.device),
    }


def _zone(wiring: Wiring, draft: Draft, identity: str) -> Payload:
    zone = wiring.site.zones[identity]
    key = f"zone/{identity}"
    image = _image(draft, zone.device)
    stem = f"zone.{zone.number}"
    commanded = _command(wiring, draft, key)
    value = commanded.pop("value", None)
    body: Payload = {
        "temperature_c": _rounded(image.value(f"{stem}.temperature"), 2),
        "setpoint_c": _rounded(image.value(f"{stem}.setpoint"), 2),
        "heating": _rounded(image.value(f"{stem}.heating"), 0),
        "commanded_c": value,
        "quality": _quality(wiring, draft, zone.device, f"{stem}.temperature", f"{stem}.setpoint"),
    }
    target = wiring.targets.get(key)
    if target is not None:
        winner = array_of(wiring, draft, target).winner
        body["allure"] = winner.allure
        ready = ready_at(wiring, draft, zone, winner)
        body["ready_at"] = None if ready is None else rfc3339(ready)
    return body | zone_facts(wiring, draft, zone) | commanded


_BODIES: dict[str, Callable[[Wiring, Draft, str], Payload]] = {
    Kind.LAMP: _lamp,
    Kind.SEGMENT: _segment,
    Kind.CABINET: _cabinet,
    Kind.METER: _meter,
    Kind.ZONE: _zone,
    Kind.BUILDING: _building,
}


def _counted(wiring: Wiring, draft: Draft, key: str) -> Payload:
    """What was counted at a lamp or a contactor, and how its energy is measured."""
    energy, burning, switch_ons = (
        draft.counters.get(f"{key}/{name}") for name in ("energy_kwh", "burning_h", "switch_ons")
    )
    return {
        "energy_kwh": _rounded(energy, 3),
        "energy_by": None if energy is None else wiring.counted.energy_by[key].value,
        "burning_h": _rounded(burning, 2),
        "switch_ons": None if switch_ons is None else round(switch_ons),
    }


def _command(wiring: Wiring, draft: Draft, key: str) -> Payload:
    target = wiring.targets.get(key)
    if target is None:
        return {}
    array = array_of(wiring, draft, target)
    winner = array.winner
    output = draft.outputs.get(key)
    return {
        "value": winner.value,
        "write": write_state(wiring, draft, target, output).value,
        "detail": _detail(wiring, draft, target, output),
        "priority": int(winner.priority),
        "reason": winner.reason,
        "until": None if winner.until is None else rfc3339(winner.until),
        "why": why(array),
    }


def _detail(wiring: Wiring, draft: Draft, target: Target, output: Output | None) -> str | None:
    """More about the last write; of a hand that hides it also since when it has been there."""
    if output is None or not output.detail:
        return None
    hand = hand_at(draft, target.device, target.command) if output.masked_by is not None else None
    if hand is None or hand.priority != output.masked_by:
        return output.detail
    return f"{output.detail} since {hand.since.astimezone(wiring.site.place.zone):%a %Y-%m-%d %H:%M}"


def write_state(wiring: Wiring, draft: Draft, target: Target, output: Output | None) -> WriteState:
    """The output's state; a contactor whose auxiliary contact disagrees has no feedback, whatever the coil says."""
    if output is None:
        return WriteState.PENDING
    if target.kind is not Kind.SEGMENT or output.write is not WriteState.APPLIED:
        return output.write
    feedback = _image(draft, target.device).value(target.feedback)
    late = (draft.now - output.since).total_seconds() > wiring.site.timing.feedback_s
    if late and feedback is not None and feedback != output.slots[0][1]:
        return WriteState.MASKED if by_hand(_image(draft, target.device), target.feedback) else WriteState.NO_FEEDBACK
    return output.write


_MAINS = (
    ("power_w", "meter.power", 1),
    ("reactive_power_var", "meter.reactive-power", 1),
    ("apparent_power_va", "meter.apparent-power", 1),
    ("power_factor", "meter.power-factor", 3),
    ("frequency_hz", "meter.frequency", 2),
    ("energy_kwh", "meter.energy", 3),
    ("energy_export_kwh", "meter.energy-export", 3),
    *(
        (f"{quantity.replace('-', '_')}_{phase}{unit}", f"meter.{quantity}-{phase}", digits)
        for phase in ("l1", "l2", "l3")
        for quantity, unit, digits in (("voltage", "_v", 1), ("current", "_a", 3), ("power", "_w", 1),
                                       ("power-factor", "", 3))
    ),
)  # fmt: skip
"""Of a meter: the field, the point, and the decimals that it is told with."""


def _mains(image: DeviceImage) -> Payload:
    if image.silent is not None:
        return {}
    readings, faults = image.readings, image.faults
    return {
        field: round(readings[point].value, digits)
        for field, point, digits in _MAINS
        if point in readings and point not in faults
    }


def _image(draft: Draft, device: str) -> DeviceImage:
    return draft.image.get(device) or NOTHING_HEARD


def _quality(wiring: Wiring, draft: Draft, device: str, *points: str) -> str:
    """Judged by the first of ``points`` that the device has: not every one shows what its output really does."""
    point = next((name for name in points if wiring.has(device, name)), points[0])
    quality = _image(draft, device).quality(point, draft.now, wiring.stale_after(device, point))
    return Quality.OFFLINE.value if quality is Quality.UNKNOWN else quality.value


def _device_quality(wiring: Wiring, draft: Draft, device: str) -> str:
    image = _image(draft, device)
    if not image.online or image.heard is None:
        return Quality.OFFLINE.value
    stale = (draft.now - image.heard).total_seconds() > wiring.stale_after_s[device]
    return Quality.STALE.value if stale else Quality.GOOD.value


def _switch(value: float | None) -> bool | None:
    return None if value is None else value == 1.0


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
