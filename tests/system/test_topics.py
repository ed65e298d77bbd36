"""What stands at the broker and what passes there, against the contract; mbpoll sees the same town."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.broker import retained
from tests.system.processes import until
from tests.system.town import ROOT, Town
from tests.system.witnesses import issued, mbpoll, priority_array

pytestmark = pytest.mark.system

COMMANDED = {"quality", "write", "priority", "reason", "until", "why"}
KEYS = {
    "lamp": {"level", "commanded", "power_w", "expected_power_w", "energy_kwh", "burning_h", *COMMANDED},
    "segment": {"on", "commanded", *COMMANDED},
    "cabinet": {"door_open", "power_w", "energy_kwh", "quality"},
    "meter": {"power_w", "energy_kwh", "quality"},
    "zone": {"temperature_c", "setpoint_c", "commanded_c", "allure", *COMMANDED},
    "building": {"outdoor_c", "quality"},
    "gateway": {"version", "config_hash", "clock", "buses", "queue_depth", "dropped"},
}
ALARMS = {
    "cab-ecoles door": ("alarm/cabinet/cab-ecoles/cabinetDoorOpen", "minor", False),
    "ecoles-1 breaker": ("alarm/segment/ecoles-1/circuitBreakerTripped", "critical", False),
    "l-047 lamp open": ("alarm/lamp/l-047/lampFailure", "major", True),
}
"""Fault of the simulator: topic, severity, and whether something was measured against a threshold."""
LISTS = {"why", "buses", "calendars"}
UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


def is_flat(payload: Mapping[str, Any]) -> bool:
    """Scalars only, but for the lists of the contract, whose entries are flat again."""
    lists = [value for name, value in payload.items() if name in LISTS]
    entries = [entry for found in lists for entry in found if isinstance(entry, dict)]
    scalars = [value for name, value in payload.items() if name not in LISTS]
    return not any(isinstance(value, dict | list) for value in scalars) and all(map(is_flat, entries))


async def standing(town: Town) -> dict[str, str]:
    """What stands retained, by topic below the town's root."""
    found = await retained(town.broker, f"{ROOT}/#")
    return {topic.removeprefix(f"{ROOT}/"): text for topic, text in found.items()}


async def test_every_state_stands_retained_with_the_keys_of_the_contract(evening: Town) -> None:
    async with evening.watched() as heard:
        await until(lambda: heard.state("lamp/l-001").get("level") == 100.0, 5.0, "the lamp's level")
    found = await standing(evening)
    assert found.keys() == evening.topics()
    assert found.pop("status") == "online"
    for topic, text in found.items():
        payload = json.loads(text)
        missing = (KEYS[topic.partition("/")[0]] | {"ts"}) - payload.keys()
        assert not missing, f"{topic} lacks {missing}"
        assert is_flat(payload), topic
        assert UTC_TIME.fullmatch(payload["ts"]), topic
        assert abs(datetime.fromisoformat(payload["ts"]) - evening.clock.now()) < timedelta(minutes=2)


async def test_the_states_say_what_really_is(evening: Town) -> None:
    async with evening.watched() as heard:
        await until(lambda: heard.state("lamp/l-020").get("level") == 100.0, 5.0, "the lamp's level")
        lamp, truth = heard.state("lamp/l-020"), evening.truth()
        assert lamp["power_w"] == pytest.approx(truth["lamps"]["l-020"]["power_w"], abs=1.0)
        assert lamp["expected_power_w"] == 70.0
        assert (lamp["write"], lamp["quality"], lamp["priority"]) == ("applied", "good", 13)
        assert [entry["priority"] for entry in lamp["why"]] == [13, 17]
        zone = heard.state("zone/ecole-jaures.classes")
        assert zone["temperature_c"] == pytest.approx(truth["zones"]["ecole-jaures.classes"]["temperature_c"], abs=0.3)
        assert (zone["setpoint_c"], zone["commanded_c"], zone["allure"]) == (16.0, 16.0, "reduced")
        assert zone["until"] == "2026-01-13T07:00:00Z"


async def test_mbpoll_reads_the_level_that_mqtt_reports(evening: Town) -> None:
    async with evening.watched() as heard:
        evening.say("lamp/l-012", {"id": "to-90", "issued": issued(), "level": 90, "for": "5m"})
        await until(lambda: heard.state("lamp/l-012").get("level") == 90.0, 5.0, "the level by MQTT")
        assert mbpoll(evening.port("cab-mairie"), "3", 2000 + 8 * (12 - 1)) == 90
        assert mbpoll(evening.port("cab-mairie"), "4", 1000 + 4 * (12 - 1)) == 90
        evening.say("lamp/l-012", {"id": "back", "issued": issued(), "relinquish": True})


async def test_a_result_and_an_event_follow_a_command_and_neither_is_retained(evening: Town) -> None:
    async with evening.watched() as heard:
        asked = {"id": "warm", "issued": issued(), "allure": "comfort", "for": "20m", "reason": "a meeting", "by": "me"}
        evening.say("zone/ecole-jaures.maternelle", asked)
        await until(lambda: heard.result("zone/ecole-jaures.maternelle", "warm"), 5.0, "a result")
        result = heard.result("zone/ecole-jaures.maternelle", "warm")
        assert result.keys() == {"id", "outcome", "detail", "ts"}
        assert result["outcome"] == "applied"
        await until(lambda: heard.events("override-set"), 5.0, "the event")
        (event,) = heard.events("override-set")
        assert (event["target"], event["value"], event["by"]) == ("zone/ecole-jaures.maternelle", 19.0, "me")
        await until(lambda: "ready_at" in heard.state("zone/ecole-jaures.maternelle"), 5.0, "the time of readiness")
        zone = heard.state("zone/ecole-jaures.maternelle")
        assert (zone["allure"], zone["commanded_c"], zone["priority"]) == ("comfort", 19.0, 10)
        assert UTC_TIME.fullmatch(zone["ready_at"])
        assert datetime.fromisoformat(zone["ready_at"]) > evening.clock.now()
        evening.say("zone/ecole-jaures.maternelle", {"id": "cool", "issued": issued(), "relinquish": True})
        await until(lambda: heard.result("zone/ecole-jaures.maternelle", "cool"), 5.0, "the second result")
    assert not [topic for topic in await standing(evening) if topic.endswith(("result", "event", "sample", "set"))]


async def test_alarms_stand_retained_while_they_are_active_and_a_tripped_breaker_is_only_one(evening: Town) -> None:
    async with evening.watched() as heard:
        for fault in ALARMS:
            evening.control(f"fault {fault}")
        await until(lambda: all(heard.last(topic) for topic, _, _ in ALARMS.values()), 8.0, "all alarms")
        since = evening.clock.now()
        for topic, severity, measured in ALARMS.values():
            alarm = heard.last(topic)
            assert (alarm["event"], alarm["severity"]) == (topic.rpartition("/")[2], severity)
            assert UTC_TIME.fullmatch(alarm["since"])
            assert "suppressed_by" in alarm
            assert ({"value", "threshold"} <= alarm.keys()) is measured
        # a lamp without power would be reported dark after settle and persist, 1 s each, at the next reading
        await until(lambda: evening.clock.now() - since > timedelta(seconds=2), 3.0, "time enough for more alarms")
        found = {topic for topic in await standing(evening) if topic.startswith("alarm/")}
        assert found == {topic for topic, _, _ in ALARMS.values()}

        evening.control("clear")
        await until(lambda: len(heard.events("alarm")) >= 2 * len(ALARMS), 8.0, "the end of all alarms")
        told = [(f"alarm/{event['target']}/{event['event']}", event["state"]) for event in heard.events("alarm")]
        assert sorted(told) == sorted((topic, s) for topic, _, _ in ALARMS.values() for s in ("raised", "cleared"))
        await until(
            lambda: all(heard.watcher.texts(f"{ROOT}/{topic}")[-1] == "" for topic, _, _ in ALARMS.values()),
            5.0,
            "empty alarm topics",
        )
    assert not [topic for topic in await standing(evening) if topic.startswith("alarm/")]


async def test_samples_are_numbered_batches_of_readings(evening: Town) -> None:
    async with evening.watched() as heard:
        await until(lambda: len(heard.all("sample")) >= 2, 8.0, "two batches")
        batches = heard.all("sample")
        numbers = [batch["seq"] for batch in batches]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert len({batch["series"] for batch in batches}) == 1
        assert not any(batch["historical"] for batch in batches)
        samples = [sample for batch in batches for sample in batch["samples"]]
        assert {"lamp/l-001", "zone/gymnase.salle", "meter/elec-ecole"} <= {sample["entity"] for sample in samples}
        assert all(UTC_TIME.fullmatch(sample["ts"]) and is_flat(sample) for sample in samples)


async def test_a_hand_at_priority_8_is_left_alone_and_reported(evening: Town) -> None:
    zone, port = "zone/ecole-jaures.classes", evening.port("ecole-jaures")
    async with evening.watched() as heard:
        evening.control("fault ecole-jaures.classes hand 21")
        await until(lambda: heard.state(zone).get("write") == "masked", 8.0, "masked in the state")
        state = heard.state(zone)
        assert state["detail"].startswith("masked by priority 8 since ")
        assert (state["setpoint_c"], state["commanded_c"]) == (21.0, 16.0)
        evening.say(zone, {"id": "under-a-hand", "issued": issued(), "setpoint_c": 18, "for": "10m"})
        await until(lambda: heard.result(zone, "under-a-hand"), 5.0, "the result")
        assert heard.result(zone, "under-a-hand")["outcome"] == "masked"
        assert heard.result(zone, "under-a-hand")["detail"] == "masked by priority 8"
        assert priority_array(port, 1) == {8: 21.0, 10: 18.0, 13: 16.0}
        evening.say(zone, {"id": "off-again", "issued": issued(), "relinquish": True})
        await until(lambda: priority_array(port, 1) == {8: 21.0, 13: 16.0}, 5.0, "slot 10 free")
        evening.control("release ecole-jaures.classes")
        await until(lambda: heard.state(zone)["write"] == "applied", 8.0, "applied again")
        await until(lambda: heard.state(zone)["setpoint_c"] == 16.0, 5.0, "the plan's setpoint")
        assert "detail" not in heard.state(zone)
