"""A driver whose devices live in memory, and a lane over it: who is asked when, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from controller.clock import Clock
from controller.lane import Heard, LaneTask
from drivers.api import (
    DriverError,
    Fault,
    Lane,
    NoAnswer,
    Outcome,
    PointId,
    Poll,
    Reading,
    Silence,
    Write,
    WriteResult,
)

CLOCK = Clock()
TIMEOUT_S = 0.5


@dataclass
class Asked:
    """One request as the device side saw it, on the loop's clock."""

    at: float
    what: str
    device: str
    values: tuple[float | None, ...] = ()


@dataclass
class MemoryBus:
    """A driver whose devices live in memory: they hold what is written, take their time and can be dead."""

    polls: Mapping[str, Sequence[Poll]]
    answer_s: float = 0.01
    error: Callable[[str, float], DriverError | None] = lambda _what, _now: None
    """What goes wrong with ``read <device>/<index>`` or ``write <device>`` at a time; it takes TIMEOUT_S."""
    held: dict[PointId, float | None] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    heard: list[tuple[float, Heard]] = field(default_factory=list)
    busy: bool = False

    @property
    def lanes(self) -> Sequence[Lane]:
        return (Lane("line", tuple(self.polls)),)

    async def open(self) -> None:
        return

    async def close(self) -> None:
        return

    async def read(self, poll: Poll) -> Sequence[Reading | Fault]:
        await self._turn(f"read {poll.device}/{poll.index}", poll.device)
        points = [PointId(poll.device, name) for name in poll.points]
        return [Reading(point, self.held.get(point) or 0.0, CLOCK.now()) for point in points]

    async def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        device = writes[0].point.device
        assert {write.point.device for write in writes} == {device}, "one call writes to one device"
        await self._turn(f"write {device}", device, tuple(write.value for write in writes))
        self.held.update({write.point: write.value for write in writes})
        return [WriteResult(write, Outcome.APPLIED, CLOCK.now()) for write in writes]

    async def _turn(self, what: str, device: str, values: tuple[float | None, ...] = ()) -> None:
        loop = asyncio.get_running_loop()
        self.asked.append(Asked(loop.time(), what, device, values))
        assert not self.busy, "two requests at once on one line"
        self.busy = True
        try:
            error = self.error(what, loop.time())
            await asyncio.sleep(self.answer_s if error is None else TIMEOUT_S)
            if error is not None:
                raise error
        finally:
            self.busy = False

    def hear(self, items: Sequence[Heard]) -> None:
        at = asyncio.get_running_loop().time()
        self.heard.extend((at, item) for item in items)

    def times(self, what: str) -> list[float]:
        """When this was asked."""
        return [asked.at for asked in self.asked if asked.what == what]

    def silences(self, device: str) -> list[float]:
        """When the device was called silent."""
        return [at for at, item in self.heard if isinstance(item, Silence) and item.device == device]

    @property
    def results(self) -> list[WriteResult]:
        return [item for _, item in self.heard if isinstance(item, WriteResult)]


def bus(answer_s: float = 0.01, **periods: float | Sequence[float]) -> MemoryBus:
    """A line with devices by name, each with a poll of one point a period."""
    polls: dict[str, list[Poll]] = {}
    for device, every in periods.items():
        each = [every] if isinstance(every, int | float) else every
        polls[device] = [Poll(device, index, every_s, (f"p{index}",)) for index, every_s in enumerate(each)]
    return MemoryBus(polls, answer_s)


def gaps(times: Sequence[float]) -> list[float]:
    return [after - before for before, after in pairwise(times)]


def write(device: str, value: float | None, point: str = "p0", priority: int = 13) -> Write:
    return Write(PointId(device, point), value, priority)


@asynccontextmanager
async def running(driver: MemoryBus) -> AsyncIterator[LaneTask]:
    """The only lane of the bus at work."""
    lane = LaneTask(driver, driver.lanes[0], CLOCK, driver.hear)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(lane.run())
        try:
            yield lane
        finally:
            task.cancel()


async def poll_for(driver: MemoryBus, seconds: float) -> MemoryBus:
    async with running(driver):
        await asyncio.sleep(seconds)
    return driver


def gone(*devices: str, since: float = 0.0, until: float = float("inf")) -> Callable[[str, float], DriverError | None]:
    """These devices do not answer from ``since`` to ``until``."""
    return lambda what, now: (
        NoAnswer("no answer") if since <= now < until and what.split()[1].partition("/")[0] in devices else None
    )
