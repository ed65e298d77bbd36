"""A supervised school and its gateway's death: killed, the controller goes back to its own; stopped, at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.system.processes import until
from tests.system.town import DAEMON_READY, Town, open_town
from tests.system.witnesses import priority_array

pytestmark = pytest.mark.system

SATURDAY = datetime.fromisoformat("2026-01-17T11:00:00+01:00")
"""By plan the school is kept from freezing; the controller's own schedule would have it at 16 degrees."""
FROST_C, OWN_C = 8.0, 16.0
ROOMS, SUPPLY = (1, 2, 3), 201
SPEED = 60.0
"""The controller's five minutes are five seconds."""


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with open_town(tmp_path, SATURDAY, speed=SPEED) as town:
        town.start()
        yield town


def setpoints(town: Town) -> set[float]:
    """Of the school's zones, as the controller goes by them."""
    zones = town.truth()["zones"]
    return {zone["setpoint_c"] for name, zone in zones.items() if name.startswith("ecole-jaures.")}


def held(town: Town) -> list[dict[int, float]]:
    """The priority arrays of the zones and of the supply temperature."""
    return [priority_array(town.port("ecole-jaures"), instance) for instance in (*ROOMS, SUPPLY)]


def alone(town: Town) -> bool:
    """Whether the controller has given up waiting for a heartbeat."""
    return bool(town.truth()["alone"]["ecole-jaures"])


async def test_a_killed_gateway_is_missed_after_five_minutes_and_its_successor_takes_over(town: Town) -> None:
    assert setpoints(town) == {FROST_C}
    await until(lambda: all(13 in array for array in held(town)), 10.0, "everything commanded")
    assert not alone(town)
    town.daemon.kill()
    assert setpoints(town) == {FROST_C}, "nobody has noticed yet"
    await until(lambda: alone(town), 15.0, "the controller alone")
    assert setpoints(town) == {OWN_C}
    assert held(town) == [{}] * 4
    town.daemon.start(DAEMON_READY)
    await until(lambda: not alone(town) and setpoints(town) == {FROST_C}, 15.0, "the successor in charge")
    await until(lambda: all(13 in array for array in held(town)), 10.0, "everything commanded again")

    town.daemon.send(signal.SIGTERM)
    assert town.daemon.ended(within_s=5.0) == 0
    assert held(town) == [{}] * 4
    await until(lambda: setpoints(town) == {OWN_C}, 3.0, "the controller's own schedule")
