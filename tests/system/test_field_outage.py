"""Part of the field goes away and comes back: one log line, the others keep their pace, everything asserted again."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise

import pytest

from tests.system.processes import until
from tests.system.town import SIM_READY, Listener, Town
from tests.system.witnesses import issued, priority_array

pytestmark = pytest.mark.system

CABINET_S, METER_S = 5.5, 5.5
"""The longest time between two states: polled every 2 s, now and then one reads like the last; and every 5 s."""


def longest_gap_s(heard: Listener, key: str) -> float:
    """The longest time between two consecutive states, by their own ``ts``."""
    times = [datetime.fromisoformat(state["ts"]) for state in heard.all(f"{key}/state")]
    assert len(times) >= 2, f"{len(times)} states of {key}"
    return max((later - earlier).total_seconds() for earlier, later in pairwise(times))


def qualities(heard: Listener, keys: Iterable[str]) -> set[str]:
    """The qualities that the newest states of ``keys`` show."""
    return {str(heard.state(key).get("quality")) for key in keys}


async def test_what_goes_silent_is_one_log_line_and_nobody_elses_trouble(evening: Town) -> None:
    """A cabinet is unplugged and a meter is missing from the line that it shares, at the same time."""
    lamps = [f"lamp/{lamp.id}" for lamp in evening.loaded.lamps.values() if lamp.device == "cab-gare"]
    gone = ["meter/elec-ecole", "cabinet/cab-gare", "segment/gare-1", "segment/gare-2", *lamps]
    cabinets, meter = ["cabinet/cab-mairie", "cabinet/cab-ecoles"], "meter/elec-gymnase"
    async with evening.watched() as heard:
        await until(lambda: qualities(heard, [*gone, *cabinets, meter]) == {"good"}, 8.0, "everything good")
        said = len(evening.daemon.text.splitlines())
        heard.watcher.heard.clear()
        evening.control("fault cab-gare disconnect")
        evening.control("fault compteur-ecole absent")
        await until(lambda: qualities(heard, gone[1:]) == {"offline"}, 4.0, "all of the cabinet offline")
        evening.say("lamp/l-020", {"id": "later", "issued": issued(), "level": 70, "for": "10m"})
        await until(lambda: heard.result("lamp/l-020", "later"), 5.0, "the result")
        assert heard.result("lamp/l-020", "later")["outcome"] == "pending"

        evening.say("lamp/l-002", {"id": "meanwhile", "issued": issued(), "level": 15, "for": "2s"})
        await until(lambda: evening.outputs()["lamp/l-002"] == 15.0, 1.0, "another cabinet as quick as ever")
        await until(lambda: qualities(heard, gone) == {"offline"}, 8.0, "the meter offline")
        await until(lambda: heard.all(f"{meter}/state"), METER_S, "a state of the other meter")
        assert max(longest_gap_s(heard, key) for key in cabinets) < CABINET_S
        assert qualities(heard, [*cabinets, meter]) == {"good"}
        assert {heard.state(key).get("write") for key in lamps} == {"pending"}
        assert evening.outputs()["lamp/l-020"] == 100.0
        told = evening.daemon.text.splitlines()[said:]
        assert len([line for line in told if "device/cab-gare" in line]) == 1
        assert len([line for line in told if "device/compteur-ecole" in line]) == 1
        # beyond these two there is nothing but the commands of this test
        assert all("device-offline" in line or "lamp/l-0" in line for line in told), told

        evening.control("clear")
        took = await until(lambda: not evening.amiss({"lamp/l-020": 70.0}), 20.0, "asserted on its return")
        await until(lambda: qualities(heard, gone) == {"good"}, 20.0 - took, "all good again")
        await until(lambda: {heard.state(key).get("write") for key in lamps} == {"applied"}, 5.0, "applied")
        evening.say("lamp/l-020", {"id": "done", "issued": issued(), "relinquish": True})
        await until(lambda: not evening.amiss(), 5.0, "the plan again")


async def test_a_field_that_lost_its_power_and_its_memory_is_set_right_again(evening: Town) -> None:
    await until(lambda: not evening.amiss(), 5.0, "the field on plan")
    evening.daemon.send(signal.SIGSTOP)  # nobody sets right what we want to see wrong
    evening.sim.kill()
    evening.sim.start(SIM_READY)
    assert len(evening.amiss()) > 30  # lamps wake up at 100 %, contactors open, priority arrays empty
    evening.daemon.send(signal.SIGCONT)
    await until(lambda: not evening.amiss(), 20.0, "the field on plan again")
    assert priority_array(evening.port("ecole-jaures"), 3) == {13: 15.0}
    async with evening.watched() as heard:
        keys = ["meter/elec-ecole", "cabinet/cab-gare", "zone/gymnase.salle", "lamp/l-001"]
        await until(lambda: qualities(heard, keys) == {"good"}, 20.0, "everything good again")
