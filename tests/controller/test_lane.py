"""Lanes: who is talked to when. In virtual time over devices in memory, and on the real wire against the simulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import controller.turns
from config.site import Site
from controller.clock import Clock
from controller.lane import LaneTask
from drivers.api import (
    BadAnswer,
    BindFailed,
    Busy,
    DriverError,
    Fault,
    Host,
    Lane,
    NoAnswer,
    NotConnected,
    Notice,
    Observation,
    Outcome,
    PointId,
    Poll,
    Reading,
    Refused,
    Silence,
    Write,
    WriteResult,
)
from drivers.registry import DRIVERS, BusDevice
from sim.run import TownServer
from tests.controller.wire import eventually, simulated, wired_town
from tests.virtual_time import run

CLOCK = Clock()
Heard = Observation | WriteResult
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


def test_a_poll_keeps_its_grid_for_hours() -> None:
    driver = run(poll_for(bus(a=5.0), 7200.0))
    first, *rest = driver.times("read a/0")
    assert first == 0.0, "at a start nobody waits for the grid"
    assert 2.5 <= rest[0] <= 7.5
    assert len(rest) == pytest.approx(1439, abs=1)
    assert gaps(rest) == pytest.approx([5.0] * (len(rest) - 1), abs=1e-6)


def test_a_lane_begins_when_it_is_told_to() -> None:
    async def scenario() -> MemoryBus:
        driver = bus(a=5.0)
        lane = LaneTask(driver, driver.lanes[0], CLOCK, driver.hear, after_s=1.5)
        task = asyncio.create_task(lane.run())
        await asyncio.sleep(30.0)
        task.cancel()
        return driver

    first, *rest = run(scenario()).times("read a/0")
    assert first == pytest.approx(1.5, abs=0.002)
    assert len(rest) >= 5


def test_devices_answer_at_different_times() -> None:
    driver = run(poll_for(bus(**{f"cab-{n}": 5.0 for n in range(50)}), 60.0))
    last = [times[-1] % 5.0 for n in range(50) if (times := driver.times(f"read cab-{n}/0"))]
    assert max(sum(low <= phase < low + 1.0 for phase in last) for low in range(5)) < 25


def test_a_poll_that_came_late_returns_to_its_grid() -> None:
    async def scenario() -> list[float]:
        driver = bus(a=5.0)
        async with running(driver):
            await asyncio.sleep(21.0)
            driver.answer_s = 13.0
            await asyncio.sleep(5.0)
            driver.answer_s = 0.01
            await asyncio.sleep(60.0)
        return driver.times("read a/0")

    times = run(scenario())
    phase = times[1] % 5.0
    late = [at for at in times[1:] if abs((at - phase + 2.5) % 5.0 - 2.5) > 0.001]
    assert len(late) <= 1, "one request was late, all others stand on the grid"


def test_a_device_slower_than_its_period_builds_no_backlog() -> None:
    async def scenario() -> list[float]:
        driver = bus(answer_s=12.0, a=5.0)
        async with running(driver):
            await asyncio.sleep(600.0)
            driver.answer_s = 0.01
            await asyncio.sleep(30.0)
        return driver.times("read a/0")

    times = run(scenario())
    assert 40 <= sum(at < 600.0 for at in times) <= 51, "it is asked as fast as it answers"
    quick = [at for at in times if at > 612.0]
    assert min(gaps(quick)) > 2.4, "nothing is made up for"


def test_writes_go_before_polls() -> None:
    async def scenario() -> list[Asked]:
        driver = bus(answer_s=1.0, a=[5.0, 6.0, 7.0], b=5.0)
        async with running(driver) as lane:
            await asyncio.sleep(0.5)
            lane.put([write("b", 40.0), write("a", 60.0), write("a", 1.0, "p1")])
            await asyncio.sleep(30.0)
        return driver.asked

    asked = [each.what for each in run(scenario())]
    assert asked[:3] == ["read a/0", "write a", "write b"], "the request under way ends, then all writes"
    assert set(asked[3:6]) == {"read a/1", "read a/2", "read b/0"}


def test_a_stream_of_writes_does_not_starve_the_readings() -> None:
    async def scenario() -> MemoryBus:
        driver = bus(answer_s=0.5, a=5.0, b=5.0)
        async with running(driver) as lane:
            for level in range(600):  # a ramp: faster than the line takes it
                lane.put([write("a", level), write("b", level)])
                await asyncio.sleep(0.1)
        return driver

    driver = run(scenario())
    for device in ("a", "b"):
        times = driver.times(f"read {device}/0")
        assert max(gaps(times)) < 10.0


def test_the_newest_value_of_a_point_replaces_the_one_that_waits() -> None:
    async def scenario() -> MemoryBus:
        driver = bus(answer_s=1.0, a=50.0)
        async with running(driver) as lane:
            await asyncio.sleep(0.5)
            for level in (10.0, 20.0, 30.0):
                lane.put([write("a", level)])
            lane.put([write("a", 1.0, "p0", 10), write("a", 7.0, "p1")])
            assert lane.waiting == 3
            await lane.flushed()
            assert lane.waiting == 0
        return driver

    driver = run(scenario())
    assert [asked.values for asked in driver.asked if asked.what == "write a"] == [(30.0, 1.0, 7.0)]


def test_flushed_waits_for_what_is_queued_and_for_what_is_under_way() -> None:
    async def scenario() -> list[float]:
        loop = asyncio.get_running_loop()
        driver = bus(answer_s=2.0, a=1000.0)
        async with running(driver) as lane:
            await asyncio.sleep(50.0)
            await lane.flushed()
            untouched = loop.time()
            lane.put([write("a", 1.0)])
            await asyncio.sleep(1.0)
            lane.put([write("a", 2.0)])  # the first is on its way, this one waits
            await lane.flushed()
            assert driver.held[PointId("a", "p0")] == 2.0
            return [untouched, loop.time()]

    assert run(scenario()) == pytest.approx([50.0, 54.0], abs=0.01)


def test_a_dead_device_is_left_alone_longer_and_longer() -> None:
    driver = bus(a=5.0)
    driver.error = gone("a")
    times = run(poll_for(driver, 200.0)).times("read a/0")
    pauses = [gap - TIMEOUT_S for gap in gaps(times)]
    assert pauses[:8] == pytest.approx([1, 2, 4, 8, 10, 10, 10, 10], abs=0.002)


def test_one_lost_answer_is_no_silence_and_is_asked_for_again_at_once() -> None:
    driver = bus(a=5.0)
    lost = iter([NoAnswer("no answer")])
    driver.error = lambda _what, now: next(lost, None) if now > 30.0 else None
    times = run(poll_for(driver, 60.0)).times("read a/0")
    assert driver.silences("a") == []
    between = gaps(times[1:])
    assert min(between) == pytest.approx(1.0 + TIMEOUT_S), "the repeat"
    assert max(between) < 7.5


def test_two_lost_answers_in_a_row_are_silence() -> None:
    driver = bus(a=5.0)
    driver.error = gone("a", since=20.0)
    run(poll_for(driver, 60.0))
    first, second = [at for at in driver.times("read a/0") if at >= 20.0][:2]
    assert second == pytest.approx(first + TIMEOUT_S + 1.0)
    assert driver.silences("a")[0] == pytest.approx(second + TIMEOUT_S)


@pytest.mark.parametrize("outage_s", [3.0, 60.0, 3600.0])
@pytest.mark.parametrize("periods", [[5.0], [5.0, 60.0], [60.0]])
def test_a_device_is_back_in_its_rhythm_within_15_s(outage_s: float, periods: list[float]) -> None:
    driver = bus(a=periods)
    back = 100.0 + outage_s
    driver.error = gone("a", since=100.0, until=back)
    run(poll_for(driver, back + 400.0))
    for index, every_s in enumerate(periods):
        times = [at for at in driver.times(f"read a/{index}") if at >= back]
        missed = outage_s > every_s
        assert times[0] - back <= (10.0 + TIMEOUT_S + 0.01 if missed else every_s)
        between = gaps(times[1:])
        assert between == pytest.approx([every_s] * len(between), abs=0.02), "on its grid again"


def test_a_dead_device_costs_its_line_one_timeout_a_backoff() -> None:
    driver = bus(dead=[5.0, 10.0], alive=5.0)
    driver.error = gone("dead")
    run(poll_for(driver, 3600.0))
    wasted = [asked for asked in driver.asked if asked.device == "dead"]
    assert len(wasted) <= 3600.0 / 29.0 + 12, "twice a minute"
    times = driver.times("read alive/0")[2:]
    assert len(times) == pytest.approx(720, abs=3)
    lateness = [(at - times[0] + 1.0) % 5.0 - 1.0 for at in times]
    assert max(lateness) - min(lateness) <= TIMEOUT_S + 0.02, "never later than one timeout"


@pytest.mark.parametrize(("outage_s", "within_s"), [(8.0, 8.0), (25.0, 14.0), (65.0, 14.0), (3600.0, 29.0)])
def test_a_unit_of_a_shared_line_is_back_within_its_breakers_period(outage_s: float, within_s: float) -> None:
    driver = bus(a=5.0, b=5.0)
    back = 100.0 + outage_s
    driver.error = gone("a", since=100.0, until=back)
    run(poll_for(driver, back + 60.0))
    assert min(at for at in driver.times("read a/0") if at >= back) - back <= within_s + 2 * TIMEOUT_S


def test_a_line_that_was_away_as_a_whole_asks_everybody_at_once_when_one_is_back() -> None:
    driver = bus(a=5.0, b=5.0, c=5.0)
    driver.error = gone("a", "b", "c", since=100.0, until=1000.0)
    run(poll_for(driver, 1100.0))
    first = [min(at for at in driver.times(f"read {device}/0") if at >= 1000.0) for device in "abc"]
    assert min(first) <= 1031.0
    assert max(first) - min(first) <= 6.0


def overloads(driver: MemoryBus) -> list[tuple[bool, float | None]]:
    return [(item.holds, item.value) for _, item in driver.heard if isinstance(item, Notice)]


def test_a_line_that_is_asked_too_much_says_so_with_its_figure_and_serves_every_poll() -> None:
    driver = run(poll_for(bus(0.3, a=[1.0, 10.0], b=1.0, c=1.0, d=1.0), 600.0))
    ((holds, percent),) = overloads(driver)
    assert holds
    assert percent == pytest.approx(123.0, abs=30.0)
    assert {item.subject for _, item in driver.heard if isinstance(item, Notice)} == {"bus/line"}
    assert len(driver.times("read a/1")) >= 40, "the slow poll is not starved"
    each = [len(driver.times(f"read {device}/0")) for device in "abcd"]
    assert max(each) - min(each) <= 0.1 * max(each), "nobody pays for all"


def test_a_line_that_keeps_up_again_takes_its_word_back() -> None:
    async def scenario() -> MemoryBus:
        driver = bus(0.6, a=1.0, b=1.0)
        async with running(driver):
            await asyncio.sleep(60.0)
            driver.answer_s = 0.1
            await asyncio.sleep(60.0)
        return driver

    assert [holds for holds, _ in overloads(run(scenario()))] == [True, False]


def test_an_unreachable_device_costs_other_lanes_nothing() -> None:
    async def scenario() -> MemoryBus:
        dead, alive = bus(dead=5.0), bus(alive=5.0)
        dead.error = gone("dead")
        async with running(dead), running(alive):
            await asyncio.sleep(3600.0)
        return alive

    times = run(scenario()).times("read alive/0")[1:]
    assert gaps(times) == pytest.approx([5.0] * 718, abs=0.0015)


def test_a_request_that_nobody_answers_spares_the_others() -> None:
    driver = bus(a=[5.0, 10.0])
    driver.error = lambda what, _now: NoAnswer("no answer") if what == "read a/1" else None
    run(poll_for(driver, 3600.0))
    assert len(driver.silences("a")) <= 4, "a device that answers is not called silent again and again"
    assert len(driver.times("read a/0")) >= 700, "the sound poll keeps its rhythm"
    assert len(driver.times("read a/1")) <= 3600.0 / 10.0 + 8


def test_a_busy_device_is_left_alone_and_not_called_silent() -> None:
    driver = bus(a=5.0)
    driver.error = lambda _what, _now: Busy("busy")
    run(poll_for(driver, 600.0))
    assert driver.silences("a") == []
    assert len(driver.asked) <= 600.0 / 10.0 + 6


@pytest.mark.parametrize("error", [BadAnswer("noise"), NotConnected("refused"), NoAnswer("no answer")])
def test_whatever_keeps_a_device_from_answering_is_silence_with_its_cause(error: DriverError) -> None:
    driver = bus(a=5.0)
    driver.error = lambda _what, _now: error
    run(poll_for(driver, 10.0))
    causes = {item.cause for _, item in driver.heard if isinstance(item, Silence)}
    assert causes == {error.cause}


def test_a_line_of_our_own_that_is_missing_is_silence_at_once() -> None:
    driver = bus(a=5.0)
    driver.error = lambda _what, _now: BindFailed("serial line: no such file or directory")
    run(poll_for(driver, 5.0))
    assert driver.silences("a")[0] == TIMEOUT_S


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NoAnswer("no answer"), Outcome.NO_FEEDBACK),
        (NotConnected("connection refused"), Outcome.NO_FEEDBACK),
        (Busy("busy"), Outcome.NO_FEEDBACK),
        (BindFailed("serial line: no such device"), Outcome.NO_FEEDBACK),
        (Refused("expected device 1201, found 7"), Outcome.REJECTED),
    ],
)
def test_each_write_that_could_not_be_sent_has_its_outcome(error: DriverError, outcome: Outcome) -> None:
    async def scenario() -> MemoryBus:
        driver = bus(a=5.0)
        async with running(driver) as lane:
            await asyncio.sleep(10.0)
            driver.error = lambda _what, _now: error
            lane.put([write("a", 40.0), write("a", 60.0, "p1")])
            await lane.flushed()
        return driver

    driver = run(scenario())
    assert [(result.write.value, result.outcome, result.detail) for result in driver.results] == [
        (40.0, outcome, error.cause),
        (60.0, outcome, error.cause),
    ]
    assert driver.held == {}


def test_a_write_to_a_device_that_is_left_alone_waits_and_is_the_first_it_hears() -> None:
    async def scenario() -> MemoryBus:
        driver = bus(a=5.0, b=5.0)
        driver.error = gone("a", until=50.0)  # asked at 0, 1.5, 4, 8.5, 17, 31.5, 46 and 60.5
        async with running(driver) as lane:
            await asyncio.sleep(33.0)
            lane.put([write("a", 40.0)])
            await asyncio.sleep(1.0)
            lane.put([write("a", 60.0), write("b", 10.0)])
            await asyncio.sleep(10.0)
            assert driver.held == {PointId("b", "p0"): 10.0}, "the neighbour does not wait with it"
            assert driver.times("write a") == []
            await asyncio.sleep(15.0)
            lane.put([write("a", 70.0)])
            await lane.flushed()
        return driver

    driver = run(scenario())
    assert driver.times("write a") == pytest.approx([46.0, 60.5], abs=0.1)
    assert [(result.write.value, result.outcome) for result in driver.results if result.write.point.device == "a"] == [
        (60.0, Outcome.NO_FEEDBACK),
        (70.0, Outcome.APPLIED),
    ], "40 was replaced before it was sent, 60 had its outcome"


def test_an_answer_to_a_write_ends_the_silence() -> None:
    async def scenario() -> MemoryBus:
        driver = bus(a=5.0)
        driver.error = gone("a", until=50.0)
        async with running(driver) as lane:
            await asyncio.sleep(51.0)
            lane.put([write("a", 40.0)])
            await asyncio.sleep(11.0)
            driver.error = gone("a")
            await asyncio.sleep(12.0)
        return driver

    driver = run(scenario())
    (written,) = driver.times("write a")
    after = [at for at in driver.times("read a/0") if at > written]
    assert after[0] < written + 0.1, "what is due follows at once"
    failed = [at for at in after if at >= 62.0]
    assert gaps(failed)[:2] == pytest.approx([1.0 + TIMEOUT_S, 2.0 + TIMEOUT_S], abs=0.002), (
        "and the backoff starts anew"
    )


def test_failures_with_an_answer_between_them_are_no_silence() -> None:
    async def scenario() -> MemoryBus:
        driver = bus(a=[])
        async with running(driver) as lane:
            for lost in (True, False) * 5:
                driver.error = gone("a", until=float("inf") if lost else 0.0)
                lane.put([write("a", 1.0)])
                await lane.flushed()
        return driver

    driver = run(scenario())
    assert [result.outcome for result in driver.results] == [Outcome.NO_FEEDBACK, Outcome.APPLIED] * 5
    assert driver.silences("a") == []


def test_a_bug_ends_the_lane() -> None:
    async def scenario() -> None:
        driver = bus(a=5.0)

        def broken(_what: str, now: float) -> DriverError | None:
            if now > 10.0:
                raise ZeroDivisionError("a bug")
            return None

        driver.error = broken
        await LaneTask(driver, driver.lanes[0], CLOCK, driver.hear).run()

    with pytest.raises(ZeroDivisionError):
        run(scenario())


@pytest.mark.parametrize("busy", [True, False])
def test_a_cancelled_lane_ends_at_once(busy: bool) -> None:
    async def scenario() -> float:
        loop = asyncio.get_running_loop()
        driver = bus(answer_s=30.0 if busy else 0.1, a=1000.0)
        task = asyncio.create_task(LaneTask(driver, driver.lanes[0], CLOCK, driver.hear).run())
        await asyncio.sleep(5.0)
        assert driver.busy is busy
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        return loop.time()

    assert run(scenario()) == 5.0


def test_a_lane_without_polls_waits_for_writes() -> None:
    async def scenario() -> MemoryBus:
        driver = bus(a=[])
        driver.error = gone("a", until=1.0)
        async with running(driver) as lane:
            lane.put([write("a", 1.0)])
            await asyncio.sleep(0.9)
            lane.put([write("a", 2.0)])  # the device is left alone for a second now
            await lane.flushed()
        return driver

    driver = run(scenario())
    assert driver.held == {PointId("a", "p0"): 2.0}
    assert driver.times("write a") == pytest.approx([0.0, 1.5])


steps = st.lists(
    st.tuples(
        st.floats(0.0, 30.0),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["p0", "p1"]),
        st.integers(0, 100),
    ),
    max_size=40,
)
outages = st.dictionaries(
    st.sampled_from(["a", "b", "c"]), st.tuples(st.floats(0.0, 300.0), st.floats(0.0, 300.0)), max_size=3
)


@settings(max_examples=40, deadline=None)
@given(steps=steps, outages=outages, answer_s=st.floats(0.001, 8.0))
def test_any_lane_ends_with_the_last_value_of_each_point(
    steps: list[tuple[float, str, str, int]], outages: dict[str, tuple[float, float]], answer_s: float
) -> None:
    """Whatever is asked and whoever is away: one request at a time, and what is asked for again arrives."""

    async def scenario() -> tuple[MemoryBus, dict[PointId, float]]:
        driver = bus(answer_s=answer_s, a=[5.0, 60.0], b=5.0, c=30.0)
        away = {device: (start, start + length) for device, (start, length) in outages.items()}

        def error(what: str, now: float) -> DriverError | None:
            start, end = away.get(what.split()[1].partition("/")[0], (0.0, 0.0))
            return NoAnswer("no answer") if start <= now < end else None

        driver.error = error
        last: dict[PointId, float] = {}
        async with running(driver) as lane:
            for pause_s, device, point, value in steps:
                await asyncio.sleep(pause_s)
                last[PointId(device, point)] = float(value)
                lane.put([write(device, float(value), point)])
            await asyncio.sleep(700.0)  # the longest outage, and its backoff
            lane.put([Write(point, value) for point, value in last.items()])  # the core asserts on return
            await lane.flushed()
        return driver, last

    driver, last = run(scenario())
    assert driver.held == last
    sent = sum(len(asked.values) for asked in driver.asked)
    assert len(driver.results) == sent, "each write that was sent has exactly one outcome"


# The same lane on the real wire: the Modbus driver against the simulated cabinets.


@asynccontextmanager
async def on_the_wire(
    site: Site, *orders: str
) -> AsyncIterator[tuple[TownServer, LaneTask, list[tuple[float, Heard]]]]:
    """The bus ``mairie`` of a simulated town with its lane at work, and all that is heard."""
    bus_of_it = site.buses["mairie"]
    devices = [
        BusDevice(each.id, each.settings, each.profile, each.points)
        for each in site.devices.values()
        if each.bus == "mairie"
    ]
    heard: list[tuple[float, Heard]] = []
    loop = asyncio.get_running_loop()
    driver = DRIVERS["modbus"].build("mairie", bus_of_it.settings, devices, Host(CLOCK.now, site.directory))
    lane = LaneTask(driver, driver.lanes[0], CLOCK, lambda items: heard.extend((loop.time(), item) for item in items))
    async with simulated(site) as server:
        for order in orders:
            server.control.obey(order)
        task = asyncio.create_task(lane.run())
        try:
            yield server, lane, heard
        finally:
            task.cancel()
            await asyncio.wait([task])
            await driver.close()


async def test_a_lamp_is_read_and_switched_over_the_wire() -> None:
    async with on_the_wire(wired_town()) as (server, lane, heard):
        points = set(server.town.site.devices["cab-mairie"].points)
        await eventually(lambda: {item.point.point for _, item in heard if isinstance(item, Reading)} == points)
        lane.put([write("cab-mairie", 60.0, "lamp.1.command"), write("cab-mairie", 1.0, "segment.1.command")])
        await lane.flushed()
        assert server.town.lighting.contactors["mairie-a"].commanded
        results = {item.write.point.point: item for _, item in heard if isinstance(item, WriteResult)}
        assert {name: result.outcome for name, result in results.items()} == {
            "lamp.1.command": Outcome.APPLIED,
            "segment.1.command": Outcome.APPLIED,
        }
        observed = results["lamp.1.command"].observed
        assert observed is not None
        assert observed.value == 60.0


async def test_an_absent_unit_behind_a_gateway_leaves_its_neighbour_in_peace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller.turns, "_FIRST_S", 0.1)
    async with on_the_wire(wired_town(shared=True)) as (server, lane, heard):
        await eventually(
            lambda: {item.point.device for _, item in heard if isinstance(item, Reading)} == {"cab-mairie", "cab-gare"}
        )
        server.control.obey("fault cab-gare absent")
        lane.put([write("cab-gare", 40.0, "lamp.1.command"), write("cab-mairie", 40.0, "lamp.1.command")])
        await lane.flushed()
        outcomes = {item.write.point.device: item.outcome for _, item in heard if isinstance(item, WriteResult)}
        assert outcomes == {"cab-gare": Outcome.NO_FEEDBACK, "cab-mairie": Outcome.APPLIED}
        await eventually(lambda: [item for _, item in heard if isinstance(item, Silence) and item.device == "cab-gare"])
        assert not [item for _, item in heard if isinstance(item, Silence) and item.device == "cab-mairie"]
        server.control.obey("clear cab-gare")
        heard.clear()
        await eventually(
            lambda: [item for _, item in heard if isinstance(item, Reading) and item.point.device == "cab-gare"]
        )


async def test_an_unplugged_cabinet_is_silent_and_answers_again_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(controller.turns, "_FIRST_S", 0.1)
    async with on_the_wire(wired_town(), "fault cab-mairie disconnect") as (server, _, heard):
        await eventually(lambda: [item for _, item in heard if isinstance(item, Silence)])
        server.control.obey("clear cab-mairie")
        await eventually(lambda: [item for _, item in heard if isinstance(item, Reading)])
