"""CPU of one request: the driver's client, plain pymodbus and a bare asyncio protocol, one in flight a connection."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.field import Farm
from bench.figures import Spread, ratios
from bench.plan import Plan
from bench.process import ROOT, python
from bench.table import Table

_CONNECTIONS = 100
_NAMES = {"ours": "veilleuse's client", "pymodbus": "plain pymodbus", "floor": "floor: bare asyncio protocol"}


def run_request(folder: Path, plan: Plan) -> list[Table]:
    """125 and 10 registers; the three kinds take turns in every round."""
    seconds, rounds = (1.5, 2) if plan.quick else (3.0, 4)
    farm = Farm(folder, _CONNECTIONS)
    try:
        sizes = {registers: _rounds(farm, registers, seconds, plan.rounds or rounds) for registers in (125, 10)}
    finally:
        farm.stop()
    rows = tuple(_row(registers, kind, costs) for registers, costs in sizes.items() for kind in _NAMES)
    return [
        Table(
            "request",
            f"CPU of one read request, {_CONNECTIONS} connections, one in flight on each",
            ("registers", "who", "CPU us per request", "of plain pymodbus"),
            rows,
            figures={str(registers): costs for registers, costs in sizes.items()},
        )
    ]


def _rounds(farm: Farm, registers: int, seconds: float, rounds: int) -> dict[str, list[float]]:
    costs: dict[str, list[float]] = {kind: [] for kind in _NAMES}
    for _ in range(rounds):
        for kind, own in costs.items():
            own.append(_cost_us(farm, kind, registers, seconds))
    return costs


def _cost_us(farm: Farm, kind: str, registers: int, seconds: float) -> float:
    words = (kind, str(farm.first_port), str(farm.count), str(registers), str(seconds))
    done = subprocess.run(python("bench.request_worker", *words), cwd=ROOT, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    return float(said["cpu_s"]) / int(said["requests"]) * 1e6


def _row(registers: int, kind: str, costs: dict[str, list[float]]) -> tuple[str, ...]:
    own: Sequence[float] = costs[kind]
    return str(registers), _NAMES[kind], Spread.of(own).text(0), ratios(own, costs["pymodbus"]).text(2)
