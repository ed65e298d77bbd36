"""Finding the device, the way through routers, and the frames that a device passes over."""

from __future__ import annotations

import pytest

from tests.sim.bacnet_rig import I_AM_OF_4, Plant, rigged, unicast

AI5 = "0c00000005"


@pytest.mark.parametrize(
    "datagram",
    [
        pytest.param("810a0008 0100 1008", id="unicast"),
        pytest.param("810b0008 0100 1008", id="broadcast"),
        pytest.param("810b000c 0120ffff00ff 1008", id="global broadcast"),
        pytest.param("810b000c 0100 1008 09041904", id="its instance"),
        pytest.param("810b000e 0100 1008 09001b3fffff", id="every instance"),
    ],
)
async def test_who_is(datagram: str) -> None:
    async with rigged() as rig:
        rig.wire.send(bytes.fromhex(datagram))
        assert await rig.wire.heard() == I_AM_OF_4


@pytest.mark.parametrize("body", ["09051906", "09031903", "0904", "1904", "09041904ff", "0a0100", "0b40000019ff"])
async def test_who_is_of_others_or_malformed(body: str) -> None:
    async with rigged() as rig:
        rig.wire.send(unicast(bytes.fromhex("1008" + body)))
        assert await rig.wire.is_quiet()


async def test_who_is_for_another_network() -> None:
    async with rigged() as rig:
        rig.wire.send(bytes.fromhex("810b000c 0120000700ff 1008"))
        assert await rig.wire.is_quiet()


async def test_a_forwarded_who_is_is_answered_to_its_origin() -> None:
    async with rigged() as rig, rigged() as other:
        origin = "7f000001" + f"{other.wire.port:04x}"
        rig.wire.send(bytes.fromhex(f"8104000e{origin}01001008"))
        other.wire.target = rig.wire.target
        assert await other.wire.heard() == I_AM_OF_4
        assert await rig.wire.is_quiet()


READ_AI5 = f"0005010c{AI5}1955"


async def test_a_routed_request_is_answered_through_the_router() -> None:
    async with rigged() as rig:
        rig.wire.send(bytes.fromhex(f"810a0015 010c 00050137 {READ_AI5}"))
        answer = await rig.wire.receive()
        assert answer.hex() == f"810a001c012000050137ff30010c{AI5}19553e444290999a3f"


@pytest.mark.parametrize(
    "datagram",
    [
        pytest.param("", id="empty"),
        pytest.param("81", id="one octet"),
        pytest.param(f"820a0011 0104 {READ_AI5}", id="another protocol"),
        pytest.param(f"810a0012 0104 {READ_AI5}", id="a wrong length"),
        pytest.param(f"810a0011 0204 {READ_AI5}", id="another NPDU version"),
        pytest.param(f"810a0011 0144 {READ_AI5}", id="reserved bits"),
        pytest.param(f"810b0011 0104 {READ_AI5}", id="a confirmed request as a broadcast"),
        pytest.param(f"810a0015 0124ffff00ff {READ_AI5}", id="a confirmed request to all networks"),
        pytest.param(f"810a0016 01240007 0155ff {READ_AI5}", id="for another network"),
        pytest.param(f"810a0014 010c000000 {READ_AI5}", id="a source that cannot be"),
        pytest.param("810a0007 0180 00", id="a message for routers"),
        pytest.param(f"810c0011 0104 {READ_AI5}", id="an unknown BVLC function"),
        pytest.param("81000006 0000", id="a BVLC result"),
        pytest.param("810a0007 0104 00", id="a cut head"),
        pytest.param("810a0006 0104", id="no APDU"),
        pytest.param("810a0009 0104 200a0f", id="an ack of nothing"),
        pytest.param("810a000a 0104 40010000", id="a segment ack"),
        pytest.param("810a0009 0104 f00100", id="no PDU type"),
    ],
)
async def test_what_is_passed_over(datagram: str) -> None:
    async with rigged() as rig:
        rig.wire.send(bytes.fromhex(datagram))
        assert await rig.wire.is_quiet()


@pytest.mark.parametrize(
    ("request_", "code"),
    [("8105 0006 001e", "0030"), ("8102 0004", "0020"), ("8106 0004", "0040"), ("8109 0008 0100 1008", "0060")],
)
async def test_it_is_no_bbmd(request_: str, code: str) -> None:
    async with rigged() as rig:
        rig.wire.send(bytes.fromhex(request_))
        assert (await rig.wire.receive()).hex() == f"81000006{code}"


async def test_two_objects_of_one_identifier_are_refused() -> None:
    plant = Plant()
    twice = {"a": plant.point("analog-input", 1, 0.0), "b": plant.point("analog-input", 1, 0.0)}
    with pytest.raises(ValueError, match="one identifier"):
        async with rigged(lambda _: twice):
            pass
