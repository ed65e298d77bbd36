"""Zones whose plan their controller holds itself: compiled, pushed, compared, and supervised where it is not held.

While the controller's Schedule object says what the plan says, no automatic value is written: its own schedule rules,
with this gateway or without it. As long as that is not known to be so (not yet pushed, refused, changed by somebody, a
day beyond its room) the zone is supervised like any other.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from config.delegated import MODE_NUMBERS, Compiled, calendars_of, compile_plan, is_held, value_of
from config.site import Delegation, Drift, Zone
from controller.core.arbitration import Slot, Source
from controller.core.diagnostics.alarms import follow
from controller.core.diagnostics.conditions import Condition, condition
from controller.core.image import DeviceImage
from controller.core.rooms import Delegated, Room, Sync
from controller.core.state import Draft
from controller.core.wiring import Wiring
from drivers.api import WRONG_UNIT, Look, Outcome, Push, PushResult, ScheduleRef, ScheduleSeen
from drivers.timetable import Agenda, differences, next_change, value_at
from schedules.allures import Allure
from schedules.nights import at_local

SETTLES = timedelta(minutes=10)
"""Somebody who edits a schedule writes more than once: pushed again only then."""
PUSHED_AT_MOST_EVERY = timedelta(hours=1)
"""Against another hand that corrects as untiringly as this one."""
_ANSWER_S = 300.0
_ANSWER_REAL_S = 120.0
_AGAIN = timedelta(minutes=1)
_PATIENCE = 4
"""Failures in a row, a minute and then twice as long apart; then the controller is taken not to answer to this."""
_RENEWED_AT = time(3, 0)
"""The horizon moves once a day from here on, the zones spread over an hour."""
_SPREAD_S = 3600
_DAY = timedelta(days=1)
_NAMED_DAYS = 5
_EDITED = "edited by another hand"
_KEPT_OTHERWISE = "it acknowledged the plan and keeps another one"


def begin(wiring: Wiring, draft: Draft, zone_id: str) -> None:
    """A core begins, or a new configuration: compile the plan; what is known of the controller stays if it fits."""
    zone = wiring.site.zones[zone_id]
    before = _known(draft, zone_id)
    if zone.delegate is None:
        if before is not None:
            draft.rooms[zone_id] = replace(draft.rooms.get(zone_id) or Room(), delegated=None)
        draft.keep(_name(zone), None)
        return
    today = _today(zone, draft.now)
    compiled = compile_plan(zone, zone.delegate, today)
    held = is_held(zone, zone.delegate, compiled.agenda, today)
    sync = _sync_of(draft, zone, zone.delegate, compiled)
    fresh = Delegated(compiled, today, held, draft.now, draft.now, push=sync is Sync.PENDING, sync=sync)
    if sync is Sync.REFUSED:
        fresh = replace(fresh, detail=_KEPT_OTHERWISE, otherwise=(draft.kept.get(_name(zone)) or "").rpartition(" ")[2])
    if before is not None:
        before = before.brought_back(draft.now)
        fresh = replace(fresh, checked=before.checked, pushed=before.pushed)
    _take(draft, zone, fresh)
    due(wiring, draft, zone_id)


def returned(wiring: Wiring, draft: Draft, zone_id: str, device: str) -> None:
    """``device`` answers again: somebody may have worked on it."""
    zone, known = wiring.site.zones[zone_id], _known(draft, zone_id)
    if known is not None and zone.device == device:
        _take(draft, zone, replace(known, next_at=draft.now, in_flight=None))
        due(wiring, draft, zone_id)


def unit_heard(wiring: Wiring, draft: Draft, zone: Zone, before: DeviceImage) -> None:
    """The setpoint of ``zone`` may have turned out to have another unit, or the right one again."""
    known = _known(draft, zone.id)
    if known is None or bool(_wrong_unit(before, zone)) is bool(_wrong_unit(draft.image.get(zone.device), zone)):
        return
    _take(draft, zone, replace(known, next_at=draft.now))
    due(wiring, draft, zone.id)


def due(wiring: Wiring, draft: Draft, zone_id: str) -> None:
    """A new day, a new horizon, an answer that never came, or the next look at the controller."""
    zone, known = wiring.site.zones.get(zone_id), _known(draft, zone_id)
    if zone is None or zone.delegate is None or known is None:
        return
    known = _renewed(draft, zone, zone.delegate, known)
    if wrong := _wrong_unit(draft.image.get(zone.device), zone):
        later = replace(known, in_flight=None, next_at=draft.now + zone.delegate.check)
        known = _refused(wiring, draft, zone, later, wrong)
    elif known.in_flight is not None and known.in_flight <= draft.now:
        known = _failed(draft, zone, replace(known, in_flight=None), "no answer in time", wiring)
    if known.in_flight is None and known.next_at <= draft.now and _answers(draft, zone.device):
        known = _asked(wiring, draft, zone, zone.delegate, known)
    draft.rearrange.add(_key(zone))
    _take(draft, zone, known)


def heard(wiring: Wiring, draft: Draft, answer: ScheduleSeen | PushResult) -> None:
    """What a controller holds, or what became of a push."""
    zone = next((zone for zone in wiring.site.zones.values() if ref_of(zone) == answer.ref), None)
    known = None if zone is None else _known(draft, zone.id)
    if zone is None or zone.delegate is None or known is None:
        return
    known = replace(known, in_flight=None)
    if _wrong_unit(draft.image.get(zone.device), zone):
        pass  # whatever it holds: refused below
    elif isinstance(answer, PushResult):
        known = _pushed(wiring, draft, zone, zone.delegate, known, answer)
    elif answer.agenda is None:
        known = _failed(draft, zone, known, answer.cause, wiring)
    elif found := differences(known.compiled.agenda, answer.agenda, _today(zone, draft.now)):
        known = _differs(wiring, draft, zone, zone.delegate, known, answer.agenda, "; ".join(found))
    else:
        known = _agrees(wiring, draft, zone, zone.delegate, known)
    _take(draft, zone, known)
    due(wiring, draft, zone.id)


def own(draft: Draft, zone: Zone, planned: Slot | None) -> Slot | None:
    """The plan's wish as the controller's own schedule holds it; ``planned`` itself where that must be written."""
    known = _known(draft, zone.id)
    if planned is None or zone.delegate is None or known is None or not rules(known):
        return planned
    agenda = known.compiled.agenda
    ruling = value_at(agenda.timetable, _local(zone, draft.now), calendars_of(zone.delegate, agenda))
    allure = next((each for each in Allure if value_of(zone, zone.delegate, each) == ruling.value), None)
    if allure is None:
        return planned
    reason = f"{zone.delegate.schedule} of the controller, {ruling.words}: {planned.reason}"
    return Slot(Source.DELEGATED, zone.setpoints.of(allure), reason, planned.until, allure.value)


def mode_delegated(draft: Draft, zone: Zone) -> Slot | None:
    """The number of the mode that the controller's own schedule holds; None where it is commanded from here."""
    wish = own(draft, zone, draft.demands.get(_key(zone)))
    if wish is None or wish.source is not Source.DELEGATED or zone.delegate is None or not zone.delegate.modes:
        return None
    return replace(wish, value=MODE_NUMBERS[Allure(wish.allure or "")])


def rules(known: Delegated) -> bool:
    """Whether the controller's own schedule holds today's plan."""
    return known.sync is Sync.IN_SYNC and known.held_today


def ref_of(zone: Zone) -> ScheduleRef | None:
    """The objects that the plan of ``zone`` goes to."""
    if zone.delegate is None:
        return None
    return ScheduleRef(zone.device, zone.delegate.schedule, zone.delegate.calendar, zone.delegate.modes)


def facts(draft: Draft, zone: Zone) -> dict[str, object]:
    """What the zone's state says of it; None is left out."""
    known = _known(draft, zone.id)
    if known is None or zone.delegate is None:
        return {}
    left_out = known.compiled.left_out
    return {
        "delegated_to": zone.delegate.schedule,
        "delegation": known.sync.value,
        "delegation_detail": known.detail
        or (None if known.held_today else "today is not in the controller's schedule"),
        "delegation_checked": None if known.checked is None else _rfc3339(known.checked),
        "delegation_rules": rules(known),
        "not_delegated_days": len(left_out),
        "not_delegated": [str(day) for day in left_out[:_NAMED_DAYS]] or None,
        "simplified_days": list(known.compiled.simplified) or None,
    }


def _sync_of(draft: Draft, zone: Zone, delegation: Delegation, compiled: Compiled) -> Sync:
    """What is known of the controller from before; it is looked at in any case."""
    kept = draft.kept.get(_name(zone))
    if kept == _EDITED and delegation.drift is Drift.TELL:
        return Sync.DRIFTED
    digest = _digest(compiled.agenda)
    if kept is not None and kept.startswith(f"{_KEPT_OTHERWISE} {digest} "):
        return Sync.REFUSED
    return Sync.IN_SYNC if kept == digest else Sync.PENDING


def _renewed(draft: Draft, zone: Zone, delegation: Delegation, known: Delegated) -> Delegated:
    """Under a new day see whether it is held; once a day move the horizon."""
    today = _today(zone, draft.now)
    if today != known.day:
        known = replace(known, day=today, held_today=is_held(zone, delegation, known.compiled.agenda, today))
    if draft.now < _renewal_after(zone, known.compiled_at):
        return known
    compiled = compile_plan(zone, delegation, today)
    held = is_held(zone, delegation, compiled.agenda, today)
    anew = replace(known, compiled=compiled, compiled_at=draft.now, held_today=held)
    edited = known.sync is Sync.DRIFTED and delegation.drift is Drift.TELL
    if edited:
        return anew
    if not differences(compiled.agenda, known.compiled.agenda, today):
        _remember(draft, zone, anew)
        return anew
    return replace(anew, sync=Sync.PENDING, push=True, next_at=draft.now, detail="", otherwise="")


def _asked(wiring: Wiring, draft: Draft, zone: Zone, delegation: Delegation, known: Delegated) -> Delegated:
    ref = ScheduleRef(zone.device, delegation.schedule, delegation.calendar, delegation.modes)
    answer_s = max(_ANSWER_S, _ANSWER_REAL_S * wiring.site.timing.speed)
    known = replace(known, in_flight=draft.now + timedelta(seconds=answer_s))
    if not known.push:
        draft.errands.append(Look(ref))
        return known
    agenda = known.compiled.agenda
    setpoint = None if delegation.modes else _setpoint(zone)
    draft.errands.append(Push(ref, agenda, _today(zone, draft.now), setpoint))
    return replace(known, sent=agenda, otherwise="")


def _pushed(
    wiring: Wiring, draft: Draft, zone: Zone, delegation: Delegation, known: Delegated, result: PushResult
) -> Delegated:
    if result.outcome is Outcome.REJECTED:
        return _refused(wiring, draft, zone, replace(known, next_at=draft.now + delegation.check), result.detail)
    if result.seen is None:
        return _failed(draft, zone, known, result.detail, wiring)
    agenda, today = known.compiled.agenda, _today(zone, draft.now)
    found = differences(agenda, result.seen, today)
    if not found:
        draft.event("schedule-pushed", _key(zone), schedule=delegation.schedule)
        return replace(_agrees(wiring, draft, zone, delegation, known), pushed=draft.now)
    if result.outcome is Outcome.APPLIED or known.sent is None or differences(agenda, known.sent, today):
        return replace(known, sync=Sync.PENDING, push=True, next_at=draft.now + _AGAIN)  # of an older plan
    known = replace(known, pushed=draft.now, next_at=draft.now + SETTLES)
    return _otherwise(wiring, draft, zone, known, result.seen, "; ".join(found))


def _otherwise(wiring: Wiring, draft: Draft, zone: Zone, known: Delegated, seen: Agenda, words: str) -> Delegated:
    """It takes the plan and makes something else of it: only looked at, until one of the two is another one."""
    known = replace(known, otherwise=_digest(seen), checked=draft.now, failures=0)
    return _refused(wiring, draft, zone, known, f"{_KEPT_OTHERWISE}: {words}")


def _agrees(wiring: Wiring, draft: Draft, zone: Zone, delegation: Delegation, known: Delegated) -> Delegated:
    _alarm(wiring, draft, zone, "scheduleDrift")
    _alarm(wiring, draft, zone, "scheduleRefused")
    known = replace(
        known, sync=Sync.IN_SYNC, push=False, detail="", otherwise="", failures=0, checked=draft.now,
        next_at=draft.now + delegation.check,
    )  # fmt: skip
    _remember(draft, zone, known)
    return known


def _differs(
    wiring: Wiring, draft: Draft, zone: Zone, delegation: Delegation, known: Delegated, seen: Agenda, words: str
) -> Delegated:
    """Ours that somebody changed is drift; what never was ours is pushed at once; what it keeps otherwise is not."""
    known = replace(known, checked=draft.now, failures=0)
    if known.otherwise == _digest(seen):
        return _otherwise(wiring, draft, zone, replace(known, next_at=draft.now + delegation.check), seen, words)
    if known.otherwise:
        return replace(known, push=True, next_at=_earliest(draft, known))
    if known.sync not in (Sync.IN_SYNC, Sync.DRIFTED):
        return replace(known, push=True, next_at=draft.now)
    if known.sync is Sync.IN_SYNC:
        draft.event("schedule-drift", _key(zone), schedule=delegation.schedule, detail=words)
    draft.keep(_name(zone), _EDITED)
    _alarm(wiring, draft, zone, "scheduleDrift", f"{delegation.schedule} was changed: {words}")
    drifted = replace(known, sync=Sync.DRIFTED, detail=words)
    if delegation.drift is Drift.TELL:
        return replace(drifted, push=False, next_at=draft.now + delegation.check)
    return replace(drifted, push=True, next_at=_earliest(draft, known))


def _earliest(draft: Draft, known: Delegated) -> datetime:
    """When what somebody changed may be pushed away."""
    settled = draft.now + SETTLES
    return settled if known.pushed is None else max(settled, known.pushed + PUSHED_AT_MOST_EVERY)


def _failed(draft: Draft, zone: Zone, known: Delegated, cause: str, wiring: Wiring) -> Delegated:
    """No answer to this: again soon, and later each time; what was known of the controller stands for a while."""
    failures = known.failures + 1
    known = replace(known, failures=failures, next_at=draft.now + _AGAIN * 2.0 ** min(failures - 1, 6))
    return _refused(wiring, draft, zone, known, cause) if failures >= _PATIENCE else known


def _refused(wiring: Wiring, draft: Draft, zone: Zone, known: Delegated, cause: str) -> Delegated:
    _alarm(wiring, draft, zone, "scheduleRefused", f"supervised instead: {cause}")
    known = replace(known, sync=Sync.REFUSED, detail=cause, push=not known.otherwise)
    _remember(draft, zone, known)
    return known


def _remember(draft: Draft, zone: Zone, known: Delegated) -> None:
    """Keep over a restart what is known of the controller: it holds the plan, or what it makes of it."""
    digest = _digest(known.compiled.agenda)
    if known.sync is Sync.IN_SYNC:
        draft.keep(_name(zone), digest)
    elif known.sync is Sync.REFUSED:
        draft.keep(_name(zone), f"{_KEPT_OTHERWISE} {digest} {known.otherwise}" if known.otherwise else None)


def _take(draft: Draft, zone: Zone, known: Delegated) -> None:
    """Remember it and say when to look again."""
    before = _known(draft, zone.id)
    draft.rooms[zone.id] = replace(draft.rooms.get(zone.id) or Room(), delegated=known)
    if before is None or before.sync is not known.sync or before.held_today is not known.held_today:
        draft.rearrange.add(_key(zone))
    draft.changed.add(_key(zone))
    ahead = [_midnight_after(zone, draft.now), _renewal_after(zone, known.compiled_at)]
    if known.in_flight is not None:
        ahead.append(known.in_flight)
    elif _answers(draft, zone.device):
        ahead.append(known.next_at)
    change = _change_after(zone, known, draft.now)
    draft.schedule(f"delegation/{zone.id}", min(ahead if change is None else [*ahead, change]))


def _change_after(zone: Zone, known: Delegated, now: datetime) -> datetime | None:
    """When the controller's own schedule changes next, within a day."""
    if zone.delegate is None or not rules(known):
        return None
    agenda = known.compiled.agenda
    local = next_change(agenda.timetable, _local(zone, now), calendars_of(zone.delegate, agenda), within_days=1)
    if local is None:
        return None
    found = local.replace(tzinfo=zone.occupancy.zone).astimezone(UTC)
    return found if found > now else None


def _alarm(wiring: Wiring, draft: Draft, zone: Zone, event: str, detail: str = "") -> None:
    """Raise it with its words, or clear it without any."""
    wanted = condition(wiring.site.timing, event, detail=detail) if detail else Condition(event, False, persist_s=0.0)
    follow(wiring, draft, _key(zone), wanted)


def _known(draft: Draft, zone_id: str) -> Delegated | None:
    room = draft.rooms.get(zone_id)
    return None if room is None else room.delegated


def _wrong_unit(image: DeviceImage | None, zone: Zone) -> str:
    """Why no degrees C may stand in the controller's schedule; empty where they may, or it holds modes."""
    fault = None if image is None else image.faults.get(_setpoint(zone))
    if fault is None or not fault.cause.startswith(WRONG_UNIT) or (zone.delegate is not None and zone.delegate.modes):
        return ""
    return f"{_setpoint(zone)}: {fault.cause}"


def _setpoint(zone: Zone) -> str:
    return f"zone.{zone.number}.setpoint"


def _answers(draft: Draft, device: str) -> bool:
    image = draft.image.get(device)
    return image is not None and image.online and image.heard is not None


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _local(zone: Zone, at: datetime) -> datetime:
    return at.astimezone(zone.occupancy.zone).replace(tzinfo=None)


def _today(zone: Zone, at: datetime) -> date:
    return at.astimezone(zone.occupancy.zone).date()


def _midnight_after(zone: Zone, at: datetime) -> datetime:
    return at_local(_today(zone, at) + _DAY, time(0), zone.occupancy.zone)


def _renewal_after(zone: Zone, at: datetime) -> datetime:
    """The next hour of renewal of this zone after ``at``."""
    spread = timedelta(seconds=zlib.crc32(zone.id.encode()) % _SPREAD_S)
    today = _today(zone, at)
    first = at_local(today, _RENEWED_AT, zone.occupancy.zone) + spread
    return first if first > at else at_local(today + _DAY, _RENEWED_AT, zone.occupancy.zone) + spread


def _digest(agenda: Agenda) -> str:
    return hashlib.sha256(repr(agenda).encode()).hexdigest()


def _key(zone: Zone) -> str:
    return f"zone/{zone.id}"


def _name(zone: Zone) -> str:
    return f"delegation/{zone.id}"
