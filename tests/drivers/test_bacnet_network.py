"""Addresses and datagrams: the standard's octets both ways, and nothing but Malformed for the rest."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bacnet import network
from drivers.bacnet.addresses import Station, station
from drivers.bacnet.network import Bvlc, IAm, Malformed, Packet, Result

SENDER = ("192.168.1.40", 47808)
HERE = Station(0, b"\xc0\xa8\x01\x28\xba\xc0")


@pytest.mark.parametrize(
    ("text", "place", "shown"),
    [
        ("192.168.1.40", HERE, "192.168.1.40:47808"),
        ("192.168.1.40:47809", Station(0, b"\xc0\xa8\x01\x28\xba\xc1"), "192.168.1.40:47809"),
        ("2001:17", Station(2001, b"\x11"), "2001:17"),
        ("2001:0x0a", Station(2001, b"\x0a"), "2001:10"),
        ("2001:0x0A0B0C", Station(2001, b"\x0a\x0b\x0c"), "2001:0x0a0b0c"),
        ("7:10.1.2.3", Station(7, b"\x0a\x01\x02\x03\xba\xc0"), "7:10.1.2.3:47808"),
        ("7:10.1.2.3:47809", Station(7, b"\x0a\x01\x02\x03\xba\xc1"), "7:10.1.2.3:47809"),
    ],
)
def test_a_place_has_one_name(text: str, place: Station, shown: str) -> None:
    assert station(text) == place
    assert str(place) == shown
    assert station(shown) == place


@pytest.mark.parametrize(
    "text",
    [
        "", "2001", "2001:", "0:17", "65535:17", "2001:255", "2001:0x", "2001:0x0", "2001:0xgg", "2001:-1", "-1:17",
        "2001:0x" + "00" * 19, "2001:10.1.2", "2001:10.1.2.3:0", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3:47808", "a:b",
        "2001:١٧",
    ],
)  # fmt: skip
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        station(text)


def test_the_longest_apdu_through_a_router() -> None:
    assert station("2001:17").max_apdu == 480
    assert station("7:10.1.2.3").max_apdu is None
    assert station("10.1.2.3").max_apdu is None


@pytest.mark.parametrize(
    ("octets", "hex_"),
    [
        (network.register(60), "81050006003c"),
        (network.datagram(Bvlc.UNICAST, network.npdu(bytes.fromhex("0005010c"))), "810a000a01040005010c"),
        (network.datagram(Bvlc.BROADCAST, network.npdu(network.who_is(0, 4194302), 0xFFFF)),
         "810b00120120ffff00ff100809001b3ffffe"),
        (network.npdu(b"\x10\x08", 2001, b"\x11"), "012007d10111ff1008"),
        (network.npdu(b"\x00\x05", 2001, b"\x11"), "012407d10111ff0005"),
        (network.who_is_router(2001), "01800007d1"),
        (network.time_sync(datetime(2026, 3, 29, 1, 2, 3, 450_000, UTC), utc=True), "1009a47e031d07b40102032d"),
        (network.time_sync(datetime(2026, 3, 30, 1, 2, 3, tzinfo=UTC), utc=False), "1006a47e031e01b401020300"),
    ],
)  # fmt: skip
def test_what_is_sent(octets: bytes, hex_: str) -> None:
    assert octets.hex() == hex_


@pytest.mark.parametrize(
    ("hex_", "found"),
    [
        ("810a0008 0100 1008", Packet(HERE, SENDER, False, True, None, b"\x10\x08")),
        ("810b0008 0100 1008", Packet(HERE, SENDER, True, True, None, b"\x10\x08")),
        ("810b000c 0120ffff00ff 1008", Packet(HERE, SENDER, True, True, None, b"\x10\x08")),
        ("810a000c 0108 07d10111 1000", Packet(Station(2001, b"\x11"), SENDER, False, True, None, b"\x10\x00")),
        ("810a000d 0120 00070155 ff 1008", Packet(HERE, SENDER, False, False, None, b"\x10\x08")),
        ("8104000e 7f000001bac1 0100 1008",
         Packet(station("127.0.0.1:47809"), SENDER, True, True, None, b"\x10\x08")),
        ("810b0009 0180 01 07d1", Packet(HERE, SENDER, True, True, 1, b"\x07\xd1")),
        ("81000006 0030", Result(0x30)),
        ("81020004", None),
    ],
)  # fmt: skip
def test_what_is_received(hex_: str, found: Packet | Result | None) -> None:
    assert network.parse(bytes.fromhex(hex_), SENDER) == found


@pytest.mark.parametrize(
    "hex_",
    [
        "", "81", "820a00080100 1008", "810a00090100 1008", "810a00080200 1008", "810a00080140 1008", "810a0006 0100",
        "810c00080100 1008", "81000005 00", "8104000c 7f0000010000 0100", "8104000e 7f0000010000 0100 1008",
        "810a000c 0108 0000 0111 1000", "810a000c 0108 ffff 0111 1000", "810a000b 0108 07d100 1000",
        "810a000c 0108 07d1 0911 1000", "810a000b 0120 ffff00 ff",
    ],
)  # fmt: skip
def test_what_is_rubbish(hex_: str) -> None:
    with pytest.raises(Malformed):
        network.parse(bytes.fromhex(hex_), SENDER)


def test_an_i_am() -> None:
    assert network.i_am(bytes.fromhex("1000c402000004220 5c491032203e7".replace(" ", ""))) == IAm(4, 1476, 3, 999)


@pytest.mark.parametrize(
    "hex_",
    ["1000", "1000c40200", "1000c400000004 2205c4 9103 2203e7", "1000c4023fffff 2205c4 9103 2203e7",
     "1000c402000004 2205c4 9104 2203e7", "1000c402000004 2205c4 9103 2203e7 00", "1000c402000004 2205c4 9103 2203",
     "1000c402000004 20 9103 2203e7", "1000c402000004 2505c4 9103 2203e7"],
)  # fmt: skip
def test_what_is_no_i_am(hex_: str) -> None:
    with pytest.raises(Malformed):
        network.i_am(bytes.fromhex(hex_))


@given(st.binary(max_size=40), st.sampled_from([b"\x81\x0a", b"\x81\x0b", b"\x81\x04", b"\x81\x00", b""]))
def test_rubbish_is_malformed_and_nothing_else(octets: bytes, head: bytes) -> None:
    whole = head + (len(octets) + 4).to_bytes(2) + octets if head else octets
    try:
        found = network.parse(whole, SENDER)
        if isinstance(found, Packet):
            network.i_am(found.content)
            network.networks(found.content)
            network.rejected(found.content)
    except Malformed:
        pass
