"""Swapped, late, doubled and foreign answers by the thousand: none of them becomes a value."""

from __future__ import annotations

import random
from dataclasses import replace
from time import monotonic

import pytest

from drivers.api import DriverError, Fault, Reading
from drivers.bacnet.settings import BacnetDevice
from drivers.profile import BacnetPoint
from tests.drivers.bacnet_station import (
    Frame,
    bus,
    datagram,
    device,
    many_ack,
    object_octets,
    read_ack,
    real,
    running,
    scripted,
)
from tests.ports import free_port

POINTS = [BacnetPoint(f"t{n}", f"analog-input,{n}", every_s=1.0 + n % 2) for n in range(1, 7)]
WRONG = -40.0


class Liar:
    """Sends some wrong answers before each right one; every wrong one carries WRONG and would pass for an answer."""

    def __init__(self, seed: int, lies: int) -> None:
        self.dice = random.Random(seed)
        self.lies = lies
        self.told = 0
        self.before: list[bytes] = []

    def __call__(self, frame: Frame) -> list[bytes]:
        """Answers to other questions, answers of another time, then the truth."""
        wrong = [self._lie(frame) for _ in range(self.lies)]
        self.told += len(wrong)
        self.before = [*self.before[-20:], many_ack(frame, real(WRONG))]
        return [*wrong, many_ack(frame, real(21.0))]

    def _lie(self, frame: Frame) -> bytes:
        kind = self.dice.randrange(5)
        other = Frame(
            b"\x00" * 6 + bytes([0, 5, (frame.invoke_id + self.dice.randrange(1, 256)) % 256, 14]) + frame.body
        )
        if kind == 0:
            return many_ack(other, real(WRONG))  # the right content to another request
        if kind == 1 and self.before:
            late = bytearray(self.dice.choice(self.before))
            if late[7] != frame.invoke_id:
                return bytes(late)  # what was asked for earlier
        if kind == 2:
            return read_ack(other, object_octets(0, self.dice.randrange(1, 7)), 85, real(WRONG))
        if kind == 3:
            return datagram(bytes([0x20, other.invoke_id, 14]))
        return many_ack(other, real(WRONG))[:-1]


def only_truth(observations: object) -> int:
    """How many values; all of them true."""
    assert isinstance(observations, list)
    for observation in observations:
        assert isinstance(observation, (Reading, Fault))
        assert not isinstance(observation, Reading) or observation.value == 21.0
    return len(observations)


async def lied_to(reads: int, lies: int) -> tuple[int, int]:
    """Lies told, values taken."""
    liar = Liar(7, lies)
    taken = 0
    async with scripted(POINTS, liar, timeout_s=0.2, retries=0) as (driver, _):
        for n in range(reads):
            taken += only_truth(await driver.read(driver.polls["school"][n % 2]))
    return liar.told, taken


async def test_two_thousand_lies_are_not_believed() -> None:
    assert await lied_to(200, 10) == (2000, 600)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_a_hundred_thousand_lies_are_not_believed() -> None:
    told, taken = await lied_to(5000, 20)
    assert told == 100_000
    assert taken == 15_000


async def swapped(rounds: int) -> int:
    """Answers under the right invoke id that are about something else; how many of them were refused."""
    dice = random.Random(9)

    def swapping(frame: Frame) -> list[bytes]:
        if frame.service != 14 or dice.random() < 0.1:
            return [many_ack(frame, real(21.0))]
        body = bytearray(frame.body)
        start = 11 * dice.randrange(len(body) // 11)  # so long is what is asked of one object
        body[start + 4] = dice.randrange(100, 200)
        twisted = Frame(b"\x00" * 6 + bytes([0, 5, frame.invoke_id, 14]) + bytes(body))
        return [many_ack(twisted, real(WRONG))]

    refused = 0
    async with scripted(POINTS, swapping, timeout_s=0.2, retries=0) as (driver, _):
        for n in range(rounds):
            try:
                only_truth(await driver.read(driver.polls["school"][n % 2]))
            except DriverError:
                refused += 1
    return refused


async def test_swapped_answers_are_refused() -> None:
    assert await swapped(200) > 150


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_twenty_thousand_swapped_answers_are_refused() -> None:
    assert await swapped(20_000) > 15_000


async def test_a_device_has_its_own_deadline() -> None:
    patient = BacnetDevice(address=f"127.0.0.1:{free_port()}", instance=1201, timeout_s=0.3, retries=0)
    profile = device(1, 1201, POINTS[0])
    settings = bus(timeout_s=5.0, retries=3)
    async with running(settings, replace(profile, settings=patient)) as driver:
        started = monotonic()
        with pytest.raises(DriverError):
            await driver.read(driver.polls["school"][0])
        assert 0.25 < monotonic() - started < 1.0
