"""A CSV file of dated days as an import writes it: sorted, a line a fact, with its source; and what it would change.

Comments that stand in the file already are kept at its top. Lines that end before the first day asked for are kept
too: an import of what is to come does not forget what was.
"""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from config.problems import Findings, Spot
from config.tables import header_of, parse_table
from config.tree.calendars import OF_EXCEPTIONS, REQUIRED
from config.tree.validity import COLUMN, LINE, read_valid_until
from schedules.exceptions import DATED_PRIORITY

OF_CALENDAR = REQUIRED
_IMPORTED = "# imported: "
_VALID = "# valid_until: "
_USUAL = {"state": "open", "priority": str(DATED_PRIORITY)}
_FORMULA = "=+-@ \t"
"""A spreadsheet would take a cell that begins so for a formula."""

Line = tuple[str, ...]
"""The cells of one row, in the order of the columns."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows in the order of time; ``origin`` says where they come from, ``comments`` are an operator's own."""

    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    valid_until: date | None
    origin: str = ""
    comments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What an import would change: whole lines, and until when the file knows its days."""

    added: tuple[Line, ...] = ()
    removed: tuple[Line, ...] = ()
    changed: tuple[tuple[Line, Line], ...] = ()
    unchanged: int = 0
    valid_until: tuple[date | None, date | None] = field(default=(None, None))

    @property
    def any(self) -> bool:
        """Whether there is a difference at all."""
        before, after = self.valid_until
        return bool(self.added or self.removed or self.changed) or before != after


def cell(text: str) -> str:
    """A text from elsewhere as one cell: on one line, and no formula for the spreadsheet that shows it."""
    shown = "".join(each for each in " ".join(text.split()) if each.isprintable())
    return shown.lstrip(_FORMULA).rstrip()


def sheet(columns: tuple[str, ...], lines: Sequence[Line], valid_until: date | None, origin: str) -> Sheet:
    """The rows sorted, each once."""
    return Sheet(columns, tuple(sorted(set(lines))), valid_until, origin)


def _other_kind(columns: tuple[str, ...], header: frozenset[str]) -> str:
    """What the file is by its header, where the import writes files of the other kind; else empty."""
    own = set(OF_EXCEPTIONS) - set(OF_CALENDAR)
    if columns == OF_CALENDAR:
        return "is a file of exceptions to opening hours, not a calendar" if header & own else ""
    is_calendar = header >= set(OF_CALENDAR) and not header & own
    return f"is a calendar, not a file of exceptions (those have {', '.join(sorted(own))})" if is_calendar else ""


def read_sheet(path: Path, columns: tuple[str, ...], findings: Findings) -> Sheet:
    """The file as it is; empty where there is none. One whose header is of the other kind is an error."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return Sheet(columns, (), None)
    except (OSError, UnicodeDecodeError) as error:
        findings.error(Spot(str(path)), f"cannot be read: {error}")
        return Sheet(columns, (), None)
    if other := _other_kind(columns, header_of(text)):
        findings.error(Spot(str(path)), f"{other}: this import would remove all that it says; is --to another file?")
        return Sheet(columns, (), None)
    rows = parse_table(str(path), text, ("start", "label"), (*columns[1:], COLUMN), findings)
    lines = []
    for row in rows:
        usual = {**_USUAL, "end": row.cells.get("start", "")}
        lines.append(tuple(row.cells.get(name, usual.get(name, "")) for name in columns))
    comments = tuple(
        line
        for line in text.splitlines()
        if line.startswith("#") and not line.startswith(_IMPORTED) and not LINE.match(line)
    )
    return Sheet(columns, tuple(lines), read_valid_until(str(path), text, rows, findings), comments=comments)


def merged(old: Sheet, new: Sheet, first: date | None) -> Sheet:
    """The new rows, with the comments of the old file and its rows that end before ``first``."""
    past = [line for line in old.lines if first is not None and line[1] < first.isoformat()]
    lines = tuple(sorted({*past, *new.lines}))
    return Sheet(new.columns, lines, new.valid_until, new.origin, old.comments)


def rendered(new: Sheet) -> str:
    """The text of the file."""
    out = io.StringIO()
    for comment in new.comments:
        out.write(f"{comment}\n")
    out.write(f"{_IMPORTED}{new.origin}\n")
    if new.valid_until is not None:
        out.write(f"{_VALID}{new.valid_until}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(new.columns)
    writer.writerows(new.lines)
    return out.getvalue()


def write_sheet(path: Path, new: Sheet) -> None:
    """Replace the file at one stroke. Raises OSError."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(rendered(new))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def difference(old: Sheet, new: Sheet) -> Changes:
    """Line by line; one that went and one that came with the same source, label or start are one that changed."""
    removed = [line for line in dict.fromkeys(old.lines) if line not in set(new.lines)]
    added = [line for line in new.lines if line not in set(old.lines)]
    changed: list[tuple[Line, Line]] = []
    at = {name: new.columns.index(name) for name in ("start", "label", "source")}
    for names in (("source", "start"), ("label", "start"), ("source", "label"), ("start",)):
        changed += _paired(removed, added, _key([at[name] for name in names]))
    return Changes(
        tuple(added),
        tuple(removed),
        tuple(sorted(changed, key=lambda pair: pair[1])),
        len(new.lines) - len(added) - len(changed),
        (old.valid_until, new.valid_until),
    )


def _key(positions: list[int]) -> Callable[[Line], Line]:
    return lambda line: tuple(line[position] for position in positions)


def _paired(removed: list[Line], added: list[Line], key: Callable[[Line], Line]) -> list[tuple[Line, Line]]:
    """Take out of both lists what has the same key, where that is unmistakable."""
    went, came = Counter(map(key, removed)), Counter(map(key, added))
    pairs = []
    for line in list(removed):
        if went[key(line)] == came[key(line)] == 1:
            other = next(each for each in added if key(each) == key(line))
            removed.remove(line)
            added.remove(other)
            pairs.append((line, other))
    return pairs


__all__ = [
    "OF_CALENDAR", "OF_EXCEPTIONS", "Changes", "Line", "Sheet", "cell", "difference", "merged", "read_sheet",
    "rendered", "sheet", "write_sheet",
]  # fmt: skip
