"""Fuzzed Modbus bytes: links and the judge of answers give the answer that lies in them, or one of their errors."""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from drivers.api import BadAnswer, Busy, DriverError, Refused
from drivers.modbus import pdu
from drivers.modbus.deadlines import Deadlines
from drivers.modbus.ends import Pace
from drivers.modbus.exchange import Link
from drivers.modbus.mbap_link import MbapLink
from drivers.modbus.pdu import Question
from drivers.modbus.rtu_link import RtuLink
from drivers.profile import Table
from tests.campaign.conftest import Show
from tests.campaign.mutation import Mutator
from tests.drivers.modbus_peer import rtu

UNIT, TRANSACTION = 7, 5
QUESTIONS = [
    pdu.read_question(Table.HOLDING, 100, 4),
    pdu.read_question(Table.INPUT, 0, 125),
    pdu.read_question(Table.COIL, 3, 19),
    pdu.read_question(Table.DISCRETE, 0, 8),
    pdu.write_question(Table.HOLDING, 100, [0x1234]),
    pdu.write_question(Table.HOLDING, 100, [1, 2, 3]),
    pdu.write_question(Table.COIL, 5, [1]),
    pdu.write_question(Table.COIL, 5, [1, 0, 1]),
]


def good_answer(question: Question) -> bytes:
    """The PDU of a proper answer."""
    function, _, count = struct.unpack_from(">BHH", question.pdu)
    if function > 4:
        return question.pdu[:5]
    size = 2 * count if function > 2 else (count + 7) // 8
    return bytes([function, size]) + bytes(i * 37 % 256 for i in range(size))


def answers(question: Question) -> list[bytes]:
    """Proper answers and refusals, those to the other questions too."""
    refusals = [bytes([question.pdu[0] | 0x80, code]) for code in (1, 2, 3, 6, 11)]
    return [good_answer(question)] * 4 + refusals + [good_answer(other) for other in QUESTIONS]


def mbap(answer: bytes, transaction: int = TRANSACTION, unit: int = UNIT) -> bytes:
    """A TCP frame."""
    return struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit) + answer


class Bench(asyncio.Transport):
    """The transport of a link that is fed by hand; what it sends goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self.sent += 1

    def abort(self) -> None:
        """Nothing to hang up."""

    def is_closing(self) -> bool:
        return False


def outcome(asking: Coroutine[Any, Any, bytes], feed: Callable[[], None]) -> bytes | DriverError | None:
    """Start a question, feed what comes, and look: a PDU, an error, or None while it waits for more."""
    asking.send(None)
    feed()
    try:
        asking.send(None)
    except StopIteration as settled:
        return bytes(settled.value)
    except DriverError as error:
        return error
    except RuntimeError:  # awaited again before it was done
        return None
    finally:
        asking.close()
    return None


def feed_mbap(link: MbapLink, pieces: Sequence[bytes]) -> None:
    """As the loop would: into the link's own buffer, as much as has room."""
    for piece in pieces:
        rest = memoryview(piece)
        while rest and link.usable:
            room = link.get_buffer(-1)
            assert len(room) > 0, "no room for more"
            size = min(len(room), len(rest))
            room[:size] = rest[:size]
            link.buffer_updated(size)
            rest = rest[size:]


def feed_rtu(link: RtuLink, pieces: Sequence[bytes]) -> None:
    """As the loop would."""
    for piece in pieces:
        link.data_received(piece)


def new_mbap(deadlines: Deadlines) -> MbapLink:
    link = MbapLink(deadlines, itertools.count(TRANSACTION - 1))
    link.connection_made(Bench())
    return link


def new_rtu() -> RtuLink:
    link = RtuLink(1.0, Pace(19200, "E", 1))
    link.connection_made(Bench())
    return link


def tally_of(counts: dict[str, int], found: bytes | DriverError | None) -> None:
    name = "waiting" if found is None else "answers" if isinstance(found, bytes) else type(found).__name__
    counts[name] = counts.get(name, 0) + 1


async def fuzz_mbap(count: int, seed: int) -> str:
    """Whatever is accepted stands in the bytes as a whole frame of this transaction and unit."""
    counts: dict[str, int] = {}
    deadlines = Deadlines(60.0)
    for question, share in zip(QUESTIONS, range(len(QUESTIONS)), strict=True):
        frames = [mbap(answer) for answer in answers(question)]
        frames += [mbap(good_answer(question), TRANSACTION - 1) + frames[0], frames[0] * 2, frames[0] * 30]
        mutator = Mutator(seed + share, frames)
        for _ in range(count // len(QUESTIONS)):
            link, pieces = new_mbap(deadlines), mutator.pieces(mutator.one())
            found = outcome(asking(link, question), lambda: feed_mbap(link, pieces))  # noqa: B023  (called at once)
            if isinstance(found, bytes):
                assert mbap(found) in b"".join(pieces), (found, pieces)
            tally_of(counts, found)
    return f"modbus mbap: {count} fuzzed, {counts}, 0 crashes"


async def fuzz_rtu(count: int, seed: int) -> str:
    """Whatever is accepted stands in the bytes as a whole frame of this unit and function with its checksum."""
    counts: dict[str, int] = {}
    for question, share in zip(QUESTIONS, range(len(QUESTIONS)), strict=True):
        frames = [rtu(UNIT, answer) for answer in answers(question)]
        frames += [rtu(UNIT + 1, good_answer(question)) + frames[0], b"\xff\x00\x07" + frames[0], frames[0] * 3]
        mutator = Mutator(seed + share, frames)
        link = new_rtu()
        for _ in range(count // len(QUESTIONS)):
            pieces = mutator.pieces(mutator.one())
            found = outcome(asking(link, question), lambda: feed_rtu(link, pieces))  # noqa: B023
            if isinstance(found, bytes):
                assert found[0] & 0x7F == question.pdu[0]
                assert rtu(UNIT, found) in b"".join(pieces), (found, pieces)
            tally_of(counts, found)
    return f"modbus rtu: {count} fuzzed, {counts}, 0 crashes"


def asking(link: Link, question: Question) -> Coroutine[Any, Any, bytes]:
    """The question as a coroutine to be driven by hand."""

    async def ask() -> bytes:
        return await link.ask(UNIT, question)

    return ask()


def fuzz_judge(count: int, seed: int) -> str:
    """An answer passes when its function, byte count and length are the question's, and its words are its bytes."""
    counts: dict[str, int] = {}
    for question, share in zip(QUESTIONS, range(len(QUESTIONS)), strict=True):
        proper, function = good_answer(question), question.pdu[0]
        for answer in Mutator(seed + share, answers(question)).messages(count // len(QUESTIONS)):
            try:
                pdu.check(question, answer)
            except (Refused, Busy) as error:
                assert answer[0] == function | 0x80, answer
                assert len(answer) == 2, answer
                tally_of(counts, error)
                continue
            except BadAnswer as error:
                assert answer != proper
                tally_of(counts, error)
                continue
            tally_of(counts, answer)
            if function > 4:
                assert answer == proper
            else:
                assert (answer[:2], len(answer)) == (proper[:2], len(proper))
                assert repacked(question, pdu.words(question, answer)) == relevant(question, answer)
    return f"modbus judge: {count} fuzzed, {counts}, 0 crashes"


def repacked(question: Question, words: Sequence[int]) -> bytes:
    """Words as they would travel."""
    if question.pdu[0] > 2:
        return struct.pack(f">{len(words)}H", *words)
    assert set(words) <= {0, 1}
    return sum(bit << i for i, bit in enumerate(words)).to_bytes((len(words) + 7) // 8, "little")


def relevant(question: Question, answer: bytes) -> bytes:
    """The values in ``answer``, without the bits that fill its last byte."""
    count = int.from_bytes(question.pdu[3:5], "big")
    if question.pdu[0] > 2:
        return answer[2:]
    return (int.from_bytes(answer[2:], "little") & (1 << count) - 1).to_bytes(len(answer) - 2, "little")


async def test_fuzzed_tcp_streams() -> None:
    assert "answers" in await fuzz_mbap(20_000, seed=1)


async def test_fuzzed_serial_bytes() -> None:
    assert "answers" in await fuzz_rtu(20_000, seed=1)


def test_fuzzed_answers() -> None:
    assert "answers" in fuzz_judge(20_000, seed=1)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_million_fuzzed_tcp_streams(show: Show) -> None:
    show(await fuzz_mbap(1_000_000, seed=2))


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_million_fuzzed_serial_bytes(show: Show) -> None:
    show(await fuzz_rtu(1_000_000, seed=2))


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_million_fuzzed_answers(show: Show) -> None:
    show(fuzz_judge(1_000_000, seed=2))
