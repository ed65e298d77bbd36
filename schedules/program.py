"""A control program: the level of the lamps over one night, local noon to local noon, as a state.

Never edges: the level at an instant follows from the night alone, so a restart, an outage or a sunrise before
the morning step change nothing about it. Levels in percent, 0 is off.

- Lit from ``lit_from`` until before ``lit_to``; off outside. A night whose ``lit_to`` is not after its
  ``lit_from`` is dark.
- Inside, the level is that of the last step at or before the instant, ``start_level`` before the first one.
  A step before ``lit_from`` therefore sets the level that the night starts with; a level of 0 is the cut.
- A stretch of light shorter than ``at_least`` stays dark. One that touches noon is not judged: it may go on.
- Where the sun does not cross the angle of ``lit_from`` or ``lit_to``, ``sun_stays_up`` (white nights, polar
  day) and ``sun_stays_down`` (polar night) decide: DARK is a dark night; LIT puts that end of the lit period
  at noon. A level step whose solar event does not occur is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

from schedules.moments import Moment, duration_text, noon, resolve
from schedules.sun import Place, Polar

MAX_STAGES = 10
_ZERO = timedelta()
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_WITHOUT = {
    Polar.ALWAYS_UP: "the sun stays above the angle all night",
    Polar.ALWAYS_DOWN: "the sun stays below the angle all day",
}


class PolarPolicy(Enum):
    """What a night is whose beginning or end the sun does not give."""

    LIT = "lit"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class LevelStep:
    """From ``moment`` on the level is ``level`` (%)."""

    moment: Moment
    level: float


@dataclass(frozen=True, slots=True)
class Program:
    """One control program; the module's docstring says what each field does."""

    id: str
    lit_from: Moment
    lit_to: Moment
    levels: tuple[LevelStep, ...] = ()
    start_level: float = 100.0
    at_least: timedelta = _ZERO
    ramp: timedelta = _ZERO
    sun_stays_up: PolarPolicy = PolarPolicy.DARK
    sun_stays_down: PolarPolicy = PolarPolicy.LIT


@dataclass(frozen=True, slots=True)
class Step:
    """From ``at`` (aware UTC) on the level is ``level`` (%), because of ``reason``."""

    at: datetime
    level: float
    reason: str


@dataclass(frozen=True, slots=True)
class _Lit:
    """The lit period of a night, the reasons of its two ends; dark when ``start`` is not before ``end``."""

    start: datetime
    end: datetime
    start_reason: str
    end_reason: str


def night(program: Program, day: date, place: Place) -> tuple[Step, ...]:
    """The target levels of the night that begins on ``day``, from its noon to the next, in strictly rising order.

    A step may repeat the level before it where the reason changes. The ramp is not part of it, see ``staged``.
    """
    first, last = noon(day, place.zone), noon(day + _DAY, place.zone)
    lit = _lit_period(program, day, place)
    if lit.start >= lit.end:
        return (Step(first, 0.0, lit.start_reason),)
    steps = [Step(first, 0.0, f"off until {lit.start_reason}")] if lit.start > first else []
    steps += _levels(program, lit, day, place)
    if lit.end < last:
        steps.append(Step(lit.end, 0.0, f"off after {lit.end_reason}"))
    return tuple(_without_flashes(steps, program.at_least, first, last))


def staged(steps: Sequence[Step], ramp: timedelta) -> tuple[Step, ...]:
    """``steps`` with each change drawn out over ``ramp`` in at most ten equal stages.

    The first stage begins at the step itself; a stage is at least 1 % high and 1 s long. A step before the
    ramp's end goes on from the level reached.
    """
    if ramp < _SECOND or not steps:
        return tuple(steps)
    done = [steps[0]]
    for index, step in enumerate(steps[1:], start=1):
        stages = _stages(done[-1].level, step, ramp)
        if index + 1 < len(steps):
            stages = [stage for stage in stages if stage.at < steps[index + 1].at]
        done += stages
    return tuple(done)


def merged(steps: Iterable[Step]) -> tuple[Step, ...]:
    """``steps`` without those that do not change the level."""
    kept: list[Step] = []
    for step in steps:
        if not kept or step.level != kept[-1].level:
            kept.append(step)
    return tuple(kept)


def _lit_period(program: Program, day: date, place: Place) -> _Lit:
    first, last = noon(day, place.zone), noon(day + _DAY, place.zone)
    start, end = resolve(program.lit_from, day, place), resolve(program.lit_to, day, place)
    start_reason, end_reason = str(program.lit_from), str(program.lit_to)
    for polar in (start, end):
        if isinstance(polar, Polar) and _policy(program, polar) is PolarPolicy.DARK:
            return _Lit(last, first, f"dark: {_WITHOUT[polar]}", "")
    if isinstance(start, Polar):
        start_reason, start = f"lit: {_WITHOUT[start]}", first
    if isinstance(end, Polar):
        end = last
    if start >= end:
        start_reason = f"dark: {start_reason} is not before {end_reason}"
    return _Lit(start, end, start_reason, end_reason)


def _policy(program: Program, polar: Polar) -> PolarPolicy:
    return program.sun_stays_up if polar is Polar.ALWAYS_UP else program.sun_stays_down


def _levels(program: Program, lit: _Lit, day: date, place: Place) -> list[Step]:
    """The steps within the lit period, the first at its start; the later written of two at once wins."""
    level, reason = program.start_level, lit.start_reason
    inside: dict[datetime, Step] = {}
    for at, step in _resolved(program.levels, day, place):
        if at <= lit.start:
            level, reason = step.level, f"{lit.start_reason} (level of {step.moment})"
        elif at < lit.end:
            inside[at] = Step(at, step.level, str(step.moment))
    return [Step(lit.start, level, reason), *inside.values()]


def _resolved(levels: Iterable[LevelStep], day: date, place: Place) -> list[tuple[datetime, LevelStep]]:
    """The level steps of this night in the order of time, as written where the times are equal."""
    timed = [(resolve(step.moment, day, place), step) for step in levels]
    return sorted(((at, step) for at, step in timed if not isinstance(at, Polar)), key=lambda pair: pair[0])


def _without_flashes(steps: list[Step], at_least: timedelta, first: datetime, last: datetime) -> list[Step]:
    """``steps`` with every stretch of light shorter than ``at_least`` put out, unless it touches noon."""
    kept: list[Step] = []
    index = 0
    while index < len(steps):
        dark = next((i for i in range(index, len(steps)) if steps[i].level == 0.0), len(steps))
        start, end = steps[index].at, steps[dark].at if dark < len(steps) else last
        if dark > index and first < start and end < last and end - start < at_least:
            reason = f"dark: {steps[index].reason} would light for {duration_text(end - start)} only"
            kept.append(Step(start, 0.0, reason))
        else:
            kept += steps[index:dark]
        kept += steps[dark : dark + 1]
        index = dark + 1
    return kept


def _stages(level: float, step: Step, ramp: timedelta) -> list[Step]:
    """The stages from ``level`` to ``step``, the last one being the step's own level and reason."""
    count = max(1, min(MAX_STAGES, int(abs(step.level - level)), ramp // _SECOND))
    rise = (step.level - level) / count
    reason = f"ramp to {step.level:g} %: {step.reason}"
    stages = [Step(step.at + ramp * k / count, round(level + rise * (k + 1), 2), reason) for k in range(count - 1)]
    return [*stages, Step(step.at + ramp * (count - 1) / count, step.level, step.reason)]
