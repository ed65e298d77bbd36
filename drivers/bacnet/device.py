"""One BACnet device: who it is, how much it can be asked at once, what it says and what became of a write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from drivers.api import (
    RELINQUISH,
    BadAnswer,
    DriverError,
    Fault,
    Host,
    Look,
    NoAnswer,
    Outcome,
    Push,
    PushResult,
    Quality,
    Reading,
    Refused,
    ScheduleSeen,
    Write,
    WriteResult,
)
from drivers.bacnet import codec, readback, subscriptions
from drivers.bacnet.agendas import Agendas
from drivers.bacnet.client import Client, Peer
from drivers.bacnet.codec import NULL, Atom, Atoms, ObjectId, Property, Ref, Undecodable
from drivers.bacnet.cov import Cov
from drivers.bacnet.identity import WrongDevice
from drivers.bacnet.ladder import Answers, Ladder
from drivers.bacnet.polling import Point
from drivers.bacnet.settings import BacnetBus, BacnetDevice
from drivers.bacnet.unit_check import UnitCheck
from drivers.bacnet.wire import Notification

Octets = tuple[Atoms | Refused | None, ...]


class Device:
    """One device, at its configured address or where it was found.

    ``unused``: points of the profile that the site does not use; what an earlier configuration held there can be freed.
    """

    def __init__(
        self, id_: str, client: Client, bus: BacnetBus, settings: BacnetDevice, points: Mapping[str, Point], host: Host,
        unused: Mapping[str, Point] | None = None,
    ) -> None:  # fmt: skip
        self.points = points
        self._writable = {**(unused or {}), **points}
        self.peer = Peer(settings.address, settings.timeout_s, settings.retries)
        self.instance = settings.instance
        self._client = client
        self._self = Ref(ObjectId(codec.DEVICE, settings.instance), Property.OBJECT_IDENTIFIER)
        self._host = host
        self._verified = False
        self._ladder = Ladder(client, self.peer, id_, self._self.object, host)
        self._units = UnitCheck(self._ladder, id_, host, trusting=settings.unit_override)
        confirmed = bus.cov_confirmed if settings.cov_confirmed is None else settings.cov_confirmed
        book = subscriptions.book(tuple(points.values()), bus.cov_lifetime_s)
        self._cov = Cov(client, self.peer, id_, book, host, confirmed=confirmed)
        self._agendas = Agendas(client, self.peer, lambda: self._ladder.max_apdu)
        self._arrays: dict[Ref, Atoms | Refused | None] = {}
        self._decoded: dict[str, tuple[Octets, Reading | Fault]] = {}

    async def read(self, names: Iterable[str]) -> list[Reading | Fault]:
        """Those of ``names`` that no subscription covers, in order. Raises DriverError when all fail."""
        with self._trust():
            await self._identified()
            asked = [self.points[name] for name in names]
            await self._units.look(asked)
            points = self._cov.due(asked)
            answers = await self._fetch(points)
        observations = [self._observation(point, answers) for point in points]
        await self._cov.keep()
        return observations

    def hear(self, report: Notification) -> bool:
        """A change that the device reports: on to the host. False where nobody asked for it."""
        points = self._cov.heard(report)
        if points is None:
            return False
        reported: dict[Ref, Atoms | Refused] = {Ref(report.object, number): held for number, held in report.values}
        reported |= {p.array: held for p in points if p.array and (held := self._arrays.get(p.array)) is not None}
        observations = [
            self._observation(point, reported) for point in points if point.array is None or point.array in self._arrays
        ]
        if observations:
            self._host.hear(observations)
        return True

    def doubt(self) -> None:
        """Somebody else may sit at this address, or the device has forgotten what it was asked: begin anew."""
        self._verified = False
        self._cov.lost()

    async def close(self) -> None:
        """End the subscriptions, as far as the device answers."""
        with suppress(DriverError):
            await self._cov.close()

    async def write(self, writes: Sequence[Write]) -> list[WriteResult]:
        """Write in order, read back once, judge. Raises Retryable when the device does not answer a write."""
        with self._trust():
            try:
                await self._identified()
                await self._units.look(point for write in writes if (point := self.points.get(write.point.point)))
            except Refused as refused:
                return [self._rejected(write, refused.cause) for write in writes]
            errors = [await self._order(write) for write in writes]
        written = [write for write, error in zip(writes, errors, strict=True) if error is None]
        points = dict.fromkeys(self._writable[write.point.point] for write in written)
        judge = await self._read_back(tuple(points))
        return [
            self._rejected(write, error) if error is not None else self._judged(write, judge)
            for write, error in zip(writes, errors, strict=True)
        ]

    async def look(self, errand: Look) -> ScheduleSeen:
        """What a Schedule of it holds. Raises Retryable."""
        try:
            with self._trust():
                await self._identified()
                return ScheduleSeen(errand.ref, await self._agendas.read(errand.ref), self._host.now())
        except Refused as refused:
            return ScheduleSeen(errand.ref, None, self._host.now(), refused.cause)

    async def push(self, errand: Push) -> PushResult:
        """Write what differs in a Schedule of it and judge by what it holds then. Raises Retryable."""
        try:
            with self._trust():
                await self._identified()
                await self._in_unit_of(errand.setpoint)
                held, left = await self._agendas.write(errand.ref, errand.agenda, errand.since)
        except (Refused, ValueError) as refused:
            return PushResult(errand.ref, Outcome.REJECTED, self._host.now(), detail=str(refused))
        outcome = Outcome.NO_FEEDBACK if left else Outcome.APPLIED
        return PushResult(errand.ref, outcome, self._host.now(), held, "; ".join(left))

    async def _in_unit_of(self, name: str | None) -> None:
        """Make sure that what is meant for a point is in its unit. Raises Refused."""
        point = None if name is None else self._writable.get(name)
        if point is None:
            return
        await self._units.look([point])
        refusal = self._units.refusal(point.id.point)
        if refusal is not None:
            raise Refused(f"{name}: {refusal}")

    @contextmanager
    def _trust(self) -> Iterator[None]:
        """After a silence or a foreign answer somebody else may sit at this address: verify again."""
        try:
            yield
        except (NoAnswer, BadAnswer):
            self.doubt()
            raise

    async def _identified(self) -> None:
        """Make sure that the configured instance answers here."""
        if not self._verified:
            await self._verify()
            await self._ladder.begin()
            self._verified = True

    async def _verify(self) -> None:
        found: ObjectId | None
        try:
            found = codec.object_identifier(await self._client.read(self.peer, self._self))
        except Undecodable as error:
            raise BadAnswer(f"object identifier: {error}") from error
        except Refused:
            found = await self._who()
        if found != self._self.object:
            raise WrongDevice(self._self.object.instance, None if found is None else found.instance)

    async def _who(self) -> ObjectId | None:
        """Who answers instead, where it says so."""
        try:
            return await self._client.who(self.peer)
        except DriverError:
            return None

    async def _fetch(self, points: Sequence[Point]) -> Answers:
        if not points:
            return {}
        answers = await self._ladder.fetch(points)
        self._cov.read(points, answers)
        for point in points:
            if point.array is not None:
                self._arrays[point.array] = answers.get(point.array)
        return answers

    def _observation(self, point: Point, answers: Answers) -> Reading | Fault:
        """What ``answers`` say of ``point``; the same octets as before are not decoded again."""
        refusal = self._units.refusal(point.id.point)
        if refusal is not None:
            return Fault(point.id, refusal, self._host.now())
        octets = (answers[point.value], answers.get(point.flags), answers.get(point.array) if point.array else None)
        before = self._decoded.get(point.id.point)
        if before is None or before[0] != octets:
            before = self._decoded[point.id.point] = (octets, _decoded(point, *octets, self._host))
            return before[1]
        seen, at = before[1], self._host.now()
        if isinstance(seen, Fault):
            return Fault(seen.point, seen.cause, at)
        return Reading(seen.point, seen.value, at, seen.quality, seen.slots)

    async def _order(self, write: Write) -> str | None:
        """Write one value; None when it was acknowledged, else why not. Raises Retryable."""
        point = self._writable.get(write.point.point)
        if point is None or not point.profile.writable:
            return "not a writable point"
        refusal = self._units.refusal(point.id.point)
        if refusal is not None and not (point.commandable and write.value is RELINQUISH):
            return refusal
        try:
            value, priority = wire_value(point, write)
            await self._client.write(self.peer, point.value, value, priority)
        except ValueError as error:
            return str(error)
        except Refused as refused:
            return refused.cause
        return None

    async def _read_back(self, points: Sequence[Point]) -> Answers | DriverError:
        """What the device shows now; a device that fell silent after its acknowledgement is an answer too."""
        try:
            with self._trust():
                await self._identified()
                return await self._fetch(points)
        except DriverError as error:
            return error

    def _judged(self, write: Write, answers: Answers | DriverError) -> WriteResult:
        if isinstance(answers, DriverError):
            return WriteResult(write, Outcome.NO_FEEDBACK, self._host.now(), detail=answers.cause)
        point = self._writable[write.point.point]
        seen = self._observation(point, answers)
        if point.commandable:
            array = None if point.array is None else answers.get(point.array)
            return readback.commanded(write, seen, has_array=isinstance(array, tuple))
        written = point.profile.restore if write.value is RELINQUISH else write.value
        assert written is not None  # noqa: S101  (wire_value refused it otherwise)
        return readback.plain(write, written, seen)

    def _rejected(self, write: Write, detail: str) -> WriteResult:
        return WriteResult(write, Outcome.REJECTED, self._host.now(), detail=detail)


def _decoded(
    point: Point, value: Atoms | Refused, flags: Atoms | Refused | None, array: Atoms | Refused | None, host: Host
) -> Reading | Fault:
    at = host.now()
    if isinstance(value, Refused):
        return Fault(point.id, value.cause, at)
    try:
        shown = codec.status_flags(flags) if isinstance(flags, tuple) else codec.StatusFlags()
        if shown.fault:
            return Fault(point.id, "sensor fault (status flags)", at)
        slots = codec.slots(array) if isinstance(array, tuple) and array else ()
        quality = Quality.UNCERTAIN if shown.overridden or shown.out_of_service else Quality.GOOD
        return Reading(point.id, codec.number(value), at, quality, slots)
    except Undecodable as error:
        return Fault(point.id, str(error), at)


def wire_value(point: Point, write: Write) -> tuple[Atom, int | None]:
    """What to put on the wire, and at which priority. Raises ValueError with the reason why not."""
    if not point.commandable:
        value = point.profile.restore if write.value is RELINQUISH else write.value
        if value is None:
            raise ValueError("not commandable and no restore value")
        return codec.atom_of(_within(point, value), point.tag), None
    if write.value is RELINQUISH:
        return NULL, write.priority
    return codec.atom_of(_within(point, write.value), point.tag), write.priority


def _within(point: Point, value: float) -> float:
    low, high = point.profile.minimum, point.profile.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        raise ValueError(f"{value:g} is outside {low} to {high}")
    return value
