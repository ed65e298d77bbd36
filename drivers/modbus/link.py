"""Opens the connection that an end stands for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module

from drivers.api import NotConnected
from drivers.modbus.deadlines import Deadlines
from drivers.modbus.ends import End, SerialEnd, TcpEnd
from drivers.modbus.exchange import Link, cause_of
from drivers.modbus.mbap_link import MbapLink
from drivers.modbus.rtu_link import RtuLink
from drivers.modbus.tls import client_context

__all__ = ["Link", "SerialEnd", "TcpEnd", "load_for", "open_link"]

_SERIAL = "drivers.modbus.serial_line"
"""By name: a site without a serial line is spared pymodbus and its 20 MiB."""
_OPTIONS: Mapping[str, int] = {
    "TCP_NODELAY": 1,
    "TCP_KEEPIDLE": 10,
    "TCP_KEEPINTVL": 5,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": 25_000,
}
"""A half-open connection that carries no request is noticed after 25 s (TCP_USER_TIMEOUT is in ms)."""


def load_for(end: End) -> None:
    """Import what ``end`` needs now, not in the middle of the first request."""
    if isinstance(end, SerialEnd):
        import_module(_SERIAL)


async def open_link(end: End, deadlines: Deadlines, requests: Iterator[int]) -> Link:
    """Connect within the time of ``deadlines``, which is also that of each answer; ``requests`` as for MbapLink.

    Raises NotConnected; BindFailed for a serial line or a file that is not there.
    """
    timeout_s = deadlines.within_s
    if isinstance(end, SerialEnd):
        open_serial: Callable[[SerialEnd, float], Link] = import_module(_SERIAL).open_serial
        return open_serial(end, timeout_s)
    link = MbapLink(deadlines, requests) if end.pace is None else RtuLink(timeout_s, end.pace)
    try:
        async with asyncio.timeout(timeout_s):
            await _connect(link, end)
    except TimeoutError as error:
        raise NotConnected("no answer to the connection request") from error
    except (OSError, UnicodeError) as error:  # UnicodeError: a host like a..b
        raise NotConnected(cause_of(error)) from error
    return link


async def _connect(link: MbapLink | RtuLink, end: TcpEnd) -> None:
    loop = asyncio.get_running_loop()
    if end.tls is None:
        transport, _ = await loop.create_connection(lambda: link, end.host, end.port)
    else:
        context, name = client_context(end.tls), end.tls.server_name or end.host
        transport, _ = await loop.create_connection(lambda: link, end.host, end.port, ssl=context, server_hostname=name)
    _set_options(transport.get_extra_info("socket"))


def _set_options(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _OPTIONS.items():
        if hasattr(socket, option):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
