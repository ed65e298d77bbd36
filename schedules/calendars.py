"""Which days: dated calendars and the ``on:`` rules of a site file. Local dates, ranges inclusive."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ORDINALS = {"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5, "last": -1}
ALLOWED = (
    "a weekday (fri), weekdays (mon-fri), a yearly date (12-24), a yearly range (12-24..01-02), a date "
    "(2026-07-13), a range of dates (2026-07-13..2026-07-14), the nth weekday of the month (1st fri, last "
    "sat), a calendar's id, or a list of these"
)

ENDS_SOON = timedelta(days=60)
"""So long before a calendar ends it is time to bring it up to date."""

_LEAP_YEAR = 2028
_WEEK_DAYS = len(WEEKDAYS)
_WEEK = timedelta(days=_WEEK_DAYS)
_NTH = re.compile(r"(\w+)\s+(\w+)")
_YEARLY = re.compile(r"(\d{2})-(\d{2})(?:\.\.(\d{2})-(\d{2}))?")
_DATED = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.\.(\d{4}-\d{2}-\d{2}))?")


class DayRuleError(ValueError):
    """``word`` names no days. ``allowed`` are words that could stand there (for a did-you-mean)."""

    def __init__(self, message: str, word: str, allowed: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.word = word
        self.allowed = tuple(allowed)


@dataclass(frozen=True, slots=True)
class Period:
    """Days from ``start`` to ``end``, both included; ``source`` says where the dates come from."""

    start: date
    end: date
    label: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Named days. Periods may overlap; the one that starts last gives the label."""

    id: str
    periods: tuple[Period, ...]
    known_until: date | None = None
    """Until when its source knows of days, where that is not the last one listed."""
    _sorted: tuple[Period, ...] = field(init=False, repr=False, compare=False)
    _starts: tuple[date, ...] = field(init=False, repr=False, compare=False)
    _reach: tuple[date, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.periods, key=lambda period: period.start))
        object.__setattr__(self, "_sorted", ordered)
        object.__setattr__(self, "_starts", tuple(period.start for period in ordered))
        object.__setattr__(self, "_reach", tuple(accumulate((period.end for period in ordered), max)))

    def label_on(self, day: date) -> str | None:
        """The label of the period that holds ``day`` (may be empty), None when there is none."""
        index = bisect_right(self._starts, day) - 1
        while index >= 0 and self._reach[index] >= day:
            if self._sorted[index].end >= day:
                return self._sorted[index].label
            index -= 1
        return None

    @property
    def valid_until(self) -> date | None:
        """The last day that the calendar knows anything about, None where nobody said and no day is listed."""
        return self.known_until or (self._reach[-1] if self._reach else None)


@dataclass(frozen=True, slots=True)
class OnWeekdays:
    """``mon-fri``; Monday is 0."""

    days: tuple[int, ...]

    def reason(self, day: date) -> str | None:
        return weekday_words(self.days) if day.weekday() in self.days else None


@dataclass(frozen=True, slots=True)
class Yearly:
    """``12-24`` or ``12-24..01-02``: (month, day) pairs, every year; a range may run over the year's end."""

    start: tuple[int, int]
    end: tuple[int, int]

    def reason(self, day: date) -> str | None:
        today = (day.month, day.day)
        started, not_ended = self.start <= today, today <= self.end
        holds = (started and not_ended) if self.start <= self.end else (started or not_ended)
        return str(self) if holds else None

    def __str__(self) -> str:
        first = "{:02}-{:02}".format(*self.start)
        return first if self.start == self.end else "{}..{:02}-{:02}".format(first, *self.end)


@dataclass(frozen=True, slots=True)
class Dated:
    """``2026-07-13`` or ``2026-07-13..2026-07-14``."""

    start: date
    end: date

    def reason(self, day: date) -> str | None:
        if not self.start <= day <= self.end:
            return None
        return f"{self.start}" if self.start == self.end else f"{self.start}..{self.end}"


@dataclass(frozen=True, slots=True)
class NthWeekday:
    """``1st fri`` to ``5th fri``, ``last sat`` (ordinal -1) of the month."""

    ordinal: int
    weekday: int

    def reason(self, day: date) -> str | None:
        if day.weekday() != self.weekday:
            return None
        is_last = (day + _WEEK).month != day.month
        nth = (day.day - 1) // _WEEK_DAYS + 1
        return str(self) if nth == self.ordinal or (is_last and self.ordinal == ORDINALS["last"]) else None

    def __str__(self) -> str:
        words = {number: word for word, number in ORDINALS.items()}
        return f"{words[self.ordinal]} {WEEKDAYS[self.weekday]}"


@dataclass(frozen=True, slots=True)
class InCalendar:
    """The days of a calendar, by its id."""

    calendar: Calendar

    def reason(self, day: date) -> str | None:
        label = self.calendar.label_on(day)
        if label is None:
            return None
        return f"{self.calendar.id}: {label}" if label else self.calendar.id


DayTerm = OnWeekdays | Yearly | Dated | NthWeekday | InCalendar


@dataclass(frozen=True, slots=True)
class DayRule:
    """A parsed ``on:``: the days on which any of the terms holds."""

    terms: tuple[DayTerm, ...]


def matches(rule: DayRule, day: date) -> str | None:
    """Why ``rule`` holds on ``day`` ("fri", "feries: Toussaint", "12-24..12-26"), None when it does not."""
    return next((reason for term in rule.terms if (reason := term.reason(day)) is not None), None)


def parse_days(value: str | Sequence[str], calendars: Mapping[str, Calendar]) -> DayRule:
    """The rule that an ``on:`` writes; DayRuleError for a word that names no days."""
    words = [value] if isinstance(value, str) else list(value)
    if not words:
        raise DayRuleError(f"an empty list names no day; allowed: {ALLOWED}", "")
    return DayRule(tuple(_term(word, calendars) for word in words))


def parse_weekdays(text: str) -> tuple[int, ...] | None:
    """``fri`` -> (4,), ``sat-mon`` -> (5, 6, 0), None when the text is no weekday or range of weekdays."""
    ends = text.strip().lower().split("-")
    if len(ends) > 2 or any(end not in WEEKDAYS for end in ends):
        return None
    first, last = WEEKDAYS.index(ends[0]), WEEKDAYS.index(ends[-1])
    return tuple((first + step) % _WEEK_DAYS for step in range((last - first) % _WEEK_DAYS + 1))


def weekday_words(days: Iterable[int]) -> str:
    """The shortest text for weekdays: ``mon-fri``, ``mon-tue, thu-fri``, ``sat-mon``."""
    present = set(days)
    if len(present) == _WEEK_DAYS:
        return f"{WEEKDAYS[0]}-{WEEKDAYS[-1]}"
    words = []
    for first in (day for day in range(_WEEK_DAYS) if day in present and (day - 1) % _WEEK_DAYS not in present):
        last = first
        while (last + 1) % _WEEK_DAYS in present:
            last = (last + 1) % _WEEK_DAYS
        words.append(WEEKDAYS[first] if first == last else f"{WEEKDAYS[first]}-{WEEKDAYS[last]}")
    return ", ".join(words)


def _term(text: str, calendars: Mapping[str, Calendar]) -> DayTerm:
    word = text.strip()
    if (days := parse_weekdays(word)) is not None:
        return OnWeekdays(days)
    if word in calendars:
        return InCalendar(calendars[word])
    try:
        term = _nth_weekday(word) or _yearly(word) or _dated(word)
    except ValueError as error:
        raise DayRuleError(f"{text!r}: {error}", word) from error
    if term is None:
        known = (*WEEKDAYS, *calendars)
        raise DayRuleError(f"{text!r} names no day; allowed: {ALLOWED}", word, known)
    return term


def _nth_weekday(word: str) -> NthWeekday | None:
    match = _NTH.fullmatch(word.lower())
    if not match or match[1] not in ORDINALS or match[2] not in WEEKDAYS:
        return None
    return NthWeekday(ORDINALS[match[1]], WEEKDAYS.index(match[2]))


def _yearly(word: str) -> Yearly | None:
    match = _YEARLY.fullmatch(word)
    if not match:
        return None
    start = date(_LEAP_YEAR, int(match[1]), int(match[2]))
    end = date(_LEAP_YEAR, int(match[3]), int(match[4])) if match[3] else start
    return Yearly((start.month, start.day), (end.month, end.day))


def _dated(word: str) -> Dated | None:
    match = _DATED.fullmatch(word)
    if not match:
        return None
    start = date.fromisoformat(match[1])
    end = date.fromisoformat(match[2]) if match[2] else start
    if end < start:
        raise ValueError("the range ends before it starts")
    return Dated(start, end)
