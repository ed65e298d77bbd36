"""The file: schema, one transaction per commit, quota, and a damaged file set aside. Blocking; one thread at a time.

WAL with synchronous=FULL: when ``commit`` returned, the rows survive a power cut.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from controller.core.journal import Journal, Override, Saved
from controller.store import hours, records
from schedules.allures import Allure

_T = TypeVar("_T")

KEEP_COMMANDS = timedelta(days=7)
"""How long the id of an executed command is remembered."""

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_BUSY_S = 1.0
_ASIDE_KEPT = 3
_PRIMARY = 0xFF
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_JOURNAL_TABLES = ("meta", "override", "command", "counter", "held", "learnt", "kept")

_MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE override (
        target TEXT PRIMARY KEY, value REAL NOT NULL, allure TEXT, since TEXT NOT NULL, until TEXT NOT NULL,
        reason TEXT NOT NULL, by TEXT NOT NULL, command_id TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE command (id TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX command_at ON command (at);
    CREATE TABLE counter (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE held (slot TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE sample (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, count INTEGER NOT NULL, size INTEGER NOT NULL, payload TEXT NOT NULL
    );
    """,
    "CREATE TABLE learnt (device TEXT PRIMARY KEY, facts TEXT NOT NULL) WITHOUT ROWID;",
    "ALTER TABLE override ADD COLUMN work_order TEXT NOT NULL DEFAULT '';",
    """
    CREATE TABLE ledger (target TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE record (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, night TEXT NOT NULL, target TEXT NOT NULL,
        sha256 TEXT NOT NULL, payload TEXT NOT NULL
    );
    CREATE INDEX record_night ON record (kind, night);
    """,
    "CREATE TABLE kept (name TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;",
    """
    CREATE TABLE open_hour (target TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE hour (
        target TEXT NOT NULL, hour TEXT NOT NULL, measured_s INTEGER NOT NULL, figures TEXT NOT NULL,
        PRIMARY KEY (target, hour)
    ) WITHOUT ROWID;
    CREATE TABLE month (
        target TEXT NOT NULL, month TEXT NOT NULL, figures TEXT NOT NULL, PRIMARY KEY (target, month)
    ) WITHOUT ROWID;
    """,
)
"""Each brings ``PRAGMA user_version`` one further; never changed once released."""


@dataclass(frozen=True, slots=True)
class Quota:
    """How much may wait for the broker on disk, well below the disk's end: on a full disk even DELETE fails."""

    batches: int = 200_000
    size_bytes: int = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples that travel in one message; ``payload`` is a JSON array of ``count`` objects."""

    count: int
    payload: str

    @property
    def size_bytes(self) -> int:
        """What it takes on disk, nearly."""
        return len(self.payload)


class Damaged(sqlite3.DatabaseError):
    """The file cannot be used as it is, and waiting will not mend it."""


def is_damage(error: Exception) -> bool:
    """Whether the file is broken, as opposed to a disk that is full, locked or away for a while."""
    code = getattr(error, "sqlite_errorcode", None) or 0
    return isinstance(error, Damaged) or code & _PRIMARY in _DAMAGE


def set_aside(path: Path, at: datetime) -> Path:
    """Rename a damaged file (and its log) to ``<name>.corrupt-<at>``; only the newest few are kept. Raises OSError."""
    aside = path.with_name(f"{path.name}.corrupt-{at:%Y%m%dT%H%M%S.%fZ}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        log = path.with_name(path.name + suffix)
        if log.exists():
            log.rename(aside.with_name(aside.name + suffix))
    kept = sorted(found for found in path.parent.glob(f"{path.name}.corrupt-*Z"))
    for old in kept[:-_ASIDE_KEPT]:
        for suffix in ("", "-wal", "-shm"):
            old.with_name(old.name + suffix).unlink(missing_ok=True)
    return aside


def rescue(path: Path) -> Saved:
    """What steers something, out of a damaged file, where those tables are whole, else nothing of it.

    What only measures comes along as far as it can be read: a bad page of it costs nothing else.
    """
    saved = Saved()
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=_BUSY_S)) as db:
        _check_journal(db)
        saved = _steering(db, _EVER)
        with suppress(sqlite3.Error):
            saved = replace(saved, ledgers=records.read_ledgers(db))
        with suppress(sqlite3.Error):
            saved = replace(saved, open_hours=hours.read_open(db))
    return saved


class Database:
    """One open file. Every method may raise sqlite3.Error; ``is_damage`` tells the kinds apart."""

    def __init__(self, path: Path, quota: Quota, first_seq: int = 0) -> None:
        """Open or create ``path`` and check the tables that steer something. Raises sqlite3.Error, OSError.

        The samples of a file that is created are numbered from ``first_seq`` + 1.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._quota = quota
        self._db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        with ExitStack() as undo:
            undo.callback(self._db.close)
            self._prepare(first_seq)
            self.series = self._one("SELECT value FROM meta WHERE key = 'series'", "")
            """A name for the numbering of the samples: another file, another series."""
            self.newest = self._one("SELECT seq FROM sqlite_sequence WHERE name = 'sample'", 0)
            """The highest number ever given to a batch."""
            self._batches = self._one("SELECT count(*) FROM sample", 0)
            self._bytes = self._one("SELECT coalesce(sum(size), 0) FROM sample", 0)
            undo.pop_all()

    def close(self) -> None:
        """Close the file; its write-ahead log goes into it."""
        self._db.close()

    def load(self, now: datetime) -> Saved:
        """Everything but the samples; overrides that have ended by ``now`` and old command ids are left out."""
        measured, seal = hours.read_open(self._db), records.newest_seal(self._db)
        return replace(_steering(self._db, now), ledgers=records.read_ledgers(self._db), seal=seal, open_hours=measured)

    def commit(self, journal: Journal, batches: Sequence[Batch] = (), forget_up_to: int = 0) -> int:
        """One transaction, all or nothing. Returns how many samples were dropped to stay within the quota."""
        with self._transaction():
            self._write(journal)
            gone, gone_bytes, _ = self._delete_up_to(forget_up_to)
            held, held_bytes = self._batches - gone, self._bytes - gone_bytes
            added_bytes = sum(batch.size_bytes for batch in batches)
            excess = self._excess(held + len(batches), held_bytes + added_bytes)
            late, late_bytes, dropped = self._delete_up_to(excess)
            rows = ((batch.count, batch.size_bytes, batch.payload) for batch in batches)
            self._db.executemany("INSERT INTO sample (count, size, payload) VALUES (?, ?, ?)", rows)
        self._batches = held - late + len(batches)
        self._bytes = held_bytes - late_bytes + added_bytes
        self.newest += len(batches)
        return dropped

    def put_months(self, months: Sequence[tuple[str, str, str]]) -> None:
        """Take over months from another file: target, month and figures."""
        with self._transaction():
            hours.put_months(self._db, months)

    def pending(self, after: int, limit: int) -> list[tuple[int, str]]:
        """The oldest batches numbered above ``after``, ``(seq, payload)``."""
        return self._db.execute(
            "SELECT seq, payload FROM sample WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
        ).fetchall()

    def _prepare(self, first_seq: int) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "journal_size_limit = 4194304"):
            self._db.execute(f"PRAGMA {pragma}")
        version = self._one("PRAGMA user_version", 0)
        if version > len(_MIGRATIONS):
            raise Damaged(f"schema {version} is of a later version than {len(_MIGRATIONS)}")
        for number, script in enumerate(_MIGRATIONS[version:], version + 1):
            self._db.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT")
        if version == 0:
            self._number_from(first_seq)
        _check_journal(self._db)

    def _number_from(self, first_seq: int) -> None:
        with self._transaction():
            self._db.execute("INSERT INTO meta VALUES ('series', ?)", (uuid.uuid4().hex[:8],))
            self._db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('sample', ?)", (first_seq,))

    def _write(self, journal: Journal) -> None:
        for target, override in journal.overrides.items():
            self._write_override(target, override)
        if journal.command_ids:
            ids = [(command_id, _text(at)) for command_id, at in journal.command_ids.items()]
            self._db.executemany("INSERT OR REPLACE INTO command VALUES (?, ?)", ids)
            oldest = _text(max(journal.command_ids.values()) - KEEP_COMMANDS)
            self._db.execute("DELETE FROM command WHERE at < ?", (oldest,))
        self._db.executemany("INSERT OR REPLACE INTO counter VALUES (?, ?)", journal.counters.items())
        for slot, value in journal.held.items():
            if value is None:
                self._db.execute("DELETE FROM held WHERE slot = ?", (slot,))
            else:
                self._db.execute("INSERT OR REPLACE INTO held VALUES (?, ?)", (slot, value))

        rows = ((device, json.dumps(facts)) for device, facts in journal.learnt.items())
        self._db.executemany("INSERT OR REPLACE INTO learnt VALUES (?, ?)", rows)
        records.write_ledgers(self._db, journal.ledgers)
        records.append(self._db, journal.records)
        records.keep(self._db, journal.kept)
        hours.write_open(self._db, journal.open_hours)
        hours.append(self._db, journal.hours)
        hours.add_up(self._db, journal.months)

    def _write_override(self, target: str, override: Override | None) -> None:
        if override is None:
            self._db.execute("DELETE FROM override WHERE target = ?", (target,))
            return
        allure = override.allure.value if override.allure is not None else None
        times = (_text(override.since), _text(override.until))
        words = (override.reason, override.by, override.command_id, override.work_order)
        row = (target, override.value, allure, *times, *words)
        self._db.execute("INSERT OR REPLACE INTO override VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def _excess(self, batches: int, size_bytes: int) -> int:
        """The number up to which batches must go so that the rest is within the quota; 0 when nothing must."""
        last = 0
        oldest = self._db.execute("SELECT seq, size FROM sample ORDER BY seq")
        while batches > self._quota.batches or size_bytes > self._quota.size_bytes:
            row = oldest.fetchone()
            if row is None:
                break
            last, batches, size_bytes = row[0], batches - 1, size_bytes - row[1]
        oldest.close()
        return last

    def _delete_up_to(self, seq: int) -> tuple[int, int, int]:
        """Delete the batches up to ``seq``; gives back how many batches, bytes and samples they were."""
        if seq <= 0:
            return 0, 0, 0
        totals = "count(*), coalesce(sum(size), 0), coalesce(sum(count), 0)"
        row = self._db.execute(f"SELECT {totals} FROM sample WHERE seq <= ?", (seq,)).fetchone()  # noqa: S608
        self._db.execute("DELETE FROM sample WHERE seq <= ?", (seq,))
        return int(row[0]), int(row[1]), int(row[2])

    def _one(self, query: str, absent: _T) -> _T:
        row = self._db.execute(query).fetchone()
        return absent if row is None else row[0]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")


def _check_journal(db: sqlite3.Connection) -> None:
    """Raise Damaged where a table that steers something is broken; the samples may be many and are not read."""
    for table in _JOURNAL_TABLES:
        found = db.execute(f"PRAGMA quick_check('{table}')").fetchone()
        if found is None or found[0] != "ok":
            raise Damaged(f"{table}: {found}")


def _steering(db: sqlite3.Connection, now: datetime) -> Saved:
    """What the tables hold that ``_check_journal`` looks at."""
    commands = db.execute("SELECT id, at FROM command WHERE at >= ?", (_text(now - KEEP_COMMANDS),))
    try:
        return Saved(
            overrides={target: found for target, found in _overrides(db) if found.until > now},
            command_ids={row[0]: datetime.fromisoformat(row[1]) for row in commands},
            counters=dict(db.execute("SELECT name, value FROM counter")),
            held=dict(db.execute("SELECT slot, value FROM held")),
            learnt={device: json.loads(facts) for device, facts in db.execute("SELECT device, facts FROM learnt")},
            kept=dict(db.execute("SELECT name, document FROM kept")),
        )
    except ValueError as error:
        raise Damaged(f"unreadable: {error}") from error


def _overrides(db: sqlite3.Connection) -> Iterator[tuple[str, Override]]:
    columns = "target, value, since, until, reason, by, command_id, allure, work_order"
    for target, value, since, until, reason, by, command_id, allure, work_order in db.execute(
        f"SELECT {columns} FROM override"  # noqa: S608 - our own words
    ):
        begun, end = datetime.fromisoformat(since), datetime.fromisoformat(until)
        kind = Allure(allure) if allure is not None else None
        yield target, Override(value, begun, end, reason, by, command_id, kind, work_order=work_order)


def _text(at: datetime) -> str:
    """Fixed width, so that text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
