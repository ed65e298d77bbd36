"""Commands by plain mosquitto_pub: on the wire within a second, ended by themselves, refused with their reason."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.broker import retained
from tests.system.processes import environment, until, veilleuse
from tests.system.town import ROOT, Town
from tests.system.witnesses import issued, mbpoll

pytestmark = pytest.mark.system

MINUTES = timedelta(minutes=1)
Make = Callable[[], object]


async def test_an_override_is_on_the_wire_within_a_second_and_ends_by_itself(evening: Town) -> None:
    async with evening.watched() as heard:
        sent = time.monotonic()
        evening.say("lamp/l-009", {"id": "dim", "issued": issued(), "level": 40, "for": "2s", "reason": "glare"})
        await until(lambda: evening.outputs()["lamp/l-009"] == 40.0, 1.0, "the lamp's command at 40 %")
        assert time.monotonic() - sent < 1.0
        assert mbpoll(evening.port("cab-mairie"), "4", 1000 + 4 * (9 - 1)) == 40
        await until(lambda: heard.result("lamp/l-009", "dim"), 2.0, "the result")
        assert heard.result("lamp/l-009", "dim")["outcome"] == "applied"
        await until(lambda: heard.state("lamp/l-009").get("priority") == 10, 1.0, "the override in the state")
        state = heard.state("lamp/l-009")
        assert (state["commanded"], state["reason"], state["write"]) == (40.0, "override: glare", "applied")
        await until(lambda: evening.outputs()["lamp/l-009"] == 100.0, 4.0, "the plan's level again")
        assert 1.8 < time.monotonic() - sent < 3.0
        assert not evening.amiss()
        await until(lambda: heard.state("lamp/l-009")["priority"] == 13, 1.0, "the plan in the state")
        await until(lambda: heard.events("override-ended"), 5.0, "the event")
        assert [(e["target"], e["id"]) for e in heard.events("override-ended")] == [("lamp/l-009", "dim")]


async def test_an_override_until_an_instant_ends_then(evening: Town) -> None:
    sent = time.monotonic()
    evening.say("lamp/l-010", {"id": "then", "issued": issued(), "level": 10, "until": issued(timedelta(seconds=-1))})
    await until(lambda: evening.outputs()["lamp/l-010"] == 10.0, 1.0, "the lamp's command at 10 %")
    await until(lambda: evening.outputs()["lamp/l-010"] == 100.0, 4.0, "the plan's level again")
    assert 0.8 < time.monotonic() - sent < 2.0


@pytest.mark.parametrize(
    ("key", "make", "reason"),
    [
        ("lamp/l-011", lambda: {"id": "old", "issued": issued(2 * MINUTES), "level": 5}, "issued 120 s ago"),
        ("lamp/l-011", lambda: {"id": "early", "issued": issued(-2 * MINUTES), "level": 5}, "s in the future"),
        (
            "lamp/l-011",
            lambda: {"id": "over", "issued": issued(MINUTES / 2), "level": 5, "until": issued(MINUTES / 6)},
            "expired: until has passed",
        ),
        ("lamp/l-011", lambda: {"id": "range", "issued": issued(), "level": 101}, "out of range"),
        ("zone/gymnase.salle", lambda: {"id": "hot", "issued": issued(), "setpoint_c": 45}, "out of range"),
        ("lamp/l-999", lambda: {"id": "who", "issued": issued(), "level": 5}, "unknown target"),
        ("tree/oak", lambda: {"id": "what", "issued": issued(), "level": 5}, "unknown target kind"),
        ("lamp/l-011", lambda: {"id": "field", "issued": issued(), "levle": 5}, "did you mean level?"),
        ("lamp/l-011", lambda: {"id": "both", "issued": issued(), "level": 5, "relinquish": True}, "exactly one of"),
        ("lamp/l-011", lambda: {"issued": issued(), "level": 5}, "id is missing"),
        ("lamp/l-011", lambda: b"level=5", "not JSON"),
        ("lamp/l-011", lambda: b"", "not JSON"),
        (
            "lamp/l-011",
            lambda: {"id": "big", "issued": issued(), "level": 5, "reason": "x" * 16_384},
            "bytes; a command has at most 16384",
        ),
    ],
)
async def test_what_is_wrong_is_refused_with_its_reason_and_nothing_moves(
    evening: Town, key: str, make: Make, reason: str
) -> None:
    before = evening.outputs()
    async with evening.watched() as heard:
        await until(lambda: heard.last("gateway/state"), 5.0, "the subscription")
        evening.say(key, make())
        await until(lambda: heard.all(f"{key}/result"), 5.0, "a result")
        (result,) = heard.all(f"{key}/result")
        assert result["outcome"] == "refused"
        assert reason in result["detail"]
        await until(lambda: heard.events("command-refused"), 5.0, "the event")
        assert [event["target"] for event in heard.events("command-refused")] == [key]
    assert evening.outputs() == before
    assert not evening.amiss()


async def test_a_retained_command_is_refused_and_taken_off_the_broker(evening: Town) -> None:
    async with evening.watched() as heard:
        await until(lambda: heard.last("gateway/state"), 5.0, "the subscription")
        evening.say("lamp/l-014", {"id": "stays", "issued": issued(), "level": 5, "for": "1h"}, retain=True)
        await until(lambda: heard.all("lamp/l-014/result"), 5.0, "a result")
        (result,) = heard.all("lamp/l-014/result")
        assert result["outcome"] == "refused"
        assert result["detail"].startswith("retained")
        await until(lambda: heard.events("command-refused"), 5.0, "the event")
        assert not heard.events("override-set")
        await until(lambda: heard.watcher.texts(f"{ROOT}/lamp/l-014/set")[-1] == "", 2.0, "the topic cleared")
    assert f"{ROOT}/lamp/l-014/set" not in await retained(evening.broker, f"{ROOT}/#")
    assert not evening.amiss()


async def test_a_command_is_executed_once(evening: Town) -> None:
    async with evening.watched() as heard:
        asked = {"id": "once", "issued": issued(), "level": 50, "for": "10m"}
        evening.say("lamp/l-013", asked)
        await until(lambda: heard.result("lamp/l-013", "once"), 5.0, "a result")
        assert heard.result("lamp/l-013", "once")["outcome"] == "applied"
        evening.say("lamp/l-013", {"id": "release", "issued": issued(), "relinquish": True})
        await until(lambda: heard.result("lamp/l-013", "release"), 5.0, "the release")
        evening.say("lamp/l-013", asked)
        await until(lambda: len(heard.all("lamp/l-013/result")) == 3, 5.0, "a third result")
        assert heard.result("lamp/l-013", "once")["outcome"] == "refused"
        assert "seen before" in heard.result("lamp/l-013", "once")["detail"]
    assert not evening.amiss()


async def test_the_command_line_overrides_and_waits_for_the_outcome(evening: Town) -> None:
    words = ("segment/gare-1", "off", "--for", "1m", "--reason", "work on the line")
    argv = veilleuse("override", str(evening.directory), *words)
    done = await asyncio.to_thread(
        subprocess.run, argv, capture_output=True, text=True, timeout=20, check=False, env=environment()
    )
    assert (done.returncode, done.stdout) == (0, "segment/gare-1 applied\n"), done.stderr
    await until(lambda: evening.outputs()["segment/gare-1"] == 0.0, 1.0, "the contactor open")
    evening.say("segment/gare-1", {"id": "line-free", "issued": issued(), "relinquish": True})
    await until(lambda: not evening.amiss(), 2.0, "the plan again")
