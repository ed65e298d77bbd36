"""Dated days: calendars (start,end,label,source) and exceptions to the opening hours (hours, state, priority besides).

Both may say until when they know their days (config.tree.validity).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from config.fields import shown
from config.problems import Findings, Spot, did_you_mean
from config.tables import Row, parse_table
from config.tree.draft import Draft
from config.tree.validity import COLUMN, read_valid_until
from schedules.calendars import Calendar, Period
from schedules.exceptions import (
    DATED_PRIORITY,
    HIGHEST_PRIORITY,
    LOWEST_PRIORITY,
    DatedException,
    Extent,
    Interval,
    OccupancyError,
    parse_interval,
)

REQUIRED = ("start", "end", "label", "source")
OF_EXCEPTIONS = ("start", "end", "hours", "label", "state", "priority", "source")
STATES = {"open": True, "closed": False, "none": None}
"""``none`` is BACnet's NULL: the line stands in the file and says nothing."""
_LATEST_YEAR = 2200


def build_calendars(draft: Draft, zone: ZoneInfo) -> dict[str, Calendar]:
    """The calendars by id; ``zone`` says on which days the timed events of an iCalendar file fall."""
    calendars: dict[str, Calendar] = {}
    for name, written in draft.written.calendars.items():
        if draft.lacks(written, "csv", "ics") or (written.csv and written.ics):
            draft.error(written.where(), "a calendar is one file: csv or ics")
        path = written.ics or written.csv
        if path is None:
            continue
        text = draft.files.text(path, draft.spot(written.where(written.key)), f"calendars.{name}.{written.key}")
        if text is not None:
            periods, known_until = _read(draft, path, text, zone, is_ics=written.key == "ics")
            calendars[name] = Calendar(name, periods, written.valid_until or known_until)
    return calendars


def _read(
    draft: Draft, path: Path, text: str, zone: ZoneInfo, *, is_ics: bool
) -> tuple[tuple[Period, ...], date | None]:
    file = draft.files.name(path)
    if not is_ics:
        rows = parse_table(file, text, REQUIRED, (COLUMN,), draft.findings)
        periods = tuple(_periods(rows, draft.findings))
        return periods, read_valid_until(file, text, rows, draft.findings)
    from config.tree.ics import read_ics  # noqa: PLC0415 - its libraries only for a site that has such a calendar

    return read_ics(file, text, zone, draft.findings), None


def _periods(rows: list[Row], findings: Findings) -> Iterator[Period]:
    seen: dict[tuple[date, date], int] = {}
    for row in rows:
        days = _days(row, findings)
        if days is None:
            continue
        first = seen.setdefault(days, row.line)
        if first != row.line:
            findings.warning(row.spot("start"), f"these days are already in line {first}")
        yield Period(*days, row.cells.get("label", ""), row.cells.get("source", ""))


@dataclass(frozen=True, slots=True)
class ExceptionFile:
    """The dated exceptions of one file in its order, and how far it reaches where it says so."""

    exceptions: tuple[DatedException, ...] = ()
    extent: Extent | None = None


def build_exceptions(draft: Draft, path: Path, named_at: Spot, label: str) -> ExceptionFile:
    """One file of exceptions; whole days without ``hours``, open without ``state``, priority 8 without ``priority``.

    Lines of the state ``none`` are checked and left out: they say nothing.
    """
    text = draft.files.text(path, named_at, label)
    if text is None:
        return ExceptionFile()
    file = draft.files.name(path)
    optional = ("end", "hours", "state", "priority", "source", COLUMN)
    rows = parse_table(file, text, ("start", "label"), optional, draft.findings)
    found = (_exception(row, draft.findings) for row in rows)
    valid_until = read_valid_until(file, text, rows, draft.findings)
    return ExceptionFile(
        tuple(each for each in found if each is not None and each.occupied is not None),
        None if valid_until is None else Extent(path.name, valid_until),
    )


def _exception(row: Row, findings: Findings) -> DatedException | None:
    days, errors = _days(row, findings), findings.count
    state = row.cells.get("state", "open").lower()
    if state not in STATES:
        hint = did_you_mean(state, STATES) or ";"
        findings.error(row.spot("state"), f"state: {shown(state)} is not known{hint} allowed: {', '.join(STATES)}")
    interval, priority = _interval(row, findings), _priority(row, findings)
    if days is None or findings.count > errors:
        return None
    return DatedException(days[0], interval, STATES[state], row.cells.get("label", ""), days[1], priority)


def _interval(row: Row, findings: Findings) -> Interval | None:
    try:
        return parse_interval(row.cells["hours"]) if "hours" in row.cells else None
    except OccupancyError as error:
        findings.error(row.spot("hours"), f"hours: {error}")
        return None


def _priority(row: Row, findings: Findings) -> int:
    text = row.cells.get("priority", str(DATED_PRIORITY))
    if text.isascii() and text.isdigit() and HIGHEST_PRIORITY <= int(text) <= LOWEST_PRIORITY:
        return int(text)
    findings.error(row.spot("priority"), f"priority: {shown(text)} is none; 1 to 16, the lowest number wins")
    return DATED_PRIORITY


def _days(row: Row, findings: Findings) -> tuple[date, date] | None:
    """First and last day of a row; ``end`` empty is one day."""
    start = _day(row, "start", findings)
    end = _day(row, "end", findings) if "end" in row.cells else start
    if start is None or end is None:
        return None
    if end < start:
        findings.error(row.spot("end"), f"end: {end} is before the start, {start}")
        return None
    return start, end


def _day(row: Row, name: str, findings: Findings) -> date | None:
    text = row.cells.get(name)
    if text is None:
        findings.error(row.spot(name), f"{name}: missing")
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        findings.error(row.spot(name), f"{name}: {shown(text)} is not a date; write year-month-day, e.g. 2026-12-24")
        return None
    if len(text) == len("2026-12-24") and day.year < _LATEST_YEAR:
        return day
    findings.error(row.spot(name), f"{name}: {shown(text)} is not a date; write year-month-day, e.g. 2026-12-24")
    return None
