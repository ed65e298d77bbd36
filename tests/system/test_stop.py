"""SIGTERM: the field is left in its documented state, the topics say offline, and it never takes long."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from tests.broker import retained
from tests.system.processes import until
from tests.system.town import DAEMON_READY, EVENING, ROOT, Town, open_town
from tests.system.witnesses import issued, priority_array

pytestmark = pytest.mark.system

ZONES = (1, 2, 3)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(tmp_path_factory.mktemp("town"), EVENING) as town:
        town.start()
        yield town


@pytest.fixture
def town(shared: Town) -> Town:
    """The town with its daemon running and everything on plan."""
    if not shared.daemon.running:
        shared.daemon.start(DAEMON_READY)
    shared.settle()
    return shared


def slots(town: Town) -> list[dict[int, float]]:
    """The priority arrays of the school's zones."""
    return [priority_array(town.port("ecole-jaures"), zone) for zone in ZONES]


async def test_a_clean_stop_relinquishes_and_leaves_the_lamps(town: Town) -> None:
    town.say("zone/ecole-jaures.classes", {"id": "held", "issued": issued(), "setpoint_c": 20, "for": "3s"})
    await until(lambda: slots(town) == [{10: 20.0, 13: 16.0}, {13: 16.0}, {13: 15.0}], 5.0, "both slots held")
    before = town.outputs()
    asked = time.monotonic()
    town.daemon.send(signal.SIGTERM)
    assert town.daemon.ended(within_s=5.0) == 0
    assert time.monotonic() - asked < 5.0
    assert slots(town) == [{}, {}, {}]
    after = town.outputs()
    assert {key: after[key] for key in after if not key.startswith("zone/")} == {
        key: before[key] for key in before if not key.startswith("zone/")
    }
    assert after["zone/gymnase.salle"] == 14.0  # no priority array: its restore value
    found = await retained(town.broker, f"{ROOT}/#")
    assert found[f"{ROOT}/status"] == "offline"
    assert town.topics() <= {topic.removeprefix(f"{ROOT}/") for topic in found}
    assert town.daemon.lines("daemon.stopped")


async def test_a_stop_is_as_quick_when_nobody_answers(town: Town) -> None:
    town.control("fault ecole-jaures silence")
    town.control("fault cab-mairie silence")
    town.broker.pause()
    try:
        town.daemon.send(signal.SIGTERM)
        assert town.daemon.ended(within_s=5.0) == 0
    finally:
        town.broker.resume()
        town.control("clear")
