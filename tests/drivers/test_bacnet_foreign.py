"""Our registration with a BBMD, which is played octet by octet."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from drivers.api import Host
from drivers.bacnet import foreign
from drivers.bacnet.client import Client
from drivers.bacnet.discovery import who_is
from drivers.bacnet.driver import build
from drivers.bacnet.settings import BacnetBus, ForeignDevice
from tests.drivers.bacnet_station import AT, bus
from tests.drivers.bacnet_wire import Ear, Wire, bvll, i_am, wire

REGISTER = bytes.fromhex("81050006000a")
GIVE_BACK = bytes.fromhex("810500060000")
DONE, FULL, UNKNOWN = (bytes.fromhex(f"81000006{code}") for code in ("0000", "0030", "0060"))


def settings(bbmd: Wire) -> BacnetBus:
    """Ten seconds is the shortest lifetime."""
    return bus(foreign={"bbmd": f"127.0.0.1:{bbmd.port}", "ttl": "10s"})


async def test_registered_renewed_at_two_thirds_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async with wire(lambda _: [DONE]) as bbmd:
        client = Client(settings(bbmd))
        assert client.registration is not None
        assert client.registration._renew_s == pytest.approx(20 / 3)
        monkeypatch.setattr(client.registration, "_renew_s", 0.1)
        started = asyncio.get_running_loop().time()
        await client.open()
        assert [await bbmd.next() for _ in range(2)] == [REGISTER, REGISTER]
        assert 0.08 < asyncio.get_running_loop().time() - started < 0.15
        await client.close()
        while (last := await bbmd.next()) == REGISTER:
            continue
        assert last == GIVE_BACK
        await asyncio.sleep(0.2)
        assert bbmd.heard.empty(), "nothing is sent after the end"


async def test_a_who_is_goes_through_the_bbmd_and_its_answers_come_from_there() -> None:
    def distributes(datagram: bytes) -> Iterable[bytes]:
        if datagram[1] == 0x05:
            return [DONE]
        origin = bytes([10, 0, 0, 9]) + (47808).to_bytes(2)
        return [bvll(0x04, origin + b"\x01\x20\xff\xff\x00\xff" + i_am(5))]

    async with wire(distributes) as bbmd, wire() as stranger:
        client = Client(settings(bbmd))
        await client.open()
        await bbmd.next()
        asked = asyncio.ensure_future(who_is(client, 0, 10, wait_s=0.1))
        assert (await bbmd.next())[:2] == b"\x81\x09"
        stranger.send(bvll(0x04, bytes([10, 0, 0, 8, 0xBA, 0xC0]) + b"\x01\x00" + i_am(6)), client.link.local)
        assert [(one.instance, one.address) for one in await asked] == [(5, "10.0.0.9:47808")]
        await client.close()


async def test_a_bbmd_that_forgot_us_is_asked_at_once() -> None:
    async with wire(lambda d: [DONE if d[1] == 0x05 else UNKNOWN]) as bbmd:
        client = Client(settings(bbmd))
        await client.open()
        await bbmd.next()
        await who_is(client, 0, 10, wait_s=0.05)
        assert [datagram[1] for datagram in bbmd.seen] == [0x05, 0x09, 0x05]
        await client.close()


@pytest.mark.parametrize(
    ("answers", "why"),
    [([FULL], "refuses the registration (0x0030)"), ([], "no answer from the BBMD 127.0.0.1:")],
)
async def test_a_failure_is_told_once_and_its_end_too(
    answers: list[bytes], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear = Ear()
    monkeypatch.setattr(foreign, "LONGEST_RETRY_S", 0.02)
    monkeypatch.setattr(foreign, "ANSWER_S", 0.02)
    async with wire(lambda _: answers) as bbmd:
        driver = build("gtb", settings(bbmd), [], Host(lambda: AT, Path(), hear=ear))
        await driver.open()
        notice = await ear.notice()
        assert (notice.subject, notice.event, notice.holds) == ("bus/gtb", "foreignRegistration", True)
        assert why in notice.detail
        for _ in range(3):
            await bbmd.next()
        assert ear.heard.empty(), "once"
        answers[:] = [DONE]
        notice = await ear.notice()
        assert (notice.event, notice.holds) == ("foreignRegistration", False)
        await driver.close()


@pytest.mark.parametrize(("ttl", "seconds"), [("60s", 60), ("5m", 300), ("1h", 3600), (30, 30), ("45", 45)])
def test_lifetimes(ttl: object, seconds: int) -> None:
    assert ForeignDevice.model_validate({"bbmd": "10.0.0.1", "ttl": ttl}).ttl == seconds


@pytest.mark.parametrize("ttl", ["", "1d", "soon", 5, "20h", -1])
def test_what_is_no_lifetime(ttl: object) -> None:
    with pytest.raises(ValueError, match="ttl"):
        ForeignDevice.model_validate({"bbmd": "10.0.0.1", "ttl": ttl})
