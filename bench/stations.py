"""BACnet devices in one process: 10 analog values each, all of them the bench's counter (10 ms).

    python -m bench.stations FIRST_PORT COUNT START_S

They are the simulator's devices, which share no code with the driver or its library.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime

from bench.figures import TICK_S, TICK_TURN
from bench.town import BACNET_POINTS, FIRST_INSTANCE
from sim.bacnet_device import Identity
from sim.bacnet_face import BacnetDevice
from sim.objects import BacnetObject


def station(number: int, first_port: int, start_s: float) -> BacnetDevice:
    """The device at ``first_port + number``; its counter began at ``start_s`` (monotonic)."""

    def tick() -> float:
        return float(int((time.monotonic() - start_s) / TICK_S) % TICK_TURN)

    objects = [
        BacnetObject("analog-value", place, f"value {place}", "no-units", tick) for place in range(1, BACNET_POINTS + 1)
    ]
    identity = Identity(FIRST_INSTANCE + number, f"station {number}")
    return BacnetDevice("127.0.0.1", first_port + number, identity, objects, now=lambda: datetime.now(UTC))


async def main(first_port: int, count: int, start_s: float) -> None:
    """Run until killed."""
    for number in range(count):
        await station(number, first_port, start_s).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
