"""Answers that are none: about another object, cut off, garbled. None is ever a value, and each is told at once."""

from __future__ import annotations

import time

import pytest

from drivers.api import BadAnswer, Retryable
from drivers.profile import BacnetPoint
from tests.drivers.bacnet_readings import read, shown
from tests.drivers.bacnet_station import (
    NORMAL,
    Frame,
    datagram,
    no_such_service,
    object_octets,
    one_ack,
    read_ack,
    real,
    scripted,
)

TEMPERATURE = BacnetPoint("zone.1.temperature", "analog-input,1")


async def test_an_answer_about_another_object_is_never_a_value() -> None:
    def foreign(frame: Frame) -> list[bytes]:
        if frame.service == 14:
            return [no_such_service(frame)]
        return [read_ack(frame, object_octets(0, 222), 85, real(99.0))]

    async with scripted([TEMPERATURE], foreign) as (driver, _):
        with pytest.raises(BadAnswer, match="asked for analog-input,1 present-value, answered analog-input,222"):
            await read(driver)


AI_1 = b"\x0c" + object_octets(0, 1)
VALUE = b"\x4e" + real(99.0) + b"\x4f"
FLAGS = b"\x29\x6f\x4e" + NORMAL + b"\x4f"
GARBLED = {
    "another object": b"\x0c" + object_octets(0, 222) + b"\x1e\x29\x55" + VALUE + FLAGS + b"\x1f",
    "another property": AI_1 + b"\x1e\x29\x4d" + VALUE + FLAGS + b"\x1f",
    "property left out": AI_1 + b"\x1e\x29\x55" + VALUE + b"\x1f",
    "one too many": AI_1 + b"\x1e\x29\x55" + VALUE + FLAGS + b"\x29\x57" + VALUE + b"\x1f",
    "an element instead of the whole": AI_1 + b"\x1e\x29\x55\x39\x01" + VALUE + FLAGS + b"\x1f",
    "twice": AI_1 + b"\x1e\x29\x55" + VALUE + b"\x29\x55" + VALUE + FLAGS + b"\x1f",
    "nothing": b"",
    "cut off": b"\x0c\x00\x00",
    "not closed": AI_1 + b"\x1e\x29\x55" + VALUE + FLAGS[:-1],
    "cut off in the value": AI_1 + b"\x1e\x29\x55\x4e\x44\x41",
}


@pytest.mark.parametrize("cut", [1, 2, 5, 6])
async def test_an_answer_that_was_cut_off_is_no_value(cut: int) -> None:
    """Its last octets are missing and every length is corrected: the library does not miss the closing bracket."""

    def short(frame: Frame) -> list[bytes]:
        return [no_such_service(frame) if frame.service == 14 else datagram(one_ack(frame, real(21.0))[6:-cut])]

    async with scripted([TEMPERATURE], short, timeout_s=5.0) as (driver, _):
        with pytest.raises(BadAnswer):
            await read(driver)


@pytest.mark.parametrize("body", list(GARBLED.values()), ids=list(GARBLED))
async def test_garbled_answers_are_told_at_once(body: bytes) -> None:
    def garbled(frame: Frame) -> list[bytes]:
        return [datagram(bytes([0x30, frame.invoke_id, 14]) + body)]

    async with scripted([TEMPERATURE], garbled, timeout_s=5.0) as (driver, _):
        started = time.monotonic()
        with pytest.raises(BadAnswer):
            await read(driver)
        assert time.monotonic() - started < 1.0, "not after a deadline"


GARBAGE = [
    b"",
    b"\x81",
    b"\x81\x0a\x00\x04",
    b"\x81\x0a\x00\x08\x01\x00\x30\x01",
    b"\x81\x0a\x00\x07\x01\x00\xf0",
    b"\xff" * 40,
]


async def test_garbage_is_a_silence_and_a_value_after_it_counts() -> None:
    silent = True

    def noisy(frame: Frame) -> list[bytes]:
        return GARBAGE if silent else [*GARBAGE, one_ack(frame, real(21.0))]

    async with scripted([TEMPERATURE], noisy, timeout_s=0.1, retries=0) as (driver, _):
        with pytest.raises(Retryable):
            await read(driver)
        silent = False
        assert shown(await read(driver)) == [21.0]
