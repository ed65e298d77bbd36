"""Lanes: one task for everything that cannot be talked to at the same time (a serial line, a TCP endpoint, a device).

A lane waits on its queue and on the next due poll; writes go before reads, the newest value of a point replaces
an older one that still waits, and a device that does not answer is left alone, by both, for a while that doubles. A
lane that cannot keep its periods says so with its figure. It catches the drivers' error tree only; anything else is a
bug and ends the daemon.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from controller.clock import Clock
from controller.turns import OVERLOAD, RELIEF, Turn, backoff_s, load, next_turn
from controller.wakes import GRAIN_S, Wakes
from drivers.api import (
    BadAnswer,
    Driver,
    DriverError,
    Errand,
    Lane,
    Look,
    NoAnswer,
    NotConnected,
    Notice,
    Observation,
    Outcome,
    PushResult,
    Refused,
    ScheduleRef,
    ScheduleSeen,
    Scheduling,
    Silence,
    Write,
    WriteResult,
)

Heard = Observation | WriteResult | ScheduleSeen | PushResult
Sink = Callable[[Sequence[Heard]], None]

_SILENCES = (NoAnswer, NotConnected, BadAnswer)
_SILENT_AFTER = 2
"""Failures in a row: one frame lost to noise on a shared line is no silence, and its repeat comes a second later."""
_PATIENCE_S = 30.0
"""An errand waits for a moment without polls, but no longer than that."""


@dataclass(slots=True)
class _Peer:
    """What a lane knows of one device."""

    failures: int = 0
    """Since its last answer to anything."""
    not_before: float = 0.0
    writes: dict[tuple[str, int], Write] = field(default_factory=dict)
    errands: dict[ScheduleRef, Errand] = field(default_factory=dict)
    """The latest at each Schedule object."""
    errands_since: float = 0.0


class LaneTask:
    """One lane of one driver. ``run`` ends only by cancellation; ``wakes`` may be shared with other lanes.

    Its first poll is ``after_s`` from the start.
    """

    def __init__(
        self,
        driver: Driver,
        lane: Lane,
        clock: Clock,
        sink: Sink,
        wakes: Wakes | None = None,
        after_s: float = 0.0,
    ) -> None:
        self._driver = driver
        self._lane = lane
        self._clock = clock
        self._sink = sink
        self._wakes = wakes or Wakes()
        self._after_s = after_s
        self._shared = len(lane.devices) > 1
        self._bus = lane.name.partition("/")[0]
        self._overloaded = False
        self._peers = {device: _Peer() for device in lane.devices}
        self._woken = asyncio.Event()
        self._sending = False
        self._idle: asyncio.Event | None = None

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
        self._woken.set()

    def ask(self, errands: Iterable[Errand]) -> None:
        """Queue errands at Schedule objects; a newer one replaces one that still waits there."""
        for errand in errands:
            peer = self._peers[errand.ref.device]
            if not peer.errands:
                peer.errands_since = asyncio.get_running_loop().time()
            peer.errands[errand.ref] = errand
        self._woken.set()

    async def run(self) -> None:
        """Poll and write until cancelled."""
        loop = asyncio.get_running_loop()
        first = loop.time() + self._after_s
        turns = [Turn(poll, first) for device in self._lane.devices for poll in self._driver.polls[device]]
        while True:
            self._woken.clear()
            for device, peer in self._peers.items():
                if peer.writes and peer.not_before <= loop.time() + GRAIN_S:
                    await self._send(device, peer)
            if self._idle is not None and not self.waiting:
                self._idle.set()
                self._idle = None
            turn = self._next(turns, loop.time())  # one between two rounds of writes: a ramp never starves the readings
            if turn is not None and await self._read(turn):
                self._judge_load(turns)
            errand = self._next_errand(loop.time(), idle=turn is None)
            if errand is not None:
                await self._run(errand)
            elif turn is not None:
                continue
            else:
                await self._rest(turns)

    async def flushed(self) -> None:
        """Wait until nothing is queued and nothing is on its way."""
        if self.waiting or self._sending:
            self._idle = self._idle or asyncio.Event()
            await self._idle.wait()

    def _next(self, turns: Iterable[Turn], now: float) -> Turn | None:
        return next_turn((turn for turn in turns if self._earliest(turn) <= now + GRAIN_S), now)

    def _next_errand(self, now: float, *, idle: bool) -> Errand | None:
        """One whose device may be asked, between polls: now if nothing else is due, else when it has waited long."""
        for peer in self._peers.values():
            if peer.errands and peer.not_before <= now + GRAIN_S and (idle or now - peer.errands_since > _PATIENCE_S):
                peer.errands_since = now
                return peer.errands.pop(next(iter(peer.errands)))
        return None

    async def _run(self, errand: Errand) -> None:
        """Read or write a Schedule object; whoever asked hears of it, or asks again."""
        device = errand.ref.device
        if not isinstance(self._driver, Scheduling):
            return
        try:
            told: Heard
            if isinstance(errand, Look):
                told = await self._driver.look(errand)
            else:
                told = await self._driver.push(errand)
        except DriverError as error:
            now = self._clock.now()
            if isinstance(errand, Look):
                told = ScheduleSeen(errand.ref, None, now, error.cause)
            else:
                told = PushResult(errand.ref, Outcome.NO_FEEDBACK, now, detail=error.cause)
            self._failed(device, error)
        else:
            self._answered(device)
        self._sink([told])

    def _earliest(self, turn: Turn) -> float:
        return max(turn.due, self._peers[turn.poll.device].not_before)

    async def _rest(self, turns: Iterable[Turn]) -> None:
        """Wait for new writes or for whatever may be sent next."""
        held = (peer.not_before for peer in self._peers.values() if peer.writes or peer.errands)
        earliest = min((*map(self._earliest, turns), *held), default=None)
        if earliest is not None:
            self._wakes.at(earliest, self._woken)
        await self._woken.wait()

    async def _read(self, turn: Turn) -> bool:
        """Whether it was answered."""
        loop = asyncio.get_running_loop()
        started = turn.served = loop.time()
        try:
            seen = await self._driver.read(turn.poll)
        except DriverError as error:
            self._failed(turn.poll.device, error)
            turn.failed(loop.time(), shared=self._shared)
            return False
        self._answered(turn.poll.device)
        if seen:
            self._sink(seen)
        turn.answered(started, loop.time())
        return True

    def _judge_load(self, turns: Sequence[Turn]) -> None:
        """Say when the polls of this lane ask for more time than there is, and when they no longer do."""
        wanted = load(turns)
        overloaded = wanted > (RELIEF if self._overloaded else OVERLOAD)
        if overloaded == self._overloaded:
            return
        self._overloaded = overloaded
        subject = f"bus/{self._bus}" if self._shared else f"device/{self._lane.devices[0]}"
        detail = "polls ask for more time than the line has: poll less often, or move devices to another line"
        now, percent = self._clock.now(), round(100.0 * wanted, 1)
        self._sink([Notice(subject, "pollingOverload", overloaded, now, "minor", percent, 100.0, detail)])

    async def _send(self, device: str, peer: _Peer) -> None:
        writes, peer.writes = list(peer.writes.values()), {}
        self._sending = True
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
        finally:
            self._sending = False

    def _answered(self, device: str) -> None:
        peer = self._peers[device]
        if self._shared and peer.failures and all(each.failures for each in self._peers.values()):
            for each in self._peers.values():  # the whole line was away: it is back, so ask everybody at once
                each.not_before = 0.0
        peer.failures, peer.not_before = 0, 0.0

    def _failed(self, device: str, error: DriverError) -> None:
        peer = self._peers[device]
        peer.failures += 1
        peer.not_before = asyncio.get_running_loop().time() + backoff_s(peer.failures, shared=self._shared)
        lasting = isinstance(error, _SILENCES) and peer.failures >= _SILENT_AFTER
        if lasting or not error.retryable:
            self._sink([Silence(device, error.cause, self._clock.now())])
