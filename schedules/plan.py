"""A plan: which program on which night, and the demand at an instant with its reason and until when.

The first matching rule wins, then the default. A night is judged on the date of its evening and runs from
local noon to local noon, so what a rule says of the 24th also holds until the morning of the 25th.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from schedules.calendars import DayRule, matches
from schedules.moments import night_of, noon
from schedules.program import Program, Step, merged, night, staged
from schedules.sun import Place

DEFAULT = "default"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """On the days of ``on`` the night runs ``program``."""

    on: DayRule
    program: Program


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Compared by identity, which makes it a cheap key; a reload builds new ones."""

    id: str
    default: Program
    rules: tuple[Rule, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Demand:
    """What the plan asks for: ``level`` (%) until at least ``until`` (aware UTC).

    ``until`` is the next change of the level, or the end of the next night where neither night has one.
    """

    level: float
    reason: str
    until: datetime
    program: str


@dataclass(frozen=True, slots=True)
class _Night:
    """The demands of one night and when each begins, ready for bisection; ``end`` is its last noon."""

    starts: tuple[datetime, ...]
    demands: tuple[Demand, ...]
    end: datetime


def program_for(plan: Plan, day: date) -> tuple[Program, str]:
    """The program of the night that begins on ``day`` and why: the words of the rule, or ``default``."""
    for rule in plan.rules:
        reason = matches(rule.on, day)
        if reason is not None:
            return rule.program, reason
    return plan.default, DEFAULT


def evaluate(plan: Plan, at: datetime) -> Demand:
    """The demand at the aware instant ``at``; constant until ``next_change``."""
    tonight = _night(plan, night_of(at, plan.place.zone))
    return tonight.demands[bisect_right(tonight.starts, at) - 1]


def next_change(plan: Plan, at: datetime) -> datetime:
    """The first instant after ``at`` at which the demand may differ: a step, a ramp's stage or noon."""
    tonight = _night(plan, night_of(at, plan.place.zone))
    index = bisect_right(tonight.starts, at)
    return tonight.starts[index] if index < len(tonight.starts) else tonight.end


def steps_between(plan: Plan, start: datetime, end: datetime) -> list[Step]:
    """The target levels from ``start`` to before ``end`` without the stages of ramps, for timetables.

    The first step stands at ``start``; each lasts to the next, the last to ``end``; no equal neighbours.
    """
    steps: list[Step] = []
    day, last_day = night_of(start, plan.place.zone), night_of(end, plan.place.zone)
    while day <= last_day:
        steps += _targets(plan, day)
        day += _DAY
    before = [step for step in steps if step.at <= start]
    after = [step for step in steps if start < step.at < end]
    return list(merged([Step(start, before[-1].level, before[-1].reason), *after])) if start < end else []


@lru_cache(maxsize=4096)
def _night(plan: Plan, day: date) -> _Night:
    steps, following = _stages(plan, day), _stages(plan, day + _DAY)
    program, _ = program_for(plan, day)
    last_known = noon(day + 2 * _DAY, plan.place.zone)
    demands = []
    for index, step in enumerate(steps):
        changes = (later.at for later in (*steps[index:], *following) if later.level != step.level)
        demands.append(Demand(step.level, step.reason, next(changes, last_known), program.id))
    end = noon(day + _DAY, plan.place.zone)
    return _Night(tuple(step.at for step in steps), tuple(demands), end)


@lru_cache(maxsize=4096)
def _stages(plan: Plan, day: date) -> tuple[Step, ...]:
    """The steps of the night with the stages of the ramps; a ramp ends with its night."""
    end = noon(day + _DAY, plan.place.zone)
    program, _ = program_for(plan, day)
    return tuple(step for step in staged(_targets(plan, day), program.ramp) if step.at < end)


def _targets(plan: Plan, day: date) -> list[Step]:
    """The steps of the night, the rule added to each reason."""
    program, why = program_for(plan, day)
    steps = night(program, day, plan.place)
    return [Step(step.at, step.level, f"{step.reason} ({why})") for step in steps]
