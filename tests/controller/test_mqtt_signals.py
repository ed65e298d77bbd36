"""Signals of the town: what each payload says, what is refused, and the way over a real broker."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.site import Mqtt, Signal, SignalKind
from controller.clock import Clock
from controller.core.commands import Command, Heard, Misheard, Refusal, Stretch
from controller.mqtt.outbox import Outbox
from controller.mqtt.session import Pace, Session
from controller.mqtt.signals import parse_signal
from controller.mqtt.topics import Topics
from controller.store import Store
from tests.broker import Broker, retained, watching
from tests.controller.towns import PARIS, at

NOW = at("2026-01-12 10:30")
TOPICS = Topics("veilleuse", "valbourg")
ECOWATT = TOPICS.signal("ecowatt")


def heard(kind: str, body: object, *, kept: bool = False, now: datetime = NOW) -> Heard | Misheard:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse_signal(Signal("s", SignalKind(kind)), payload, kept, now, PARIS)


def spans(found: Heard | Misheard) -> list[tuple[int, str, str]]:
    """Level and local beginning and end of each stretch."""
    assert isinstance(found, Heard), found
    return [
        (each.level, f"{each.since.astimezone(PARIS):%d %H:%M}", f"{each.until.astimezone(PARIS):%d %H:%M}")
        for each in found.stretches
    ]


DAY = "2026-01-12T00:00:00+01:00"


def rte(day: str = DAY, dvalue: int | None = None, **hours: int) -> dict[str, Any]:
    """RTE's form of one day; ``h8=3``."""
    values = [{"pas": hour, "hvalue": hours.get(f"h{hour}", 1)} for hour in range(24)]
    return {"jour": day, "message": "...", "values": values} | ({} if dvalue is None else {"dvalue": dvalue})


LEVELS: list[tuple[str, object, list[tuple[int, str, str]]]] = [
    ("level", {"level": 0}, []),
    ("level", {"level": 1}, [(1, "12 10:30", "13 10:30")]),
    ("level", {"level": 3, "until": "2026-01-12T12:00:00+01:00"}, [(3, "12 10:30", "12 12:00")]),
    (
        "level",
        {"level": 2, "from": "2026-01-12T18:00:00+01:00", "until": "2026-01-12T19:00:00Z"},
        [(2, "12 18:00", "12 20:00")],
    ),
    ("level", {"level": 2, "from": "2026-01-12T18:00:00+01:00"}, [(2, "12 18:00", "13 18:00")]),
    ("level", {"level": 2, "ts": "2026-01-12T08:00:00+01:00"}, [(2, "12 08:00", "13 08:00")]),
    ("level", {"level": 2, "until": "2026-01-12T09:00:00+01:00"}, []),
    ("ecowatt", {"level": 0}, []),
    ("ecowatt", {"level": 1}, []),
    ("ecowatt", {"level": 2}, [(2, "12 10:30", "13 10:30")]),
    ("ecowatt", {"level": 3}, [(3, "12 10:30", "13 10:30")]),
    (
        "ecowatt",
        {"signals": [rte(h8=2, h9=3, h10=3, h11=0)]},
        [(2, "12 08:00", "12 09:00"), (3, "12 09:00", "12 11:00")],
    ),
    ("ecowatt", {"signals": [rte(h23=3), rte("2026-01-13T00:00:00+01:00", h0=3)]}, [(3, "12 23:00", "13 01:00")]),
    ("ecowatt", {"signals": [rte(h23=3)]}, [(3, "12 23:00", "13 00:00")]),
    ("ecowatt", {"signals": [{"jour": DAY, "dvalue": 3}]}, [(3, "12 00:00", "13 00:00")]),
    (
        "ecowatt",
        {"signals": [{"jour": DAY, "dvalue": 2, "values": [{"pas": 0, "hvalue": 1}]}]},
        [(2, "12 01:00", "13 00:00")],
    ),
    (
        "ecowatt",
        {"signals": [rte(h8=3), rte("2026-01-15T00:00:00+01:00", h8=2)]},
        [(3, "12 08:00", "12 09:00"), (2, "15 08:00", "15 09:00")],
    ),
    ("tempo", {"colour": "blue", "day": "2026-01-12"}, []),
    ("tempo", {"colour": "white", "day": "2026-01-12"}, [(1, "12 06:00", "13 06:00")]),
    ("tempo", {"colour": "ROUGE", "day": "2026-01-13"}, [(3, "13 06:00", "14 06:00")]),
    ("tempo", {"colour": "blanc", "day": "2026-01-13T00:00:00+01:00"}, [(1, "13 06:00", "14 06:00")]),
    (
        "tempo",
        {"days": [{"colour": "red", "day": "2026-01-13"}, {"colour": "bleu", "day": "2026-01-12"}]},
        [(3, "13 06:00", "14 06:00")],
    ),
    ("tempo", {"colour": "red", "day": "2026-03-28"}, [(3, "28 06:00", "29 06:00")]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "body", "expected"), LEVELS)
def test_what_a_payload_says(kind: str, body: object, expected: list[tuple[int, str, str]]) -> None:
    assert spans(heard(kind, body)) == expected


def test_a_message_speaks_from_its_beginning_on() -> None:
    tomorrow = heard("tempo", {"colour": "blue", "day": "2026-01-13"})
    assert isinstance(tomorrow, Heard)
    assert tomorrow.since == at("2026-01-13 06:00"), "today's colour stays until then"
    taken_back = heard("level", b"")
    assert taken_back == Heard("s", NOW, NOW)


def test_the_words_are_told() -> None:
    found = [heard("ecowatt", {"level": 3}), heard("tempo", {"colour": "rouge", "day": "2026-01-12"})]
    assert [each.stretches[0].word for each in found if isinstance(each, Heard)] == ["EcoWatt red", "Tempo red"]


def test_only_a_kept_signal_without_a_time_of_its_own_is_one_that_stood() -> None:
    bodies = [{"level": 2}, {"level": 2, "ts": "2026-01-12T08:00:00+01:00"}]
    found = [heard("level", body, kept=kept) for body in bodies for kept in (False, True)]
    assert [(each.stood, each.lasting) for each in found if isinstance(each, Heard)] == [
        (False, True), (True, True), (False, True), (False, True),
    ]  # fmt: skip


def test_the_day_that_has_23_hours_has_no_hour_twice() -> None:
    found = heard("ecowatt", {"signals": [rte("2026-03-29T00:00:00+01:00", h1=3, h2=3, h3=3)]})
    assert spans(found) == [(3, "29 01:00", "29 04:00")]
    assert isinstance(found, Heard)
    assert found.stretches[0].until - found.stretches[0].since == timedelta(hours=2)


REFUSED = [
    ("level", b"2", "not a JSON object"),
    ("level", b"{", "not JSON (UTF-8)"),
    ("level", b'{"level": NaN}', "not JSON: NaN is not a number"),
    ("level", b'{"level": 1, "level": 2}', "a field is given twice"),
    ("level", b" " * 20_000, "20000 bytes; a signal has at most 16384"),
    ("level", {"level": 4}, "level is not a whole number from 0 to 3"),
    ("level", {"level": True}, "level is not a whole number from 0 to 3"),
    ("level", {"level": 1.5}, "level is not a whole number from 0 to 3"),
    ("level", {}, "level is not a whole number from 0 to 3"),
    ("level", {"signals": []}, "level is not a whole number from 0 to 3"),
    ("level", {"level": 1, "from": "18:00"}, "from is not RFC 3339"),
    ("level", {"level": 1, "from": "0001-01-01T00:00:00Z"}, "a time is in no year that anybody means"),
    ("level", {"level": 1, "until": "9999-12-31T23:59:59Z"}, "a time is in no year that anybody means"),
    (
        "level",
        {"level": 1, "from": "2026-01-12T18:00:00Z", "until": "2026-01-12T18:00:00Z"},
        "until is not after its beginning",
    ),
    ("ecowatt", {"signals": []}, "signals is empty"),
    ("ecowatt", {"signals": [1]}, "signals is not a list of objects"),
    ("ecowatt", {"signals": [{"jour": DAY}]}, "a day has neither dvalue nor values"),
    ("ecowatt", {"signals": [{"dvalue": 3}]}, "jour is missing"),
    ("ecowatt", {"signals": [{"jour": DAY, "values": [{"pas": 24, "hvalue": 1}]}]}, "pas is not a whole number from 0"),
    ("ecowatt", {"signals": [{"jour": DAY, "values": [{"pas": 1, "hvalue": 4}]}]}, "hvalue is not a whole number from"),
    ("tempo", {"colour": "green", "day": "2026-01-12"}, "colour is not one of blue, white, red"),
    ("tempo", {"day": "2026-01-12"}, "colour is not one of blue, white, red"),
    ("tempo", {"colour": "red"}, "day is missing"),
    ("tempo", {"colour": "red", "day": "2026-02-30"}, "day is not a date that exists"),
    ("tempo", {"colour": "red", "day": "9999-12-31"}, "day is in no year that anybody means"),
    ("tempo", {"colour": "red", "day": 12}, "day is not a text"),
    ("tempo", {"days": []}, "days is empty"),
]


@pytest.mark.parametrize(("kind", "body", "detail"), REFUSED)
def test_what_is_not_understood_says_why(kind: str, body: object, detail: str) -> None:
    found = heard(kind, body)
    assert isinstance(found, Misheard)
    assert found.detail.startswith(detail)


@dataclass
class Ears:
    """A session, what it heard of signals and of commands."""

    session: Session
    signals: list[tuple[str, bytes, bool]] = field(default_factory=list)
    commands: list[Command | Refusal] = field(default_factory=list)

    async def until(self, number: int) -> None:
        async with asyncio.timeout(8.0):
            while len(self.signals) < number:  # noqa: ASYNC110 - the world has no event
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def listening(settings: Mqtt, path: Path) -> AsyncIterator[Ears]:
    store = Store.open(path / "veilleuse.db")
    signals: list[tuple[str, bytes, bool]] = []
    commands: list[Command | Refusal] = []
    pace = Pace(first_retry_s=0.1, last_retry_s=0.5)
    hear = lambda name, payload, kept: signals.append((name, payload, kept))  # noqa: E731
    session = Session(settings, TOPICS, Outbox(), store, commands.append, Clock(), pace, hear)
    running = asyncio.create_task(session.run())
    try:
        yield Ears(session, signals, commands)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await store.close()


def command(number: int) -> dict[str, Any]:
    return {"id": f"c-{number}", "issued": datetime.now(UTC).isoformat(), "level": 40}


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_a_signal_may_stand_retained_and_is_never_taken_off(
    broker: Broker, tmp_path: Path, protocol: str
) -> None:
    async with watching(broker) as town:
        await town.say(ECOWATT, {"level": 3}, retain=True)
        async with listening(replace(broker.settings, protocol=protocol), tmp_path) as ears:
            await ears.until(1)
            assert ears.signals == [("ecowatt", b'{"level": 3}', True)]
            await town.say(ECOWATT, {"level": 2}, retain=True)
            await ears.until(2)
            assert ears.signals[1] == ("ecowatt", b'{"level": 2}', False) or protocol == "5"
            await town.say(TOPICS.command("lamp", "l-1"), command(1))
            await town.say(TOPICS.command("lamp", "l-1"), command(2), retain=True)
            await town.say(f"{ECOWATT}/set", b"x")
            await town.say(ECOWATT, {"level": 1})
            await ears.until(3)
            assert ears.signals[2][:2] == ("ecowatt", b'{"level": 1}')
            async with asyncio.timeout(8.0):
                while len(ears.commands) < 3:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        found = await retained(broker)
        assert [type(each).__name__ for each in ears.commands[:1]] == ["Command"]
        assert {each.id for each in ears.commands if isinstance(each, Refusal)} == {"c-2", ""}
    assert found[ECOWATT] == '{"level": 2}'
    assert TOPICS.command("lamp", "l-1") not in found


async def test_after_a_loss_what_stands_is_heard_again(broker: Broker, tmp_path: Path) -> None:
    async with listening(broker.settings, tmp_path) as ears:
        async with watching(broker) as town:
            await town.say(ECOWATT, {"level": 3}, retain=True)
            await ears.until(1)
        broker.stop()
        broker.start()
        ears.signals.clear()
        async with watching(broker) as town:
            await town.say(ECOWATT, {"level": 2}, retain=True)
            await ears.until(1)
    assert ears.signals[0][:2] == ("ecowatt", b'{"level": 2}')


def test_the_stretch_of_a_signal_is_what_the_core_takes() -> None:
    found = heard("level", {"level": 2, "until": "2026-01-12T12:00:00+01:00"})
    assert found == Heard("s", NOW, NOW, (Stretch(2, NOW, at("2026-01-12 12:00")),))
