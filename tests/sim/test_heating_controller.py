"""The simulated heating controller: obeys its slots, misses its heartbeat, has a programme of its own; pump, tank."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from sim.boiler import Boiler
from sim.building import Building, Zone
from sim.heating_controller import HeatingController, own_mode
from sim.heating_objects import PlantObjects
from sim.hot_water import HotWaterTank

MONDAY = datetime(2026, 1, 12, 10, 0, tzinfo=ZoneInfo("Europe/Paris"))
SATURDAY = datetime(2026, 1, 17, 10, 0, tzinfo=ZoneInfo("Europe/Paris"))


class School:
    """One zone, one boiler, one controller."""

    def __init__(self, outdoor_c: float = 0.0, local: datetime = SATURDAY) -> None:
        self.outdoor_c, self.local = outdoor_c, local
        self.building = Building(
            {1: Zone(temperature_c=17.0, wall_c=16.0)}, Boiler(nominal_w=25_000.0), tank=HotWaterTank()
        )
        self.controller = HeatingController(self.building)
        self.zone = self.building.zones[1]
        self.pass_s(60.0)

    @property
    def plant(self) -> PlantObjects:
        assert self.controller.objects.plant is not None
        return self.controller.objects.plant

    def alone(self) -> bool:
        """Whether the controller has given its supervisor up."""
        return self.controller.alone

    def pass_s(self, span_s: float, beats: bool = False) -> None:
        """Let time pass by the minute; ``beats``: a supervisor is there."""
        for minute in range(round(span_s / 60.0)):
            if beats:
                self.plant.heartbeat.command(13, float(minute % 2))
            self.controller.step(60.0, self.local, {})
            self.building.step(60.0, self.outdoor_c, 0.0, {})

    def command(self, setpoint_c: float, supply_c: float) -> None:
        self.controller.objects.setpoints[1].command(13, setpoint_c)
        self.plant.supply.command(13, supply_c)


@pytest.mark.parametrize(("hour", "mode"), [(5, 2.0), (6, 1.0), (17, 1.0), (18, 2.0)])
def test_its_own_schedule(hour: int, mode: float) -> None:
    assert own_mode(MONDAY.replace(hour=hour)) == mode
    assert own_mode(SATURDAY.replace(hour=hour)) == 2.0


def test_relinquished_it_goes_by_its_schedule_and_its_mode() -> None:
    school = School(local=MONDAY)
    assert school.zone.setpoint_c == 19.0
    school.controller.objects.modes[1].command(13, 3.0)
    school.pass_s(60.0)
    assert school.zone.setpoint_c == 8.0
    school.controller.objects.setpoints[1].command(13, 21.0)
    school.pass_s(60.0)
    assert school.zone.setpoint_c == 21.0


def test_the_supply_setpoint_is_obeyed_and_else_its_own_curve() -> None:
    school = School()
    school.pass_s(3600.0)
    assert school.plant.supply.present_value() == pytest.approx(Boiler.curve_c(0.0))
    school.command(25.0, 40.0)
    for _ in range(60):
        school.pass_s(300.0, beats=True)
    boiler = school.building.boiler
    assert boiler is not None
    assert 35.0 < boiler.supply_c < 46.0


def test_a_boiler_that_may_not_run_does_not() -> None:
    school = School()
    school.plant.enable.command(13, 0.0)
    school.controller.objects.setpoints[1].command(13, 25.0)
    boiler = school.building.boiler
    assert boiler is not None
    burnt_kwh = boiler.energy_kwh
    school.pass_s(7200.0, beats=True)
    assert boiler.energy_kwh == pytest.approx(burnt_kwh, abs=5.0), "but for the rest of a least time on"
    assert not boiler.burning


def test_without_its_pump_no_heat_comes_into_the_room_and_the_pipe_freezes() -> None:
    school = School(outdoor_c=-6.0)
    school.plant.pump.command(13, 0.0)
    school.controller.objects.setpoints[1].command(13, 25.0)
    school.pass_s(12 * 3600.0, beats=True)
    assert school.zone.emitted_w < 100.0
    assert school.building.coldest_pipe_c < 0.0
    warm = School(outdoor_c=-6.0)
    warm.plant.pump.command(13, 1.0)
    warm.pass_s(12 * 3600.0, beats=True)
    assert warm.building.coldest_pipe_c > 5.0


def test_five_minutes_without_a_beat_and_it_is_on_its_own_until_the_next() -> None:
    school = School()
    school.command(8.0, 30.0)
    school.pass_s(600.0, beats=True)
    assert school.zone.setpoint_c == 8.0
    school.pass_s(240.0)
    assert school.zone.setpoint_c == 8.0
    school.pass_s(120.0)
    assert school.alone()
    assert school.zone.setpoint_c == 16.0
    assert 13 not in school.plant.supply.slots
    school.command(8.0, 30.0)
    school.controller.objects.setpoints[1].command(8, 12.0)
    school.pass_s(60.0)
    assert school.controller.objects.setpoints[1].slots == {8: 12.0}, (
        "a hand stays, a supervisor without a beat does not"
    )
    school.plant.heartbeat.command(13, 1.0)
    school.command(9.0, 30.0)
    school.controller.objects.setpoints[1].command(8, None)
    school.pass_s(60.0)
    assert not school.alone()
    assert school.zone.setpoint_c == 9.0


def test_who_never_beat_is_never_missed() -> None:
    school = School()
    school.command(8.0, 30.0)
    school.pass_s(3600.0)
    assert school.zone.setpoint_c == 8.0
    assert not school.alone()


def test_the_tank_is_hot_enough_for_an_hour_every_night_unless_its_programme_fails() -> None:
    def hot_min(tank: HotWaterTank) -> int:
        found = 0
        for minute in range(24 * 60):
            tank.step(60.0, minute / 60.0, 1.0 if 480 <= minute < 1050 else 0.0)
            found += tank.storage_c >= 60.0
        return found

    sound, broken = HotWaterTank(), HotWaterTank(programme=False)
    assert hot_min(sound) > 70
    assert hot_min(broken) == 0
    assert sound.return_c >= 50.0
    assert broken.storage_c > 50.0
