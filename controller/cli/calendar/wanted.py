"""What ``veilleuse calendar import`` was asked for: which options go with which kind, days and spans of years."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

KINDS = ("meetings", "school-holidays", "public-holidays", "school-hours")
_OF_KIND = {
    "columns": "meetings", "only": "meetings", "state": "meetings", "priority": "meetings", "timezone": "meetings",
    "all_day": "meetings",
    "zone": "school-holidays", "years": "public-holidays", "uai": "school-hours", "school_year": "school-hours",
}  # fmt: skip
_OF_A_FILE = ("target", "first", "last")
_FIRST_YEAR, _LAST_YEAR = 1970, 2100
_MOST_YEARS = 30


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options as they were given, with their defaults."""

    kind: str
    source: str
    target: Path | None
    first: date | None
    last: date | None
    write: bool
    as_json: bool
    columns: str
    only: str
    state: str
    priority: int
    timezone: str
    all_day: str
    encoding: str
    zone: str
    years: range | None
    uai: str
    school_year: str | None


def day(context: click.Context, option: click.Parameter, text: str | None) -> date | None:
    """``2026-12-24``, as the callback of an option."""
    if text is None:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no date; write year-month-day, e.g. 2026-12-24") from error
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise click.BadParameter(f"{text!r}: years from {_FIRST_YEAR} to {_LAST_YEAR}")
    return found


def years(context: click.Context, option: click.Parameter, text: str | None) -> range | None:
    """``2026-2028`` or ``2026``, as the callback of an option."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{4})(?:-(\d{4}))?", text)
    if match is None:
        raise click.BadParameter(f"{text!r} is no span of years, e.g. 2026-2028")
    first, last = int(match[1]), int(match[2] or match[1])
    if not _FIRST_YEAR <= first <= last <= _LAST_YEAR or last - first >= _MOST_YEARS:
        raise click.BadParameter(f"{text!r}: at most {_MOST_YEARS} years, {_FIRST_YEAR} to {_LAST_YEAR}")
    return range(first, last + 1)


def checked(given: dict[str, Any]) -> Wanted:
    """The options of this kind; wrong usage where one belongs to another, or one is missing."""
    kind = given["kind"]
    for name, of in _OF_KIND.items():
        if given[name] is not None and of != kind:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with {of}, not with {kind}")
    needed = {"school-hours": "uai", "school-holidays": "zone"}.get(kind)
    if needed and not given[needed]:
        raise click.UsageError(f"{kind} needs --{needed}")
    if kind == "school-hours":
        stray = [name for name in _OF_A_FILE if given[name] is not None]
        if stray or given["write"]:
            raise click.UsageError("school-hours prints a block for the site file: no --to, --from, --until or --write")
    elif given["target"] is None:
        raise click.UsageError(f"{kind} needs --to FILE")
    if given["first"] and given["last"] and given["last"] < given["first"]:
        raise click.UsageError(f"--until {given['last']} is before --from {given['first']}")
    usual = {
        "columns": "",
        "only": "",
        "state": "open",
        "priority": 8,
        "timezone": "Europe/Paris",
        "all_day": "",
        "zone": "",
        "uai": "",
    }
    wanted = Wanted(**{**given, **{name: given[name] or default for name, default in usual.items()}})
    _timezone(wanted.timezone)
    _hours(wanted.all_day)
    columns_of(wanted.columns)
    return wanted


def columns_of(text: str) -> dict[str, str]:
    """``start=Début,end=Fin``; wrong usage for a name that a meeting does not have."""
    if not text:
        return {}
    from config.imports.meetings import COLUMNS

    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    found = {name.strip(): column.strip() for name, _, column in pairs}
    wrong = [name for name, column in found.items() if name not in COLUMNS or not column]
    if wrong or len(found) < len(pairs):
        allowed = ", ".join(COLUMNS)
        raise click.BadParameter(f"{text!r}: write NAME=COLUMN once for each; names: {allowed}", param_hint="--columns")
    return found


def _timezone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise click.BadParameter(f"{name!r} is no time zone, e.g. Europe/Paris", param_hint="--timezone") from error


def _hours(text: str) -> None:
    from schedules.exceptions import OccupancyError, parse_interval

    if not text:
        return
    try:
        parse_interval(text)
    except OccupancyError as error:
        raise click.BadParameter(str(error), param_hint="--all-day") from error
