""".bench/results.json: the last tables of each case, with what they were measured on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.plan import Plan
from bench.process import CACHE, ROOT
from bench.table import Table

RESULTS = CACHE / "results.json"
_VERSIONS = ("pymodbus", "bacpypes3", "aiomqtt")


def keep(case: str, tables: Iterable[Table], plan: Plan) -> None:
    """Put the tables of ``case`` in the place of its earlier ones."""
    CACHE.mkdir(exist_ok=True)
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    known[case] = {"made": _made(plan), "tables": [asdict(table) for table in tables]}
    RESULTS.write_text(json.dumps(known, indent=1))


def _made(plan: Plan) -> dict[str, object]:
    return {
        "commit": commit(),
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "quick": plan.quick,
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _VERSIONS},
    }


def commit() -> str:
    """The short name of what is measured, with ``+`` where the tree holds more than is committed."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
