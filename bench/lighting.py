"""The core of a town of 10,000 lamps: a tick in which nothing changes, dusk, and the year's plan of every group.

CPU time of one process, the best of several runs: the core waits for nothing. Beside it the least that a scheduler does
which looks at every lamp in turn, as most do: ask each lamp's plan for its level, and compare it with what it has.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from bench.lighting_town import GROUPS, LAMPS, OUTPUTS, write_town
from bench.plan import Plan
from bench.process import BenchFault
from bench.table import Table
from config.load import load_site
from controller.core.cycle import begin, cycle
from controller.core.journal import Saved
from controller.core.state import Step
from controller.core.timetable import timetable
from controller.core.wiring import Wiring
from drivers.api import PointId, Reading
from schedules.moments import noon
from schedules.plan import evaluate

T = TypeVar("T")

_AFTERNOON = datetime(2026, 1, 12, 14, tzinfo=UTC)
_SHORTLY = timedelta(milliseconds=1)


def run_lighting(folder: Path, plan: Plan) -> list[Table]:
    """The three figures, each beside its baseline and its bound."""
    town = Wiring(load_site(write_town(folder)))
    gc.collect()
    gc.freeze()
    gc.disable()  # as the daemon, which searches for cycles once in a long while
    try:
        rounds = plan.rounds or (3 if plan.quick else 10)
        idle, dusk = _rest(town, rounds), _dusk(town, rounds)
        year = _year(town)
    finally:
        gc.enable()
        gc.unfreeze()
    naive_ms = _naive_ms(town, rounds)
    rows = (
        ("a tick in which nothing changes", f"{idle:.3f}", "1", f"{idle / naive_ms:.4f}"),
        (f"dusk: {OUTPUTS:,} outputs change", f"{dusk:.0f}", "250", f"{dusk / naive_ms:.1f}"),
        (f"the year's plan of {GROUPS} groups", f"{year:.0f}", "10000", ""),
        ("a loop over every lamp's plan", f"{naive_ms:.0f}", "", "1"),
    )
    return [
        Table(
            "lighting",
            f"{LAMPS:,} lamps in {GROUPS} groups: CPU of the core",
            ("what", "ms", "bound ms", "of the loop"),
            rows,
            ("The loop only compares levels; dusk decides, explains and writes every output.",),
            {"idle_ms": idle, "dusk_ms": dusk, "year_ms": year, "loop_ms": naive_ms},
        )
    ]


def _rest(town: Wiring, rounds: int) -> float:
    step = _heard(town)
    taken, quiet = _best_ms(lambda: cycle(town, step.state, (), step.state.at + _SHORTLY), 20 * rounds)
    if quiet.changed or quiet.writes:
        raise BenchFault("something changed in a tick in which nothing should")
    return taken


def _dusk(town: Wiring, rounds: int) -> float:
    step = _heard(town)
    while not step.writes:
        due = step.next_due
        if due is None:
            raise BenchFault("nothing is ever due")
        before, now = step, due
        step = cycle(town, step.state, (), due)
    if len(step.writes) != OUTPUTS:
        raise BenchFault(f"{len(step.writes)} writes at dusk, not {OUTPUTS}")
    return _best_ms(lambda: cycle(town, before.state, (), now), rounds)[0]


def _year(town: Wiring) -> float:
    """Every group's timetable of 365 nights, worked out from nothing."""
    zone = town.site.place.zone
    first = _AFTERNOON.date()
    start, end = noon(first, zone), noon(first + timedelta(days=365), zone)
    began = time.process_time()
    found = sum(1 for _ in timetable(town, start, end, [f"group/{group}" for group in town.site.groups]))
    taken_ms = (time.process_time() - began) * 1000.0
    if found < 365 * GROUPS:
        raise BenchFault(f"only {found} stretches of light and dark in {GROUPS} years")
    return taken_ms


def _naive_ms(town: Wiring, rounds: int) -> float:
    plans = [town.site.groups[town.group_of[f"lamp/{lamp}"]].plan for lamp in town.site.lamps]
    held = [0.0] * len(plans)
    return _best_ms(
        lambda: sum(evaluate(plan, _AFTERNOON).level != level for plan, level in zip(plans, held, strict=True)), rounds
    )[0]


def _heard(town: Wiring) -> Step:
    """The core after every cabinet has answered once: all is off and agrees."""
    step = begin(town, Saved(), _AFTERNOON)
    return cycle(town, step.state, list(_answers(town)), _AFTERNOON)


def _answers(town: Wiring) -> Iterator[Reading]:
    for device in town.site.devices.values():
        for point in device.points:
            value = 230.0 if "voltage" in point else 0.0
            yield Reading(PointId(device.id, point), value, _AFTERNOON)


def _best_ms(work: Callable[[], T], rounds: int) -> tuple[float, T]:
    taken = []
    for _ in range(rounds):
        began = time.process_time()
        found = work()
        taken.append(time.process_time() - began)
    return min(taken) * 1000.0, found
