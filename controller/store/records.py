"""Ledgers in progress and the records of closed nights as rows. Records are only ever appended; the oldest nights go.

Blocking; may raise sqlite3.Error.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from controller.core.journal import Record
from controller.core.ledger import Ledger

KEEP_NIGHTS = 800
_KEEP_BYTES = 256 * 1024 * 1024
_LEDGER = TypeAdapter(Ledger)
_COLUMNS = "kind, night, target, sha256, payload"


def write_ledgers(db: sqlite3.Connection, ledgers: Mapping[str, Ledger | None]) -> None:
    """Replace what is known of these groups' nights in progress."""
    for group, ledger in ledgers.items():
        if ledger is None:
            db.execute("DELETE FROM ledger WHERE target = ?", (group,))
        else:
            state = _LEDGER.dump_json(ledger).decode()
            db.execute("INSERT OR REPLACE INTO ledger VALUES (?, ?)", (group, state))


def read_ledgers(db: sqlite3.Connection) -> dict[str, Ledger]:
    """The nights in progress; one that cannot be read (an older version's) is left out: that time is unknown."""
    found = {}
    for group, state in db.execute("SELECT target, state FROM ledger"):
        with suppress(ValidationError):
            found[group] = _LEDGER.validate_json(state)
    return found


def append(db: sqlite3.Connection, records: Sequence[Record]) -> None:
    """Add the records of closed nights; where there are too many, the oldest nights go."""
    if not records:
        return
    rows = ((each.kind, each.night, each.target, each.sha256, each.payload) for each in records)
    db.executemany(f"INSERT INTO record ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)", rows)  # noqa: S608 - our own words
    newest = max(each.night for each in records)  # a rescued archive comes as a whole
    a_night = max(1, sum(len(each.payload) for each in records if each.night == newest))
    keep = max(1, min(KEEP_NIGHTS, _KEEP_BYTES // a_night))
    nights = "SELECT DISTINCT night FROM record WHERE kind = 'night' ORDER BY night DESC LIMIT 1 OFFSET ?"
    oldest = db.execute(nights, (keep - 1,)).fetchone()
    if oldest is not None:
        db.execute("DELETE FROM record WHERE night < ?", oldest)


def keep(db: sqlite3.Connection, documents: Mapping[str, str | None]) -> None:
    """Replace these documents; None deletes one."""
    for name, document in documents.items():
        if document is None:
            db.execute("DELETE FROM kept WHERE name = ?", (name,))
        else:
            db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, document))


def newest_seal(db: sqlite3.Connection) -> str:
    """The hash of the latest record of a night, empty without one."""
    row = db.execute("SELECT sha256 FROM record WHERE kind = 'night' ORDER BY seq DESC LIMIT 1").fetchone()
    return "" if row is None else str(row[0])


def rescued(path: Path) -> list[Record]:
    """The records of a damaged file, as far as they can be read."""
    found: list[Record] = []
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as db:
        rows = db.execute(f"SELECT {_COLUMNS} FROM record ORDER BY seq")  # noqa: S608 - our own words
        found.extend(Record(*row) for row in rows)  # what came before the damage stays
    return found
