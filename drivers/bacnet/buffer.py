"""The socket's receive buffer: the kernel's usual 200 kB hold some 250 reports, a building that wakes up sends more."""

from __future__ import annotations

import socket

import structlog

WANTED_OCTETS = 4 << 20
ENOUGH_OCTETS = 1 << 20
_SO_RCVBUFFORCE = 33
"""Linux, for who may administer the network: beyond net.core.rmem_max."""


def enlarge(bound: socket.socket) -> int:
    """Ask for WANTED_OCTETS; what was granted. One line in the log where it is less than ENOUGH_OCTETS."""
    try:
        bound.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, WANTED_OCTETS)
    except OSError:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WANTED_OCTETS)
    granted = bound.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    if granted < ENOUGH_OCTETS:
        advice = "raise net.core.rmem_max to 4194304"
        structlog.get_logger().warning("bacnet.receive_buffer_small", granted_octets=granted, advice=advice)
    return granted
