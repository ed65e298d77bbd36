"""Alarms: each condition raises exactly its event after its time, clears after it, and a quiet night raises none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from controller.core.cycle import adopt
from controller.core.report import alarm_of
from controller.core.wiring import Wiring
from drivers.api import Notice
from tests.controller.field import Field
from tests.controller.towns import at, town

MINUTE = timedelta(minutes=1)


@pytest.fixture
def field() -> Field:
    field = Field(Wiring(town()), at("2026-01-12 15:00"))
    field.start()
    field.until(at("2026-01-12 18:00"))
    return field


def raised(field: Field) -> set[tuple[str, str]]:
    return {name for name, alarm in field.state.alarms.items() if alarm.raised is not None}


def test_a_night_without_fault_raises_nothing(field: Field) -> None:
    field.until(at("2026-01-13 12:30"))
    assert not [event for event in field.events if event.name == "alarm"]


def test_a_dark_lamp_is_a_lamp_failure_after_its_time_and_ends_when_it_burns_again(field: Field) -> None:
    field.held["cab-mairie", "lamp.1.power"] = 0.2
    field.advance(timedelta(seconds=50), every=timedelta(seconds=10))
    assert raised(field) == set()
    field.advance(timedelta(seconds=30), every=timedelta(seconds=10))
    assert raised(field) == {("lamp/m-1", "lampFailure")}
    payload = alarm_of(field.state, ("lamp/m-1", "lampFailure"))
    assert payload is not None
    assert (payload["value"], payload["threshold"], payload["severity"]) == (0.2, 8.0, "major")
    field.held["cab-mairie", "lamp.1.power"] = 40.0
    field.advance(timedelta(seconds=50), every=timedelta(seconds=10))
    assert raised(field) == {("lamp/m-1", "lampFailure")}
    field.advance(timedelta(seconds=30), every=timedelta(seconds=10))
    assert raised(field) == set()
    assert [e.facts["state"] for e in field.events if e.name == "alarm"] == ["raised", "cleared"]


def test_a_failed_lamp_stays_an_alarm_while_it_has_no_mains(field: Field) -> None:
    field.pinned["cab-gare", "lamp.1.power"] = 0.2
    field.until(at("2026-01-12 18:30"))
    assert raised(field) == {("lamp/g-1", "lampFailure")}
    field.until(at("2026-01-13 12:00"))
    assert raised(field) == {("lamp/g-1", "lampFailure")}, "by day nobody can tell"
    del field.pinned["cab-gare", "lamp.1.power"]
    field.until(at("2026-01-13 18:00"))
    assert raised(field) == set()


def test_no_diagnosis_while_a_lamp_settles(field: Field) -> None:
    field.until(at("2026-01-12 22:30"))
    field.held["cab-mairie", "lamp.1.power"] = 1.0
    field.advance(timedelta(seconds=110), every=timedelta(seconds=10))
    field.held["cab-mairie", "lamp.1.power"] = 24.0
    field.advance(timedelta(minutes=5))
    assert raised(field) == set()


def test_a_day_burner(field: Field) -> None:
    field.until(at("2026-01-13 09:00"))
    field.pinned["cab-gare", "lamp.1.power"] = 38.0
    field.advance(timedelta(minutes=7))
    assert raised(field) == {("lamp/g-1", "lampUnexpectedOn")}


@pytest.mark.parametrize(
    ("when", "feedback", "event"),
    [("2026-01-12 18:10", 0.0, "switchingErrorOff"), ("2026-01-13 10:00", 1.0, "switchingErrorOn")],
)
def test_a_contactor_that_does_not_follow(field: Field, when: str, feedback: float, event: str) -> None:
    field.until(at(when))
    field.pinned["cab-gare", "segment.1.feedback"] = feedback
    field.advance(timedelta(minutes=3))
    assert raised(field) == {("segment/gare-a", event)}


def test_a_contact_that_is_no_longer_read_accuses_nobody(field: Field) -> None:
    others = [point for point in field.wiring.site.devices["cab-gare"].points if point != "segment.1.feedback"]
    field.until(at("2026-01-13 08:32"))
    for _ in range(30):
        field.now += timedelta(seconds=20)
        field.feed(*(field.reading("cab-gare", point) for point in others))
    assert field.value("cab-gare", "segment.1.command") == 0.0, "the morning came meanwhile"
    assert raised(field) == set()


def test_an_open_contactor_hides_its_lamps_failures(field: Field) -> None:
    field.pinned["cab-gare", "segment.1.feedback"] = 0.0
    field.held["cab-gare", "lamp.1.power"] = 0.0
    field.advance(timedelta(minutes=5))
    assert raised(field) == {("segment/gare-a", "switchingErrorOff")}


@pytest.mark.parametrize(
    ("point", "key", "event"),
    [("door", "cabinet/mairie", "cabinetDoorOpen"), ("segment.2.breaker", "segment/mairie-b", "circuitBreakerTripped")],
)
def test_inputs_that_are_alarms_at_once(field: Field, point: str, key: str, event: str) -> None:
    field.held["cab-mairie", point] = 1.0
    field.poll()
    assert raised(field) == {(key, event)}


def test_a_silent_cabinet_is_one_alarm_and_its_lamps_raise_none(field: Field) -> None:
    field.silent.add("cab-mairie")
    field.advance(timedelta(minutes=3))
    assert raised(field) == {("cabinet/mairie", "communicationFailure")}
    field.silent.clear()
    field.advance(timedelta(minutes=3))
    assert raised(field) == set()


def test_a_flicker_shorter_than_the_persistence_is_nothing(field: Field) -> None:
    for _ in range(3):
        field.held["cab-mairie", "lamp.1.power"] = 0.0
        field.advance(timedelta(seconds=40), every=timedelta(seconds=10))
        field.held["cab-mairie", "lamp.1.power"] = 40.0
        field.advance(timedelta(minutes=31), every=timedelta(seconds=20))
    assert not [event for event in field.events if event.name == "alarm"]


def notice(holds: bool, value: float | None = None, subject: str = "device/cab-gare") -> Notice:
    return Notice(subject, "clockError", holds, at("2026-01-12 18:00"), "minor", value, 60.0, "an hour behind")


def test_what_a_driver_noticed_is_an_alarm_until_it_takes_it_back(field: Field) -> None:
    name = ("device/cab-gare", "clockError")
    field.feed(notice(True, 3600.0))
    payload = alarm_of(field.state, name)
    assert payload is not None
    assert (payload["severity"], payload["value"], payload["threshold"]) == ("minor", 3600.0, 60.0)
    assert payload["detail"] == "an hour behind"
    since = payload["since"]
    field.advance(timedelta(minutes=5))
    field.feed(notice(True, 3601.0))
    assert (alarm_of(field.state, name) or {})["value"] == 3601.0
    assert (alarm_of(field.state, name) or {})["since"] == since
    field.feed(notice(False))
    assert alarm_of(field.state, name) is None
    told = [event.facts["state"] for event in field.events if event.name == "alarm" and event.target == name[0]]
    assert told == ["raised", "cleared"]


def test_a_notice_about_nothing_of_this_site_says_nothing(field: Field) -> None:
    field.feed(notice(True, subject="device/elsewhere"), notice(True, subject="bus/elsewhere"))
    assert not [name for name in field.state.alarms if name[1] == "clockError"]


def test_a_reload_forgets_the_notices_of_what_is_gone(field: Field) -> None:
    field.feed(notice(True))
    devices = {key: device for key, device in field.wiring.site.devices.items() if key != "cab-gare"}
    assert field.wiring.knows("device/cab-gare")
    without = replace(field.wiring.site, devices=devices, lamps={}, segments={}, cabinets={}, groups={}, meters={})
    wiring = Wiring(without)
    step = adopt(wiring, field.state, field.now)
    assert ("device/cab-gare", "clockError") not in step.state.alarms
    assert ("device/cab-gare", "clockError") in step.alarms, "its topic is cleared"
