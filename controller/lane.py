"""Lanes: one task for everything that cannot be talked to at the same time (a serial line, a TCP endpoint, a device).

A lane waits on its queue and on the next due poll; writes go before reads, the newest value of a point replaces
an older one that still waits, and a device that does not answer is left alone for a while that doubles to 20 s.
It catches the drivers' error tree only; anything else is a bug and ends the daemon.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from controller.clock import Clock
from drivers.api import (
    BadAnswer,
    Driver,
    DriverError,
    Fault,
    Lane,
    NoAnswer,
    NotConnected,
    Outcome,
    Poll,
    Reading,
    Silence,
    Write,
    WriteResult,
)

Sink = Callable[[Sequence[Reading | Fault | Silence | WriteResult]], None]

_BACKOFF_FIRST_S = 1.0
_BACKOFF_CAP_S = 20.0
"""Also what a dead unit on a shared line costs the others: one timeout in this time."""
_SILENCES = (NoAnswer, NotConnected, BadAnswer)


@dataclass(slots=True)
class _Peer:
    """What a lane knows of one device."""

    failures: int = 0
    not_before: float = 0.0
    writes: dict[tuple[str, int], Write] = field(default_factory=dict)


class LaneTask:
    """One lane of one driver. ``run`` ends only by cancellation."""

    def __init__(self, driver: Driver, lane: Lane, clock: Clock, sink: Sink) -> None:
        self._driver = driver
        self._lane = lane
        self._clock = clock
        self._sink = sink
        self._peers = {device: _Peer() for device in lane.devices}
        self._due: dict[Poll, float] = {}
        self._woken = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def name(self) -> str:
        """The lane's name, ``<bus>`` or ``<bus>/<device>``."""
        return self._lane.name

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices of this lane."""
        return self._lane.devices

    @property
    def waiting(self) -> int:
        """How many writes wait to be sent."""
        return sum(len(peer.writes) for peer in self._peers.values())

    def put(self, writes: Iterable[Write]) -> None:
        """Queue writes; the newest value of a point and priority replaces an older one still waiting."""
        for write in writes:
            self._peers[write.point.device].writes[write.point.point, write.priority] = write
            self._idle.clear()
        self._woken.set()

    async def run(self) -> None:
        """Poll and write until cancelled."""
        loop = asyncio.get_running_loop()
        self._due = {poll: loop.time() for device in self._lane.devices for poll in self._driver.polls[device]}
        while True:
            self._woken.clear()
            for device, peer in self._peers.items():
                if peer.writes:
                    await self._send(device, peer)
            if not self.waiting:
                self._idle.set()
            poll = self._next_poll(loop.time())
            if poll is not None:
                await self._read(poll)
                continue
            await self._rest(loop.time())

    async def flushed(self) -> None:
        """Wait until nothing is queued and nothing is on its way."""
        await self._idle.wait()

    def _next_poll(self, now: float) -> Poll | None:
        ready = [(at, poll) for poll, at in self._due.items() if max(at, self._peers[poll.device].not_before) <= now]
        return min(ready, key=lambda pair: pair[0])[1] if ready else None

    async def _rest(self, now: float) -> None:
        if not self._due:
            await self._woken.wait()
            return
        wake = min(max(at, self._peers[poll.device].not_before) for poll, at in self._due.items())
        try:
            async with asyncio.timeout(max(0.0, wake - now)):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _read(self, poll: Poll) -> None:
        peer = self._peers[poll.device]
        started = asyncio.get_running_loop().time()
        try:
            seen = await self._driver.read(poll)
        except DriverError as error:
            self._failed(poll.device, peer, error)
        else:
            peer.failures, peer.not_before = 0, 0.0
            self._sink(seen)
        # the next instant on the poll's own grid: never a growing backlog, never two polls at once
        self._due[poll] = max(self._due[poll] + poll.every_s, started + poll.every_s / 2)

    async def _send(self, device: str, peer: _Peer) -> None:
        writes, peer.writes = list(peer.writes.values()), {}
        try:
            results = await self._driver.write(writes)
        except DriverError as error:
            now = self._clock.now()
            outcome = Outcome.NO_FEEDBACK if error.retryable else Outcome.REJECTED
            self._sink([WriteResult(write, outcome, now, detail=error.cause) for write in writes])
            self._failed(device, peer, error)
        else:
            self._sink(results)

    def _failed(self, device: str, peer: _Peer, error: DriverError) -> None:
        peer.failures += 1
        wait_s = min(_BACKOFF_CAP_S, _BACKOFF_FIRST_S * 2.0 ** min(peer.failures - 1, 10))
        peer.not_before = asyncio.get_running_loop().time() + wait_s
        if isinstance(error, _SILENCES) or not error.retryable:
            self._sink([Silence(device, error.cause, self._clock.now())])
