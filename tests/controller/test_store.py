"""The durable memory: what COMMIT gave back is there again, whatever happened to the process, the file or the disk."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.core.journal import Journal, Override, Record
from controller.core.ledger import Ledger
from controller.core.metering.hourly import ZoneHour
from controller.store import Quota, Store
from schedules.allures import Allure

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


@contextlib.asynccontextmanager
async def running(path: Path, quota: Quota | None = None) -> AsyncIterator[Store]:
    """An open store with its writer; closed in the daemon's order."""
    store = Store.open(path, quota)
    writer = asyncio.create_task(store.run())
    try:
        yield store
    finally:
        writer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writer
        await store.close()


def override(until: datetime = NOW + timedelta(hours=2), allure: Allure | None = None) -> Override:
    return Override(40.0, NOW, until, "fête", "m.durand", "c-1", allure)


def readings(*numbers: int) -> list[dict[str, object]]:
    return [{"ts": NOW.isoformat(), "n": number} for number in numbers]


def numbers(rows: list[tuple[int, str]]) -> list[int]:
    return [sample["n"] for _, payload in rows for sample in json.loads(payload)]


async def until_true(condition: object, within_s: float = 8.0) -> None:
    """Wait for the world; ``condition`` is a callable."""
    assert callable(condition)
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what it looks at has no event
            await asyncio.sleep(0.01)


async def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "veilleuse.db"
    async with running(path) as store:
        await store.write(
            Journal(
                overrides={"lamp/l-001": override(), "zone/school.hall": override(allure=Allure.COMFORT)},
                command_ids={"c-1": NOW},
                counters={"lamp/l-001/energy_kwh": 12.25},
                held={"bms/zone.1.setpoint@10": 20.0, "bms/zone.2.setpoint@10": 19.0},
                learnt={"bms": {"budget": 480}, "old": {"budget": 50}},
            )
        )
        await store.write(Journal(held={"bms/zone.2.setpoint@10": None}, counters={"lamp/l-001/energy_kwh": 12.5}))
        await store.write(Journal(learnt={"old": {"budget": 200, "multiple": 0}}))
    async with running(path) as store:
        saved = store.load(NOW)
    assert saved.overrides == {"lamp/l-001": override(), "zone/school.hall": override(allure=Allure.COMFORT)}
    assert saved.command_ids == {"c-1": NOW}
    assert saved.counters == {"lamp/l-001/energy_kwh": 12.5}
    assert saved.held == {"bms/zone.1.setpoint@10": 20.0}
    assert saved.learnt == {"bms": {"budget": 480}, "old": {"budget": 200, "multiple": 0}}


async def test_maintenance_and_a_relight_come_back_and_a_file_of_before_them_is_read(tmp_path: Path) -> None:
    path = tmp_path / "veilleuse.db"
    async with running(path) as store:
        await store.write(Journal({"lamp/old": override()}))
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute("ALTER TABLE override DROP COLUMN work_order")
        for table in ("ledger", "record", "kept", "open_hour", "hour", "month"):
            file.execute(f"DROP TABLE {table}")
        file.execute("PRAGMA user_version = 2")
    maintenance = replace(override(), work_order="BT-2026-117")
    async with running(path) as store:
        assert store.load(NOW).overrides == {"lamp/old": override()}
        await store.write(Journal({"group/g": maintenance, "relight/group/g": override()}))
    async with running(path) as store:
        assert store.load(NOW).overrides == {
            "lamp/old": override(), "group/g": maintenance, "relight/group/g": override(),
        }  # fmt: skip


async def test_ended_overrides_and_old_command_ids_do_not_come_back(tmp_path: Path) -> None:
    path = tmp_path / "veilleuse.db"
    async with running(path) as store:
        ended, released = override(NOW), override()
        await store.write(Journal({"lamp/ended": ended, "lamp/released": released}, {"old": NOW - timedelta(days=8)}))
        await store.write(Journal({"lamp/released": None}, {"young": NOW - timedelta(days=6)}))
        saved = store.load(NOW)
    assert saved.overrides == {}
    assert set(saved.command_ids) == {"young"}


async def test_closing_writes_what_was_put_last(tmp_path: Path) -> None:
    path = tmp_path / "veilleuse.db"
    async with running(path) as store:
        store.put(Journal(counters={"a": 1.0}))
        store.put_samples(readings(1, 2))
    async with running(path) as store:
        assert store.load(NOW).counters == {"a": 1.0}
        assert numbers(await store.pending_samples(10)) == [1, 2]


async def test_an_override_is_written_at_once_and_counters_in_company(tmp_path: Path) -> None:
    path = tmp_path / "veilleuse.db"
    async with running(path) as store:
        store.put(Journal(counters={"a": 1.0}))
        await asyncio.sleep(0.2)
        assert store.load(NOW).counters == {}
        store.put(Journal({"lamp/l-001": override()}))
        await until_true(lambda: store.load(NOW).overrides, within_s=0.7)
        assert store.load(NOW).counters == {"a": 1.0}


async def test_batches_are_numbered_in_order_and_forgotten_once_delivered(tmp_path: Path) -> None:
    path = tmp_path / "veilleuse.db"
    async with running(path) as store:
        await store.write(Journal(), readings(*range(250)))
        rows = await store.pending_samples(10)
        assert [seq for seq, _ in rows] == [1, 2, 3]
        assert numbers(rows) == list(range(250))
        assert await store.newest_sample() == 3
        store.forget_samples(2)
        assert [seq for seq, _ in await store.pending_samples(10)] == [3]
        series = store.series
    async with running(path) as store:
        assert [seq for seq, _ in await store.pending_samples(10)] == [3]
        store.forget_samples(3)
        await store.write(Journal(), readings(7))
        assert [seq for seq, _ in await store.pending_samples(10)] == [4]
        assert store.series == series


async def test_the_quota_drops_the_oldest_and_counts_them(tmp_path: Path) -> None:
    async with running(tmp_path / "rows.db", Quota(batches=3)) as store:
        for number in range(5):
            await store.write(Journal(), readings(number))
        assert numbers(await store.pending_samples(10)) == [2, 3, 4]
        assert store.dropped == 2
    async with running(tmp_path / "bytes.db", Quota(size_bytes=200)) as store:
        for number in range(10):
            await store.write(Journal(), readings(number))
        rows = await store.pending_samples(10)
        assert sum(len(payload) for _, payload in rows) <= 200
        assert numbers(rows)[-1] == 9
        assert store.dropped == 10 - len(rows)


NURSERY = """
import asyncio, os, sys
from datetime import UTC, datetime
from pathlib import Path
from controller.core.journal import Journal
from controller.store import Store

NOW = datetime(2026, 11, 21, tzinfo=UTC)

def say(number):
    os.write(1, f"{number}\\n".encode())

async def write_forever(path):
    say(os.getpid())
    store = Store.open(path)
    writing = asyncio.create_task(store.run())
    number = len(store.load(NOW).counters)
    while True:
        number += 1
        await store.write(Journal(command_ids={f"c-{number}": NOW}, counters={f"n-{number}": number}), [{"n": number}])
        say(number)

for line in sys.stdin:
    child = os.fork()
    if not child:
        asyncio.run(write_forever(Path(line.strip())))
    os.waitpid(child, 0)
    say("dead")
"""


def killed_writer(nursery: subprocess.Popen[str], path: Path, acknowledged: int) -> int:
    """Let a process write until it acknowledged so many, kill it in full flight; gives back the last acknowledged."""
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write(f"{path}\n")
    nursery.stdin.flush()
    writer, last = int(nursery.stdout.readline()), 0
    for _ in range(acknowledged):
        last = int(nursery.stdout.readline())
    os.kill(writer, signal.SIGKILL)
    while (line := nursery.stdout.readline()) != "dead\n":
        last = int(line)
    return last


def test_twenty_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    path, dice = tmp_path / "veilleuse.db", random.Random(20261121)
    command = [sys.executable, "-c", NURSERY]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as nursery:
        for _ in range(20):
            last = killed_writer(nursery, path, dice.randint(1, 30))
            with contextlib.closing(sqlite3.connect(path)) as found:
                assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                rows = [json.loads(row[0])[0]["n"] for row in found.execute("SELECT payload FROM sample ORDER BY seq")]
                assert rows[:last] == list(range(1, last + 1))
                ids = {row[0] for row in found.execute("SELECT id FROM command")}
                assert {f"c-{number}" for number in range(1, last + 1)} <= ids
                assert found.execute("SELECT count(*) FROM counter").fetchone()[0] >= last


def corrupt_files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.glob("*.corrupt-*Z"))


@pytest.mark.parametrize("rubbish", [b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
async def test_a_corrupt_file_is_set_aside_and_a_fresh_one_begins(tmp_path: Path, rubbish: bytes) -> None:
    path = tmp_path / "veilleuse.db"
    path.write_bytes(rubbish)
    async with running(path) as store:
        assert store.load(NOW).overrides == {}
        await store.write(Journal(counters={"a": 1.0}))
        assert store.load(NOW).counters == {"a": 1.0}
    assert [kept.read_bytes() for kept in corrupt_files(tmp_path)] == [rubbish]


async def test_words_that_cannot_be_read_back_are_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "veilleuse.db"
    async with running(path) as store:
        await store.write(Journal({"lamp/l-001": override()}))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("UPDATE override SET until = 'some day'")
    async with running(path) as store:
        assert store.load(NOW).overrides == {}
        await store.write(Journal(counters={"a": 1.0}))
    assert len(corrupt_files(tmp_path)) == 1


async def test_a_file_of_a_later_version_is_kept_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "veilleuse.db"
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 99")
    async with running(path) as store:
        await store.write(Journal(counters={"a": 1.0}))
    with contextlib.closing(sqlite3.connect(corrupt_files(tmp_path)[0])) as file:
        assert file.execute("PRAGMA user_version").fetchone() == (99,)


def spoil(path: Path, table: str = "sample") -> None:
    """Overwrite the root page of a table, as a dying flash cell would."""
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        root = file.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0]
        size = file.execute("PRAGMA page_size").fetchone()[0]
    with path.open("r+b") as content:
        content.seek((root - 1) * size)
        content.write(b"\xa5" * size)


async def test_damaged_samples_do_not_cost_the_overrides(tmp_path: Path) -> None:
    path = tmp_path / "veilleuse.db"
    async with running(path) as store:
        await store.write(Journal({"lamp/l-001": override()}, counters={"a": 1.0}), readings(*range(3_000)))
    spoil(path)
    async with running(path) as store:
        await store.write(Journal(counters={"b": 2.0}), readings(1))
        saved = store.load(NOW)
        assert saved.overrides == {"lamp/l-001": override()}
        assert saved.counters == {"a": 1.0, "b": 2.0}
    assert len(corrupt_files(tmp_path)) == 1


LEDGER = Ledger(NOW.date(), NOW, NOW + timedelta(hours=12), NOW, 60.0, (), ())
STEERS = Journal(
    overrides={"lamp/l-001": override()},
    command_ids={"c-1": NOW},
    counters={"meter/m/energy_kwh": 5.0},
    held={"bms/zone.1.setpoint@13": 19.0},
    learnt={"bms": {"budget": 480}},
    kept={"learning/school.hall": "{}"},
)


@pytest.mark.parametrize("table", ["open_hour", "ledger", "record", "sample"])
@pytest.mark.parametrize("noticed", ["when it is read", "when it is written"])
async def test_a_bad_page_of_what_only_measures_costs_nothing_that_steers(
    tmp_path: Path, table: str, noticed: str
) -> None:
    path = tmp_path / "veilleuse.db"
    measures = Journal(open_hours={"zone/school.hall": ZoneHour(NOW, NOW)}, ledgers={"port": LEDGER})
    measures = replace(measures, records=(Record("night", "2026-11-20", "port", "abc", "{}"),))
    async with running(path) as store:
        await store.write(STEERS)
        await store.write(measures, readings(1))
        if noticed == "when it is written":
            spoil(path, table)
            await store.write(measures, readings(2))
            assert store.failing is None
    if noticed == "when it is read":
        spoil(path, table)
    async with running(path) as store:
        saved = store.load(NOW)
    assert (saved.overrides, saved.command_ids, saved.counters) == (
        STEERS.overrides, STEERS.command_ids, STEERS.counters,
    )  # fmt: skip
    assert (saved.held, saved.learnt, saved.kept) == (STEERS.held, STEERS.learnt, STEERS.kept)
    assert len(corrupt_files(tmp_path)) == 1
    whole = {"open_hour": saved.open_hours, "ledger": saved.ledgers, "record": saved.seal}
    assert all(found for name, found in whole.items() if name != table), "and of the rest that measures nothing"


async def test_damage_while_running_is_mended_and_the_numbering_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "veilleuse.db"
    async with running(path) as store:
        await store.write(Journal({"lamp/l-001": override()}), readings(*range(3_000)))
        store.forget_samples(3)
        spoil(path)
        await store.write(Journal(counters={"b": 2.0}), readings(7))
        saved = store.load(NOW)
        assert saved.overrides == {"lamp/l-001": override()}
        assert saved.counters == {"b": 2.0}
        rows = await store.pending_samples(10)
        assert ([seq for seq, _ in rows], numbers(rows)) == ([31], [7])
        assert store.failing is None
    assert len(corrupt_files(tmp_path)) == 1


async def test_a_full_disk_is_said_lived_through_and_recovered_from(tmp_path: Path) -> None:
    path = tmp_path / "veilleuse.db"
    async with running(path) as store:
        await store.write(Journal(counters={"a": 1.0}))
        assert store._file is not None
        pages = store._file._db.execute("PRAGMA page_count").fetchone()[0]
        store._file._db.execute(f"PRAGMA max_page_count = {pages}")
        store.put_samples(readings(*range(2_000)))
        store.put(Journal({"lamp/l-001": override()}))
        await until_true(lambda: store.failing)
        assert "full" in str(store.failing)
        assert store.load(NOW).overrides == {"lamp/l-001": override()}, "what steers still fits and was written"
        store._file._db.execute("PRAGMA max_page_count = 1000000")
        await until_true(lambda: store.failing is None)
        assert numbers(await store.pending_samples(100)) == list(range(2_000))
        assert store.dropped == 0


async def test_a_locked_file_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "veilleuse.db"
    async with running(path) as store:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            writing = asyncio.create_task(store.write(Journal(counters={"a": 1.0})))
            await until_true(lambda: store.failing)
            assert not writing.done()
            other.execute("ROLLBACK")
        await writing
        assert store.failing is None
        assert store.load(NOW).counters == {"a": 1.0}


async def test_a_place_that_cannot_be_opened_stops_nobody(tmp_path: Path) -> None:
    path = tmp_path / "store"
    path.mkdir()
    async with running(path) as store:
        assert store.failing is not None
        assert store.load(NOW).overrides == {}
        assert await store.pending_samples(10) == []
        store.put(Journal({"lamp/l-001": override()}))
        path.rmdir()
        await until_true(lambda: store.failing is None)
        assert store.load(NOW).overrides == {"lamp/l-001": override()}


async def test_memory_stays_bounded_while_the_disk_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.store.store._MEMORY", 50)
    store = Store.open(tmp_path)
    store.put_samples(readings(*range(80)))
    assert store.dropped == 30
    await store.close()
    assert [sample["n"] for sample in store._group.samples] == list(range(30, 80))
