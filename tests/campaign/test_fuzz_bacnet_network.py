"""Fuzzed BACnet/IP datagrams in the pure layer: Malformed, or a packet whose content lies in them; I-Am alike."""

from __future__ import annotations

import pytest

from drivers.bacnet import network
from drivers.bacnet.network import Malformed, Message, Packet
from tests.campaign.conftest import Show
from tests.campaign.mutation import Mutator

SENDER = ("192.0.2.7", 47808)
DEVICE = b"\xc4\x02\x00\x04\xb1"
I_AMS = [
    b"\x10\x00" + DEVICE + b"\x22\x05\xc4\x91\x03\x22\x03\xe7",
    b"\x10\x00" + DEVICE + b"\x21\x32\x91\x00\x21\x00",
    b"\x10\x00" + DEVICE + b"\x24\x00\x00\x05\xc4\x91\x01\x22\xff\xff",
]
NPDUS = [b"\x01\x00", b"\x01\x04", b"\x01\x20\xff\xff\x00\xff", b"\x01\x08\x00\x05\x01\x07"]
NPDUS += [b"\x01\x28\x00\x05\x01\x07\x00\x06\x06\x01\x02\x03\x04\x05\x06\xff"]
WORDS = [b"\x01\x80\x00\x00\x05", b"\x01\x80\x01\x00\x05\x00\x06", b"\x01\x80\x03\x01\x00\x05"]
UNICAST, BROADCAST, FORWARDED = 0x0A, 0x0B, 0x04


def bvll(function: int, content: bytes) -> bytes:
    """One message of the virtual link layer."""
    return bytes([0x81, function]) + (4 + len(content)).to_bytes(2, "big") + content


CONTENTS = [npdu + i_am for npdu in NPDUS for i_am in I_AMS] + WORDS
DATAGRAMS = [bvll(UNICAST, content) for content in CONTENTS] + [bvll(BROADCAST, content) for content in CONTENTS]
DATAGRAMS += [bvll(FORWARDED, b"\xc0\x00\x02\x63\xba\xc0" + content) for content in CONTENTS]
DATAGRAMS += [bvll(0x00, b"\x00\x30"), bvll(0x05, b"\x00\x3c")]


def with_its_length(octets: bytes) -> bytes:
    """The same with a length field that is right, so that more than the first check is reached."""
    return octets[:2] + len(octets).to_bytes(2, "big") + octets[4:] if len(octets) >= 4 else octets


def fuzz(count: int, seed: int) -> tuple[int, int]:
    """How many datagrams were packets, and how many of those a true I-Am."""
    packets = devices = 0
    for number, octets in enumerate(Mutator(seed, DATAGRAMS).messages(count)):
        received = with_its_length(octets) if number % 4 else octets
        try:
            found = network.parse(received, SENDER)
        except Malformed:
            continue
        if not isinstance(found, Packet):
            continue
        packets += 1
        assert found.content in received
        assert found.via == SENDER
        if found.message is None:
            devices += judged_i_am(found.content)
        else:
            judge_message(found.message, found.content)
    return packets, devices


def judged_i_am(apdu: bytes) -> bool:
    """Whether it is one; then every figure is in its range."""
    if not network.is_i_am(apdu):
        return False
    try:
        said = network.i_am(apdu)
    except Malformed:
        return False
    assert 0 <= said.instance <= network.MAX_INSTANCE
    assert said.segmentation in range(4)
    assert said.vendor in range(65536)
    assert said.instance == int.from_bytes(apdu[3:7], "big") & 0x3FFFFF
    return True


def judge_message(message: int, content: bytes) -> None:
    """The words of routers: networks that can exist, or Malformed."""
    try:
        if message == Message.I_AM_ROUTER:
            assert all(0 < found < 0xFFFF for found in network.networks(content))
        elif message == Message.REJECT:
            assert network.rejected(content) in range(65536)
    except Malformed:
        return


@pytest.mark.parametrize("i_am", I_AMS)
def test_an_i_am_that_is_cut_off_is_none(i_am: bytes) -> None:
    assert judged_i_am(i_am)
    assert not any(judged_i_am(i_am[:length]) for length in range(len(i_am)))


def test_fuzzed_datagrams() -> None:
    packets, devices = fuzz(20_000, seed=1)
    assert packets > devices > 500


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_million_fuzzed_datagrams(show: Show) -> None:
    packets, devices = fuzz(1_000_000, seed=2)
    show(f"bacnet network layer, I-Am: 1000000 fuzzed, {packets} packets, {devices} well-formed I-Am, 0 crashes")
    assert packets > devices > 25_000
