"""The demo's processes: each with its own log file, kept alive like systemd would, ended in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from controller.cli.demo.stage import Stage

_END_S = 6.0
_READY_S = 20.0
_TAIL = 12

Say = Callable[[str], None]


class Child:
    """One process. Its own session: Ctrl-C reaches the demo alone, which then ends the children in order."""

    def __init__(self, name: str, argv: Sequence[str], log: Path) -> None:
        self.name = name
        self.log = log
        self._argv = argv
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; its output goes to the log file."""
        with self.log.open("ab") as out:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    async def keep(self, say: Say) -> None:
        """Start it again whenever it ends, and say so; runs until cancelled."""
        while True:
            assert self._process is not None  # noqa: S101 - started before it is kept
            code = await self._process.wait()
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            say(f"{self.name} ended ({how}); started again, as systemd would")
            await asyncio.sleep(0.5)  # RestartSec: a process that cannot live must not spin
            await self.start()

    async def end(self) -> None:
        """SIGTERM and wait; SIGKILL when that is not enough."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(_END_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def until(self, ready: Callable[[], bool], what: str) -> None:
        """Wait until ``ready``. Raises ChildProcessError with the end of the log when it ends or takes too long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_READY_S):
                while self._process is not None and self._process.returncode is None:
                    if ready():
                        return
                    await asyncio.sleep(0.05)  # another process' state has no event here
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-_TAIL:])
        raise ChildProcessError(f"{self.name}: {what} did not come up; the end of its log:\n{tail}")


class NoBroker(Exception):
    """Neither mosquitto nor the embedded broker is installed."""


def broker(stage: Stage) -> tuple[Child, str]:
    """mosquitto where there is one, else the embedded broker; with its name. Raises NoBroker."""
    log = stage.logs / "broker.log"
    binary = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        if find_spec("amqtt") is None:
            raise NoBroker("no broker here: install mosquitto, or veilleuse with its demo extra (veilleuse[demo])")
        argv = [sys.executable, "-m", "controller.cli.demo.embedded_broker", str(stage.broker_port)]
        return Child("broker", argv, log), "embedded broker (amqtt)"
    settings = stage.directory / "mosquitto.conf"
    settings.write_text(f"listener {stage.broker_port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    return Child("broker", [binary, "-c", str(settings)], log), "mosquitto"


def simulator(stage: Stage) -> Child:
    """``veilleuse sim`` on the stage's clock."""
    argv = [*_veilleuse("sim", stage), "--control", str(stage.control_port)]
    return Child("simulator", argv, stage.logs / "sim.log")


def daemon(stage: Stage) -> Child:
    """``veilleuse run`` on the stage's clock."""
    argv = [*_veilleuse("run", stage), "--state", str(stage.directory / "state")]
    return Child("daemon", argv, stage.logs / "run.log")


def _veilleuse(verb: str, stage: Stage) -> list[str]:
    assert stage.clock.start is not None  # noqa: S101 - the stage's clock is always a simulated one
    start = stage.clock.start.isoformat()
    clock = ["--start", start, "--speed", f"{stage.clock.speed:g}", "--anchor", repr(stage.clock.anchor)]
    return [sys.executable, "-m", "controller", verb, str(stage.directory), *clock]
