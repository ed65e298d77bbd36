"""How one device is asked: as much as fits at once, halves where that is too much, one by one where nothing else helps.

What it could not do is remembered over restarts (drivers.bacnet.learnt) and tried again after a day, or when its
firmware changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from drivers.api import LIMITATION, DriverError, Host, NoAnswer, Notice, Refused
from drivers.bacnet import codec, learnt, polling
from drivers.bacnet.client import Batch, Client, Peer
from drivers.bacnet.codec import Atoms, ObjectId, Property, Ref, Undecodable
from drivers.bacnet.learnt import Learnt
from drivers.bacnet.messages import Aborted, AnswerTooLong, ServiceUnsupported
from drivers.bacnet.polling import Point

Answers = Mapping[Ref, Atoms | Refused]
DEVICE_LIMITS = "device-limits"
_DISPENSABLE = (Property.STATUS_FLAGS, Property.PRIORITY_ARRAY)
_NO_SUCH_PROPERTY = "property: unknown-property"
_LEAST_APDU = 50
_SMALL_APDU = 480
"""An answer of an MS/TP controller: whoever takes less is worth a word."""


class Ladder:
    """Asks the device ``object_`` at ``peer`` for points; ``device`` is its id in the site, for the memory."""

    def __init__(self, client: Client, peer: Peer, device: str, object_: ObjectId, host: Host) -> None:
        self._client, self._peer = client, peer
        self._device, self._object = device, object_
        self._host = host
        self._learnt = learnt.recalled(host.memory.recall(device))
        self._apdu_budget: int | None = None
        self._proven = 0
        self.max_apdu = _LEAST_APDU
        """The longest request that it takes, once ``begin`` has asked."""
        self._absent: set[Ref] = set()
        self._plans: dict[tuple[str, ...], list[tuple[tuple[Point, ...], Batch]]] = {}
        self._told = ""

    async def begin(self) -> None:
        """After the device's identity was verified: what it lacked may be there now."""
        self._absent.clear()
        self._plans.clear()
        self.max_apdu = min(await self._max_apdu(), self._peer.max_apdu)
        self._apdu_budget = polling.budget(self.max_apdu)
        if self._learnt.limited:
            await self._compare_firmware()
        self._tell()

    async def fetch(self, points: Sequence[Point]) -> Answers:
        """Everything about ``points``. Raises DriverError."""
        if self._learnt.over(self._now_s):
            self._keep(Learnt())
        names = tuple([point.id.point for point in points])
        plan = self._plans.get(names)
        if plan is None:
            plan = [(part, self._batch(part)) for part in polling.batches(points, self._budget)]
            self._plans[names] = plan
        if len(plan) == 1:
            return await self._ask(*plan[0])
        answers: dict[Ref, Atoms | Refused] = {}
        for part, batch in plan:
            answers |= await self._ask(part, batch)
        return answers

    async def gather(self, refs: Sequence[Ref]) -> dict[Ref, Atoms | Refused]:
        """Other properties of the device, together where it can; a refusal is a value. Raises DriverError."""
        if len(refs) > 1 and self._learnt.multiple:
            try:
                return await self._client.read_many(self._peer, Batch(refs))
            except ServiceUnsupported:
                self._keep(self._learnt.single(self._now_s))
            except (AnswerTooLong, Aborted, Refused):
                half = len(refs) // 2
                return await self.gather(refs[:half]) | await self.gather(refs[half:])
        answers: dict[Ref, Atoms | Refused] = {}
        for ref in refs:
            try:
                answers[ref] = await self._client.read(self._peer, ref)
            except Refused as refused:
                answers[ref] = refused
        return answers

    def _batch(self, points: Iterable[Point]) -> Batch:
        return Batch([ref for point in points for ref in point.refs if ref not in self._absent])

    @property
    def _budget(self) -> int:
        most = self._apdu_budget or polling.budget(polling.DEFAULT_MAX_APDU)
        limit = self._learnt.budget_octets
        return most if limit is None else min(most, limit)

    @property
    def _now_s(self) -> float:
        return self._host.now().timestamp()

    async def _ask(self, points: tuple[Point, ...], batch: Batch) -> Answers:
        if not self._learnt.multiple:
            return await self._one_by_one(points)
        try:
            answers = await self._client.read_many(self._peer, batch)
        except ServiceUnsupported:
            self._keep(self._learnt.single(self._now_s))
            return await self._one_by_one(points)
        except (AnswerTooLong, Aborted):
            return await self._smaller(points)
        except NoAnswer:
            # A size that was answered before is not to blame; a new one may be dropped in silence.
            if polling.octets(points) > self._proven:
                self._ask_less(points)
            raise
        except Refused:
            return await self._refused(points)
        self._proven = max(self._proven, polling.octets(points))
        self._note_absent(answers)
        return answers

    async def _smaller(self, points: tuple[Point, ...]) -> Answers:
        """In parts; only where that helps was the length to blame."""
        parts = await self._in_parts(points)
        if not all(isinstance(answer, Refused) for answer in parts.values()):
            self._ask_less(points)
        return parts

    async def _refused(self, points: tuple[Point, ...]) -> Answers:
        """Refused together, answered alone: this device has no use for ReadPropertyMultiple."""
        parts = await self._in_parts(points)
        if len(points) == 1 and not isinstance(parts[points[0].value], Refused):
            self._keep(self._learnt.single(self._now_s))
        return parts

    def _note_absent(self, answers: Answers) -> None:
        """What an object does not have is not asked for again until the device was away."""
        absent = {ref for ref, answer in answers.items() if _lacks(ref, answer)}
        if absent - self._absent:
            self._absent |= absent
            self._plans.clear()

    def _ask_less(self, points: Sequence[Point]) -> None:
        if len(points) == 1:
            self._keep(self._learnt.single(self._now_s))
        else:
            self._keep(self._learnt.less(polling.octets(points) // 2, self._now_s))

    def _keep(self, now_learnt: Learnt) -> None:
        if now_learnt != self._learnt:
            self._learnt = now_learnt
            self._host.memory.remember(self._device, now_learnt.facts)
            self._plans.clear()
            self._tell()

    def _tell(self) -> None:
        """Say once what the device cannot do: no fault, but it explains why it is slow."""
        words = []
        if not self._learnt.multiple:
            words.append("it answers no ReadPropertyMultiple: one request a property")
        elif self._learnt.budget_octets is not None:
            words.append(f"it answers {self._learnt.budget_octets} octets at once, and sends no segments")
        if self.max_apdu < _SMALL_APDU:
            words.append(f"its answers hold {self.max_apdu} octets: asked in parts of that size, nothing is segmented")
        said = "; ".join(words)
        if said and said != self._told:
            self._told = said
            subject, at = f"device/{self._device}", self._host.now()
            self._host.hear([Notice(subject, DEVICE_LIMITS, True, at, LIMITATION, detail=said)])

    async def _in_parts(self, points: Sequence[Point]) -> Answers:
        if len(points) == 1:
            return await self._one_by_one(points)
        answers: dict[Ref, Atoms | Refused] = {}
        for half in polling.halves(points):
            answers |= await self._ask(half, self._batch(half))
        return answers

    async def _one_by_one(self, points: Iterable[Point]) -> Answers:
        answers: dict[Ref, Atoms | Refused] = {}
        for ref in dict.fromkeys(ref for point in points for ref in point.refs):
            if ref in self._absent:
                continue
            try:
                answers[ref] = await self._client.read(self._peer, ref)
            except Refused as refused:
                answers[ref] = refused
        self._note_absent(answers)
        return answers

    async def _max_apdu(self) -> int:
        try:
            atoms = await self._client.read(self._peer, Ref(self._object, Property.MAX_APDU_LENGTH_ACCEPTED))
            return max(_LEAST_APDU, int(codec.number(atoms)))
        except (Refused, Undecodable):
            return polling.DEFAULT_MAX_APDU

    async def _compare_firmware(self) -> None:
        """New firmware may do better: forget the old one's limits."""
        try:
            atoms = await self._client.read(self._peer, Ref(self._object, Property.FIRMWARE_REVISION))
        except DriverError:
            return
        firmware = learnt.checksum(b"".join(atom.octets for atom in atoms))
        same = self._learnt.firmware in (0, firmware)
        self._keep(replace(self._learnt, firmware=firmware) if same else Learnt())


def _lacks(ref: Ref, answer: Atoms | Refused) -> bool:
    """Whether the object has no such property; any other refusal may be of the moment."""
    return isinstance(answer, Refused) and ref.property in _DISPENSABLE and answer.cause == _NO_SUCH_PROPERTY
