"""A village without lamp nodes, end to end: relays by pattern, a class-1 meter, accounts, and a lamp out in 20 seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.broker import retained
from tests.system.processes import until
from tests.system.town import DAEMON_READY, SIM_READY, Town, open_town
from tests.system.witnesses import issued

pytestmark = pytest.mark.system

SPEED = 60.0
LATE = datetime.fromisoformat("2026-11-24T19:00:00+01:00")
"""All lamps lit; half of them from 21:30, none of the streets' from 23:30."""


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """On a clock that passes a minute a second."""
    with open_town(tmp_path_factory.mktemp("village"), LATE, example="armoires", speed=SPEED) as town:
        town.sim.start(SIM_READY)
        town.daemon.start(DAEMON_READY)
        yield town


def closed(town: Town) -> set[str]:
    """The contactors that are closed."""
    return {name for name, at in town.truth()["contactors"].items() if at["closed"]}


async def test_it_is_lit_told_and_counted_at_the_cabinet(village: Town) -> None:
    async with village.watched() as heard:
        await until(lambda: {"rues-pair", "rues-impair", "route"} <= closed(village), 20.0, "the streets' contactors")
        await until(lambda: heard.state("cabinet/armoire-bourg").get("quality") == "good", 8.0, "the cabinet's state")
        await until(lambda: heard.state("meter/compteur-bourg").get("power_w", 0.0) > 1500.0, 12.0, "the meter's power")
        await until(lambda: heard.state("lamp/r-02").get("fed") is True, 8.0, "a lamp without a node")
        lamp = heard.state("lamp/r-02")
        assert (lamp["commanded"], lamp["expected_power_w"], lamp["write"]) == (100.0, 40.0, "applied")
        assert "level" not in lamp
        assert lamp["reason"].startswith("pattern 100 %: feeds lamps at 100 %: plan rues:")
        await until(lambda: heard.state("segment/route").get("burning_h", 0.0) > 0.1, 20.0, "its closed hours")
        await until(lambda: heard.state("lamp/d-01").get("energy_kwh", 0.0) > 0.01, 20.0, "energy by the lamp's type")


async def test_one_lamp_out_of_twenty_is_estimated_and_no_lamp_accused(village: Town) -> None:
    async with village.watched() as heard:
        await until(
            lambda: heard.state("cabinet/armoire-bourg").get("estimated_lamps_out_l1") == 0, 45.0, "nobody out at first"
        )
        village.control("fault r-14 lamp open")
        await until(
            lambda: heard.state("cabinet/armoire-bourg").get("estimated_lamps_out_l1") == 1, 45.0, "one lamp of 20"
        )
        state = heard.state("cabinet/armoire-bourg")
        assert state["estimated_lamps_out_l2"] == 0
        assert 0.0 < state["estimated_confidence_l1"] <= 1.0
        accused = [topic for topic in await retained(village.broker, f"{village.root}/alarm/lamp/#") if topic]
        assert accused == []


async def test_a_command_to_a_street_is_a_pattern_and_a_lamp_alone_takes_none(village: Town) -> None:
    async with village.watched() as heard:
        village.say("group/rues", {"id": "half", "issued": issued(), "level": 50, "for": "30m", "reason": "test"})
        await until(lambda: heard.result("group/rues", "half"), 10.0, "the group's result")
        assert heard.result("group/rues", "half")["outcome"] == "applied"
        await until(lambda: "rues-impair" not in closed(village), 8.0, "every other lamp of the streets")
        assert {"rues-pair", "route"} <= closed(village)
        village.say("lamp/r-01", {"id": "alone", "issued": issued(), "level": 50})
        await until(lambda: heard.result("lamp/r-01", "alone"), 10.0, "the lamp's result")
        assert "has no node" in heard.result("lamp/r-01", "alone")["detail"]
    states = await retained(village.broker, f"{village.root}/#")
    assert json.loads(states[f"{village.root}/segment/rues-impair/state"])["commanded"] is False
