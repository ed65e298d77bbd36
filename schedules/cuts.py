"""What a night holds besides its levels: the lit period, the cuts inside it, and how long there is light.

For an on-demand relight (only inside a cut, never above what was lit before it) and for the proof of a night. All of it
from the targets of the plan, without ramps; ``ambient`` as in schedules.plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from schedules import sun
from schedules.nights import Span, night_of, night_span
from schedules.photocell import Ambient
from schedules.plan import Plan, program_for
from schedules.program import Program, lit_period, lit_stretches, night, resolved
from schedules.sun import Place, Polar

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Cut:
    """Dark by the program inside the lit period, from ``start`` to before ``end`` (aware UTC).

    ``before`` is the level (%) that the program had last before it: of the last lit step, or of ``start`` where the
    lit period itself begins dark; 0 where the program has none.
    """

    start: datetime
    end: datetime
    before: float


def lit_span(plan: Plan, at: datetime, ambient: Ambient = Ambient.UNKNOWN) -> tuple[datetime, datetime] | None:
    """The lit period of the night around ``at``, whatever its levels; None when that night is dark."""
    day = night_of(at, plan.place.zone)
    span = lit_period(program_for(plan, day)[0], day, plan.place, ambient)
    return (span.start, span.end) if span else None


def cut_at(plan: Plan, at: datetime, ambient: Ambient = Ambient.UNKNOWN) -> Cut | None:
    """The cut that holds the instant ``at``."""
    tonight = cuts(plan, night_of(at, plan.place.zone), ambient)
    return next((cut for cut in tonight if cut.start <= at < cut.end), None)


@lru_cache(maxsize=1024)
def cuts(plan: Plan, day: date, ambient: Ambient = Ambient.UNKNOWN) -> tuple[Cut, ...]:
    """The cuts of the night that begins on ``day``, in order; a stretch that ``at_least`` keeps dark belongs to one."""
    program, _ = program_for(plan, day)
    return tuple(cuts_of(program, day, plan.place, ambient))


def cuts_of(program: Program, day: date, place: Place, ambient: Ambient = Ambient.UNKNOWN) -> list[Cut]:
    """``cuts`` of a program, on whatever night a plan runs it."""
    span = lit_period(program, day, place, ambient)
    if span is None:
        return []
    edges = [span.start]
    for stretch in _stretches_of(program, day, place, ambient):
        edges += [stretch.start, stretch.end]
    edges.append(span.end)
    gaps = (Span(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True))
    return [Cut(gap.start, gap.end, _level_before(program, gap.start, day, place)) for gap in gaps if not gap.is_empty]


def stretches(plan: Plan, day: date, ambient: Ambient = Ambient.UNKNOWN) -> list[Span]:
    """When the night that begins on ``day`` has light, in order."""
    return _stretches_of(program_for(plan, day)[0], day, plan.place, ambient)


def lit_hours(plan: Plan, day: date, ambient: Ambient = Ambient.UNKNOWN) -> float:
    """Hours of the night that begins on ``day`` with a level above 0."""
    return sum((span.length for span in stretches(plan, day, ambient)), timedelta()) / _HOUR


def dark_hours(day: date, place: Place) -> float:
    """Hours from sunset to sunrise: what a night without any program would be lit. Part of 24 where the sun grazes."""
    whole = night_span(day, place.zone)
    start, end = sun.evening(day, place, sun.SUNRISE_DEG), sun.morning(day, place, sun.SUNRISE_DEG)
    if Polar.ALWAYS_UP in (start, end):
        return 0.0
    span = Span(start if isinstance(start, datetime) else whole.start, end if isinstance(end, datetime) else whole.end)
    return span.length / _HOUR


def _stretches_of(program: Program, day: date, place: Place, ambient: Ambient) -> list[Span]:
    return lit_stretches(night(program, day, place, ambient), night_span(day, place.zone))


def _level_before(program: Program, start: datetime, day: date, place: Place) -> float:
    """The last level above 0 that the program gives up to ``start``."""
    levels = [program.start_level, *(step.level for at, step in resolved(program.levels, day, place) if at <= start)]
    return next((level for level in reversed(levels) if level > 0), 0.0)
