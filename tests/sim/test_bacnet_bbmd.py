"""The simulated BBMD: who is registered, for how long, and who is refused."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from sim.bacnet_bbmd import DONE, GRACE_S, REGISTRATION_REFUSED, Bbmd


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@asynccontextmanager
async def standing(clock: Clock, room: int) -> AsyncIterator[Bbmd]:
    bbmd = Bbmd(("127.0.0.1", 0), list, room=room, seconds=clock)
    await bbmd.start()
    try:
        yield bbmd
    finally:
        await bbmd.stop()


def device() -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    found.bind(("127.0.0.1", 0))
    found.setblocking(False)
    return found


async def register(who: socket.socket, bbmd: Bbmd, ttl_s: int) -> int:
    """The result code."""
    who.sendto(b"\x81\x05\x00\x06" + ttl_s.to_bytes(2), bbmd.address)
    answer = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(who, 100), 1.0)
    assert answer[:4] == b"\x81\x00\x00\x06"
    return int.from_bytes(answer[4:])


async def test_a_full_table_refuses_whoever_is_not_in_it_until_a_registration_is_over() -> None:
    clock = Clock()
    async with standing(clock, room=1) as bbmd:
        with closing(device()) as first, closing(device()) as second:
            assert await register(first, bbmd, 60) == DONE
            assert await register(second, bbmd, 60) == REGISTRATION_REFUSED
            assert await register(first, bbmd, 60) == DONE
            assert bbmd.foreign == [first.getsockname()]
            clock.now_s += 60 + GRACE_S - 1
            assert await register(second, bbmd, 60) == REGISTRATION_REFUSED
            clock.now_s += 2
            assert await register(second, bbmd, 60) == DONE
            assert bbmd.foreign == [second.getsockname()]
            assert await register(second, bbmd, 0) == DONE
            assert bbmd.foreign == []
