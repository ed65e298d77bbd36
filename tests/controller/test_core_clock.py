"""Clocks that are wrong: set forward, set back, started in 1970. The outputs are those of the time that it is now."""

from __future__ import annotations

from datetime import timedelta

import pytest

from controller.core.commands import Command
from controller.core.report import state_of
from controller.core.wiring import Wiring
from tests.controller.field import Field, names
from tests.controller.towns import at, town


@pytest.mark.parametrize("wrong", ["2026-01-26 18:00", "2026-01-13 01:00", "2026-01-12 23:30", "2031-07-01 12:00"])
def test_a_clock_set_back_finds_the_outputs_of_the_hour_at_once(wrong: str) -> None:
    field = Field(Wiring(town()), at(wrong))
    field.start()
    field.advance(timedelta(minutes=5))
    field.now = at("2026-01-12 23:00")
    field.poll()
    assert field.value("cab-mairie", "lamp.1.command") == 60
    assert field.value("cab-gare", "lamp.1.command") == 100
    assert field.slots["ecole", "zone.1.setpoint"][13] == 16.0
    assert names(field.events).count("clock-set-back") == 1
    field.until(at("2026-01-13 00:31"))
    assert field.value("cab-mairie", "lamp.1.command") == 0, "the plan goes on by the right clock"
    assert state_of(field.wiring, field.state, "lamp/m-1", field.now)["quality"] == "good"


@pytest.mark.parametrize("wrong", ["1970-01-01 00:05", "2026-01-12 12:00"])
def test_a_clock_set_forward_finds_them_too(wrong: str) -> None:
    field = Field(Wiring(town()), at(wrong))
    field.start()
    field.advance(timedelta(minutes=5))
    field.now = at("2026-01-12 23:00")
    field.poll()
    assert field.value("cab-mairie", "lamp.1.command") == 60
    assert field.value("cab-gare", "lamp.1.command") == 100
    assert "clock-set-back" not in names(field.events)


def test_an_override_does_not_outlive_its_cap_by_a_clock_set_back() -> None:
    field = Field(Wiring(town()), at("2026-01-26 18:00"))
    field.start()
    field.feed(Command("c1", "lamp", "m-1", field.now, value=20.0, lasting=timedelta(hours=2)))
    field.now = at("2026-01-12 23:00")
    field.poll()
    assert field.value("cab-mairie", "lamp.1.command") == 20
    assert field.state.overrides["lamp/m-1"].until == field.now + timedelta(hours=24)


def test_an_outcome_and_an_alarm_that_were_awaited_are_not_awaited_for_ever() -> None:
    field = Field(Wiring(town()), at("2026-01-26 23:00"))
    field.start()
    field.pinned["cab-gare", "lamp.1.power"] = 0.2
    field.advance(timedelta(minutes=4))
    assert ("lamp/g-1", "lampFailure") in field.state.alarms
    field.now = at("2026-01-12 23:00")
    field.poll()
    field.advance(timedelta(minutes=4))
    raised = {name for name, alarm in field.state.alarms.items() if alarm.raised is not None}
    assert raised == {("lamp/g-1", "lampFailure")}
    del field.pinned["cab-gare", "lamp.1.power"]
    field.advance(timedelta(minutes=4))
    assert not field.state.alarms


def test_a_wobble_of_a_second_is_no_step() -> None:
    field = Field(Wiring(town()), at("2026-01-12 23:00"))
    field.start()
    field.now -= timedelta(seconds=1)
    field.poll()
    assert "clock-set-back" not in names(field.events)
