"""Processes on the loopback, and what one of them costs: CPU seconds and memory from /proc, of that process alone."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".bench"
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
_OURS = ("VEILLEUSE_", "NOTIFY_SOCKET", "WATCHDOG_", "JOURNAL_STREAM", "STATE_DIRECTORY", "CREDENTIALS_DIRECTORY")


class BenchFault(Exception):
    """A bench that could not be made; the text says why."""


def allow_many_files() -> None:
    """Raise our limit of open files as far as we may; what we start inherits it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def free_ports(count: int) -> int:
    """The first of ``count`` adjoining ports free for TCP and UDP, below those that the system gives to clients."""
    for _ in range(200):
        first = random.randrange(10_000, 32_000 - count)
        if all(_bindable(port) for port in range(first, first + count)):
            return first
    raise BenchFault(f"no {count} adjoining free ports")


def _bindable(port: int) -> bool:
    with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            stream.bind(("127.0.0.1", port))
            datagrams.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def wait_until(condition: Callable[[], object], within_s: float, what: str) -> None:
    """Wait until ``condition`` is true. Raises BenchFault with ``what``."""
    end_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end_s:
            raise BenchFault(f"not within {within_s:g} s: {what}")
        time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU of a span of time, and the memory at its end (resident now, and at its highest)."""

    cpu_s: float
    span_s: float
    rss_mib: float
    peak_mib: float

    @property
    def cpu_s_per_min(self) -> float:
        """CPU seconds that a minute costs."""
        return self.cpu_s / self.span_s * 60.0


class Process:
    """One command in a session of its own; all it says goes to ``log``."""

    def __init__(self, argv: Sequence[str], log: Path, extra: Mapping[str, str] | None = None) -> None:
        self.log = log
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=log.parent,
                env=kept | {"PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1"} | dict(extra or {}),
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it lives."""
        return self._process.poll() is None

    @property
    def text(self) -> str:
        """What it has said so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def says(self, word: str, within_s: float = 20.0) -> None:
        """Wait until ``word`` stands in its output. Raises BenchFault when it ends without."""
        wait_until(lambda: word in self.text or self._process.poll() is not None, within_s, f"{word!r} of {self.log}")
        if word not in self.text:
            raise BenchFault(f"{self.log.name} ended before {word!r}:\n{self.text[-2000:]}")

    def cpu_s(self) -> float:
        """User and system seconds so far, its threads included, its children not."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS

    def memory_mib(self) -> tuple[float, float]:
        """(VmRSS, VmHWM) in MiB."""
        lines = dict(line.split(":", 1) for line in Path(f"/proc/{self.pid}/status").read_text().splitlines())
        return int(lines["VmRSS"].split()[0]) / 1024, int(lines["VmHWM"].split()[0]) / 1024

    def costs(self, span_s: float) -> tuple[Cost, tuple[float, float]]:
        """Let it run ``span_s``: what it cost, and the span (monotonic s). Raises BenchFault when it has ended."""
        if not self.running:
            raise BenchFault(f"{self.log.name} has ended:\n{self.text[-2000:]}")
        before_s, begin_s = self.cpu_s(), time.monotonic()
        time.sleep(span_s)
        if not self.running:
            raise BenchFault(f"{self.log.name} ended while measured:\n{self.text[-2000:]}")
        after_s, end_s = self.cpu_s(), time.monotonic()
        return Cost(after_s - before_s, end_s - begin_s, *self.memory_mib()), (begin_s, end_s)

    def tell(self, line: str) -> None:
        """A line on its standard input."""
        if self._process.stdin is not None:
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()

    def ask(self, line: str, within_s: float) -> str:
        """Tell it ``line``; what stands behind ``done`` in the line that answers it. Raises BenchFault."""
        known = len(self._done())
        self.tell(line)
        wait_until(lambda: len(self._done()) > known, within_s, f"{line!r} is done")
        return self._done()[-1]

    def _done(self) -> list[str]:
        whole = (line for line in self.text.splitlines(keepends=True) if line.endswith("\n"))
        return [line.removeprefix("done ").rstrip() for line in whole if line.startswith("done ")]

    def signal(self, number: signal.Signals) -> None:
        """A signal to the process itself."""
        self._process.send_signal(number)

    def stop(self) -> None:
        """Ask it to end, then make it; nothing of its session runs on."""
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(8.0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def python(module: str, *words: str) -> list[str]:
    """A module of this tree as a command."""
    return [sys.executable, "-m", module, *words]
