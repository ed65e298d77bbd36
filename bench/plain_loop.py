"""The plain library loop: one pymodbus client a device, aiomqtt, one JSON a device and second.

    python -m bench.plain_loop spread|burst MQTT_PORT FIRST_PORT COUNT

``spread`` polls evenly over the second (the usual way, and the one with the most wake-ups), ``burst`` all at its start.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import cast

import aiomqtt
from pymodbus.client import AsyncModbusTcpClient

from bench.town import METER_POINTS, device_name

_NAMES = [name.replace("-", "_") for name, _ in METER_POINTS]
_REGISTERS = 2 * len(METER_POINTS)


async def device(number: int, offset_s: float, port: int, mqtt: aiomqtt.Client) -> None:
    """Poll one device every second from ``offset_s`` on, and publish each answer."""
    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=0.5, retries=1)
    await client.connect()
    loop = asyncio.get_running_loop()
    topic, due_s = f"plain/{device_name(number)}", loop.time() + 1.0 + offset_s
    while True:
        await asyncio.sleep(max(0.0, due_s - loop.time()))
        answer = await client.read_holding_registers(0, count=_REGISTERS, device_id=1)
        if not answer.isError():
            values = cast("list[float]", client.convert_from_registers(answer.registers, client.DATATYPE.FLOAT32))
            await mqtt.publish(topic, json.dumps(dict(zip(_NAMES, values, strict=True))))
        due_s = max(due_s + 1.0, loop.time() - 1.0)


async def main(phases: str, mqtt_port: int, first_port: int, count: int) -> None:
    """Run until killed."""
    async with aiomqtt.Client("127.0.0.1", mqtt_port) as mqtt, asyncio.TaskGroup() as group:
        for number in range(count):
            offset_s = number / count if phases == "spread" else 0.0
            group.create_task(device(number, offset_s, first_port + number, mqtt))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:5])))
