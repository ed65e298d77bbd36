"""The plan of a zone compiled into its controller's own Schedule and Calendar objects, within their room. Pure.

The same occupancy and allures as under supervision, day by day for a year and to the months' ends, so that one content
is right for a month: the ordinary week becomes the weekly schedule; of the days that differ the kind that would cost
most degree hours goes into the Calendar object, the nearest others into what exceptions are left. What does not fit is
named, never dropped. The default is the reduced setpoint.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from config.buildings import Delegation, Zone
from drivers.timetable import (
    ANY_DAY,
    WEEKDAYS,
    Agenda,
    CalendarEntry,
    CalendarRef,
    DatePattern,
    DateRange,
    Day,
    Entry,
    SpecialDays,
    Timetable,
    value_at,
)
from schedules import allures
from schedules.allures import Allure
from schedules.exceptions import ALWAYS
from schedules.nights import at_local
from schedules.occupancy import Occupancy

HORIZON_DAYS = 366
EXCEPTION_PRIORITY = 10
"""Of all exceptions; never two of them hold on one day."""
MODE_NUMBERS = {Allure.COMFORT: 1.0, Allure.REDUCED: 2.0, Allure.FROST: 3.0, Allure.OFF: 4.0}
DEFAULT = Allure.REDUCED

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_MIDNIGHT = time(0)
_HOUR_S = 3600.0
_DAY_S = 86_400.0
_ORDINARY_MONDAY = date(2026, 1, 12)
"""A week without a change of summer time."""
_DATED = ("dated: ", "closed: ")
"""What the occupancy says of dated exceptions and of closed days."""
_WARMTH = {Allure.OFF: 0, Allure.FROST: 1, Allure.REDUCED: 2, Allure.COMFORT: 3}

Steps = tuple[tuple[time, Allure], ...]
"""One day: from each local time on this allure, the first at 00:00."""

_Run = tuple[date, date, Steps]
"""The first and the last day of a stretch, both included, and what each of them looks like."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A day whose plan the controller's schedule does not hold, and what makes it differ from the ordinary week."""

    day: date
    why: str

    def __str__(self) -> str:
        return f"{WEEKDAYS[self.day.weekday()]} {self.day} ({self.why})"


@dataclass(frozen=True, slots=True)
class Compiled:
    """What goes into the controller, and what does not fit: days, and weekdays with more changes than entries."""

    agenda: Agenda
    left_out: tuple[LeftOut, ...] = ()
    simplified: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Planned:
    """The plan of one day with its reasons."""

    steps: Steps
    reasons: tuple[str, ...]


def compile_plan(zone: Zone, delegation: Delegation, today: date, days: int = HORIZON_DAYS) -> Compiled:
    """The plan of the month of ``today`` and so many days on, in what ``delegation`` has room for.

    It changes with the month, or where a day that is over makes room for another; ``left_out`` begins ``today``.
    """
    month, end = today.replace(day=1), _end_of_month(today + _DAY * (days - 1))
    begin = month - _WEEK  # a week of the plan has an odd day: what goes on over the first of the month is seen to
    week, planned = ordinary_week(zone, delegation), dict(_planned(zone, delegation, begin, (end - begin).days + 1))
    odd = {day: each for day, each in planned.items() if each.steps != week[day.weekday()]}
    in_calendar = _for_calendar(zone, delegation, week, {day: odd[day] for day in odd if day >= today} or odd)
    dates: tuple[CalendarEntry, ...] | None = None if delegation.calendar is None else ()
    rows: list[SpecialDays] = []
    held: set[date] = set()
    if in_calendar is not None:
        runs = ((max(first, month), last) for first, last in _runs(planned, in_calendar, odd) if last >= month)
        dates = tuple(_entry_of(first, last) for first, last in runs)
        rows.append(_row(zone, delegation, CalendarRef(_instance(delegation)), in_calendar))
        held.update(day for day, each in odd.items() if each.steps == in_calendar and _fits(delegation, in_calendar))
    others = ((max(first, month), last, steps) for first, last, steps in _other_runs(planned, odd, held))
    for first, last, steps in _nearest(others, today, delegation.exceptions - len(rows)):
        rows.append(_row(zone, delegation, _entry_of(first, last), steps))
        held.update(day for day in odd if first <= day <= last and _fits(delegation, steps))
    coming = (day for day in odd if today <= day < today + _DAY * days)
    left_out = tuple(LeftOut(day, _why(odd[day], week)) for day in coming if day not in held)
    weekly = tuple(_entries(zone, delegation, steps, default=DEFAULT) for steps in week)
    timetable = Timetable(ANY_DAY, weekly, tuple(rows), value_of(zone, delegation, DEFAULT))
    return Compiled(Agenda(timetable, dates), left_out, tuple(_simplified(delegation, week)))


def ordinary_week(zone: Zone, delegation: Delegation) -> tuple[Steps, ...]:
    """The week by its hours alone, Monday first."""
    ordinary = replace(zone, occupancy=_by_hours_alone(zone.occupancy))
    return tuple(each.steps for _, each in _planned(ordinary, delegation, _ORDINARY_MONDAY, len(WEEKDAYS)))


def is_held(zone: Zone, delegation: Delegation, agenda: Agenda, day: date) -> bool:
    """Whether ``agenda`` says on ``day`` exactly what the plan says."""
    ((_, planned),) = _planned(zone, delegation, day, 1)
    timetable = agenda.timetable
    rows = (timetable.weekly[day.weekday()], *(special.entries for special in timetable.exceptions))
    moments = {at for at, _ in planned.steps} | {entry.at for entries in rows for entry in entries}
    return all(
        value_at(timetable, datetime.combine(day, at), calendars_of(delegation, agenda)).value
        == value_of(zone, delegation, _in_force(planned.steps, at))
        for at in moments
    )


def calendars_of(delegation: Delegation, agenda: Agenda) -> Mapping[int, Sequence[CalendarEntry]]:
    """The date list by the instance of its Calendar object."""
    return {} if delegation.calendar is None else {_instance(delegation): agenda.dates or ()}


def value_of(zone: Zone, delegation: Delegation, allure: Allure) -> float:
    """What stands in the controller for an allure: degrees C, or its number."""
    return MODE_NUMBERS[allure] if delegation.modes else zone.setpoints.of(allure)


@lru_cache(maxsize=512)
def _by_hours_alone(occupancy: Occupancy) -> Occupancy:
    """One and the same for one occupancy: everything that is worked out about it is found again."""
    return replace(occupancy, closed=(), exceptions=(), effective=ALWAYS)


def _planned(zone: Zone, delegation: Delegation, first: date, days: int) -> Iterator[tuple[date, _Planned]]:
    changes = _changes(zone, delegation, first, first + _DAY * days)
    place = 0
    for ahead in range(days):
        day = first + _DAY * ahead
        midnight, midnight_after = (datetime.combine(each, _MIDNIGHT) for each in (day, day + _DAY))
        while place + 1 < len(changes) and changes[place + 1][0] <= midnight:
            place += 1
        _, allure, reason = changes[place]
        steps, reasons = [(_MIDNIGHT, allure)], [reason]
        while place + 1 < len(changes) and changes[place + 1][0] < midnight_after:
            place += 1
            at, allure, reason = changes[place]
            steps.append((at.time(), allure))
            reasons.append(reason)
        yield day, _Planned(tuple(steps), tuple(reasons))


def _changes(zone: Zone, delegation: Delegation, first: date, end: date) -> list[tuple[datetime, Allure, str]]:
    """When the allure changes, in local time (naive), from the one that stands at the beginning of ``first``."""
    tz = zone.occupancy.zone
    at, until = at_local(first, _MIDNIGHT, tz), at_local(end + _DAY, _MIDNIGHT, tz)
    changes: list[tuple[datetime, Allure, str]] = []
    while at < until:
        demand = allures.evaluate(zone.occupancy, zone.setpoints, at)
        since = demand.since
        if demand.allure is Allure.COMFORT and changes:
            since = max(since - delegation.lead, changes[-1][0].replace(tzinfo=tz).astimezone(UTC))
        local = since.astimezone(tz).replace(tzinfo=None)
        if changes and changes[-1][0] == local:
            changes.pop()
        if not changes or changes[-1][1] is not demand.allure:
            changes.append((local, demand.allure, demand.reason))
        at = demand.until
    return changes


def _for_calendar(
    zone: Zone, delegation: Delegation, week: Sequence[Steps], odd: Mapping[date, _Planned]
) -> Steps | None:
    """The kind of day that the ordinary week would get most wrong, in degree hours; None where none can be held."""
    if delegation.calendar is None or not delegation.exceptions or not odd:
        return None
    wrong: defaultdict[Steps, float] = defaultdict(float)
    for day, each in odd.items():
        wrong[each.steps] += _degree_hours(zone, each.steps, week[day.weekday()])
    return max(wrong, key=lambda steps: (wrong[steps], steps))


def _degree_hours(zone: Zone, a: Steps, b: Steps) -> float:
    """How far two days are apart, in K.h."""
    moments = sorted({at for at, _ in (*a, *b)})
    ends = [*map(_second, moments[1:]), _DAY_S]
    apart = (abs(zone.setpoints.of(_in_force(a, at)) - zone.setpoints.of(_in_force(b, at))) for at in moments)
    return sum(k * (end - _second(at)) / _HOUR_S for k, at, end in zip(apart, moments, ends, strict=True))


def _runs(planned: Mapping[date, _Planned], steps: Steps, odd: Mapping[date, _Planned]) -> Iterator[tuple[date, date]]:
    """Stretches of days that are all planned so, with an odd one among them: a weekend in holidays is no gap."""
    run: list[date] = []
    for day, each in planned.items():
        if each.steps == steps:
            run.append(day)
        elif run:
            yield from _trimmed(run, odd)
            run = []
    if run:
        yield from _trimmed(run, odd)


def _trimmed(run: list[date], odd: Mapping[date, _Planned]) -> Iterator[tuple[date, date]]:
    """From the first odd day of the run to its last one."""
    found = [day for day in run if day in odd]
    if found:
        yield found[0], found[-1]


def _other_runs(planned: Mapping[date, _Planned], odd: Mapping[date, _Planned], held: set[date]) -> Iterator[_Run]:
    for steps in dict.fromkeys(each.steps for day, each in odd.items() if day not in held):
        for first, last in _runs(planned, steps, odd):
            yield first, last, steps


def _nearest(runs: Iterable[_Run], today: date, room: int) -> list[_Run]:
    """The next ``room`` of them; what is over stays where there is room, until the month is over."""
    by_day = sorted(run for run in runs if run[1] >= today.replace(day=1))
    ahead = [run for run in by_day if run[1] >= today][:room]
    over = [run for run in by_day if run[1] < today]
    return over[max(0, len(over) + len(ahead) - room) :] + ahead


def _end_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _entry_of(first: date, last: date) -> CalendarEntry:
    if first == last:
        return DatePattern(first.year, first.month, first.day, None)
    return DateRange(first, last)


def _row(zone: Zone, delegation: Delegation, period: CalendarEntry | CalendarRef, steps: Steps) -> SpecialDays:
    return SpecialDays(period, _entries(zone, delegation, steps), EXCEPTION_PRIORITY)


def _entries(zone: Zone, delegation: Delegation, steps: Steps, default: Allure | None = None) -> Day:
    """The day as entries; what the schedule default says at 00:00 anyway takes none."""
    fitted = _fitted(steps, delegation.entries_per_day, default)
    first = 1 if fitted[0][1] is default else 0
    return tuple(Entry(at, value_of(zone, delegation, allure)) for at, allure in fitted[first:])


def _fitted(steps: Steps, room: int, default: Allure | None) -> Steps:
    """The same day in no more entries: the shortest cold stretches stay as warm as what goes before them."""
    fitted = list(steps)
    while len(fitted) - (fitted[0][1] is default) > room:
        colder = [i for i in range(1, len(fitted)) if _WARMTH[fitted[i][1]] < _WARMTH[fitted[i - 1][1]]]
        if colder:
            ends = [*(_second(at) for at, _ in fitted[1:]), _DAY_S]
            del fitted[min(colder, key=lambda i: ends[i] - _second(fitted[i][0]))]
        else:
            fitted[:2] = [(fitted[0][0], fitted[1][1])]
        fitted = [step for i, step in enumerate(fitted) if i == 0 or step[1] is not fitted[i - 1][1]]
    return tuple(fitted)


def _fits(delegation: Delegation, steps: Steps) -> bool:
    """Whether a day of its own keeps all its changes."""
    return _fitted(steps, delegation.entries_per_day, None) == steps


def _simplified(delegation: Delegation, week: Sequence[Steps]) -> Iterator[str]:
    for name, steps in zip(WEEKDAYS, week, strict=True):
        if _fitted(steps, delegation.entries_per_day, DEFAULT) != steps:
            yield name


def _why(planned: _Planned, week: Sequence[Steps]) -> str:
    """The first reason with a date of its own, else that of the first stretch which no ordinary day has."""
    dated = [reason for reason in planned.reasons if any(word in reason for word in _DATED)]
    if dated:
        return dated[0]
    usual = {step for steps in week for step in steps}
    found = zip(planned.steps, planned.reasons, strict=True)
    return next((reason for step, reason in found if step not in usual), planned.reasons[0])


def _in_force(steps: Steps, at: time) -> Allure:
    return next(allure for begun, allure in reversed(steps) if begun <= at)


def _second(at: time) -> float:
    """Of the day."""
    return at.hour * 3600.0 + at.minute * 60.0 + at.second


def _instance(delegation: Delegation) -> int:
    return int((delegation.calendar or "").partition(",")[2])
