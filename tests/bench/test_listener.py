"""The subscriber of the benches reads MQTT packets as they come, however they are cut."""

from __future__ import annotations

import pytest

from bench.listener import packet, packets, publish_packet, published


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 70_000])
def test_a_publication_of_any_length_comes_back(size: int) -> None:
    buffer = bytearray(publish_packet("town/meter", b"x" * size))
    assert [published(head, body) for head, body in packets(buffer)] == [("town/meter", b"x" * size)]
    assert buffer == b""


def test_packets_cut_anywhere_come_whole_and_in_order() -> None:
    stream = publish_packet("a", b"1" * 200) + publish_packet("b", b"2")
    for cut in range(len(stream)):
        buffer = bytearray(stream[:cut])
        found = list(packets(buffer))
        buffer += stream[cut:]
        found += packets(buffer)
        assert [published(*one) for one in found] == [("a", b"1" * 200), ("b", b"2")]


def test_the_identifier_of_a_sure_publication_is_no_payload() -> None:
    body = b"\x00\x01t" + b"\x00\x07" + b"payload"
    assert [published(*one) for one in packets(bytearray(packet(0x32, body)))] == [("t", b"payload")]
