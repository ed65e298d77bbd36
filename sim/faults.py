"""Faults by command: the words, and the one table of what is broken now. Times are seconds of the town's clock.

``fault TARGET KIND [ARGUMENT...] [for DURATION]``: TARGET is the id of a device, segment, cabinet, lamp or zone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sim.fault_kinds import KINDS, BadRequest, check_arguments, number

UNIT_S = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Fault:
    """Something broken at ``target`` until ``until_s`` (None: until it is cleared)."""

    target: str
    kind: str
    arguments: tuple[str, ...] = ()
    until_s: float | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """What a later fault replaces: the same kind at the same target, object or phase."""
        return (self.target, self.kind, *self.arguments[: KINDS[self.kind].apart])

    @property
    def number(self) -> float:
        """The only argument, of the kinds that take one number."""
        return float(self.arguments[0])

    def __str__(self) -> str:
        return " ".join((self.target, self.kind, *self.arguments))


def parse_fault(words: list[str], now_s: float) -> Fault:
    """``TARGET KIND [ARGUMENT...] [for DURATION]``. Raises BadRequest; the town knows its targets."""
    until_s = None
    if len(words) >= 2 and words[-2] == "for":
        until_s = now_s + duration_s(words[-1])
        words = words[:-2]
    if len(words) < 2:
        raise BadRequest("usage: fault TARGET KIND [ARGUMENT] [for DURATION]")
    target, name, *arguments = words
    kind = KINDS.get(name)
    if kind is None:
        raise BadRequest(f"unknown kind {name!r}: one of {', '.join(KINDS)}")
    check_arguments(kind, arguments)
    return Fault(target, name, tuple(arguments), until_s)


def duration_s(text: str) -> float:
    """``90``, ``90s``, ``15m`` or ``2h`` in seconds. Raises BadRequest."""
    scale = UNIT_S.get(text[-1:])
    seconds = number(text[:-1]) * scale if scale else number(text)
    if seconds <= 0.0:
        raise BadRequest("a duration is more than 0")
    return seconds


class FaultTable:
    """What is broken now, by ``Fault.key``. Watchers hear of every change."""

    def __init__(self) -> None:
        self._active: dict[tuple[str, ...], Fault] = {}
        self._watchers: list[Callable[[Fault, bool], None]] = []

    def watch(self, watcher: Callable[[Fault, bool], None]) -> None:
        """``watcher(fault, active)`` is called after every change."""
        self._watchers.append(watcher)

    @property
    def active(self) -> list[Fault]:
        """In the order in which they came."""
        return list(self._active.values())

    def get(self, target: str, kind: str) -> Fault | None:
        """The fault of this kind at this target, as far as there can be one only."""
        return self._active.get((target, kind))

    def add(self, fault: Fault) -> None:
        """Break something."""
        if fault.key in self._active:
            self.clear([self._active[fault.key]])
        self._active[fault.key] = fault
        self._tell(fault, active=True)

    def clear(self, faults: Iterable[Fault]) -> None:
        """Repair these."""
        for fault in faults:
            del self._active[fault.key]
            self._tell(fault, active=False)

    def expire(self, now_s: float) -> None:
        """Repair what has had its time."""
        self.clear([fault for fault in self.active if fault.until_s is not None and fault.until_s <= now_s])

    def _tell(self, fault: Fault, *, active: bool) -> None:
        for watcher in self._watchers:
            watcher(fault, active)


class WireFaults:
    """How one device behaves on the wire now: a live view of the table for its face."""

    def __init__(self, table: FaultTable, device: str) -> None:
        self._table, self._device = table, device

    def _has(self, kind: str) -> bool:
        return self._table.get(self._device, kind) is not None

    def _number(self, kind: str) -> float | None:
        fault = self._table.get(self._device, kind)
        return None if fault is None else fault.number

    @property
    def unplugged(self) -> bool:
        """Connections are closed at once."""
        return self._has("disconnect")

    @property
    def deaf(self) -> bool:
        """Requests do not arrive."""
        return self._has("absent") or self.unplugged

    @property
    def silent(self) -> bool:
        """No answer is sent."""
        return self._has("silence") or self.deaf

    @property
    def delay_s(self) -> float:
        """Seconds added to each answer, one after the other."""
        return self._number("delay") or (0.0 if self.late_s is None else self.late_s)

    @property
    def late_s(self) -> float | None:
        """Seconds by which answers come late while the next request is heard."""
        return self._number("late")

    @property
    def garbage(self) -> bool:
        """Answers are noise."""
        return self._has("garbage")

    @property
    def exception(self) -> int | None:
        """The Modbus exception that answers everything."""
        code = self._number("exception")
        return None if code is None else int(code)

    @property
    def abort(self) -> int | None:
        """The same on BACnet, where it is an abort reason."""
        return self.exception

    @property
    def clock_off_s(self) -> float:
        """Seconds by which its clock is fast."""
        return self._number("clock") or 0.0

    @property
    def doubled(self) -> bool:
        """Whether another device claims its instance."""
        return self._has("double")

    @property
    def no_rpm(self) -> bool:
        """ReadPropertyMultiple is not known."""
        return self._has("no-rpm")

    @property
    def max_apdu(self) -> int | None:
        """The longest APDU that it takes and gives; None: as the device was made."""
        octets = self._number("max-apdu")
        return None if octets is None else int(octets)

    @property
    def cov_lost(self) -> bool:
        """Value notifications are lost."""
        return self._has("cov-lost")

    @property
    def cov_rows(self) -> int | None:
        """How many subscriptions there is room for; None: as the device was made."""
        rows = self._number("cov-full")
        return None if rows is None else int(rows)
