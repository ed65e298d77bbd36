"""Dated days: calendars (start,end,label,source) and exceptions to the opening hours (hours and state besides)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from config.fields import shown
from config.problems import Findings, Spot, did_you_mean
from config.tables import Row, parse_table
from config.tree.draft import Draft
from schedules.calendars import Calendar, Period
from schedules.occupancy import DatedException, OccupancyError, parse_interval

REQUIRED = ("start", "end", "label", "source")
STATES = ("open", "closed")
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
            calendars[name] = Calendar(name, tuple(_read(draft, path, text, zone, is_ics=written.key == "ics")))
    return calendars


def _read(draft: Draft, path: Path, text: str, zone: ZoneInfo, *, is_ics: bool) -> Iterable[Period]:
    file = draft.files.name(path)
    if not is_ics:
        return _periods(parse_table(file, text, REQUIRED, (), draft.findings), draft.findings)
    from config.tree.ics import read_ics  # noqa: PLC0415 - its libraries only for a site that has such a calendar

    return read_ics(file, text, zone, draft.findings)


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


def build_exceptions(draft: Draft, path: Path, named_at: Spot, label: str) -> list[DatedException]:
    """The dated exceptions of one file; whole days without ``hours``, open without ``state``."""
    text = draft.files.text(path, named_at, label)
    if text is None:
        return []
    rows = parse_table(
        draft.files.name(path), text, ("start", "label"), ("end", "hours", "state", "source"), draft.findings
    )
    return [found for row in rows if (found := _exception(row, draft.findings))]


def _exception(row: Row, findings: Findings) -> DatedException | None:
    days = _days(row, findings)
    interval, state = None, row.cells.get("state", "open")
    if state not in STATES:
        hint = did_you_mean(state, STATES) or ";"
        findings.error(row.spot("state"), f"state: {shown(state)} is not known{hint} allowed: open, closed")
        return None
    try:
        interval = parse_interval(row.cells["hours"]) if "hours" in row.cells else None
    except OccupancyError as error:
        findings.error(row.spot("hours"), f"hours: {error}")
        return None
    if days is None:
        return None
    return DatedException(days[0], interval, state == "open", row.cells.get("label", ""), days[1])


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
