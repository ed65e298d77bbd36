"""The whole job: N Modbus TCP meters x 16 float32 points every second to MQTT, the daemon against plain loops."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from bench.field import Broker, Farm
from bench.figures import Arrival, Freshness, Spread, freshness, ratios
from bench.listener import Listener, Message
from bench.plan import Plan
from bench.process import BenchFault, Cost, Process, python, wait_until
from bench.table import Table
from bench.town import metering_site

_START_S = 120.0
_PLAIN_S = 20.0
"""A plain loop does the same every second; the daemon also keeps samples every minute, so its window is a full one."""


class Field(Protocol):
    """Devices whose first value is a counter that began at ``start_s``."""

    start_s: float
    first_port: int
    count: int


@dataclass(frozen=True, slots=True)
class Contestant:
    """Who does the job: what it is called, how it is started, and how its messages are read."""

    name: str
    start: Callable[[Path, Broker, Field], Process]
    read: Callable[[Message], Iterator[Arrival]]
    topics: tuple[str, ...]
    settle_s: float = 4.0
    """From the first word of every device to the beginning of its window."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One contestant in one round."""

    name: str
    cost: Cost
    fresh: Freshness


def _start_daemon(folder: Path, broker: Broker, farm: Field) -> Process:
    site = folder / "site"
    site.mkdir(exist_ok=True)
    metering_site(site, broker.port, farm.first_port, farm.count)
    state = folder / f"state-{time.monotonic_ns()}"
    return start_site(site, state)


def start_site(site: Path, state: Path) -> Process:
    """The daemon of ``site``."""
    argv = python("controller", "run", str(site), "--state", str(state), "--log-level", "warning")
    return Process(argv, state.parent / "daemon.log")


def read_state(message: Message) -> Iterator[Arrival]:
    payload = json.loads(message.payload)
    if "voltage_l1_v" in payload:
        numbers = sum(isinstance(value, int | float) for value in payload.values())
        yield Arrival(message.at_s, message.topic.split("/")[3], round(payload["voltage_l1_v"]), numbers)


def _starts_plain(phases: str) -> Callable[[Path, Broker, Field], Process]:
    def start(folder: Path, broker: Broker, farm: Field) -> Process:
        words = (phases, str(broker.port), str(farm.first_port), str(farm.count))
        return Process(python("bench.plain_loop", *words), folder / f"plain-{phases}.log")

    return start


def read_plain(message: Message) -> Iterator[Arrival]:
    payload = json.loads(message.payload)
    yield Arrival(message.at_s, message.topic.split("/")[1], round(payload["voltage_l1"]), len(payload))


STATES = ("veilleuse/bench/meter/+/state",)
DAEMON = Contestant("veilleuse, the whole daemon", _start_daemon, read_state, STATES)
SPREAD = Contestant("pymodbus + aiomqtt, spread", _starts_plain("spread"), read_plain, ("plain/#",))
BURST = Contestant("pymodbus + aiomqtt, one burst", _starts_plain("burst"), read_plain, ("plain/#",))


@dataclass(frozen=True, slots=True)
class Failure:
    """A contestant that did not do it."""

    name: str
    why: str


@contextmanager
def surroundings(folder: Path, count: int, delay_ms: int = 0) -> Iterator[tuple[Broker, Farm]]:
    """A broker and a farm of ``count`` devices."""
    broker = Broker(folder)
    try:
        farm = Farm(folder, count, "--delay-ms", str(delay_ms))
        try:
            yield broker, farm
        finally:
            farm.stop()
    finally:
        broker.stop()


def heat(
    contestant: Contestant, folder: Path, broker: Broker, farm: Field, window_s: float, every_s: float = 1.0
) -> Outcome:
    """One contestant from its start to the end of its window, which begins when all devices have been heard."""
    listener = Listener(broker.port, *contestant.topics)
    process = contestant.start(folder, broker, farm)
    heard: set[str] = set()
    seen = 0

    def all_heard() -> bool:
        nonlocal seen
        new = listener.messages[seen:]
        seen += len(new)
        heard.update(arrival.device for message in new for arrival in contestant.read(message))
        return len(heard) >= farm.count

    try:
        wait_until(lambda: all_heard() or not process.running, _START_S, f"all {farm.count} devices heard")
        time.sleep(contestant.settle_s)
        cost, window = process.costs(window_s)
    finally:
        process.stop()
        listener.close()
    arrivals = [arrival for message in listener.messages for arrival in contestant.read(message)]
    return Outcome(contestant.name, cost, freshness(arrivals, farm.start_s, window, farm.count, every_s))


def _tried(contestant: Contestant, folder: Path, broker: Broker, farm: Field, window_s: float) -> Outcome | Failure:
    try:
        return heat(contestant, folder, broker, farm, window_s)
    except BenchFault as fault:
        return Failure(contestant.name, str(fault))


def whole_job(
    folder: Path, contestants: Sequence[Contestant], count: int, delay_ms: int, window_s: float, rounds: int
) -> list[Outcome | Failure]:
    """``rounds`` times each contestant, one after the other, against one farm and one broker."""
    outcomes: list[Outcome | Failure] = []
    with surroundings(folder, count, delay_ms) as (broker, farm):
        for _ in range(rounds):
            for contestant in contestants:
                span_s = window_s if contestant is DAEMON else min(window_s, _PLAIN_S)
                outcomes.append(_tried(contestant, folder, broker, farm, span_s))
    return outcomes


HEAD = ("devices", "who", "CPU-s per min", "of spread", "updates", "age p50 / p99 s", "points", "RSS MiB (peak)")


def table_of(case: str, count: int, delay_ms: int, tried: Sequence[Outcome | Failure]) -> Table:
    """The outcomes of one size as a table; ratios against the spread loop of the same round, where it ran."""
    outcomes = [outcome for outcome in tried if isinstance(outcome, Outcome)]
    names = list(dict.fromkeys(outcome.name for outcome in outcomes))
    by_name = {name: [outcome for outcome in outcomes if outcome.name == name] for name in names}
    answering = f", answering after {delay_ms} ms" if delay_ms else ""
    return Table(
        case,
        f"{count} Modbus TCP devices x 16 float32 points every second to MQTT{answering}",
        HEAD,
        tuple(_row(count, name, by_name) for name in names),
        tuple(f"{failure.name}: {failure.why}" for failure in tried if isinstance(failure, Failure)),
        figures={"devices": count, "delay_ms": delay_ms, "outcomes": [asdict(outcome) for outcome in outcomes]},
    )


def _row(count: int, name: str, by_name: Mapping[str, Sequence[Outcome]]) -> tuple[str, ...]:
    own = by_name[name]
    cpu = [outcome.cost.cpu_s_per_min for outcome in own]
    yardstick = [outcome.cost.cpu_s_per_min for outcome in by_name.get(SPREAD.name, ())]
    return (
        str(count),
        name,
        Spread.of(cpu).text(),
        ratios(cpu, yardstick).text(2) if len(yardstick) == len(cpu) else "",
        " ".join(f"{outcome.fresh.share:.1%}" for outcome in own),
        f"{Spread.of(o.fresh.age_p50_s for o in own).text(3)} / {Spread.of(o.fresh.age_p99_s for o in own).text(3)}",
        f"{own[0].fresh.points:.0f}",
        f"{max(outcome.cost.rss_mib for outcome in own):.0f} ({max(outcome.cost.peak_mib for outcome in own):.0f})",
    )


def run_whole_job(folder: Path, plan: Plan) -> list[Table]:
    """All sizes: every contestant at the first one, the daemon and the spread loop at the larger ones."""
    window_s, rounds = plan.thorough
    sizes = [(count, 0) for count in plan.devices or ((500,) if plan.quick else (500, 1000, 3000))]
    if not plan.quick and plan.devices is None:
        sizes.append((100, 20))
    tables = []
    for place, (count, delay_ms) in enumerate(sizes):
        contestants = [DAEMON] if plan.alone else [DAEMON, SPREAD, BURST] if place == 0 else [DAEMON, SPREAD]
        outcomes = whole_job(folder, contestants, count, delay_ms, window_s, rounds if place == 0 else 1)
        tables.append(table_of("whole-job", count, delay_ms, outcomes))
    return tables
