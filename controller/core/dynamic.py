"""The wishes that come and go beside the plan (TALQ's dynamic controls): a photocell's word, presence, relight."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from controller.core import legal
from controller.core.arbitration import PriorityArray, Slot, Source
from controller.core.state import Draft
from controller.core.wiring import Wiring
from schedules import cuts
from schedules import plan as plans
from schedules.cuts import Cut
from schedules.photocell import Ambient
from schedules.plan import Plan

RELIGHT = "relight/"
"""Before the target's key among the overrides: a relight may stand beside an operator's override."""
BOOST = "boost/"
"""The same for warmth on demand."""


def target_of(key: str) -> str:
    """The ``kind/id`` that an entry of the overrides is about."""
    return key.removeprefix(RELIGHT).removeprefix(BOOST)


def ambient_for(draft: Draft, plan: Plan) -> Ambient:
    """What the photocell of the plan's night says; UNKNOWN without one."""
    if not plans.photocells_of(plan):
        return Ambient.UNKNOWN
    cell = plans.cell_at(plan, draft.now)
    known = draft.ambients.get(cell) if cell is not None else None
    return Ambient.UNKNOWN if known is None else known.said


def cut_now(draft: Draft, plan: Plan) -> Cut | None:
    """The plan's cut at this instant."""
    return cuts.cut_at(plan, draft.now, ambient_for(draft, plan))


def lit_until(draft: Draft, plan: Plan) -> datetime | None:
    """The end of the plan's lit period, cut included, while it lasts; None outside of it."""
    span = cuts.lit_span(plan, draft.now, ambient_for(draft, plan))
    return span[1] if span is not None and span[0] <= draft.now < span[1] else None


def relight_slot(draft: Draft, key: str, plan: Plan | None) -> Slot | None:
    """The relight of ``key`` for what follows ``plan``: inside its cut only, never above what was lit before it."""
    relight = draft.overrides.get(RELIGHT + key)
    if relight is None or plan is None:
        return None
    cut = cut_now(draft, plan)
    if cut is None:
        return None
    by = f" by {relight.by}" if relight.by else ""
    words = f"relight of {key}{by}" + (f": {relight.reason}" if relight.reason else "")
    return Slot(Source.RELIGHT, min(relight.value, cut.before), words, min(relight.until, cut.end), by=relight.by)


def presence_slot(wiring: Wiring, draft: Draft, lamp_id: str, plan: Plan | None, others: PriorityArray) -> Slot | None:
    """The highest level of the sensors that see somebody, at least what the lamp has without them; never by day."""
    seen = [
        (level, sensor, presence.until)
        for sensor, level in wiring.presence_at.get(lamp_id, ())
        if (presence := draft.presences.get(sensor)) is not None
    ]
    end = lit_until(draft, plan) if seen and plan is not None else None
    if end is None:
        return None
    group = wiring.group_of.get(f"lamp/{lamp_id}")
    if group is None or not legal.allows_presence(wiring.site.groups[group], draft.now, wiring.site.place):
        return None
    level, sensor, until = max(seen)
    without = next(slot.value for slot in others.slots if slot.source is not Source.OVERRIDE)
    return Slot(Source.PRESENCE, max(level, without), f"presence {sensor}: {level:g} %", min(until, end))


def singled_out(wiring: Wiring, draft: Draft) -> Iterator[str]:
    """The targets with a wish that their group does not share."""
    for key in draft.overrides:
        yield target_of(key)
        if key.startswith(f"{RELIGHT}segment/"):
            yield from (f"lamp/{lamp}" for lamp in wiring.lamps_of_segment.get(key.rpartition("/")[2], ()))
    for sensor in draft.presences:
        yield from (f"lamp/{lamp}" for lamp in wiring.brightened_by(sensor))
