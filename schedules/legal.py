"""Legal hours: when the law permits light, night by night, and what of a plan lies beyond it. Instants aware UTC.

A category says the earliest light of an evening, the latest off (a clock time, a span after the activity, the later
of the two where both stand) and the earliest light of a morning (a clock time, or a span before an activity that
begins earlier). Activity is a presence of the building's occupancy: a day without any permits nothing, because
the latest off of the last activity is past and no morning follows. Light between two activities of a day is
permitted where the category has an hour of the morning. Nights run from noon to noon and daylight saving follows
schedules.moments.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from schedules.calendars import DayRule, matches
from schedules.moments import ClockTime, Moment, at_local, duration_text, night_of, noon, resolve
from schedules.occupancy import Occupancy, Presence, evaluate
from schedules.program import Step, merged
from schedules.sun import Place, Polar

_DAY = timedelta(days=1)
_MIDNIGHT = time(0)


@dataclass(frozen=True, slots=True, eq=False)
class LegalCategory:
    """One category of a law; compared by identity, which makes it a cheap key."""

    id: str
    title: str
    title_local: str
    """The same in the language of the country."""
    law: str
    """Law and article, as messages name them."""
    evening_from: Moment | None = None
    off_at: time | None = None
    off_after: timedelta | None = None
    morning_from: time | None = None
    morning_before: timedelta | None = None
    """How long before an activity; with ``morning_from`` only before one that begins earlier than that."""
    presence_exempt: bool = False
    """Whether the law lets light that follows presence detection adapt these hours."""
    from_memory: tuple[str, ...] = ()
    """The facts that no source was read for."""

    @property
    def limited(self) -> bool:
        """Whether the law sets any hour at all."""
        return self.off_at is not None or self.off_after is not None

    @property
    def needs_activity(self) -> bool:
        """Whether nothing can be said without the building's occupancy."""
        return self.off_after is not None and self.off_at is None

    @property
    def rule(self) -> str:
        """The hours in words: ``from sunset, off 2h after the activity, on again at 07:00 or 1h before it``."""
        if not self.limited:
            return "no national hour"
        after = "" if self.off_after is None else f"{duration_text(self.off_after)} after the activity"
        ends = " or ".join(filter(None, (f"at {self.off_at:%H:%M}" if self.off_at else "", after)))
        before = "" if not self.morning_before else f"{duration_text(self.morning_before)} before the activity"
        begins = " or ".join(filter(None, (f"at {self.morning_from:%H:%M}" if self.morning_from else "", before)))
        parts = (self.evening_from and f"from {self.evening_from}", f"off {ends}", begins and f"on again {begins}")
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Derogation:
    """An authority's leave to light longer on the nights of ``first`` to ``last``, both included."""

    id: str
    first: date
    last: date
    until: Moment | None
    """None: the whole night."""
    reference: str
    issuer: str
    reason: str = ""
    days: DayRule | None = None
    """Only these nights of them; None: all."""

    @property
    def words(self) -> str:
        """Reference and issuer, for reasons."""
        return f"derogation {self.reference} ({self.issuer})"

    def holds_on(self, day: date) -> bool:
        """Whether the night that begins on ``day`` is one of its own."""
        return self.first <= day <= self.last and (self.days is None or matches(self.days, day) is not None)


@dataclass(frozen=True, slots=True, eq=False)
class LegalHours:
    """What binds one group; ``occupancy`` is that of the building whose activity counts. Compared by identity."""

    category: LegalCategory
    occupancy: Occupancy | None = None
    derogations: tuple[Derogation, ...] = ()

    @property
    def words(self) -> str:
        """Category, hours and article, for reasons and refusals."""
        return f"legal hours of {self.category.id} ({self.category.law}): {self.category.rule}"


@dataclass(frozen=True, slots=True)
class Permitted:
    """Light is permitted from ``start`` to before ``end``, by the law itself or by ``derogation`` alone."""

    start: datetime
    end: datetime
    derogation: Derogation | None = None


@dataclass(frozen=True, slots=True)
class LegalVerdict:
    """Whether light is permitted at an instant, and until when at least that stands (the end of its night at most)."""

    allowed: bool
    until: datetime
    derogation: Derogation | None = None


Stretch = tuple[datetime, datetime]
"""Start, and end not included."""


@lru_cache(maxsize=8192)
def allowed(category: LegalCategory, occupancy: Occupancy | None, day: date, place: Place) -> tuple[Stretch, ...]:
    """The stretches of the night of ``day`` in which the law permits light, in order and apart from each other."""
    first, last = noon(day, place.zone), noon(day + _DAY, place.zone)
    if not category.limited:
        return ((first, last),)
    opens = _evening(category, day, place)
    spans = [*_by_clock(category, day, place)]
    if occupancy is not None and category.off_after is not None:
        spans += _by_activity(category, category.off_after, occupancy, day)
    clipped = ((max(start, opens), min(end, last)) for start, end in sorted(spans))
    return tuple(_joined(span for span in clipped if span[0] < span[1]))


@lru_cache(maxsize=8192)
def permitted(hours: LegalHours, day: date, place: Place) -> tuple[Permitted, ...]:
    """The stretches of the night of ``day`` by the law and by derogations, in order and apart from each other."""
    by_law = allowed(hours.category, hours.occupancy, day, place)
    found = [Permitted(*stretch) for stretch in by_law]
    for derogation in hours.derogations:
        if hours.category.limited and derogation.holds_on(day):
            taken = [(each.start, each.end) for each in sorted(found, key=_start)]
            found += [Permitted(*gap, derogation) for gap in _minus([_granted(derogation, hours, day, place)], taken)]
    return tuple(sorted(found, key=_start))


def judge(hours: LegalHours, at: datetime, place: Place) -> LegalVerdict:
    """Whether ``hours`` permit light at the aware instant ``at``."""
    day = night_of(at, place.zone)
    for each in permitted(hours, day, place):
        if at < each.start:
            return LegalVerdict(False, each.start)
        if at < each.end:
            return LegalVerdict(True, each.end, each.derogation)
    return LegalVerdict(False, noon(day + _DAY, place.zone))


def permitted_between(hours: LegalHours, start: datetime, end: datetime, place: Place) -> Iterator[Permitted]:
    """What is permitted in every night that touches [start, end), in order."""
    day, last_day = night_of(start, place.zone), night_of(end, place.zone)
    while day <= last_day:
        yield from permitted(hours, day, place)
        day += _DAY


def excess(steps: Sequence[Step], end: datetime, allowed: Iterable[Stretch]) -> list[Stretch]:
    """Where ``steps``, the last of them to ``end``, are lit outside ``allowed`` (in order): one stretch a time."""
    ends = [step.at for step in steps[1:]] + [end]
    lit = _joined((step.at, until) for step, until in zip(steps, ends, strict=True) if step.level > 0.0)
    return list(_minus(lit, _joined(allowed)))


def capped(steps: Sequence[Step], end: datetime, hours: LegalHours, place: Place) -> list[Step]:
    """``steps``, the last of them to ``end``, dark outside the permitted hours; the reason names the law."""
    if not steps or not hours.category.limited:
        return list(steps)
    cover = [(each.start, each.end) for each in permitted_between(hours, steps[0].at, end, place)]
    beyond = excess(steps, end, cover)
    darkened, times = [start for start, _ in beyond], [step.at for step in steps]
    found = [step for step in steps if not _inside(step.at, beyond, darkened)]
    for start, stop in beyond:
        found.append(Step(start, 0.0, hours.words))
        after = steps[bisect_right(times, stop) - 1]
        if stop < end and after.at < stop:
            found.append(Step(stop, after.level, after.reason))
    return list(merged(sorted(found, key=lambda step: step.at)))


def _inside(at: datetime, stretches: Sequence[Stretch], starts: Sequence[datetime]) -> bool:
    """Whether ``at`` lies in one of ``stretches``, which begin at ``starts``."""
    index = bisect_right(starts, at) - 1
    return index >= 0 and at < stretches[index][1]


def _start(each: Permitted) -> datetime:
    return each.start


def _evening(category: LegalCategory, day: date, place: Place) -> datetime:
    """The earliest light of the night; its end where the sun does not set."""
    if category.evening_from is None:
        return noon(day, place.zone)
    opens = resolve(category.evening_from, day, place)
    if not isinstance(opens, datetime):
        return noon(day if opens is Polar.ALWAYS_DOWN else day + _DAY, place.zone)
    return opens


def _by_clock(category: LegalCategory, day: date, place: Place) -> Iterator[Stretch]:
    """What clock times alone permit, whatever the activity."""
    if category.off_at is None:
        return
    off = resolve(ClockTime(category.off_at), day, place)
    assert isinstance(off, datetime)  # noqa: S101 - a clock time asks no sun
    yield noon(day, place.zone), off
    if category.morning_from is not None:
        yield at_local(day + _DAY, category.morning_from, place.zone), noon(day + _DAY, place.zone)


def _by_activity(category: LegalCategory, after: timedelta, occupancy: Occupancy, day: date) -> Iterator[Stretch]:
    """What the activities of the evening, and of the morning where the law has one, permit."""
    zone = occupancy.zone
    midnight, last = at_local(day + _DAY, _MIDNIGHT, zone), at_local(day + 2 * _DAY, _MIDNIGHT, zone)
    for presence in _presences(occupancy, noon(day, zone) - after, last):
        if presence.since < midnight or category.morning_before is not None:
            yield _relit(category, presence.since, occupancy), presence.until + after


def _relit(category: LegalCategory, activity: datetime, occupancy: Occupancy) -> datetime:
    """The earliest light before an activity."""
    local = activity.astimezone(occupancy.zone)
    if category.morning_from is not None and local.time() >= category.morning_from:
        return at_local(local.date(), category.morning_from, occupancy.zone)
    return activity - (category.morning_before or timedelta())


def _presences(occupancy: Occupancy, start: datetime, end: datetime) -> Iterator[Presence]:
    """The presences that touch [start, end), in order."""
    while start < end:
        presence = evaluate(occupancy, start)
        if presence.occupied:
            yield presence
        if not presence.bounded:
            return
        start = presence.until


def _granted(derogation: Derogation, hours: LegalHours, day: date, place: Place) -> Stretch:
    """From the earliest light of the evening to the derogation's end, on one of its nights."""
    until = noon(day + _DAY, place.zone) if derogation.until is None else resolve(derogation.until, day, place)
    opens = _evening(hours.category, day, place)
    return opens, until if isinstance(until, datetime) else opens


def _joined(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """Stretches in order of their start, those that touch or overlap as one."""
    current: Stretch | None = None
    for start, end in stretches:
        if current is not None and start <= current[1]:
            current = (current[0], max(current[1], end))
            continue
        if current is not None:
            yield current
        current = (start, end)
    if current is not None:
        yield current


def _minus(stretches: Iterable[Stretch], cover: Iterable[Stretch]) -> Iterator[Stretch]:
    """What of ``stretches`` lies outside ``cover``; both in order and apart from each other. Linear."""
    covers, index = list(cover), 0
    for start, end in stretches:
        bare = start
        while index < len(covers) and covers[index][1] <= start:
            index += 1
        for covered, until in itertools.islice(covers, index, None):
            if covered >= end:
                break
            if bare < covered:
                yield bare, covered
            bare = max(bare, until)
        if bare < end:
            yield bare, end
