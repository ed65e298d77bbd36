"""What systemd would hear, on a socket of ours."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.notify import READY, STOPPING, WATCHDOG, notify, reloading, status, watchdog_interval_s


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as found:
        found.bind(str(tmp_path / "notify"))
        found.settimeout(1.0)
        yield found


def test_states_arrive_in_one_datagram(listener: socket.socket) -> None:
    environment = {"NOTIFY_SOCKET": listener.getsockname()}
    assert notify(READY, status("valbourg:\n running"), environment=environment)
    assert listener.recv(1024) == b"READY=1\nSTATUS=valbourg: running"
    assert notify(STOPPING, WATCHDOG, environment=environment)
    assert listener.recv(1024) == b"STOPPING=1\nWATCHDOG=1"


def test_a_reload_carries_systemds_clock(listener: socket.socket) -> None:
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    notify(reloading(), environment={"NOTIFY_SOCKET": listener.getsockname()})
    first, second = listener.recv(1024).decode().splitlines()
    assert first == "RELOADING=1"
    name, _, stamp = second.partition("=")
    assert name == "MONOTONIC_USEC"
    assert before <= int(stamp) <= before + 5_000_000


def test_an_abstract_socket_is_reached() -> None:
    name = f"veilleuse-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        listener.settimeout(1.0)
        assert notify(WATCHDOG, environment={"NOTIFY_SOCKET": f"@{name}"})
        assert listener.recv(1024) == b"WATCHDOG=1"


@pytest.mark.parametrize("address", ["", "relative/path", "/nowhere/at/all", "/" + "x" * 300])
def test_nobody_listening_is_no_error(address: str) -> None:
    assert not notify(READY, environment={"NOTIFY_SOCKET": address})
    assert not notify(READY, environment={})


def test_a_full_socket_does_not_hold_the_cycle_up(listener: socket.socket) -> None:
    environment = {"NOTIFY_SOCKET": listener.getsockname()}
    began = time.monotonic()
    assert not all(notify(WATCHDOG, environment=environment) for _ in range(5_000))
    assert time.monotonic() - began < 5.0


@pytest.mark.parametrize(
    ("environment", "interval_s"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_fed_twice_as_often_as_asked(environment: dict[str, str], interval_s: float | None) -> None:
    assert watchdog_interval_s(environment) == interval_s
