"""``veilleuse replay``: a recording gives the field's writes, events and results again, line by line."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from config.load import load_site
from controller.cli import cli
from controller.core.commands import Command
from controller.core.cycle import Input, begin, cycle
from controller.core.journal import Saved
from controller.core.replay import Beginning, first_line, line_of
from controller.core.state import Step
from controller.core.wiring import Wiring
from drivers.api import Outcome, PointId, Reading, Silence, WriteResult
from tests.controller.sites import write_site
from tests.controller.towns import at

DUSK = at("2026-11-23 17:00")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path / "site")


class Recorder:
    """A daemon's cycles over a cabinet that does what it is told, written down as ``run --record`` does."""

    def __init__(self, site: Path, now: datetime) -> None:
        self.wiring = Wiring(load_site(site))
        self.held: dict[str, float] = {}
        self.lines = [first_line(Beginning(now, Saved(), config_hash=self.wiring.site.config_hash))]
        self.steps: list[Step] = [begin(self.wiring, Saved(), now)]

    def cycle(self, now: datetime, *inbox: Input) -> None:
        """One cycle, and one more with what became of its writes to the cabinet."""
        self.lines.append(line_of(inbox, now))
        self.steps.append(cycle(self.wiring, self.steps[-1].state, inbox, now))
        done = [write for write in self.steps[-1].writes if write.point.device == "cab" and write.value is not None]
        self.held.update({write.point.point: write.value for write in done if write.value is not None})
        if done:
            seen = [
                WriteResult(write, Outcome.APPLIED, now, Reading(write.point, write.value or 0, now)) for write in done
            ]
            self.cycle(now, *seen)

    def poll(self, now: datetime, *more: Input) -> None:
        """One cycle in which the cabinet answers with everything commanded."""
        points = [target.command for target in self.wiring.targets.values() if target.device == "cab"]
        self.cycle(now, *(Reading(PointId("cab", name), self.held.get(name, 0.0), now) for name in points), *more)


@pytest.fixture
def recorder(site: Path) -> Recorder:
    """Dusk to after 22:30: the lamps go on, one is overridden, the level changes, the cabinet falls silent."""
    recorder = Recorder(site, DUSK)
    for minute in range(0, 340, 2):
        command = Command("c1", "lamp", "l-002", DUSK, value=20.0, lasting=timedelta(minutes=30), by="anne")
        recorder.poll(DUSK + timedelta(minutes=minute), *([command] if minute == 60 else []))
    recorder.cycle(DUSK + timedelta(minutes=341), Silence("cab", "no answer", DUSK + timedelta(minutes=341)))
    return recorder


def write(recorder: Recorder, file: Path) -> Path:
    file.write_text("\n".join(recorder.lines) + "\n", encoding="utf-8")
    return file


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["replay", *map(str, arguments)])


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_it_gives_what_the_core_decided_in_the_field(site: Path, recorder: Recorder, tmp_path: Path) -> None:
    result = run(site, write(recorder, tmp_path / "night.jsonl"), "--json")
    assert result.exit_code == 0, result.output
    *lines, summary = objects(result.stdout)
    writes = [(each.point.device, each.point.point, each.value) for step in recorder.steps for each in step.writes]
    assert [(x["device"], x["point"], x["value"]) for x in lines if x["kind"] == "write"] == writes
    assert ("cab", "lamp.1.command", 100.0) in writes
    assert ("cab", "lamp.2.command", 20.0) in writes
    assert ("cab", "lamp.1.command", 60.0) in writes
    events = [(event.name, event.target) for step in recorder.steps for event in step.events]
    assert [(x["name"], x["target"]) for x in lines if x["kind"] == "event"] == events
    assert events[-1] == ("device-offline", "device/cab")
    results = [(x["id"], x["target"], x["outcome"]) for x in lines if x["kind"] == "result"]
    assert results == [("c1", "lamp/l-002", "applied")]
    assert summary == {
        "kind": "summary",
        "from": "2026-11-23T16:00:00Z",
        "to": "2026-11-23T21:41:00Z",
        "cycles": len(recorder.lines) - 1,
        "writes": len(writes),
        "events": len(events),
        "results": 1,
    }


def test_the_page_has_one_line_each_and_a_summary(site: Path, recorder: Recorder, tmp_path: Path) -> None:
    lines = run(site, write(recorder, tmp_path / "night.jsonl")).stdout.splitlines()
    assert "2026-11-23T16:06:00Z  write   cab/lamp.1.command = 100 (priority 13)" in lines
    until = "value=20.0 until=2026-11-23T17:30:00Z"
    assert f"2026-11-23T17:00:00Z  event   override-set lamp/l-002 id=c1 {until} reason= by=anne" in lines
    assert "2026-11-23T17:00:00Z  result  c1 lamp/l-002 applied" in lines
    assert "2026-11-23T21:41:00Z  event   device-offline device/cab cause=no answer" in lines
    assert lines[-1].startswith(f"{len(recorder.lines) - 1} cycles, ")
    assert lines[-1].endswith(" results, from 2026-11-23T16:00:00Z to 2026-11-23T21:41:00Z")


def test_the_same_recording_gives_the_same_lines(site: Path, recorder: Recorder, tmp_path: Path) -> None:
    file = write(recorder, tmp_path / "night.jsonl")
    assert run(site, file).stdout == run(site, file).stdout


def test_another_plan_gives_what_would_have_been(site: Path, recorder: Recorder, tmp_path: Path) -> None:
    file = write(recorder, tmp_path / "night.jsonl")
    yaml = site / "site.yaml"
    yaml.write_text(yaml.read_text().replace('"22:30": 60', '"22:30": 35'))
    values = [x["value"] for x in objects(run(site, file, "--json").stdout) if x.get("point") == "lamp.1.command"]
    assert 35.0 in values
    assert 60.0 not in values


EVENING = '"at": "2026-11-23T18:00:00Z"'


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("{", "Expecting property name"),
        ("", "Expecting value"),
        ("[]", "list indices must be"),
        (f'{{{EVENING}, "inbox": [["Telegram", {{}}]]}}', "unknown or missing 'Telegram'"),
        ('{"at": "2026-11-23T18:00:00", "inbox": []}', "2026-11-23T18:00:00 has no offset from UTC"),
        (
            f'{{{EVENING}, "inbox": [["Silence", {{"device": "cab", "cause": "", "at": "2026-11-23T18:00"}}]]}}',
            "2026-11-23T18:00:00 has no offset from UTC",
        ),
        (f'{{{EVENING}, "inbox": [["Silence", {{"device": "cab"}}]]}}', "cause: Field required; at: Field required\n"),
        ("[" * 100_000, "recursion"),
        ("\x00\udcff", "Expecting value"),
    ],
)
def test_a_damaged_line_is_named_after_those_before_it(
    site: Path, recorder: Recorder, tmp_path: Path, damage: str, words: str
) -> None:
    recorder.lines[10] = damage
    file = tmp_path / "night.jsonl"
    file.write_bytes("\n".join(recorder.lines).encode(errors="surrogateescape"))
    result = run(site, file)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{file}:11: no recorded cycle: ")
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert "write   cab/lamp.1.command = 100" in result.stdout
    assert "cycles" not in result.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ":1: no beginning of a recording: the file is empty"),
        ('{"at": "2026-11-23T18:00:00Z"}\n', ":1: no beginning of a recording: saved: Field required"),
        ('{"at": "2026-11-23T18:00:00", "saved": {}}\n', ":1: no beginning of a recording: "),
    ],
)
def test_what_does_not_begin_like_a_recording_is_none(site: Path, tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "night.jsonl"
    file.write_text(text, encoding="utf-8")
    result = run(site, file)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"{file}{words}")


def test_a_missing_file_or_site_is_told(site: Path, tmp_path: Path) -> None:
    assert run(site, tmp_path / "nowhere").exit_code == 2
    empty = tmp_path / "night.jsonl"
    empty.touch()
    result = run(tmp_path / "elsewhere", empty)
    assert (result.exit_code, "elsewhere/site.yaml" in result.stderr) == (1, True)


def test_other_site_files_than_then_are_told(site: Path, tmp_path: Path) -> None:
    recording = tmp_path / "old.jsonl"
    recording.write_text(first_line(Beginning(DUSK, Saved(), config_hash="another")) + "\n")
    found = CliRunner().invoke(cli, ["replay", str(site), str(recording)])
    assert found.exit_code == 0
    assert "recorded under other site files" in found.stderr
