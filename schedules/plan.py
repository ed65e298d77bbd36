"""A plan: which program on which night, and the demand at an instant with its reason and until when.

The first matching rule wins, then the default. A night is judged on the date of its evening and runs from
local noon to local noon, so what a rule says of the 24th also holds until the morning of the 25th.

``ambient`` is what the photocell of tonight's program says (``cell_at``); it makes a difference only while
``window_at``, and none for a program without a cell. Answers about later hours are given as if it stayed so.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from schedules.calendars import DayRule, matches
from schedules.nights import DAY, Span, night_of, noon
from schedules.photocell import Ambient
from schedules.program import Program, Step, cell_windows, merged, night, staged
from schedules.sun import Place

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Rule:
    """On the days of ``on`` that also lie in ``within`` the night runs ``program``; None is any day."""

    on: DayRule | None
    program: Program
    within: DayRule | None = None

    def reason(self, day: date) -> str | None:
        """Why the rule holds on ``day`` ("fri within 04-01..09-30"), None when it does not."""
        on = "" if self.on is None else matches(self.on, day)
        within = "" if self.within is None else matches(self.within, day)
        if on is None or within is None:
            return None
        return f"{on} within {within}" if on and within else on or within


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
        reason = rule.reason(day)
        if reason is not None:
            return rule.program, reason
    return plan.default, DEFAULT


def evaluate(plan: Plan, at: datetime, ambient: Ambient = Ambient.UNKNOWN) -> Demand:
    """The demand at the aware instant ``at``; constant until ``next_change``."""
    tonight = _night(plan, night_of(at, plan.place.zone), ambient if photocells_of(plan) else Ambient.UNKNOWN)
    return tonight.demands[bisect_right(tonight.starts, at) - 1]


def next_change(plan: Plan, at: datetime, ambient: Ambient = Ambient.UNKNOWN) -> datetime:
    """The first instant after ``at`` at which the demand may differ: a step, a ramp's stage, a window's edge, noon."""
    tonight = _night(plan, night_of(at, plan.place.zone), ambient if photocells_of(plan) else Ambient.UNKNOWN)
    index = bisect_right(tonight.starts, at)
    return tonight.starts[index] if index < len(tonight.starts) else tonight.end


@lru_cache(maxsize=1024)
def photocells_of(plan: Plan) -> frozenset[str]:
    """The ids of the photocells that any of the plan's programs uses."""
    programs = (plan.default, *(rule.program for rule in plan.rules))
    return frozenset(program.photocell.cell for program in programs if program.photocell)


def cell_at(plan: Plan, at: datetime) -> str | None:
    """The id of the photocell of the program that runs in the night around ``at``, None where it has none."""
    return _cell(plan, night_of(at, plan.place.zone))[0]


def window_at(plan: Plan, at: datetime) -> bool:
    """Whether tonight's photocell decides at the instant ``at``, and not the clock."""
    return any(at in window for window in _cell(plan, night_of(at, plan.place.zone))[1])


def steps_between(plan: Plan, start: datetime, end: datetime, ambient: Ambient = Ambient.UNKNOWN) -> list[Step]:
    """The target levels from ``start`` to before ``end`` without the stages of ramps, for timetables.

    The first step stands at ``start``; each lasts to the next, the last to ``end``; no equal neighbours.
    """
    steps: list[Step] = []
    day, last_day = night_of(start, plan.place.zone), night_of(end, plan.place.zone)
    while day <= last_day:
        steps += _targets(plan, day, ambient)
        day += DAY
    before = [step for step in steps if step.at <= start]
    after = [step for step in steps if start < step.at < end]
    return list(merged([Step(start, before[-1].level, before[-1].reason), *after])) if start < end else []


@lru_cache(maxsize=1024)
def _cell(plan: Plan, day: date) -> tuple[str | None, tuple[Span, ...]]:
    """The photocell of a night and when it decides."""
    program, _ = program_for(plan, day)
    windows = cell_windows(program, day, plan.place)
    return (program.photocell.cell if program.photocell else None), windows


@lru_cache(maxsize=2048)
def _night(plan: Plan, day: date, ambient: Ambient) -> _Night:
    steps, following = _stages(plan, day, ambient), _stages(plan, day + DAY, ambient)
    program, _ = program_for(plan, day)
    last_known = noon(day + 2 * DAY, plan.place.zone)
    demands = []
    for index, step in enumerate(steps):
        changes = (later.at for later in (*steps[index:], *following) if later.level != step.level)
        demands.append(Demand(step.level, step.reason, next(changes, last_known), program.id))
    end = noon(day + DAY, plan.place.zone)
    return _Night(tuple(step.at for step in steps), tuple(demands), end)


def _stages(plan: Plan, day: date, ambient: Ambient) -> tuple[Step, ...]:
    """The steps of the night with the stages of the ramps; a ramp ends with its night."""
    end = noon(day + DAY, plan.place.zone)
    program, _ = program_for(plan, day)
    return tuple(step for step in staged(_targets(plan, day, ambient), program.ramp) if step.at < end)


@lru_cache(maxsize=8192)
def _targets(plan: Plan, day: date, ambient: Ambient) -> tuple[Step, ...]:
    """The steps of the night, the rule added to each reason; kept for a year of twenty plans, as timetables ask."""
    program, why = program_for(plan, day)
    steps = night(program, day, plan.place, ambient)
    return tuple(Step(step.at, step.level, f"{step.reason} ({why})") for step in steps)
