"""Answers late, swapped, doubled, short or spoilt, by the thousand: none is ever taken for a value it is not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import count

import pytest

from drivers.api import DriverError
from drivers.modbus import pdu
from drivers.modbus.client import Client
from drivers.modbus.deadlines import Deadlines
from drivers.modbus.ends import Pace, TcpEnd
from drivers.modbus.frames import mbap_frame, rtu_answer, rtu_frame
from drivers.modbus.mbap_link import MbapLink
from drivers.profile import Table
from tests.drivers.modbus_peer import Asked, Say, mbap, rtu, tcp_peer

COUNT = 3


def held(address: int) -> list[int]:
    """What lies in the registers: each tells its own address."""
    return [(address + i) * 7 & 0xFFFF for i in range(COUNT)]


def proper(asked: Asked) -> bytes:
    return bytes((asked.pdu[0], 2 * COUNT)) + b"".join(w.to_bytes(2, "big") for w in held(asked.address))


class Unruly:
    """Answers each request in one of many ways; the earlier answers come again whenever it pleases."""

    def __init__(self, seed: int, framing: str) -> None:
        self.random = random.Random(seed)
        self.frame = mbap if framing == "mbap" else lambda asked, answer: rtu(asked.unit, answer)
        self.earlier: list[bytes] = []
        self.doubles = framing == "mbap"

    def __call__(self, asked: Asked) -> Sequence[Say]:
        answer = proper(asked)
        good = self.frame(asked, answer)
        old = self.random.choice(self.earlier) if self.earlier and self.doubles else b""
        self.earlier = [*self.earlier[-50:], good]
        ways = [
            good,
            good,
            old + good,
            good + (good if self.doubles else b""),
            old + old + good + old,
            self.frame(asked, answer[:-2]),
            self.frame(asked, bytes((answer[0], answer[1] - 2)) + answer[2:-2]),
            self.frame(asked, bytes((answer[0] ^ 7,)) + answer[1:]),
            self.frame(Asked(asked.unit ^ 3, asked.pdu, asked.transaction), answer),
            self.frame(asked, bytes((answer[0] | 0x80, self.random.randrange(256)))),
            old if self.doubles else b"",
            good[: self.random.randrange(len(good))],
            self.random.randbytes(self.random.randrange(1, 40)),
        ]
        weights = [40, 10, 10, 10, 10, 1, 1, 1, 1, 5, 0.1, 0.1, 1]
        return [Say(raw) for raw in self.random.choices(ways, weights) if raw]


async def unruly(requests: int, framing: str) -> tuple[int, int]:
    """Ask so often; how many answers were values, how many errors. Fails on a wrong value."""
    seen = errors = 0
    choose = random.Random(requests)
    async with tcp_peer(Unruly(requests, framing), framing=framing) as peer:
        pace = Pace(115_200, "N", 1) if framing == "rtu" else None
        client = Client(TcpEnd("127.0.0.1", peer.port, pace), 0.05, 0)
        for _ in range(requests):
            address, table = choose.randrange(9000), choose.choice([Table.HOLDING, Table.INPUT])
            try:
                words = await client.read(choose.randrange(1, 9), table, address, COUNT)
            except DriverError:
                errors += 1
            else:
                assert words == held(address)
                seen += 1
        await client.close()
    return seen, errors


@pytest.mark.parametrize(("framing", "requests"), [("mbap", 2000), ("rtu", 100)])
async def test_no_wrong_value_is_accepted(framing: str, requests: int) -> None:
    seen, errors = await unruly(requests, framing)
    assert seen > requests / 2
    assert errors > requests / 50


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("framing", "requests"), [("mbap", 100_000), ("rtu", 10_000)])
async def test_no_wrong_value_is_accepted_in_a_hundred_thousand(framing: str, requests: int) -> None:
    seen, _ = await unruly(requests, framing)
    assert seen > requests / 2


async def fuzzed(frames: int) -> int:
    """Feed so many spoilt frames to both parsers; how many sound ones came through. Fails on a wrong one."""
    chance, through = random.Random(frames), 0
    question = pdu.read_question(Table.HOLDING, 7, COUNT)
    answer = proper(Asked(1, question.pdu))
    tcp, serial = mbap_frame(1, 1, answer), rtu_frame(1, answer)
    for _ in range(frames):
        link, spoilt = MbapLink(Deadlines(1.0), count()), bytearray(tcp)
        for _ in range(chance.randrange(3)):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        spoilt = spoilt[: chance.randrange(1, len(spoilt) + 8)]
        link.get_buffer(-1)[: len(spoilt)] = spoilt
        link.buffer_updated(len(spoilt))
        line = bytearray(serial)
        line[chance.randrange(len(line))] ^= 1 << chance.randrange(8)
        found = rtu_answer(line[chance.randrange(2) :], 1, 3)
        assert found is None or found != answer
        through += rtu_answer(chance.randbytes(chance.randrange(12)) + serial, 1, 3) == answer
    return through


async def test_spoilt_frames_break_no_parser() -> None:
    assert await fuzzed(3000) == 3000


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_a_million_spoilt_frames_break_no_parser() -> None:
    assert await fuzzed(1_000_000) == 1_000_000
