"""The broker dies and comes back empty: control goes on, the states are all there again, no sample is missing."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.broker import retained
from tests.system.processes import until
from tests.system.town import ROOT, Listener, Town, open_town
from tests.system.witnesses import issued

pytestmark = pytest.mark.system

STEP = datetime.fromisoformat("2026-01-12T22:30:00+01:00")
"""The centre goes from 100 to 60 % and the quarters from 80 to 50 %, within 30 s."""
BEFORE_THE_STEP = STEP - timedelta(seconds=90)
SPEED, OUTAGE_S = 5.0, 10.0


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The town minutes before a step of its plans, on MQTT 5."""
    with open_town(tmp_path_factory.mktemp("town"), BEFORE_THE_STEP, speed=SPEED, extra="timing: {sample: 5s}") as town:
        town.change("base: veilleuse", 'base: veilleuse\n  protocol: "5"')
        town.start()
        yield town


def numbers(heard: Listener, *, historical: bool | None = None) -> set[int]:
    """The numbers of the batches heard, of one sort or of both."""
    return {batch["seq"] for batch in heard.all("sample") if historical in (None, batch["historical"])}


def dimmed(town: Town) -> bool:
    """Whether the whole field has taken the step of 22:30."""
    levels = {level for key, level in town.outputs().items() if key.startswith("lamp/")}
    return levels == {60.0, 50.0} and not town.amiss()


async def wrong(town: Town) -> list[str]:
    """What of the retained topics is missing at the broker, too much, or not of now."""
    found = await retained(town.broker, f"{ROOT}/#")
    wanted = {f"{ROOT}/{name}" for name in town.topics()}
    old = [
        f"{topic}: {text}"
        for topic, text in found.items()
        if topic.startswith(f"{ROOT}/lamp/") and json.loads(text)["level"] not in (60.0, 50.0)
    ]
    return sorted(wanted ^ found.keys()) + old


async def test_a_broker_that_dies_and_forgets(town: Town) -> None:
    async with town.watched() as heard:
        await until(lambda: len(numbers(heard)) >= 2, 6.0, "samples before the outage")
        town.broker.stop()
        stopped = time.monotonic()
        assert town.clock.now() < STEP
        seen = numbers(heard)
        assert not numbers(heard, historical=True)
    await until(lambda: dimmed(town), 35.0, "the step of 22:30 without a broker")
    await until(lambda: time.monotonic() - stopped > OUTAGE_S, OUTAGE_S, "an outage of some length")

    town.daemon.send(signal.SIGSTOP)  # nobody publishes before somebody listens
    town.broker.start()
    async with town.watched() as heard:
        town.daemon.send(signal.SIGCONT)
        returned = time.monotonic()
        while found := await wrong(town):
            assert time.monotonic() - returned < 5.0, found
            await asyncio.sleep(0.1)
        await until(lambda: numbers(heard, historical=False), 8.0, "a fresh sample after the late ones")
        late = numbers(heard, historical=True)
        assert len(late) >= 5
        whole = seen | numbers(heard)
        assert whole == set(range(min(whole), max(whole) + 1))
        assert max(late) < min(numbers(heard, historical=False))
        assert len(town.daemon.lines("mqtt.lost")) == 1
        assert not town.amiss()


async def test_a_retained_command_is_refused_and_taken_off_the_broker_once(town: Town) -> None:
    async with town.watched() as heard:
        await until(lambda: heard.last("gateway/state"), 5.0, "the subscription")
        town.say("lamp/l-040", {"id": "stays", "issued": issued(), "level": 5, "for": "1h"}, retain=True)
        await until(lambda: heard.all("lamp/l-040/result"), 5.0, "a result")
        batches = len(heard.all("sample"))
        await until(lambda: len(heard.all("sample")) > batches, 5.0, "life going on")
        (result,) = heard.all("lamp/l-040/result")
        assert result["outcome"] == "refused"
        assert result["detail"].startswith("retained")
        assert not heard.events("override-set")
        assert [text == "" for text in heard.watcher.texts(f"{ROOT}/lamp/l-040/set")] == [False, True]
    assert town.outputs()["lamp/l-040"] != 5.0
