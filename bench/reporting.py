"""BACnet devices that report changes: 10 analog values each, changed one after another when told.

    python -m bench.reporting FIRST_PORT COUNT START_S

A line on standard input is ``change N RATE``: N changes, RATE a second (0: all at once), each to the bench's counter of
that moment, or to one more than before where it stands still. ``done N`` ends it, followed by every object's value.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from datetime import UTC, datetime

from bench.figures import TICK_S
from bench.town import BACNET_POINTS, FIRST_INSTANCE
from sim.bacnet_device import Identity
from sim.bacnet_face import BacnetDevice
from sim.objects import BacnetObject


class Values:
    """One number for each object, device by device."""

    def __init__(self, first_port: int, count: int, start_s: float) -> None:
        self._start_s, self._turn = start_s, 0
        self.now = [[0.0] * BACNET_POINTS for _ in range(count)]
        self.devices = [self._device(number, first_port + number) for number in range(count)]

    def _device(self, number: int, port: int) -> BacnetDevice:
        row = self.now[number]
        objects = [
            BacnetObject("analog-value", place + 1, f"value {place}", "no-units", lambda place=place: row[place])  # type: ignore[misc]
            for place in range(BACNET_POINTS)
        ]
        identity = Identity(FIRST_INSTANCE + number, f"reporting {number}")
        return BacnetDevice("127.0.0.1", port, identity, objects, now=lambda: datetime.now(UTC))

    def change(self) -> None:
        """Move the next object on, and have its device report it."""
        number, place = self._turn % len(self.now), self._turn // len(self.now) % BACNET_POINTS
        tick = float(int((time.monotonic() - self._start_s) / TICK_S))
        self.now[number][place] = max(tick, self.now[number][place] + 1.0)
        self._turn += 1
        self.devices[number].tick()

    async def changes(self, count: int, rate: int) -> None:
        """``count`` of them, ``rate`` a second."""
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        for number in range(count):
            if rate:
                await asyncio.sleep(max(0.0, begin_s + number / rate - loop.time()))
            self.change()


async def main(first_port: int, count: int, start_s: float) -> None:
    """Run until standard input ends (or we are ended)."""
    values = Values(first_port, count, start_s)
    for device in values.devices:
        await device.start()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(0, "rb"))
    print("ready", flush=True)
    while line := (await reader.readline()).decode().split():
        await values.changes(int(line[1]), int(line[2]))
        print("done", line[1], json.dumps(values.now), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
