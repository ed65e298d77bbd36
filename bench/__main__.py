"""``make bench``: run the cases, print their tables, keep the figures in .bench/results.json.

python -m bench [CASE ...] [--quick] [--devices 500,1000] [--window SECONDS] [--rounds N]
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.bacnet import run_bacnet
from bench.changes import run_changes
from bench.command import run_command
from bench.faults import run_faults
from bench.lighting import run_lighting
from bench.peers import run_peers
from bench.plan import Plan
from bench.process import BenchFault, allow_many_files
from bench.request import run_request
from bench.results import keep
from bench.table import Table
from bench.whole_job import run_whole_job

CASES: Mapping[str, Callable[[Path, Plan], list[Table]]] = {
    "whole-job": run_whole_job,
    "request": run_request,
    "command": run_command,
    "bacnet": run_bacnet,
    "changes": run_changes,
    "faults": run_faults,
    "lighting": run_lighting,
    "peers": run_peers,
}
_USUAL = tuple(case for case in CASES if case != "peers")
"""Those that run when none is named, in this order."""


def _plan() -> tuple[list[str], Plan]:
    parser = argparse.ArgumentParser(prog="make bench", description="Ratios in one run; docs/performance.md explains.")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--quick", action="store_true", help="one short round of everything: four minutes")
    parser.add_argument("--devices", help="whole-job, peers: how many, e.g. 500,1000")
    parser.add_argument("--window", type=float, help="seconds measured of each contestant in each round")
    parser.add_argument("--rounds", type=int, help="rounds of all contestants")
    parser.add_argument("--alone", action="store_true", help="whole-job: the daemon only, no baselines")
    words = parser.parse_args()
    unknown = [case for case in words.cases if case not in CASES]
    if unknown:
        parser.error(f"unknown case {unknown[0]!r}; known: {', '.join(CASES)}")
    devices = tuple(map(int, words.devices.split(","))) if words.devices else None
    return words.cases or list(_USUAL), Plan(words.quick, devices, words.window, words.rounds, words.alone)


def main() -> int:
    """Exit code: 0 done, 1 a case could not be made."""
    cases, plan = _plan()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # whoever ends us ends our contestants too
    allow_many_files()
    failed = False
    for case in cases:
        with tempfile.TemporaryDirectory(prefix="veilleuse-bench-") as folder:
            try:
                tables = CASES[case](Path(folder), plan)
            except BenchFault as fault:
                print(f"{case}: {fault}", file=sys.stderr)
                failed = True
                continue
        keep(case, tables, plan)
        for table in tables:
            print(f"\n{table.text()}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
