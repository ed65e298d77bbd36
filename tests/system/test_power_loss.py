"""kill -9 in the middle of the night: after the restart every output is what the plan says, nothing is replayed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import retained
from tests.system.processes import until
from tests.system.town import CUT, DAEMON_READY, ROOT, Listener, Town, open_town
from tests.system.witnesses import issued, mbpoll, priority_array, write_setpoint

pytestmark = pytest.mark.system

LAMP, ZONE = "lamp/l-030", "zone/ecole-jaures.classes"
OVERRIDES = {LAMP: 60.0, ZONE: 20.0}
REMEMBERED = ("commanded", "commanded_c", "priority", "reason", "until", "write")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with open_town(tmp_path, CUT) as town:
        town.start()
        yield town


def remembered(heard: Listener, key: str) -> dict[str, object]:
    """What of a state must outlive the daemon."""
    state = heard.state(key)
    return {name: state[name] for name in REMEMBERED if name in state}


def meddle(town: Town) -> None:
    """While nobody controls the town, somebody else does."""
    mairie, gare, ecoles = (town.port(f"cab-{name}") for name in ("mairie", "gare", "ecoles"))
    mbpoll(mairie, "4", 1000, write=100)  # l-001, by plan at 30 %
    mbpoll(mairie, "0", 1, write=0)  # mairie-2, by plan closed
    mbpoll(gare, "4", 1000 + 4 * (14 - 1), write=0)  # l-030, by override at 60 %
    mbpoll(ecoles, "4", 1000, write=100)  # l-033, by plan dark
    mbpoll(ecoles, "0", 0, write=1)  # ecoles-1, by plan open
    write_setpoint(town.port("ecole-jaures"), 1, 12.0, priority=10)
    write_setpoint(town.port("ecole-jaures"), 2, 25.0, priority=13)


async def test_after_kill_9_every_output_is_as_planned_and_overrides_stand(town: Town) -> None:
    assert {30.0, 0.0} == {value for key, value in town.planned().items() if key.startswith("lamp/")}
    commands = {
        LAMP: {"id": "work", "issued": issued(), "level": 60, "for": "30m", "reason": "work", "by": "night shift"},
        ZONE: {"id": "meeting", "issued": issued(), "setpoint_c": 20, "for": "1h", "reason": "meeting"},
    }
    async with town.watched() as heard:
        for key, command in commands.items():
            town.say(key, command)
            await until(lambda key=key: heard.all(f"{key}/result"), 5.0, f"a result for {key}")  # type: ignore[misc]
        await until(lambda: not town.amiss(OVERRIDES), 8.0, "the overrides in the field")
        await until(lambda: heard.state(ZONE).get("write") == "applied", 5.0, "the zone's state")
        before = {key: remembered(heard, key) for key in commands}
        assert {state["priority"] for state in before.values()} == {10}

        town.daemon.kill()
        await until(lambda: "offline" in heard.watcher.texts(f"{ROOT}/status"), 5.0, "the will")
        meddle(town)
        await until(lambda: len(town.amiss(OVERRIDES)) == 7, 3.0, "seven wrong outputs")
        town.say("lamp/l-031", {"id": "left", "issued": issued(), "level": 90, "for": "1h"}, retain=True)
        heard.watcher.heard.clear()

        started = time.monotonic()
        town.daemon.start(DAEMON_READY)
        await until(lambda: not town.amiss(OVERRIDES), 10.0 - (time.monotonic() - started), "every output as planned")
        assert priority_array(town.port("ecole-jaures"), 1) == {10: 20.0, 13: 16.0}
        await until(lambda: {key: remembered(heard, key) for key in commands} == before, 5.0, "the overrides' states")
        await until(lambda: heard.all("lamp/l-031/result"), 5.0, "the refusal of what stood retained")

        results = {str(m.topic): m.payload for m in heard.watcher.heard if str(m.topic).endswith("/result")}
        assert list(results) == [f"{ROOT}/lamp/l-031/result"]
        assert heard.result("lamp/l-031", "left")["outcome"] == "refused"
        assert heard.result("lamp/l-031", "left")["detail"].startswith("retained")
        assert not heard.events("override-set")

        for key, command in commands.items():
            town.say(key, {**command, "level": 5} if "level" in command else {**command, "setpoint_c": 25})
            await until(lambda key=key: heard.all(f"{key}/result"), 5.0, f"the second result for {key}")  # type: ignore[misc]
            assert heard.last(f"{key}/result")["outcome"] == "refused"
            assert "seen before" in heard.last(f"{key}/result")["detail"]
        assert not town.amiss(OVERRIDES)
    assert (await retained(town.broker, f"{ROOT}/#"))[f"{ROOT}/status"] == "online"
