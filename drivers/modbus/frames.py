"""Frames around a PDU: the MBAP header of Modbus TCP and the unit and checksum of RTU. Pure.

Sources: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3; MODBUS over Serial Line V1.02, 2.5.1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from drivers.modbus.identification import FUNCTION as IDENTIFY
from drivers.modbus.identification import identification_length

MBAP = struct.Struct(">HHHB")
"""Transaction, protocol (0), length of what follows, unit."""
SHORTEST_LENGTH, LONGEST_LENGTH = 2, 254
"""What the length field may say: unit and PDU."""
LONGEST_RTU = 256
_CHECK = 2


def mbap_frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """One TCP frame."""
    return MBAP.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """One serial frame."""
    frame = bytes((unit,)) + pdu
    return frame + crc16(frame).to_bytes(2, "little")


def rtu_answer(received: bytes | bytearray, unit: int, function: int) -> bytes | None:
    """The PDU of the first sound frame of ``unit`` to ``function`` in ``received``, None while there is none.

    What else lies there, noise or another unit's late answer, is passed over: the checksum tells.
    """
    at = received.find(unit)
    while at >= 0:
        size = _answer_size(received[at + 1 :], function)
        end = at + 1 + (size or 0) + _CHECK
        if size is not None and end <= len(received) and crc16(received[at:end]) == 0:
            return bytes(received[at + 1 : end - _CHECK])
        at = received.find(unit, at + 1)
    return None


def crc16(frame: bytes | bytearray) -> int:
    """The checksum of a serial frame; 0 over a sound frame with its own, which travels low byte first."""
    crc = 0xFFFF
    for byte in frame:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc


def _answer_size(start: bytes | bytearray, function: int) -> int | None:
    """How long the PDU is that begins like this, by its own account; None while that is unknown or it is another's."""
    if len(start) < 2:
        return None
    if start[0] == function | 0x80:
        return 2
    if start[0] != function:
        return None
    if function == IDENTIFY:
        return identification_length(start)
    return 2 + start[1] if function <= 4 else 5


def _remainders() -> Iterator[int]:
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
        yield crc


_CRC = tuple(_remainders())
