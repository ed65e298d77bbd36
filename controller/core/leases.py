"""Leases: every slot or value that this house holds in a device, who holds it, why, since when, until when.

A lease begins when a write was read back, is renewed by every re-assertion, and ends when the point was read back
relinquished (or with its restore value): by the plan, or at the next start where nobody wants it any more. They are on
disk, so that a crash leaves nothing behind for ever.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from config.site import Building
from controller.core.arbitration import Priority, PriorityArray, Slot
from controller.core.stack import rfc3339
from controller.core.state import Draft
from controller.core.wiring import Kind, Target, Wiring
from drivers.api import Outcome, PointId, Reading, Write, WriteResult

_OURS = (Priority.FROST, Priority.OVERRIDE, Priority.PLAN)
_SETTLES = timedelta(seconds=5)
"""When a device comes back, the outcome of what was written at the start may be on its way."""


@dataclass(frozen=True, slots=True)
class Lease:
    """One held slot; ``priority`` 13 stands for the value of a point without a priority array, too."""

    device: str
    point: str
    priority: int
    value: float
    owner: str
    reason: str
    since: str
    until: str | None


def held_key(target: Target, priority: int) -> str:
    """The name of a held slot in the journal."""
    return f"{target.device}/{target.command}@{int(priority)}"


def remember(draft: Draft, target: Target, write: Write, array: PriorityArray) -> None:
    """A write was read back: the slot is ours from now on, or not any more."""
    if not target.prioritised and target.restore is None:
        return
    key = held_key(target, write.priority)
    if write.value is None:
        _forget(draft, key)
        return
    if draft.held.get(key) != write.value and (target.kind is not Kind.HEARTBEAT or key not in draft.held):
        draft.held[key] = write.value
        draft.journal_held[key] = write.value
    owner = _owner(array, write.priority)
    if owner is not None:
        _sign(draft, key, target.kind, write.value, owner)


def compared(draft: Draft, target: Target, reading: Reading | None) -> None:
    """A priority array was read: what nobody wants in it and is not there is ours no more, whoever freed it."""
    if reading is None or not reading.slots:
        return  # an array that could not be read looks like an empty one
    output = draft.outputs.get(target.key)
    wanted, shown = dict(output.slots) if output is not None else {}, dict(reading.slots)
    for priority in _OURS:
        key = held_key(target, priority)
        if key in draft.held and wanted.get(int(priority)) is None and priority not in shown:
            _forget(draft, key)


def may_hold(draft: Draft, target: Target, priority: Priority) -> bool:
    """Whether the slot has our value, or may have it in a moment: a write is known to be there only when read back."""
    output = draft.outputs.get(target.key)
    wanted = dict(output.slots).get(int(priority)) if output is not None else None
    return wanted is not None or held_key(target, priority) in draft.held


def farewell(wiring: Wiring, draft: Draft) -> list[Write]:
    """What is written on a clean stop: held BACnet slots go back, other outputs stay as they are."""
    writes: list[Write] = []
    for target in wiring.targets.values():
        if target.prioritised:
            ours = (priority for priority in _OURS if may_hold(draft, target, priority))
            writes.extend(Write(target.point, None, priority) for priority in ours)
        elif target.restore is not None:
            writes.append(Write(target.point, target.restore, Priority.PLAN))
    return writes


def let_go(wiring: Wiring, draft: Draft) -> None:
    """At a start: free what an earlier run held and nobody wants any more; without an array the restore value goes.

    Forgotten when read back, until then written again. What a device holds that the site no longer has stays on the
    list until the device is there again; of a point that its profile no longer has nothing can be said.
    """
    for key in list(draft.held):
        device, point, _ = _parts(key)
        if device in wiring.site.devices and not wiring.has(device, point):
            _forget(draft, key)
    for device in dict.fromkeys(_parts(key)[0] for key in draft.held):
        for key in _unwanted(wiring, draft, device):
            _, point, priority = _parts(key)
            draft.event("lease-let-go", f"device/{device}", point=point, priority=priority, owner=_owner_of(draft, key))
        _free(wiring, draft, device)


def returned(wiring: Wiring, draft: Draft, device: str) -> None:
    """``device`` answers, for the first time or again: what is still to be freed there is written in a moment."""
    if _unwanted(wiring, draft, device):
        draft.schedule(f"lease/{device}", draft.now + _SETTLES)


def due(wiring: Wiring, draft: Draft, device: str) -> None:
    """``lease/<device>``: write again what was not freed; a device that is silent has it when it comes back."""
    image = draft.image.get(device)
    if image is not None and image.online:
        _free(wiring, draft, device)


def freed(wiring: Wiring, draft: Draft, result: WriteResult) -> bool:
    """Take up the outcome of a write that let go of a slot which nobody wants; False: it was another write."""
    if result.write.value is not None:
        return False
    device, point = result.write.point.device, result.write.point.point
    key = f"{device}/{point}@{result.write.priority}"
    if key not in draft.held or not _is_unwanted(wiring, draft, key):
        return False
    if result.outcome is Outcome.APPLIED:
        _forget(draft, key)
        draft.changed.update(wiring.entities_of[device])
    return True


def standing(draft: Draft) -> Iterator[Lease]:
    """Everything that is held now."""
    for key in sorted(draft.held):
        device, point, priority = _parts(key)
        found = _document(draft, key)
        owner, reason, since = (str(found.get(name, "")) for name in ("owner", "reason", "since"))
        until = found.get("until")
        yield Lease(
            device,
            point,
            priority,
            draft.held.get(key) or 0.0,
            owner,
            reason,
            since,
            None if until is None else str(until),
        )


def count(draft: Draft, wiring: Wiring, building: Building) -> int:
    """How many are held in the devices of a building."""
    devices = {building.device, *(wiring.site.zones[zone].device for zone in building.zones)}
    return sum(1 for key in draft.held if _parts(key)[0] in devices)


def _sign(draft: Draft, key: str, kind: Kind, value: float, owner: Slot) -> None:
    """Write down who holds it. The words of a reason may move with the weather: only a new value or owner is news."""
    before = _document(draft, key)
    renewed = before.get("owner") == owner.source.value and (before.get("value") == value or kind is Kind.HEARTBEAT)
    until = None if owner.until is None or kind is Kind.HEARTBEAT else rfc3339(owner.until)
    if renewed and before.get("until") == until:
        return
    since = before.get("since") if renewed else rfc3339(draft.now)
    document = {"owner": owner.source.value, "reason": owner.reason, "value": value, "since": since, "until": until}
    if owner.by:
        document["by"] = owner.by
    draft.keep(_name(key), json.dumps(document, ensure_ascii=False))


def _owner(array: PriorityArray, priority: int) -> Slot | None:
    """The wish that fills a slot of the device: slot 13 has what was resolved among all automatic ones."""
    if priority == Priority.PLAN:
        automatic = (s for s in array.slots if Priority.PRESENCE <= s.priority <= Priority.PLAN)
        return next(automatic, array.winner)
    return next((slot for slot in array.slots if slot.priority == priority), None)


def _free(wiring: Wiring, draft: Draft, device: str) -> None:
    """Relinquish what nobody wants, and again with the next re-assertion unless that was read back by then."""
    unwanted = _unwanted(wiring, draft, device)
    for key in unwanted:
        _, point, priority = _parts(key)
        draft.writes.append(Write(PointId(device, point), None, priority))
    if unwanted:
        draft.schedule(f"lease/{device}", draft.now + timedelta(seconds=wiring.site.timing.reassert_s))


def _unwanted(wiring: Wiring, draft: Draft, device: str) -> list[str]:
    """What is held in a device, and no output of this site is about."""
    return [key for key in draft.held if key.startswith(f"{device}/") and _is_unwanted(wiring, draft, key)]


def _is_unwanted(wiring: Wiring, draft: Draft, key: str) -> bool:
    device, point, priority = _parts(key)
    if device not in wiring.site.devices or not wiring.has(device, point):
        return False
    target = wiring.commanded.get((device, point))
    return target is None or priority not in _slots_of(draft, target)


def _slots_of(draft: Draft, target: Target) -> tuple[int, ...]:
    output = draft.outputs.get(target.key)
    return () if output is None else tuple(priority for priority, _ in output.slots)


def _owner_of(draft: Draft, key: str) -> str | None:
    owner = _document(draft, key).get("owner")
    return None if owner is None else str(owner)


def _forget(draft: Draft, key: str) -> None:
    draft.held.drop(key)
    draft.journal_held[key] = None
    draft.keep(_name(key), None)


def _document(draft: Draft, key: str) -> dict[str, object]:
    try:
        found = json.loads(draft.kept.get(_name(key)) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _name(key: str) -> str:
    return f"lease/{key}"


def _parts(key: str) -> tuple[str, str, int]:
    place, _, priority = key.rpartition("@")
    device, _, point = place.partition("/")
    return device, point, int(priority)
