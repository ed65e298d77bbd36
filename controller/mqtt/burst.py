"""Many states in one write: QoS 0 publishes of one moment leave in one piece over the connection of aiomqtt.

aiomqtt and paho spend 100 to 300 us a message on locks, wake-ups and one system call each, ten times what the daemon
needs to know the value; at 500 meters a second that would be most of its time. States bear QoS 0: each one replaces
the last, and every connection begins with all of them anew. Events, results, alarms and samples go the ordinary way.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

import aiomqtt
from paho.mqtt.client import MQTT_ERR_SUCCESS, MQTTMessageInfo

_PUBLISH_QOS_0, _RETAIN = 0x30, 0x01


def packet(topic: str, payload: bytes, *, retain: bool, five: bool) -> bytes:
    """One PUBLISH of QoS 0 (MQTT 3.1.1, 3.3; MQTT 5, 3.3: no properties). Raises ValueError on an overlong topic."""
    name = topic.encode()
    if len(name) > 0xFFFF:
        raise ValueError(f"a topic of {len(name)} bytes")
    body = b"".join((len(name).to_bytes(2, "big"), name, b"\x00" if five else b"", payload))
    return bytes((_PUBLISH_QOS_0 | (_RETAIN if retain else 0), *_length(len(body)))) + body


async def publish_retained(client: aiomqtt.Client, states: Iterable[tuple[str, bytes]], *, five: bool) -> None:
    """Publish ``states`` retained; returns when the last byte went to the system. Raises MqttError.

    The wait is what holds the producer back when the broker does not read.
    """
    pieces = b"".join(packet(topic, payload, retain=True, five=five) for topic, payload in states)
    paho = client._client  # noqa: SLF001 - aiomqtt offers one message a call
    mid = paho._mid_generate()  # noqa: SLF001 - names this write for on_publish; QoS 0 has none on the wire
    written = asyncio.Event()
    client._pending_publishes[mid] = written  # noqa: SLF001 - where aiomqtt's on_publish looks
    try:
        code = paho._packet_queue(_PUBLISH_QOS_0, pieces, mid, 0, MQTTMessageInfo(mid))  # noqa: SLF001
        if code != MQTT_ERR_SUCCESS:
            raise aiomqtt.MqttCodeError(code, "Could not publish states")
        async with asyncio.timeout(client.timeout):
            await written.wait()
    except TimeoutError:
        raise aiomqtt.MqttError("the broker does not take what is sent") from None
    finally:
        with contextlib.suppress(KeyError):
            del client._pending_publishes[mid]  # noqa: SLF001


def _length(length: int) -> bytes:
    """The remaining length: seven bits a byte, the lowest first (MQTT 3.1.1, 2.2.3)."""
    digits = bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(digits)
