"""Lanes and devices that do not answer: left alone for how long, called silent when, back how soon. In virtual time."""

from __future__ import annotations

import asyncio

import pytest

from drivers.api import (
    BadAnswer,
    BindFailed,
    Busy,
    DriverError,
    NoAnswer,
    NotConnected,
    Outcome,
    PointId,
    Refused,
    Silence,
)
from tests.controller.memory_bus import (
    TIMEOUT_S,
    MemoryBus,
    bus,
    gaps,
    gone,
    poll_for,
    running,
    write,
)
from tests.virtual_time import run


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
