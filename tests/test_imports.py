"""The import contracts hold on the tree, and each of them breaks when it is violated."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("controller", "drivers", "schedules", "config", "sim")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

DIRECTION = "One direction: controller | sim on config on drivers | schedules"
INSIDE = "Inside the controller: command line on app on shell on core"
SIMULATOR = "The simulator shares no code with the drivers, nor with the core"
SCHEDULES = "Schedules are pure"
CORE = "The core is pure"
CODECS = "Codecs and polling plans are pure"

VIOLATIONS = [
    ("drivers/_violation.py", "import config", {DIRECTION}),
    ("config/_violation.py", "from controller import clock", {DIRECTION}),
    ("sim/_violation.py", "from controller import clock", {DIRECTION, SIMULATOR}),
    ("controller/mqtt/_violation.py", "import sim", {DIRECTION}),
    ("controller/mqtt/_violation.py", "import controller.cli", {INSIDE}),
    ("controller/core/_violation.py", "from controller import clock", {INSIDE}),
    ("controller/_violation.py", "import sys", {INSIDE}),
    ("sim/_violation.py", "from drivers import api", {SIMULATOR}),
    ("schedules/_violation.py", "import time", {SCHEDULES}),
    ("controller/core/_violation.py", "import asyncio", {CORE}),
    ("drivers/modbus/codec.py", "import socket", {CODECS}),
    ("drivers/api.py", "import logging", {CODECS}),
]


def broken_contracts(tree: Path) -> set[str]:
    """The names of the contracts that do not hold in ``tree``, as lint-imports reports them."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(linter), "--no-cache", "--config", str(tree / "pyproject.toml")],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    verdicts = dict(re.findall(r"^(.+?) (KEPT|BROKEN)\b", done.stdout, re.MULTILINE))
    assert set(verdicts) == {contract["name"] for contract in CONTRACTS}, done.stdout + done.stderr
    broken = {name for name, verdict in verdicts.items() if verdict == "BROKEN"}
    assert (done.returncode != 0) == bool(broken), done.stdout
    return broken


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python files of the five packages and the contracts, somewhere else."""
    tree = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", tree)
    for package in PACKAGES:
        for source in (ROOT / package).rglob("*.py"):
            target = tree / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    return tree


def test_contracts_hold() -> None:
    assert broken_contracts(ROOT) == set()


@pytest.mark.parametrize(("place", "line", "expected"), VIOLATIONS)
def test_a_violation_breaks_its_contract_and_no_other(copy: Path, place: str, line: str, expected: set[str]) -> None:
    target = copy / place
    before = target.read_text() if target.exists() else None
    target.write_text(f"{before or ''}\n{line}\n")
    try:
        assert broken_contracts(copy) == expected
    finally:
        if before is None:
            target.unlink()
        else:
            target.write_text(before)


def test_every_contract_has_a_violation_that_breaks_it() -> None:
    planted = set().union(*(expected for _, _, expected in VIOLATIONS))
    assert planted == {contract["name"] for contract in CONTRACTS}
