"""The devices' clocks, compared and set; the site's clock is the test's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from drivers.api import Driver, Host
from drivers.bacnet import clock
from drivers.bacnet.codec import Atom
from drivers.bacnet.driver import build
from drivers.profile import BacnetPoint
from tests.drivers.bacnet_station import Frame, RawPeer, bus, datagram, device, one_ack, read_ack, real
from tests.drivers.bacnet_wire import Ear

PARIS = ZoneInfo("Europe/Paris")
WINTER = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
BOTH, LOCAL_ONLY, NONE = (b"\x85\x06\x00" + bits for bits in (b"\0\0\0\0\x88", b"\0\0\0\0\x80", b"\0\0\0\0\x00"))


@dataclass
class Site:
    """Time and device of one test: the device is ``off`` from the site's local time."""

    now: datetime = WINTER
    off: timedelta = timedelta(0)
    services: bytes = BOTH
    has_clock: bool = True
    offset: bytes | None = None
    hears: Ear = field(default_factory=Ear)
    set_to: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)

    def script(self, frame: Frame) -> Iterable[bytes]:
        """What the device answers."""
        local = (self.now + self.off).astimezone(PARIS)
        asked = frame.body[-1]
        if frame.service != 12 or (not self.has_clock and asked in (56, 57)):
            return [datagram(bytes([0x50, frame.invoke_id, frame.service, 0x91, 2, 0x91, 32]))]
        values = {
            56: bytes([0xA4, local.year - 1900, local.month, local.day, local.isoweekday()]),
            57: bytes([0xB4, local.hour, local.minute, local.second, 0]),
            97: self.services,
            119: self.offset,
            24: b"\x11" if local.dst() else b"\x10",
        }
        value = values.get(asked, real(20.0))
        if value is None:
            return [datagram(bytes([0x50, frame.invoke_id, 12, 0x91, 2, 0x91, 32]))]
        return [read_ack(frame, frame.object_id, asked, value) if asked in values else one_ack(frame, value)]


class ClockedPeer(RawPeer):
    """A raw peer that keeps time synchronizations."""

    def __init__(self, site: Site) -> None:
        super().__init__(1201, site.script)
        self.site = site

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Unconfirmed requests are for the clock."""
        if data[6] == 0x10:
            self.site.set_to.put_nowait(data[6:])
        else:
            super().datagram_received(data, addr)


@asynccontextmanager
async def reading(
    site: Site, monkeypatch: pytest.MonkeyPatch, **settings: object
) -> AsyncIterator[tuple[Driver, RawPeer]]:
    """A driver whose clock check is always due."""
    for name in ("FIRST_S", "DAILY_S", "AGAIN_S", "AFTER_SYNC_S"):
        monkeypatch.setattr(clock, name, 0.0)
    loop = asyncio.get_running_loop()
    _, peer = await loop.create_datagram_endpoint(lambda: ClockedPeer(site), local_addr=("127.0.0.1", 0))
    host = Host(lambda: site.now, Path(), hear=site.hears)
    settings = {"timezone": "Europe/Paris"} | settings
    school = device(peer.port, 1201, BacnetPoint("t", "analog-input,1"))
    driver = build("gtb", bus(**settings), [school], host)
    await driver.open()
    try:
        yield driver, peer
    finally:
        await driver.close()
        await peer.aclose()


async def poll(driver: Driver) -> None:
    """One turn of the school."""
    assert len(await driver.read(driver.polls["school"][0])) == 1


@pytest.mark.parametrize(
    ("off", "said"),
    [
        (
            timedelta(hours=1),
            "its clock shows 2026-01-12 14:00:00 at 2026-01-12 13:00:00: one hour fast: still on summer",
        ),
        (timedelta(seconds=-3590), "12:00:10 at 2026-01-12 13:00:00: one hour slow: summer time not applied, or"),
        (timedelta(seconds=61), "its clock shows 2026-01-12 13:01:01 at 2026-01-12 13:00:00"),
        (timedelta(days=-365), "its clock shows 2025-01-12 13:00:00 at 2026-01-12 13:00:00"),
    ],
)
async def test_a_wrong_clock_is_told_until_it_is_right(
    off: timedelta, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(off=off)
    async with reading(site, monkeypatch) as (driver, _):
        await poll(driver)
        notice = await site.hears.notice()
        assert (notice.subject, notice.event, notice.holds) == ("device/school", "clockError", True)
        assert (notice.severity, notice.threshold) == ("minor", 60.0)
        assert notice.value == off.total_seconds()
        assert said in notice.detail
        site.off = timedelta(seconds=59)
        await poll(driver)
        assert (await site.hears.notice()).holds is False
        await poll(driver)
        assert site.hears.heard.empty()


@pytest.mark.parametrize(
    "site",
    [
        pytest.param(Site(off=timedelta(seconds=60)), id="a minute is no error"),
        pytest.param(Site(off=timedelta(hours=1), has_clock=False), id="no clock"),
        pytest.param(Site(now=datetime(2026, 3, 29, 2, 30, tzinfo=UTC), off=timedelta(hours=-1)), id="summer time"),
    ],
)
async def test_what_is_no_error(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async with reading(site, monkeypatch) as (driver, peer):
        await poll(driver)
        assert site.hears.heard.empty()
        assert any(frame.body[-1] == 56 for frame in peer.seen), "it was asked"


async def test_an_answer_that_took_long_in_the_sites_time_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a simulated clock, a thousand times as fast."""
    site = Site(off=timedelta(hours=1))
    async with reading(site, monkeypatch) as (driver, peer):
        script = peer.script

        def slowly(frame: Frame) -> Iterable[bytes]:
            site.now += timedelta(seconds=30)
            return script(frame)

        peer.script = slowly
        await poll(driver)
        assert site.hears.heard.empty()


@pytest.mark.parametrize(("offset", "told"), [(b"\x31\xc4", True), (None, False)])
async def test_without_a_zone_the_devices_own_offset_is_believed(
    offset: bytes | None, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(off=timedelta(seconds=300), offset=offset)
    async with reading(site, monkeypatch, timezone=None) as (driver, _):
        await poll(driver)
        assert site.hears.heard.empty() is not told
        if told:
            assert (await site.hears.notice()).value == 300.0


async def test_a_silent_clock_costs_no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site()
    async with reading(site, monkeypatch, timeout_s=0.05, retries=0) as (driver, peer):
        script = peer.script
        peer.script = lambda frame: [] if frame.body[-1] in (56, 57) else script(frame)
        await poll(driver)
        assert site.hears.heard.empty()


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        (BOTH, "1009 a47e010c01 b40c000000"),
        (LOCAL_ONLY, "1006 a47e010c01 b40d000000"),
        (NONE, None),
    ],
)
async def test_the_clock_is_set_where_the_site_asks_for_it(
    services: bytes, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(services=services)
    async with reading(site, monkeypatch, time_sync=True) as (driver, peer):
        monkeypatch.setattr(clock, "DAILY_S", 3600.0)
        await poll(driver)
        if expected is not None:
            assert await asyncio.wait_for(site.set_to.get(), 1.0) == bytes.fromhex(expected)
        await poll(driver)
        assert any(frame.body[-1] == 56 for frame in peer.seen), "and compared afterwards"
        assert site.set_to.empty(), "once a day"


async def test_nobody_is_set_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(off=timedelta(hours=1))
    async with reading(site, monkeypatch) as (driver, peer):
        await poll(driver)
        assert site.set_to.empty()
        assert not any(frame.body[-1] == 97 for frame in peer.seen)


async def test_the_first_readings_go_before(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(off=timedelta(hours=1))
    async with reading(site, monkeypatch) as (driver, peer):
        monkeypatch.setattr(clock, "FIRST_S", 10.0)
        await poll(driver)
        assert not any(frame.body[-1] == 56 for frame in peer.seen)


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ((), (Atom(11, b"\x01\x01\x01\x00"),)),
        ((Atom(10, b"\xff\xff\xff\xff"),), (Atom(11, b"\xff\xff\xff\xff"),)),
        ((Atom(10, b"\x7e\x02\x1e\x01"),), (Atom(11, b"\x01\x01\x01\x00"),)),
        ((Atom(10, b"\x7e\x01\x0c"),), (Atom(11, b"\x01\x01\x01\x00"),)),
        ((Atom(10, b"\x7e\x01\x0c\x01"),), (Atom(11, b"\x19\x01\x01\x00"),)),
        ((Atom(11, b"\x7e\x01\x0c\x01"),), (Atom(10, b"\x01\x01\x01\x00"),)),
    ],
)
def test_what_is_no_time(date: tuple[Atom, ...], time: tuple[Atom, ...]) -> None:
    assert clock.shown(date, time) is None
