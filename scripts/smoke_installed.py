"""What must hold of an installed veilleuse; run by a clean environment's interpreter outside the checkout."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib.metadata import distribution, packages_distributions
from importlib.resources import files
from pathlib import Path

NAMES = ("controller", "drivers", "schedules", "config", "sim")
HEAVY = ("pydantic", "bacpypes3", "pymodbus", "rich", "ruamel", "aiomqtt", "structlog", "asyncio", "sqlite3")
HELP_S = 0.5
VEILLEUSE = Path(sys.prefix) / "bin" / "veilleuse"
HELP_WITH_MODULES = """
import sys
from controller.cli import cli
cli.main(["--help"], prog_name="veilleuse", standalone_mode=False)
print("loaded:", *sorted(sys.modules))
"""


def expect(holds: bool, otherwise: str) -> None:
    """End with ``otherwise`` unless it holds."""
    if not holds:
        sys.exit(f"smoke: {otherwise}")


def answer(*arguments: str) -> str:
    """What ``veilleuse`` prints; anything but exit code 0 ends here."""
    command = [str(VEILLEUSE), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    said = f"{done.stdout}{done.stderr}"
    expect(done.returncode == 0, f"veilleuse {' '.join(arguments)} ended with {done.returncode}:\n{said}")
    return done.stdout


def check_names() -> None:
    """The five everyday names belong to this distribution alone, and come from this environment."""
    owners = packages_distributions()
    for name in NAMES:
        expect(owners.get(name) == ["veilleuse"], f"package {name} belongs to {owners.get(name)}")
        place = Path(str(files(name)))
        expect(place.is_relative_to(sys.prefix), f"package {name} comes from {place}")
        expect((place / "py.typed").is_file(), f"package {name} has no py.typed")


def check_help() -> None:
    """--help is quick when warm and loads nothing heavy."""
    took = []
    for _ in range(4):
        before = time.perf_counter()
        expect("Exit codes" in answer("--help"), "--help does not tell the exit codes")
        took.append(time.perf_counter() - before)
    expect(min(took) < HELP_S, f"--help takes {min(took):.2f} s warm, {HELP_S} s allowed")
    command = [sys.executable, "-I", "-c", HELP_WITH_MODULES]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.rpartition("loaded:")[2].split())
    expect(not loaded.intersection(HEAVY), f"--help imports {sorted(loaded.intersection(HEAVY))}")
    print(f"--help answers in {min(took):.2f} s")


def check_examples() -> None:
    """Every example site in the wheel passes the check."""
    examples = sorted(site.parent for site in Path(str(files("config") / "examples")).glob("*/site.yaml"))
    expect(bool(examples), "no example site in the wheel")
    for example in examples:
        answer("check", str(example))
        print(f"example {example.name} passes")


def check_shared_files() -> None:
    """The unit and what goes with it travel with the wheel."""
    shared = Path(sys.prefix) / "share" / "veilleuse" / "systemd"
    for name in ("veilleuse.service", "veilleuse.sysusers", "veilleuse.tmpfiles", "drop-ins/no-serial.conf"):
        expect((shared / name).is_file(), f"{shared / name} missing")


def main() -> None:
    version = distribution("veilleuse").version
    expect(version in answer("--version"), f"--version does not say {version}")
    check_names()
    check_shared_files()
    check_help()
    check_examples()
    print(f"veilleuse {version} holds outside the checkout")


main()
