"""Changes that BACnet devices report: 100 objects, 200 changes a second, then 1,000 at once, to MQTT without a loss."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.field import Broker
from bench.figures import TICK_S, quantile
from bench.listener import Listener, Message
from bench.plan import Plan
from bench.process import BenchFault, Process, free_ports, python, wait_until
from bench.table import Table
from bench.town import BACNET_POINTS, device_name, reporting_site
from bench.whole_job import STATES, start_site

_DEVICES, _RATE, _BURST = 10, 200, 1000
_SUBSCRIBED_S, _ARRIVE_S = 8.0, 10.0
_KEYS = (
    *(f"voltage_l{phase}_v" for phase in (1, 2, 3)),
    *(f"current_l{phase}_a" for phase in (1, 2, 3)),
    *(f"power_l{phase}_w" for phase in (1, 2, 3)),
    "power_w",
)
"""What a meter's state calls its first ten points."""


@dataclass(frozen=True, slots=True)
class Run:
    """What became of ``sent`` changes: objects whose last value arrived, after how long, how late each state was."""

    name: str
    sent: int
    dropped: int
    right: int
    right_s: float
    late_s: tuple[float, ...]
    cpu_share: float


def run_changes(folder: Path, plan: Plan) -> list[Table]:
    """The steady rate first, then the burst."""
    seconds = 5 if plan.quick else 30
    broker, first_port, own_port = Broker(folder), free_ports(_DEVICES), free_ports(1)
    start_s, site = time.monotonic(), folder / "site"
    words = (str(first_port), str(_DEVICES), repr(start_s))
    field = Process(python("bench.reporting", *words), folder / "reporting.log")
    field.says("ready")
    site.mkdir()
    reporting_site(site, broker.port, own_port, first_port, _DEVICES)
    listener = Listener(broker.port, *STATES)
    daemon = start_site(site, folder / "state")
    try:
        wait_until(lambda: len({m.topic for m in listener.messages}) == _DEVICES, 30.0, "all devices heard")
        time.sleep(_SUBSCRIBED_S)
        sides = (field, daemon, listener, own_port, start_s)
        runs = [
            _run(f"{_RATE} a second", seconds * _RATE, _RATE, *sides),
            _run(f"{_BURST:,} at once", _BURST, 0, *sides),
        ]
    finally:
        daemon.stop()
        listener.close()
        field.stop()
        broker.stop()
    head = (
        "changes",
        "sent",
        "dropped by the socket",
        "objects right in the end",
        "after s",
        "age p50 / p99 ms",
        "% of a core",
    )
    title = f"{_DEVICES * BACNET_POINTS} BACnet objects report their changes (COV) to MQTT"
    remark = "In the burst values run ahead of the counter, so it has no age."
    return [Table("changes", title, head, tuple(map(_row, runs)), (remark,))]


def _run(
    name: str, count: int, rate: int, field: Process, daemon: Process, listener: Listener, own_port: int, start_s: float
) -> Run:
    known, dropped, cpu_s, begin_s = len(listener.messages), drops(own_port), daemon.cpu_s(), time.monotonic()
    wanted: list[list[float]] = json.loads(field.ask(f"change {count} {rate}", 60.0).split(" ", 1)[1])
    told_s = time.monotonic()
    with suppress(BenchFault):
        wait_until(lambda: right(wanted, listener.messages) == _DEVICES * BACNET_POINTS, _ARRIVE_S, "all arrive")
    right_s = time.monotonic() - told_s
    share = (daemon.cpu_s() - cpu_s) / (time.monotonic() - begin_s) * 100
    late = tuple(_late_s(message, start_s) for message in listener.messages[known:]) if rate else ()
    return Run(name, count, drops(own_port) - dropped, right(wanted, listener.messages), right_s, late, share)


def right(wanted: Sequence[Sequence[float]], messages: Sequence[Message]) -> int:
    """How many of the ``wanted`` values (device by device) stand in the last state of their device."""
    last: Mapping[str, bytes] = {message.topic.split("/")[3]: message.payload for message in messages}
    count = 0
    for number, row in enumerate(wanted):
        state = json.loads(last.get(device_name(number), b"{}"))
        count += sum(state.get(key) == value for key, value in zip(_KEYS, row, strict=True))
    return count


def _late_s(message: Message, start_s: float) -> float:
    state: dict[str, float] = json.loads(message.payload)
    return message.at_s - (start_s + max(state.get(key, 0.0) for key in _KEYS) * TICK_S)


def drops(port: int) -> int:
    """Datagrams that the kernel threw away because the socket at UDP ``port`` was full."""
    rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return sum(int(row[-1]) for row in rows if int(row[1].rpartition(":")[2], 16) == port)


def _row(run: Run) -> tuple[str, ...]:
    ages = " / ".join(f"{quantile(run.late_s, share) * 1000:.0f}" for share in (0.5, 0.99)) if run.late_s else ""
    right_of = f"{run.right} of {_DEVICES * BACNET_POINTS}"
    return run.name, str(run.sent), str(run.dropped), right_of, f"{run.right_s:.2f}", ages, f"{run.cpu_share:.1f}"
