"""One thing that is broken is one alarm that shouts; what it explains says so, and shouts when it stays alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from controller.core.commands import Command
from controller.core.cycle import adopt
from controller.core.report import alarm_of
from schedules.plan import Plan
from tests.controller.street import SECONDS, lit_street, moment, raised, roots, street, told, with_gateway, with_meter
from tests.controller.towns import PLACE, program

DAY = "2026-01-13 10:00"


def test_a_phase_that_fails_is_one_alarm() -> None:
    field = lit_street()
    field.volts[0] = 0.0
    field.advance(timedelta(minutes=10))
    assert raised(field) == {("cabinet/c", "supplyLoss"): None}
    field.volts[0] = 230.0
    field.out.add("l1")
    field.advance(timedelta(seconds=150), every=SECONDS)
    assert raised(field) == {}, "its lamps have time to settle"
    field.advance(timedelta(seconds=60), every=SECONDS)
    assert raised(field) == {("lamp/l1", "lampFailure"): None}


def test_a_lamp_of_another_phase_is_not_explained() -> None:
    field = lit_street()
    field.volts[0] = 0.0
    field.out.add("l2")
    field.advance(timedelta(minutes=10))
    assert roots(field) == {("cabinet/c", "supplyLoss"), ("lamp/l2", "lampFailure")}


def test_without_mains_the_contactors_let_go_and_that_is_explained() -> None:
    field = lit_street()
    field.volts = [0.0, 0.0, 0.0]
    field.welded.update(s1=0.0, s2=0.0)
    field.advance(timedelta(minutes=2), every=SECONDS)
    assert roots(field) == {("cabinet/c", "supplyLoss")}
    assert raised(field)["segment/s1", "switchingErrorOff"] == "cabinet/c/supplyLoss"
    payload = alarm_of(field.state, ("segment/s1", "switchingErrorOff"))
    assert payload is not None
    assert payload["suppressed_by"] == "cabinet/c/supplyLoss"
    field.silent.add("cab")
    field.advance(timedelta(minutes=2), every=SECONDS)
    assert raised(field)["cabinet/c", "communicationFailure"] == "cabinet/c/supplyLoss", "its battery is empty"


def test_a_child_that_stays_when_its_cause_is_gone_becomes_an_alarm_of_its_own_after_its_time() -> None:
    field = lit_street()
    field.volts = [0.0, 0.0, 0.0]
    field.welded.update(s1=0.0, s2=0.0)
    field.advance(timedelta(minutes=2), every=SECONDS)
    field.volts = [230.0, 230.0, 230.0]
    del field.welded["s2"]
    field.advance(timedelta(seconds=16), every=timedelta(seconds=4))
    assert raised(field) == {}
    field.advance(SECONDS, every=timedelta(seconds=5))
    assert raised(field) == {("segment/s1", "switchingErrorOff"): None}
    words = [state for target, event, state in told(field) if (target, event) == ("segment/s1", "switchingErrorOff")]
    assert words == ["raised", "cleared", "raised"]


def test_what_began_before_is_not_explained() -> None:
    field = lit_street()
    field.out.add("l1")
    field.advance(timedelta(minutes=5))
    field.bits["segment.1.loop"] = 1.0
    field.advance(timedelta(minutes=5))
    assert raised(field) == {("lamp/l1", "lampFailure"): None, ("segment/s1", "cableFailure"): None}
    field.bits["segment.1.loop"] = 0.0
    field.advance(timedelta(minutes=5))
    assert raised(field) == {("lamp/l1", "lampFailure"): None}


def test_a_cut_cable_explains_the_nodes_behind_it() -> None:
    field = lit_street()
    field.cut.update({"l5", "l7"})
    field.bits["segment.1.loop"] = 1.0
    field.advance(timedelta(minutes=5), every=SECONDS)
    assert raised(field) == {
        ("segment/s1", "cableFailure"): None,
        ("lamp/l5", "controlGearCommFailure"): "segment/s1/cableFailure",
        ("lamp/l7", "controlGearCommFailure"): "segment/s1/cableFailure",
    }
    field.bits["segment.1.loop"] = 0.0
    field.advance(timedelta(seconds=50), every=SECONDS)
    assert raised(field) == {}
    field.advance(2 * SECONDS, every=SECONDS)
    assert roots(field) == {("lamp/l5", "controlGearCommFailure"), ("lamp/l7", "controlGearCommFailure")}


def test_a_tripped_breaker_and_an_open_contactor_explain_dark_lamps_without_a_word() -> None:
    field = lit_street()
    field.bits["segment.1.breaker"] = 1.0
    field.welded["s2"] = 0.0
    field.out.update({"l1", "l2"})
    field.advance(timedelta(minutes=10))
    assert raised(field) == {("segment/s1", "circuitBreakerTripped"): None, ("segment/s2", "switchingErrorOff"): None}


def test_a_welded_contactor_and_a_hand_explain_day_burners() -> None:
    for selector, cause in ((0.0, "switchingErrorOn"), (1.0, "localOverride")):
        field = lit_street(when=DAY)
        field.welded["s1"], field.bits["local"] = 1.0, selector
        field.pinned["cab", "lamp.1.power"] = 40.0
        field.advance(timedelta(minutes=10))
        assert raised(field) == {
            ("segment/s1", cause): None,
            ("lamp/l1", "lampUnexpectedOn"): f"segment/s1/{cause}",
        }


def test_a_silent_cabinet_explains_its_meter_and_its_gateway() -> None:
    field = lit_street(with_meter(with_gateway(street())))
    field.silent.update({"cab", "dali", "emu"})
    field.advance(timedelta(minutes=3))
    assert roots(field) == {("cabinet/c", "communicationFailure")}
    assert {cause for name, cause in raised(field).items() if not name[0].startswith("cabinet/")} == {
        "cabinet/c/communicationFailure"
    }
    field.silent = {"dali"}
    field.advance(timedelta(minutes=3))
    assert raised(field) == {("device/dali", "communicationFailure"): None}


def test_a_broken_gear_explains_what_its_lamp_does() -> None:
    field = lit_street()
    field.pinned["cab", "lamp.1.gear-failure"] = 1.0
    field.out.add("l1")
    field.advance(timedelta(minutes=5))
    assert roots(field) == {("lamp/l1", "controlGearFailure")}
    assert raised(field)["lamp/l1", "lampFailure"] == "lamp/l1/controlGearFailure"


def test_a_bad_voltage_explains_bad_powers() -> None:
    field = lit_street()
    field.volts[0] = 200.0
    field.advance(timedelta(minutes=2))
    field.factor["l1"] = 0.8
    field.pinned["cab", "lamp.1.voltage"] = 190.0
    field.advance(timedelta(minutes=20))
    assert roots(field) == {("cabinet/c", "supplyVoltageTooLow")}
    assert raised(field)["lamp/l1", "lampPowerTooLow"] == "cabinet/c/supplyVoltageTooLow"


def test_the_silence_of_nodes_in_a_part_night_cut_is_expected() -> None:
    cut = Plan("cut", program("cut", {"22:30": 60, "00:30": 0, "05:00": 60}), (), PLACE)
    field = lit_street(street(plan=cut))
    field.until(moment("2026-01-13 03:00"))
    assert field.value("cab", "lamp.1.silent") == 1.0
    field.until(moment("2026-01-14 12:00"))
    assert told(field) == []


def test_works_explain_what_they_bring_about_and_nothing_else() -> None:
    field = lit_street()
    field.out.add("l3")
    field.advance(timedelta(minutes=4))
    until = field.now + timedelta(minutes=30)
    for target in ("l1", "l3"):
        field.feed(Command(target, "lamp", target, field.now, 80.0, until=until, maintenance="wo-7", reason="works"))
    field.advance(timedelta(minutes=3))
    field.out.add("l1")
    field.advance(timedelta(minutes=6))
    assert raised(field) == {("lamp/l1", "lampFailure"): "maintenance/wo-7", ("lamp/l3", "lampFailure"): None}
    field.until(until + timedelta(seconds=20), every=SECONDS)
    assert roots(field) == {("lamp/l3", "lampFailure")}
    field.advance(timedelta(minutes=4), every=SECONDS)
    assert roots(field) == {("lamp/l1", "lampFailure"), ("lamp/l3", "lampFailure")}


def test_a_reload_keeps_what_explains_and_what_is_explained() -> None:
    field = lit_street()
    field.cut.update({"l5", "l7"})
    field.bits["segment.1.loop"] = 1.0
    field.advance(timedelta(minutes=5), every=SECONDS)
    before = raised(field)
    field.take(adopt(field.wiring, replace(field.state), field.now))
    field.advance(timedelta(minutes=5), every=SECONDS)
    assert raised(field) == before
