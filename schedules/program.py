"""A control program: the level of the lamps over one night, local noon to local noon, as a state.

Never edges: the level at an instant follows from the night alone, so a restart, an outage or a sunrise before
the morning step change nothing about it. Levels in percent, 0 is off.

- Lit from ``lit_from`` until before ``lit_to``; off outside. A night whose ``lit_to`` is not after its
  ``lit_from`` is dark.
- Inside, the level is that of the last step at or before the instant, ``start_level`` before the first one.
  A step before ``lit_from`` therefore sets the level that the night starts with; a level of 0 is the cut.
- A stretch of light shorter than ``at_least`` stays dark. One that touches noon is not judged: it may go on.
- With a ``photocell`` the ends of the lit period depend on the ambient light within its windows, and there only
  (schedules.photocell). ``at_least`` judges a stretch as it is by the clock, whatever the cell makes of it.
- Where the sun does not cross the angle of ``lit_from`` or ``lit_to``, ``sun_stays_up`` (white nights, polar
  day) and ``sun_stays_down`` (polar night) decide: DARK is a dark night; LIT puts that end of the lit period
  at noon. A level step whose solar event does not occur is left out.
- On a morning that nobody comes ``opening`` does not occur: a level step is left out, a night whose ``lit_from`` it is
  stays dark, one whose ``lit_to`` it is ends at sunrise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

from schedules.moments import Absent, Moment, duration_text, parse_moment, resolve
from schedules.nights import Span, joined, night_span
from schedules.photocell import Ambient, PhotocellWindow
from schedules.sun import Place, Polar

MAX_STAGES = 10
_ZERO = timedelta()
_SUNRISE = parse_moment("sunrise")
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
    photocell: PhotocellWindow | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """From ``at`` (aware UTC) on the level is ``level`` (%), because of ``reason``."""

    at: datetime
    level: float
    reason: str


@dataclass(frozen=True, slots=True)
class _Lit:
    """The lit period of a night by the clock, the reasons of its two ends; dark when ``span`` is empty.

    ``edges`` are those of its ends that a moment gives, and a cell may move.
    """

    span: Span
    start_reason: str
    end_reason: str
    edges: tuple[datetime, ...] = ()


def night(program: Program, day: date, place: Place, ambient: Ambient = Ambient.UNKNOWN) -> tuple[Step, ...]:
    """The target levels of the night that begins on ``day``, from its noon to the next, in strictly rising order.

    As if ``ambient`` held all night. A step may repeat the level before it where the reason changes. The ramp is not
    part of it, see ``staged``.
    """
    whole = night_span(day, place.zone)
    lit = _lit_period(program, day, place)
    if lit.span.is_empty:
        return (Step(whole.start, 0.0, lit.start_reason),)
    by_clock = _steps(program, lit, lit.span, day, place)
    stretches = lit_stretches(by_clock, whole)
    windows = _windows(program, lit, whole)
    if ambient is Ambient.UNKNOWN or program.photocell is None or not windows:
        return tuple(_without_flashes(by_clock, stretches, program.at_least, whole))
    by_cell = _steps(program, lit, _moved(lit, program.photocell, ambient, whole), day, place)
    kept = _without_flashes(by_cell, stretches, program.at_least, whole)
    return tuple(_ruled(kept, windows, whole, f" (photocell {program.photocell.cell}: {ambient.value})"))


def lit_period(program: Program, day: date, place: Place, ambient: Ambient = Ambient.UNKNOWN) -> Span | None:
    """When the night of ``day`` is lit, whatever its levels; None when it is dark."""
    whole = night_span(day, place.zone)
    lit = _lit_period(program, day, place)
    span = lit.span
    if program.photocell and ambient is not Ambient.UNKNOWN and not span.is_empty:
        span = _moved(lit, program.photocell, ambient, whole)
    return None if span.is_empty else span


def cell_windows(program: Program, day: date, place: Place) -> tuple[Span, ...]:
    """Where in the night of ``day`` the photocell decides: none, the evening's and the morning's, or both as one."""
    return _windows(program, _lit_period(program, day, place), night_span(day, place.zone))


def lit_stretches(steps: Sequence[Step], whole: Span) -> list[Span]:
    """The stretches of the night ``whole`` in which the level of ``steps`` is not 0."""
    ends = [*(step.at for step in steps[1:]), whole.end]
    return list(joined(Span(step.at, end) for step, end in zip(steps, ends, strict=True) if step.level > 0))


def staged(steps: Sequence[Step], ramp: timedelta) -> tuple[Step, ...]:
    """``steps`` with each change drawn out over ``ramp`` in at most ten equal stages.

    The first stage begins at the step itself; a stage is at least 1 % high and 1 s long. A step before the
    ramp's end goes on from the level reached; one that repeats the level lets the ramp go on as it is.
    """
    if ramp < _SECOND or not steps:
        return tuple(steps)
    done = [steps[0]]
    under_way: list[Step] = []
    for before, step, end in zip(steps, steps[1:], [*(later.at for later in steps[2:]), None], strict=False):
        if step.level == before.level:
            under_way = _going_on(under_way, done[-1].level, step)
        else:
            under_way = _stages(done[-1].level, step, ramp)
        done += [stage for stage in under_way if end is None or stage.at < end]
    return tuple(done)


def resolved(levels: Iterable[LevelStep], day: date, place: Place) -> list[tuple[datetime, LevelStep]]:
    """The level steps that come in this night in the order of time, as written where the times are equal."""
    timed = [(resolve(step.moment, day, place), step) for step in levels]
    return sorted(((at, step) for at, step in timed if isinstance(at, datetime)), key=lambda pair: pair[0])


def merged(steps: Iterable[Step]) -> tuple[Step, ...]:
    """``steps`` without those that do not change the level."""
    kept: list[Step] = []
    for step in steps:
        if not kept or step.level != kept[-1].level:
            kept.append(step)
    return tuple(kept)


def _lit_period(program: Program, day: date, place: Place) -> _Lit:
    whole = night_span(day, place.zone)
    start, end = resolve(program.lit_from, day, place), resolve(program.lit_to, day, place)
    start_reason, end_reason = str(program.lit_from), str(program.lit_to)
    if isinstance(start, Absent):
        return _dark(whole, f"no {start_reason} this night")
    if isinstance(end, Absent):
        end, end_reason = resolve(_SUNRISE, day, place), f"sunrise (no {end_reason} this night)"
    for polar in (start, end):
        if isinstance(polar, Polar) and _policy(program, polar) is PolarPolicy.DARK:
            return _dark(whole, _WITHOUT[polar])
    edges = tuple(edge for edge in (start, end) if isinstance(edge, datetime))
    if isinstance(start, Polar):
        start_reason = f"lit: {_WITHOUT[start]}"
    span = Span(start if isinstance(start, datetime) else whole.start, end if isinstance(end, datetime) else whole.end)
    if span.is_empty:
        return _dark(whole, f"{start_reason} is not before {end_reason}")
    return _Lit(span, start_reason, end_reason, edges)


def _dark(whole: Span, cause: str) -> _Lit:
    return _Lit(Span(whole.end, whole.start), f"dark: {cause}", "")


def _policy(program: Program, polar: Polar) -> PolarPolicy:
    return program.sun_stays_up if polar is Polar.ALWAYS_UP else program.sun_stays_down


def _windows(program: Program, lit: _Lit, whole: Span) -> tuple[Span, ...]:
    if program.photocell is None:
        return ()
    around = (program.photocell.around(edge).within(whole) for edge in lit.edges)
    return joined(window for window in around if not window.is_empty)


def _moved(lit: _Lit, cell: PhotocellWindow, ambient: Ambient, whole: Span) -> Span:
    """The lit period when the cell says ``ambient`` all night; empty, at its end, where a bright cell leaves none."""
    wider = ambient is Ambient.DARK
    start, end = lit.span.start, lit.span.end
    if start in lit.edges:
        start += -cell.early if wider else cell.late
    if end in lit.edges:
        end += cell.late if wider else -cell.early
    span = Span(start, end).within(whole)
    return Span(lit.span.end, lit.span.end) if span.is_empty else span


def _ruled(steps: Sequence[Step], windows: Sequence[Span], whole: Span, by: str) -> list[Step]:
    """``steps`` with what ruled them added to the reasons inside the windows, a step more at their edges."""
    edges = {edge for window in windows for edge in (window.start, window.end) if edge in whole}
    ruled: list[Step] = []
    for at in sorted({*(step.at for step in steps), *edges}):
        step = next(step for step in reversed(steps) if step.at <= at)
        inside = any(at in window for window in windows)
        ruled.append(Step(at, step.level, step.reason + (by if inside else "")))
    return ruled


def _steps(program: Program, lit: _Lit, span: Span, day: date, place: Place) -> list[Step]:
    """The night with the lit period ``span``."""
    whole = night_span(day, place.zone)
    steps = [Step(whole.start, 0.0, f"off until {lit.start_reason}")] if span.start > whole.start else []
    if not span.is_empty:
        steps += _levels(program, lit, span, day, place)
    if span.end < whole.end:
        steps.append(Step(span.end, 0.0, f"off after {lit.end_reason}"))
    return steps


def _levels(program: Program, lit: _Lit, span: Span, day: date, place: Place) -> list[Step]:
    """The steps within the lit period, the first at its start; the later written of two at once wins."""
    level, reason = program.start_level, lit.start_reason
    inside: dict[datetime, Step] = {}
    for at, step in resolved(program.levels, day, place):
        if at <= span.start:
            level, reason = step.level, f"{lit.start_reason} (level of {step.moment})"
        elif at < span.end:
            inside[at] = Step(at, step.level, str(step.moment))
    return [Step(span.start, level, reason), *inside.values()]


def _without_flashes(steps: Sequence[Step], by_clock: Sequence[Span], at_least: timedelta, whole: Span) -> list[Step]:
    """``steps`` with every stretch of light put out whose like ``by_clock`` is too short, unless it touches noon."""
    kept: list[Step] = []
    index = 0
    while index < len(steps):
        dark = next((i for i in range(index, len(steps)) if steps[i].level == 0.0), len(steps))
        start, end = steps[index].at, steps[dark].at if dark < len(steps) else whole.end
        like = next((span for span in by_clock if span.start < end and start < span.end), Span(start, start))
        if dark > index and whole.start < like.start and like.end < whole.end and like.length < at_least:
            reason = f"dark: {steps[index].reason} would light for {duration_text(like.length)} only"
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


def _going_on(under_way: Sequence[Step], level: float, step: Step) -> list[Step]:
    """What is left of a ramp at a step that repeats its level, with that step's reason."""
    left = [stage for stage in under_way if stage.at >= step.at]
    if not left:
        return [step]
    reason = f"ramp to {step.level:g} %: {step.reason}"
    before = [] if left[0].at == step.at else [Step(step.at, level, reason)]
    climbing = [Step(stage.at, stage.level, reason) for stage in left[:-1]]
    return [*before, *climbing, Step(left[-1].at, step.level, step.reason)]
