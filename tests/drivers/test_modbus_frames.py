"""Our frames and questions against pymodbus' framers and PDUs, the reference."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadCoilsResponse,
    ReadDiscreteInputsRequest,
    ReadDiscreteInputsResponse,
    WriteMultipleCoilsRequest,
    WriteMultipleCoilsResponse,
    WriteSingleCoilRequest,
    WriteSingleCoilResponse,
)
from pymodbus.pdu.mei_message import ReadDeviceInformationRequest
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersRequest,
    ReadInputRegistersResponse,
    WriteMultipleRegistersRequest,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterRequest,
    WriteSingleRegisterResponse,
)

from drivers.api import BadAnswer, Busy, Refused
from drivers.modbus import pdu
from drivers.modbus.deadlines import Deadlines
from drivers.modbus.ends import Pace
from drivers.modbus.exchange import Link
from drivers.modbus.frames import crc16, mbap_frame, rtu_answer, rtu_frame
from drivers.modbus.identification import identification_question
from drivers.modbus.mbap_link import MbapLink
from drivers.modbus.rtu_link import RtuLink
from drivers.profile import Table

READS: dict[Table, tuple[type[ModbusPDU], type[ModbusPDU]]] = {
    Table.COIL: (ReadCoilsRequest, ReadCoilsResponse),
    Table.DISCRETE: (ReadDiscreteInputsRequest, ReadDiscreteInputsResponse),
    Table.HOLDING: (ReadHoldingRegistersRequest, ReadHoldingRegistersResponse),
    Table.INPUT: (ReadInputRegistersRequest, ReadInputRegistersResponse),
}
BITS = (Table.COIL, Table.DISCRETE)
units = st.integers(0, 255)
addresses = st.integers(0, 0xFFFF)


def whole(theirs: ModbusPDU) -> bytes:
    return bytes((theirs.function_code,)) + theirs.encode()


@given(table=st.sampled_from(list(Table)), address=st.integers(0, 65000), data=st.data())
def test_reads_and_their_answers(table: Table, address: int, data: st.DataObject) -> None:
    asks, answers = READS[table]
    word = st.integers(0, 1 if table in BITS else 0xFFFF)
    held = data.draw(st.lists(word, min_size=1, max_size=500 if table in BITS else 125))
    question = pdu.read_question(table, address, len(held))
    assert question.pdu == whole(asks(address=address, count=len(held)))
    answer = whole(answers(bits=[bool(b) for b in held]) if table in BITS else answers(registers=held))
    pdu.check(question, answer)
    assert pdu.words(question, answer) == held


def _written(table: Table, address: int, words: Sequence[int]) -> tuple[ModbusPDU, ModbusPDU]:
    """Their request and their acknowledgement."""
    if table is Table.COIL:
        bits, count = [bool(word) for word in words], len(words)
        if count == 1:
            return WriteSingleCoilRequest(address=address, bits=bits), WriteSingleCoilResponse(
                address=address, bits=bits
            )
        return WriteMultipleCoilsRequest(address=address, bits=bits), WriteMultipleCoilsResponse(
            address=address, count=count
        )
    registers, count = list(words), len(words)
    if count == 1:
        return WriteSingleRegisterRequest(address=address, registers=registers), WriteSingleRegisterResponse(
            address=address, registers=registers
        )
    return WriteMultipleRegistersRequest(address=address, registers=registers), WriteMultipleRegistersResponse(
        address=address, count=count
    )


@given(table=st.sampled_from([Table.COIL, Table.HOLDING]), address=st.integers(0, 65000), data=st.data())
def test_writes_and_their_acknowledgements(table: Table, address: int, data: st.DataObject) -> None:
    word = st.integers(0, 1 if table is Table.COIL else 0xFFFF)
    words = data.draw(st.lists(word, min_size=1, max_size=123))
    request, acknowledgement = _written(table, address, words)
    question = pdu.write_question(table, address, words)
    assert question.pdu == whole(request)
    pdu.check(question, whole(acknowledgement))


@given(code=st.integers(1, 4), first=st.integers(0, 255))
def test_identification(code: int, first: int) -> None:
    theirs = ReadDeviceInformationRequest(read_code=code, object_id=first)
    assert identification_question(code, first).pdu == whole(theirs)


@given(unit=units, transaction=addresses, body=st.binary(min_size=1, max_size=253))
def test_frames(unit: int, transaction: int, body: bytes) -> None:
    decoder = DecodePDU(False)
    assert mbap_frame(transaction, unit, body) == FramerSocket(decoder).encode(body, unit, transaction)
    frame = rtu_frame(unit, body)
    assert frame == FramerRTU(decoder).encode(body, unit, 0)
    assert crc16(frame) == 0


@given(
    unit=units,
    words=st.lists(addresses, min_size=1, max_size=125),
    noise=st.binary(max_size=20),
    cut=st.integers(0, 400),
)
def test_an_rtu_answer_is_found_whole_or_not_at_all(unit: int, words: list[int], noise: bytes, cut: int) -> None:
    answer = struct.pack(f">BB{len(words)}H", 3, 2 * len(words), *words)
    received = noise + rtu_frame(unit, answer)
    assert rtu_answer(received, unit, 3) == answer
    if cut < len(received):
        assert rtu_answer(received[:cut], unit, 3) is None
        broken = bytearray(received)
        broken[max(cut, len(noise))] ^= 0x10
        assert rtu_answer(broken, unit, 3) != answer


@pytest.mark.parametrize("kind", ["mbap", "rtu"])
@given(
    pieces=st.lists(
        st.one_of(st.binary(min_size=1, max_size=300), st.just(b"\x00\x00\x00\x00\x00\x04\x01\x83")), max_size=6
    )
)
async def test_no_bytes_from_the_wire_break_the_link(kind: str, pieces: list[bytes]) -> None:
    """What comes without a request changes nothing, and nothing but an error of ours ever comes out."""
    link: Link
    if kind == "mbap":
        link = MbapLink(Deadlines(0.1), count())
        for piece in pieces:
            link.get_buffer(-1)[: len(piece)] = piece
            link.buffer_updated(len(piece))
        assert link.leftover <= 260
    else:
        link = RtuLink(0.1, Pace(9600, "E", 1))
        for piece in pieces:
            link.data_received(piece)
        assert link.leftover == 0
    link.close()


@given(answer=st.binary(max_size=260))
def test_what_fits_no_question_is_refused_by_name(answer: bytes) -> None:
    question = identification_question(2, 0)
    with contextlib.suppress(BadAnswer, Busy, Refused):
        pdu.check(question, answer)
        assert answer.startswith(b"\x2b\x0e")
