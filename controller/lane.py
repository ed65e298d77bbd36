"""Lanes: one task for everything that cannot be talked to at the same time (a serial line, a TCP endpoint, a device).

A lane waits on its queue and on the next due poll; writes go before reads, the newest value of a point replaces
an older one that still waits, and a device that does not answer is left alone, by both, for a while that doubles to
20 s. It catches the drivers' error tree only; anything else is a bug and ends the daemon.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from controller.clock import Clock
from drivers.api import (
    BadAnswer,
    Driver,
    DriverError,
    Lane,
    NoAnswer,
    NotConnected,
    Observation,
    Outcome,
    Poll,
    Refused,
    Silence,
    Write,
    WriteResult,
)

Sink = Callable[[Sequence[Observation | WriteResult]], None]

_BACKOFF_FIRST_S = 1.0
_BACKOFF_CAP_S = 20.0
"""Also what a dead unit on a shared line costs the others: one timeout in this time."""
_SILENCES = (NoAnswer, NotConnected, BadAnswer)
_SLOT_S = 0.05
_SILENT_AFTER = 2
"""Failures in a row: one frame lost to noise on a shared line is no silence, and its repeat comes a second later."""


@dataclass(slots=True)
class _Peer:
    """What a lane knows of one device."""

    failures: int = 0
    """Since its last answer to anything."""
    not_before: float = 0.0
    writes: dict[tuple[str, int], Write] = field(default_factory=dict)


@dataclass(slots=True)
class _Turn:
    """When one poll is next; ``failures`` are its own, so that a request nobody answers spares those that are."""

    poll: Poll
    due: float
    failures: int = 0


class LaneTask:
    """One lane of one driver. ``run`` ends only by cancellation."""

    def __init__(self, driver: Driver, lane: Lane, clock: Clock, sink: Sink) -> None:
        self._driver = driver
        self._lane = lane
        self._clock = clock
        self._sink = sink
        self._peers = {device: _Peer() for device in lane.devices}
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
        turns = [_Turn(poll, loop.time()) for device in self._lane.devices for poll in self._driver.polls[device]]
        while True:
            self._woken.clear()
            for device, peer in self._peers.items():
                if peer.writes and peer.not_before <= loop.time():
                    await self._send(device, peer)
            if not self.waiting:
                self._idle.set()
            turn = self._next(turns, loop.time())  # one between two rounds of writes: a ramp never starves the readings
            if turn is not None:
                await self._read(turn)
            else:
                await self._rest(turns)

    async def flushed(self) -> None:
        """Wait until nothing is queued and nothing is on its way."""
        await self._idle.wait()

    def _next(self, turns: Iterable[_Turn], now: float) -> _Turn | None:
        ready = (turn for turn in turns if self._earliest(turn) <= now)
        return min(ready, key=lambda turn: turn.due, default=None)

    def _earliest(self, turn: _Turn) -> float:
        return max(turn.due, self._peers[turn.poll.device].not_before)

    async def _rest(self, turns: Iterable[_Turn]) -> None:
        """Wait for new writes or for whatever may be sent next."""
        held = (peer.not_before for peer in self._peers.values() if peer.writes)
        try:
            async with asyncio.timeout_at(min((*map(self._earliest, turns), *held), default=None)):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _read(self, turn: _Turn) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            seen = await self._driver.read(turn.poll)
        except DriverError as error:
            self._failed(turn.poll.device, error)
            turn.failures += 1
            turn.due = loop.time() + _backoff_s(turn.failures)
        else:
            self._answered(turn.poll.device)
            self._sink(seen)
            turn.failures, turn.due = 0, _next_instant(turn.poll, started)

    async def _send(self, device: str, peer: _Peer) -> None:
        writes, peer.writes = list(peer.writes.values()), {}
        try:
            results = await self._driver.write(writes)
        except DriverError as error:
            now = self._clock.now()
            outcome = Outcome.REJECTED if isinstance(error, Refused) else Outcome.NO_FEEDBACK
            self._sink([WriteResult(write, outcome, now, detail=error.cause) for write in writes])
            self._failed(device, error)
        else:
            self._answered(device)
            self._sink(results)

    def _answered(self, device: str) -> None:
        peer = self._peers[device]
        peer.failures, peer.not_before = 0, 0.0

    def _failed(self, device: str, error: DriverError) -> None:
        peer = self._peers[device]
        peer.failures += 1
        peer.not_before = asyncio.get_running_loop().time() + _backoff_s(peer.failures)
        lasting = isinstance(error, _SILENCES) and peer.failures >= _SILENT_AFTER
        if lasting or not error.retryable:
            self._sink([Silence(device, error.cause, self._clock.now())])


def _backoff_s(failures: int) -> float:
    return min(_BACKOFF_CAP_S, _BACKOFF_FIRST_S * 2.0 ** min(failures - 1, 10))


def _next_instant(poll: Poll, started: float) -> float:
    """The poll's next instant on its own grid, at least half a period on: no backlog where a device is slow.

    Each device has a grid of its own, so that five hundred of them do not answer all at once; the grids meet in slots
    that all lanes share, because a wake-up of the process costs more than a request.
    """
    share = zlib.crc32(f"{poll.device}/{poll.index}".encode()) / 2**32
    phase_s = _SLOT_S * int(share * poll.every_s / _SLOT_S)
    earliest = started + poll.every_s / 2
    return earliest + (phase_s - earliest) % poll.every_s
