from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.api import Refused
from drivers.modbus.codec import decode, encode
from drivers.profile import ModbusPoint, Table, WireType

INTEGERS = {
    WireType.UINT16: (0, 2**16 - 1),
    WireType.INT16: (-(2**15), 2**15 - 1),
    WireType.UINT32: (0, 2**32 - 1),
    WireType.INT32: (-(2**31), 2**31 - 1),
    WireType.UINT64: (0, 2**53),
    WireType.INT64: (-(2**53), 2**53),
}
ORDERS = ("big", "little")


def point(type_: WireType, table: Table = Table.HOLDING, **more: Any) -> ModbusPoint:
    return ModbusPoint("p", table, 0, type_, **more)


@pytest.mark.parametrize(
    ("words", "spec", "value"),
    [
        ([0x4366, 0x3333], point(WireType.FLOAT32), struct.unpack(">f", b"\x43\x66\x33\x33")[0]),
        ([0x3333, 0x4366], point(WireType.FLOAT32, word_order="little"), struct.unpack(">f", b"\x43\x66\x33\x33")[0]),
        ([0xFFFE], point(WireType.INT16), -2.0),
        ([0xFFFE], point(WireType.UINT16), 65534.0),
        ([2305], point(WireType.UINT16, scale=0.1), 230.5),
        ([0x8AD0, 0xFFFF], point(WireType.INT32, word_order="little", scale=0.1), -3000.0),
        ([0x0001, 0xE240], point(WireType.UINT32, scale=0.001), 123.456),
        ([0, 0x1C, 0xBE99, 0x1A14], point(WireType.INT64, scale=0.001), 123456789.012),
        ([0x405E, 0xDD2F, 0x1A9F, 0xBE77], point(WireType.FLOAT64), 123.456),
        ([25], point(WireType.INT16, scale=0.5, offset=-40.0), -27.5),
        ([1], point(WireType.BIT, Table.COIL), 1.0),
        ([0b0100], point(WireType.BIT, bit=2), 1.0),
        ([0b1011], point(WireType.BIT, bit=2), 0.0),
        ([0x8000], point(WireType.BIT, bit=15), 1.0),
        ([0xFFFF], point(WireType.UINT16, sentinels=(0xFFFF,)), None),
        ([0xFFFF, 0x7FFF], point(WireType.INT32, word_order="little", sentinels=(0x7FFFFFFF,)), None),
        ([0x8000, 0, 0, 0], point(WireType.INT64, sentinels=(1 << 63,)), None),
        ([0xFFC0, 0x0000], point(WireType.FLOAT32), None),
        ([0x7F80, 0x0000], point(WireType.FLOAT32), None),
        ([0xFF80, 0x0000], point(WireType.FLOAT32), None),
        ([0x7F7F, 0xFFFF], point(WireType.FLOAT32, scale=1e300), None),
    ],
)
def test_values_of_data_sheets(words: list[int], spec: ModbusPoint, value: float | None) -> None:
    assert decode(words, spec) == value


@pytest.mark.parametrize(
    ("value", "spec", "cause"),
    [
        (101.0, point(WireType.UINT16, maximum=100.0), "above the maximum 100"),
        (-1.0, point(WireType.UINT16, minimum=0.0), "below the minimum 0"),
        (65536.0, point(WireType.UINT16), "does not fit"),
        (-1.0, point(WireType.UINT16), "does not fit"),
        (1e39, point(WireType.FLOAT32), "does not fit"),
        (math.nan, point(WireType.FLOAT32), "no number"),
        (math.inf, point(WireType.UINT16), "no number"),
        (0.5, point(WireType.BIT, Table.COIL), "neither 0 nor 1"),
        (1.0, point(WireType.BIT, bit=3), "neighbours"),
        (65535.0, point(WireType.UINT16, sentinels=(0xFFFF,)), "no value"),
    ],
)
def test_what_does_not_fit_is_refused(value: float, spec: ModbusPoint, cause: str) -> None:
    with pytest.raises(Refused, match=cause):
        encode(value, spec)


def test_the_wrong_number_of_words_is_never_a_value() -> None:
    with pytest.raises(ValueError, match="1 words for uint32"):
        decode([1], point(WireType.UINT32))


def test_a_value_between_two_steps_goes_to_the_nearer_one() -> None:
    assert encode(59.6, point(WireType.UINT16)) == [60]
    assert encode(20.04, point(WireType.INT16, scale=0.1)) == [200]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("type_", INTEGERS)
@given(data=st.data())
def test_integers_come_back(type_: WireType, order: str, data: st.DataObject) -> None:
    number = data.draw(st.integers(*INTEGERS[type_]))
    spec = point(type_, word_order=order)
    words = encode(float(number), spec)
    assert len(words) == type_.registers
    assert all(0 <= word <= 0xFFFF for word in words)
    assert decode(words, spec) == float(number)


@pytest.mark.parametrize("order", ORDERS)
@given(number=st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_short_floats_come_back(order: str, number: float) -> None:
    spec = point(WireType.FLOAT32, word_order=order)
    assert decode(encode(number, spec), spec) == number


@pytest.mark.parametrize("order", ORDERS)
@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_long_floats_come_back(order: str, number: float) -> None:
    spec = point(WireType.FLOAT64, word_order=order)
    assert decode(encode(number, spec), spec) == number


@given(raw=st.integers(0, 65535), scale=st.sampled_from([0.1, 0.01, 0.5, 10.0, 0.0166666666666667]))
def test_scaled_registers_come_back(raw: int, scale: float) -> None:
    spec = point(WireType.UINT16, scale=scale, offset=-40.0)
    value = decode([raw], spec)
    assert value is not None
    assert encode(value, spec) == [raw]


@given(words=st.lists(st.integers(0, 0xFFFF), min_size=4, max_size=4), type_=st.sampled_from(list(WireType)))
def test_no_word_decodes_to_something_that_is_no_number(words: list[int], type_: WireType) -> None:
    spec = point(type_, bit=3 if type_ is WireType.BIT else None, scale=1.0 if type_ is WireType.BIT else 1e3)
    value = decode(words[: type_.registers], spec)
    assert value is None or math.isfinite(value)
