"""The physics of one lamp."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.lamp import Lamp
from sim.lamp_data import LampData
from sim.lamp_failures import Failure

LED = LampData(60.0, 0.5, 5.0, ((0.0, 0.5), (10.0, 9.0), (50.0, 31.0), (100.0, 60.0)))
SODIUM = LampData(100.0, 1.0, discharge=True)


def lit(sheet: LampData, command: float = 100.0, seconds: float = 60.0) -> Lamp:
    lamp = Lamp(sheet, command_pct=command)
    lamp.step(seconds, 230.0)
    return lamp


@pytest.mark.parametrize(
    ("command", "level", "power"), [(0, 0, 0.5), (2, 5, 4.75), (10, 10, 9), (30, 30, 20), (100, 100, 60)]
)
def test_power_follows_the_measured_table_between_its_points(command: float, level: float, power: float) -> None:
    lamp = lit(LED, command)
    assert lamp.level_pct == level
    assert lamp.power_w == pytest.approx(power, rel=1e-3)


def test_fade_takes_its_time_and_ends_at_the_command() -> None:
    lamp = lit(LED, 100.0)
    lamp.command_pct = 50.0
    lamp.step(0.5, 230.0)
    assert lamp.level_pct == pytest.approx(75.0)
    lamp.step(5.0, 230.0)
    assert lamp.level_pct == 50.0


@given(st.lists(st.floats(0.05, 30.0), min_size=1, max_size=12), st.integers(0, 100))
def test_energy_does_not_depend_on_how_time_is_cut(pieces: list[float], command: int) -> None:
    once, often = lit(LED), lit(LED)
    once.command_pct = often.command_pct = float(command)
    once_wh = once.step(sum(pieces), 230.0)
    often_wh = sum(often.step(piece, 230.0) for piece in pieces)
    # a trapezoid over a fade knows the ends of the power table only
    assert often_wh == pytest.approx(once_wh, abs=60.0 * LED.full_fade_s / 3600.0 * 0.2)
    assert often.level_pct == pytest.approx(once.level_pct)


@pytest.mark.parametrize("sheet", [LED, SODIUM])
def test_energy_is_the_integral_of_power(sheet: LampData) -> None:
    lamp, total_wh = lit(sheet), 0.0
    before = lamp.energy_wh
    for second in range(1200):
        lamp.command_pct = 40.0 if second > 600 else 100.0
        was = lamp.power_w
        lamp.step(1.0, 230.0)
        total_wh += (was + lamp.power_w) / 2.0 / 3600.0
    assert lamp.energy_wh - before == pytest.approx(total_wh, rel=2e-3)


def test_discharge_lamp_runs_up_and_restrikes_only_when_it_has_cooled() -> None:
    lamp = Lamp(SODIUM)
    light = []
    for _ in range(60):
        lamp.step(10.0, 230.0)
        light.append(lamp.light_pct)
    assert all(before < after for before, after in pairwise(light))
    assert light[0] < 15.0
    assert light[-1] > 90.0
    lamp.step(5.0, 0.0)
    lamp.step(10.0, 230.0)
    assert not lamp.lit, "a hot lamp does not strike"
    lamp.step(240.0, 230.0)
    assert lamp.lit


def test_unfed_is_dark_and_keeps_its_counters() -> None:
    lamp = lit(LED, seconds=3600.0)
    energy, burning = lamp.energy_wh, lamp.burning_h
    assert energy == pytest.approx(60.0, rel=0.01)
    assert burning == pytest.approx(1.0, rel=0.01)
    lamp.step(3600.0, 0.0)
    assert (lamp.power_w, lamp.level_pct, lamp.lit, lamp.status_bits) == (0.0, 0.0, False, 0b1000)
    assert (lamp.energy_wh, lamp.burning_h) == (energy, burning)


@pytest.mark.parametrize(
    ("failure", "command", "power", "status"),
    [
        (Failure.OPEN, 100, 0.4, 0b010),
        (Failure.DAY_BURNING, 0, 60.0, 0b100),
        (Failure.GEAR_FULL, 30, 60.0, 0b101),
        (Failure.GEAR_DARK, 100, 0.5, 0b001),
    ],
)
def test_failures(failure: Failure, command: float, power: float, status: int) -> None:
    lamp = Lamp(LED, failure=failure, command_pct=command)
    lamp.step(60.0, 230.0)
    assert lamp.power_w == pytest.approx(power, rel=1e-3)
    assert lamp.status_bits == status
    lamp.step(60.0, 0.0)
    assert lamp.power_w == 0.0


def test_ageing_dims_and_costs() -> None:
    young, old = Lamp(LED), Lamp(LED, burning_h=50_000.0)
    for lamp in (young, old):
        lamp.step(60.0, 230.0)
    assert old.light_pct == pytest.approx(90.0, abs=0.1)
    assert young.light_pct == pytest.approx(100.0, abs=0.1)
    assert 1.0 < old.power_w / young.power_w < 1.05
