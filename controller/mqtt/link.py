"""The way to the broker: its address, TLS and one fresh client, for the daemon and for the command line."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import aiomqtt

from config.site import Mqtt

_CONNECT_S = 3.0
"""Bound of TCP connect and TLS handshake; they run in a thread that nobody can cancel."""
_PENDING_CALLS = 1_000
_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker listens."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Inbox(asyncio.Queue[aiomqtt.Message]):
    """What was received and not yet looked at; ``discarded`` counts what came when it was full."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.discarded = 0

    def put_nowait(self, item: aiomqtt.Message) -> None:
        """Raises QueueFull, which the client takes for its own and swallows."""
        self.discarded += self.full()
        super().put_nowait(item)


def address_of(settings: Mqtt) -> Address:
    """The broker in ``settings.url``. Raises ValueError when it is no mqtt or mqtts URL."""
    parts = urlsplit(settings.url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"{settings.url!r} is not mqtt://host:port or mqtts://host:port")
    return Address(parts.hostname, parts.port or _PORTS[parts.scheme], parts.scheme == "mqtts")


def tls_context(settings: Mqtt) -> ssl.SSLContext | None:
    """TLS 1.2 or better with the peer's name checked; None on a plain mqtt URL. Blocks. Raises OSError, SSLError."""
    if not address_of(settings).tls:
        return None
    context = ssl.create_default_context(cafile=settings.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.cert_file is not None:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    return context


def fresh_client(
    settings: Mqtt,
    identifier: str,
    tls: ssl.SSLContext | None,
    will: aiomqtt.Will | None = None,
    inbox: Inbox | None = None,
) -> aiomqtt.Client:
    """A client for ONE connection: used again, it would deliver what it once failed to publish, and in old order.

    What it receives goes through ``inbox``, for those who want it bounded or faster than one message a task.
    """
    address = address_of(settings)
    five = settings.protocol == "5"
    client = aiomqtt.Client(
        address.host,
        address.port,
        username=settings.username,
        password=settings.password,
        identifier=identifier,
        protocol=aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311,
        clean_session=None if five else True,
        will=will,
        keepalive=settings.keepalive_s,
        timeout=float(min(10, settings.keepalive_s)),
        tls_context=tls,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],  # small messages must not wait for each other
        logger=logging.Logger("mqtt", logging.CRITICAL),  # noqa: LOG001 - unheard: its errors reach us as exceptions
        queue_type=None if inbox is None else cast("type[asyncio.Queue[aiomqtt.Message]]", lambda maxsize: inbox),
    )
    client.pending_calls_threshold = _PENDING_CALLS
    client._client.connect_timeout = _CONNECT_S  # noqa: SLF001 - aiomqtt does not pass it on
    return client


def acknowledge_now(client: aiomqtt.Client) -> None:
    """Let the system acknowledge at once what the broker sent.

    A broker that gathers small packets (mosquitto without ``set_tcp_nodelay``) holds the next command until then, and
    the system by itself waits up to 40 ms for something of ours to send along.
    """
    connection = client._client.socket()  # noqa: SLF001 - aiomqtt does not show it
    if isinstance(connection, socket.socket) and hasattr(socket, "TCP_QUICKACK"):
        with contextlib.suppress(OSError):  # lost: the session will hear of it
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


async def standing(client: aiomqtt.Client, filters: Sequence[str], quiet_s: float, cap_s: float) -> dict[str, bytes]:
    """What stands retained below ``filters``: read until nothing more came for ``quiet_s``, ``cap_s`` at the most.

    The connection is good for nothing else afterwards: what was not retained has been read too.
    """
    found: dict[str, bytes] = {}
    now = asyncio.get_running_loop().time
    await client.subscribe([(each, 0) for each in filters])
    end = now() + cap_s
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(min(end, now() + quiet_s)) as quiet:
            async for message in client.messages:
                if message.retain:
                    found[str(message.topic)] = bytes(message.payload or b"")
                    quiet.reschedule(min(end, now() + quiet_s))
    return found
