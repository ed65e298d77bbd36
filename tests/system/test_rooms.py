"""Signals of the grid, a whole building's command and a boost, through broker, daemon and BACnet to the field."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.system.processes import until
from tests.system.town import DAEMON_READY, SIM_READY, Town, open_town
from tests.system.witnesses import issued, mosquitto_pub

pytestmark = pytest.mark.system

NOON = datetime.fromisoformat("2026-01-12T11:30:00+01:00")
"""Monday: classes, nursery and canteen are all within their hours."""
SCHOOL = "    name: Groupe scolaire Jean-Jaurès\n"
CLASSES = "        name: Classes élémentaires\n"
ZONES = ("classes", "maternelle", "cantine")


@pytest.fixture
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The town whose school follows EcoWatt, not started yet."""
    signals = "signals: {ecowatt: {kind: ecowatt}}"
    with open_town(tmp_path_factory.mktemp("noon"), NOON, extra=signals) as town:
        path = town.directory / "site.yaml"
        text = path.read_text(encoding="utf-8")
        assert text.count(SCHOOL) == text.count(CLASSES) == 1
        text = text.replace(SCHOOL, f"{SCHOOL}    shedding: {{signal: ecowatt}}\n")
        path.write_text(text.replace(CLASSES, f"{CLASSES}        boost: {{}}\n"), encoding="utf-8")
        yield town


def setpoints(town: Town) -> list[float]:
    """What the school's controller holds."""
    found = town.outputs()
    return [found[f"zone/ecole-jaures.{name}"] for name in ZONES]


def signal(town: Town, body: object) -> None:
    mosquitto_pub(town.broker.port, f"{town.root}/signal/ecowatt", body, retain=True)


async def test_from_the_signal_to_the_controller_over_a_restart_and_back(school: Town) -> None:
    signal(school, {"level": 3, "from": "2026-01-12T11:00:00+01:00", "until": "2026-01-12T13:00:00+01:00"})
    school.sim.launch()
    school.daemon.launch()
    school.sim.says(SIM_READY)
    school.daemon.says(DAEMON_READY)
    async with school.watched() as heard:
        await until(lambda: setpoints(school) == [17.0, 17.0, 16.0], 30.0, "every zone 2 K lower")
        await until(lambda: heard.state("building/ecole-jaures").get("zones_shed") == 3, 3.0, "the building's state")
        assert heard.state("building/ecole-jaures")["signal_word"] == "EcoWatt red"
        before = len(heard.events("shed"))
        school.daemon.kill()
        school.daemon.launch()
        school.daemon.says(DAEMON_READY)
        await until(lambda: len(heard.events("shed")) >= before + 3, 15.0, "shed anew by what stands at the broker")
        await until(lambda: setpoints(school) == [17.0, 17.0, 16.0], 3.0, "every zone 2 K lower again")

        school.say("zone/ecole-jaures.classes", {"id": "warm", "issued": issued(), "boost": True, "by": "anne"})
        await until(lambda: setpoints(school)[0] == 19.0, 3.0, "the boosted zone")
        await until(lambda: heard.result("zone/ecole-jaures.classes", "warm"), 3.0, "its result")
        assert heard.result("zone/ecole-jaures.classes", "warm")["outcome"] == "applied"

        school.say("building/ecole-jaures", {"id": "stop", "issued": issued(), "allure": "off", "reason": "works"})
        await until(lambda: setpoints(school) == [5.0, 5.0, 5.0], 3.0, "the whole school off")
        await until(lambda: heard.result("building/ecole-jaures", "stop"), 3.0, "one result")
        result = heard.result("building/ecole-jaures", "stop")
        assert (result["outcome"], result["detail"]) == ("applied", "3 applied")
        assert heard.state("zone/ecole-jaures.cantine")["reason"] == "override of building/ecole-jaures: works"

        school.say("building/ecole-jaures", {"id": "go", "issued": issued(), "relinquish": True})
        await until(lambda: heard.result("building/ecole-jaures", "go"), 3.0, "its end")
        signal(school, b"red")
        await until(lambda: heard.events("signal-refused"), 3.0, "the refusal")
        assert heard.events("signal-refused")[0]["detail"] == "not JSON (UTF-8)"
        signal(school, {"level": 0})
        await until(lambda: heard.state("building/ecole-jaures").get("signal_level") == 0, 3.0, "green again")
