"""Lanes: which device is talked to when, in virtual time over devices in memory."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.lane import LaneTask
from drivers.api import (
    DriverError,
    NoAnswer,
    Notice,
    PointId,
    Write,
)
from tests.controller.memory_bus import (
    CLOCK,
    Asked,
    MemoryBus,
    bus,
    gaps,
    gone,
    poll_for,
    running,
    write,
)
from tests.virtual_time import run


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
