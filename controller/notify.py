"""What the daemon tells systemd (sd_notify(3)); says nothing where nobody listens."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

READY, STOPPING, WATCHDOG = "READY=1", "STOPPING=1", "WATCHDOG=1"


def reloading() -> str:
    """The state that opens a reload; READY closes it. systemd asks for its own monotonic clock with it."""
    return f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}"


def status(text: str) -> str:
    """One line for ``systemctl status``."""
    return "STATUS=" + " ".join(text.split())


def notify(*states: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Send ``states`` to NOTIFY_SOCKET; False when there is none or it does not take it. Never blocks, never raises."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    name = "\0" + address[1:] if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as wire:
            wire.sendto("\n".join(states).encode(), name)
    except OSError:
        return False
    return True


def watchdog_interval_s(environment: Mapping[str, str] = os.environ) -> float | None:
    """How often to send WATCHDOG, half of what systemd grants; None when it does not watch this process."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    granted = environment.get("WATCHDOG_USEC", "")
    return int(granted) / 2e6 if granted.isascii() and granted.isdigit() and int(granted) > 0 else None
