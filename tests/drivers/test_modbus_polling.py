from __future__ import annotations

from collections import Counter
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.polling import Request, adapted, places, plan, polls
from drivers.profile import ModbusLimits, ModbusPoint, Table, WireType
from drivers.profile_file import load_profile, shipped_profiles

TYPES = {
    Table.COIL: [WireType.BIT],
    Table.DISCRETE: [WireType.BIT],
    Table.INPUT: list(WireType),
    Table.HOLDING: list(WireType),
}


@st.composite
def point_sets(draw: st.DrawFn) -> list[ModbusPoint]:
    spots = draw(st.lists(st.tuples(st.sampled_from(list(Table)), st.integers(0, 400)), max_size=40))
    return [
        ModbusPoint(f"p{i}", table, address, draw(st.sampled_from(TYPES[table])))
        for i, (table, address) in enumerate(spots)
    ]


limits = st.builds(
    ModbusLimits,
    max_registers=st.integers(4, 125),
    max_bits=st.integers(1, 2000),
    max_gap=st.integers(0, 124),
)


def covered(requests: tuple[Request, ...]) -> Counter[str]:
    return Counter(point.name for request in requests for point in request.points)


def check(requests: tuple[Request, ...], points: list[ModbusPoint], limit: ModbusLimits) -> None:
    assert covered(requests) == Counter(point.name for point in points)
    for request in requests:
        bits = request.table in {Table.COIL, Table.DISCRETE}
        assert 1 <= request.count <= (limit.max_bits if bits else limit.max_registers)
        words = range(request.address, request.address + request.count)
        for point in request.points:
            assert point.table is request.table
            assert point.address in words
            assert point.address + point.type.registers - 1 in words
            assert list(request.words_of(point, words)) == [point.address + i for i in range(point.type.registers)]


@given(points=point_sets(), limit=limits)
def test_each_point_is_covered_once_and_no_limit_is_exceeded(points: list[ModbusPoint], limit: ModbusLimits) -> None:
    check(plan(points, limit), points, limit)


@given(points=point_sets(), limit=limits)
def test_no_wider_gap_is_read_over(points: list[ModbusPoint], limit: ModbusLimits) -> None:
    for request in plan(points, limit):
        wanted = {a for p in request.points for a in range(p.address, p.address + p.type.registers)}
        longest = run = 0
        for address in range(request.address, request.address + request.count):
            run = 0 if address in wanted else run + 1
            longest = max(longest, run)
        assert longest <= limit.max_gap


@given(points=point_sets(), limit=limits)
def test_no_two_neighbours_could_have_been_one(points: list[ModbusPoint], limit: ModbusLimits) -> None:
    requests = plan(points, limit)
    for one, two in pairwise(requests):
        if one.table is two.table:
            longest = limit.max_bits if one.table in {Table.COIL, Table.DISCRETE} else limit.max_registers
            first = min(two.points, key=lambda p: p.address)
            too_far = first.address > one.address + one.count + limit.max_gap
            assert too_far or first.address + first.type.registers - one.address > longest


@st.composite
def few_points(draw: st.DrawFn) -> list[ModbusPoint]:
    spots = draw(st.lists(st.tuples(st.integers(0, 24), st.sampled_from(list(WireType))), min_size=1, max_size=7))
    return [ModbusPoint(f"p{i}", Table.INPUT, address, type_) for i, (address, type_) in enumerate(spots)]


def allowed(group: tuple[ModbusPoint, ...], limit: ModbusLimits) -> bool:
    """Whether one request may read these."""
    wanted = sorted({a for p in group for a in range(p.address, p.address + p.type.registers)})
    gaps = [two - one - 1 for one, two in pairwise(wanted)]
    return wanted[-1] - wanted[0] < limit.max_registers and max(gaps, default=0) <= limit.max_gap


def fewest(points: tuple[ModbusPoint, ...], limit: ModbusLimits) -> int:
    """By trying every group that the first point could be read in."""
    if not points:
        return 0
    first, rest = points[0], points[1:]
    best = len(points)
    for size in range(len(rest) + 1):
        for others in combinations(rest, size):
            if allowed((first, *others), limit):
                left = tuple(p for p in rest if p not in others)
                best = min(best, 1 + fewest(left, limit))
    return best


@given(points=few_points(), limit=st.builds(ModbusLimits, max_registers=st.integers(4, 16), max_gap=st.integers(0, 6)))
def test_no_plan_has_fewer_requests(points: list[ModbusPoint], limit: ModbusLimits) -> None:
    requests = plan(points, limit)
    assert all(allowed(request.points, limit) for request in requests)
    assert len(requests) == fewest(tuple(points), limit)


@given(points=point_sets(), limit=limits, missing=st.sets(st.integers(0, 400), max_size=5))
def test_a_device_with_holes_ends_with_its_missing_points_alone(
    points: list[ModbusPoint], limit: ModbusLimits, missing: set[int]
) -> None:
    def refuses(request: Request) -> bool:
        return any(request.address <= hole < request.address + request.count for hole in missing)

    requests = plan(points, limit)
    for _ in range(20):
        requests = adapted(requests, [r for r in requests if refuses(r)], limit)
        check(requests, points, limit)
    readable = {p.name for p in points if not missing & set(range(p.address, p.address + p.type.registers))}
    assert readable <= {p.name for r in requests if not refuses(r) for p in r.points}
    assert all(places(r) == 1 for r in requests if refuses(r))


def test_after_a_passing_refusal_requests_grow_together_again() -> None:
    points = [ModbusPoint(f"p{i}", Table.HOLDING, i, WireType.UINT16) for i in range(8)]
    requests = plan(points, ModbusLimits())
    for _ in range(4):
        requests = adapted(requests, requests, ModbusLimits())
    assert len(requests) == 8
    assert [r.count for r in adapted(requests, [], ModbusLimits())] == [8]


def test_one_poll_a_period_with_its_points() -> None:
    profile = load_profile(shipped_profiles()["generic-cabinet"])
    names = [n for n in profile.points if not n.startswith("lamp") or int(n.split(".")[1]) <= 4]
    points = [p for n, p in profile.points.items() if n in names and isinstance(p, ModbusPoint)]
    planned = polls("cab", points, profile.modbus)
    assert [(poll.index, poll.every_s) for poll, _ in planned] == [(0, 1.0), (1, 2.0), (2, 10.0), (3, 30.0)]
    assert sorted(name for poll, _ in planned for name in poll.points) == sorted(names)
    shapes = [[(r.table, r.address, r.count) for r in requests] for _, requests in planned]
    assert shapes == [
        [(Table.DISCRETE, 0, 48), (Table.INPUT, 2000, 32)],
        [(Table.COIL, 0, 8), (Table.INPUT, 0, 26), (Table.HOLDING, 1000, 13)],
        [(Table.INPUT, 26, 6)],
        [(Table.INPUT, 4000, 16)],
    ]


@pytest.mark.parametrize(("lamps", "requests"), [(15, 1), (16, 2), (64, 5)])
def test_a_whole_lamp_gateway_takes_few_requests(lamps: int, requests: int) -> None:
    profile = load_profile(shipped_profiles()["generic-cabinet"])
    points = [
        p
        for name, p in profile.points.items()
        if isinstance(p, ModbusPoint)
        and p.every_s == 1.0
        and name.startswith("lamp")
        and int(name.split(".")[1]) <= lamps
    ]
    assert len(plan(points, profile.modbus)) == requests
