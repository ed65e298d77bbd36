"""What a device says of itself, in one answer or in several, on every framing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.pdu.mei_message import ReadDeviceInformationResponse

from drivers.api import BadAnswer, Refused
from drivers.modbus.client import Client
from drivers.modbus.identification import identification_length, identification_part
from drivers.modbus.link import SerialEnd, TcpEnd
from tests.drivers.modbus_peer import Asked, Say, mbap, rtu, rtu_peer, tcp_peer

TIMEOUT_S = 0.5
VENDOR = {0: "Éclairage SA", 1: "EC-8", 2: "2.1", 5: "cabinet " * 20}


def part(code: int, objects: dict[int, str], follows: int | None = None) -> bytes:
    body = b"".join(bytes((n, len(t.encode()))) + t.encode() for n, t in objects.items())
    return bytes((43, 14, code, 0x82, 0 if follows is None else 0xFF, follows or 0, len(objects))) + body


def in_two(pdu: bytes) -> bytes:
    if pdu[3] == 0:
        return part(pdu[2], {n: VENDOR[n] for n in (0, 1)}, follows=2)
    return part(pdu[2], {n: VENDOR[n] for n in (2, 5)})


def only_basic(pdu: bytes) -> bytes:
    return part(1, {0: "V"}) if pdu[2] == 1 else bytes((0xAB, 3))


def of_its_own_level(pdu: bytes) -> bytes:
    return part(1, {0: "V"})


def says(answer: Callable[[bytes], bytes]) -> Callable[[Asked], Sequence[Say]]:
    return lambda asked: [Say(mbap(asked, answer(asked.pdu)))]


async def test_over_tcp_in_two_parts() -> None:
    async with tcp_peer(says(in_two)) as peer:
        client = Client(TcpEnd("127.0.0.1", peer.port), TIMEOUT_S, 0)
        assert await client.identify(1) == {**VENDOR, 5: VENDOR[5].strip()}
        await client.close()


async def test_over_a_serial_line_in_two_parts_and_in_pieces() -> None:
    def pieces(asked: Asked) -> Sequence[Say]:
        frame = rtu(asked.unit, in_two(asked.pdu))
        return [Say(frame[:5]), Say(frame[5:9], 0.005), Say(frame[9:], 0.01)]

    async with rtu_peer(pieces) as peer:
        client = Client(SerialEnd(peer.path, 9600, "E", 1), TIMEOUT_S, 0)
        assert await client.identify(1) == {**VENDOR, 5: VENDOR[5].strip()}
        await client.close()


async def test_a_device_with_the_basic_objects_only() -> None:
    async with tcp_peer(says(only_basic)) as peer:
        client = Client(TcpEnd("127.0.0.1", peer.port), TIMEOUT_S, 0)
        assert await client.identify(1) == {0: "V"}
        peer.script = says(of_its_own_level)
        assert await client.identify(1) == {0: "V"}
        peer.script = says(lambda pdu: bytes((0xAB, 1)))
        with pytest.raises(Refused, match="illegal function"):
            await client.identify(1)
        await client.close()


@pytest.mark.parametrize(
    "answer",
    [
        lambda pdu: part(pdu[2], {0: "again"}, follows=0),
        lambda pdu: part(pdu[2], {}, follows=pdu[3]),
        lambda pdu: part(pdu[2], {0: "V"})[:-1],
        lambda pdu: part(pdu[2], {0: "V"}) + b"\x00",
        lambda pdu: b"\x2b\x0d",
    ],
    ids=["for ever", "empty for ever", "cut", "longer", "other kind"],
)
async def test_an_identification_that_is_none(answer: Callable[[bytes], bytes]) -> None:
    async with tcp_peer(says(answer)) as peer:
        client = Client(TcpEnd("127.0.0.1", peer.port), TIMEOUT_S, 0)
        with pytest.raises(BadAnswer):
            await client.identify(1)
        await client.close()


@given(
    objects=st.dictionaries(
        st.integers(0, 6), st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30), min_size=1
    )
)
def test_answers_are_those_of_pymodbus(objects: dict[int, str]) -> None:
    theirs = ReadDeviceInformationResponse(read_code=2, information={n: t.encode() for n, t in sorted(objects.items())})
    answer = b"\x2b" + theirs.encode()
    assert identification_length(answer) == len(answer)
    assert identification_part(answer).objects == objects


@given(start=st.binary(max_size=60))
def test_no_bytes_break_it(start: bytes) -> None:
    try:
        identification_part(start)
    except BadAnswer:
        return
    assert identification_length(start) == len(start)
