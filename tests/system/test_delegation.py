"""A delegated school: the plan is in the controller, and kill -9 of the gateway does not stop it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from config.load import load_site
from schedules.allures import evaluate as allure_at
from tests.system.processes import until
from tests.system.town import DAEMON_READY, SIM_READY, Town, open_town
from tests.system.witnesses import priority_array

pytestmark = pytest.mark.system

THURSDAY = datetime.fromisoformat("2026-12-10T17:00:00+01:00")
FRIDAY_NIGHT = datetime.fromisoformat("2026-12-11T19:00:00+01:00")
SPEED = 2400.0
ZONE = "ecole-jaures.classes"
SLACK = timedelta(minutes=20)
"""Around a change: half a real second at this speed."""
SUPERVISED = "        optimum_start: {cap: 4h, cap_after_vacancy: 36h, minutes_per_k: 75}\n      - id: maternelle"
DELEGATED = '        delegate: {schedule: "schedule,1", calendar: "calendar,1"}\n      - id: maternelle'


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with open_town(tmp_path, THURSDAY, speed=SPEED) as town:
        town.change(SUPERVISED, DELEGATED)
        town.loaded = load_site(town.directory)
        yield town


@pytest.mark.timeout(120)
async def test_the_school_keeps_its_schedule_when_the_gateway_is_killed(town: Town) -> None:
    town.sim.launch()
    town.daemon.launch()
    town.sim.says(SIM_READY)
    town.daemon.says(DAEMON_READY)
    port = town.port("ecole-jaures")
    async with town.watched() as heard:
        await until(lambda: heard.state(f"zone/{ZONE}").get("delegation_rules"), 20.0, "the plan in the controller")
    await until(lambda: 13 not in priority_array(port, 1), 10.0, "no value of ours at slot 13")
    assert 16 in priority_array(port, 1), "the controller's own schedule writes"
    town.daemon.kill()
    assert town.clock.now() < THURSDAY + timedelta(hours=14), "killed before Friday's opening"

    zone, seen = town.loaded.zones[ZONE], set()
    while town.clock.now() < FRIDAY_NIGHT:
        truth = town.truth()
        at, shown = datetime.fromisoformat(truth["time"]), truth["zones"][ZONE]["setpoint_c"]
        wanted = {allure_at(zone.occupancy, zone.setpoints, near).setpoint_c for near in (at - SLACK, at + SLACK)}
        assert shown in wanted, f"{shown:g} degrees at {at.astimezone(zone.occupancy.zone):%a %H:%M}"
        seen.add(shown)
        await asyncio.sleep(0.1)
    assert seen >= {16.0, 19.0, 8.0}, "a night, a day and the beginning of a weekend"
    assert priority_array(port, 1) == {16: 8.0}
