"""Registers without a map: what each may be."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.peek import Decoding, Span, decodings, guess, mains, span, text, texts
from drivers.profile import Table, WireType


def words(raw: bytes) -> dict[int, int]:
    return dict(enumerate(struct.unpack(f">{len(raw) // 2}H", raw)))


def by_name(found: tuple[Decoding, ...]) -> dict[str, Decoding]:
    return {one.name: one for one in found}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("holding:0x0..0x20", Span(Table.HOLDING, 0, 32)),
        ("input:52", Span(Table.INPUT, 52, 52)),
        ("COIL:0..15", Span(Table.COIL, 0, 15)),
    ],
)
def test_a_span(written: str, expected: Span) -> None:
    assert span(written) == expected


@pytest.mark.parametrize(
    "written", ["", "holding", "holding:", "registers:0..4", "holding:5..4", "input:0..65536", "input:0..1000"]
)  # fmt: skip
def test_what_is_no_span(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        span(written)


def test_a_float_in_either_word_order_is_found() -> None:
    big = by_name(decodings(words(struct.pack(">f", 231.4)), 0))
    assert big["float32 big"].value == pytest.approx(231.4)
    assert big["float32 big"].likely
    assert not big["float32 little"].likely
    high, low = struct.unpack(">HH", struct.pack(">f", 231.4))
    little = by_name(decodings({0: low, 1: high}, 0))
    assert little["float32 little"].likely
    assert little["float32 little"].value == pytest.approx(231.4)
    assert guess(tuple(big.values())) == guess(tuple(little.values())) == "231.4 V?"


def test_whole_numbers_are_told_from_floats() -> None:
    count = by_name(decodings(words(struct.pack(">i", 123_456)), 0))
    assert count["int32 big"].likely
    assert count["uint32 big"].likely
    assert not count["float32 big"].likely
    negative = by_name(decodings(words(struct.pack(">i", -5)), 0))
    assert (negative["int32 big"].value, negative["int32 big"].likely) == (-5.0, True)
    assert not negative["uint32 big"].likely


def test_sixty_four_bits_when_asked() -> None:
    raw = words(struct.pack(">q", 987_654_321_000))
    assert {one.type.registers for one in decodings(raw, 0)} == {1, 2}
    wide = by_name(decodings(raw, 0, wide=True))
    assert wide["int64 big"].value == 987_654_321_000.0
    assert len(by_name(decodings(raw, 1, wide=True))) == 8, "no value reaches beyond what was read"


@pytest.mark.parametrize(
    ("value", "whole", "expected"),
    [
        (2304.0, True, "230.4 V?"), (4998.0, True, "49.98 Hz?"), (50.01, False, "50.01 Hz?"), (230.0, True, "230 V?"),
        (2304.0, False, ""), (17.0, True, ""),
    ],
)  # fmt: skip
def test_what_may_be_of_the_mains(value: float, whole: bool, expected: str) -> None:
    assert mains(value, whole=whole) == expected


def test_text_in_registers() -> None:
    raw = words(b"\x00\x01SDM630\x00\x00\xff\xffV2.1")
    assert list(texts(raw)) == [(1, "SDM630")]
    assert list(texts(raw, shortest=4)) == [(1, "SDM630"), (6, "V2.1")]
    assert text([0x5344, 0x4D00]) == "SDM."
    assert list(texts({})) == []


@given(st.dictionaries(st.integers(0, 40), st.integers(0, 0xFFFF)), st.integers(0, 40))
def test_any_registers_can_be_looked_at(raw: dict[int, int], address: int) -> None:
    found = decodings(raw, address, wide=True)
    assert all(address + i in raw for one in found for i in range(one.type.registers))
    assert {one.type for one in found if one.type.registers == 1} == (
        {WireType.UINT16, WireType.INT16} if address in raw else set()
    )
    guess(found)
    assert all(at in raw and len(said) >= 6 for at, said in texts(raw))
