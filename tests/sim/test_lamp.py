"""The physics of one lamp."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.site import LampType
from sim.lamp import Lamp
from sim.lamp_failures import Failure
from sim.lamp_sheet import LampData
from sim.lighting_plant import lamp_data

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
        (Failure.SHORT, 100, 0.4, 0b010),
        (Failure.LOW_FACTOR, 100, 60.0, 0b100),
        (Failure.NODE_SILENT, 100, 60.0, 0b1000),
        (Failure.HOT, 100, 42.6, 0b100),
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


def test_power_factor_falls_when_the_lamp_is_dimmed() -> None:
    factors = [lit(LED, command).power_factor for command in (5, 10, 30, 50, 80, 100)]
    assert all(before < after for before, after in pairwise(factors))
    assert factors[1] == pytest.approx(0.5)
    assert factors[-1] == pytest.approx(0.95)
    assert lit(LED, 0).power_factor < 0.4
    assert lit(SODIUM, 100).power_factor > 0.9
    weak = Lamp(LED)
    weak.fail(Failure.LOW_FACTOR)
    weak.step(10.0, 230.0)
    assert weak.power_factor == 0.4
    assert weak.reactive_var == pytest.approx(weak.power_w * 2.291, rel=1e-3)


@pytest.mark.parametrize(("command", "level", "power"), [(0, 0.0, 0.5), (20, 80.0, 48.4), (100, 80.0, 48.4)])
def test_a_lamp_that_does_not_dim_says_nothing_of_it_and_can_be_switched_off(
    command: float, level: float, power: float
) -> None:
    lamp = Lamp(LED, command_pct=command)
    lamp.fail(Failure.STUCK_LEVEL, 80.0)
    lamp.step(30.0, 230.0)
    assert lamp.drive_pct == level
    assert lamp.power_w == pytest.approx(power, rel=1e-3)
    assert lamp.status_bits == (0b100 if level else 0)
    assert lamp.level_pct == command, "the node reports what it was told"


def test_a_lamp_draws_more_or_less_than_it_should() -> None:
    lamp = Lamp(LED)
    lamp.fail(Failure.POWER, 1.5)
    lamp.step(30.0, 230.0)
    assert lamp.power_w == pytest.approx(90.0, rel=1e-3)
    lamp.fail(Failure.NONE)
    lamp.step(30.0, 230.0)
    assert lamp.power_w == pytest.approx(60.0, rel=1e-3)


@pytest.mark.parametrize("sheet", [LED, SODIUM])
def test_a_lamp_that_cycles_goes_out_at_least_four_times_in_half_an_hour(sheet: LampData) -> None:
    lamp = lit(sheet, seconds=1200.0)
    starts, seen = lamp.starts, []
    lamp.fail(Failure.CYCLING)
    for _ in range(360):
        lamp.step(5.0, 230.0)
        seen.append(lamp.lit)
    assert sum(before and not after for before, after in pairwise(seen)) >= 4
    assert lamp.starts - starts >= 4
    assert lamp.command_pct == 100.0
    lamp.command_pct = 0.0
    lamp.step(600.0, 230.0)
    assert not lamp.lit


def test_starts_are_counted_once_each() -> None:
    lamp = lit(LED)
    assert lamp.starts == 1
    for volts, command in ((0.0, 100.0), (230.0, 100.0), (230.0, 30.0), (230.0, 0.0), (230.0, 50.0)):
        lamp.command_pct = command
        lamp.step(60.0, volts)
    assert lamp.starts == 3


def test_a_gear_warms_with_its_power_and_a_hot_one_derates() -> None:
    cold, warm, hot = Lamp(LED, command_pct=0.0), Lamp(LED), Lamp(LED)
    hot.fail(Failure.HOT)
    for lamp in (cold, warm, hot):
        for _ in range(120):
            lamp.step(60.0, 230.0, 5.0)
    assert cold.gear_c == pytest.approx(5.2, abs=0.3)
    assert warm.gear_c == pytest.approx(33.0, abs=0.5)
    assert hot.gear_c > 65.0
    assert hot.drive_pct == 70.0


def test_a_gear_that_keeps_its_light_constant_starts_lower_and_gives_more_as_it_ages() -> None:
    sheet = LampData(100.0, 0.5, clo=((0.0, 80.0), (50_000.0, 100.0)))
    young, old = lit(sheet), Lamp(sheet, burning_h=50_000.0)
    old.step(60.0, 230.0)
    assert young.level_pct == old.level_pct == 100.0
    assert young.power_w == pytest.approx(80.1, abs=0.2)
    assert old.power_w == pytest.approx(101.5, abs=0.2), "an old lamp draws 1.5 % more"


def test_a_silent_node_hears_nothing() -> None:
    lamp = lit(LED)
    lamp.fail(Failure.NODE_SILENT)
    lamp.tell(20.0)
    lamp.step(60.0, 230.0)
    assert (lamp.level_pct, lamp.lit, lamp.answers) == (100.0, True, False)
    lamp.fail(Failure.NONE)
    lamp.tell(20.0)
    assert lamp.command_pct == 20.0


@pytest.mark.parametrize(
    ("kind", "discharge", "at_half_w", "light_after_s"),
    [
        (LampType("led-a", 60.0, power_gradient=2.0), False, 45.1, 10.0),
        (LampType("led-b", 60.0, power_gradient=0.8), False, 22.8, 10.0),
        (LampType("cosmo", 60.0, warm_up_s=600.0, cool_down_s=300.0), True, 30.3, 600.0),
        (LampType("shp-70", 60.0), True, 30.3, 360.0),
    ],
)
def test_a_type_of_lamp_becomes_physics(
    kind: LampType, discharge: bool, at_half_w: float, light_after_s: float
) -> None:
    sheet = lamp_data(kind)
    assert sheet.discharge is discharge
    assert (
        sheet.power_w(50.0) == pytest.approx(at_half_w, abs=0.1) == pytest.approx(kind.expected_power_w(50.0), abs=0.1)
    )
    lamp = Lamp(sheet)
    lamp.step(light_after_s, 230.0)
    assert lamp.light_pct == pytest.approx(85.0 if discharge else 100.0, abs=3.0)


def test_a_sound_gear_is_better_than_the_least_power_factor_of_its_type() -> None:
    least = ((10.0, 0.60), (50.0, 0.85), (100.0, 0.90))
    sheet = lamp_data(LampType("led", 60.0, power_factor=least))
    for level, factor in least:
        assert factor < sheet.power_factor(level) < 1.0
    assert sheet.power_factor(100.0) == 0.95
    assert sheet.power_factor(0.0) < 0.4, "what it draws at rest is nobody's measure"
