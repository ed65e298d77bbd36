"""Legal hours at run time: darkness at priority 12 where a plan goes beyond them, and what becomes of an override.

A group without a legal category, and one whose category has no national hour, costs nothing here; the others
look one night up, which schedules.legal keeps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from config.site import Group
from controller.core.arbitration import Slot, Source
from controller.core.state import Draft
from controller.core.wiring import Wiring
from schedules.legal import Derogation, LegalHours, capped, judge, permitted_between
from schedules.plan import Plan, steps_between
from schedules.program import Step
from schedules.sun import Place

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the law makes of an override: refused with ``refusal``, or in force to ``until``."""

    until: datetime
    refusal: str = ""
    note: str = ""
    """Why it ends earlier than it was asked for."""
    derogations: tuple[Derogation, ...] = ()
    """Those without which it would not stand as long."""

    def reason(self, wanted: str) -> str:
        """The operator's reason, with what gave leave for it."""
        return "; ".join(filter(None, (wanted, *(each.words for each in self.derogations))))

    @property
    def facts(self) -> Mapping[str, object]:
        """What the event says besides."""
        found: dict[str, object] = {"legal": self.note} if self.note else {}
        return found | ({"derogation": self.derogations[0].reference} if self.derogations else {})


@dataclass(slots=True)
class _Leave:
    """How far light is permitted in one go, and by whom."""

    until: datetime
    derogations: dict[str, Derogation] = field(default_factory=dict)


def cap_slot(wiring: Wiring, draft: Draft, group_id: str) -> Slot | None:
    """Darkness for a group whose plan would light it outside its hours."""
    demand = draft.demands.get(group_id)
    hours = _limited(wiring.site.groups[group_id])
    if hours is None or demand is None or demand.value <= 0.0:
        return None
    found = judge(hours, draft.now, wiring.site.place)
    return None if found.allowed else Slot(Source.LEGAL_CAP, 0.0, hours.words, found.until)


def watch(wiring: Wiring, draft: Draft, group_id: str) -> None:
    """Say when the hours of the group change next, and tell of a plan that goes beyond them or needs a derogation."""
    group = wiring.site.groups[group_id]
    hours, demand = _limited(group), draft.demands.get(group_id)
    if hours is None:
        return
    found = judge(hours, draft.now, wiring.site.place)
    draft.schedule(f"legal/{group_id}", found.until)
    # What is left of a ramp that goes out in time is cut off without a word.
    if demand is None or steps_between(group.plan, draft.now, draft.now + _SECOND)[0].level <= 0.0:
        return
    if not found.allowed:
        draft.event("legal-cap", f"group/{group_id}", until=found.until, reason=hours.words)
    elif found.derogation is not None:
        facts = {"derogation": found.derogation.reference, "issuer": found.derogation.issuer}
        draft.event("legal-derogation", f"group/{group_id}", until=found.until, **facts)


def rule(wiring: Wiring, key: str, value: float, now: datetime, until: datetime) -> Ruling:
    """What becomes of an override of ``key`` (lamp, segment or group) from ``now`` to ``until``; 0 is always lawful."""
    if value <= 0.0:
        return Ruling(until)
    ruling = Ruling(until)
    for group in _groups(wiring, key):
        hours = _limited(group)
        if hours is None:
            continue
        found = judge(hours, now, wiring.site.place)
        if not found.allowed:
            opens = found.until.astimezone(wiring.site.place.zone)
            return Ruling(until, f"outside the {hours.words}; group {group.id} not before {opens:%a %H:%M}")
        leave = _leave(hours, now, ruling.until, wiring)
        end = leave.until.astimezone(wiring.site.place.zone)
        note = f"ends at {end:%H:%M} with the {hours.words}" if leave.until < ruling.until else ruling.note
        both = {each.id: each for each in ruling.derogations} | leave.derogations
        ruling = Ruling(leave.until, note=note, derogations=tuple(both.values()))
    return ruling


def lawful_steps(group: Group, start: datetime, end: datetime) -> Sequence[Step]:
    """The plan of a group in [start, end) as it will be commanded: dark outside the permitted hours."""
    return _lawful(group.plan, _limited(group), start, end)


@lru_cache(maxsize=64)
def _lawful(plan: Plan, hours: LegalHours | None, start: datetime, end: datetime) -> tuple[Step, ...]:
    steps = steps_between(plan, start, end)
    named = [Step(step.at, step.level, f"plan {plan.id}: {step.reason}") for step in steps]
    return tuple(named if hours is None else capped(named, end, hours, plan.place))


def allows_presence(group: Group, now: datetime, place: Place) -> bool:
    """Whether somebody passing may have light at this instant: some categories are exempt with presence detection."""
    hours = _limited(group)
    return hours is None or hours.category.presence_exempt or judge(hours, now, place).allowed


def _limited(group: Group) -> LegalHours | None:
    hours = group.legal
    return hours if hours is not None and hours.category.limited else None


def _leave(hours: LegalHours, now: datetime, wanted: datetime, wiring: Wiring) -> _Leave:
    """How far light is permitted without a break from ``now``, an instant that is permitted, to ``wanted``."""
    leave = _Leave(now)
    for each in permitted_between(hours, now, wanted, wiring.site.place):
        if each.end <= now:
            continue
        if each.start > leave.until or leave.until >= wanted:
            break
        leave.until = each.end
        if each.derogation is not None:
            leave.derogations[each.derogation.id] = each.derogation
    leave.until = min(leave.until, wanted)
    return leave


def _groups(wiring: Wiring, key: str) -> Iterator[Group]:
    """The groups that an override of ``key`` lights: those nested in a group too, those that a segment feeds."""
    kind, _, identity = key.partition("/")
    if kind == "group":
        group = wiring.site.groups[identity]
        yield group
        for nested in group.groups:
            yield from _groups(wiring, f"group/{nested}")
        return
    own = wiring.group_of.get(key)
    names = wiring.groups_feeding.get(identity, ()) if kind == "segment" and own is None else (own,)
    yield from (wiring.site.groups[name] for name in names if name is not None)
