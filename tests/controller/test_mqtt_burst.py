"""Many states in one write: the packets against paho's own reading of them, and a real broker's."""

from __future__ import annotations

import asyncio

import aiomqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.mqtt.burst import packet, publish_retained
from tests.broker import Broker


def read(data: bytes, *, five: bool) -> tuple[int, str, bytes]:
    """First byte, topic and payload of one PUBLISH of QoS 0, read as the standard writes it."""
    length = shift = 0
    position = 1
    while True:
        digit = data[position]
        length |= (digit & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not digit & 0x80:
            break
    body = data[position:]
    assert len(body) == length
    end = 2 + int.from_bytes(body[:2], "big")
    if five:
        assert body[end] == 0, "no properties"
    return data[0], body[2:end].decode(), body[end + five :]


@given(topic=st.text(st.characters(codec="utf-8", exclude_characters="#+\0"), min_size=1, max_size=300),
       payload=st.binary(max_size=20_000), retain=st.booleans(), five=st.booleans())  # fmt: skip
def test_a_packet_says_what_was_put_in(topic: str, payload: bytes, retain: bool, five: bool) -> None:
    assert read(packet(topic, payload, retain=retain, five=five), five=five) == (0x30 | retain, topic, payload)


def test_a_topic_longer_than_a_packet_can_name_is_refused() -> None:
    with pytest.raises(ValueError, match="65536 bytes"):
        packet("a" * 65_536, b"", retain=True, five=False)


@pytest.mark.parametrize("five", [False, True])
async def test_a_broker_keeps_every_state_of_a_write(broker: Broker, five: bool) -> None:
    version = aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311
    states = {f"town/lamp/l-{number}/state": b'{"level":%d}' % number * (number % 40 + 1) for number in range(500)}
    async with aiomqtt.Client("127.0.0.1", broker.port, protocol=version) as client:
        async with asyncio.timeout(5):
            await publish_retained(client, states.items(), five=five)
            await publish_retained(client, [("town/lamp/l-0/state", b"")], five=five)
            await client.publish("fence", qos=1)  # answered when the broker has read all before it
    del states["town/lamp/l-0/state"]
    found: dict[str, bytes] = {}
    async with aiomqtt.Client("127.0.0.1", broker.port) as client, asyncio.timeout(5):
        await client.subscribe("town/#")
        async for message in client.messages:
            assert message.retain
            found[str(message.topic)] = bytes(message.payload or b"")
            if len(found) == len(states):
                break
    assert found == states


async def test_a_broker_that_does_not_read_holds_the_writer_back(broker: Broker) -> None:
    state = [("town/a", b"x" * 8_000_000)]  # more than the sockets of both sides take
    async with aiomqtt.Client("127.0.0.1", broker.port, timeout=0.5) as client:
        broker.pause()
        with pytest.raises(aiomqtt.MqttError, match="does not take"):
            await publish_retained(client, state, five=False)
        broker.resume()
