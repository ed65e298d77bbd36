"""Frames of real kinds of meters, byte for byte, through the whole driver over a serial line."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from drivers.api import Driver, Fault, Host, Outcome, PointId, Reading, Write
from drivers.modbus.driver import build
from drivers.modbus.settings import ModbusBus, ModbusDevice
from drivers.profile_file import load_profile, shipped_profiles
from drivers.registry import BusDevice
from tests.drivers.modbus_peer import Asked, Say, rtu, rtu_peer

NOW = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
FILES = sorted((Path(__file__).parent / "golden").glob("*.json"))
GOLDEN = [json.loads(path.read_text(encoding="utf-8")) for path in FILES]


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(golden["profile"], golden["unit"], exchange, id=f"{golden['profile']}-{number}")
        for golden in GOLDEN
        for number, exchange in enumerate(golden["exchanges"])
        if kind in exchange
    ]


@pytest.mark.parametrize(("profile_id", "unit", "exchange"), cases("readings"))
async def test_the_frames_of_the_data_sheet(profile_id: str, unit: int, exchange: dict[str, Any]) -> None:
    expected = exchange["readings"]
    async with talking(profile_id, unit, list(expected), [exchange["answer"]]) as (driver, frames):
        (poll,) = driver.polls["meter"]
        seen = await driver.read(poll)
    assert frames == [exchange["request"]]
    assert {o.point.point: o.value if isinstance(o, Reading) else None for o in seen} == expected
    assert all(o.at == NOW for o in seen if isinstance(o, Reading | Fault))


@pytest.mark.parametrize(("profile_id", "unit", "exchange"), cases("write"))
async def test_the_frames_of_a_command(profile_id: str, unit: int, exchange: dict[str, Any]) -> None:
    ((point, value),) = exchange["write"].items()
    asked, answered = zip(*exchange["frames"], strict=True)
    async with talking(profile_id, unit, [point], answered) as (driver, frames):
        (result,) = await driver.write([Write(PointId("meter", point), value)])
    assert frames == list(asked)
    assert result.outcome is Outcome.APPLIED


def test_every_shipped_modbus_profile_has_golden_frames() -> None:
    modbus = {name for name, path in shipped_profiles().items() if load_profile(path).protocol == "modbus"}
    assert {golden["profile"] for golden in GOLDEN} == modbus


@asynccontextmanager
async def talking(
    profile_id: str, unit: int, points: Sequence[str], answers: Sequence[str]
) -> AsyncIterator[tuple[Driver, list[str]]]:
    """A driver of one device that gets these answers, and the frames that it sent."""
    frames: list[str] = []

    def script(asked: Asked) -> Sequence[Say]:
        frames.append(rtu(asked.unit, asked.pdu).hex(" "))
        return [Say(bytes.fromhex(answers[len(frames) - 1]))]

    async with rtu_peer(script) as peer:
        bus = ModbusBus(driver="modbus", serial=peer.path, baudrate=9600)
        profile = load_profile(shipped_profiles()[profile_id])
        device = BusDevice("meter", ModbusDevice(unit=unit), profile, tuple(points))
        driver = build("line", bus, [device], Host(lambda: NOW, Path("/nowhere")))
        try:
            yield driver, frames
        finally:
            await driver.close()
