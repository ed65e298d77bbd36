"""Somebody at the broker who notes when each message came: a small MQTT 3.1.1 client on a thread of the bench."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_CONNECT, _PUBLISH, _SUBSCRIBE, _DISCONNECT = 0x10, 0x30, 0x82, 0xE0
_KEEPALIVE_S = 0


@dataclass(frozen=True, slots=True)
class Message:
    """One publication as it came, retained ones excepted; ``at_s`` is monotonic."""

    at_s: float
    topic: str
    payload: bytes


class Listener:
    """Connected and subscribed (QoS 0) once made; ``messages`` grows until ``close``, each answered where asked."""

    def __init__(
        self,
        port: int,
        *topics: str,
        name: str = "bench-listener",
        answer: Callable[[Message], tuple[str, bytes]] | None = None,
    ) -> None:
        self._answer = answer
        self.messages: list[Message] = []
        self._socket = socket.create_connection(("127.0.0.1", port), 5.0)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        self._socket.sendall(connect_packet(name))
        self._socket.sendall(subscribe_packet(topics))
        self._socket.settimeout(None)
        self._subscribed = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="listener", daemon=True)
        self._thread.start()
        self._subscribed.wait(5.0)

    def publish(self, topic: str, payload: bytes) -> float:
        """Publish with QoS 0; returns the monotonic time just before."""
        packet = publish_packet(topic, payload)
        at_s = time.monotonic()
        self._socket.sendall(packet)
        return at_s

    def close(self) -> None:
        """Leave the broker."""
        self._socket.sendall(bytes((_DISCONNECT, 0)))
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5.0)
        self._socket.close()

    def _listen(self) -> None:
        while True:
            try:
                chunk = self._socket.recv(262_144)
            except OSError:
                return
            if not chunk:
                return
            self._take(time.monotonic(), chunk)

    def _take(self, at_s: float, chunk: bytes) -> None:
        self._buffer += chunk
        for head, body in packets(self._buffer):
            if head & 0xF0 == _PUBLISH and not head & 1:
                topic, payload = published(head, body)
                self.messages.append(Message(at_s, topic, payload))
                if self._answer is not None:
                    self.publish(*self._answer(self.messages[-1]))
            elif head & 0xF0 == 0x90:
                self._subscribed.set()


def packets(buffer: bytearray) -> Iterator[tuple[int, bytes]]:
    """Take the complete packets off the front of ``buffer``: (first byte, body)."""
    start = 0
    while (bounds := _bounds(buffer, start)) is not None:
        body, end = bounds
        yield buffer[start], bytes(buffer[body:end])
        start = end
    del buffer[:start]


def _bounds(buffer: bytearray, start: int) -> tuple[int, int] | None:
    """Where the body of the packet at ``start`` begins and ends; None while it is incomplete."""
    length = shift = 0
    for place in range(start + 1, min(start + 5, len(buffer))):
        length |= (buffer[place] & 0x7F) << shift
        shift += 7
        if not buffer[place] & 0x80:
            end = place + 1 + length
            return (place + 1, end) if end <= len(buffer) else None
    return None


def published(head: int, body: bytes) -> tuple[str, bytes]:
    """Topic and payload of a PUBLISH."""
    (length,) = struct.unpack_from(">H", body)
    start = 2 + length + (2 if head & 0x06 else 0)
    return body[2 : 2 + length].decode(), body[start:]


def packet(head: int, body: bytes) -> bytes:
    """A packet with its length in front."""
    length, rest = bytearray(), len(body)
    while True:
        rest, digit = divmod(rest, 128)
        length.append(digit | (0x80 if rest else 0))
        if not rest:
            return bytes((head,)) + bytes(length) + body


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text.encode())) + text.encode()


def connect_packet(client: str) -> bytes:
    """CONNECT with a clean session and no keep-alive."""
    return packet(_CONNECT, _text("MQTT") + bytes((4, 2)) + struct.pack(">H", _KEEPALIVE_S) + _text(client))


def subscribe_packet(topics: tuple[str, ...]) -> bytes:
    """SUBSCRIBE to ``topics`` with QoS 0."""
    return packet(_SUBSCRIBE, struct.pack(">H", 1) + b"".join(_text(topic) + b"\0" for topic in topics))


def publish_packet(topic: str, payload: bytes) -> bytes:
    """PUBLISH with QoS 0, not retained."""
    return packet(_PUBLISH, _text(topic) + payload)
