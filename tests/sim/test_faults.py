"""Faults by command: what is understood, what it breaks in the plant, how it ends, what the control channel says."""

from __future__ import annotations

import json
import re

import pytest

from sim.control import Control
from sim.fault_kinds import BadRequest
from sim.faults import Fault, duration_s, parse_fault
from sim.objects import BacnetObject, CommandRefused
from sim.town import Town
from tests.sim.towns import WINTER_EVENING, school, street


@pytest.fixture
def town() -> Town:
    return Town.from_site(street(), seed=1, start=WINTER_EVENING)


@pytest.fixture
def heated() -> Town:
    return Town.from_site(school(), seed=1, start=WINTER_EVENING)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("cab silence", Fault("cab", "silence")),
        ("cab late 2.5 for 90", Fault("cab", "late", ("2.5",), 190.0)),
        ("cab exception 6 for 2m", Fault("cab", "exception", ("6",), 220.0)),
        ("seg-1 stuck closed for 1h", Fault("seg-1", "stuck", ("closed",), 3700.0)),
        ("cab voltage 2 260", Fault("cab", "voltage", ("2", "260"))),
        ("l-1 lamp stuck-level 100 for 1h", Fault("l-1", "lamp", ("stuck-level", "100"), 3700.0)),
        ("eye presence traffic 6", Fault("eye", "presence", ("traffic", "6"))),
        ("ecole hand analog-value,1 22", Fault("ecole", "hand", ("analog-value,1", "22"))),
    ],
)
def test_lines_that_are_understood(line: str, fault: Fault) -> None:
    assert parse_fault(line.split(), 100.0) == fault


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "usage: fault"),
        ("cab", "usage: fault"),
        ("cab smoke", "unknown kind 'smoke': one of silence"),
        ("cab silence now", "usage: silence"),
        ("cab late", "usage: late SECONDS"),
        ("cab late soon", "'soon' is not a number"),
        ("cab late -1", "usage: late"),
        ("cab exception 0", "from 1 to 255"),
        ("cab exception 2.5", "from 1 to 255"),
        ("cab cov-full -1", "whole number of subscriptions"),
        ("seg-1 stuck half", "usage: stuck closed|open"),
        ("l-1 lamp", "usage: lamp open|short|"),
        ("l-1 lamp tired", "usage: lamp open|short|"),
        ("l-1 lamp stuck-level", "stuck-level LEVEL"),
        ("l-1 lamp open 5", "usage: lamp"),
        ("l-1 lamp stuck-level 0", "from 1 to 100 %"),
        ("l-1 lamp power much", "'much' is not a number"),
        ("cab voltage 230", "usage: voltage PHASE VOLTS"),
        ("cab voltage 4 230", "a phase is 1, 2 or 3"),
        ("cab phase-loss 1.5", "a phase is 1, 2 or 3"),
        ("cab load 1 -5", "from 0 to 50000 W"),
        ("seg-1 cut 9", "seg-1 has 3 lamps"),
        ("seg-1 cut 0", "a whole number of lamps"),
        ("l-1 selector on", "no segment or cabinet 'l-1'"),
        ("eye photocell dark", "no photocell 'eye'"),
        ("cell presence detect", "no presence sensor 'cell'"),
        ("cab silence for ever", "'ever' is not a number"),
        ("cab silence for 0", "more than 0"),
        ("cab late nan", "not a usable number"),
        ("cap silence", "no device 'cap': did you mean 'cab'"),
        ("cab lamp open", "no lamp 'cab'"),
        ("l-1 stuck open", "no segment 'l-1'"),
        ("cab hand 20", "no zone or BACnet device 'cab'"),
    ],
)
def test_lines_that_are_refused_break_nothing(town: Town, line: str, why: str) -> None:
    with pytest.raises(BadRequest, match=re.escape(why)):
        town.sabotage.break_(line.split(), town.now_s)
    assert town.faults.active == []


def test_durations() -> None:
    assert [duration_s(text) for text in ("5", "5s", "1.5m", "2h")] == [5.0, 5.0, 90.0, 7200.0]


def test_plant_faults_come_and_go(town: Town) -> None:
    lamp, contactor = town.lighting.lamps["l-1"], town.lighting.contactors["seg-1"]
    for line in ("seg-1 stuck closed for 60", "l-1 lamp day-burning", "cab door", "seg-2 breaker"):
        town.sabotage.break_(line.split(), town.now_s)
    lamp.command_pct = 0.0
    town.step(30.0)
    assert (contactor.closed, lamp.lit, town.cabinet("cab").door_open) == (True, True, True)
    assert town.lighting.contactors["seg-2"].tripped
    assert town.truth()["faults"] == [
        "seg-1 stuck closed",
        "l-1 lamp day-burning",
        "cab door",
        "seg-2 breaker",
    ]
    town.step(60.0)
    assert not contactor.closed
    town.sabotage.repair("l-1")
    contactor.commanded = True
    town.step(10.0)
    assert not lamp.lit
    assert lamp.fed
    assert len(town.sabotage.repair(None)) == 2
    assert town.faults.active == []
    assert not town.cabinet("cab").door_open


def test_a_new_fault_of_a_kind_replaces_the_old_one(town: Town) -> None:
    town.sabotage.break_(["l-1", "lamp", "open"], town.now_s)
    town.sabotage.break_(["l-1", "lamp", "gear"], town.now_s)
    assert [str(fault) for fault in town.faults.active] == ["l-1 lamp gear"]
    assert town.lighting.lamps["l-1"].failure == "gear"


def found(town: Town, device: str, key: str) -> BacnetObject:
    return next(each for each in town.objects[device] if each.key == key)


def test_a_hand_at_priority_8_wins_until_it_is_released(heated: Town) -> None:
    setpoint = found(heated, "ecole", "analog-value,2")
    setpoint.command(13, 19.0)
    heated.sabotage.break_(["ecole.z2", "hand", "23"], heated.now_s)
    heated.sabotage.break_(["ecole", "hand", "analog-output,2", "7"], heated.now_s)
    heated.step(600.0)
    assert setpoint.slots == {8: 23.0, 13: 19.0}
    zone = heated.buildings["ecole"].zones[2]
    assert (zone.setpoint_c, zone.valve_pct) == (23.0, 7.0)
    heated.sabotage.repair("ecole.z2", "hand")
    assert setpoint.slots == {13: 19.0}
    assert zone.setpoint_c == 19.0
    setpoint.command(13, None)
    assert zone.setpoint_c == 16.0, "the relinquish default"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("ecole.z2 hand 40", "takes 5.0 to 30.0"),
        ("ecole hand analog-input,1 20", "cannot be written"),
        ("ecole hand analog-value,9 20", "no object"),
        ("ecole hand 20", "usage: fault DEVICE hand OBJECT VALUE"),
        ("ecole.z2 hand analog-value,1 20", "usage: fault ZONE hand VALUE"),
    ],
)
def test_hands_that_are_refused(heated: Town, line: str, why: str) -> None:
    with pytest.raises(BadRequest, match=re.escape(why)):
        heated.sabotage.break_(line.split(), heated.now_s)


def test_a_hand_on_a_thermostat_without_priorities_is_a_plain_write(heated: Town) -> None:
    heated.sabotage.break_(["gym.hall", "hand", "21"], heated.now_s)
    assert heated.buildings["gym"].zones[1].setpoint_c == 21.0
    heated.sabotage.repair(None)
    assert heated.buildings["gym"].zones[1].setpoint_c == 21.0


def test_objects_refuse_as_real_ones(heated: Town) -> None:
    with pytest.raises(CommandRefused, match="write access denied"):
        found(heated, "ecole", "analog-input,1").command(8, 20.0)
    with pytest.raises(CommandRefused, match="nothing to relinquish"):
        found(heated, "gym", "analog-value,1").command(13, None)
    with pytest.raises(CommandRefused, match="1-16"):
        found(heated, "ecole", "analog-value,1").command(17, 20.0)


def test_control_channel_words(town: Town) -> None:
    left: list[bool] = []
    control = Control(town, lambda: left.append(True))
    assert control.obey("fault cab silence for 60")["fault"] == {
        "target": "cab",
        "kind": "silence",
        "arguments": [],
        "until_s": WINTER_EVENING.timestamp() + 60.0,
    }
    listed = control.obey("list")
    assert [entry["kind"] for entry in json.loads(json.dumps(listed))["faults"]] == ["silence"]
    assert control.obey("time") == {"ok": True, "time": "2026-01-13T17:00:00+00:00"}
    assert json.loads(json.dumps(control.obey("truth")))["truth"]["lamps"]["l-1"]["lit"] is False
    assert control.obey("clear cab") == {"ok": True, "cleared": ["cab silence"]}
    assert control.obey("clear") == {"ok": True, "cleared": []}
    assert control.obey("clear cab") == {"ok": False, "error": "nothing is broken at 'cab'"}
    for line in ("", "dance", "fault", "truth now", "clear a b c", "release", "quit now"):
        answer = control.obey(line)
        assert answer["ok"] is False, line
        assert answer["error"]
    assert not left
    assert control.obey("quit") == {"ok": True}
    assert left == [True]
