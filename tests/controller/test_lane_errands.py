"""Errands at a device's own schedule: between polls, one at a time, never instead of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from drivers.api import Errand, Look, NoAnswer, Outcome, Push, PushResult, ScheduleRef, ScheduleSeen
from drivers.timetable import ANY_DAY, NO_WEEK, Agenda, Timetable
from tests.controller.memory_bus import CLOCK, MemoryBus, bus, gaps, running, write
from tests.virtual_time import run

AGENDA = Agenda(Timetable(ANY_DAY, NO_WEEK, (), 16.0))
HERE, THERE = ScheduleRef("a", "schedule,1"), ScheduleRef("a", "schedule,2")


@dataclass
class SchedulingBus(MemoryBus):
    """Its devices have schedules, which take a while to read."""

    takes_s: float = 2.0
    fails: list[str] = field(default_factory=list)

    async def look(self, errand: Look) -> ScheduleSeen:
        await self._serve(errand)
        return ScheduleSeen(errand.ref, AGENDA, CLOCK.now())

    async def push(self, errand: Push) -> PushResult:
        await self._serve(errand)
        return PushResult(errand.ref, Outcome.APPLIED, CLOCK.now(), errand.agenda)

    async def _serve(self, errand: Errand) -> None:
        await self._turn(f"errand {errand.ref.schedule}", errand.ref.device)
        await asyncio.sleep(self.takes_s)
        if self.fails:
            raise NoAnswer(self.fails.pop())

    @property
    def answers(self) -> list[ScheduleSeen | PushResult]:
        return [item for _, item in self.heard if isinstance(item, ScheduleSeen | PushResult)]


def scheduling(**periods: float) -> SchedulingBus:
    return SchedulingBus(bus(**periods).polls)


def test_errands_are_run_one_after_the_other_between_polls() -> None:
    async def scenario() -> SchedulingBus:
        driver = scheduling(a=5.0)
        async with running(driver) as lane:
            lane.ask([Look(HERE), Push(THERE, AGENDA)])
            await asyncio.sleep(60.0)
        return driver

    driver = run(scenario())
    assert [type(answer) for answer in driver.answers] == [ScheduleSeen, PushResult]
    assert max(gaps(driver.times("read a/0"))) <= 7.5


def test_a_newer_errand_replaces_one_that_waits() -> None:
    async def scenario() -> SchedulingBus:
        driver = scheduling(a=5.0)
        async with running(driver) as lane:
            lane.ask([Look(HERE)])
            lane.ask([Push(HERE, AGENDA)])
            await asyncio.sleep(20.0)
        return driver

    assert [type(answer) for answer in run(scenario()).answers] == [PushResult]


def test_a_busy_lane_runs_them_in_the_end_and_its_polls_too() -> None:
    async def scenario() -> SchedulingBus:
        driver = scheduling(a=0.005)
        async with running(driver) as lane:
            lane.ask([Look(HERE)])
            await asyncio.sleep(60.0)
        return driver

    driver = run(scenario())
    assert len(driver.answers) == 1
    assert 25.0 <= driver.times("errand schedule,1")[0] <= 35.0
    assert len(driver.times("read a/0")) > 1000


def test_writes_go_before_them() -> None:
    async def scenario() -> SchedulingBus:
        driver = scheduling(a=100.0)
        async with running(driver) as lane:
            lane.ask([Look(HERE)])
            lane.put([write("a", 19.0)])
            await asyncio.sleep(20.0)
        return driver

    asked = [asked.what for asked in run(scenario()).asked]
    assert asked.index("write a") < asked.index("errand schedule,1")


def test_a_device_that_does_not_answer_is_told_of() -> None:
    async def scenario() -> SchedulingBus:
        driver = scheduling(a=100.0)
        driver.fails = ["no answer", "no answer"]
        async with running(driver) as lane:
            lane.ask([Look(HERE)])
            await asyncio.sleep(10.0)
            lane.ask([Push(HERE, AGENDA)])
            await asyncio.sleep(10.0)
        return driver

    seen, pushed = run(scenario()).answers
    assert isinstance(seen, ScheduleSeen)
    assert isinstance(pushed, PushResult)
    assert (seen.agenda, seen.cause) == (None, "no answer")
    assert (pushed.outcome, pushed.detail) == (Outcome.NO_FEEDBACK, "no answer")


def test_a_driver_without_schedules_passes_them_over() -> None:
    async def scenario() -> MemoryBus:
        driver = bus(a=5.0)
        async with running(driver) as lane:
            lane.ask([Look(HERE)])
            await asyncio.sleep(20.0)
        return driver

    assert len(run(scenario()).times("read a/0")) >= 4
