"""@bacnet-js/client (Node) as client of the simulated BACnet device: a stack that is neither ours nor bacpypes3."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.interop.station import Stranger, node, stranger
from tests.ports import free_port
from tests.sim.bacnet_rig import Rig, rigged

pytestmark = pytest.mark.interop

PRESENT_VALUE, STATUS_FLAGS, PRIORITY_ARRAY, OBJECT_NAME, OBJECT_LIST = 85, 111, 87, 77, 76
NULL, REAL, ENUMERATED = 0, 4, 9
ANALOG_INPUT, ANALOG_VALUE, BINARY_OUTPUT, DEVICE = 0, 2, 4, 8
WRITE_ACCESS_DENIED, VALUE_OUT_OF_RANGE, UNKNOWN_OBJECT = "Code:40", "Code:37", "Code:31"
GOOD = {"value": [0], "bitsUsed": 4}


class Client:
    """The other side's words, one request at a time."""

    def __init__(self, process: Stranger) -> None:
        self._process = process

    async def ask(self, what: str, **words: Any) -> Any:
        """What it got; fails the test on an error."""
        answer = await self._answer(what, words)
        assert "error" not in answer, answer
        return answer["ok"]

    async def is_refused(self, what: str, **words: Any) -> str:
        """The error in its words."""
        return str((await self._answer(what, words))["error"])

    async def change(self) -> dict[str, Any]:
        """The next notification of a change."""
        heard: dict[str, Any] = json.loads(await self._process.says("change"))
        return heard

    async def _answer(self, what: str, words: dict[str, Any]) -> dict[str, Any]:
        await self._process.hears(json.dumps({"ask": what} | words))
        answer: dict[str, Any] = json.loads(await self._process.says("answer"))
        return answer


@asynccontextmanager
async def asked() -> AsyncIterator[tuple[Client, Rig]]:
    """Device 4 of the simulator, and the client."""
    async with rigged() as rig, stranger(*node("bacnet_client.js", free_port(), rig.device.port)) as process:
        await process.says("ready")
        yield Client(process), rig


async def test_who_is() -> None:
    async with asked() as (client, _):
        found = await client.ask("whoIs", low=1, high=10)
        assert (found["deviceId"], found["maxApdu"], found["segmentation"], found["vendorId"]) == (4, 1476, 3, 999)
        assert await client.ask("whoIs", low=5, high=9) is None


async def test_read_property() -> None:
    async with asked() as (client, _):
        assert await client.ask("read", object=[ANALOG_INPUT, 5], property=PRESENT_VALUE) == [pytest.approx(72.3)]
        assert await client.ask("read", object=[DEVICE, 4], property=OBJECT_NAME) == ["Office"]
        assert await client.ask("read", object=[DEVICE, 4], property=OBJECT_LIST, index=0) == [11]
        assert len(await client.ask("read", object=[DEVICE, 4], property=OBJECT_LIST)) == 11
        refusal = await client.is_refused("read", object=[ANALOG_INPUT, 99], property=PRESENT_VALUE)
        assert UNKNOWN_OBJECT in refusal


async def test_read_property_multiple() -> None:
    async with asked() as (client, rig):
        rig.objects["analog-value,2"].command(8, 18.5)
        of = [[ANALOG_INPUT, 5, PRESENT_VALUE], [ANALOG_INPUT, 5, STATUS_FLAGS], [ANALOG_VALUE, 2, PRIORITY_ARRAY]]
        rows = await client.ask("readMany", of=of)
        assert [row[:3] for row in rows] == of
        assert rows[0][3] == [pytest.approx(72.3)]
        assert rows[1][3] == [GOOD]
        assert rows[2][3] == [None] * 7 + [18.5] + [None] * 8


async def test_write_with_a_priority_and_null() -> None:
    async with asked() as (client, rig):
        point = rig.objects["analog-value,2"]
        where = {"object": [ANALOG_VALUE, 2], "property": PRESENT_VALUE}
        await client.ask("write", **where, tag=REAL, value=21.5, priority=13)
        await client.ask("write", **where, tag=REAL, value=18.0, priority=10)
        assert point.slots == {10: 18.0, 13: 21.5}
        assert rig.plant.values["analog-value-2"] == 18.0
        await client.ask("write", **where, tag=NULL, value=None, priority=10)
        assert point.slots == {13: 21.5}
        await client.ask("write", **where, tag=NULL, value=None, priority=13)
        assert point.slots == {}
        assert rig.plant.values["analog-value-2"] == 16.0
        await client.ask("write", object=[BINARY_OUTPUT, 1], property=PRESENT_VALUE, tag=ENUMERATED, value=1)
        assert rig.objects["binary-output,1"].slots == {16: 1.0}


async def test_refused_writes() -> None:
    async with asked() as (client, rig):
        before = rig.state()
        for number, value, code in [(5, 1.0, WRITE_ACCESS_DENIED), (99, 1.0, UNKNOWN_OBJECT)]:
            words = {"object": [ANALOG_INPUT, number], "property": PRESENT_VALUE, "tag": REAL, "value": value}
            assert code in await client.is_refused("write", **words, priority=13)
        words = {"object": [ANALOG_VALUE, 2], "property": PRESENT_VALUE, "tag": REAL, "value": 99.0}
        assert VALUE_OUT_OF_RANGE in await client.is_refused("write", **words, priority=13)
        assert rig.state() == before


@pytest.mark.parametrize("confirmed", [False, True])
async def test_subscribe_cov(confirmed: bool) -> None:
    async with asked() as (client, rig):
        words = {"object": [ANALOG_INPUT, 10], "process": 7, "confirmed": confirmed, "lifetime": 60}
        await client.ask("subscribe", **words, cancel=False)
        rig.device.tick()
        assert (await client.change())["rows"] == changed_to(65.0)
        rig.plant.values["analog-input-10"] = 67.0
        rig.device.tick()
        heard = await client.change()
        assert heard == {"process": 7, "device": 4, "confirmed": confirmed, "rows": changed_to(67.0)}
        await client.ask("subscribe", **words, cancel=True)
        rig.plant.values["analog-input-10"] = 70.0
        rig.device.tick()
        assert await client.ask("read", object=[ANALOG_INPUT, 10], property=PRESENT_VALUE) == [70.0]


def changed_to(value: float) -> list[list[Any]]:
    """Both properties of the input in a notification."""
    return [[ANALOG_INPUT, 10, PRESENT_VALUE, [value]], [ANALOG_INPUT, 10, STATUS_FLAGS, [GOOD]]]
