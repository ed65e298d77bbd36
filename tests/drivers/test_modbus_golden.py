"""Frames of real kinds of meters, byte for byte, through the whole driver over a serial line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from drivers.api import Fault, Host, Reading
from drivers.modbus.driver import build
from drivers.modbus.settings import ModbusBus, ModbusDevice
from drivers.profile_file import load_profile, shipped_profiles
from drivers.registry import BusDevice
from tests.drivers.modbus_peer import Asked, Say, rtu, rtu_peer

NOW = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
FILES = sorted((Path(__file__).parent / "golden").glob("*.json"))
CASES = [
    pytest.param(golden["profile"], golden["unit"], exchange, id=f"{golden['profile']}-{number}")
    for golden in (json.loads(path.read_text(encoding="utf-8")) for path in FILES)
    for number, exchange in enumerate(golden["exchanges"])
]


@pytest.mark.parametrize(("profile_id", "unit", "exchange"), CASES)
async def test_the_frames_of_the_data_sheet(profile_id: str, unit: int, exchange: dict[str, Any]) -> None:
    profile, expected = load_profile(shipped_profiles()[profile_id]), exchange["readings"]
    frames: list[bytes] = []

    def script(asked: Asked) -> Sequence[Say]:
        frames.append(rtu(asked.unit, asked.pdu))
        return [Say(bytes.fromhex(exchange["answer"]))]

    async with rtu_peer(script) as peer:
        bus = ModbusBus(driver="modbus", serial=peer.path, baudrate=9600)
        device = BusDevice("meter", ModbusDevice(unit=unit), profile, tuple(expected))
        driver = build("line", bus, [device], Host(lambda: NOW, Path("/nowhere")))
        (poll,) = driver.polls["meter"]
        seen = await driver.read(poll)
        await driver.close()
    assert [frame.hex(" ") for frame in frames] == [exchange["request"]]
    assert {o.point.point: o.value if isinstance(o, Reading) else None for o in seen} == expected
    assert all(o.at == NOW for o in seen if isinstance(o, Reading | Fault))
