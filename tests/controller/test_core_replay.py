"""A recorded file of inputs gives the same steps again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.commands import Command, Heard, Misheard, Refusal, Stretch
from controller.core.cycle import Input, begin, cycle
from controller.core.journal import Override, Saved
from controller.core.replay import Beginning, ReplayError, first_line, line_of, parse_line, replay
from controller.core.wiring import Wiring
from drivers.api import Fault, Outcome, PointId, Quality, Reading, Silence, Write, WriteResult
from schedules.allures import Allure
from tests.controller.towns import at, town

NOW = at("2026-01-12 20:00")
POINT = PointId("ecole", "zone.1.setpoint")
INPUTS: list[Input] = [
    Reading(POINT, 16.5, NOW, Quality.UNCERTAIN, ((8, 22.0), (13, 16.0))),
    Fault(POINT, "no sensor", NOW),
    Silence("ecole", "no answer", NOW),
    WriteResult(Write(POINT, None, 13), Outcome.MASKED, NOW, Reading(POINT, 22.0, NOW), 8, "masked"),
    Command("c1", "zone", "ecole.classes", NOW, allure=Allure.COMFORT, lasting=timedelta(hours=1), by="anne"),
    Command("c3", "group", "gare", NOW, relight=True, by="app"),
    Command("c4", "lamp", "m-1", NOW, value=100.0, reason="cleaning", maintenance="BT-2026-117"),
    Command("c2", "lamp", "m-1", NOW, value=20.0, until=NOW + timedelta(minutes=5), reason="glare"),
    Command("c5", "zone", "ecole.classes", NOW, boost=True, by="anne"),
    Command("c6", "building", "ecole", NOW, allure=Allure.OFF, reason="works"),
    Refusal("c3", "lamp", "m-1", "retained", NOW),
    Heard(
        "ecowatt", NOW, NOW, (Stretch(2, NOW, NOW + timedelta(hours=1), "EcoWatt orange"),), stood=True, lasting=True
    ),
    Misheard("ecowatt", "not JSON (UTF-8)", NOW),
]


def test_every_kind_of_input_comes_back_as_it_was() -> None:
    assert parse_line(line_of(INPUTS, NOW), 1) == (NOW, INPUTS)


def test_a_recording_replays_to_the_same_state(tmp_path: Path) -> None:
    wiring = Wiring(town())
    saved = Saved({"lamp/m-2": Override(30.0, NOW, NOW + timedelta(hours=1), "", "", "c0")}, {"c0": NOW}, {"x": 1.5})
    file = tmp_path / "night.jsonl"
    state = begin(wiring, saved, NOW).state
    with file.open("w") as recording:
        recording.write(first_line(Beginning(NOW, saved)) + "\n")
        for minute in range(60):
            now = NOW + timedelta(minutes=minute)
            inbox = INPUTS if minute == 7 else []
            recording.write(line_of(inbox, now) + "\n")
            state = cycle(wiring, state, inbox, now).state
    with file.open() as lines:
        assert list(replay(town(), lines))[-1].state == state


DAMAGED = ["", "{}", '{"at": "x", "inbox": []}', '{"at": "2026-01-12T20:00:00Z", "inbox": [["Rea", {}]]}']


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_line_is_named(text: str) -> None:
    with pytest.raises(ReplayError, match=r"^2: no recorded cycle"):
        list(replay(town(), [first_line(Beginning(NOW, Saved())), text]))
