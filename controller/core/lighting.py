"""Lighting groups, lamps and segments: from plans and overrides to the level that an output shall have.

What a whole group wants is worked out once a cycle and shared by its lamps; only a lamp with a wish of its own gets an
array of its own. So dusk costs what changes, not lamps times wishes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from controller.core import legal
from controller.core.arbitration import PriorityArray, Slot, Source, arbitrate
from controller.core.dynamic import ambient_for, presence_slot, relight_slot, singled_out
from controller.core.journal import Override
from controller.core.state import Draft
from controller.core.wiring import Wiring
from schedules import plan as plans
from schedules.plan import Plan

_NO_PLAN = Slot(Source.DEFAULT, 0.0, "no plan and no override")
_NO_GROUP = PriorityArray((_NO_PLAN,))


def group_due(wiring: Wiring, draft: Draft, group_id: str) -> None:
    """Take up the group's demand at this instant and say when it changes next."""
    group = wiring.site.groups[group_id]
    ambient = ambient_for(draft, group.plan)
    demand = plans.evaluate(group.plan, draft.now, ambient)
    wish = Slot(Source.PLAN, demand.level, f"plan {group.plan.id}: {demand.reason}", demand.until)
    before = draft.demands.get(group_id)
    draft.schedule(f"group/{group_id}", plans.next_change(group.plan, draft.now, ambient))
    if before == wish:
        return
    draft.demands[group_id] = wish
    touch_group(wiring, draft, group_id)
    if before is None or before.value <= 0.0:
        legal.watch(wiring, draft, group_id)


def legal_due(wiring: Wiring, draft: Draft, group_id: str) -> None:
    """The hours in which the law permits the group's light begin or end."""
    legal.watch(wiring, draft, group_id)
    touch_group(wiring, draft, group_id)


def touch_group(wiring: Wiring, draft: Draft, group_id: str) -> None:
    """A wish of the group, or of one that it is nested in, changed: work out anew all that follows it."""
    draft.arrays.clear()
    draft.touched_groups.add(group_id)
    draft.rearrange.update(wiring.outputs_of[group_id])


def touch(wiring: Wiring, draft: Draft, key: str) -> None:
    """A wish of one target changed, which may be a whole group."""
    kind, _, identity = key.partition("/")
    if kind == "group":
        touch_group(wiring, draft, identity)
    elif kind == "building":
        draft.rearrange.update(wiring.followers(key))
        draft.changed.add(key)
    else:
        draft.single = None
        draft.rearrange.add(key)


def touch_lamps(wiring: Wiring, draft: Draft, lamps: Iterable[str]) -> None:
    """The wishes of single lamps changed; one without a node shows it at the contactor that feeds it."""
    draft.single = None
    for lamp in lamps:
        found = wiring.site.lamps[lamp]
        draft.rearrange.add(f"lamp/{lamp}" if found.has_node else f"segment/{found.segment}")


def group_array(wiring: Wiring, draft: Draft, group_id: str | None) -> PriorityArray:
    """The wishes for everything in a group, those of the groups around it included; in % of the output."""
    if group_id is None:
        return _NO_GROUP
    found = draft.arrays.get(group_id)
    if found is None:
        chain = wiring.chain_of[group_id]
        plan = wiring.site.groups[group_id].plan
        wishes = [override_slot(draft, f"group/{each}") for each in chain]
        relights = [relight_slot(draft, f"group/{each}", plan) for each in chain]
        cap = legal.cap_slot(wiring, draft, group_id)
        found = arbitrate((*wishes, *relights, cap, draft.demands.get(group_id)), _NO_PLAN, draft.now)
        draft.arrays[group_id] = found
    return found


def lamp_array(wiring: Wiring, draft: Draft, lamp_id: str) -> PriorityArray:
    """The wishes for one lamp, in % of its output."""
    key = f"lamp/{lamp_id}"
    group = wiring.group_of.get(key)
    shared = group_array(wiring, draft, group)
    if key not in _single(wiring, draft):
        return shared
    plan = _plan_of(wiring, group)
    relights = (relight_slot(draft, each, plan) for each in (key, f"segment/{wiring.site.lamps[lamp_id].segment}"))
    whole = arbitrate((override_slot(draft, key), *relights, *shared.slots[:-1]), _NO_PLAN, draft.now)
    presence = presence_slot(wiring, draft, lamp_id, plan, whole)
    return whole if presence is None else arbitrate((*whole.slots[:-1], presence), _NO_PLAN, draft.now)


def segment_array(wiring: Wiring, draft: Draft, segment_id: str) -> PriorityArray:
    """The wishes for one contactor: 1 closed, 0 open. One that feeds lamps follows the brightest of them."""
    key = f"segment/{segment_id}"
    lamps = wiring.lamps_of_segment.get(segment_id)
    if lamps:
        wishes: Iterable[Slot] = (_following(_of_lamps(wiring, draft, segment_id, lamps)),)
    else:
        group = wiring.group_of.get(key)
        relight = relight_slot(draft, key, _plan_of(wiring, group))
        shared = group_array(wiring, draft, group).slots[:-1]
        wishes = shared if relight is None else (relight, *shared)
    own = override_slot(draft, key)
    switched = (_switched(slot) for slot in (own, *_by_pattern(wiring, segment_id, wishes)) if slot is not None)
    return arbitrate(switched, _NO_PLAN, draft.now)


def override_slot(draft: Draft, key: str) -> Slot | None:
    """The operator's override of a target as a slot."""
    override = draft.overrides.get(key)
    if override is None:
        return None
    allure = override.allure.value if override.allure is not None else None
    return Slot(Source.OVERRIDE, override.value, _words(override, key), override.until, allure, override.by)


def _words(override: Override, key: str) -> str:
    if override.work_order:
        return f"maintenance {override.work_order}: {override.reason}"
    of_group = f" of {key}" if key.startswith(("group/", "building/")) else ""
    by = f" by {override.by}" if override.by else ""
    head = f"override{of_group}{by}"
    return f"{head}: {override.reason}" if override.reason else head


def _plan_of(wiring: Wiring, group: str | None) -> Plan | None:
    return None if group is None else wiring.site.groups[group].plan


def _single(wiring: Wiring, draft: Draft) -> set[str]:
    """The targets with a wish of their own."""
    if draft.single is None:
        draft.single = set(singled_out(wiring, draft))
    return draft.single


def _of_lamps(wiring: Wiring, draft: Draft, segment_id: str, lamps: Sequence[str]) -> Iterator[Slot]:
    """The winners of the lamps that a contactor feeds; one a group while none of them has a wish of its own."""
    if _single(wiring, draft).isdisjoint(f"lamp/{lamp}" for lamp in lamps):
        groups = wiring.groups_feeding[segment_id] or (None,)
        return (group_array(wiring, draft, group).winner for group in groups)
    return (lamp_array(wiring, draft, lamp).winner for lamp in lamps)


def _following(winners: Iterable[Slot]) -> Slot:
    brightest = max(winners, key=lambda slot: slot.value)
    feeds = f"feeds lamps at {brightest.value:g} %" if brightest.value > 0.0 else "feeds no lit lamp"
    source = Source.PLAN if brightest.source is Source.DEFAULT else brightest.source
    return replace(brightest, source=source, reason=f"{feeds}: {brightest.reason}")


def by_pattern(wiring: Wiring, segment_id: str, level: float) -> tuple[float, str]:
    """The level as the cabinet's relay patterns leave it to this contactor (0 where it stays open), and why."""
    if segment_id not in wiring.in_patterns or level <= 0.0:
        return level, ""
    pattern = wiring.site.cabinets[wiring.site.segments[segment_id].cabinet].pattern_for(level)
    if pattern is None:
        return level, ""
    return (level if segment_id in pattern.segments else 0.0), f"pattern {pattern.level:g} %: "


def _by_pattern(wiring: Wiring, segment_id: str, wishes: Iterable[Slot]) -> Iterator[Slot]:
    for slot in wishes:
        level, words = by_pattern(wiring, segment_id, slot.value)
        yield replace(slot, value=level, reason=f"{words}{slot.reason}") if words else slot


def _switched(slot: Slot) -> Slot:
    closed = 1.0 if slot.value > 0.0 else 0.0
    return replace(slot, value=closed)
