"""The neutral surroundings: the C farm of Modbus devices and a real mosquitto, each a process."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from bench.figures import farm_start_s
from bench.process import CACHE, BenchFault, Process, free_ports, wait_until

_SOURCE = Path(__file__).with_name("farm.c")
_CLOCK_READINGS = 20


def farm_binary() -> Path:
    """The farm, built when its source is newer."""
    CACHE.mkdir(exist_ok=True)
    binary = CACHE / "farm"
    if not binary.exists() or binary.stat().st_mtime < _SOURCE.stat().st_mtime:
        subprocess.run(["cc", "-O2", "-o", str(binary), str(_SOURCE)], check=True)
    return binary


class Farm:
    """``count`` devices, one port each from ``first_port``; ``start_s`` is when its counter began (monotonic s)."""

    def __init__(self, folder: Path, count: int, *options: str, floats: bool = True) -> None:
        self.count, self.first_port = count, free_ports(count)
        ports = f"{self.first_port}-{self.first_port + count - 1}"
        argv = [str(farm_binary()), "--ports", ports, *(["--float"] if floats else []), *options]
        self.process = Process(argv, folder / "farm.log")
        self.process.says('"farm":"ready"')
        self.start_s = self._clock()

    def _totals(self) -> list[dict[str, Any]]:
        lines = [line for line in self.process.text.splitlines() if line.endswith("}")]
        return [entry for entry in map(json.loads, lines) if "requests" in entry]

    def totals(self) -> dict[str, Any]:
        """What it has served so far, as it prints it."""
        known = len(self._totals())
        self.process.signal(signal.SIGUSR1)
        wait_until(lambda: len(self._totals()) > known, 5.0, "the farm's totals")
        return self._totals()[-1]

    def _clock(self) -> float:
        readings = []
        for _ in range(_CLOCK_READINGS):
            totals = self.totals()
            readings.append((float(totals["mono"]), int(totals["tick"])))
            time.sleep(0.003)
        return farm_start_s(readings)

    def stop(self) -> None:
        """End it."""
        self.process.stop()


class Broker:
    """mosquitto as it comes, on a free port of the loopback, nothing kept on disk."""

    def __init__(self, folder: Path) -> None:
        binary = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if binary is None:
            raise BenchFault("mosquitto is missing: apt-get install mosquitto")
        self.port = free_ports(1)
        settings = folder / "mosquitto.conf"
        settings.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest none\n")
        self.process = Process([binary, "-c", str(settings)], folder / "mosquitto.log")
        wait_until(self._listens, 5.0, "mosquitto listens")

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1.0).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """End it."""
        self.process.stop()
