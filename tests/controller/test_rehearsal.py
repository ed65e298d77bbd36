"""The plant seam with a plant of our own: what is told, how writes are judged, and a restart in the middle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from controller.core.commands import Command
from controller.core.report import state_of
from controller.rehearsal import Rehearsal, heating_of
from drivers.api import Outcome
from tests.controller.towns import at, town

DEVICE, SETPOINT, TEMPERATURE = "ecole", "zone.1.setpoint", "zone.1.temperature"
ZONE = "ecole.classes"


@dataclass
class Hut:
    """Two rooms that drift towards their setpoint by 2 K/h, each point a number, setpoints with priority arrays."""

    now: datetime
    rooms: dict[str, float] = field(default_factory=lambda: {"1": 16.0, "2": 16.0})
    arrays: dict[str, dict[int, float]] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    deaf: set[str] = field(default_factory=set)
    reads: int = 0

    def read(self, device: str, point: str) -> float | None:
        self.reads += 1
        family, _, rest = point.partition(".")
        number, _, word = rest.partition(".")
        if device != DEVICE or point in self.dead or family != "zone":
            return None
        if word == "mode":
            array = self.arrays.get(point, {})
            return array[min(array)] if array else 2.0
        return self.rooms[number] if word == "temperature" else self.setpoint_c(number) if word == "setpoint" else None

    def write(self, device: str, point: str, value: float | None, priority: int) -> None:
        assert device == DEVICE
        if point in self.deaf:
            return
        array = self.arrays.setdefault(point, {})
        if value is None:
            array.pop(priority, None)
        else:
            array[priority] = value

    def slots(self, device: str, point: str) -> Mapping[int, float]:
        return self.arrays.get(point, {})

    def step(self, dt_s: float) -> None:
        self.now += timedelta(seconds=dt_s)
        for number, room_c in self.rooms.items():
            gap_k = self.setpoint_c(number) - room_c
            most_k = 2.0 * dt_s / 3600.0
            self.rooms[number] = room_c + max(-most_k, min(most_k, gap_k))

    def setpoint_c(self, number: str) -> float:
        array = self.arrays.get(f"zone.{number}.setpoint", {})
        return array[min(array)] if array else 7.0


def rehearsal(when: str, every_s: float = 60.0) -> tuple[Rehearsal, Hut]:
    hut = Hut(at(when))
    running = Rehearsal(heating_of(town()), hut, every_s)
    running.begin()
    return running, hut


def zone(running: Rehearsal) -> dict[str, object]:
    return dict(state_of(running.wiring, running.last.state, f"zone/{ZONE}", running.now))


def test_the_core_reads_commands_and_reads_back() -> None:
    running, hut = rehearsal("2026-01-13 10:00")
    assert hut.arrays[SETPOINT] == {13: 19.0}
    assert set(running.outcomes) == {Outcome.APPLIED}
    assert zone(running)["write"] == "applied"
    running.until(at("2026-01-13 12:00"))
    assert zone(running)["temperature_c"] == pytest.approx(19.0)
    assert zone(running)["setpoint_c"] == 19.0


def test_a_day_without_sleep_is_a_morning_that_gets_warm() -> None:
    running, hut = rehearsal("2026-01-13 00:00")
    running.until(at("2026-01-13 18:00"))
    opening = next(event for event in running.events if event.name == "opening" and event.target == f"zone/{ZONE}")
    assert opening.facts["temperature_c"] == pytest.approx(19.0, abs=0.05)
    assert hut.arrays[SETPOINT] == {13: 16.0}, "closed at 17:30"


def test_a_hand_above_is_masked_and_named() -> None:
    running, hut = rehearsal("2026-01-13 10:00")
    hut.arrays[SETPOINT][8] = 12.0
    running.until(at("2026-01-13 17:32"))
    assert zone(running)["write"] == "masked"
    assert any(event.name == "output-masked" and event.facts["masked_by"] == 8 for event in running.events)
    assert hut.arrays[SETPOINT] == {8: 12.0, 13: 16.0}, "our own slot is right underneath"


def test_an_alarm_is_raised_once_whatever_its_words_become_and_again_when_it_comes_back() -> None:
    running, hut = rehearsal("2026-01-13 10:00")
    name = (f"zone/{ZONE}", "handOverride")

    def told_after(minutes: int, by_hand_c: float | None) -> int:
        hut.write(DEVICE, SETPOINT, by_hand_c, 8)
        running.until(running.now + timedelta(minutes=minutes))
        return len([alarm for _, key, alarm in running.alarms if key == name and alarm is not None])

    words = [told_after(10, by_hand_c) for by_hand_c in (12.0, 13.0, 14.0)]
    assert words == sorted(set(words)), "other words each time"
    assert running.raised.count(name) == 1
    told_after(30, None)
    told_after(10, 12.0)
    assert running.raised.count(name) == 2


def test_a_write_that_is_not_there_afterwards_was_rejected() -> None:
    running, hut = rehearsal("2026-01-13 10:00")
    hut.deaf.add(SETPOINT)
    running.until(at("2026-01-13 17:32"))
    assert zone(running)["write"] == "rejected"
    assert running.outcomes[Outcome.REJECTED] >= 1
    assert hut.arrays["zone.2.setpoint"] == {13: 16.0}, "the other zone goes on"


def test_a_point_without_a_value_is_a_fault_and_never_a_zero() -> None:
    running, hut = rehearsal("2026-01-13 10:00")
    hut.dead.add(TEMPERATURE)
    running.until(at("2026-01-13 11:00"))
    assert zone(running)["quality"] == "fault"
    assert "temperature_c" not in zone(running)
    hut.dead.clear()
    running.advance()
    assert zone(running)["quality"] == "good"


def test_a_power_cut_in_the_middle_keeps_an_override_and_the_held_slots() -> None:
    running, hut = rehearsal("2026-01-13 10:00")
    command = Command("c-1", "zone", ZONE, running.now, value=21.0, lasting=timedelta(hours=2))
    running.hear(command)
    assert hut.arrays[SETPOINT] == {10: 21.0, 13: 19.0}
    running.until(at("2026-01-13 10:30"))
    running.restart(clean=False)
    assert hut.arrays[SETPOINT] == {10: 21.0, 13: 19.0}
    assert zone(running)["commanded_c"] == 21.0
    setpoints = {key: value for key, value in running.saved.held.items() if ".setpoint@" in key}
    assert setpoints == {f"{DEVICE}/{SETPOINT}@10": 21.0, f"{DEVICE}/{SETPOINT}@13": 19.0,
                         f"{DEVICE}/zone.2.setpoint@13": 19.0}  # fmt: skip
    running.until(at("2026-01-13 12:01"))
    assert hut.arrays[SETPOINT] == {13: 19.0}, "it ends when it was to end"


def test_a_clean_stop_gives_every_slot_back() -> None:
    running, hut = rehearsal("2026-01-13 10:00")
    running.stop()
    assert {SETPOINT, "zone.2.setpoint", "zone.1.mode"} <= hut.arrays.keys()
    assert not any(hut.arrays.values())


def test_long_steps_leave_nothing_stale() -> None:
    running, _ = rehearsal("2026-01-13 10:00", every_s=1800.0)
    running.until(at("2026-01-13 13:00"))
    assert zone(running)["quality"] == "good"


def test_what_stands_still_costs_no_cycles() -> None:
    running, _ = rehearsal("2026-01-13 12:00")
    running.until(at("2026-01-13 14:30"))
    before, told = running.cycles, running.now
    running.until(told + timedelta(minutes=120))
    assert running.cycles - before < 300, "a re-assertion and a refresh now and then, not a cycle for each reading"


def test_traces_are_kept_every_so_often() -> None:
    running, _ = rehearsal("2026-01-13 10:00")
    running.until(at("2026-01-13 11:00"))
    trace = running.traces[ZONE]
    assert [point.at for point in trace[:3]] == [at("2026-01-13 10:00"), at("2026-01-13 10:05"), at("2026-01-13 10:10")]
    assert trace[-1].setpoint_c == 19.0


def test_only_the_heating_of_a_town_is_taken_along() -> None:
    whole = town()
    part = heating_of(whole)
    assert set(part.zones) == set(whole.zones)
    assert part.lamps == {}
    assert all(device.profile.protocol == "bacnet" for device in part.devices.values())
    assert set(replace(whole, buildings={}, zones={}).devices) - set(part.devices), "a cabinet is left behind"
