"""Cabinets, meters, weather, buildings: what must hold in any town."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from sim.boiler import Boiler
from sim.building import Building, Zone
from sim.contactor import Stuck
from sim.town import Town
from sim.weather import Weather
from tests.sim.towns import WINTER_EVENING, school, street


def lit_street(seed: int = 1) -> Town:
    town = Town.from_site(street(), seed=seed, start=WINTER_EVENING)
    for contactor in town.lighting.contactors.values():
        contactor.commanded = True
    town.step(60.0)
    return town


def test_contactor_follows_its_coil_after_a_moment() -> None:
    town = Town.from_site(street(), seed=1, start=WINTER_EVENING)
    contactor = town.lighting.contactors["seg-1"]
    contactor.commanded = True
    town.step(0.05)
    assert not contactor.closed
    town.step(0.3)
    assert contactor.closed


def test_stuck_contactor_and_breaker() -> None:
    town = lit_street()
    contactor, lamp = town.lighting.contactors["seg-1"], town.lighting.lamps["l-1"]
    contactor.stuck, contactor.commanded = Stuck.CLOSED, False
    town.step(10.0)
    assert contactor.closed
    assert lamp.lit
    contactor.tripped = True
    town.step(10.0)
    assert contactor.closed, "the auxiliary contact is the contactor's, not the breaker's"
    assert not lamp.fed
    assert town.lighting.lamps["l-2"].lit, "the other segment has its own breaker"
    contactor.tripped, contactor.stuck = False, Stuck.OPEN
    contactor.commanded = True
    town.step(10.0)
    assert not contactor.closed


def test_what_a_cabinet_draws_is_lamps_plus_losses_plus_own_load_and_its_meter_is_of_class_1() -> None:
    town = lit_street()
    cabinet = town.cabinet("cab")
    first_wh, metered_wh = cabinet.energy_wh, cabinet.meter.total_wh
    start = first_wh - cabinet.losses_wh - cabinet.own_wh
    start -= sum(lamp.energy_wh for lamp, _ in cabinet.lamps.values())
    for step in range(300):
        town.lighting.lamps["l-1"].command_pct = float(step % 101)
        town.lighting.contactors["seg-2"].commanded = step % 50 < 25
        town.step(1.0 + step % 7)
    end = cabinet.energy_wh - cabinet.losses_wh - cabinet.own_wh
    end -= sum(lamp.energy_wh for lamp, _ in cabinet.lamps.values())
    assert end == pytest.approx(start, abs=1e-3)
    drawn_wh = cabinet.energy_wh - first_wh
    assert 0.0 < cabinet.losses_wh < 0.02 * drawn_wh
    assert cabinet.meter.total_wh - metered_wh == pytest.approx(drawn_wh, rel=0.01)
    assert cabinet.meter.total_wh - metered_wh != pytest.approx(drawn_wh, rel=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_a_meter_is_wrong_in_its_own_way_and_never_by_more_than_its_class(seed: int) -> None:
    town = lit_street(seed)
    cabinet, ratios = town.cabinet("cab"), []
    for _ in range(40):
        town.step(5.0)
        ratios.append(cabinet.meter.total_w / cabinet.power_w)
    assert all(abs(ratio - 1.0) <= 0.01 for ratio in ratios)
    assert 0.0 < max(ratios) - min(ratios) < 0.004, "it ripples a little"
    gains = cabinet.meter.gain
    assert len(set(gains)) == 3
    assert gains != lit_street(seed + 1).cabinet("cab").meter.gain


def test_power_stands_on_the_phase_that_the_segment_has() -> None:
    town = lit_street()
    phases = list(town.cabinet("cab").meter.power_w)
    town.lighting.contactors["seg-2"].commanded = False
    town.step(10.0)
    after = town.cabinet("cab").meter.power_w
    assert after[1] < phases[1] - 50.0
    assert after[0] == pytest.approx(phases[0], rel=0.1)


def test_dimming_costs_power_factor_and_the_meter_shows_it_in_a_consistent_way() -> None:
    town = lit_street()
    meter = town.cabinet("cab").meter
    bright = meter.factor(1)
    for lamp in town.lighting.lamps.values():
        lamp.command_pct = 10.0
    town.step(30.0)
    assert 0.93 < bright < 0.96
    assert 0.45 < meter.factor(1) < 0.55
    for phase in range(3):
        assert meter.apparent_va(phase) == pytest.approx(meter.volts[phase] * meter.current_a(phase))
        assert meter.apparent_va(phase) ** 2 == pytest.approx(
            meter.power_w[phase] ** 2 + meter.reactive_var(phase) ** 2
        )
        assert meter.factor(phase) * meter.apparent_va(phase) == pytest.approx(meter.power_w[phase])


def test_the_voltage_at_a_lamp_is_less_than_at_the_cabinet_while_the_street_is_lit() -> None:
    town = lit_street()
    town.step(10.0)
    cabinet, lamp = town.cabinet("cab"), town.lighting.lamps["l-1"]
    assert 0.05 < cabinet.volts[0] - lamp.volts < 3.0


def test_a_lamp_without_a_node_burns_at_full_while_its_segment_has_mains() -> None:
    site = street()
    lamps = {name: replace(lamp, address=None) if name in ("l-1", "l-2") else lamp for name, lamp in site.lamps.items()}
    lamps["l-2"] = replace(lamps["l-2"], phase=3, burnt_h=1234.0)
    town = Town.from_site(replace(site, lamps=lamps), seed=1, start=WINTER_EVENING)
    blind, other = town.lighting.lamps["l-1"], town.lighting.lamps["l-2"]
    town.step(10.0)
    assert (blind.lit, other.lit, other.burning_h) == (False, False, 1234.0)
    before_w = town.cabinet("cab").meter.power_w[2]
    town.lighting.contactors["seg-1"].commanded = town.lighting.contactors["seg-2"].commanded = True
    town.step(60.0)
    assert (blind.level_pct, other.level_pct) == (100.0, 100.0)
    assert town.cabinet("cab").meter.power_w[2] > before_w + 50.0, "it hangs on a phase of its own"
    assert 1 not in town.cabinet("cab").lamps


def test_same_seed_and_steps_give_the_same_town_another_seed_another_one() -> None:
    def run(seed: int, path: Path = Path(".")) -> list[dict[str, object]]:
        towns = [Town.from_site(made(path), seed=seed, start=WINTER_EVENING) for made in (street, school)]
        for town in towns:
            for step in (0.1, 7.0, 61.0, 600.0):
                town.step(step)
        return [town.truth() for town in towns]

    assert run(3) == run(3)
    assert run(3) != run(4)


def test_meters_only_count_up_and_feeder_is_the_cabinets() -> None:
    town = lit_street()
    seen = []
    for _ in range(50):
        town.step(97.0)
        seen.append(town.meters["meter"].total_wh)
    assert all(before < after for before, after in pairwise(seen))
    assert town.meters["feeder"] is town.cabinet("cab").meter
    town.skip_to(WINTER_EVENING.replace(hour=3))
    town.step(1.0)
    night_w = town.meters["meter"].total_w
    town.skip_to(WINTER_EVENING.replace(hour=10))
    town.step(1.0)
    assert town.meters["meter"].total_w > 2.5 * night_w


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_weather_is_that_of_a_temperate_town(seed: int) -> None:
    weather = Weather(seed)
    year = [weather.outdoor_c(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=3 * n)) for n in range(365 * 8)]
    january, july = year[: 31 * 8], year[181 * 8 : 212 * 8]
    assert 0.0 < sum(january) / len(january) < 7.0
    assert 15.0 < sum(july) / len(july) < 22.0
    assert -12.0 < min(year) < 0.0
    assert 22.0 < max(year) < 36.0
    assert all(abs(before - after) < 6.0 for before, after in pairwise(year))
    assert weather.sun_w_m2(datetime(2026, 6, 21, 23, tzinfo=UTC)) == 0.0
    assert 200.0 < weather.sun_w_m2(datetime(2026, 6, 21, 12, tzinfo=UTC)) < 1000.0


def test_a_building_left_alone_comes_to_the_temperature_outside() -> None:
    building = Building({1: Zone(temperature_c=16.0, wall_c=13.0, setpoint_c=5.0)})
    building.step(16 * 86_400.0, 12.0, 0.0, {})
    zone = building.zones[1]
    assert zone.temperature_c == pytest.approx(12.0, abs=0.1)
    assert zone.wall_c == pytest.approx(12.0, abs=0.1)


def test_people_warm_the_zone_that_they_are_in() -> None:
    building = Building({number: Zone(setpoint_c=5.0) for number in (1, 2)}, coupling_w_k=0.0)
    building.step(3600.0, 5.0, 0.0, {2: 0.5})
    empty, half_full = building.zones.values()
    assert half_full.temperature_c > empty.temperature_c + 0.1
    assert building.share({2: 0.5}) == pytest.approx(0.25)


def test_heat_is_conserved() -> None:
    """What the radiators gave is in the masses or went outside; here nothing goes outside."""
    zone = Zone(temperature_c=15.0, wall_c=15.0, setpoint_c=19.0, out_w_k=0.0, air_w_k=0.0)
    building = Building({1: zone}, Boiler())
    given_j = 0.0
    for _ in range(2000):
        building.step(10.0, 5.0, 0.0, {})
        given_j += zone.emitted_w * 10.0
    stored_j = zone.area_m2 * (zone.air_j_k * (zone.temperature_c - 15.0) + zone.wall_j_k * (zone.wall_c - 15.0))
    assert given_j > 1e7
    assert stored_j == pytest.approx(given_j, rel=1e-6)


def test_boiler_keeps_its_minimum_times_and_burns_more_than_it_gives() -> None:
    boiler, changes, was = Boiler(), [], False
    for second in range(0, 6 * 3600, 10):
        boiler.step(10.0, 0.0, 8_000.0, calling=True)
        if boiler.burning != was:
            changes.append((second, boiler.burning))
            was = boiler.burning
    for (start, burning), (end, _) in pairwise(changes):
        assert end - start >= (boiler.min_on_s if burning else boiler.min_off_s)
    assert 4 < boiler.starts < 60
    assert boiler.heat_kwh == pytest.approx(boiler.energy_kwh * boiler.efficiency)
    assert boiler.curve_c(-10.0) == 70.0
    assert boiler.curve_c(-10.0) > boiler.curve_c(0.0) > boiler.curve_c(10.0) >= boiler.curve_c(20.0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_winter_night_of_the_school(seed: int) -> None:
    town = Town.from_site(school(), seed=seed, start=datetime(2026, 1, 12, 4, tzinfo=UTC))
    setpoints = {name: next(o for o in town.objects["ecole"] if o.key == f"analog-value,{name}") for name in (1, 2, 3)}

    def set_all(value: float) -> None:
        for setpoint in setpoints.values():
            setpoint.command(13, value)

    def coldest() -> float:
        return min(zone.temperature_c for zone in town.buildings["ecole"].zones.values())

    set_all(19.0)
    town.step(12 * 3600.0)
    assert coldest() == pytest.approx(19.0, abs=0.5)
    evening = coldest()
    set_all(14.0)
    town.step(12 * 3600.0)
    assert 1.5 < evening - coldest() < 4.5
    set_all(19.0)
    hours = 0.0
    while coldest() < 18.8 and hours < 8.0:
        town.step(300.0)
        hours += 300.0 / 3600.0
    assert 1.0 < hours < 5.0
    assert town.buildings["ecole"].boiler is not None


def test_the_gym_keeps_what_its_thermostat_says() -> None:
    town = Town.from_site(school(), seed=1, start=datetime(2026, 1, 12, 6, tzinfo=UTC))
    setpoint = next(found for found in town.objects["gym"] if found.key == "analog-value,1")
    setpoint.command(13, 18.0)
    town.step(6 * 3600.0)
    hall = town.buildings["gym"].zones[1]
    for _ in range(60):
        town.step(60.0)
        assert 17.4 < hall.temperature_c < 18.6
    assert town.buildings["gym"].heater_kwh > 50.0
    assert setpoint.present_value() == 18.0
