"""The plain library script: bacpypes3, one ReadPropertyMultiple a device and period, aiomqtt, one JSON each.

python -m bench.plain_bacnet MQTT_PORT OWN_PORT FIRST_PORT COUNT EVERY_S
"""

from __future__ import annotations

import asyncio
import json
import sys

import aiomqtt
from bacpypes3.app import Application  # type: ignore[import-untyped]
from bacpypes3.local.device import DeviceObject  # type: ignore[import-untyped]
from bacpypes3.local.networkport import NetworkPortObject  # type: ignore[import-untyped]
from bacpypes3.pdu import Address, IPv4Address  # type: ignore[import-untyped]
from bacpypes3.primitivedata import ObjectIdentifier  # type: ignore[import-untyped]

from bench.town import BACNET_POINTS, METER_POINTS, device_name

_NAMES = [name.replace("-", "_") for name, _ in METER_POINTS[:BACNET_POINTS]]
_ASKED = [
    part for n in range(1, BACNET_POINTS + 1) for part in (ObjectIdentifier(f"analog-value,{n}"), ["present-value"])
]


async def device(
    number: int, offset_s: float, every_s: float, app: Application, address: Address, mqtt: aiomqtt.Client
) -> None:
    """Read one device every ``every_s`` from ``offset_s`` on, and publish each answer."""
    loop = asyncio.get_running_loop()
    topic, due_s = f"plain/{device_name(number)}", loop.time() + 1.0 + offset_s
    while True:
        await asyncio.sleep(max(0.0, due_s - loop.time()))
        answer = await app.read_property_multiple(address, _ASKED)
        values = [float(value) for _, _, _, value in answer]
        await mqtt.publish(topic, json.dumps(dict(zip(_NAMES, values, strict=True))))
        due_s = max(due_s + every_s, loop.time() - every_s)


async def main(mqtt_port: int, own_port: int, first_port: int, count: int, every_s: int) -> None:
    """Run until killed."""
    own = DeviceObject(objectIdentifier=("device", 4190001), objectName="plain", vendorIdentifier=999)
    link = NetworkPortObject(
        IPv4Address(f"127.0.0.1/24:{own_port}"), objectIdentifier=("network-port", 1), objectName="port"
    )
    app = Application.from_object_list([own, link])
    async with aiomqtt.Client("127.0.0.1", mqtt_port) as mqtt, asyncio.TaskGroup() as group:
        for number in range(count):
            address = Address(f"127.0.0.1:{first_port + number}")
            group.create_task(device(number, number / count * every_s, every_s, app, address, mqtt))


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:6])))
