"""What passes at devices: counters that roll over or are replaced, silent times, contactors, lamps without a node."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from config.site import Site
from controller.core.counted import DeviceCounter
from controller.core.wiring import Wiring
from tests.controller.cabinets import PAIR, RELAYS, village
from tests.controller.field import Field
from tests.controller.nights import CountingField, accounts
from tests.controller.towns import at, town

TEN_S, MINUTE, HOUR = timedelta(seconds=10), timedelta(minutes=1), timedelta(hours=1)
WH = DeviceCounter("lamp/x/energy_kwh", "lamp/x/energy_kwh@device", "p", 0.08, 0.001, 2.0**32 * 0.001)
FLOAT = replace(WH, modulus=0.0)

GAINS = [
    ("grows", WH, 10.0, 10.5, 1.0, 0.5),
    ("stands", WH, 10.0, 10.0, 1.0, 0.0),
    ("is heard of for the first time", WH, None, 812.0, None, 0.0),
    ("rolls over", WH, 4294967.295, 0.004, 1.0, 0.005),
    ("is reset", WH, 812.0, 0.0, 1.0, 0.0),
    ("is replaced by a younger one", WH, 812.0, 100.0, 1.0, 0.0),
    ("is replaced by an older one", WH, 100.0, 812.0, 1.0, 0.0),
    ("tells a day at once", WH, 10.0, 11.9, 0.001, 1.9),
    ("tells more than a day can bring", WH, 10.0, 12.5, 0.001, 0.0),
    ("was silent for a week", WH, 10.0, 15.0, 168.0, 5.0),
    ("was away for nobody knows how long", WH, 10.0, 30.0, None, 20.0),
    ("is a float that falls", FLOAT, 10.0, 9.0, 1.0, 0.0),
]


@pytest.mark.parametrize(
    ("title", "counter", "last", "value", "span_h", "gained"), GAINS, ids=[each[0] for each in GAINS]
)
def test_what_a_counter_gained(
    title: str, counter: DeviceCounter, last: float | None, value: float, span_h: float | None, gained: float
) -> None:
    assert counter.gained(last, value, span_h) == pytest.approx(gained), title


def counters(field: Field, key: str) -> tuple[float | None, ...]:
    return tuple(field.state.counters.get(f"{key}/{name}") for name in ("energy_kwh", "burning_h", "switch_ons"))


def plain_town() -> Site:
    """The station's nodes have no counters of their own."""
    site = town()
    gare = site.devices["cab-gare"]
    own = (".energy", ".burning", ".starts")
    points = {
        name: each for name, each in gare.profile.points.items() if not (name[:4] == "lamp" and name.endswith(own))
    }
    used = tuple(point for point in gare.points if point in points)
    device = replace(gare, profile=replace(gare.profile, points=points), points=used)
    return replace(site, devices={**site.devices, "cab-gare": device})


def test_a_node_without_counters_is_counted_by_its_power_and_level() -> None:
    field = Field(Wiring(plain_town()), at("2026-01-12 16:00"))
    field.start()
    field.until(at("2026-01-12 19:20"), every=TEN_S)
    energy, burning, switch_ons = counters(field, "lamp/g-1")
    assert burning == pytest.approx(2.0, abs=0.02)
    assert energy == pytest.approx(0.0805, abs=0.004), "two hours at 40 W, and the node itself"
    assert switch_ons == 1.0
    assert field.wiring.counted.energy_by["lamp/g-1"] == "power"


def test_a_silent_time_is_neither_burnt_nor_dark_for_who_only_looks() -> None:
    field = Field(Wiring(plain_town()), at("2026-01-12 18:00"))
    field.start()
    field.advance(HOUR, every=TEN_S)
    field.silent.add("cab-gare")
    field.advance(HOUR, every=MINUTE)
    field.silent.clear()
    field.advance(HOUR, every=TEN_S)
    assert counters(field, "lamp/g-1")[1] == pytest.approx(2.0, abs=0.02)


def test_lamps_without_a_node_are_counted_while_their_contactor_feeds_them() -> None:
    field = Field(Wiring(village()), at("2026-11-23 16:00"))
    field.start()
    field.until(at("2026-11-23 22:00"), every=TEN_S)
    field.until(at("2026-11-24 00:30"), every=TEN_S)
    segment = next(each for each in field.wiring.site.segments.values() if f"segment.{each.output}.command" == PAIR)
    lamp = field.wiring.site.lamps[field.wiring.lamps_of_segment[segment.id][0]]
    energy, burning, switch_ons = counters(field, f"lamp/{lamp.id}")
    closed = counters(field, f"segment/{segment.id}")
    assert burning is not None
    assert burning > 3.0
    assert burning == closed[1]
    assert energy == pytest.approx(burning * lamp.type.power_w / 1000.0)
    assert (switch_ons, closed[2]) == (1.0, 1.0)
    assert field.wiring.counted.energy_by[f"lamp/{lamp.id}"] == "profile"


def test_a_tripped_breaker_feeds_nobody_though_the_contactor_is_closed() -> None:
    field = Field(Wiring(village()), at("2026-11-23 18:00"))
    field.start()
    field.advance(HOUR, every=TEN_S)
    segment = next(each for each in field.wiring.site.segments.values() if f"segment.{each.output}.command" == PAIR)
    lamp = field.wiring.lamps_of_segment[segment.id][0]
    field.held[RELAYS, f"segment.{segment.output}.breaker"] = 1.0
    field.advance(HOUR, every=TEN_S)
    assert counters(field, f"segment/{segment.id}")[1] == pytest.approx(2.0, abs=0.3), "told each quarter of an hour"
    assert counters(field, f"lamp/{lamp}")[1] == pytest.approx(1.0, abs=0.3)


def test_a_contactor_alone_on_its_phase_is_measured_by_the_meter() -> None:
    field = Field(Wiring(town()), at("2026-01-12 16:00"))
    field.start()
    field.held["cab-mairie", "meter.power-l1"] = 500.0
    field.held["cab-mairie", "meter.power-l2"] = 50.0
    field.until(at("2026-01-12 19:20"), every=TEN_S)
    assert field.wiring.counted.energy_by["segment/mairie-a"] == "meter"
    assert counters(field, "segment/mairie-a")[0] == pytest.approx(1.0, abs=0.15)
    assert counters(field, "segment/mairie-b")[0] == pytest.approx(0.1, abs=0.015)


def test_contactors_of_one_phase_are_measured_by_their_lamps() -> None:
    site = town()
    segments = {name: replace(segment, phase=1) for name, segment in site.segments.items()}
    field = CountingField(Wiring(replace(site, segments=segments)), at("2026-01-12 16:00"))
    field.start()
    field.until(at("2026-01-12 19:20"), every=TEN_S)
    assert field.wiring.counted.energy_by["segment/mairie-a"] == "lamps"
    lamps = [counters(field, f"lamp/{lamp}")[0] or 0.0 for lamp in ("m-1", "m-2")]
    assert counters(field, "segment/mairie-a")[0] == pytest.approx(sum(lamps), abs=0.03)


def test_a_cabinets_meter_is_followed_over_a_restart_and_a_replacement() -> None:
    field = CountingField(Wiring(town()), at("2026-01-12 12:10"))
    field.held["cab-gare", "meter.energy"] = 12_000.0
    field.start()
    field.held["cab-gare", "meter.energy"] = 12_003.0
    field.advance(HOUR)
    saved = field.saved()
    again = CountingField(field.wiring, field.now + HOUR, held=dict(field.held))
    again.held["cab-gare", "meter.energy"] = 12_004.5
    again.start(saved)
    again.held["cab-gare", "meter.energy"] = 7.0
    again.advance(HOUR)
    again.held["cab-gare", "meter.energy"] = 9.0
    again.until(at("2026-01-13 12:05"))
    assert accounts(again, "2026-01-12")["cabinet/gare"]["energy_kwh"] == pytest.approx(6.5)


def test_every_node_of_the_site_is_in_the_accounts_and_groups_add_up() -> None:
    field = CountingField(Wiring(town()), at("2026-01-12 12:00"))
    field.start()
    field.until(at("2026-01-13 12:05"))
    rows = accounts(field, "2026-01-12")
    site = field.wiring.site
    assert {f"lamp/{lamp}" for lamp in site.lamps} <= set(rows)
    for name in ("energy_kwh", "burning_h"):
        for group in site.groups.values():
            lamps = sum(rows[f"lamp/{lamp}"][name] for lamp in group.lamps)
            assert rows[f"group/{group.id}"][name] == pytest.approx(lamps, abs=0.002)
        assert rows["site/valbourg"][name] == pytest.approx(
            sum(rows[f"lamp/{lamp}"][name] for lamp in site.lamps), abs=0.003
        )
