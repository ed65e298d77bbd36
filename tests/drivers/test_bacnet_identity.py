"""Doubles: what is only said makes us ask, what is found stops every write until it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.api import Driver, Host, NoAnswer, Outcome, PointId, Quality, Reading, Refused, Write
from drivers.bacnet import identity
from drivers.bacnet.addresses import station
from drivers.bacnet.driver import build, lanes
from drivers.bacnet.identity import Identities
from drivers.bacnet.network import IAm
from drivers.bacnet.settings import BacnetDevice
from drivers.profile import BacnetPoint
from drivers.registry import BusDevice
from tests.drivers.bacnet_station import AT, Station, bus, device, setpoint
from tests.drivers.bacnet_wire import Ear, bvll, i_am, unicast, whom, wire
from tests.ports import free_port

SETPOINT = BacnetPoint("s", "analog-value,1", writable=True, commandable=True)
HERE, THERE = station("10.0.0.1"), station("10.0.0.2")


class Told(list[tuple[str, str, bool, str]]):
    """What Identities says."""

    def __call__(self, *what: object) -> None:
        """One change."""
        self.append(what)  # type: ignore[arg-type]


def known() -> tuple[Identities, Told]:
    """Device 1201, ``school``, at HERE."""
    told = Told()
    identities = Identities({"school": 1201}, told)
    identities.place("school", HERE)
    return identities, told


def said(instance: int) -> IAm:
    """An I-Am."""
    return IAm(instance, 480, 3, 999)


def test_what_is_only_said_is_asked_and_blocks_nothing() -> None:
    identities, told = known()
    identities.heard(HERE, said(1201), 0.0)
    assert identities.to_ask("school", 0.0) is None, "the device itself"
    identities.heard(THERE, said(1201), 0.0)
    assert identities.conflict("school") is None
    assert identities.to_ask("school", 0.0) == THERE
    identities.answered("school", THERE, same=False, at_s=0.0)
    identities.heard(THERE, said(1201), 300.0)
    assert identities.to_ask("school", 300.0) is None, "cleared a moment ago"
    identities.heard(THERE, said(1201), 601.0)
    assert identities.to_ask("school", 601.0) == THERE
    assert told == []


def test_a_rival_holds_until_it_is_missed_twice() -> None:
    identities, told = known()
    identities.heard(THERE, said(1201), 0.0)
    identities.answered("school", THERE, same=True, at_s=0.0)
    sentence = "device 1201 answers at 10.0.0.1:47808 and at 10.0.0.2:47808"
    assert identities.conflict("school") == sentence
    assert identities.to_ask("school", 1.0) == THERE
    for same in (True, False, True, False):
        identities.answered("school", THERE, same=same, at_s=1.0)
        assert identities.conflict("school") == sentence
    identities.answered("school", THERE, same=False, at_s=2.0)
    assert identities.conflict("school") is None
    assert [what[1:] for what in told] == [("duplicateInstance", True, sentence), ("duplicateInstance", False, "")]


def test_a_flood_of_forged_words_costs_one_question_at_a_time_and_no_memory() -> None:
    identities, _ = known()
    for number in range(10_000):
        identities.heard(station(f"10.{number // 250}.{number % 250}.1"), said(1201), 0.0)
    asked = [at for at in range(600) if identities.to_ask("school", float(at)) is not None]
    assert len(asked) == 600 / identity.BETWEEN_QUESTIONS_S
    assert len(identities._records["school"].suspects) <= 8


def test_a_word_of_another_device_at_our_address_makes_us_ask_who_is_there() -> None:
    identities, told = known()
    identities.heard(HERE, said(1202), 0.0)
    assert identities.doubted("school")
    assert not identities.doubted("school"), "once"
    assert told == []
    identities.mismatched("school", 1202)
    identities.mismatched("school", 1202)
    identities.matched("school")
    identities.matched("school")
    assert [what[:3] for what in told] == [
        ("school", "duplicateAddress", True),
        ("school", "duplicateAddress", False),
    ]
    assert told[0][3] == "device 1202 answers at 10.0.0.1:47808, where device 1201 is expected"


@asynccontextmanager
async def watching(*devices: BusDevice, **settings: object) -> AsyncIterator[tuple[Driver, Ear, int]]:
    """An open driver, what it says, and its port."""
    ear, own = Ear(), bus(**settings)
    driver = build("gtb", own, devices, Host(lambda: AT, Path(), hear=ear))
    await asyncio.sleep(0)  # a Station binds in the turn after it was made
    await driver.open()
    try:
        yield driver, ear, own.endpoint[1]
    finally:
        await driver.close()


async def read(driver: Driver) -> Sequence[object]:
    """The only poll of the school."""
    return await driver.read(driver.polls["school"][0])


async def announced(driver: Driver, who: Station, port: int) -> None:
    """Until our link has heard the I-Am of ``who``."""
    heard = asyncio.Event()
    driver._client.link.on_i_am.append(lambda *_: heard.set())  # type: ignore[attr-defined]
    await asyncio.sleep(0)
    who.app.i_am(address=_address(port))
    await asyncio.wait_for(heard.wait(), 2.0)


WRITE = [Write(PointId("school", "s"), 21.0)]


async def test_two_devices_of_one_instance_are_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "BETWEEN_QUESTIONS_S", 0.0)
    monkeypatch.setattr(identity, "RECHECK_S", 0.0)
    right, double = Station(1201, setpoint(1, 20.0)), Station(1201, setpoint(1, 10.0))
    async with wire() as voice, watching(device(right.port, 1201, SETPOINT)) as (driver, ear, port):
        assert (await driver.write(WRITE))[0].outcome is Outcome.APPLIED
        origin = b"\x7f\0\0\1" + double.port.to_bytes(2)
        voice.send(bvll(0x04, origin + b"\x01\x00" + i_am(1201)), ("127.0.0.1", port))
        await read(driver)
        assert ear.heard.empty(), "a forwarded word from somebody who is no BBMD of ours"
        await announced(driver, double, port)
        await read(driver)
        notice = await ear.notice()
        seen = await read(driver)
        assert (notice.subject, notice.event, notice.holds) == ("device/school", "duplicateInstance", True)
        assert f"127.0.0.1:{right.port}" in notice.detail
        assert f"127.0.0.1:{double.port}" in notice.detail
        assert isinstance(seen[0], Reading)
        assert (seen[0].value, seen[0].quality) == (21.0, Quality.UNCERTAIN)
        served = right.served
        (result,) = await driver.write(WRITE)
        assert (result.outcome, result.detail) == (Outcome.REJECTED, notice.detail)
        assert right.served == served, "not even asked"
        await double.aclose()
        while ear.heard.empty():
            await read(driver)
        assert (await ear.notice()).holds is False
        assert (await driver.write(WRITE))[0].outcome is Outcome.APPLIED
    await right.aclose()


async def test_another_device_at_the_address_is_told_and_never_written() -> None:
    right = Station(1201, setpoint(1, 20.0))
    async with watching(device(right.port, 1201, SETPOINT)) as (driver, ear, port):
        await read(driver)
        await right.aclose()
        wrong = Station(1202, setpoint(1, 20.0), port=right.port)
        await announced(driver, wrong, port)
        with pytest.raises(Refused, match="expected device 1201, found device 1202"):
            await read(driver)
        notice = await ear.notice()
        assert (notice.event, notice.holds) == ("duplicateAddress", True)
        (result,) = await driver.write(WRITE)
        assert result.outcome is Outcome.REJECTED
        assert "wp" not in wrong.served
        assert ear.heard.empty(), "a refused write ends nothing"
        await wrong.aclose()
        right = Station(1201, setpoint(1, 20.0), port=right.port)
        await read(driver)
        assert (await ear.notice()).holds is False
        await right.aclose()


async def test_a_device_without_an_address_is_found_and_found_again_when_it_moved() -> None:
    port = free_port()
    homes = [Station(1201, setpoint(1, 20.0)), Station(1201, setpoint(1, 10.0))]
    home: Station | None = homes[0]
    values = []

    def tells(datagram: bytes) -> list[bytes]:
        if whom(datagram) == (1201, 1201) and home is not None:
            home.app.i_am(address=_address(port))
        return []

    lost = device(1, 1201, SETPOINT)
    lost = BusDevice(
        lost.id, BacnetDevice.model_validate({"address": "auto", "instance": 1201}), lost.profile, lost.points
    )
    address, foreign = f"127.0.0.1/32:{port}", {"ttl": "60s"}
    async with wire(tells) as bbmd:
        foreign["bbmd"] = f"127.0.0.1:{bbmd.port}"
        async with watching(lost, address=address, foreign=foreign) as (driver, _, _):
            for place in homes:
                home = place
                (seen,) = await read(driver)
                assert isinstance(seen, Reading)
                values.append(seen.value)
                asked = len(bbmd.seen)
                await read(driver)
                assert len(bbmd.seen) == asked, "looked for only when it is lost"
                await place.aclose()
                home = None
                with pytest.raises(NoAnswer):
                    await read(driver)
    assert values == [20.0, 10.0]


async def test_a_device_that_nobody_has_seen_is_silent() -> None:
    lost = device(1, 1201, SETPOINT)
    lost = BusDevice(lost.id, BacnetDevice(instance=1201), lost.profile, lost.points)
    async with watching(lost, timeout_s=0.05) as (driver, _, _):
        with pytest.raises(NoAnswer, match="device 1201 is not found"):
            await read(driver)
        with pytest.raises(NoAnswer, match="device 1201 is not found"):
            await driver.write(WRITE)


def test_the_devices_of_a_routed_network_share_one_lane() -> None:
    places = {"a": "10.0.0.1", "b": "2001:17", "c": "2001:18", "d": "2002:1"}
    made = list(lanes("gtb", {name: BacnetDevice(address=at, instance=1) for name, at in places.items()}))
    assert [(lane.name, lane.devices) for lane in made] == [
        ("gtb/a", ("a",)),
        ("gtb/net-2001", ("b", "c")),
        ("gtb/net-2002", ("d",)),
    ]


async def test_a_device_behind_a_router_is_read_and_written_through_it() -> None:
    """The router is a relay here: it takes the route off and puts the source on."""
    home = Station(1201, setpoint(1, 20.0))
    loop = asyncio.get_running_loop()
    heads: list[bytes] = []

    async with wire() as inside:

        def relays(datagram: bytes) -> list[bytes]:
            if datagram[5] & 0x20:
                heads.append(datagram[4:11])
                assert router.peer is not None
                client.append(router.peer)
                inside.send(unicast(datagram[11:]), ("127.0.0.1", home.port))
            return []

        def back(datagram: bytes) -> list[bytes]:
            head = b"\x01\x08\x07\xd1\x01\x11"
            loop.call_soon(router.send, bvll(0x0A, head + datagram[6:]), client[-1])
            return []

        client: list[tuple[str, int]] = []
        inside.script = back
        async with wire(relays) as router:
            base = device(1, 1201, SETPOINT)
            place = BacnetDevice(address="2001:17", via=f"127.0.0.1:{router.port}", instance=1201)
            async with watching(BusDevice(base.id, place, base.profile, base.points)) as (driver, _, _):
                (seen,) = await read(driver)
                assert isinstance(seen, Reading)
                assert seen.value == 20.0
                assert (await driver.write(WRITE))[0].outcome is Outcome.APPLIED
    assert set(heads) == {bytes.fromhex("0124 07d1 0111 ff")}, "each expects a reply, which MS/TP must know"
    await home.aclose()


def _address(port: int) -> object:
    from bacpypes3.pdu import Address  # type: ignore[import-untyped]

    return Address(f"127.0.0.1:{port}")
