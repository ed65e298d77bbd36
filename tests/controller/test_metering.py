"""Degree-days against hand tables, least squares and baselines against what the energies were made of."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.metering.baseline import (
    Period,
    Step,
    TooShort,
    baseline,
    ratio,
    savings,
    summer_kwh_day,
)
from controller.core.metering.degree_days import BASES_C, costic, days_of, meteo
from controller.core.metering.monthly import building_month, is_over, month_span, zone_month
from controller.core.metering.periods import day_periods, month_periods, night_ratio, weekend_ratio
from controller.core.metering.regression import Singular, fit, lag_one, t_quantile
from controller.core.metering.rows import BuildingRow, ZoneRow, hour_text

PARIS = ZoneInfo("Europe/Paris")
HOUR = timedelta(hours=1)

DAYS = [  # Tmin, Tmax -> meteo, costic; by hand
    (0.0, 10.0, 13.0, 13.0),
    (-5.0, 3.0, 19.0, 19.0),
    (8.0, 18.0, 5.0, 5.0),
    (10.0, 26.0, 0.0, 8.0 * (0.08 + 0.42 * 8.0 / 16.0)),  # 2.32
    (16.0, 24.0, 0.0, 2.0 * (0.08 + 0.42 * 2.0 / 8.0)),  # 0.37
    (14.0, 20.0, 1.0, 4.0 * (0.08 + 0.42 * 4.0 / 6.0)),  # 1.44
    (18.0, 25.0, 0.0, 0.0),
    (20.0, 30.0, 0.0, 0.0),
]


@pytest.mark.parametrize(("lowest", "highest", "by_middle", "by_trade"), DAYS)
def test_degree_days_by_hand(lowest: float, highest: float, by_middle: float, by_trade: float) -> None:
    assert meteo(lowest, highest) == pytest.approx(by_middle)
    assert costic(lowest, highest) == pytest.approx(by_trade)


@given(st.floats(-30, 40), st.floats(0, 25))
def test_the_form_of_the_trade_never_jumps_and_is_never_below_the_other(lowest: float, spread: float) -> None:
    here, there = costic(lowest, lowest + spread), costic(lowest + 0.001, lowest + spread + 0.001)
    assert abs(here - there) < 0.01
    assert here >= meteo(lowest, lowest + spread) - 1e-9


def hour(outdoor_c: float, energy: tuple[float | None, float] = (1.0, 0.0), measured_s: int = 3600) -> BuildingRow:
    below = max(0.0, 18.0 - outdoor_c) * measured_s / 3600.0
    return BuildingRow(outdoor_c, outdoor_c, outdoor_c, measured_s, below, 0, 3600, 0, {"heat": energy})


def hours_from(text: str, count: int, make: Callable[[datetime], BuildingRow]) -> list[tuple[datetime, BuildingRow]]:
    first = datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(ZoneInfo("UTC"))
    return [(first + n * HOUR, make(first + n * HOUR)) for n in range(count)]


def test_a_day_by_the_hour_counts_cold_nights_that_the_middle_misses() -> None:
    rows = hours_from("2026-04-10", 24, lambda at: hour(12.0 if at.astimezone(PARIS).hour < 8 else 22.0))
    (day,) = days_of(rows, PARIS)
    assert day.integrated[18] == pytest.approx(6.0 * 8 / 24)
    assert day.meteo == 1.0
    assert day.mean_c == pytest.approx((12.0 * 8 + 22.0 * 16) / 24)
    assert day.integrated[10] == 0.0
    assert day.integrated[20] == pytest.approx(8.0 * 8 / 24)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_of_the_clock_change_is_one_day(day: str, hours: int) -> None:
    rows = hours_from(day, hours, lambda _: hour(8.0))
    (found,) = days_of(rows, PARIS)
    assert (found.day.isoformat(), found.known_h, found.integrated[18]) == (day, hours, 10.0)


def test_a_day_that_is_hardly_known_has_no_degree_days() -> None:
    assert days_of(hours_from("2026-01-10", 19, lambda _: hour(0.0)), PARIS) == []
    assert days_of(hours_from("2026-01-10", 24, lambda _: hour(0.0, measured_s=2900)), PARIS) == []


def test_a_month_of_a_building_by_hand() -> None:
    def made(at: datetime) -> BuildingRow:
        gap = (at.astimezone(PARIS).day, at.astimezone(PARIS).hour) == (10, 3)
        return hour(8.0, (None, 0.0) if gap else (2.0, 5.0 if at.astimezone(PARIS).day == 11 and at.hour == 1 else 0.0))

    month = building_month(hours_from("2026-01-01", 31 * 24, made), 744.0, PARIS)
    assert month["energy_kwh"] == {"heat": 743 * 2.0 + 5.0}
    assert month["energy_unknown_h"] == {"heat": 1}
    assert (month["degree_days"], month["days"], month["unmeasured_h"]) == (310.0, 31, 0.0)
    assert month["degree_days_by_base"] == {str(base): max(0.0, (base - 8.0) * 31) for base in BASES_C}


def zone_row(temperature_c: float, heating: float | None, cap_c: float | None, occupied_s: int = 0) -> ZoneRow:
    at_comfort = occupied_s
    return ZoneRow(
        temperature_c, temperature_c, temperature_c, 3600, 19.0, at_comfort, 3600 - at_comfort, 0, 0,
        occupied_s, temperature_c if occupied_s else None, occupied_s, 0.25, heating, 3600, cap_c,
    )  # fmt: skip


OVER = [
    (zone_row(19.4, 50.0, 19.0), False),
    (zone_row(19.6, 50.0, 19.0), True),
    (zone_row(24.0, 0.0, 19.0), False),  # the sun
    (zone_row(24.0, None, 19.0), True),
    (zone_row(12.0, 20.0, 8.0), True),
    (zone_row(24.0, 50.0, None), False),
]


@pytest.mark.parametrize(("row", "over"), OVER)
def test_an_hour_is_above_the_law_while_heat_is_given(row: ZoneRow, over: bool) -> None:
    assert is_over(row) is over


def test_a_month_of_a_zone_by_hand() -> None:
    first = datetime(2026, 1, 5, 7, tzinfo=ZoneInfo("UTC"))
    rows = [(first + n * HOUR, zone_row(20.0 if n < 2 else 17.0, 10.0, 19.0, 3600 if n < 4 else 0)) for n in range(8)]
    month = zone_month(rows, 744.0, PARIS)
    assert (month["occupied_h"], month["occupied_c"], month["occupied_days"]) == (4.0, 18.5, 1)
    assert (month["comfort_h"], month["reduced_h"], month["over_legal_h"]) == (4.0, 4.0, 2)
    assert (month["unmeasured_h"], month["deficit_kh"]) == (736.0, 2.0)


def test_a_month_spans_local_midnights() -> None:
    span = month_span("building/b", datetime(2026, 3, 31, 23, 30, tzinfo=PARIS), PARIS)
    assert (span.month, span.first, span.last) == ("2026-03", "2026-02-28T23:00Z", "2026-03-31T22:00Z")
    december = month_span("building/b", datetime(2026, 12, 31, 12, tzinfo=PARIS), PARIS)
    assert december.last == hour_text(datetime(2027, 1, 1, tzinfo=PARIS))


def test_least_squares_against_a_fit_by_hand() -> None:
    # y on x: slope 0.6, intercept 2.2, residual variance 0.8, standard errors by the textbook
    found = fit([(1.0, x) for x in (1.0, 2.0, 3.0, 4.0, 5.0)], [2.0, 4.0, 5.0, 4.0, 5.0])
    assert found.coefficients == pytest.approx((2.2, 0.6))
    assert found.variance == pytest.approx(0.8)
    assert found.r2 == pytest.approx(0.6)
    assert found.freedom == 3
    assert found.errors == pytest.approx((math.sqrt(0.8 * 1.1), math.sqrt(0.08)))
    assert found.leverage((1.0, 3.0)) == pytest.approx(0.8 / 5)
    with pytest.raises(Singular):
        fit([(x, 2 * x) for x in (1.0, 2.0, 3.0, 4.0)], [1.0, 2.0, 3.0, 4.0])
    with pytest.raises(ValueError, match="2 rows"):
        fit([(1.0, 2.0), (1.0, 3.0)], [1.0, 2.0])


@pytest.mark.parametrize(
    ("share", "freedom", "t"), [(0.9, 10, 1.812), (0.95, 30, 2.042), (0.9, 1, 6.314), (0.99, 5, 4.032)]
)
def test_the_t_of_the_tables(share: float, freedom: float, t: float) -> None:
    assert t_quantile(share, freedom) == pytest.approx(t, abs=0.001)


def test_residuals_that_resemble_their_neighbours() -> None:
    assert lag_one([1.0, 1.0, -1.0, -1.0]) == pytest.approx(1 / 4)
    assert lag_one([1.0, -1.0, 1.0, -1.0]) == pytest.approx(-3 / 4)
    assert lag_one([0.0, 0.0]) == 0.0


MEANS_C = (3.0, 4.0, 7.0, 10.0, 14.0, 17.0, 19.0, 19.0, 16.0, 12.0, 7.0, 4.0)
OCCUPIED = (17, 12, 18, 12, 15, 21, 3, 0, 20, 14, 16, 15)


def months(
    scale: float = 1.0, noise_kwh: float = 0.0, seed: int = 1, base_c: int = 16, first: int = 0, count: int = 12
) -> list[Period]:
    """A school: 40 kWh a day, 55 kWh a degree-day below ``base_c``, 80 kWh an occupied day."""
    chance, found = random.Random(seed), []
    for n in range(first, first + count):
        degree_days = {base: max(0.0, base - MEANS_C[n % 12] - 0.3 * (n // 12)) * 30.0 for base in BASES_C}
        energy = scale * (40.0 * 30 + 55.0 * degree_days[base_c] + 80.0 * OCCUPIED[n % 12])
        energy += chance.gauss(0.0, noise_kwh) if noise_kwh else 0.0
        found.append(Period(f"m{n}", 30.0, energy, degree_days, float(OCCUPIED[n % 12])))
    return found


@pytest.mark.parametrize("base_c", [13, 16, 18])
def test_what_the_energies_were_made_of_is_found(base_c: int) -> None:
    found = baseline(months(base_c=base_c), Step.MONTH)
    assert found.base_c == base_c
    assert found.base_load.value == pytest.approx(40.0, rel=1e-6)
    assert found.signature.value == pytest.approx(55.0, rel=1e-6)
    assert found.occupied is not None
    assert found.occupied.value == pytest.approx(80.0, rel=1e-6)
    assert found.weaknesses == ()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_the_truth_lies_within_the_errors_of_a_noisy_baseline(seed: int) -> None:
    """Four standard errors, and the base within 2 K: a chance of a few in ten thousand to be outside by luck."""
    found = baseline(months(noise_kwh=300.0, seed=seed, count=36), Step.MONTH)
    assert abs(found.base_c - 16) <= 2
    assert abs(found.signature.value - 55.0) < 6.0 * found.signature.error
    assert found.r2 > 0.9


def test_a_fifth_less_is_significant_and_its_interval_holds_the_truth() -> None:
    found = baseline(months(noise_kwh=400.0), Step.MONTH)
    after = months(scale=0.8, noise_kwh=400.0, seed=2, first=12)
    result = savings(found, after)
    truth = sum(period.energy_kwh for period in months(first=12)) * 0.2
    assert result.significant
    assert abs(result.saved_kwh - truth) < result.margin_kwh
    assert result.verdict.startswith("significant: ")


def test_nothing_saved_is_not_significant_nine_times_of_ten() -> None:
    """The 90 % interval holds the truth, nothing, in about nine of ten years; by the degrees of freedom, not more."""
    held = 0
    for seed in range(200):
        found = baseline(months(noise_kwh=800.0, seed=seed), Step.MONTH)
        held += not savings(found, months(noise_kwh=800.0, seed=seed + 10_000, first=12)).significant
    assert held >= 0.85 * 200


def test_noise_alone_gives_a_weak_baseline_that_proves_nothing() -> None:
    chance = random.Random(3)
    flat = [Period(p.label, p.days, 1000.0 + chance.gauss(0, 600), p.degree_days, p.occupied_days) for p in months()]
    found = baseline(flat, Step.MONTH)
    assert found.weaknesses
    result = savings(found, [Period("n", 30.0, 900.0, dict.fromkeys(BASES_C, 100.0), 15.0)])
    assert not result.significant
    assert "not significant" in result.verdict


def test_residuals_in_runs_widen_the_interval() -> None:
    steady = months(noise_kwh=500.0, count=36)
    runs = [Period(p.label, p.days, p.energy_kwh + (900.0 if n % 12 < 6 else -900.0), p.degree_days, p.occupied_days)
            for n, p in enumerate(months(count=36))]  # fmt: skip
    for each in (steady, runs):
        found = baseline(each, Step.MONTH)
        assert found.effective <= found.periods
    assert baseline(runs, Step.MONTH).lag > 0.3
    assert baseline(runs, Step.MONTH).effective < 24


def test_too_little_is_said_to_be_too_little() -> None:
    with pytest.raises(TooShort, match=r"too short: 11 months .* at least 12"):
        baseline(months(count=11), Step.MONTH)
    with pytest.raises(TooShort, match="at least 60"):
        baseline(months(count=36), Step.DAY)
    with pytest.raises(TooShort, match="no reporting period"):
        savings(baseline(months(), Step.MONTH), [])
    with pytest.raises(TooShort, match="too alike"):
        baseline([Period("s", 30.0, 100.0, dict.fromkeys(BASES_C, 0.0), 0.0)] * 12, Step.MONTH)


def test_the_figures_that_catch_most_drifts() -> None:
    def made(at: datetime) -> BuildingRow:
        local = at.astimezone(PARIS)
        return hour(
            8.0, ((1.0 if local.hour < 6 or local.hour >= 22 else 4.0) * (0.5 if local.weekday() > 4 else 1.0), 0.0)
        )

    rows = hours_from("2026-01-05", 7 * 24, made)
    assert night_ratio(rows, "heat", PARIS) == pytest.approx(0.25)
    assert weekend_ratio(rows, "heat", PARIS) == pytest.approx(0.5)
    assert night_ratio(rows, "gas", PARIS) is None
    assert ratio([(1.0, True), (None, False)]) is None
    assert summer_kwh_day(months()) == pytest.approx(40.0 + 80.0 * 3 / 60, abs=0.01)


def test_days_and_months_that_are_not_known_are_left_out() -> None:
    rows = hours_from("2026-01-05", 72, lambda at: hour(8.0, (None, 0.0) if at.day == 6 else (2.0, 0.0)))
    days = day_periods(rows, [], "heat", PARIS)
    assert [(day.label, day.energy_kwh, day.degree_days[18]) for day in days] == [
        ("2026-01-05", 48.0, 10.0), ("2026-01-07", 46.0, 10.0)
    ]  # fmt: skip
    whole = building_month(hours_from("2026-01-01", 31 * 24, lambda _: hour(8.0)), 744.0, PARIS)
    half = building_month(hours_from("2026-02-01", 14 * 24, lambda _: hour(8.0)), 672.0, PARIS)
    (period,) = month_periods([("2026-01", whole), ("2026-02", half)], {"2026-01": 17.0}, "heat")
    assert (period.label, period.energy_kwh, period.degree_days[18], period.occupied_days) == (
        "2026-01",
        744.0,
        310.0,
        17.0,
    )
    assert month_periods([("2026-01", whole)], {}, "gas") == []
