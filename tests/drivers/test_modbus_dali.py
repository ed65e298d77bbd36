"""DALI gateways on the wire: arc power levels, values written elsewhere than read, and the ADFweb telegram."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.api import Driver, Fault, Host, Outcome, PointId, Reading, Refused, Write
from drivers.modbus.arc import arc_level, arc_percent
from drivers.modbus.codec import decode, encode
from drivers.modbus.driver import build
from drivers.modbus.settings import ModbusBus, ModbusDevice
from drivers.modbus.writing import change
from drivers.profile import Encoding, ModbusPoint, Table, WireType, Written
from drivers.profile_file import load_profile, shipped_profiles
from drivers.registry import BusDevice
from tests.drivers.modbus_peer import Asked, Say, mbap, tcp_peer

NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("percent", "level"),
    # IEC 62386-102 table 3 and its formula, worked out by hand
    [
        (0, 0), (0.05, 1), (0.1, 1), (1, 85), (10, 170), (20, 195), (30, 210), (40, 220), (50, 229), (60, 235),
        (70, 241), (80, 246), (100, 254), (120, 254),
    ],
)  # fmt: skip
def test_a_light_output_as_arc_level(percent: float, level: int) -> None:
    assert arc_level(percent) == level


def test_a_linear_half_would_be_darkness() -> None:
    assert arc_percent(127) == pytest.approx(3.1, abs=0.05)
    assert (arc_percent(0), arc_percent(1), arc_percent(254), arc_percent(255), arc_percent(256)) == (
        0.0, 0.1, 100.0, None, None,
    )  # fmt: skip


def test_every_level_survives_the_way_to_percent_and_back() -> None:
    assert [arc_level(arc_percent(level) or 0.0) for level in range(255)] == list(range(255))
    steps = [(arc_percent(b) or 0.0) - (arc_percent(a) or 0.0) for a, b in pairwise(range(255))]
    assert all(step > 0 for step in steps)


@given(st.floats(0.001, 100))
def test_what_is_set_reads_back_within_half_the_resolution(percent: float) -> None:
    shown, point = arc_percent(arc_level(percent)), arc_point()
    assert shown is not None
    assert abs(shown - percent) <= 0.51 * max(point.resolution, point.relative_resolution * percent)


def test_the_lowest_light_is_no_darkness() -> None:
    assert arc_percent(1) == 0.1 > 0.51 * arc_point().resolution


def arc_point(**more: Any) -> ModbusPoint:
    return ModbusPoint("p", Table.HOLDING, 0, WireType.UINT16, encoding=Encoding.DALI_ARC, writable=True, **more)


def test_the_codec_speaks_arc_levels_and_takes_bits_out_of_a_register() -> None:
    assert encode(50.0, arc_point()) == [229]
    assert decode([229], arc_point()) == pytest.approx(50.53, abs=0.01)
    assert decode([0x06E5], arc_point(bits=(0, 7))) == decode([229], arc_point())
    assert decode([0x06FF], arc_point(bits=(0, 7))) is None
    high = ModbusPoint("p", Table.HOLDING, 0, WireType.UINT16, scale=0.5, bits=(8, 11), sentinels=(15,))
    assert decode([0xA7FF], high) == 3.5
    assert decode([0x0F00], high) is None


def test_a_number_that_a_telegram_cannot_carry_is_refused() -> None:
    wide = ModbusPoint("p", Table.INPUT, 0, WireType.UINT16, writable=True, written=Written(64, 3))
    assert change(0, Write(PointId("d", "p"), 255.0), wide).telegram(0xFF80) == [0x0003, 0xFF00]
    with pytest.raises(Refused, match="256 does not fit into the byte of a telegram"):
        change(0, Write(PointId("d", "p"), 256.0), wide)


@dataclass
class Gateway:
    """A gateway that takes a telegram only when its control byte is the next one, and answers what its nodes do."""

    nodes: dict[int, int] = field(default_factory=dict)
    holding: dict[int, int] = field(default_factory=dict)
    taken: list[tuple[int, int]] = field(default_factory=list)
    deaf: set[int] = field(default_factory=set)
    fading: dict[int, int] = field(default_factory=dict)
    """Nodes that show their new level when they have been asked once."""

    def __call__(self, asked: Asked) -> Sequence[Say]:
        return [Say(mbap(asked, self._answer(asked.pdu)))]

    def _answer(self, pdu: bytes) -> bytes:
        function, address, count = struct.unpack_from(">BHH", pdu)
        if function == 4:
            words = [self.nodes.get((address + i) // 4, 0) if (address + i) % 4 == 0 else 0 for i in range(count)]
            self.nodes |= self.fading
            return struct.pack(f">BB{count}H", 4, 2 * count, *words)
        if function == 3:
            words = [self.holding.get(address + i, 0) for i in range(count)]
            return struct.pack(f">BB{count}H", 3, 2 * count, *words)
        assert function == 16
        head, level = struct.unpack_from(">HH", pdu, 6)
        if head >> 8 == (self.holding.get(64, 0) >> 8) + 1 & 0xFF and head & 0xFF not in self.deaf:
            self.taken.append((head & 0xFF, level >> 8))
            self.nodes[head & 0xFF] = self.nodes.get(head & 0xFF, 0) & 0xFF00 | level >> 8
        self.holding |= {64: head, 65: level}
        return pdu[:5]


@asynccontextmanager
async def driven(gateway: Any, profile_id: str, points: Sequence[str]) -> AsyncIterator[Driver]:
    async with tcp_peer(gateway) as peer:
        bus = ModbusBus(driver="modbus", tcp=f"127.0.0.1:{peer.port}", timeout_s=0.5)
        profile = load_profile(shipped_profiles()[profile_id])
        device = BusDevice("gw", ModbusDevice(), profile, tuple(points))
        driver = build("bus", bus, [device], Host(lambda: NOW, Path("/nowhere")))
        await driver.open()
        try:
            yield driver
        finally:
            await driver.close()


def ask(lamp: int, percent: float) -> Write:
    return Write(PointId("gw", f"lamp.{lamp}.command"), percent)


async def test_every_telegram_moves_the_control_byte_on_from_what_the_gateway_holds() -> None:
    gateway = Gateway(holding={64: 0xFE07})
    async with driven(gateway, "adfweb-dali", ["lamp.10.command"]) as driver:
        results = await driver.write([ask(10, 50), ask(1, 100), ask(64, 0)])
        assert [result.outcome for result in results] == [Outcome.APPLIED] * 3
        assert sorted(gateway.taken) == [(0, 254), (9, 229), (63, 0)]
        assert gateway.holding[64] >> 8 == 0x01, "0xFE was followed by 0xFF, 0x00, 0x01"
        await driver.write([ask(10, 50)])
        assert gateway.taken[3:] == [(9, 229)], "the same level again is a new command"


async def test_a_node_that_does_not_follow_shows_in_the_outcome() -> None:
    gateway = Gateway(nodes={4: 0x02FE}, deaf={4})
    async with driven(gateway, "adfweb-dali", ["lamp.5.level", "lamp.5.failure", "lamp.5.gear-failure"]) as driver:
        (result,) = await driver.write([ask(5, 30)])
        assert (result.outcome, result.detail) == (Outcome.NO_FEEDBACK, "reads back 100 %")
        (poll,) = driver.polls["gw"]
        seen = await driver.read(poll)
    assert {o.point.point: o.value if isinstance(o, Reading) else o for o in seen} == {
        "lamp.5.level": 100.0, "lamp.5.failure": 1.0, "lamp.5.gear-failure": 0.0,
    }  # fmt: skip


async def test_a_lamp_that_fades_is_looked_at_again() -> None:
    gateway = Gateway(nodes={4: 0x00FE}, deaf={4}, fading={4: 0x00AA})
    async with driven(gateway, "adfweb-dali", ["lamp.5.command"]) as driver:
        results = await driver.write([ask(5, 10), ask(6, 100)])
    assert [result.outcome for result in results] == [Outcome.APPLIED] * 2
    assert results[0].observed == Reading(PointId("gw", "lamp.5.command"), 10.091, NOW)


async def test_a_level_is_written_to_one_register_and_read_from_another() -> None:
    registers = dict.fromkeys(range(3000, 3320), 0)

    def gateway(asked: Asked) -> Sequence[Say]:
        function, address, count = struct.unpack_from(">BHH", asked.pdu)
        if function == 3:
            words = [registers[address + i] for i in range(count)]
            return [Say(mbap(asked, struct.pack(f">BB{count}H", 3, 2 * count, *words)))]
        assert (function, address) == (6, 3010)
        registers[address + 4] = count
        return [Say(mbap(asked, asked.pdu))]

    async with driven(gateway, "ecodim-dali", ["lamp.3.level", "lamp.4.level"]) as driver:
        (result,) = await driver.write([ask(3, 60)])
        assert (result.outcome, registers[3014]) == (Outcome.APPLIED, 235)
        registers[3019] = 255
        (poll,) = driver.polls["gw"]
        seen = await driver.read(poll)
    assert seen[0] == Reading(PointId("gw", "lamp.3.level"), 59.526, NOW)
    assert seen[1] == Fault(PointId("gw", "lamp.4.level"), "the device has no value", NOW)
