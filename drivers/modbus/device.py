"""One device on its bus: readings with their faults, and writes judged by reading back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from drivers.api import Fault, Now, Outcome, PointId, Poll, Quality, Reading, Refused, Write, WriteResult
from drivers.modbus.client import Client
from drivers.modbus.codec import decode
from drivers.modbus.decoding import Decoder, decoder
from drivers.modbus.pdu import Question, read_question
from drivers.modbus.polling import Request, adapted, places, plan, polls
from drivers.modbus.writing import Change, Run, change, runs
from drivers.profile import ModbusLimits, ModbusPoint

_new, _GOOD = tuple.__new__, Quality.GOOD
"""A Reading without its constructor, which takes as long as decoding the value."""
_NO_VALUE = "the device has no value"


@dataclass(frozen=True, slots=True)
class _Ready:
    """A request with all that asking it and understanding its answer takes."""

    request: Request
    question: Question
    values: Decoder
    points: tuple[PointId, ...]


class Device:
    """``points`` are all of the profile (any may be written), ``polled`` the names that are read in turn."""

    def __init__(
        self,
        name: str,
        unit: int,
        client: Client,
        points: Mapping[str, ModbusPoint],
        polled: Iterable[str],
        limits: ModbusLimits,
        now: Now,
    ) -> None:
        self._id, self._unit, self._client = name, unit, client
        self._points, self._limits, self._now = points, limits, now
        planned = polls(name, [points[point] for point in polled], limits)
        self.polls: Sequence[Poll] = tuple(poll for poll, _ in planned)
        self._ready = [self._prepared(requests) for _, requests in planned]
        self._adapting: set[int] = set()

    async def read(self, index: int) -> list[Reading | Fault]:
        """Read one poll. A refused request is a fault of its own points; anything worse raises DriverError."""
        seen: list[Reading | Fault] = []
        refused: list[Request] = []
        for ready in self._ready[index]:
            try:
                answer = await self._client.ask(self._unit, ready.question)
            except Refused as error:
                refused.append(ready.request)
                at = self._now()
                seen.extend(Fault(point, error.cause, at) for point in ready.points)
            else:
                at = self._now()
                seen += [
                    Fault(point, _NO_VALUE, at) if value is None else _new(Reading, (point, value, at, _GOOD, ()))
                    for point, value in zip(ready.points, ready.values(answer), strict=True)
                ]
        self._adapt(index, refused)
        return seen

    async def write(self, writes: Sequence[Write]) -> list[WriteResult]:
        """Write and read back, results in order. Raises Retryable when the device does not answer properly."""
        results: dict[int, WriteResult] = {}
        changes: list[Change] = []
        for place, write in enumerate(writes):
            try:
                changes.append(change(place, write, self._points.get(write.point.point)))
            except Refused as error:
                results[place] = self._rejected(write, error)
        for run in runs(changes, self._limits):
            for place, refusal in await self._send(run):
                results[place] = self._rejected(writes[place], refusal)
        written = [item for item in changes if item.place not in results]
        for item, outcome, observed, detail in await self._settled(written):
            results[item.place] = WriteResult(writes[item.place], outcome, self._now(), observed, detail=detail)
        return [results[place] for place in range(len(writes))]

    async def _send(self, run: Run) -> list[tuple[int, Refused]]:
        """Write one run; what is refused together is tried one by one. Returns the refusals by place."""
        try:
            if run.changes[0].is_telegram:
                await self._send_telegram(run.changes[0])
            else:
                await self._client.write(self._unit, run.table, run.address, run.words)
        except Refused as error:
            if len(run.changes) == 1:
                return [(run.changes[0].place, error)]
            return [refusal for item in run.changes for refusal in await self._send(Run((item,)))]
        return []

    async def _send_telegram(self, item: Change) -> None:
        """The counter goes on from what stands in the device, which another client or an earlier run may have sent."""
        (before, _) = await self._client.read(self._unit, item.table, item.address, 2)
        await self._client.write(self._unit, item.table, item.address, item.telegram(before))
        if item.point.written is not None and item.point.written.pause_s:
            await asyncio.sleep(item.point.written.pause_s)

    async def _settled(self, written: Sequence[Change]) -> list[tuple[Change, Outcome, Reading | None, str]]:
        """Read back, and once more what may take its time to show."""
        judged = await self._read_back(written)
        late = [item for item, outcome, _, _ in judged if outcome is Outcome.NO_FEEDBACK and item.settle_s]
        if not late:
            return judged
        await asyncio.sleep(max(item.settle_s for item in late))
        return [*(each for each in judged if each[0] not in late), *await self._read_back(late)]

    async def _read_back(self, written: Sequence[Change]) -> list[tuple[Change, Outcome, Reading | None, str]]:
        judged: list[tuple[Change, Outcome, Reading | None, str]] = []
        for request in plan({item.point.name: item.point for item in written}.values(), self._limits):
            items = [item for item in written if item.point in request.points]
            try:
                words = await self._client.read(self._unit, request.table, request.address, request.count)
            except Refused as error:
                detail = f"cannot be read back: {error.cause}"
                judged.extend((item, Outcome.NO_FEEDBACK, None, detail) for item in items)
            else:
                judged.extend(self._judged(item, request.words_of(item.point, words)) for item in items)
        return judged

    def _judged(self, item: Change, words: Sequence[int]) -> tuple[Change, Outcome, Reading | None, str]:
        value = decode(words, item.point)
        observed = None if value is None else Reading(self._point(item.point), value, self._now())
        if item.shows_in(words):
            return item, Outcome.APPLIED, observed, ""
        shown = "no value" if value is None else f"{value:g} {item.point.unit}".rstrip()
        return item, Outcome.NO_FEEDBACK, observed, f"reads back {shown}"

    def _adapt(self, index: int, refused: Sequence[Request]) -> None:
        if index in self._adapting or any(places(request) > 1 for request in refused):
            self._adapting.add(index)
            requests = [ready.request for ready in self._ready[index]]
            self._ready[index] = self._prepared(adapted(requests, refused, self._limits))

    def _prepared(self, requests: Iterable[Request]) -> list[_Ready]:
        return [
            _Ready(
                request,
                read_question(request.table, request.address, request.count),
                decoder(request),
                tuple(self._point(point) for point in request.points),
            )
            for request in requests
        ]

    def _rejected(self, write: Write, error: Refused) -> WriteResult:
        return WriteResult(write, Outcome.REJECTED, self._now(), detail=error.cause)

    def _point(self, point: ModbusPoint) -> PointId:
        return PointId(self._id, point.name)
