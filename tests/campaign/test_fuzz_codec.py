"""Any words in any type: a finite number or none, and a whole number writes back as the words that it was read from."""

from __future__ import annotations

import math
import random
import struct
from dataclasses import replace

import pytest

from drivers.api import Refused
from drivers.modbus.codec import decode, encode
from drivers.modbus.decoding import decoder
from drivers.modbus.polling import plan
from drivers.profile import ModbusLimits, ModbusPoint, Table, WireType
from tests.campaign.conftest import Show

FLOATS = {WireType.FLOAT32, WireType.FLOAT64}
ODD = (0x0000, 0x0001, 0x7F80, 0x7F7F, 0x7FC0, 0x7FF0, 0x7FFF, 0x8000, 0xFF80, 0xFFF0, 0xFFFE, 0xFFFF)
PLAIN = [
    ModbusPoint("p", Table.HOLDING, 0, kind, word_order=order, bit=5 if kind is WireType.BIT else None)
    for kind in WireType
    for order in ("big", "little")
]
SCALED = [replace(point, scale=scale, offset=-10.0) for point in PLAIN for scale in (0.1, 1e-3, 1e300)]
MARKED = [replace(point, sentinels=(0xFFFF, 0x7FFF, 0xFFFFFFFF, 0x7FC00000, 0x7FFFFFFFFFFFFFFF)) for point in PLAIN]


def fuzz(count: int, seed: int) -> str:
    """So many decodings; the figures."""
    rng, points, none = random.Random(seed), [*PLAIN, *SCALED, *MARKED], 0
    for number in range(count):
        point = points[number % len(points)]
        words = [
            ODD[int(rng.random() * len(ODD))] if rng.random() < 0.4 else int(rng.random() * 65536)
            for _ in range(point.type.registers)
        ]
        value = decode(words, point)
        if value is None:
            none += 1
            continue
        assert isinstance(value, float)
        assert math.isfinite(value), (point, words)
        if point.scale == 1.0 and point.type not in FLOATS | {WireType.BIT} and point.type.registers < 4:
            assert encode(value, point) == words, (point, words)
        elif point.type is not WireType.BIT:
            writes_or_refuses(value, point)
    return f"modbus codec: {count} fuzzed, {none} of them no value, 0 crashes"


def writes_or_refuses(value: float, point: ModbusPoint) -> None:
    """Whatever was read can be given to ``encode``."""
    try:
        encoded = encode(value, point)
    except Refused:
        return
    assert len(encoded) == point.type.registers
    assert all(0 <= word <= 0xFFFF for word in encoded)


def fuzz_decoders(count: int, seed: int) -> str:
    """The compiled decoder of a request gives what ``decode`` gives, whatever the registers hold."""
    rng, done = random.Random(seed), 0
    kinds = [*PLAIN, *SCALED, *MARKED]
    while done < count:
        points = [
            replace(rng.choice(kinds), name=f"p{n}", address=rng.randrange(40)) for n in range(rng.randint(1, 12))
        ]
        for request in plan(points, ModbusLimits()):
            values = decoder(request)
            for _ in range(50):
                words = [rng.choice(ODD) if rng.random() < 0.4 else rng.randrange(65536) for _ in range(request.count)]
                answer = bytes([3, 2 * request.count]) + struct.pack(f">{request.count}H", *words)
                expected = [decode(request.words_of(point, words), point) for point in request.points]
                assert values(answer) == expected, (request, words)
                done += len(expected)
    return f"modbus compiled decoders: {done} values, all as by the codec, 0 crashes"


def test_compiled_decoders() -> None:
    fuzz_decoders(20_000, seed=1)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_million_values_of_compiled_decoders(show: Show) -> None:
    show(fuzz_decoders(1_000_000, seed=2))


def test_fuzzed_words() -> None:
    fuzz(20_000, seed=1)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_million_fuzzed_words(show: Show) -> None:
    show(fuzz(1_000_000, seed=2))
