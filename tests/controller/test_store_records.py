"""Ledgers and records on disk: they come back, old files open, the oldest nights go, readers may stand beside."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from controller.core.journal import Journal, Record
from controller.core.wiring import Wiring
from controller.store import records
from controller.store.database import Database, Quota
from controller.store.reading import NoStore, Reading
from controller.store.store import Store
from tests.controller.nights import CountingField
from tests.controller.test_store import NOW, running
from tests.controller.towns import at, town


def night(day: int, kind: str = "night", payload: str = "{}") -> Record:
    return Record(kind, f"2026-{1 + day // 28:02}-{1 + day % 28:02}", "site/bourg", f"{day:064x}", payload)


async def test_a_night_in_progress_comes_back_as_it_was(tmp_path: Path) -> None:
    field = CountingField(Wiring(town()), at("2026-01-12 15:00"))
    field.start()
    field.until(at("2026-01-13 01:00"))
    saved = field.saved()
    assert saved.ledgers["centre-ville"].strip
    async with running(tmp_path / "a.sqlite") as store:
        await store.write(Journal(ledgers={**saved.ledgers, "gone": saved.ledgers["gare"]}))
        await store.write(Journal(ledgers={"gone": None}, records=(night(1), night(2))))
    async with running(tmp_path / "a.sqlite") as store:
        again = store.load(NOW)
    assert again.ledgers == saved.ledgers
    assert again.seal == night(2).sha256


def test_a_rescued_archive_is_kept_as_far_as_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes as a whole; how many nights fit is told by one of them."""
    monkeypatch.setattr(records, "_KEEP_BYTES", 60 * 1000)
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE record (seq INTEGER PRIMARY KEY, kind, night, target, sha256, payload)")
        records.append(db, [night(day, payload="x" * 1000) for day in range(70)])
        (kept,) = db.execute("SELECT count(*) FROM record").fetchone()
    assert kept == 60


async def test_a_ledger_of_another_version_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    async with running(path) as store:
        await store.write(Journal(counters={"a": 1.0}))
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("""INSERT INTO ledger VALUES ('rues', '{"night": "2026-01-12"}')""")
    assert Store.open(path).load(NOW).ledgers == {}


def test_a_file_of_before_records_opens_and_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with contextlib.closing(Database(path, Quota())) as old:
        old.commit(Journal(counters={"lamp/l-1/energy_kwh": 12.5}))
    with contextlib.closing(sqlite3.connect(path)) as db:
        for table in ("ledger", "record", "kept", "open_hour", "hour", "month"):
            db.execute(f"DROP TABLE {table}")
        db.execute("PRAGMA user_version = 3")
    with pytest.raises(NoStore, match="earlier version"):
        Reading(path).newest_night()
    with contextlib.closing(Database(path, Quota())) as file:
        saved = file.load(NOW)
        file.commit(Journal(records=(night(1),)))
    assert (saved.counters, saved.ledgers, saved.seal) == ({"lamp/l-1/energy_kwh": 12.5}, {}, "")
    assert Reading(path).newest_night() == "2026-01-02"


def test_only_so_many_nights_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "KEEP_NIGHTS", 5)
    with contextlib.closing(Database(tmp_path / "a.sqlite", Quota())) as file:
        for day in range(9):
            file.commit(Journal(records=(night(day, "proof"), night(day))))
    with contextlib.closing(Reading(tmp_path / "a.sqlite")) as reading:
        assert [each.night for each in reading.records("night", "0001", "9999")] == [
            night(day).night for day in range(4, 9)
        ]
        assert len(list(reading.records("proof", "0001", "9999"))) == 5


def test_large_nights_are_kept_for_a_shorter_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_KEEP_BYTES", 1000)
    with contextlib.closing(Database(tmp_path / "a.sqlite", Quota())) as file:
        for day in range(9):
            file.commit(Journal(records=(night(day, payload="x" * 300),)))
    with contextlib.closing(Reading(tmp_path / "a.sqlite")) as reading:
        assert len(list(reading.records("night", "0001", "9999"))) == 3


async def test_records_move_over_from_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    async with running(path) as store:
        await store.write(Journal(records=(night(1), night(2))))
    with contextlib.closing(sqlite3.connect(path)) as db:
        root, size = (
            db.execute(query).fetchone()[0]
            for query in ("SELECT rootpage FROM sqlite_schema WHERE name = 'held'", "PRAGMA page_size")
        )
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * 64)
    async with running(path) as store:
        store.load(NOW)
        await store.write(Journal(records=(night(3),)))
    assert [each for each in os.listdir(tmp_path) if ".corrupt-" in each]
    with contextlib.closing(Reading(path)) as reading:
        assert [each.sha256 for each in reading.records("night", "0001", "9999")] == [
            night(day).sha256 for day in (1, 2, 3)
        ]


async def test_a_reader_beside_an_open_writer_sees_what_was_committed_and_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    async with running(path) as store:
        await store.write(Journal(records=(night(1),)), [{"entity": "lamp/l-1", "ts": "t", "level": 40.0}])
        with contextlib.closing(Reading(path)) as reading:
            rows = reading.records("night", "0001", "9999")
            assert next(rows).sha256 == night(1).sha256
            await store.write(Journal(records=(night(2),)))
            assert list(rows) == [], "what came later is for the next reader"
            assert list(reading.samples()) == [{"entity": "lamp/l-1", "ts": "t", "level": 40.0}]
        with contextlib.closing(Reading(path)) as reading:
            assert reading.newest_night() == night(2).night
    assert store.failing is None


def test_reading_needs_no_right_to_write_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "state" / "a.sqlite"
    with contextlib.closing(Database(path, Quota())) as file:
        file.commit(Journal(records=(night(1),)))
    before = sorted(each.name for each in path.parent.iterdir())
    path.parent.chmod(0o555)
    try:
        with contextlib.closing(Reading(path)) as reading:
            assert reading.newest_night() == night(1).night
    finally:
        path.parent.chmod(0o755)
    assert sorted(each.name for each in path.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("text", "words"), [(None, "does not exist"), (b"no database at all, but long enough", "read")]
)
def test_what_is_no_file_of_ours_is_said_in_words(tmp_path: Path, text: bytes | None, words: str) -> None:
    path = tmp_path / "a.sqlite"
    if text is not None:
        path.write_bytes(text * 100)
    with pytest.raises(NoStore, match=words):
        Reading(path).newest_night()


def test_records_are_urgent_and_ledgers_are_not(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "a.sqlite")
    store.put(Journal(ledgers={"rues": None}))
    assert not store._urgent.is_set()
    store.put(replace(Journal(), records=(night(1),)))
    assert store._urgent.is_set()
