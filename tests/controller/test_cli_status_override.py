"""The operator's two verbs against a real broker, with the northbound half of a daemon behind it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from controller.cli.override import command as override
from controller.cli.override import demand
from controller.cli.status import command as status
from controller.clock import Clock
from controller.core.commands import Command, Refusal
from controller.mqtt.outbox import Outbox
from controller.mqtt.session import Session
from controller.mqtt.topics import Topics
from controller.store import Store
from tests.broker import Broker
from tests.controller.sites import write_site

ROOT = Path(__file__).resolve().parents[2]
TOPICS = Topics("veilleuse", "ma-commune")
GROUP = "group/rues"


@pytest.fixture
def town(tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The starter site at this test's broker."""
    monkeypatch.setenv("VEILLEUSE_MQTT__URL", broker.settings.url)
    directory = tmp_path / "town"
    shutil.copytree(ROOT / "config" / "examples" / "minimal", directory)
    return directory


@dataclass
class Answering:
    """Answers every command as the core would, with ``outcomes`` in turn."""

    outbox: Outbox
    outcomes: list[str]
    commands: list[Command | Refusal] = field(default_factory=list)

    def take(self, command: Command | Refusal) -> None:
        self.commands.append(command)
        topic = TOPICS.result(command.kind, command.target)
        self.outbox.send(topic, {"id": "somebody else's", "outcome": "rejected"}, numbered=False)
        for outcome in self.outcomes:
            answer = {"id": command.id, "outcome": outcome, "detail": f"it was {outcome}", "ts": "2026-11-21T22:00:00Z"}
            self.outbox.send(topic, answer, numbered=False)


@contextlib.asynccontextmanager
async def daemon(broker: Broker, path: Path, *outcomes: str) -> AsyncIterator[Answering]:
    outbox, store = Outbox(), Store.open(path / "veilleuse.db")
    answering = Answering(outbox, list(outcomes))
    session = Session(broker.settings, TOPICS, outbox, store, answering.take, Clock())
    tasks = [asyncio.create_task(session.run()), asyncio.create_task(store.run())]
    outbox.retain(TOPICS.gateway, {"version": "0.1.0", "buses": ["armoires 1/1"], "dropped": 0})
    outbox.retain(
        TOPICS.state("lamp", "l-001"),
        {"level": 40.0, "power_w": 18.5, "quality": "good", "write": "applied", "reason": "plan"},
    )
    outbox.retain(
        TOPICS.state("lamp", "l-002"), {"level": 0, "quality": "offline", "write": "no-feedback", "reason": "plan"}
    )
    outbox.retain(TOPICS.state("zone", "school.hall"), {"temperature_c": 19.25, "allure": "comfort"})
    outbox.retain(TOPICS.alarm("lamp", "l-002", "lamp-failure"), {"severity": "major", "since": "2026-11-21T20:00:00Z"})
    explained = {"severity": "major", "since": "2026-11-21T20:00:00Z", "suppressed_by": "cabinet/c/supplyLoss"}
    cold = {"severity": "major", "since": "2026-11-21T20:00:00Z", "detail": "17.2 degrees expected at the opening"}
    outbox.retain(TOPICS.alarm("zone", "school.hall", "notReady"), cold)
    outbox.retain(TOPICS.alarm("device", "a-first", "communicationFailure"), explained)
    try:
        while not (session.connected and outbox.depth == 0):  # noqa: ASYNC110 - the world has no event
            await asyncio.sleep(0.01)
        yield answering
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await store.close()


async def called(verb: click.Command, *words: object) -> Result:
    """Run a verb in a thread of its own, as a process would run beside the daemon."""
    return await asyncio.to_thread(CliRunner().invoke, verb, [str(word) for word in words])


async def test_status_is_one_page(broker: Broker, town: Path, tmp_path: Path) -> None:
    async with daemon(broker, tmp_path):
        found = await called(status, town)
    assert found.exit_code == 0, found.output
    lines = found.output.splitlines()
    assert lines[0] == "ma-commune: online"
    assert "  buses    armoires 1/1" in lines
    assert "  lit      1, 18 W" in lines
    assert "  quality  1 good, 1 offline" in lines
    assert any(line.startswith("  school.hall  19.25") and "comfort" in line for line in lines)
    alarms = lines[lines.index("alarms: 2, and 1 explained by others") + 2 :]
    assert [line.split()[0] for line in alarms if line[2] != " "] == [
        "lamp/l-002",
        "zone/school.hall",
        "device/a-first",
    ]
    assert alarms[2] == "      17.2 degrees expected at the opening", "what the alarm says stands below it"
    assert alarms[3].endswith("cabinet/c/supplyLoss")


async def test_status_as_json_and_offline_after_the_daemon_has_gone(broker: Broker, town: Path, tmp_path: Path) -> None:
    async with daemon(broker, tmp_path):
        pass
    found = await called(status, town, "--json")
    assert found.exit_code == 1
    facts = json.loads(found.output)
    assert (facts["site"], facts["status"]) == ("ma-commune", "offline")
    assert facts["lamps"]["l-001"]["level"] == 40.0
    assert facts["gateway"]["version"] == "0.1.0"
    assert [(alarm["kind"], alarm["id"], alarm["event"]) for alarm in facts["alarms"]] == [
        ("device", "a-first", "communicationFailure"),
        ("lamp", "l-002", "lamp-failure"),
        ("zone", "school.hall", "notReady"),
    ]


async def test_status_where_no_daemon_ever_was(broker: Broker, town: Path) -> None:
    found = await called(status, town)
    assert found.exit_code == 1
    assert "no daemon has been here" in found.output


async def test_both_say_when_the_broker_is_not_there(broker: Broker, town: Path) -> None:
    broker.stop()
    for found in (await called(status, town), await called(override, town, "l-001", "40", "--reason", "x")):
        assert found.exit_code == 1
        assert f"broker 127.0.0.1:{broker.port} not reached" in found.output


@pytest.mark.parametrize(
    ("outcomes", "wait_s", "code", "reported"),
    [
        (["applied"], 10, 0, "lamp/l-001 applied: it was applied"),
        (["pending", "applied"], 10, 0, "lamp/l-001 applied: it was applied"),
        (["pending"], 1.5, 0, "lamp/l-001 pending: it was pending"),
        (["masked"], 10, 1, "lamp/l-001 masked: it was masked"),
        (["refused"], 10, 1, "lamp/l-001 refused: it was refused"),
        ([], 0.4, 1, "lamp/l-001 no-answer: no result within 0.4 s"),
    ],
)
async def test_override_waits_for_the_outcome(
    broker: Broker, town: Path, tmp_path: Path, outcomes: list[str], wait_s: float, code: int, reported: str
) -> None:
    async with daemon(broker, tmp_path, *outcomes) as answering:
        found = await called(override, town, "l-001", "40", "--for", "2h", "--reason", "fête", "--wait", wait_s)
    assert (found.output.strip(), found.exit_code) == (reported, code)
    [command] = answering.commands
    assert isinstance(command, Command)
    assert (command.kind, command.target, command.value, command.reason) == ("lamp", "l-001", 40.0, "fête")
    assert command.lasting is not None
    assert command.lasting.total_seconds() == 7200
    assert command.by


async def test_override_as_json_and_release_without_a_reason(broker: Broker, town: Path, tmp_path: Path) -> None:
    async with daemon(broker, tmp_path, "applied") as answering:
        found = await called(override, town, "segment/mairie-1", "release", "--by", "m.durand", "--json")
    assert found.exit_code == 0, found.output
    result = json.loads(found.output)
    [command] = answering.commands
    assert isinstance(command, Command)
    assert (command.relinquish, command.by, result["id"]) == (True, "m.durand", command.id)
    assert (result["target"], result["outcome"]) == ("segment/mairie-1", "applied")


async def test_override_relights_a_group_and_says_what_was_shortened(
    broker: Broker, town: Path, tmp_path: Path
) -> None:
    async with daemon(broker, tmp_path, "applied") as answering:
        found = await called(override, town, GROUP, "relight", "--for", "10m")
    assert found.output.strip() == f"{GROUP} applied: it was applied"
    [command] = answering.commands
    assert isinstance(command, Command)
    assert (command.kind, command.relight, command.value, command.reason) == ("group", True, None, "")
    assert command.lasting is not None
    assert command.lasting.total_seconds() == 600


async def test_override_under_a_work_order(broker: Broker, town: Path, tmp_path: Path) -> None:
    words = ("60", "--for", "1h", "--work-order", "BT-117", "--reason", "lamps are cleaned")
    async with daemon(broker, tmp_path, "applied") as answering:
        found = await called(override, town, GROUP, *words)
    assert found.exit_code == 0, found.output
    [command] = answering.commands
    assert isinstance(command, Command)
    assert (command.value, command.maintenance, command.reason) == (60.0, "BT-117", "lamps are cleaned")


async def test_override_sends_nothing_to_a_daemon_that_is_offline(broker: Broker, town: Path, tmp_path: Path) -> None:
    async with daemon(broker, tmp_path):
        pass
    found = await called(override, town, "l-001", "40", "--reason", "x")
    assert found.exit_code == 1
    assert "is offline: nothing was sent" in found.output


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (["l-001", "40"], 2, "--reason is needed"),
        (["l-001"], 2, "Missing argument"),
        (["l-001", "bright", "--reason", "x"], 2, "bright is no level like 40"),
        (["l-001", "40", "--reason", "x", "--for", "long"], 2, "is not a duration"),
        (["l-001", "40", "--work-order", "BT-1"], 2, "--reason is needed"),
        (["l-001", "relight", "--work-order", "BT-1"], 2, "--work-order goes with a level, not with a release"),
        (["l-01", "40", "--reason", "x"], 1, "no such target: 'l-01'; did you mean"),
        (["cabinet/cab-mairie", "40", "--reason", "x"], 1, "no such target: 'cabinet/cab-mairie'"),
    ],
)
def test_override_used_wrongly(
    town: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, complaint: str
) -> None:
    monkeypatch.setenv("VEILLEUSE_SITE", str(town))
    found = CliRunner().invoke(override, words)
    assert (found.exit_code, complaint in found.output) == (code, True), found.output


def test_an_invalid_site_is_said(tmp_path: Path) -> None:
    for verb, words in ((status, []), (override, ["l-001", "40", "--reason", "x"])):
        found = CliRunner().invoke(verb, [str(tmp_path), *words])
        assert found.exit_code == 1
        assert str(tmp_path) in found.output


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("lamp", "40", {"level": 40.0}),
        ("lamp", "40%", {"level": 40.0}),
        ("segment", "on", {"level": 100}),
        ("lamp", "off", {"level": 0}),
        ("group", "relight", {"relight": True}),
        ("zone", "20", {"setpoint_c": 20.0}),
        ("zone", "20.5C", {"setpoint_c": 20.5}),
        ("zone", "20°C", {"setpoint_c": 20.0}),
        ("zone", "comfort", {"allure": "comfort"}),
        ("zone", "off", {"allure": "off"}),
        ("zone", "release", {"relinquish": True}),
        ("zone", "boost", {"boost": True}),
        ("building", "off", {"allure": "off"}),
        ("building", "17", {"setpoint_c": 17.0}),
    ],
)
def test_values(kind: str, value: str, expected: dict[str, Any]) -> None:
    assert demand(kind, value) == expected


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["ecole.classes", "20", "--work-order", "BT-1", "--reason", "x"], "not with a zone"),
        (["ecole.classes", "relight"], "relight is for lamps, segments and groups"),
        (["building/ecole", "relight"], "relight is for lamps, segments and groups"),
        (["building/ecole", "boost"], "boost is for zones"),
        (["building/ecole", "20", "--work-order", "BT-1", "--reason", "x"], "not with a building"),
    ],
)
def test_a_zone_knows_neither_relight_nor_maintenance(tmp_path: Path, words: list[str], complaint: str) -> None:
    found = CliRunner().invoke(override, [str(write_site(tmp_path / "town")), *words])
    assert (found.exit_code, complaint in found.output) == (2, True), found.output
