"""Changes that a device reports by itself: asking for them, renewing, falling back to polling, telling the operator."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import structlog

from drivers.api import Host, Notice, Refused, Retryable
from drivers.bacnet import codec
from drivers.bacnet.client import Client, Peer
from drivers.bacnet.codec import Atoms, Property, Ref, Undecodable
from drivers.bacnet.ladder import Answers
from drivers.bacnet.messages import TableFull
from drivers.bacnet.polling import Point
from drivers.bacnet.subscriptions import Book, Subscription
from drivers.bacnet.wire import Notification

TURN_S = 0.5
"""The most that one turn spends on asking for reports: writes wait behind it."""
DEATHS_TOLD = 2


class Cov:
    """The subscriptions at one device. ``device`` is its id in the site."""

    def __init__(self, client: Client, peer: Peer, device: str, book: Book, host: Host, *, confirmed: bool) -> None:
        self._client, self._peer, self._device = client, peer, device
        self._book = book
        self._host = host
        self._confirmed = confirmed
        self._told: dict[str, float] = {}

    def due(self, points: Sequence[Point]) -> Sequence[Point]:
        """Those of ``points`` that nobody reports, or whose safety net is due."""
        return self._book.due(points, self._now_s()) if self._book.rows else points

    def read(self, points: Iterable[Point], answers: Answers) -> None:
        """Compare what was read with what was reported."""
        if not self._book.rows:
            return
        now_s = self._now_s()
        for point in points:
            value, flags = answers[point.value], answers.get(point.flags, ())
            if not isinstance(value, Refused):
                self._book.read(point, value, () if isinstance(flags, Refused) else flags, _number, now_s)

    def heard(self, report: Notification) -> tuple[Point, ...] | None:
        """The points that ``report`` is about; None where it belongs to no subscription of ours."""
        row = self._book.heard(report, self._now_s())
        return None if row is None else row.points

    def lost(self) -> None:
        """The device was silent, or is another one."""
        self._book.lost()

    async def keep(self) -> None:
        """Ask for what is not reported yet, renew what ends soon; spends TURN_S and the last request's deadline."""
        if not self._book.rows:
            return
        started_s = self._now_s()
        for row in self._book.bury(started_s):
            structlog.get_logger().info("bacnet.cov_silent", device=self._device, object=tuple(row.object))
        for row in self._book.wanting(started_s):
            now_s = self._now_s()
            if now_s - started_s > TURN_S or (row.wanting(now_s) and not await self._subscribe(row)):
                break
        self._notify()

    async def close(self) -> None:
        """Tell the device that nobody listens any more, as far as it answers."""
        for row in self._book.rows.values():
            if row.asked_s is not None:
                row.lost()
                await self._client.cancel(self._peer, row.object)

    async def _subscribe(self, row: Subscription) -> bool:
        """False: the device does not answer, go no further in this turn."""
        try:
            if row.measured and not row.increment_known:
                row.increment, row.increment_known = await self._increment(row), True
            self._book.asking(row, self._now_s())
            await self._client.subscribe(self._peer, row.object, self._book.lifetime_s, confirmed=self._confirmed)
        except Refused as refused:
            full = isinstance(refused, TableFull)
            self._book.refused(row, self._now_s(), full=full)
            if not full:
                structlog.get_logger().info(
                    "bacnet.cov_refused", device=self._device, object=tuple(row.object), cause=refused.cause
                )
        except Retryable:
            self._book.later(row, self._now_s())
            return False
        else:
            self._book.accepted(row, self._now_s())
        return True

    async def _increment(self, row: Subscription) -> float | None:
        """How much the device may keep to itself; None where it does not say."""
        try:
            return _number(await self._client.read(self._peer, Ref(row.object, Property.COV_INCREMENT)))
        except Refused:
            return None

    def _notify(self) -> None:
        full = self._book.polled_instead
        self._tell("covTableFull", full, f"no room for more subscriptions: {full} points are polled instead")
        deaths = self._book.deaths if self._book.deaths >= DEATHS_TOLD else 0
        self._tell("covSilent", deaths, "changes are not reported although the device took the subscription")

    def _tell(self, event: str, value: int, detail: str) -> None:
        """One notice a change; none while all is well."""
        if self._told.get(event, 0) == value:
            return
        self._told[event] = value
        holds = value > 0
        notice = Notice(
            f"device/{self._device}",
            event,
            holds,
            self._host.now(),
            "minor",
            float(value),
            detail=detail if holds else "",
        )
        self._host.hear([notice])

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()


def _number(atoms: Atoms) -> float | None:
    try:
        return codec.number(atoms)
    except Undecodable:
        return None
