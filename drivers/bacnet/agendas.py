"""Reads and writes a device's own Schedule and Calendar objects: whole where it can, by element where it cannot.

What differs is written and nothing else: flash wears, and a Schedule that is written anew evaluates anew.
Source: ASHRAE 135 clause 12.24; BTL implementation guidelines 11.9 (Exception_Schedule element by element).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, time

from drivers.api import Refused, ScheduleRef
from drivers.bacnet import schedule_codec as codec
from drivers.bacnet.client import Client, Peer
from drivers.bacnet.codec import ObjectId, Ref, Tag, Undecodable
from drivers.bacnet.messages import Aborted, AnswerTooLong
from drivers.bacnet.schedule_codec import DAYS_A_WEEK, ScheduleProperty
from drivers.timetable import Agenda, DateRange, Entry, SpecialDays, Timetable, differences, same_row

HEADER_OCTETS = 24
"""What surrounds the value in a WriteProperty, at most."""
FILLER = SpecialDays(DateRange(date(1990, 1, 1), date(1990, 1, 1)), (), 16)
"""In a row of an array whose length is fixed and that is not wanted: it never rules."""

NO_SUCH_PROPERTY = "property: unknown-property"
"""The answer of a device without exceptions: clause 12.24 lets it leave them out."""


class Agendas:
    """The schedules of one device; ``max_apdu`` tells how long a request it takes. Raises DriverError."""

    def __init__(self, client: Client, peer: Peer, max_apdu: Callable[[], int]) -> None:
        self._client, self._peer, self._max_apdu = client, peer, max_apdu

    async def read(self, ref: ScheduleRef) -> Agenda:
        """What the objects hold. Raises Refused, also for content that is no timetable."""
        schedule = object_id(ref.schedule)
        try:
            timetable = Timetable(
                codec.period(await self._octets(schedule, ScheduleProperty.EFFECTIVE_PERIOD)),
                await self._week(schedule),
                await self._specials(schedule),
                codec.value(await self._octets(schedule, ScheduleProperty.SCHEDULE_DEFAULT)),
                codec.whole(await self._octets(schedule, ScheduleProperty.PRIORITY_FOR_WRITING)),
                codec.flag(await self._octets(schedule, ScheduleProperty.OUT_OF_SERVICE)),
            )
            if ref.calendar is None:
                return Agenda(timetable)
            octets = await self._octets(object_id(ref.calendar), ScheduleProperty.DATE_LIST)
            return Agenda(timetable, codec.dates(octets))
        except Undecodable as error:
            raise Refused(f"{ref.schedule}: {error}") from error

    async def references(self, ref: ScheduleRef) -> tuple[codec.Reference, ...]:
        """What the Schedule writes to."""
        octets = await self._octets(object_id(ref.schedule), ScheduleProperty.REFERENCES)
        try:
            return codec.references(octets)
        except Undecodable as error:
            raise Refused(f"{ref.schedule}: {error}") from error

    async def write(
        self, ref: ScheduleRef, wanted: Agenda, since: date | None = None
    ) -> tuple[Agenda, tuple[str, ...]]:
        """Write what differs from ``since`` on; what is held then, and how that still differs. Raises Refused."""
        seen = await self.read(ref)
        if not differences(wanted, seen, since):
            return seen, ()
        tag = Tag.UNSIGNED if ref.whole else Tag.REAL
        schedule, ours, theirs = object_id(ref.schedule), wanted.timetable, seen.timetable
        if ref.calendar is not None and wanted.dates is not None and differences_of_dates(wanted, seen, since):
            await self._put(object_id(ref.calendar), ScheduleProperty.DATE_LIST, codec.encode_dates(wanted.dates))
        if differences_of_exceptions(wanted, seen, since):
            await self._write_specials(schedule, ours.exceptions, theirs.exceptions, tag)
        await self._write_week(schedule, ours, theirs, tag)
        if ours.default != theirs.default:
            await self._put(schedule, ScheduleProperty.SCHEDULE_DEFAULT, codec.encode_value(ours.default, tag))
        if ours.effective != theirs.effective:
            await self._put(schedule, ScheduleProperty.EFFECTIVE_PERIOD, codec.encode_period(ours.effective))
        if ours.priority_for_writing not in (None, theirs.priority_for_writing):
            encoded = codec.encode_whole(ours.priority_for_writing or 0)
            await self._put(schedule, ScheduleProperty.PRIORITY_FOR_WRITING, encoded)
        if ours.out_of_service != theirs.out_of_service:
            await self._put(schedule, ScheduleProperty.OUT_OF_SERVICE, codec.encode_flag(ours.out_of_service))
        held = await self.read(ref)
        return held, differences(wanted, held, since)

    async def _week(self, schedule: ObjectId) -> tuple[tuple[Entry, ...], ...]:
        whole = await self._whole(schedule, ScheduleProperty.WEEKLY_SCHEDULE)
        if whole is not None:
            return codec.week(whole)
        days = range(1, DAYS_A_WEEK + 1)
        return tuple([codec.day(await self._octets(schedule, ScheduleProperty.WEEKLY_SCHEDULE, n)) for n in days])

    async def _specials(self, schedule: ObjectId) -> tuple[SpecialDays, ...]:
        try:
            whole = await self._whole(schedule, ScheduleProperty.EXCEPTION_SCHEDULE)
        except Refused as refused:
            if refused.cause != NO_SUCH_PROPERTY:
                raise
            return ()
        if whole is not None:
            return codec.specials(whole)
        count = codec.whole(await self._octets(schedule, ScheduleProperty.EXCEPTION_SCHEDULE, 0))
        rows = range(1, count + 1)
        return tuple(
            [codec.special(await self._octets(schedule, ScheduleProperty.EXCEPTION_SCHEDULE, n)) for n in rows]
        )

    async def _whole(self, object_: ObjectId, name: ScheduleProperty) -> bytes | None:
        """A whole array; None where it does not fit into one answer."""
        try:
            return await self._octets(object_, name)
        except (AnswerTooLong, Aborted):
            return None

    async def _write_week(self, schedule: ObjectId, ours: Timetable, theirs: Timetable, tag: Tag) -> None:
        """The whole week where it changes in more than one day and the device takes it so, else day by day."""
        pairs = enumerate(zip(ours.weekly, theirs.weekly, strict=True), 1)
        changed = [number for number, (asked, found) in pairs if sorted_day(asked) != sorted_day(found)]
        name = ScheduleProperty.WEEKLY_SCHEDULE
        if len(changed) > 1 and await self._taken(schedule, name, codec.encode_week(ours.weekly, tag)):
            return
        for number in changed:
            await self._put(schedule, name, codec.encode_day(ours.weekly[number - 1], tag), number)

    async def _write_specials(
        self, schedule: ObjectId, wanted: Sequence[SpecialDays], there: Sequence[SpecialDays], tag: Tag
    ) -> None:
        """The one row that differs, else the whole array where the device takes it so, else each row that differs."""
        name, rows = ScheduleProperty.EXCEPTION_SCHEDULE, list(wanted)
        spare = [FILLER] * (len(there) - len(rows))
        match _changed([*rows, *spare], there):
            case [one] if one <= min(len(rows), len(there)):
                if await self._taken(schedule, name, codec.encode_special(rows[one - 1], tag), one):
                    return
        if await self._taken(schedule, name, codec.encode_specials(rows, tag)):
            return
        if len(rows) != len(there) and not await self._taken(schedule, name, codec.encode_whole(len(rows)), 0):
            if len(rows) > len(there):
                raise Refused(f"room for {len(there)} exceptions, {len(rows)} are wanted")
            rows += spare
        for number in _changed(rows, there):
            await self._put(schedule, name, codec.encode_special(rows[number - 1], tag), number)

    async def _taken(
        self, object_: ObjectId, name: ScheduleProperty, encoded: bytes, element: int | None = None
    ) -> bool:
        """Whether the device takes it so; what is too long for one request, or refused, may go in parts."""
        if len(encoded) + HEADER_OCTETS > self._max_apdu():
            return False
        try:
            await self._put(object_, name, encoded, element)
        except (Refused, Aborted):
            return False
        return True

    async def _put(self, object_: ObjectId, name: ScheduleProperty, encoded: bytes, element: int | None = None) -> None:
        try:
            await self._client.write_encoded(self._peer, Ref(object_, name), encoded, element)
        except Refused as refused:
            place = name.name.lower().replace("_", "-") + ("" if element is None else f"[{element}]")
            raise Refused(f"{place}: {refused.cause}") from refused

    async def _octets(self, object_: ObjectId, name: ScheduleProperty, element: int | None = None) -> bytes:
        return await self._client.read_encoded(self._peer, Ref(object_, name), element)


def object_id(text: str) -> ObjectId:
    """``schedule,1`` or ``calendar,1``."""
    kind, _, instance = text.partition(",")
    return ObjectId(codec.CALENDAR if kind == "calendar" else codec.SCHEDULE, int(instance))


def sorted_day(entries: Sequence[Entry]) -> list[tuple[time, float | None]]:
    """Without the order of the list, which says nothing."""
    return sorted(((entry.at, entry.value) for entry in entries), key=lambda entry: entry[0])


def _changed(rows: Sequence[SpecialDays], there: Sequence[SpecialDays]) -> list[int]:
    """The places, from 1, at which ``rows`` rule otherwise than what is there."""
    return [number for number, row in enumerate(rows, 1) if number > len(there) or not same_row(row, there[number - 1])]


def differences_of_exceptions(wanted: Agenda, seen: Agenda, since: date | None) -> tuple[str, ...]:
    """How the exceptions differ; rows without entries do not count."""
    exceptions = wanted.timetable.exceptions
    return differences(replace(seen, timetable=replace(seen.timetable, exceptions=exceptions)), seen, since)


def differences_of_dates(wanted: Agenda, seen: Agenda, since: date | None) -> tuple[str, ...]:
    """How the date lists differ."""
    return differences(replace(seen, dates=wanted.dates), seen, since)
