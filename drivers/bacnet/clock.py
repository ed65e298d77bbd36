"""The devices' own clocks: compared with the site's at the start and daily, and set where the site asks for it.

Source: ASHRAE 135 clauses 12.11 (Local_Date, Local_Time, UTC_Offset, Daylight_Savings_Status of the device object),
20.2.12, 20.2.13 (encoding) and 16.7 (time synchronization).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import IntEnum

from drivers.api import DriverError, Now, Refused
from drivers.bacnet import network
from drivers.bacnet.client import Client, Peer
from drivers.bacnet.codec import DEVICE, Atoms, ObjectId, Ref, Tag

THRESHOLD_S = 60.0
FIRST_S = 10.0
"""After the start: the first readings go before."""
DAILY_S = 86_400.0
AGAIN_S = 3600.0
"""After an error, or when the clock could not be read."""
AFTER_SYNC_S = 60.0
LONGEST_S = 20.0
"""A read that took longer, in the site's time, says nothing about a minute."""
AROUND_CHANGE = timedelta(hours=2)
"""Around a change of summer time nobody's clock is judged."""
_HOUR_S = 3600.0
_DATE, _TIME = 10, 11
_UNSPECIFIED = 255


class _Property(IntEnum):
    DAYLIGHT_SAVINGS_STATUS = 24
    LOCAL_DATE = 56
    LOCAL_TIME = 57
    PROTOCOL_SERVICES_SUPPORTED = 97
    UTC_OFFSET = 119


_TIME_SYNC_BIT, _UTC_TIME_SYNC_BIT = 32, 36

Tell = Callable[[str, bool, float | None, str], None]
"""Hears of every check that found an error, or that found none after one: device, holds, seconds off, one sentence."""


def shown(date: Atoms, time: Atoms) -> datetime | None:
    """The local time that a device shows, naive; None where its clock is not set or is none."""
    if len(date) != 1 or len(time) != 1 or (date[0].tag, time[0].tag) != (_DATE, _TIME):
        return None
    if len(date[0].octets) != 4 or len(time[0].octets) != 4 or _UNSPECIFIED in (*date[0].octets[:3], time[0].octets[0]):
        return None
    year, month, day, _ = date[0].octets
    hour, minute, second, hundredths = (0 if part == _UNSPECIFIED else part for part in time[0].octets)
    try:
        return datetime(1900 + year, month, day, hour, minute, second, min(99, hundredths) * 10_000)  # noqa: DTZ001
    except ValueError:
        return None


def changes_around(at: datetime, zone: tzinfo) -> bool:
    """Whether summer time begins or ends near ``at``."""
    before, after = (at + step for step in (-AROUND_CHANGE, AROUND_CHANGE))
    return before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset()


def sentence(device_time: datetime, expected: datetime) -> str:
    """What is wrong with a clock, for the operator."""
    off_s = (device_time - expected).total_seconds()
    said = f"its clock shows {device_time:%Y-%m-%d %H:%M:%S} at {expected:%Y-%m-%d %H:%M:%S}"
    if abs(abs(off_s) - _HOUR_S) <= THRESHOLD_S:
        hour = "one hour fast: still on summer time" if off_s > 0 else "one hour slow: summer time not applied"
        return f"{said}: {hour}, or another time zone?"
    return said


@dataclass(slots=True)
class _State:
    due_s: float
    sync_due_s: float
    wrong: bool = False


class Clocks:
    """Looks after the clocks of a bus' devices, one at a time in the turn of each device."""

    def __init__(self, client: Client, now: Now, zone: tzinfo | None, tell: Tell, *, time_sync: bool) -> None:
        self._client = client
        self._now = now
        self._zone = zone
        self._tell = tell
        self._time_sync = time_sync
        self._states: dict[str, _State] = {}

    async def attend(self, device: str, peer: Peer, instance: int) -> None:
        """Do what is due at this device. Never raises: a clock is no reason to lose a reading."""
        at_s = asyncio.get_running_loop().time()
        state = self._states.get(device)
        if state is None:
            state = self._states[device] = _State(at_s + FIRST_S, at_s + FIRST_S)
        if at_s < state.due_s:
            return
        state.due_s = at_s + AGAIN_S
        try:
            if self._time_sync and at_s >= state.sync_due_s:
                await self._set(peer, instance)
                state.sync_due_s = at_s + DAILY_S
                state.due_s = at_s + AFTER_SYNC_S
            else:
                await self._check(device, state, peer, instance, at_s)
        except DriverError:
            return

    async def _set(self, peer: Peer, instance: int) -> None:
        """Tell the device what time it is, in UTC where it understands that."""
        services = await self._client.read(peer, _ref(instance, _Property.PROTOCOL_SERVICES_SUPPORTED))
        now = self._now()
        if peer.station is None:
            return
        if _has_bit(services, _UTC_TIME_SYNC_BIT):
            self._client.link.send_to(peer.station, network.time_sync(now, utc=True))
        elif _has_bit(services, _TIME_SYNC_BIT) and self._zone is not None:
            self._client.link.send_to(peer.station, network.time_sync(now.astimezone(self._zone), utc=False))

    async def _check(self, device: str, state: _State, peer: Peer, instance: int, at_s: float) -> None:
        before = self._now()
        device_time = await self._read(peer, instance)
        took = self._now() - before
        expected = await self._expected(before + took / 2, peer, instance)
        if device_time is None or expected is None:
            state.due_s = at_s + DAILY_S
            return
        if took.total_seconds() > LONGEST_S or (self._zone is not None and changes_around(before, self._zone)):
            return
        off_s = (device_time - expected).total_seconds()
        wrong = abs(off_s) > THRESHOLD_S
        if wrong:
            self._tell(device, True, off_s, sentence(device_time, expected))
        elif state.wrong:
            self._tell(device, False, off_s, "")
        state.wrong = wrong
        state.due_s = at_s + (AGAIN_S if wrong else DAILY_S)

    async def _read(self, peer: Peer, instance: int) -> datetime | None:
        """What the device shows; None where it has no clock."""
        try:
            date = await self._client.read(peer, _ref(instance, _Property.LOCAL_DATE))
            time = await self._client.read(peer, _ref(instance, _Property.LOCAL_TIME))
            if len(time) == 1 and time[0].octets[:2] == b"\0\0":  # midnight may have passed in between
                date = await self._client.read(peer, _ref(instance, _Property.LOCAL_DATE))
        except Refused:
            return None
        return shown(date, time)

    async def _expected(self, at: datetime, peer: Peer, instance: int) -> datetime | None:
        """The local time, naive: of the site, else by the offset that the device itself tells."""
        if self._zone is not None:
            return at.astimezone(self._zone).replace(tzinfo=None)
        try:
            offset = await self._client.read(peer, _ref(instance, _Property.UTC_OFFSET))
            summer = await self._client.read(peer, _ref(instance, _Property.DAYLIGHT_SAVINGS_STATUS))
        except Refused:
            return None
        if len(offset) != 1 or offset[0].tag != Tag.SIGNED or len(summer) != 1 or summer[0].tag != Tag.BOOLEAN:
            return None
        west_of_utc = timedelta(minutes=int.from_bytes(offset[0].octets, signed=True))
        return at.replace(tzinfo=None) - west_of_utc + timedelta(hours=summer[0].octets == b"\x01")


def _ref(instance: int, name: _Property) -> Ref:
    return Ref(ObjectId(DEVICE, instance), name)


def _has_bit(services: Atoms, bit: int) -> bool:
    """A bit of a bit string, whose first octet counts the unused bits of its last."""
    if len(services) != 1 or services[0].tag != Tag.BIT_STRING or len(services[0].octets) < 2 + bit // 8:
        return False
    return bool(services[0].octets[1 + bit // 8] >> (7 - bit % 8) & 1)
