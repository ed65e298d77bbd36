"""The life of an alarm: pending, raised, explained by another, latched, going, cleared.

Why so: docs/decisions/0020-alarm-life.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from controller.core.diagnostics.conditions import KINDS, Condition
from controller.core.diagnostics.folding import WORKS, root_of
from controller.core.state import Alarm, AlarmKey, Draft
from controller.core.wiring import Wiring
from drivers.api import LIMITATION, Notice
from schedules import sun
from schedules.moments import night_of
from schedules.sun import Place

NOTHING: frozenset[str] = frozenset()
_HOUR = timedelta(hours=1)
_LATCHED = timedelta(minutes=300)
"""After the morning's switch-off, Echelon CPD 3000: the morning's report still has what the night has shown."""


def settle(
    wiring: Wiring,
    draft: Draft,
    key: str,
    scope: frozenset[str],
    holding: Sequence[Condition],
    unjudged: frozenset[str] = NOTHING,
) -> None:
    """Move the alarms of ``key`` within ``scope`` along: those that hold, those that do not, those nobody can judge."""
    for each in holding:
        _hold(wiring, draft, (key, each.event), each)
    standing = draft.alarmed.get(key)
    if not standing:
        return
    held = {each.event for each in holding}
    for event in standing:
        if event not in scope or event in held:
            continue
        if event in unjudged:
            _leave(wiring, draft, (key, event))
        else:
            _release(draft, (key, event), timedelta(seconds=KINDS[event].persist_s(wiring.site.timing)))


def follow(wiring: Wiring, draft: Draft, key: str, condition: Condition) -> None:
    """Move one alarm along: nothing -> pending -> raised -> going -> cleared."""
    if condition.holds:
        _hold(wiring, draft, (key, condition.event), condition)
    else:
        _release(draft, (key, condition.event), timedelta(seconds=condition.persist_s))


def noticed(wiring: Wiring, draft: Draft, notice: Notice) -> None:
    """What a driver or a lane found about a device or a bus: an alarm from the first word to the last."""
    if not wiring.knows(notice.subject):
        return
    if notice.severity == LIMITATION:
        draft.event(notice.event, notice.subject, detail=notice.detail)
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


def forget_pending(draft: Draft, name: AlarmKey) -> None:
    """Nothing can be said now: what was not yet an alarm is none, what was raised stays until it is seen gone."""
    alarm = draft.alarms.get(name)
    if alarm is not None and alarm.raised is None:
        end(draft, name, alarm)


def end(draft: Draft, name: AlarmKey, alarm: Alarm) -> None:
    """Forget an alarm; one that was raised is cleared and says so."""
    draft.alarms.drop(name)
    _unlist(draft, name)
    draft.schedule(_due_key(name), None)
    if alarm.raised is not None:
        draft.alarm_changes.add(name)
        _tell(draft, name, alarm, "cleared")


def _hold(wiring: Wiring, draft: Draft, name: AlarmKey, condition: Condition) -> None:
    alarm = draft.alarms.get(name)
    if alarm is None:
        alarm = Alarm(condition.severity, min(condition.since or draft.now, draft.now))
        draft.alarms[name] = alarm
        _list(draft, name)
    elif alarm.gone is not None:
        alarm = replace(alarm, gone=None)
        draft.alarms[name] = alarm
        draft.schedule(_due_key(name), None)
    if alarm.raised is None:
        _ripen(wiring, draft, name, alarm, condition)
    else:
        _keep(wiring, draft, name, alarm, condition)


def _ripen(wiring: Wiring, draft: Draft, name: AlarmKey, alarm: Alarm, condition: Condition) -> None:
    wait = timedelta(seconds=condition.persist_s)
    if draft.now - alarm.since < wait:
        draft.schedule(_due_key(name), alarm.since + wait)
        return
    raised = replace(
        alarm,
        raised=draft.now,
        value=condition.value,
        threshold=condition.threshold,
        detail=condition.detail,
        suppressed_by=root_of(wiring, draft, name, alarm.since),
    )
    draft.alarms[name] = raised
    draft.alarm_changes.add(name)
    _tell(draft, name, raised, "raised")


def _keep(wiring: Wiring, draft: Draft, name: AlarmKey, alarm: Alarm, condition: Condition) -> None:
    """It goes on: its words may be others now, and so may what explains it."""
    root = root_of(wiring, draft, name, alarm.since)
    if alarm.suppressed_by is None and root is not None and root.startswith(WORKS):
        root = None  # works explain what they bring about, not what they were called for
    if alarm.suppressed_by is not None and root is None:
        end(draft, name, alarm)
        _hold(wiring, draft, name, condition)
        return
    now_so = replace(alarm, suppressed_by=root, severity=condition.severity)
    if condition.detail != alarm.detail:
        now_so = replace(now_so, value=condition.value, threshold=condition.threshold, detail=condition.detail)
    if now_so != alarm:
        draft.alarms[name] = now_so
        draft.alarm_changes.add(name)


def _release(draft: Draft, name: AlarmKey, wait: timedelta) -> None:
    alarm = draft.alarms.get(name)
    if alarm is None:
        _unlist(draft, name)
        return
    if alarm.raised is None:
        end(draft, name, alarm)
        return
    gone = alarm.gone or draft.now
    if draft.now - gone < wait:
        if alarm.gone is None:
            draft.alarms[name] = replace(alarm, gone=gone)
        draft.schedule(_due_key(name), gone + wait)
        return
    end(draft, name, alarm)


def _leave(wiring: Wiring, draft: Draft, name: AlarmKey) -> None:
    """Nobody can judge it now: pending it is forgotten, raised it is latched until the morning has had it."""
    alarm = draft.alarms.get(name)
    if alarm is None or alarm.raised is None:
        forget_pending(draft, name)
        return
    if alarm.suppressed_by is not None and root_of(wiring, draft, name, alarm.since) is None:
        end(draft, name, alarm)
        return
    if alarm.gone is not None:
        draft.alarms[name] = replace(alarm, gone=None)
    until = _latched_until(wiring, draft, name)
    if until is not None and until <= draft.now:
        end(draft, name, alarm)
    else:
        draft.schedule(_due_key(name), until or _look_again(wiring, draft, name[0]))


def _look_again(wiring: Wiring, draft: Draft, key: str) -> datetime | None:
    """A lamp that is still commanded on may be off by the morning, and its device still say nothing."""
    if not key.startswith("lamp/"):
        return None
    return max(_morning_off(draft.now, wiring.site.place) + _LATCHED, draft.now + _HOUR)


def _latched_until(wiring: Wiring, draft: Draft, name: AlarmKey) -> datetime | None:
    """When what the night has shown is let go; None: not by the time of day."""
    key, event = name
    if not key.startswith("lamp/") and event != "estimatedLampsOut":
        return None
    output = draft.outputs.get(key)
    if output is not None and output.slots[0][1]:
        return None
    alarm = draft.alarms.get(name)
    off = output.since if output is not None else alarm.raised if alarm is not None else None
    return None if off is None else _morning_off(off, wiring.site.place) + _LATCHED


def _morning_off(off: datetime, place: Place) -> datetime:
    """The morning's switch-off: a cut in the middle of the night is none yet, the sun ends that night."""
    sunrise = sun.morning(night_of(off, place.zone), place, sun.SUNRISE_DEG)
    return max(off, sunrise) if isinstance(sunrise, datetime) else off


def _tell(draft: Draft, name: AlarmKey, alarm: Alarm, state: str) -> None:
    raised = state == "raised"
    draft.event(
        "alarm",
        name[0],
        event=name[1],
        severity=alarm.severity,
        state=state,
        value=alarm.value if raised else None,
        detail=alarm.detail or None if raised else None,
        suppressed_by=alarm.suppressed_by,
    )


def _list(draft: Draft, name: AlarmKey) -> None:
    standing = draft.alarmed.get(name[0]) or ()
    if name[1] in KINDS and name[1] not in standing:
        draft.alarmed[name[0]] = (*standing, name[1])


def _unlist(draft: Draft, name: AlarmKey) -> None:
    standing = draft.alarmed.get(name[0]) or ()
    if name[1] not in standing:
        return
    left = tuple(event for event in standing if event != name[1])
    if left:
        draft.alarmed[name[0]] = left
    else:
        draft.alarmed.drop(name[0])


def _due_key(name: AlarmKey) -> str:
    return f"alarm/{name[0]}/{name[1]}"
