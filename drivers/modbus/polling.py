"""Which requests read the wanted points: the fewest that the device's limits allow. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from drivers.api import Poll
from drivers.profile import ModbusLimits, ModbusPoint, Table

BITS = frozenset({Table.COIL, Table.DISCRETE})


@dataclass(frozen=True, slots=True)
class Request:
    """``count`` registers or bits of ``table`` from ``address`` on, and the points that lie in them."""

    table: Table
    address: int
    count: int
    points: tuple[ModbusPoint, ...]

    def words_of(self, point: ModbusPoint, answer: Sequence[int]) -> Sequence[int]:
        """The part of the answer to this request that belongs to ``point``."""
        start = point.address - self.address
        return answer[start : start + point.type.registers]


def plan(points: Iterable[ModbusPoint], limits: ModbusLimits) -> tuple[Request, ...]:
    """The fewest requests that cover ``points``, each once, no value split, gaps up to ``max_gap`` read over."""
    by_table: dict[Table, list[ModbusPoint]] = {}
    for point in points:
        by_table.setdefault(point.table, []).append(point)
    return tuple(
        request for table in Table if table in by_table for request in _plan_table(table, by_table[table], limits)
    )


def _plan_table(table: Table, points: list[ModbusPoint], limits: ModbusLimits) -> Iterator[Request]:
    longest = limits.max_bits if table in BITS else limits.max_registers
    start, end, taken = 0, 0, list[ModbusPoint]()
    for point in sorted(points, key=lambda p: (p.address, p.name)):
        new_end = max(end, point.address + point.type.registers)
        if taken and (point.address > end + limits.max_gap or new_end - start > longest):
            yield Request(table, start, end - start, tuple(taken))
            taken = []
        if not taken:
            start, new_end = point.address, point.address + point.type.registers
        end = new_end
        taken.append(point)
    yield Request(table, start, end - start, tuple(taken))


def adapted(requests: Sequence[Request], refused: Collection[Request], limits: ModbusLimits) -> tuple[Request, ...]:
    """The requests of the next round when some were refused: a single missing address refuses its whole request.

    A refused request of several places is halved until the missing ones stand alone; once they do, whatever
    answered is planned anew, without reading over gaps.
    """
    if any(places(request) > 1 for request in refused):
        return tuple(part for r in requests for part in (_halves(r) if r in refused else (r,)))
    answered = [point for request in requests if request not in refused for point in request.points]
    return (*plan(answered, replace(limits, max_gap=0)), *refused)


def places(request: Request) -> int:
    """How many different addresses a request's points begin at."""
    return len({point.address for point in request.points})


def _halves(request: Request) -> tuple[Request, ...]:
    """``request`` cut at its widest gap, else in the middle; as it is where it has one place only."""
    points = sorted(request.points, key=lambda p: p.address)
    cuts = [i for i in range(1, len(points)) if points[i].address != points[i - 1].address]
    if not cuts:
        return (request,)

    def merit(i: int) -> tuple[int, float]:
        gap = points[i].address - max(p.address + p.type.registers for p in points[:i])
        return gap, -abs(i - len(points) / 2)

    cut = max(cuts, key=merit)
    return tuple(_spanning(request.table, part) for part in (points[:cut], points[cut:]))


def _spanning(table: Table, points: Sequence[ModbusPoint]) -> Request:
    start = points[0].address
    return Request(table, start, max(p.address + p.type.registers for p in points) - start, tuple(points))


def polls(device: str, points: Iterable[ModbusPoint], limits: ModbusLimits) -> list[tuple[Poll, tuple[Request, ...]]]:
    """One poll for each period of the device, shortest first, with the requests it takes; ``index`` counts from 0."""
    by_period: dict[float, list[ModbusPoint]] = {}
    for point in points:
        by_period.setdefault(point.every_s, []).append(point)
    return [
        (Poll(device, index, every_s, tuple(p.name for p in by_period[every_s])), plan(by_period[every_s], limits))
        for index, every_s in enumerate(sorted(by_period))
    ]
