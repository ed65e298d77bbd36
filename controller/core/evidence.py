"""What was commanded and what is measured, brought into the ledgers as it changes.

Lit is what draws power, dark what does not; a lamp whose contactor is open is dark, whatever its node says or does not
say. Without power to go by the node's level counts, without a node the contactor's auxiliary contact. A value that is
stale, in doubt or missing is none: unknown is never counted as dark nor as lit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from config.site import LampType
from controller.core.dynamic import target_of
from controller.core.image import NOTHING_HEARD, DeviceImage
from controller.core.ledger import Intervention, OpenLedger, Seen, Wanted, state_of
from controller.core.lighting import group_array
from controller.core.membership import Member
from controller.core.state import Draft, Event
from controller.core.wiring import Wiring
from drivers.api import Quality

_LIT_SHARE = 0.2
"""A lamp that should be lit and draws less than this share of its power is dark."""
_BURNING_W, _BURNING_SHARE = 6.0, 0.1
"""One that should be dark and draws more than both is lit."""
_NOBODY = state_of(Wanted.NOBODY, Seen.LIT)
_RELIGHTS = frozenset({"relight-set", "relight-ended"})
_BEGUN = frozenset({"override-set", "relight-set", "maintenance-set"})
_ENDED = frozenset({"override-ended", "override-released", "relight-ended", "maintenance-ended"})


def commanded(wiring: Wiring, draft: Draft, keys: Iterable[str]) -> None:
    """These outputs shall do something else."""
    of_target, output_of = wiring.membership.of_target, draft.outputs.get
    changes: defaultdict[str, list[tuple[str, bool]]] = defaultdict(list)
    for key in keys:
        members = of_target.get(key)
        if members is not None:
            output = output_of(key)
            lit = output is not None and bool(output.slots[0][1])
            for group, member in members:
                changes[group].append((member, lit))
    for group, wanted in changes.items():
        ledger = draft.books.open(group)
        if ledger is not None:
            ledger.want(wanted, draft.now)


def releveled(wiring: Wiring, draft: Draft) -> None:
    """What groups as a whole are commanded changed in this cycle."""
    for touched in draft.touched_groups:
        for group in wiring.membership.groups_of(f"group/{touched}"):
            ledger = draft.books.open(group)
            if ledger is not None:
                winner = group_array(wiring, draft, group).winner
                ledger.command(winner.value, winner.reason, draft.now)
    draft.touched_groups.clear()


def heard(wiring: Wiring, draft: Draft, device: str, before: DeviceImage, image: DeviceImage) -> None:
    """A device has answered: look at the members of which it tells something new."""
    members = wiring.membership.of_device.get(device)
    if not members:
        return
    if before.silent is not None or before.heard is None:
        _look_at(wiring, draft, members, draft.now)
        return
    gone = before.heard + timedelta(seconds=wiring.stale_after_s[device])
    if gone < draft.now:
        _lose(draft, members, gone)
        _look_at(wiring, draft, members, draft.now)
        return
    changed = _told_of(wiring, device, before, image)
    if changed:
        _look_at(wiring, draft, changed, draft.now)


def grown_old(wiring: Wiring, draft: Draft, device: str) -> None:
    """Nothing was heard of a device, or of some of its points, for a while; or it went silent."""
    members = wiring.membership.of_device.get(device)
    image = draft.image.get(device)
    if not members or image is None:
        return
    gone = image.heard + timedelta(seconds=wiring.stale_after_s[device]) if image.heard is not None else draft.now
    _look_at(wiring, draft, members, min(gone, draft.now))


def noted(wiring: Wiring, draft: Draft, events: Iterable[Event]) -> None:
    """Interventions and alarms belong to the night in which they were."""
    for event in events:
        raised = event.name == "alarm" and event.facts.get("state") == "raised"
        if not raised and event.name not in _BEGUN and event.name not in _ENDED:
            continue
        for group in wiring.membership.groups_of(event.target):
            ledger = draft.books.open(group)
            if ledger is not None:
                _note(draft, ledger, event)


def standing(wiring: Wiring, draft: Draft, group: str, ledger: OpenLedger) -> None:
    """Take up the overrides that are in force at the beginning of a ledger."""
    for key in draft.overrides:
        override, target = draft.overrides.get(key), target_of(key)
        if override is None or group not in wiring.membership.groups_of(target):
            continue
        kind = "relight" if key != target else "maintenance" if override.work_order else "override"
        words = (override.by, override.reason, override.work_order)
        ledger.intervene(Intervention(override.command_id, target, kind, override.value, override.since, None, *words))


def state_now(wiring: Wiring, draft: Draft, member: Member) -> int:
    """The number of the state that a member is in at this instant."""
    return state_of(wanted_of(wiring, draft, member), seen_of(draft, member))


def wanted_of(wiring: Wiring, draft: Draft, member: Member) -> Wanted:
    """Whether a member shall be lit."""
    output = None if member.target is None else draft.outputs.get(member.target)
    if output is None:
        return Wanted.LIT if group_array(wiring, draft, member.group).present_value > 0.0 else Wanted.DARK
    return Wanted.LIT if (output.slots[0][1] or 0.0) > 0.0 else Wanted.DARK


def seen_of(draft: Draft, member: Member) -> Seen:
    """What is measured of a member at this instant."""
    fed = _fed(draft, member) if member.feedback else None
    if not member.has_node:
        return Seen.UNKNOWN if fed is None else Seen.LIT if fed else Seen.DARK
    image = draft.image.get(member.device) or NOTHING_HEARD
    if member.silent and _good(image, member.silent, draft.now, member) == 1.0:
        return Seen.DARK if fed is False else Seen.UNKNOWN
    level = _good(image, member.level, draft.now, member)
    power = _good(image, member.power, draft.now, member) if member.power else None
    if power is not None and member.type is not None and _draws(member.type, level, power):
        return Seen.LIT
    if fed is False or power is not None:
        return Seen.DARK
    return Seen.UNKNOWN if level is None else Seen.LIT if level > 0.0 else Seen.DARK


def _draws(kind: LampType, level: float | None, power: float) -> bool:
    """Whether a lamp that shows this level and power gives light."""
    if level is not None and level > 0.0:
        return power >= _LIT_SHARE * kind.expected_power_w(level)
    return power > max(_BURNING_W, _BURNING_SHARE * kind.power_w)


def _fed(draft: Draft, member: Member) -> bool | None:
    """Whether its contactor gives it mains, None where nobody knows; worked out once a cycle for all of its lamps."""
    place = (member.feeder, member.feedback)
    if place in draft.fed:
        return draft.fed[place]
    image = draft.image.get(member.feeder) or NOTHING_HEARD
    closed = _good(image, member.feedback, draft.now, member)
    fed = None if closed is None else closed == 1.0 and _good(image, member.breaker, draft.now, member) != 1.0
    draft.fed[place] = fed
    return fed


def _good(image: DeviceImage, point: str, now: datetime, member: Member) -> float | None:
    reading = image.readings.get(point)
    if reading is None or reading.quality is not Quality.GOOD or image.silent is not None or point in image.faults:
        return None
    return reading.value if now - reading.at <= member.stale_after else None


def _told_of(wiring: Wiring, device: str, before: DeviceImage, image: DeviceImage) -> list[Member]:
    """The members of which the device says something else than before."""
    found: dict[str, Member] = {}
    for name, members in wiring.membership.of_point[device].items():
        now, last = image.readings.get(name), before.readings.get(name)
        if now is last and not image.faults and not before.faults:
            continue
        same = now is not None and last is not None and now.value == last.value and now.quality is last.quality
        if not same or (name in image.faults) is not (name in before.faults):
            found.update((member.key, member) for member in members)
    return list(found.values())


def _look_at(wiring: Wiring, draft: Draft, members: Iterable[Member], at: datetime) -> None:
    draft.fed.clear()
    for member in members:
        ledger = draft.books.peek(member.group)
        if ledger is None:
            continue
        state, seen = ledger.members.get(member.key), seen_of(draft, member)
        if state is not None and state % 3 == seen:
            continue
        wanted = wanted_of(wiring, draft, member) if state is None or state >= _NOBODY else Wanted(state // 3)
        opened = draft.books.open(member.group)
        if opened is not None:
            opened.move(member.key, state_of(wanted, seen), at)


def _lose(draft: Draft, members: Iterable[Member], at: datetime) -> None:
    """Nothing is known of them since ``at``."""
    for member in members:
        ledger = draft.books.open(member.group)
        state = ledger.members.get(member.key) if ledger is not None else None
        if ledger is not None and state is not None:
            ledger.move(member.key, 3 * (state // 3) + Seen.UNKNOWN, at)


def _note(draft: Draft, ledger: OpenLedger, event: Event) -> None:
    facts = event.facts
    if event.name == "alarm":
        ledger.alarm(str(facts.get("event")))
        return
    ledger.end_intervention(event.target, event.name in _RELIGHTS, draft.now)
    if event.name in _BEGUN:
        value = facts.get("value")
        level = value if isinstance(value, int | float) else None
        words = (str(facts.get(name) or "") for name in ("by", "reason", "work_order"))
        kind = event.name.removesuffix("-set")
        ledger.intervene(Intervention(str(facts.get("id") or ""), event.target, kind, level, draft.now, None, *words))
