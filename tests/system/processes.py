"""The processes of a system test: each a group of its own with its output in a file, waited for, never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_OURS = ("VEILLEUSE_", "NOTIFY_SOCKET", "WATCHDOG_", "JOURNAL_STREAM", "STATE_DIRECTORY", "CREDENTIALS_DIRECTORY")
_STEP_S, _READY_S = 0.03, 20.0


async def until(condition: Callable[[], object], within_s: float, what: str) -> float:
    """Wait until ``condition`` is true of the world; returns after how many seconds. Fails the test with ``what``."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < within_s, f"not within {within_s:g} s: {what}"
        await asyncio.sleep(_STEP_S)
    return time.monotonic() - started


def wait_until(condition: Callable[[], object], within_s: float, what: str) -> float:
    """The same where no event loop runs."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < within_s, f"not within {within_s:g} s: {what}"
        time.sleep(_STEP_S)
    return time.monotonic() - started


def veilleuse(*words: str) -> list[str]:
    """The command line under test."""
    return [sys.executable, "-m", "controller", *words]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process' environment without what would configure the daemon."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return kept | {"PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1"} | dict(extra or {})


class Process:
    """One command, started as often as the test likes; all its output goes to the end of one file."""

    def __init__(self, argv: Sequence[str], log: Path, extra: Mapping[str, str] | None = None) -> None:
        self.log = log
        self._argv, self._extra = argv, extra
        self._process: subprocess.Popen[bytes] | None = None
        self._said_before = 0

    @property
    def running(self) -> bool:
        """Whether it lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def text(self) -> str:
        """What all its lives have said so far."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def lines(self, *words: str) -> list[str]:
        """The lines of its output in which all ``words`` stand."""
        return [line for line in self.text.splitlines() if all(word in line for word in words)]

    def start(self, ready: str) -> None:
        """Start it, and return when it has said ``ready`` since."""
        self.launch()
        self.says(ready)

    def launch(self) -> None:
        """Start it."""
        self._said_before = len(self.text)
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=self.log.parent,
                env=environment(self._extra),
            )

    def says(self, ready: str) -> None:
        """Wait until it has said ``ready`` in its present life. Fails the test when it ends without."""
        wait_until(lambda: ready in self._now_said or not self.running, _READY_S, f"{ready!r} of {self.log.name}")
        assert ready in self._now_said, f"{self.log.name} ended before {ready!r}:\n{self.text}"

    @property
    def _now_said(self) -> str:
        return self.text[self._said_before :]

    def send(self, number: signal.Signals) -> None:
        """A signal to the process itself."""
        assert self._process is not None
        self._process.send_signal(number)

    def ended(self, within_s: float) -> int:
        """Wait for its end; the exit code. Fails the test when it lives on."""
        assert self._process is not None
        assert self.goes(within_s), f"{self.log.name} still runs after {within_s:g} s:\n{self.text}"
        return int(self._process.returncode)

    def goes(self, within_s: float) -> bool:
        """Wait for its end; whether it came."""
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(within_s)
        return not self.running

    def kill(self) -> None:
        """SIGKILL to all of its group; nothing of it runs on."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
