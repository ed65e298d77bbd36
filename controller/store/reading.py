"""The file read beside the daemon that writes it: read-only, a consistent view, never a lock that it would feel.

Blocking. ``NoStore`` says in words why there is nothing to read.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from controller.core.journal import Record

_BUSY_S = 5.0
_SCHEMA = 4
"""The first one with records."""
_WITH_DOCUMENTS, _WITH_HOURS = 5, 6


class NoStore(Exception):
    """There is no file, or none that can be read."""


class Reading:
    """One open file. Every method may raise NoStore."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise NoStore(f"{path} does not exist: no daemon has kept anything there (--state says where it does)")
        try:
            self._db = _opened(path)
        except sqlite3.Error as error:
            raise NoStore(f"{path} cannot be read: {error}") from error
        self._path = path

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def records(self, kind: str, first: str, last: str) -> Iterator[Record]:
        """The records of one kind of the nights from ``first`` to ``last`` (dates), in the order in which they came."""
        self._check()
        columns = "kind, night, target, sha256, payload"
        query = f"SELECT {columns} FROM record WHERE kind = ? AND night BETWEEN ? AND ? ORDER BY seq"  # noqa: S608
        for row in self._rows(query, (kind, first, last)):
            yield Record(*(str(each) for each in row))

    def hours(self, target: str, first: str, last: str) -> Iterator[tuple[str, str]]:
        """The closed hours of a zone or building from ``first`` to before ``last``: hour and figures, in order."""
        self._check(_WITH_HOURS)
        query = "SELECT hour, figures FROM hour WHERE target = ? AND hour >= ? AND hour < ? ORDER BY hour"
        for hour, figures in self._rows(query, (target, first, last)):
            yield str(hour), str(figures)

    def months(self, target: str, first: str, last: str) -> Iterator[tuple[str, str]]:
        """Its closed months from ``first`` to ``last`` (``2026-11``): month and figures, in order."""
        self._check(_WITH_HOURS)
        query = "SELECT month, figures FROM month WHERE target = ? AND month BETWEEN ? AND ? ORDER BY month"
        for month, figures in self._rows(query, (target, first, last)):
            yield str(month), str(figures)

    def documents(self, prefix: str) -> Iterator[tuple[str, str]]:
        """The documents that functions of the core keep under names that begin so."""
        self._check(_WITH_DOCUMENTS)
        query = "SELECT name, document FROM kept WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name"
        for name, document in self._rows(query, (prefix,)):
            yield str(name), str(document)

    def newest_night(self) -> str | None:
        """The date of the latest closed night."""
        self._check()
        for (night,) in self._rows("SELECT max(night) FROM record WHERE kind = 'night'", ()):
            return None if night is None else str(night)
        return None

    def samples(self) -> Iterator[dict[str, object]]:
        """The readings that wait for the broker, the oldest first."""
        for (payload,) in self._rows("SELECT payload FROM sample ORDER BY seq", ()):
            try:
                yield from json.loads(str(payload))
            except ValueError as error:
                raise NoStore(f"{self._path} holds samples that are no JSON: {error}") from error

    def _check(self, least: int = _SCHEMA) -> None:
        version = next(self._rows("PRAGMA user_version", ()))[0]
        if not isinstance(version, int) or version < least:
            raise NoStore(f"{self._path} is of an earlier version: start the daemon once, and let a night pass")

    def _rows(self, query: str, values: tuple[str, ...]) -> Iterator[tuple[object, ...]]:
        try:
            with closing(self._db.execute(query, values)) as rows:
                yield from rows
        except sqlite3.Error as error:
            raise NoStore(f"{self._path} cannot be read: {error}") from error


def _opened(path: Path) -> sqlite3.Connection:
    """Open for reading. Without a log beside it nobody has it open, and reading it must not leave one behind."""
    uri = f"file:{path.resolve().as_posix().replace('?', '%3f').replace('#', '%23')}"
    logged = path.with_name(path.name + "-wal").exists()
    db = sqlite3.connect(f"{uri}?{'mode=ro' if logged else 'immutable=1'}", uri=True, timeout=_BUSY_S)
    try:
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error:
        db.close()
        raise
    return db
