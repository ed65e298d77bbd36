"""Alarms with TALQ event names: conditions judged on the image, then settle, persist, raise, clear.

Thresholds after the published field practice (facts: lamp failure below 20 % of the expected power, day burner
above 6 W or 10 %, contactor errors by its auxiliary contact). A silent cabinet is one alarm; its lamps show
``offline`` and raise nothing of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from config.site import Lamp
from controller.core.image import NOTHING_HEARD, DeviceImage
from controller.core.state import Alarm, AlarmKey, Draft, Output
from controller.core.wiring import Wiring
from drivers.api import Notice, Quality

_CONTACTOR_S, _CONTACTOR_REAL_S = 10.0, 3.0
_SILENT_S, _SILENT_REAL_S = 20.0, 5.0
_AT_ONCE_S = 0.0


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


def judge_device(wiring: Wiring, draft: Draft, device_id: str) -> None:
    """Judge everything that lives at one device, after news of it."""
    image = draft.image.get(device_id) or NOTHING_HEARD
    draft.judged.add(device_id)
    for key in wiring.entities_of[device_id]:
        kind, _, identity = key.partition("/")
        if kind == "lamp":
            conditions = _lamp(wiring, draft, wiring.site.lamps[identity], image)
        elif kind == "segment":
            conditions = _segment(wiring, draft, identity, image)
        elif kind in ("cabinet", "meter", "building"):
            conditions = _station(wiring, kind, identity, image)
        else:
            continue
        for condition in conditions:
            follow(draft, key, condition)


def noticed(wiring: Wiring, draft: Draft, notice: Notice) -> None:
    """What a driver or a lane found about a device or a bus: an alarm from the first word to the last."""
    if not wiring.knows(notice.subject):
        return
    name: AlarmKey = (notice.subject, notice.event)
    alarm = draft.alarms.get(name)
    if not notice.holds:
        if alarm is not None:
            end(draft, name, alarm)
        return
    told = (notice.severity, notice.value, notice.threshold, notice.detail)
    if alarm is not None and (alarm.severity, alarm.value, alarm.threshold, alarm.detail) == told:
        return
    severity, value, threshold, detail = told
    if alarm is None:
        draft.event("alarm", name[0], event=name[1], severity=severity, state="raised", value=value, detail=detail)
    since = draft.now if alarm is None else alarm.since
    draft.alarms[name] = Alarm(severity, since, since, value=value, threshold=threshold, detail=detail)
    draft.alarm_changes.add(name)


def follow(draft: Draft, key: str, condition: Condition) -> None:
    """Move one alarm along: nothing -> pending -> raised -> going -> cleared."""
    name: AlarmKey = (key, condition.event)
    alarm = draft.alarms.get(name)
    wait = timedelta(seconds=condition.persist_s)
    if condition.holds:
        _hold(draft, name, alarm, condition, wait)
    elif alarm is not None:
        _release(draft, name, alarm, wait)


def forget_pending(draft: Draft, name: AlarmKey) -> None:
    """Nothing can be said now: what was not yet an alarm is none, what was raised stays until it is seen gone."""
    alarm = draft.alarms.get(name)
    if alarm is not None and alarm.raised is None:
        draft.alarms.drop(name)
        draft.schedule(_due_key(name), None)


def alarm_due(wiring: Wiring, draft: Draft, due: str) -> None:
    """Time has passed for one pending or going alarm: judge its device again, once for all that are due there."""
    entity = due.rpartition("/")[0]
    device = wiring.device_of.get(entity)
    if device is not None and device not in draft.judged:
        judge_device(wiring, draft, device)


def _hold(draft: Draft, name: AlarmKey, alarm: Alarm | None, condition: Condition, wait: timedelta) -> None:
    if alarm is None:
        alarm = Alarm(
            condition.severity, draft.now, value=condition.value, threshold=condition.threshold, detail=condition.detail
        )
        draft.alarms[name] = alarm
    elif alarm.gone is not None:
        alarm = replace(alarm, gone=None)
        draft.alarms[name] = alarm
    if alarm.raised is not None:
        return
    if draft.now - alarm.since < wait:
        draft.schedule(_due_key(name), alarm.since + wait)
        return
    draft.alarms[name] = replace(alarm, raised=draft.now, value=condition.value, threshold=condition.threshold)
    draft.alarm_changes.add(name)
    draft.event("alarm", name[0], event=name[1], severity=condition.severity, state="raised", value=condition.value)


def _release(draft: Draft, name: AlarmKey, alarm: Alarm, wait: timedelta) -> None:
    if alarm.raised is None:
        end(draft, name, alarm)
        return
    gone = alarm.gone or draft.now
    if draft.now - gone < wait:
        draft.alarms[name] = replace(alarm, gone=gone)
        draft.schedule(_due_key(name), gone + wait)
        return
    end(draft, name, alarm)


def end(draft: Draft, name: AlarmKey, alarm: Alarm) -> None:
    """Forget an alarm; one that was raised is cleared and says so."""
    draft.alarms.drop(name)
    draft.schedule(_due_key(name), None)
    if alarm.raised is not None:
        draft.alarm_changes.add(name)
        draft.event("alarm", name[0], event=name[1], severity=alarm.severity, state="cleared")


def _due_key(name: AlarmKey) -> str:
    return f"alarm/{name[0]}/{name[1]}"


def powered(wiring: Wiring, draft: Draft, lamp: Lamp) -> bool:
    """Whether the lamp has mains: its contactor is closed and its breaker did not trip, or nothing switches it."""
    if lamp.segment is None:
        return True
    segment = wiring.site.segments[lamp.segment]
    image = draft.image.get(segment.device) or NOTHING_HEARD
    closed = _fresh(wiring, draft, segment.device, image, f"segment.{segment.output}.feedback") == 1.0
    return closed and image.value(f"segment.{segment.output}.breaker") != 1.0


def _lamp(wiring: Wiring, draft: Draft, lamp: Lamp, image: DeviceImage) -> Iterator[Condition]:
    output = draft.outputs.get(f"lamp/{lamp.id}")
    power = _fresh(wiring, draft, lamp.device, image, f"lamp.{lamp.address}.power")
    if output is None or power is None or not image.online:
        return
    persist_s = wiring.site.timing.persist_s
    fed = powered(wiring, draft, lamp)
    failed = image.value(f"lamp.{lamp.address}.failure") == 1.0
    gear = image.value(f"lamp.{lamp.address}.gear-failure") == 1.0
    level = output.slots[0][1] or 0.0
    yield Condition("controlGearFailure", fed and gear, "major", persist_s)
    if not fed:
        forget_pending(draft, (f"lamp/{lamp.id}", "lampFailure"))
    elif _settled(wiring, draft, output):
        dark = level >= max(lamp.type.min_level, 1.0)
        threshold = 0.2 * lamp.type.expected_power_w(level)
        yield Condition("lampFailure", dark and (failed or power < threshold), "major", persist_s, power, threshold)
    burner = max(6.0, 0.1 * lamp.type.power_w)
    if level == 0.0 and not _settled(wiring, draft, output):
        return
    yield Condition("lampUnexpectedOn", level == 0.0 and power > burner, "minor", 5 * persist_s, power, burner)


def _fresh(wiring: Wiring, draft: Draft, device: str, image: DeviceImage, point: str) -> float | None:
    """A value that is of now: what has grown old says nothing about what was commanded since."""
    quality = image.quality(point, draft.now, wiring.stale_after(device, point))
    return image.value(point) if quality in (Quality.GOOD, Quality.UNCERTAIN) else None


def _settled(wiring: Wiring, draft: Draft, output: Output) -> bool:
    return draft.now - output.since >= timedelta(seconds=wiring.site.timing.settle_s)


def _segment(wiring: Wiring, draft: Draft, segment_id: str, image: DeviceImage) -> Iterator[Condition]:
    segment = wiring.site.segments[segment_id]
    output = draft.outputs.get(f"segment/{segment_id}")
    feedback = _fresh(wiring, draft, segment.device, image, f"segment.{segment.output}.feedback")
    if output is None or feedback is None or not image.online:
        return
    closed = (output.slots[0][1] or 0.0) > 0.0
    wait_s = max(_CONTACTOR_S, _CONTACTOR_REAL_S * wiring.site.timing.speed)
    tripped = image.value(f"segment.{segment.output}.breaker") == 1.0
    yield Condition("circuitBreakerTripped", tripped, "critical", _AT_ONCE_S)
    yield Condition("switchingErrorOn", not closed and feedback == 1.0, "major", wait_s, feedback, 0.0)
    yield Condition("switchingErrorOff", closed and feedback == 0.0, "critical", wait_s, feedback, 1.0)


def _station(wiring: Wiring, kind: str, identity: str, image: DeviceImage) -> Iterator[Condition]:
    severity = "critical" if kind == "cabinet" else "major"
    silent_s = max(_SILENT_S, _SILENT_REAL_S * wiring.site.timing.speed)
    yield Condition("communicationFailure", image.silent is not None, severity, silent_s)
    if kind == "cabinet" and image.online:
        yield Condition("cabinetDoorOpen", image.value("door") == 1.0, "minor", _AT_ONCE_S)
