"""Ports of the loopback for tests: below those that the kernel hands out by itself, and never the same twice."""

from __future__ import annotations

import os
import random
import re
import socket
from collections.abc import Iterator

FIRST, LAST = 10_000, 32_000
"""Who connects anywhere is given a port from 32,768 up: one found free there may be taken before it is used, or
while its listener is away."""
WORKERS = 4


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has, neither for TCP nor for UDP; no other test of this run is told the same."""
    return next(port for port in _PORTS if _is_free(port))


def _walk() -> Iterator[int]:
    """Round a worker's own part of the range, from anywhere: two runs on one machine then seldom meet."""
    worker = int("".join(re.findall(r"\d+", os.environ.get("PYTEST_XDIST_WORKER", "0"))))
    span = (LAST - FIRST) // WORKERS
    first, offset = FIRST + worker % WORKERS * span, random.randrange(span)
    while True:
        yield first + offset
        offset = (offset + 1) % span


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


_PORTS = _walk()
