"""The compiled decoder is ``codec.decode``, point by point, whatever lies in the registers."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.modbus.codec import decode
from drivers.modbus.decoding import decoder
from drivers.modbus.polling import Request
from drivers.profile import Encoding, ModbusPoint, Table, WireType

REGISTERS = 24
INTERESTING = [0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x7F80, 0x7FC0, 0x7FF0, 0xFF80, 0x3F80, 0xC7C3]
words = st.lists(
    st.one_of(st.sampled_from(INTERESTING), st.integers(0, 0xFFFF)), min_size=REGISTERS, max_size=REGISTERS
)
sentinels = st.lists(
    st.one_of(
        st.integers(0, (1 << 64) - 1),
        st.sampled_from([0, 0xFFFF, 0x8000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 63, 0x7FC00000]),
    ),
    max_size=3,
).map(tuple)


@st.composite
def points(draw: st.DrawFn) -> ModbusPoint:
    type_ = draw(st.sampled_from(list(WireType)))
    first = draw(st.integers(0, 15))
    return ModbusPoint(
        "p",
        Table.INPUT,
        100 + draw(st.integers(0, REGISTERS - type_.registers)),
        type_,
        scale=draw(st.sampled_from([1.0, 0.1, 0.001, -2.0, 1e300])),
        offset=draw(st.sampled_from([0.0, -40.0, 0.5])),
        word_order=draw(st.sampled_from(["big", "little"])),
        bit=draw(st.integers(0, 15)) if type_ is WireType.BIT else None,
        sentinels=draw(sentinels),
        bits=draw(st.sampled_from([None, (first, draw(st.integers(first, 15)))])) if type_ is WireType.UINT16 else None,
        encoding=draw(st.sampled_from(list(Encoding))) if type_ is WireType.UINT16 else Encoding.LINEAR,
    )


def answer(held: list[int]) -> bytes:
    return struct.pack(f">BB{len(held)}H", 4, 2 * len(held), *held)


@settings(max_examples=120)
@given(held=words, wanted=st.lists(points(), min_size=1, max_size=12), more=st.booleans())
def test_registers_are_what_the_definition_says(held: list[int], wanted: list[ModbusPoint], more: bool) -> None:
    request = Request(Table.INPUT, 100, REGISTERS, tuple(wanted))
    if more:  # a sentinel that really lies there
        raw = int.from_bytes(struct.pack(">2H", *held[:2]), "big")
        wanted.append(ModbusPoint("s", Table.INPUT, 100, WireType.FLOAT32, sentinels=(raw,)))
        request = Request(Table.INPUT, 100, REGISTERS, tuple(wanted))
    got = decoder(request)(answer(held))
    expected = [decode(request.words_of(point, held), point) for point in wanted]
    assert repr(got) == repr(expected)  # repr: -0.0 is not 0.0 here


@given(bits=st.lists(st.integers(0, 1), min_size=1, max_size=70), data=st.data())
def test_coils_are_what_the_definition_says(bits: list[int], data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, len(bits) - 1), min_size=1, max_size=20))
    request = Request(
        Table.COIL, 7, len(bits), tuple(ModbusPoint("p", Table.COIL, 7 + place, WireType.BIT) for place in places)
    )
    packed = sum(bit << i for i, bit in enumerate(bits)).to_bytes((len(bits) + 7) // 8, "little")
    assert decoder(request)(bytes((1, len(packed))) + packed) == [float(bits[place]) for place in places]


@pytest.mark.parametrize("order", ["big", "little"])
def test_a_meter_is_one_unpack_away(order: str) -> None:
    meter = tuple(
        ModbusPoint(f"p{i}", Table.INPUT, 2 * i, WireType.FLOAT32, word_order=order, scale=0.5) for i in range(8)
    )
    halves = [struct.unpack(">2H", struct.pack(">f", i + 0.25)) for i in range(8)]
    held = [word for pair in halves for word in (pair if order == "big" else pair[::-1])]
    assert decoder(Request(Table.INPUT, 0, 16, meter))(answer(held)) == [(i + 0.25) / 2 for i in range(8)]
