"""The whole job of 500 meters by two products, beside the daemon: brought and run only when asked for."""

from __future__ import annotations

from pathlib import Path

from bench import node_red, thingsboard
from bench.plan import Plan
from bench.table import Table
from bench.whole_job import DAEMON, SPREAD, table_of, whole_job


def run_peers(folder: Path, plan: Plan) -> list[Table]:
    """The daemon, both products and the spread loop in turn."""
    node_red.install()
    thingsboard.install()
    window_s, rounds = plan.thorough
    contestants = (DAEMON, node_red.NODE_RED, thingsboard.THINGSBOARD, SPREAD)
    tables = []
    for count in plan.devices or (500,):
        outcomes = whole_job(folder, contestants, count, 0, window_s, rounds)
        tables.append(table_of("peers", count, 0, outcomes))
    return tables
