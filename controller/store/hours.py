"""Hours and months of zones and buildings as rows: the hours for two winters, the months for ten years.

Blocking; may raise sqlite3.Error.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from controller.core.metering.hourly import OpenHour
from controller.core.metering.monthly import month_of
from controller.core.metering.rows import HourRow, MonthSpan

KEEP_HOURS = 25 * 31 * 24
"""Of each zone and building: 25 months. Counted, so that a clock that was years ahead for a while deletes nothing."""
KEEP_MONTHS = 120
"""Ten years; the French decree (R175-3) asks for five."""
_ONCE_A_DAY = "T00:00Z"
_OPEN: TypeAdapter[OpenHour] = TypeAdapter(OpenHour)


@dataclass(frozen=True, slots=True)
class Archive:
    """What a file held of closed hours and months."""

    hours: tuple[HourRow, ...] = ()
    months: tuple[tuple[str, str, str], ...] = ()
    """Target, month and figures."""


def write_open(db: sqlite3.Connection, hours: Mapping[str, OpenHour | None]) -> None:
    """Replace what is known of these hours in progress."""
    for target, hour in hours.items():
        if hour is None:
            db.execute("DELETE FROM open_hour WHERE target = ?", (target,))
        else:
            db.execute("INSERT OR REPLACE INTO open_hour VALUES (?, ?)", (target, _OPEN.dump_json(hour).decode()))


def read_open(db: sqlite3.Connection) -> dict[str, OpenHour]:
    """The hours in progress; one that cannot be read (an older version's) is left out: that time is not measured."""
    found = {}
    for target, state in db.execute("SELECT target, state FROM open_hour"):
        with suppress(ValidationError):
            found[target] = _OPEN.validate_json(state)
    return found


def append(db: sqlite3.Connection, rows: Sequence[HourRow]) -> None:
    """Add closed hours; of two rows of one hour that which covers more of it stands. What is too old goes.

    Of two that cover the same the later one stands: the clock of the first was ahead.
    """
    db.executemany(
        "INSERT INTO hour VALUES (?, ?, ?, ?) ON CONFLICT (target, hour) DO UPDATE"
        " SET measured_s = excluded.measured_s, figures = excluded.figures"
        " WHERE excluded.measured_s >= measured_s",
        [(row.target, row.hour, row.covered_s, row.figures) for row in rows],
    )
    for target in {row.target for row in rows if row.hour.endswith(_ONCE_A_DAY)}:
        _forget(db, "hour", target, KEEP_HOURS)


def add_up(db: sqlite3.Connection, spans: Sequence[MonthSpan]) -> None:
    """Make months of the hours that are there; a month that is there already is made anew."""
    for span in spans:
        hours = db.execute(
            "SELECT hour, figures FROM hour WHERE target = ? AND hour >= ? AND hour < ? ORDER BY hour",
            (span.target, span.first, span.last),
        )
        with suppress(ValueError, TypeError):  # hours that are none of ours stay as they are
            put_months(db, [(span.target, span.month, month_of(span, hours))])
        _forget(db, "month", span.target, KEEP_MONTHS)


def put_months(db: sqlite3.Connection, months: Sequence[tuple[str, str, str]]) -> None:
    """Write months as they are."""
    db.executemany("INSERT OR REPLACE INTO month VALUES (?, ?, ?)", months)


def rescued_hours(path: Path) -> Archive:
    """The closed hours and months of a damaged file, as far as they can be read."""
    hours: list[HourRow] = []
    months: list[tuple[str, str, str]] = []
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as db:
        months.extend(db.execute("SELECT target, month, figures FROM month"))
        hours.extend(HourRow(*row) for row in db.execute("SELECT target, hour, measured_s, figures FROM hour"))
    return Archive(tuple(hours), tuple(months))


def _forget(db: sqlite3.Connection, table: str, target: str, keep: int) -> None:
    """Keep the newest rows of a target; ``table`` is also the name of the column that says when."""
    newest = f"SELECT {table} FROM {table} WHERE target = ? ORDER BY {table} DESC LIMIT 1 OFFSET ?"  # noqa: S608
    oldest = db.execute(newest, (target, keep - 1)).fetchone()
    if oldest is not None:
        db.execute(f"DELETE FROM {table} WHERE target = ? AND {table} < ?", (target, *oldest))  # noqa: S608
