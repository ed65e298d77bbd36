"""What systemd hears of the daemon: ready, alive in time, reloading, stopping; silence when its cycle stands still."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.system.town import EVENING, Town, open_town

pytestmark = pytest.mark.system

GRANTED_S = 0.6


@dataclass
class Systemd:
    """A datagram socket as systemd has one; ``heard`` is (monotonic time, states)."""

    wire: socket.socket
    heard: list[tuple[float, list[str]]] = field(default_factory=list)

    def listen(self, for_s: float, ends_with: str = "") -> bool:
        """Take what comes for so long, or until a message holds ``ends_with``; whether it came."""
        end = time.monotonic() + for_s
        while (left := end - time.monotonic()) > 0:
            self.wire.settimeout(left)
            try:
                states = self.wire.recv(4096).decode().splitlines()
            except TimeoutError:
                break
            self.heard.append((time.monotonic(), states))
            if ends_with and ends_with in states:
                return True
        return False

    def alive(self) -> list[float]:
        """When the watchdog was fed."""
        return [at for at, states in self.heard if "WATCHDOG=1" in states]


@pytest.fixture
def systemd() -> Iterator[tuple[Systemd, str]]:
    """The listener and its address."""
    name = f"veilleuse-{os.getpid()}-{free_port()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.bind(f"\0{name}")
        yield Systemd(wire), f"@{name}"


@pytest.fixture
def town(tmp_path: Path, systemd: tuple[Systemd, str]) -> Iterator[Town]:
    """A daemon to be, without a broker and without a field: nothing but its own timer wakes its cycle for long."""
    environ = {"NOTIFY_SOCKET": systemd[1], "WATCHDOG_USEC": f"{GRANTED_S * 1e6:.0f}"}
    with open_town(tmp_path, EVENING, alone=True, environ=environ) as town:
        yield town


def test_systemd_hears_of_every_turn_in_the_daemons_life(town: Town, systemd: tuple[Systemd, str]) -> None:
    ears, _ = systemd
    town.daemon.start("daemon.started")
    assert ears.listen(10.0, "READY=1")
    assert any("Ville de Valbourg" in line for _, states in ears.heard for line in states if line.startswith("STATUS="))

    ears.listen(4 * GRANTED_S)
    gaps = [later - earlier for earlier, later in pairwise(ears.alive())]
    assert len(gaps) >= 6
    assert max(gaps) < GRANTED_S

    town.daemon.send(signal.SIGHUP)
    assert ears.listen(5.0, "READY=1")
    reloading = next(states for _, states in ears.heard if "RELOADING=1" in states)
    assert any(line.startswith("MONOTONIC_USEC=") for line in reloading)

    town.daemon.send(signal.SIGSTOP)
    ears.listen(0.2)  # what was on its way
    ears.heard.clear()
    ears.listen(1.5 * GRANTED_S)
    assert ears.heard == []
    town.daemon.send(signal.SIGCONT)
    assert ears.listen(2.0, "WATCHDOG=1")

    town.daemon.send(signal.SIGTERM)
    assert ears.listen(5.0, "STOPPING=1")
