"""One BACnet device: who it is, how much it can be asked at once, what it says and what became of a write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from drivers.api import (
    RELINQUISH,
    BadAnswer,
    DriverError,
    Fault,
    NoAnswer,
    Now,
    Outcome,
    Quality,
    Reading,
    Refused,
    Write,
    WriteResult,
)
from drivers.bacnet import codec, polling, readback
from drivers.bacnet.client import Batch, Client, Peer
from drivers.bacnet.codec import NULL, Atom, Atoms, ObjectId, Property, Ref, Undecodable
from drivers.bacnet.identity import WrongDevice
from drivers.bacnet.messages import AnswerTooLong, ServiceUnsupported
from drivers.bacnet.polling import Point
from drivers.bacnet.settings import BacnetDevice

Answers = Mapping[Ref, Atoms | Refused]


class Device:
    """A device at its configured address. What it can do is learnt as it goes and kept for the session."""

    def __init__(self, client: Client, settings: BacnetDevice, points: Mapping[str, Point], now: Now) -> None:
        self.points = points
        self._client = client
        self._peer = Peer(settings.address)
        self._self = Ref(ObjectId(codec.DEVICE, settings.instance), Property.OBJECT_IDENTIFIER)
        self._now = now
        self._verified = False
        self._budget: int | None = None
        self._proven = 0
        self._multiple = True
        self._absent: set[Ref] = set()

    @property
    def peer(self) -> Peer:
        """Where it answers."""
        return self._peer

    def doubt(self) -> None:
        """It must show again who it is before the next request."""
        self._verified = False

    async def read(self, names: Iterable[str]) -> list[Reading | Fault]:
        """The points ``names``, in order. Raises DriverError when the device as a whole fails."""
        with self._trust():
            budget = await self._identified()
            observations: list[Reading | Fault] = []
            for batch in polling.batches([self.points[name] for name in names], budget):
                answers = await self._fetch(batch)
                observations += [self._observation(point, answers) for point in batch]
        return observations

    async def write(self, writes: Sequence[Write]) -> list[WriteResult]:
        """Write in order, read back once, judge. Raises Retryable when the device does not answer a write."""
        with self._trust():
            try:
                await self._identified()
            except Refused as refused:
                return [self._rejected(write, refused.cause) for write in writes]
            errors = [await self._order(write) for write in writes]
        written = [write for write, error in zip(writes, errors, strict=True) if error is None]
        points = dict.fromkeys(self.points[write.point.point] for write in written)
        judge = await self._read_back(tuple(points))
        return [
            self._rejected(write, error) if error is not None else self._judged(write, judge)
            for write, error in zip(writes, errors, strict=True)
        ]

    @contextmanager
    def _trust(self) -> Iterator[None]:
        """After a silence or a foreign answer somebody else may sit at this address: verify again."""
        try:
            yield
        except (NoAnswer, BadAnswer):
            self._verified = False
            raise

    async def _identified(self) -> int:
        """Make sure that the configured instance answers here; the octets that fit into one of its answers."""
        if not self._verified or self._budget is None:
            await self._verify()
            self._absent.clear()
            if self._budget is None:
                self._budget = polling.budget(min(await self._max_apdu(), self._peer.max_apdu))
            self._verified = True
        return self._budget

    async def _verify(self) -> None:
        found: ObjectId | None
        try:
            found = codec.object_identifier(await self._client.read(self._peer, self._self))
        except Undecodable as error:
            raise BadAnswer(f"object identifier: {error}") from error
        except Refused:
            found = await self._who()
        if found != self._self.object:
            raise WrongDevice(self._self.object.instance, None if found is None else found.instance)

    async def _who(self) -> ObjectId | None:
        """Who answers instead, where it says so."""
        try:
            return await self._client.who(self._peer)
        except DriverError:
            return None

    async def _max_apdu(self) -> int:
        try:
            atoms = await self._client.read(self._peer, Ref(self._self.object, Property.MAX_APDU_LENGTH_ACCEPTED))
            return max(50, int(codec.number(atoms)))
        except (Refused, Undecodable):
            return polling.DEFAULT_MAX_APDU

    async def _fetch(self, batch: Sequence[Point]) -> Answers:
        """Everything about ``batch``: together, or in parts where the device cannot, or one by one."""
        if not self._multiple:
            return await self._one_by_one(batch)
        refs = [ref for point in batch for ref in point.refs]
        try:
            answers = await self._client.read_many(self._peer, Batch(refs))
        except ServiceUnsupported:
            self._multiple = False
            return await self._one_by_one(batch)
        except AnswerTooLong:
            self._ask_less(batch)
            return await self._in_parts(batch)
        except NoAnswer:
            # A size that was answered before is not to blame; a new one may be dropped in silence.
            if polling.octets(batch) > self._proven:
                self._ask_less(batch)
            raise
        except Refused:
            parts = await self._in_parts(batch)
            # Refused together, answered alone: this device has no use for ReadPropertyMultiple.
            if len(batch) == 1 and not isinstance(parts[batch[0].value], Refused):
                self._multiple = False
            return parts
        self._proven = max(self._proven, polling.octets(batch))
        return answers

    def _ask_less(self, batch: Sequence[Point]) -> None:
        if len(batch) == 1:
            self._multiple = False
        else:
            half = polling.octets(batch) // 2
            self._budget = half if self._budget is None else min(self._budget, half)

    async def _in_parts(self, batch: Sequence[Point]) -> Answers:
        if len(batch) == 1:
            return await self._one_by_one(batch)
        answers: dict[Ref, Atoms | Refused] = {}
        for half in polling.halves(batch):
            answers |= await self._fetch(half)
        return answers

    async def _one_by_one(self, batch: Sequence[Point]) -> Answers:
        answers: dict[Ref, Atoms | Refused] = {}
        for ref in dict.fromkeys(ref for point in batch for ref in point.refs):
            if ref in self._absent:
                continue
            try:
                answers[ref] = await self._client.read(self._peer, ref)
            except Refused as refused:
                answers[ref] = refused
                if ref.property in (Property.STATUS_FLAGS, Property.PRIORITY_ARRAY):
                    self._absent.add(ref)
        return answers

    def _observation(self, point: Point, answers: Answers) -> Reading | Fault:
        at = self._now()
        value = answers[point.value]
        flags = answers.get(point.flags)
        array = answers.get(point.array) if point.array is not None else None
        if isinstance(value, Refused):
            return Fault(point.id, value.cause, at)
        try:
            shown = codec.StatusFlags() if flags is None or isinstance(flags, Refused) else codec.status_flags(flags)
            if shown.fault:
                return Fault(point.id, "sensor fault (status flags)", at)
            slots = () if array is None or isinstance(array, Refused) else codec.slots(array)
            quality = Quality.UNCERTAIN if shown.overridden or shown.out_of_service else Quality.GOOD
            return Reading(point.id, codec.number(value), at, quality, slots)
        except Undecodable as error:
            return Fault(point.id, str(error), at)

    async def _order(self, write: Write) -> str | None:
        """Write one value; None when it was acknowledged, else why not. Raises Retryable."""
        point = self.points.get(write.point.point)
        if point is None or not point.profile.writable:
            return "not a writable point"
        try:
            value, priority = wire_value(point, write)
            await self._client.write(self._peer, point.value, value, priority)
        except ValueError as error:
            return str(error)
        except Refused as refused:
            return refused.cause
        return None

    async def _read_back(self, points: Sequence[Point]) -> Answers | DriverError:
        """What the device shows now; a device that fell silent after its acknowledgement is an answer too."""
        answers: dict[Ref, Atoms | Refused] = {}
        try:
            with self._trust():
                for batch in polling.batches(points, await self._identified()):
                    answers |= await self._fetch(batch)
        except DriverError as error:
            return error
        return answers

    def _judged(self, write: Write, answers: Answers | DriverError) -> WriteResult:
        if isinstance(answers, DriverError):
            return WriteResult(write, Outcome.NO_FEEDBACK, self._now(), detail=answers.cause)
        point = self.points[write.point.point]
        seen = self._observation(point, answers)
        if point.commandable:
            array = None if point.array is None else answers.get(point.array)
            return readback.commanded(write, seen, has_array=isinstance(array, tuple))
        written = point.profile.restore if write.value is RELINQUISH else write.value
        assert written is not None  # noqa: S101  (wire_value refused it otherwise)
        return readback.plain(write, written, seen)

    def _rejected(self, write: Write, detail: str) -> WriteResult:
        return WriteResult(write, Outcome.REJECTED, self._now(), detail=detail)


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
