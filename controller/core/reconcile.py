"""Desired against observed: level-triggered, only differences are written, every write is judged by reading back.

A missed instant is harmless: whatever happened (restart, outage, a hand at the device, a late answer), the
output is compared again with each reading and written again until the wire says what the array says.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from controller.core import leases, owed
from controller.core.arbitration import Priority, PriorityArray
from controller.core.drive import told_level
from controller.core.heating import mode_delegated, plant_array, zone_array
from controller.core.lighting import lamp_array, segment_array
from controller.core.retries import kept_after, same, stirred, wait_s
from controller.core.state import Draft, Output, Slots, WriteState
from controller.core.wiring import Kind, Target, Wiring
from drivers.api import Outcome, Reading, Write, WriteResult

_SHORT = timedelta(seconds=5)
"""A command waits for its result so long when its contactor has to wait."""
_AWAY = "the device does not answer; written when it returns"
_OUTCOMES = {
    Outcome.APPLIED: WriteState.APPLIED,
    Outcome.MASKED: WriteState.MASKED,
    Outcome.REJECTED: WriteState.REJECTED,
    Outcome.NO_FEEDBACK: WriteState.NO_FEEDBACK,
}


def array_of(wiring: Wiring, draft: Draft, target: Target) -> PriorityArray:
    """The priority array of one commanded point."""
    if target.kind is Kind.LAMP:
        return lamp_array(wiring, draft, target.id)
    if target.kind is Kind.SEGMENT:
        return segment_array(wiring, draft, target.id)
    if target.kind is Kind.ZONE:
        return zone_array(wiring, draft, target.id)
    delegated = mode_delegated(draft, wiring.site.zones[target.id]) if target.kind is Kind.MODE else None
    if delegated is not None:
        return PriorityArray((delegated,))
    return plant_array(wiring, draft, target)


def arrange(wiring: Wiring, draft: Draft, target: Target) -> bool:
    """Work out what the point shall hold; when that changed, pursue it. Returns whether the value changed."""
    wanted = _wanted(wiring, draft, target, array_of(wiring, draft, target))
    output = draft.outputs.get(target.key)
    draft.changed.add(target.entity)
    if target.key in wiring.nodeless_of:
        draft.changed.update(wiring.nodeless_of[target.key])
    if output is not None and output.slots == wanted:
        if output.command_id and output.in_flight is None and _is_away(draft, target):
            _owe_pending(draft, target, output, _AWAY)
        else:
            _settle_owed(draft, target, output)
        return False
    if output is None:
        fresh = Output(wanted, draft.now)
    else:
        fresh = Output(
            wanted, draft.now, command_id=output.command_id, in_flight=output.in_flight,
            held=output.held, held_since=output.held_since,
        )  # fmt: skip
    draft.outputs[target.key] = fresh
    pursue(wiring, draft, target, fresh)
    return True


def pursue(wiring: Wiring, draft: Draft, target: Target, output: Output) -> None:
    """Write what the device does not hold; without an observation yet, wait for one."""
    device = draft.image.get(target.device)
    reading = device.readings.get(target.command) if device is not None else None
    if device is None or not device.online:
        _owe_pending(draft, target, output, _AWAY)
        return
    if reading is None and target.command not in device.faults:
        return
    agrees = reading is not None and _agrees(target, output.slots, reading)
    if reading is not None and agrees and output.in_flight is None and not output.reassert:
        _confirm(wiring, draft, target, output, reading)
        return
    if output.not_before is not None and draft.now < output.not_before:
        draft.schedule(f"output/{target.key}", output.not_before)
        return
    _write(wiring, draft, target, output, reading)


def written(wiring: Wiring, draft: Draft, result: WriteResult) -> None:
    """Take up the outcome of a write."""
    if leases.freed(wiring, draft, result):
        return
    target = wiring.commanded.get((result.write.point.device, result.write.point.point))
    output = draft.outputs.get(target.key) if target is not None else None
    if target is None or output is None:
        return
    if (result.write.priority, result.write.value) not in output.slots:
        _overtaken(wiring, draft, target, output, result)
        return
    if result.outcome is Outcome.APPLIED or _hidden_by_ourselves(output.slots, result):
        leases.remember(draft, target, result.write, array_of(wiring, draft, target))
        if len(output.slots) > 1 and result.observed is not None and not _agrees(target, output.slots, result.observed):
            return  # the sibling slot's own result is still to come
        _confirm(wiring, draft, target, output._replace(in_flight=None), result.observed)
        return
    if result.write.value is None and output.write is WriteState.REJECTED and result.outcome is Outcome.NO_FEEDBACK:
        return  # a slot that is freed beside a refused value tells nothing new
    if result.outcome is Outcome.MASKED:
        leases.remember(draft, target, result.write, array_of(wiring, draft, target))
    _note_failure(wiring, draft, target, output, result)


def _overtaken(wiring: Wiring, draft: Draft, target: Target, output: Output, result: WriteResult) -> None:
    """An older value's outcome; that of the newer write follows. What a contactor did counts for its least times."""
    if target.kind is not Kind.SEGMENT or result.outcome is not Outcome.APPLIED:
        return
    if result.write.value != output.held:
        output = output._replace(held=result.write.value, held_since=draft.now)
    waiting = output.not_before is not None and output.in_flight is None
    draft.outputs[target.key] = output._replace(not_before=None) if waiting else output
    if waiting:
        pursue(wiring, draft, target, draft.outputs.get(target.key) or output)


def observed(wiring: Wiring, draft: Draft, target: Target, reading: Reading) -> None:
    """Compare a fresh reading of a commanded point with what is wanted."""
    output = draft.outputs.get(target.key)
    if output is None or output.in_flight is not None:
        return
    if output.write is WriteState.APPLIED and _agrees(target, output.slots, reading):
        mask = _mask(target, output.slots, reading)
        if mask != output.masked_by:
            _confirm(wiring, draft, target, output, reading)
        return
    pursue(wiring, draft, target, stirred(target, output, reading))


def unreadable(wiring: Wiring, draft: Draft, target: Target) -> None:
    """A commanded point has no usable value: what is wanted of it is tried once, so that its refusal has a name."""
    output = draft.outputs.get(target.key)
    if output is not None and output.in_flight is None and output.write is WriteState.PENDING:
        pursue(wiring, draft, target, output)


def lost(draft: Draft, target: Target) -> None:
    """The device went silent: whatever was on its way is in doubt and will be asserted on its return."""
    output = draft.outputs.get(target.key)
    if output is not None:
        if output.command_id:
            _owe_pending(draft, target, output, _AWAY)
            output = draft.outputs.get(target.key) or output
        draft.outputs[target.key] = output._replace(
            write=WriteState.PENDING, in_flight=None, not_before=None, reassert=True, kept=None
        )
        draft.changed.add(target.entity)


def output_due(wiring: Wiring, draft: Draft, key: str) -> None:
    """Periodic re-assertion, a retry whose time has come, or an outcome that never came."""
    target, output = wiring.targets.get(key), draft.outputs.get(key)
    if target is None or output is None:
        return
    if output.in_flight is not None:
        if draft.now < output.in_flight:
            draft.schedule(f"output/{key}", output.in_flight)
            return
        output = output._replace(in_flight=None, write=WriteState.NO_FEEDBACK, detail=_unseen(draft, target, output))
        draft.changed.add(target.entity)
    device = draft.image.get(target.device)
    if device is None or not device.online:
        draft.outputs[key] = output
        return
    _write(wiring, draft, target, output, device.readings.get(target.command))


def _unseen(draft: Draft, target: Target, output: Output) -> str:
    """Why nobody knows what became of a write: a device that takes it may have no array to show it in."""
    device = draft.image.get(target.device)
    reading = None if device is None else device.readings.get(target.command)
    wanted = [value for _, value in output.slots if value is not None]
    if target.prioritised and reading is not None and not reading.slots and any(
        abs(reading.value - value) <= target.tolerance for value in wanted
    ):  # fmt: skip
        return "the device shows no priority array: commandable: false and restore are for it"
    return "no outcome in time"


def _wanted(wiring: Wiring, draft: Draft, target: Target, array: PriorityArray) -> Slots:
    if not target.prioritised:
        value = array.present_value
        if target.kind is Kind.LAMP:
            value = told_level(draft, wiring.site.lamps[target.id], value)
        return ((int(Priority.PLAN), value),)
    automatic, override, frost = array.automatic, array.at(Priority.OVERRIDE), array.at(Priority.FROST)
    if target.frost_slot:
        return ((int(Priority.PLAN), automatic), (int(Priority.OVERRIDE), override), (int(Priority.FROST), frost))
    if frost is not None:  # without a slot of its own it goes with the others, none of which may be colder
        automatic = frost if automatic is None else max(automatic, frost)
        override = None if override is None else max(override, frost)
    return ((int(Priority.PLAN), automatic), (int(Priority.OVERRIDE), override))


def _agrees(target: Target, slots: Slots, reading: Reading) -> bool:
    if not target.prioritised:
        value = slots[0][1]
        tolerance = max(target.tolerance, target.relative_tolerance * abs(value or 0.0))
        return value is not None and abs(reading.value - value) <= tolerance
    held = dict(reading.slots)
    return all(same(held.get(priority), value, target.tolerance) for priority, value in slots)


def _mask(target: Target, slots: Slots, reading: Reading | None) -> int | None:
    """The stronger priority of somebody else that hides our value, if any."""
    if not target.prioritised or reading is None:
        return None
    ours = min((priority for priority, value in slots if value is not None), default=Priority.PLAN)
    return next((p for p, _ in sorted(reading.slots) if p < ours and p not in dict(slots)), None)


def _hidden_by_ourselves(slots: Slots, result: WriteResult) -> bool:
    """Whether the stronger value that hides a written slot is our own override."""
    return result.outcome is Outcome.MASKED and dict(slots).get(result.masked_by or 0) is not None


def _differing(target: Target, slots: Slots, reading: Reading | None) -> Slots:
    if reading is None or not target.prioritised:
        return slots if target.prioritised else slots[:1]
    held = dict(reading.slots)
    differing = tuple(s for s in slots if not same(held.get(s[0]), s[1], target.tolerance))
    return differing or tuple(slot for slot in slots if slot[1] is not None)


def _write(wiring: Wiring, draft: Draft, target: Target, output: Output, reading: Reading | None) -> None:
    wait, why = _held_back(wiring, draft, target, output, reading)
    if wait is not None:
        # What was on its way is an older value's; the new one waits, and nobody may miss its outcome.
        held_back = output._replace(not_before=wait, detail=why, in_flight=None)
        if held_back.command_id and wait - draft.now > _SHORT:
            owed.settle(draft, target.key, held_back.command_id, WriteState.PENDING.value, why)
            held_back = held_back._replace(command_id="")
        draft.outputs[target.key] = held_back
        draft.schedule(f"output/{target.key}", wait)
        return
    deadline = draft.now + timedelta(seconds=wiring.site.timing.feedback_s)
    slots = _differing(target, output.slots, reading)
    for priority, value in slots:
        draft.writes.append(Write(target.point, value, priority))
    draft.outputs[target.key] = output._replace(in_flight=deadline, attempts=output.attempts + 1, reassert=False)
    draft.schedule(f"output/{target.key}", deadline)


def _held_back(
    wiring: Wiring, draft: Draft, target: Target, output: Output, reading: Reading | None
) -> tuple[datetime | None, str]:
    """Until when a contactor must wait: its least time on or off, and its turn in a staggered cabinet."""
    if target.kind is not Kind.SEGMENT:
        return None, ""
    wanted = output.slots[0][1]
    limited = target.min_on_s > 0.0 or target.min_off_s > 0.0
    if limited and output.in_flight is not None and draft.now < output.in_flight:
        return output.in_flight, "an earlier command is still on its way"
    closed = output.held if output.held_since is not None else None
    if closed is not None and output.held_since is not None and wanted != closed:
        limit_s, word = (target.min_on_s, "on") if closed else (target.min_off_s, "off")
        end = output.held_since + timedelta(seconds=limit_s)
        if draft.now < end:
            return end, f"least time {word} of {limit_s:g} s"
    if not wanted or (reading is not None and reading.value == wanted):
        return None, ""
    cabinet = wiring.site.segments[target.id].cabinet
    return _turn(draft, cabinet, wiring.site.cabinets[cabinet].stagger_s, takes=output.attempts == 0)


def _turn(draft: Draft, cabinet: str, stagger_s: float, *, takes: bool) -> tuple[datetime | None, str]:
    """When the next contactor of the cabinet may close. A repeat waits too, but takes nobody's turn."""
    if stagger_s <= 0.0:
        return None, ""
    last = draft.closings.get(cabinet)
    turn = draft.now if last is None else last + timedelta(seconds=stagger_s)
    if draft.now < turn:
        return turn, "waits for its turn: contactors of a cabinet close one after the other"
    if takes:
        draft.closings[cabinet] = draft.now
    return None, ""


def _confirm(wiring: Wiring, draft: Draft, target: Target, output: Output, reading: Reading | None) -> None:
    if target.prioritised:
        leases.compared(draft, target, reading)
    mask = _mask(target, output.slots, reading)
    state = WriteState.APPLIED if mask is None else WriteState.MASKED
    detail = "" if mask is None else f"masked by priority {mask}"
    if mask is not None and output.masked_by != mask:
        draft.event("output-masked", target.key, masked_by=mask)
    settled = output._replace(
        write=state,
        detail=detail,
        masked_by=mask,
        attempts=0,
        in_flight=None,
        not_before=None,
        kept=None,
    )
    value = output.slots[0][1]
    if target.kind is Kind.SEGMENT and value != output.held:
        settled = settled._replace(held=value, held_since=draft.now)
    _settle_owed(draft, target, settled)
    draft.outputs[target.key] = settled._replace(command_id="")
    draft.schedule(f"output/{target.key}", draft.now + timedelta(seconds=wiring.site.timing.reassert_s))
    draft.changed.add(target.entity)


def _note_failure(wiring: Wiring, draft: Draft, target: Target, output: Output, result: WriteResult) -> None:
    state = _OUTCOMES[result.outcome]
    detail = f"masked by priority {result.masked_by}" if result.masked_by else result.detail
    if state is not output.write:
        draft.event(f"output-{state}", target.key, detail=detail, masked_by=result.masked_by)
    failed = output._replace(
        write=state, detail=detail, masked_by=result.masked_by, in_flight=None,
        kept=kept_after(target, output, result),
    )  # fmt: skip
    retry_at = draft.now + timedelta(seconds=wait_s(wiring.site.timing, failed))
    failed = failed._replace(not_before=retry_at)
    _settle_owed(draft, target, failed)
    draft.outputs[target.key] = failed._replace(command_id="")
    draft.schedule(f"output/{target.key}", retry_at)
    draft.changed.add(target.entity)


def _is_away(draft: Draft, target: Target) -> bool:
    device = draft.image.get(target.device)
    return device is None or not device.online


def _settle_owed(draft: Draft, target: Target, output: Output) -> None:
    """Give the result that a command waits for, once the wire has spoken."""
    if not output.command_id or output.in_flight is not None:
        return
    if output.write is WriteState.PENDING:
        return
    owed.settle(draft, target.key, output.command_id, output.write.value, output.detail)
    draft.outputs[target.key] = output._replace(command_id="")


def _owe_pending(draft: Draft, target: Target, output: Output, detail: str) -> None:
    if output.command_id:
        owed.settle(draft, target.key, output.command_id, "pending", detail)
    draft.outputs[target.key] = output._replace(write=WriteState.PENDING, detail=detail, command_id="")
