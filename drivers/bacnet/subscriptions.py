"""Who reports changes of value to us: the state of one device's subscriptions. Pure: times are seconds of the loop.

A subscription counts once its first report was heard. It is renewed at 70 to 80 % of its lifetime, and it is taken for
dead when a renewal brings no report or when a safety-net read shows a change that was never reported.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from drivers.bacnet.codec import Atoms, ObjectId, Property, Tag
from drivers.bacnet.polling import Point
from drivers.bacnet.wire import Notification

PROCESS = 4171
"""Our process identifier, the same for ever: after a restart a subscription takes the place of the earlier one."""
FULL_AGAIN_S = 600.0
REFUSED_AGAIN_S = 86_400.0
REPORT_WITHIN_S = 10.0
"""A device reports at once when it takes a subscription, and soon after a change; later than this it does not."""
_EARLIEST, _LATEST = 0.7, 0.8
_RENEWALS_IN_A_LIFETIME = 5
_FORGIVEN_LIFETIMES = 1.5
_LEAST_GRANTED_S, _ROUNDING_S = 30, 5

Number = Callable[[Atoms], float | None]
"""A value as a number; None where it is none (NaN, Null)."""


@dataclass(slots=True)
class Subscription:
    """One object; ``points`` are those that show its present value."""

    object: ObjectId
    points: tuple[Point, ...]
    asked_s: float | None = None
    """When the running subscription was first asked for."""
    renew_s: float = 0.0
    ends_s: float = 0.0
    sent_s: float = 0.0
    """When it was last asked for or renewed."""
    heard_s: float = float("-inf")
    remaining_s: int = 0
    """What the device said then of the time that is left; 0: nothing, or for ever."""
    read_s: float = float("-inf")
    told: tuple[Atoms, Atoms] | None = None
    """Value and status flags as last reported."""
    shown: Atoms | None = None
    """The value as last reported or read."""
    increment: float | None = None
    increment_known: bool = False
    suspect_s: float | None = None
    """When a read showed a change that was not reported yet."""
    array_wanted: bool = False
    not_before_s: float = float("-inf")
    full: bool = False
    deaths: int = 0

    @property
    def exact(self) -> bool:
        """Whether every change is reported: states, not measurements."""
        return self.points[0].tag in (Tag.ENUMERATED, Tag.UNSIGNED) and not self.measured

    @property
    def measured(self) -> bool:
        """Whether the object has a COV increment."""
        return self.object.type in _MEASURED

    def live(self, now_s: float) -> bool:
        """Whether its reports can be relied on."""
        return self.asked_s is not None and self.heard_s >= self.asked_s and now_s < self.ends_s

    def wanting(self, now_s: float) -> bool:
        """Whether it is time to ask for it, or to renew it."""
        if now_s < self.not_before_s:
            return False
        return self.asked_s is None or now_s >= self.renew_s or now_s >= self.ends_s

    def lost(self) -> None:
        """The device may have forgotten it."""
        self.asked_s = None
        self.suspect_s = None


# Analog input, output, value; loop; accumulator, pulse converter; integer, large and positive integer value; lighting.
_MEASURED = frozenset({0, 1, 2, 12, 23, 24, 45, 46, 48, 54})


@dataclass(slots=True)
class Book:
    """The subscriptions of one device, by object."""

    lifetime_s: int
    rows: dict[ObjectId, Subscription]
    deaths: int = 0
    """Silent deaths since the last time that all was well for a lifetime."""
    died_s: float = float("-inf")
    dice: random.Random = field(default_factory=random.Random)

    def due(self, points: Iterable[Point], now_s: float) -> list[Point]:
        """Those of ``points`` that must be read from the wire now."""
        return [point for point in points if self._due(point, now_s)]

    def _due(self, point: Point, now_s: float) -> bool:
        row = self.rows.get(point.value.object)
        cov_s = point.profile.cov_s
        if row is None or cov_s is None or row.array_wanted or not row.live(now_s):
            return True
        return now_s - row.read_s >= cov_s - point.profile.every_s / 2

    def wanting(self, now_s: float) -> list[Subscription]:
        """What is to be asked for or renewed now."""
        return [row for row in self.rows.values() if row.wanting(now_s)]

    def asking(self, row: Subscription, now_s: float) -> None:
        """A request goes out: its first report may be here before its acknowledgement."""
        row.sent_s = now_s
        if row.asked_s is None or now_s >= row.ends_s:
            row.asked_s = now_s

    def accepted(self, row: Subscription, now_s: float) -> None:
        """The device took it, or renewed it."""
        row.full = False
        row.ends_s = now_s + self.lifetime_s
        row.renew_s = now_s + self.lifetime_s * self.dice.uniform(_EARLIEST, _LATEST)
        if row.heard_s >= row.sent_s:
            _shorten(row)

    def refused(self, row: Subscription, now_s: float, *, full: bool) -> None:
        """The device does not want it; where its table is full, it has no room for the others either."""
        row.lost()
        row.full = full
        row.not_before_s = now_s + (FULL_AGAIN_S if full else REFUSED_AGAIN_S)
        for other in self.rows.values() if full else ():
            if other.asked_s is None and other.not_before_s <= now_s:
                other.full, other.not_before_s = True, row.not_before_s

    def later(self, row: Subscription, now_s: float) -> None:
        """No answer to the question itself."""
        row.lost()
        row.not_before_s = now_s + FULL_AGAIN_S

    def heard(self, report: Notification, now_s: float) -> Subscription | None:
        """The subscription that ``report`` belongs to; None where there is none."""
        row = self.rows.get(report.object)
        if row is None or report.process != PROCESS:
            return None
        values = dict(report.values)
        value = values.get(Property.PRESENT_VALUE)
        if value is None:
            return None
        commandable = any(point.commandable for point in row.points)
        row.array_wanted = row.array_wanted or (commandable and row.shown != value)
        row.shown = value
        row.told = (value, values.get(Property.STATUS_FLAGS, ()))
        row.heard_s, row.remaining_s = now_s, report.remaining_s
        row.suspect_s = None
        _shorten(row)
        return row

    def read(self, point: Point, value: Atoms, flags: Atoms, number: Number, now_s: float) -> None:
        """A point of ours was read from the wire."""
        row = self.rows.get(point.value.object)
        if row is None:
            return
        row.read_s = now_s
        row.shown = value
        row.array_wanted = False
        if row.live(now_s) and row.suspect_s is None and _unreported(row, value, flags, number):
            row.suspect_s = now_s

    def bury(self, now_s: float) -> list[Subscription]:
        """Those that died in silence: they are asked for again, the first time at once."""
        dead = [row for row in self.rows.values() if self._dead(row, now_s)]
        for row in dead:
            row.lost()
            row.deaths += 1
            if row.deaths > 1:
                row.not_before_s = now_s + self.lifetime_s * _EARLIEST
        if dead:
            self.deaths += 1
            self.died_s = now_s
        elif self.deaths and now_s - self.died_s > _FORGIVEN_LIFETIMES * self.lifetime_s:
            self.deaths = 0
            for row in self.rows.values():
                row.deaths = 0
        return dead

    def _dead(self, row: Subscription, now_s: float) -> bool:
        if row.asked_s is None:
            return False
        if row.suspect_s is not None and now_s - row.suspect_s >= REPORT_WITHIN_S:
            return True
        return row.sent_s > row.heard_s and now_s - row.sent_s >= REPORT_WITHIN_S

    def lost(self) -> None:
        """The device was away: everything is asked for again, also what it refused before."""
        for row in self.rows.values():
            row.lost()
            row.not_before_s = float("-inf")

    @property
    def polled_instead(self) -> int:
        """How many points the device has no room for."""
        return sum(len(row.points) for row in self.rows.values() if row.full)


def book(points: Sequence[Point], lifetime_s: int) -> Book:
    """Nothing subscribed yet. A lifetime is at least five poll periods: a renewal must find its turn."""
    rows: dict[ObjectId, Subscription] = {}
    slowest_s = 0.0
    for point in points:
        if point.profile.cov_s is None or point.value.property != Property.PRESENT_VALUE:
            continue
        slowest_s = max(slowest_s, point.profile.every_s)
        row = rows.get(point.value.object)
        same = (point,) if row is None else (*row.points, point)
        rows[point.value.object] = Subscription(point.value.object, same)
    return Book(max(lifetime_s, round(_RENEWALS_IN_A_LIFETIME * slowest_s)), rows)


def _shorten(row: Subscription) -> None:
    """A device may grant less than it was asked for, and says so in its reports only."""
    if row.remaining_s < _LEAST_GRANTED_S or row.heard_s + row.remaining_s > row.ends_s - _ROUNDING_S:
        return
    row.ends_s = row.heard_s + row.remaining_s
    row.renew_s = min(row.renew_s, row.heard_s + row.remaining_s * _EARLIEST)


def _unreported(row: Subscription, value: Atoms, flags: Atoms, number: Number) -> bool:
    """Whether what was read differs from the last report by more than the device may keep to itself."""
    if row.told is None:
        return False
    if row.told[1] and flags and row.told[1] != flags:
        return True
    if row.told[0] == value:
        return False
    if row.exact:
        return True
    now, then = number(value), number(row.told[0])
    if now is None or then is None:
        return now is not then
    return row.increment is not None and abs(now - then) >= row.increment
