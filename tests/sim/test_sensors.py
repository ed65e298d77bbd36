"""Daylight, photocells and presence sensors: what they show, and when."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from schedules.sun import Place, elevation, evening
from sim.sensors import SEEN_S, Photocell, Presence, Stare
from sim.weather import Weather

ARRAS = Place(50.29, 2.78, ZoneInfo("Europe/Paris"))
DAYS = [date(2026, month, day) for month in range(1, 13) for day in (5, 20)]


def lux_at(angle_deg: float, later: timedelta = timedelta(0)) -> list[float]:
    """Daylight when the sun passes an angle in the evening of many days, by the schedules' own astronomy."""
    found = []
    for seed, day in enumerate(DAYS):
        at = evening(day, ARRAS, angle_deg)
        assert isinstance(at, datetime)
        found.append(Weather(seed, ARRAS.latitude, ARRAS.longitude).lux(at + later))
    return found


@pytest.mark.parametrize(
    ("angle_deg", "later_min", "mean_lx"), [(-0.833, 0, 400.0), (-0.833, 20, 35.0), (-6.0, 0, 3.5), (10.0, 0, 11_000.0)]
)
def test_daylight_at_dusk_is_what_photocells_are_set_by(angle_deg: float, later_min: int, mean_lx: float) -> None:
    found = lux_at(angle_deg, timedelta(minutes=later_min))
    assert math.prod(found) ** (1.0 / len(found)) == pytest.approx(mean_lx, rel=0.3)
    assert all(mean_lx / 3.0 < lux < mean_lx * 3.0 for lux in found)


def test_the_sun_stands_where_astronomy_says_to_a_tenth_of_a_degree() -> None:
    weather = Weather(1, ARRAS.latitude, ARRAS.longitude)
    for day in DAYS:
        for hour in range(24):
            at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
            assert weather.elevation_deg(at) == pytest.approx(elevation(at, ARRAS), abs=0.1)


def test_clouds_take_half_of_the_light_and_never_all() -> None:
    noon = datetime(2026, 6, 21, 12, tzinfo=UTC)
    found = [Weather(seed, 50.0, 0.0).lux(noon) for seed in range(60)]
    assert 2.0 < max(found) / min(found) < 3.0
    assert min(found) > 30_000.0
    assert Weather(1, 50.0, 0.0).lux(datetime(2026, 12, 21, 0, tzinfo=UTC)) < 0.01


@pytest.mark.parametrize(
    ("stare", "shown"), [(Stare.NO, 52.5), (Stare.DARK, 0.3), (Stare.BRIGHT, 20_000.0), (Stare.SILENT, None)]
)
def test_a_photocell_sees_the_sky_or_stares(stare: Stare, shown: float | None) -> None:
    assert Photocell(1.05, stare, 50.0).lux == (shown if shown is None else pytest.approx(shown))


def test_nobody_passes_unless_somebody_is_sent() -> None:
    sensor = Presence("s", 1)
    assert not any(sensor.detects(float(second)) for second in range(0, 86_400, 5))
    sensor.somebody = True
    assert sensor.detects(0.0)


@pytest.mark.parametrize("per_h", [2.0, 6.0, 60.0])
def test_traffic_comes_as_often_as_it_should_and_the_same_way_each_time(per_h: float) -> None:
    one, same, other = (Presence(name, 1, traffic_per_h=per_h) for name in ("s", "s", "t"))
    seconds = [1.8e9 + second for second in range(4 * 3600)]
    seen = [one.detects(at) for at in seconds]
    assert seen == [same.detects(at) for at in seconds]
    assert seen != [other.detects(at) for at in seconds]
    assert sum(seen) == pytest.approx(4 * per_h * SEEN_S, rel=0.2)
