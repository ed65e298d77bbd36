"""The whole job of 500 meters by a product, beside the daemon: brought and run only when asked for."""

from __future__ import annotations

from pathlib import Path

from bench.node_red import NODE_RED, install
from bench.plan import Plan
from bench.table import Table
from bench.whole_job import DAEMON, SPREAD, table_of, whole_job


def run_peers(folder: Path, plan: Plan) -> list[Table]:
    """The daemon, Node-RED and the spread loop in turn."""
    install()
    window_s = plan.window_s or (15.0 if plan.quick else 60.0)
    rounds = plan.rounds or (1 if plan.quick else 2)
    tables = []
    for count in plan.devices or (500,):
        outcomes = whole_job(folder, (DAEMON, NODE_RED, SPREAD), count, 0, window_s, rounds)
        tables.append(table_of("peers", count, 0, outcomes))
    return tables
