"""Meetings from an agenda (iCalendar) or from a booking software's table, as dated exceptions to the opening hours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from config.fields import shown
from config.ics import Occurrence, read_occurrences
from config.imports.records import YEARS, Record, read_records
from config.imports.sheet import Line, cell
from config.problems import Findings, Spot, did_you_mean

COLUMNS = ("start", "end", "date", "label", "place", "status", "id")
"""What a column of a booking table may be; ``date`` where start and end are times of the day."""
_CANCELLED = ("annul", "cancel", "refus", "rejet", "abgesagt", "geannuleerd")
_LONGEST = timedelta(days=62)
"""A booking that began so long before the first day asked for may still reach it."""
_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
_MIDNIGHT = time(0)
_NAMED = 5
"""So many of those left out are told by name."""
_DATES = (
    re.compile(r"(?P<d>\d{1,2})[/.](?P<m>\d{1,2})[/.](?P<y>\d{4})"),
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})"),
)
_TIME = re.compile(r"(\d{1,2})\s*[:hH]\s*(\d{2})?(?::\d{2}(?:\.\d+)?)?")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which meetings, and what they mean: from ``first`` to ``last``, those whose label or place has ``only``.

    What opens a building says at which hours: one of whole days is left out where ``all_day`` does not give them, and
    so is what takes up nobody's time. What closes it may be of whole days.
    """

    first: date
    last: date
    only: str = ""
    state: str = "open"
    priority: int = 8
    all_day: str = ""
    """``08:00-18:00``: the hours of a meeting that names whole days."""

    @property
    def opens(self) -> bool:
        """Whether the meetings are such that people come."""
        return self.state == "open"


def of_agenda(file: str, text: str, zone: ZoneInfo, choice: Choice, findings: Findings) -> list[Line]:
    """The lines of an iCalendar file; recurring meetings once a time, cancelled ones left out."""
    found = read_occurrences(file, text, zone, findings, (choice.first - _LONGEST, choice.last))
    return _lines(file, ((Spot(file), each) for each in found), choice, findings)


def of_table(file: str, text: str, columns: Mapping[str, str], choice: Choice, findings: Findings) -> list[Line]:
    """The lines of a booking table; ``columns`` names its column for each of COLUMNS that has another name."""
    named = {key: columns.get(key, key).lower() for key in COLUMNS}
    records = read_records(file, text, findings)
    known = list(dict.fromkeys(name for record in records for name in record.cells))
    missing = [key for key in dict.fromkeys(("start", *columns)) if records and named[key] not in known]
    for key in missing:
        hint = did_you_mean(named[key], known) or ";"
        findings.error(Spot(file, 1, 1), f'no column "{named[key]}" for {key}{hint} there are {", ".join(known)}')
    if missing:
        return []
    return _lines(file, _booked(file, records, named, findings), choice, findings)


def _booked(
    file: str, records: Iterable[Record], named: Mapping[str, str], findings: Findings
) -> Iterator[tuple[Spot, Occurrence]]:
    for record in records:
        given = {key: record.cells.get(name, "") for key, name in named.items()}
        if given["status"].lower().startswith(_CANCELLED):
            continue
        spot = Spot(file, record.line, 1)
        try:
            start, end = _span(given["date"], given["start"], given["end"])
        except ValueError as error:
            findings.error(spot, str(error))
            continue
        yield spot, Occurrence(start, end, given["label"], given["place"], given["id"])


def _span(day: str, start: str, end: str) -> tuple[date, date]:
    """When a booking begins and ends; whole days without a time, and an end without a date is the next one."""
    if not start:
        raise ValueError("the booking has no start")
    first, at = _moment(f"{day} {start}" if day else start)
    if first is None:
        raise ValueError(f"{shown(start)} names no day; is there a column for date=?")
    last, until = _moment(f"{day} {end}" if day and end else end) if end else (None, None)
    if at is None and until is None:
        if last is not None and last < first:
            raise ValueError(f"ends on {last}, before it starts on {first}")
        return first, (last or first) + _DAY
    if at is None or until is None:
        raise ValueError(f"{shown(start)} to {shown(end)}: one has a time of the day and the other has none")
    begins, ends = datetime.combine(first, at), datetime.combine(last or first, until)
    if ends <= begins and (day or last is None):
        ends += _DAY
    if ends <= begins:
        raise ValueError(f"ends at {ends:%Y-%m-%d %H:%M}, not after it starts at {begins:%Y-%m-%d %H:%M}")
    return begins, ends


def _moment(text: str) -> tuple[date | None, time | None]:
    """The day and the time that a text has: ``24/12/2026 18h30``, ``2026-12-24T18:30:00``, ``18:30``."""
    rest, day = text.strip().replace("T", " "), None
    for pattern in _DATES:
        match = pattern.match(rest)
        if match:
            try:
                day = date(int(match["y"]), int(match["m"]), int(match["d"]))
            except ValueError as error:
                raise ValueError(f"{shown(text)} is no day: {error}") from error
            if day.year not in YEARS:
                raise ValueError(f"{shown(text)}: the year {day.year} is not meant")
            rest = rest[match.end() :].strip()
            break
    if not rest:
        return day, None
    match = _TIME.fullmatch(rest)
    if match is None:
        raise ValueError(f"{shown(text)} is neither a day (24/12/2026, 2026-12-24) nor a time (18:30, 18h30)")
    if (match[1], int(match[2] or 0)) == ("24", 0):
        return None if day is None else day + _DAY, _MIDNIGHT
    try:
        return day, time(int(match[1]), int(match[2] or 0))
    except ValueError as error:
        raise ValueError(f"{shown(text)} is no time of the day: {error}") from error


def _lines(file: str, found: Iterable[tuple[Spot, Occurrence]], choice: Choice, findings: Findings) -> list[Line]:
    lines: list[Line] = []
    whole: dict[tuple[str, str], list[tuple[Spot, Occurrence]]] = {}
    free: list[str] = []
    for spot, each in _asked(found, choice, findings):
        if choice.opens and each.free:
            free.append(shown(each.label))
        elif choice.opens and not choice.all_day and _is_whole(each):
            whole.setdefault((each.uid or str(spot), each.label), []).append((spot, each))
        else:
            lines += _of_one(file, each, choice)
    for spots in whole.values():
        _without_hours(*spots[0], len(spots) - 1, findings)
    if free:
        names = ", ".join(list(dict.fromkeys(free))[:_NAMED])
        findings.warning(Spot(file), f"{len(free)} that take up nobody's time (TRANSPARENT) are left out: {names}")
    return lines


def _asked(
    found: Iterable[tuple[Spot, Occurrence]], choice: Choice, findings: Findings
) -> Iterator[tuple[Spot, Occurrence]]:
    """Those of the days and the place asked for; what makes no sense is told and left out."""
    for spot, each in found:
        if choice.only.lower() not in f"{each.label} {each.place}".lower():
            continue
        if isinstance(each.start, datetime) and (each.end is None or each.end <= each.start):
            findings.warning(spot, f"{shown(each.label)} on {each.start:%Y-%m-%d %H:%M} has no length: left out")
            continue
        if each.days[1].year not in YEARS:
            findings.error(spot, f"{shown(each.label)} ends in the year {each.days[1].year}")
            continue
        if each.days[1] >= choice.first and each.days[0] <= choice.last:
            yield spot, each


def _without_hours(spot: Spot, each: Occurrence, more: int, findings: Findings) -> None:
    again = f" and {more} more times" if more > 1 else " and once more" if more else ""
    findings.warning(
        spot,
        f"{shown(each.label)} on {each.days[0]}{again} is all day, and would open the building for 24 hours: left out; "
        "--all-day 08:00-18:00 gives the hours of such meetings",
    )


def _of_one(file: str, each: Occurrence, choice: Choice) -> Iterator[Line]:
    source = cell(f"{file.rpartition('/')[2]}: {each.uid}" if each.uid else file.rpartition("/")[2])
    label = cell(each.label) or cell(each.place) or "-"
    whole = choice.all_day if _is_whole(each) else ""
    for first, last, hours in _stretches(each):
        if last >= choice.first and first <= choice.last:
            yield str(first), str(last), hours or whole, label, choice.state, str(choice.priority), source


def _is_whole(each: Occurrence) -> bool:
    """Whether it names days and no hours; some programs write those as from midnight to midnight."""
    if not isinstance(each.start, datetime) or not isinstance(each.end, datetime):
        return True
    return each.start.time() == each.end.time() == _MIDNIGHT


def _stretches(each: Occurrence) -> Iterator[tuple[date, date, str]]:
    """First day, last day and hours of the lines that one meeting needs; hours empty: the whole day."""
    if not isinstance(each.start, datetime) or not isinstance(each.end, datetime):
        yield (*each.days, "")
        return
    start = each.start.replace(second=0, microsecond=0)
    end = (each.end + _MINUTE - timedelta(microseconds=1)).replace(second=0, microsecond=0)
    first, last = start.date(), (end - _MINUTE).date()
    whole_first, whole_last = start.time() == _MIDNIGHT, end.time() == _MIDNIGHT
    if end - start < _DAY:
        yield first, first, f"{start:%H:%M}-{'24:00' if whole_last else f'{end:%H:%M}'}"
        return
    if not whole_first:
        yield first, first, f"{start:%H:%M}-24:00"
        first += _DAY
    if not whole_last:
        yield last, last, f"00:00-{end:%H:%M}"
        last -= _DAY
    if first <= last:
        yield first, last, ""
