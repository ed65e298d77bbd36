"""Lamps and segments: from the groups' plans and the operators' overrides to what each contactor and lamp shall do."""

from __future__ import annotations

from controller.core.arbitration import PriorityArray, Slot, Source, arbitrate
from controller.core.state import Draft
from controller.core.wiring import Wiring
from schedules import plan as plans

_NO_PLAN = Slot(Source.DEFAULT, 0.0, "no plan and no override")


def group_due(wiring: Wiring, draft: Draft, group_id: str) -> None:
    """Take up the group's demand at this instant and say when it changes next."""
    group = wiring.site.groups[group_id]
    demand = plans.evaluate(group.plan, draft.now)
    wish = Slot(Source.PLAN, demand.level, f"plan {group.plan.id}: {demand.reason}", demand.until)
    before = draft.demands.get(group_id)
    draft.demands[group_id] = wish
    draft.schedule(f"group/{group_id}", plans.next_change(group.plan, draft.now))
    if before is not None and (before.value, before.reason, before.until) == (
        wish.value,
        wish.reason,
        wish.until,
    ):
        return
    draft.rearrange.update(f"lamp/{lamp}" for lamp in group.lamps)
    draft.rearrange.update(f"segment/{segment}" for segment in group.segments)


def lamp_array(wiring: Wiring, draft: Draft, lamp_id: str) -> PriorityArray:
    """The wishes for one lamp, in % of its output."""
    key = f"lamp/{lamp_id}"
    return arbitrate((override_slot(draft, key), _plan_slot(wiring, draft, key)), _NO_PLAN, draft.now)


def segment_array(wiring: Wiring, draft: Draft, segment_id: str) -> PriorityArray:
    """The wishes for one contactor: 1 closed, 0 open. One that feeds lamps follows the brightest of them."""
    key = f"segment/{segment_id}"
    lamps = wiring.lamps_of_segment.get(segment_id)
    wish = _following(wiring, draft, lamps) if lamps else _plan_slot(wiring, draft, key)
    own = override_slot(draft, key)
    switched = (_switched(slot) for slot in (own, wish) if slot is not None)
    return arbitrate(switched, _NO_PLAN, draft.now)


def override_slot(draft: Draft, key: str) -> Slot | None:
    """The operator's override of a target as a slot."""
    override = draft.overrides.get(key)
    if override is None:
        return None
    by = f" by {override.by}" if override.by else ""
    reason = f"override{by}: {override.reason}" if override.reason else f"override{by}"
    allure = override.allure.value if override.allure is not None else None
    return Slot(Source.OVERRIDE, override.value, reason, override.until, allure, override.by)


def _plan_slot(wiring: Wiring, draft: Draft, key: str) -> Slot | None:
    group = wiring.group_of.get(key)
    return None if group is None else draft.demands.get(group)


def _following(wiring: Wiring, draft: Draft, lamps: list[str]) -> Slot:
    brightest = max((lamp_array(wiring, draft, lamp).winner for lamp in lamps), key=lambda slot: slot.value)
    if brightest.value > 0.0:
        reason = f"feeds lamps at {brightest.value:g} %: {brightest.reason}"
    else:
        reason = f"feeds no lit lamp: {brightest.reason}"
    return Slot(Source.PLAN, brightest.value, reason, brightest.until)


def _switched(slot: Slot) -> Slot:
    closed = 1.0 if slot.value > 0.0 else 0.0
    return Slot(slot.source, closed, slot.reason, slot.until, by=slot.by)
