"""The command's way: MQTT in to the write on the wire, by one monotonic clock, with 100 devices polled meanwhile."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.field import Broker, Farm
from bench.figures import quantile
from bench.listener import Listener
from bench.plan import Plan
from bench.process import BenchFault, wait_until
from bench.table import Table
from bench.town import device_name, lighting_site
from bench.whole_job import start_site

_DEVICES, _REGISTER = 100, 1000
_SETTLE_S, _BETWEEN_S, _LAST_S = 5.0, 0.037, 1.0
"""Commands come out of step with the seconds of the polls."""


def run_command(folder: Path, plan: Plan) -> list[Table]:
    """Commands to the lamps in turn, each with a level of its own."""
    count = 200 if plan.quick else 600
    site, log = folder / "site", folder / "writes"
    site.mkdir()
    broker, farm = Broker(folder), Farm(folder, _DEVICES, "--cmd-log", str(log))
    lighting_site(site, broker.port, farm.first_port, farm.count)
    listener = Listener(broker.port, "veilleuse/bench/lamp/+/state", "bench/echo")
    daemon = start_site(site, folder / "state")
    try:
        wait_until(lambda: len({m.topic for m in listener.messages}) >= _DEVICES, 30.0, "all lamps heard")
        time.sleep(_SETTLE_S)
        sent = _send(listener, count)
        time.sleep(_LAST_S)
        delays = delays_s(sent, _writes(log, farm.first_port))
        echoes = _echoes(listener, count // 4)
    finally:
        daemon.stop()
        listener.close()
        farm.stop()
        broker.stop()
    if not delays:
        raise BenchFault(f"no command reached the wire:\n{daemon.text[-2000:]}")
    rows = (
        _row("veilleuse, MQTT in to write on the wire", delays, len(sent)),
        _row("the broker alone", echoes, count // 4),
    )
    head = ("what", "done", "p50 ms", "p99 ms", "max ms")
    title = f"Command path, {_DEVICES} devices with 16 points polled every second meanwhile"
    return [Table("command", title, head, rows, figures={"delays_s": delays, "broker_s": echoes})]


def _send(listener: Listener, count: int) -> list[tuple[float, int, int]]:
    """(when, device number, level) of each command."""
    sent = []
    for number in range(count):
        device, level = number % _DEVICES, 10 + number // _DEVICES * 10 + number % 7
        body = {
            "id": f"bench-{number}",
            "issued": datetime.now(UTC).isoformat(),
            "level": level,
            "for": "1h",
            "reason": "bench",
            "by": "bench",
        }
        at_s = listener.publish(f"veilleuse/bench/lamp/{device_name(device)}/set", json.dumps(body).encode())
        sent.append((at_s, device, level))
        time.sleep(_BETWEEN_S)
    return sent


def _echoes(listener: Listener, count: int) -> list[float]:
    """How long the broker alone takes from a publisher to a subscriber."""
    delays = []
    for _ in range(count):
        known = len(listener.messages)
        at_s = listener.publish("bench/echo", b"{}")
        time.sleep(_BETWEEN_S)
        delays += [message.at_s - at_s for message in listener.messages[known:] if message.topic == "bench/echo"]
    return delays


def _writes(log: Path, first_port: int) -> dict[tuple[int, int], list[float]]:
    """When each (device number, level) was written to the command register, from the farm's log."""
    writes: dict[tuple[int, int], list[float]] = {}
    for line in log.read_text().splitlines():
        at_ns, port, _, _, address, value = map(int, line.split())
        if address == _REGISTER:
            writes.setdefault((port - first_port, value), []).append(at_ns / 1e9)
    return writes


def delays_s(sent: Iterable[tuple[float, int, int]], writes: Mapping[tuple[int, int], Sequence[float]]) -> list[float]:
    """From each command to the first write of its level at its device after it; commands never written are left out."""
    found = []
    for at_s, device, level in sent:
        later = [write_s for write_s in writes.get((device, level), ()) if write_s >= at_s]
        if later:
            found.append(min(later) - at_s)
    return found


def _row(what: str, delays: Sequence[float], due: int) -> tuple[str, ...]:
    cells = (f"{quantile(delays, share) * 1000:.2f}" for share in (0.5, 0.99, 1.0))
    return what, f"{len(delays)} of {due}", *cells
