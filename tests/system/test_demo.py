"""``veilleuse demo``: lines through a pipe, a table on a terminal, a summary at the end, and no process left behind."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.broker import Broker, retained, watching
from tests.ports import free_port
from tests.system.processes import Process, environment, until, veilleuse

pytestmark = pytest.mark.system

SUMMARY = (
    "One night in Ville de Valbourg",
    "  account         the night so far, 48 lamps",
    "  energy ",
    "  lit ",
    "  saved ",
)


def stage_of(text: str) -> Path:
    """The folder that the demo names in its title."""
    found = re.search(r"site files +(/\S+)", text)
    assert found, text
    return Path(found[1])


def accepts(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def living_in(folder: Path) -> list[str]:
    """The command lines of the processes that have ``folder`` in them."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in words:
            found.append(words)
    return found


def test_through_a_pipe_it_speaks_in_plain_lines_and_ends_with_the_summary() -> None:
    argv = veilleuse("demo", "--speed", "3600", "--for", "7s", "--port", str(free_port()))
    done = subprocess.run(argv, capture_output=True, text=True, timeout=45, check=False, env=environment())
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    told = re.findall(r"^(Mon|Tue) \d\d:\d\d  +(\d+)/48 lamps lit.* kW \| .*classes", done.stdout, re.MULTILINE)
    assert len(told) >= 3
    lit = [int(lamps) for _, lamps in told]
    assert min(lit) < 24 < max(lit)
    ending = done.stdout[done.stdout.index(SUMMARY[0]) :]
    assert [line for line in SUMMARY if line not in ending] == []
    stage = stage_of(done.stdout)
    assert living_in(stage) == []
    assert not stage.exists()


def read_until(terminal: int, text: str, pattern: str, within_s: float) -> str:
    """``text`` and what the terminal shows on, up to where ``pattern`` is found."""
    end = time.monotonic() + within_s
    while not re.search(pattern, text):
        readable, _, _ = select.select([terminal], [], [], max(0.0, end - time.monotonic()))
        assert readable, f"no {pattern!r} within {within_s:g} s:\n{text}"
        try:
            text += os.read(terminal, 65_536).decode(errors="replace")
        except OSError:  # the other end is closed
            assert re.search(pattern, text), text
    return text


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGHUP])
def test_on_a_terminal_it_draws_a_table_and_ctrl_c_ends_it_in_order(ending: signal.Signals) -> None:
    ours, theirs = pty.openpty()
    environ = environment({"TERM": "xterm-256color", "COLUMNS": "160", "LINES": "50"})
    argv = veilleuse("demo", "--speed", "600", "--port", str(free_port()))
    process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env=environ, start_new_session=True)
    os.close(theirs)
    try:
        text = read_until(ours, "", r"contactor.+commanded.+why", 20.0)
        text = read_until(ours, text, r"gymnase\.salle", 10.0)
        assert "\x1b[" in text
        stage = stage_of(text)
        assert len(living_in(stage)) == 3
        process.send_signal(ending)
        text = read_until(ours, text, r"One night in Ville de Valbourg", 12.0)
        assert process.wait(10.0) == 0
        assert living_in(stage) == []
        assert not stage.exists()
    finally:
        process.kill()
        process.wait()
        os.close(ours)


async def test_the_embedded_broker_carries_retained_states_and_commands(tmp_path: Path) -> None:
    port = free_port()
    argv = [sys.executable, "-m", "controller.cli.demo.embedded_broker", str(port)]
    embedded, broker = Process(argv, tmp_path / "broker.log"), Broker(tmp_path, port)
    try:
        embedded.start(ready="")
        await until(lambda: accepts(port), 15.0, "the embedded broker")
        async with watching(broker) as watcher:
            await watcher.say("town/lamp/l-001/state", {"level": 60}, retain=True)
            await watcher.say("town/lamp/l-001/set", {"level": 20})
            await watcher.until(lambda: watcher.objects("town/lamp/l-001/set"))
            assert watcher.objects("town/lamp/l-001/state") == [{"level": 60}]
        assert await retained(broker) == {"town/lamp/l-001/state": '{"level": 60}'}
        embedded.send(signal.SIGTERM)
        assert embedded.ended(within_s=6.0) == 0
    finally:
        embedded.kill()
