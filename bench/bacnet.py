"""BACnet: 50 devices x 10 points every 5 s to MQTT, the whole daemon against a bare bacpypes3 script."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.field import Broker
from bench.figures import Spread, ratios
from bench.plan import Plan
from bench.process import Process, free_ports, python
from bench.table import Table
from bench.town import BACNET_POINTS, heating_site
from bench.whole_job import STATES, Contestant, Field, Outcome, heat, read_plain, read_state, start_site

_DEVICES, _EVERY_S = 50, 5


class Stations:
    """The devices as one process."""

    def __init__(self, folder: Path, count: int) -> None:
        self.count, self.first_port, self.start_s = count, free_ports(count), time.monotonic()
        words = (str(self.first_port), str(count), repr(self.start_s))
        self.process = Process(python("bench.stations", *words), folder / "stations.log")
        self.process.says("ready")

    def stop(self) -> None:
        """End them."""
        self.process.stop()


def _start_daemon(folder: Path, broker: Broker, field: Field) -> Process:
    site = folder / "site"
    site.mkdir(exist_ok=True)
    heating_site(site, broker.port, free_ports(1), field.first_port, field.count, _EVERY_S)
    return start_site(site, folder / f"state-{time.monotonic_ns()}")


def _start_plain(folder: Path, broker: Broker, field: Field) -> Process:
    words = map(str, (broker.port, free_ports(1), field.first_port, field.count, _EVERY_S))
    return Process(python("bench.plain_bacnet", *words), folder / "plain-bacnet.log")


DAEMON = Contestant("veilleuse, the whole daemon", _start_daemon, read_state, STATES)
PLAIN = Contestant("bacpypes3 + aiomqtt, bare", _start_plain, read_plain, ("plain/#",))


def run_bacnet(folder: Path, plan: Plan) -> list[Table]:
    """Both in turn, in windows of whole periods."""
    window_s, rounds = (10.0, 1) if plan.quick else (60.0, 2)
    broker, stations = Broker(folder), Stations(folder, _DEVICES)
    outcomes: list[Outcome] = []
    try:
        for _ in range(plan.rounds or rounds):
            outcomes += [
                heat(contestant, folder, broker, stations, plan.window_s or window_s, _EVERY_S)
                for contestant in (DAEMON, PLAIN)
            ]
    finally:
        stations.stop()
        broker.stop()
    rows = tuple(_row(contestant.name, outcomes) for contestant in (DAEMON, PLAIN))
    head = ("who", "% of a core", "of the bare script", "updates", "age p50 / p99 s", "RSS MiB (peak)")
    title = f"{_DEVICES} BACnet devices x {BACNET_POINTS} points every {_EVERY_S} s to MQTT"
    figures = {"outcomes": [asdict(outcome) for outcome in outcomes]}
    return [Table("bacnet", title, head, rows, figures=figures)]


def _row(name: str, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    own = [outcome for outcome in outcomes if outcome.name == name]
    share = [outcome.cost.cpu_s / outcome.cost.span_s * 100 for outcome in own]
    bare = [o.cost.cpu_s / o.cost.span_s * 100 for o in outcomes if o.name == PLAIN.name]
    return (
        name,
        Spread.of(share).text(1),
        ratios(share, bare).text(2),
        " ".join(f"{outcome.fresh.share:.1%}" for outcome in own),
        f"{Spread.of(o.fresh.age_p50_s for o in own).text(3)} / {Spread.of(o.fresh.age_p99_s for o in own).text(3)}",
        f"{max(outcome.cost.rss_mib for outcome in own):.0f} ({max(outcome.cost.peak_mib for outcome in own):.0f})",
    )
