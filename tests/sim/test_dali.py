"""DALI gateways of the simulated town: what is written reaches lamps, what lamps do is read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.site import Cabinet, Lamp, Segment
from sim.dali_maps import CURVE, MASK, dali_level
from sim.pdu import answer
from sim.town import Town
from tests.sim.towns import LED, WINTER_EVENING, modbus_device, profile, street


def hexed(text: str) -> bytes:
    return bytes.fromhex(text)


def gateway_town(kind: str) -> Town:
    """A cabinet of relays whose one segment feeds nodes 1 and 3 of a gateway; node 2 hangs on no cabinet."""
    relays = modbus_device("cab", "line", 1, profile("generic-relays", "modbus"))
    gateway = modbus_device("gw", "line", 2, profile(kind, "modbus"))
    lamps = {
        f"l-{n}": Lamp(f"l-{n}", "gw", n, LED, cabinet=cabinet, segment=segment)
        for n, cabinet, segment in ((1, "cab", "seg-1"), (2, None, None), (3, "cab", "seg-1"))
    }
    site = replace(
        street(),
        devices={"cab": relays, "gw": gateway},
        lamps=lamps,
        segments={"seg-1": Segment("seg-1", "cab", "cab", 1, 2)},
        cabinets={"cab": Cabinet("cab", "cab", segments=("seg-1",))},
        meters={},
    )
    town = Town.from_site(site, seed=1, start=WINTER_EVENING)
    town.step(1.0)
    return town


def close_contactor(town: Town) -> None:
    assert answer(town.units["cab"], hexed("05 0000 FF00")) == hexed("05 0000 FF00")
    town.step(10.0)


@pytest.mark.parametrize(("percent", "level"), [(0, 0), (0.1, 1), (10, 170), (50, 229), (60, 235), (100, 254)])
def test_levels_are_those_of_the_standard(percent: float, level: int) -> None:
    assert dali_level(percent) == level
    assert [dali_level(light) for light in CURVE] == list(range(255))


def test_the_cabinet_that_feeds_a_gateways_lamp_pays_for_it() -> None:
    town = gateway_town("ecodim-dali")
    assert answer(town.units["gw"], hexed("03 0BBC 0001")) == hexed("03 02") + MASK.to_bytes(2, "big"), "no mains yet"
    before_w = town.cabinet("cab").meter.power_w[1]
    close_contactor(town)
    assert town.cabinet("cab").meter.power_w[1] > before_w + 100.0
    assert answer(town.units["gw"], hexed("03 0BBC 0001")) == hexed("03 02 00FE")
    assert town.lighting.lamps["l-2"].lit, "what hangs on no cabinet is fed"


def test_a_level_of_ecodim() -> None:
    town = gateway_town("ecodim-dali")
    close_contactor(town)
    assert answer(town.units["gw"], hexed("06 0BB8 00E5")) == hexed("06 0BB8 00E5")
    town.step(10.0)
    assert town.lighting.lamps["l-1"].level_pct == pytest.approx(50.5, abs=0.1)
    assert answer(town.units["gw"], hexed("03 0BBC 0001")) == hexed("03 02 00E5")
    assert answer(town.units["gw"], hexed("06 0BB8 00FF")) == hexed("86 03"), "255 is no level"


def test_a_level_and_a_failure_of_intesis() -> None:
    town = gateway_town("intesis-dali")
    close_contactor(town)
    answer(town.units["gw"], hexed("06 00D7 0028"))
    town.step(10.0)
    assert answer(town.units["gw"], hexed("03 00CD 000B"))[2:6] == hexed("0004 0028")
    town.sabotage.break_(["l-3", "lamp", "open"], town.now_s)
    town.step(1.0)
    assert answer(town.units["gw"], hexed("03 00CD 0002")) == hexed("03 04 0002 0000")


@pytest.mark.parametrize(
    ("failure", "led_status", "ballast_status"),
    [("short", "0001", "0002"), ("open", "0002", "0002"), ("hot", "0040", "0004"), ("gear-dark", "0000", "0001")],
)
def test_what_an_led_gear_says_through_intesis(failure: str, led_status: str, ballast_status: str) -> None:
    town = gateway_town("intesis-dali")
    close_contactor(town)
    town.sabotage.break_(["l-3", "lamp", failure], town.now_s)
    town.step(1.0)
    assert answer(town.units["gw"], hexed("03 0118 0001")) == hexed(f"03 02 {led_status}")
    assert answer(town.units["gw"], hexed("03 00CD 0001")) == hexed(f"03 02 {ballast_status}")


def test_a_silent_node_is_lost_to_its_gateway() -> None:
    town = gateway_town("ecodim-dali")
    close_contactor(town)
    town.sabotage.break_(["l-1", "lamp", "node-silent"], town.now_s)
    answer(town.units["gw"], hexed("06 0BB8 00AA"))
    town.step(10.0)
    assert answer(town.units["gw"], hexed("03 0BBC 0001")) == hexed("03 02") + MASK.to_bytes(2, "big")
    assert town.lighting.lamps["l-1"].level_pct == 100.0


def test_a_telegram_of_adfweb_is_taken_once() -> None:
    town = gateway_town("adfweb-dali")
    close_contactor(town)
    gateway, lamp = town.units["gw"], town.lighting.lamps["l-3"]
    assert answer(gateway, hexed("10 0040 0002 04 0102 E500")) == hexed("10 0040 0002")
    assert lamp.command_pct == pytest.approx(50.5, abs=0.1)
    answer(gateway, hexed("10 0040 0002 04 0102 AA00"))
    assert lamp.command_pct == pytest.approx(50.5, abs=0.1), "the control byte has not moved"
    answer(gateway, hexed("10 0040 0002 04 027F AA00"))
    assert [round(each.command_pct) for each in town.lighting.lamps.values()] == [10, 10, 10], "broadcast"
    assert answer(gateway, hexed("03 0040 0002")) == hexed("03 04 027F AA00")
    town.step(10.0)
    assert answer(gateway, hexed("04 0008 0001")) == hexed("04 02 04AA")
