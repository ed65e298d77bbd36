"""The durable memory of the daemon: takes at once, writes in groups, survives a full disk and a damaged file.

Nothing that is put in here waits for the disk; ``write`` and only ``write`` returns when COMMIT returned.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import structlog

from controller.core.journal import Journal, Saved
from controller.store.database import Batch, Database, Quota, is_damage, rescue, set_aside
from controller.store.hours import rescued_hours
from controller.store.records import rescued

_log = structlog.get_logger()
_T = TypeVar("_T")

Sample = Mapping[str, object]
"""One reading for history: flat, JSON, with its ``ts``. Must not change once it was put in."""

GROUP_S = 1.0
"""A group waits this long for company, unless something in it is urgent."""
_RETRY_S, _RETRY_CAP_S = 1.0, 10.0
_BATCH = 100
_MEMORY = 100_000
"""Samples kept in memory while the disk refuses them."""


@dataclass(slots=True)
class _Group:
    """What the next transaction will hold."""

    journal: Journal = field(default_factory=Journal)
    samples: list[Sample] = field(default_factory=list)
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    forget_up_to: int = 0

    def and_then(self, later: _Group) -> _Group:
        """This group with a later one on top."""
        return _Group(
            self.journal.then(later.journal),
            self.samples + later.samples,
            self.waiting + later.waiting,
            max(self.forget_up_to, later.forget_up_to),
        )


class Store:
    """One file, one writer thread. ``run`` must be running for anything to be written."""

    def __init__(self, path: Path, quota: Quota) -> None:
        self.failing: str | None = None
        """Why nothing can be written at present; None while all is well."""
        self.dropped = 0
        """Samples lost since the start: the quota on disk, or memory while the disk refused them."""
        self.sampled = asyncio.Event()
        """Set whenever batches may have been added."""
        self._path = path
        self._quota = quota
        self._file: Database | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._group = _Group()
        self._something, self._urgent = asyncio.Event(), asyncio.Event()
        self._forgotten = 0

    @classmethod
    def open(cls, path: Path, quota: Quota | None = None) -> Store:
        """Open or create ``path``; blocks. Never raises for the disk's sake: ``failing`` says what is wrong."""
        store = cls(path, quota or Quota())
        try:
            store._opened()
        except (sqlite3.Error, OSError) as error:
            store._fail(error)
        return store

    @property
    def series(self) -> str:
        """The name of the numbering of the batches; a new file has a new one."""
        return self._file.series if self._file is not None else ""

    def load(self, now: datetime) -> Saved:
        """What was saved, without what has ended by ``now`` (site's time); blocks. Empty while failing."""
        try:
            return self._loaded(now)
        except (sqlite3.Error, OSError) as error:
            self._fail(error)
            return Saved()

    def put(self, journal: Journal) -> None:
        """Have ``journal`` written: with the next group, at once when something in it steers or is for good."""
        if not journal:
            return
        self._group.journal = self._group.journal.then(journal)
        self._something.set()
        if journal.overrides or journal.command_ids or journal.held or journal.records:
            self._urgent.set()

    def put_samples(self, samples: Sequence[Sample]) -> None:
        """Have ``samples`` written with the next group."""
        if not samples:
            return
        self._group.samples.extend(samples)
        self._bound_memory()
        self._something.set()

    async def write(self, journal: Journal, samples: Sequence[Sample] = ()) -> None:
        """Write both in the next group and return when its COMMIT returned; while the disk refuses, that is later."""
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._group.waiting.append(committed)
        self.put(journal)
        self.put_samples(samples)
        self._something.set()
        self._urgent.set()
        await committed

    async def newest_sample(self) -> int:
        """The highest number given to a batch so far, 0 when there was none."""
        return self._file.newest if self._file is not None else 0

    async def pending_samples(self, limit: int) -> list[tuple[int, str]]:
        """The oldest batches that wait, ``(seq, JSON array)``; none while the file cannot be read."""
        try:
            return await self._in_thread(lambda: self._opened().pending(self._forgotten, limit))
        except (sqlite3.Error, OSError) as error:
            self._fail(error)
            self._something.set()
            return []

    def forget_samples(self, up_to_seq: int) -> None:
        """The broker has every batch up to ``up_to_seq``: they go with the next group."""
        self._forgotten = max(self._forgotten, up_to_seq)
        self._group.forget_up_to = self._forgotten
        self._something.set()

    async def run(self) -> None:
        """Write groups until cancelled. A disk that refuses is tried again, and nothing is given up meanwhile."""
        retry_s = _RETRY_S
        while True:
            await self._something.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GROUP_S):
                    await self._urgent.wait()
            if await self._flush():
                retry_s = _RETRY_S
                continue
            await asyncio.sleep(retry_s)
            retry_s = min(retry_s * 2, _RETRY_CAP_S)

    async def close(self) -> None:
        """Write what is left, if the disk lets us, and close the file. To be called when ``run`` has ended."""
        if self._something.is_set():
            await self._flush()
        if self._file is not None:
            await self._in_thread(self._file.close)
        self._thread.shutdown(wait=False)

    async def _flush(self) -> bool:
        """Write the group that has come together; on failure it stands first in the next one."""
        taken, self._group = self._group, _Group()
        self._something.clear()
        self._urgent.clear()
        try:
            self.dropped += await self._in_thread(lambda: self._commit(taken))
        except asyncio.CancelledError as stop:
            if stop.__cause__ is not None:
                self._put_back(taken)
            raise
        except (sqlite3.Error, OSError) as error:
            self._put_back(taken)
            self._fail(error)
            return False
        self._recover()
        for committed in taken.waiting:
            if not committed.done():
                committed.set_result(None)
        self.sampled.set()
        return True

    def _put_back(self, taken: _Group) -> None:
        self._group = taken.and_then(self._group)
        self._bound_memory()
        self._something.set()

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        """Run ``work`` in the one thread. A cancellation waits for it and has its error, if any, as the cause."""
        job = asyncio.get_running_loop().run_in_executor(self._thread, work)
        try:
            return await asyncio.shield(job)
        except asyncio.CancelledError as stop:
            await asyncio.wait({job})
            raise stop from job.exception()

    def _commit(self, group: _Group) -> int:
        """In the thread: one transaction, on a fresh file where the old one is damaged."""
        chunks = (group.samples[start : start + _BATCH] for start in range(0, len(group.samples), _BATCH))
        batches = [Batch(len(chunk), _array(chunk)) for chunk in chunks]
        file = self._opened()
        try:
            return file.commit(group.journal, batches, group.forget_up_to)
        except sqlite3.Error as error:
            if is_damage(error):
                return self._begin_anew(file, error).commit(group.journal, batches)
            if batches and group.journal:
                file.commit(group.journal)  # a disk too full for samples may still take an override
            raise

    def _loaded(self, now: datetime) -> Saved:
        file = self._opened()
        try:
            return file.load(now)
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            return self._begin_anew(file, error).load(now)

    def _opened(self) -> Database:
        """The open file; a damaged one is set aside and a fresh one begins. Raises sqlite3.Error, OSError."""
        if self._file is None:
            try:
                self._file = Database(self._path, self._quota)
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise
                self._file = self._fresh(error, first_seq=0)
        return self._file

    def _begin_anew(self, file: Database, error: sqlite3.Error) -> Database:
        """Replace the open file, which turned out to be damaged; the numbering of the batches goes on."""
        file.close()
        self._file = None
        self._file = self._fresh(error, first_seq=file.newest)
        return self._file

    def _fresh(self, error: sqlite3.Error, first_seq: int) -> Database:
        """Set the file aside and begin another; what steers something moves over where it is still whole."""
        saved = rescue(self._path)
        aside = set_aside(self._path, datetime.now(UTC))
        _log.error("store.set_aside", file=str(self._path), kept_as=aside.name, cause=str(error))
        file = Database(self._path, self._quota, first_seq)
        archive = rescued_hours(aside)
        kept = Journal(
            saved.overrides, saved.command_ids, saved.counters, saved.held, saved.learnt, saved.ledgers,
            kept=saved.kept, open_hours=saved.open_hours, hours=archive.hours,
        )  # fmt: skip
        file.commit(replace(kept, records=tuple(rescued(aside))))
        file.put_months(archive.months)
        return file

    def _bound_memory(self) -> None:
        excess = len(self._group.samples) - _MEMORY
        if excess > 0:
            del self._group.samples[:excess]
            self.dropped += excess

    def _fail(self, error: Exception) -> None:
        """One line when it begins."""
        if self.failing is None:
            _log.error("store.failing", file=str(self._path), cause=str(error))
        self.failing = str(error) or type(error).__name__

    def _recover(self) -> None:
        """One line when it is over."""
        if self.failing is not None:
            _log.info("store.recovered", file=str(self._path), after=self.failing)
            self.failing = None


def _array(samples: Sequence[Sample]) -> str:
    """A JSON array of the samples. Raises ValueError on NaN: a fault of the producer."""
    return json.dumps(samples, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
