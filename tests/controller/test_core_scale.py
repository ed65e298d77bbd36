"""What a cycle costs in a town of 10,000 lamps: processor time, with wide bounds; -s shows the figures."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

import pytest

from config.site import Cabinet, Group, Lamp, Segment, Site
from controller.clock import Clock
from controller.core.cycle import begin, cycle
from controller.core.journal import Saved
from controller.core.state import Step
from controller.core.wiring import Wiring
from controller.difference import difference
from controller.gateway import gateway_state
from controller.mqtt.outbox import Outbox
from controller.mqtt.topics import Topics
from controller.reporter import Reporter
from drivers.api import Outcome, PointId, Reading, WriteResult
from schedules import plan as plans
from schedules.plan import Plan
from tests.controller.towns import LED, PLACE, at, cabinet_device, profile, program, town

T = TypeVar("T")
CABINETS, LAMPS_EACH, GROUPS = 500, 20, 200
FULL = 64
"""Lamps at the first cabinet."""
LAMPS = CABINETS * LAMPS_EACH + FULL - LAMPS_EACH
RAMP_S = 30.0


def big_town(cabinets: int = CABINETS, ramp_s: float = 0.0) -> Site:
    """20 lamps and two contactors at each cabinet, 64 at the first, in 200 groups on 10 plans; 10,044 by default."""
    base, kind, full = town(), cabinet_device("any", LAMPS_EACH, 2, 5020), cabinet_device("any", FULL, 2, 5020)
    names = [f"c-{number:03d}" for number in range(cabinets)]
    lamps = [
        Lamp(f"{name}-{n:02d}", name, n, LED, cabinet=name, segment=f"{name}-s{1 + n % 2}")
        for name in names
        for n in range(1, (LAMPS_EACH if name != names[0] else FULL) + 1)
    ]
    levels = {"22:30": 60.0, "00:30": 0.0, "05:00": 60.0}
    followed = [Plan(f"p-{number}", program("town", levels, ramp_s), (), PLACE) for number in range(10)]
    groups = [Group(f"g-{n:03d}", followed[n % 10], tuple(lamp.id for lamp in lamps[n::GROUPS])) for n in range(GROUPS)]
    segments = [Segment(f"{name}-s{output}", name, name, output) for name in names for output in (1, 2)]
    return replace(
        base,
        buses={"armoires": base.buses["armoires"]},
        devices={name: replace(kind if name != names[0] else full, id=name) for name in names},
        plans={each.id: each for each in followed},
        groups={group.id: group for group in groups},
        lamps={lamp.id: lamp for lamp in lamps},
        segments={segment.id: segment for segment in segments},
        cabinets={name: Cabinet(name, name, "", (f"{name}-s1", f"{name}-s2")) for name in names},
        meters={},
        buildings={},
        zones={},
    )


class Bench:
    """The core over one site: what it did last, and how long things take."""

    def __init__(self, site: Site, now: datetime) -> None:
        self.wiring, self.now = Wiring(site), now
        self.step = begin(self.wiring, Saved(), now)
        self.feed(self.readings(*site.devices))

    def readings(self, *devices: str, power_w: float = 0.0, energy_kwh: float = 0.0) -> list[Reading]:
        """What these devices answer: they hold what is commanded."""
        return [
            Reading(PointId(device, point), self._value(device, point, power_w, energy_kwh), self.now)
            for device in devices
            for point in self.wiring.site.devices[device].points
        ]

    def feed(self, inbox: Iterable[Reading | WriteResult] = (), after_s: float = 0.0) -> Step:
        """One cycle, ``after_s`` later."""
        self.now += timedelta(seconds=after_s)
        self.step = cycle(self.wiring, self.step.state, list(inbox), self.now)
        return self.step

    def obeyed(self) -> list[WriteResult]:
        """What the devices say to the last writes."""
        results = []
        for write in self.step.writes:
            assert write.value is not None
            seen = Reading(write.point, write.value, self.now)
            results.append(WriteResult(write, Outcome.APPLIED, self.now, seen))
        return results

    def until_the_next_change(self) -> None:
        """To the last instant before the plans change the level."""
        group = self.wiring.site.groups["g-000"]
        change = plans.next_change(group.plan, self.now) - timedelta(milliseconds=1)
        self.feed(after_s=(change - self.now).total_seconds())

    def _value(self, device: str, point: str, power_w: float, energy_kwh: float) -> float:
        family, _, quantity = point.partition(".")
        quantity = quantity.partition(".")[2]
        if quantity in ("energy", "burning"):
            return energy_kwh
        if family == "lamp" and quantity == "power":
            return power_w
        if quantity not in ("command", "level", "feedback"):
            return 0.0
        target = self.wiring.commanded[device, f"{point.rpartition('.')[0]}.command"]
        output = self.step.state.outputs[target.key]
        return output.slots[0][1] or 0.0


def fastest_ms(title: str, work: Callable[[], T], times: int = 3) -> tuple[float, T]:
    """The best of several runs, and what the last one gave."""
    taken = []
    for _ in range(times):
        began = time.process_time()
        found = work()
        taken.append(time.process_time() - began)
    print(f"{title}: {min(taken) * 1000:.2f} ms")  # noqa: T201
    return min(taken) * 1000, found


@pytest.fixture(scope="module")
def site() -> Site:
    return big_town()


@pytest.fixture(scope="module")
def afternoon(site: Site) -> Bench:
    """All cabinets have answered; as nothing in a step ever changes, every test can go on from here."""
    return Bench(site, at("2026-01-12 15:00"))


@pytest.fixture
def bench(afternoon: Bench) -> Bench:
    return copy.copy(afternoon)


def test_a_cycle_in_which_nothing_changes_costs_next_to_nothing(bench: Bench) -> None:
    taken_ms, step = fastest_ms("nothing changes", lambda: bench.feed(after_s=0.5), 20)
    assert not step.changed
    assert taken_ms < 5.0


def test_the_hour_at_which_the_whole_town_lights_up(bench: Bench) -> None:
    bench.until_the_next_change()
    state, dusk = bench.step.state, bench.now + timedelta(milliseconds=1)
    taken_ms, step = fastest_ms("dusk", lambda: cycle(bench.wiring, state, (), dusk), 2)
    assert len(step.writes) == LAMPS + 2 * CABINETS
    assert taken_ms < 1500.0
    bench.now, bench.step = dusk, step
    results = bench.obeyed()
    taken_ms, _ = fastest_ms("the outcomes of all writes", lambda: cycle(bench.wiring, step.state, results, dusk), 1)
    assert taken_ms < 3000.0


def test_the_report_of_dusk(bench: Bench) -> None:
    bench.until_the_next_change()
    outbox = Outbox()
    reporter = Reporter(bench.wiring, Topics("veilleuse", "town"), outbox)
    reporter.report(replace(bench.step, changed=frozenset(bench.wiring.device_of)), bench.now)
    step = bench.feed(after_s=0.001)
    taken_ms, _ = fastest_ms("report of dusk", lambda: reporter.report(step, bench.now), 1)
    assert len(outbox.world) == LAMPS + 3 * CABINETS
    assert taken_ms < 4000.0
    taken_ms, _ = fastest_ms("history samples", lambda: reporter.samples(bench.now))
    assert taken_ms < 300.0
    taken_ms, _ = fastest_ms("gateway state", lambda: gateway_state(bench.wiring, step.state, bench.now, Clock()))
    assert taken_ms < 300.0


def test_the_answer_of_one_full_cabinet(bench: Bench) -> None:
    bench.feed(bench.readings("c-000", energy_kwh=1.0), after_s=130.0)
    bench.now += timedelta(seconds=5)
    readings, state = bench.readings("c-000", energy_kwh=1.001), bench.step.state
    taken_ms, step = fastest_ms(
        f"{len(readings)} readings of 64 lamps", lambda: cycle(bench.wiring, state, readings, bench.now), 20
    )
    assert step.state.counters["lamp/c-000-64/energy_kwh"] == pytest.approx(1.001)
    assert len(step.changed) >= 64
    assert taken_ms < 25.0
    state = step.state
    bench.now += timedelta(seconds=5)
    readings = bench.readings("c-000", energy_kwh=1.001)
    taken_ms, step = fastest_ms("the same again", lambda: cycle(bench.wiring, state, readings, bench.now), 20)
    assert not [key for key in step.changed if key.startswith("lamp/")], "nothing to report"
    assert taken_ms < 25.0


def test_a_phase_that_fails_everywhere_is_judged_once_a_cabinet(bench: Bench) -> None:
    bench.feed(after_s=3 * 3600.0)
    bench.feed(bench.obeyed(), after_s=0.1)
    for pause_s in (1.0, 200.0, 45.0):
        bench.feed(after_s=pause_s)
        bench.feed(bench.readings(*bench.wiring.site.devices, power_w=0.0))
    state, later = bench.step.state, bench.now + timedelta(seconds=16)
    assert len(state.alarms) == LAMPS
    taken_ms, step = fastest_ms("10,000 alarms in one cycle", lambda: cycle(bench.wiring, state, (), later), 1)
    assert len(step.alarms) == LAMPS
    assert taken_ms < 1500.0


def test_a_ramp_leaves_no_trace_in_the_heap() -> None:
    bench = Bench(big_town(20, RAMP_S), at("2026-01-12 15:00"))
    bench.until_the_next_change()
    for _ in range(30):
        bench.feed(bench.obeyed(), after_s=RAMP_S / 30)
    state = bench.step.state
    assert all(output.slots[0][1] for output in state.outputs.values()), "the town is lit"
    assert len(state.heap) <= 2 * len(state.due) + 64


def test_a_reload_is_compared_in_a_moment(site: Site) -> None:
    profile.cache_clear()
    other = big_town()
    taken_ms, found = fastest_ms("difference of two equal towns", lambda: difference(site, other), 1)
    assert found == {}
    assert taken_ms < 2000.0
    taken_ms, _ = fastest_ms("wiring", lambda: Wiring(other), 1)
    assert taken_ms < 2000.0
