"""When a subscription is asked for, renewed, trusted and given up: the state alone, by the clock of the test."""

from __future__ import annotations

import random

import pytest

from drivers.bacnet import polling
from drivers.bacnet.codec import Atom, Atoms, ObjectId, Property, Tag, Undecodable, number
from drivers.bacnet.learnt import AGAIN_AFTER_S, Learnt, recalled
from drivers.bacnet.subscriptions import FULL_AGAIN_S, PROCESS, REPORT_WITHIN_S, Book, Subscription, book
from drivers.bacnet.wire import Notification
from drivers.profile import BacnetPoint, ModbusPoint, Table, WireType

FLAGS = (Atom(Tag.BIT_STRING, b"\x04\x00"),)
LIFETIME_S = 300


def real(value: bytes) -> Atoms:
    return (Atom(Tag.REAL, value),)


NAN = real(b"\x7f\xc0\x00\x00")
COLD, WARM = real(b"\x41\xa0\x00\x00"), real(b"\x41\xc8\x00\x00")  # 20 and 25


def as_number(atoms: Atoms) -> float | None:
    try:
        return number(atoms)
    except Undecodable:
        return None


def made(*points: BacnetPoint) -> Book:
    profile = {point.name: point for point in points}
    made_ = book(tuple(polling.resolve("school", profile, profile).values()), LIFETIME_S)
    made_.dice = random.Random(1)
    return made_


def inputs(count: int, every_s: float = 10.0) -> list[BacnetPoint]:
    return [BacnetPoint(f"t{n}", f"analog-input,{n}", every_s=every_s, cov_s=60.0) for n in range(count)]


def told(object_: ObjectId, value: Atoms = COLD, remaining_s: int = 300) -> Notification:
    values = ((Property.PRESENT_VALUE, value), (Property.STATUS_FLAGS, FLAGS))
    return Notification(PROCESS, ObjectId(8, 1201), object_, remaining_s, values)


def settled(it: Book, at_s: float) -> list[Subscription]:
    rows = it.wanting(at_s)
    for row in rows:
        row.increment, row.increment_known = 0.5, True
        it.asking(row, at_s)
        it.heard(told(row.object), at_s)
        it.accepted(row, at_s)
        it.read(row.points[0], COLD, FLAGS, number, at_s)
    return rows


def test_a_renewal_comes_at_70_to_80_percent_of_the_lifetime() -> None:
    it = made(*inputs(50))
    rows = settled(it, 0.0)
    assert len(rows) == 50
    renewals = [row.renew_s for row in rows]
    assert min(renewals) >= 0.7 * LIFETIME_S
    assert max(renewals) <= 0.8 * LIFETIME_S
    assert len({round(r) for r in renewals}) > 10, "not all at once"
    assert it.wanting(0.69 * LIFETIME_S) == []
    assert len(it.wanting(0.8 * LIFETIME_S)) == 50


def test_the_first_report_may_come_before_the_acknowledgement() -> None:
    it = made(*inputs(1))
    (row,) = it.wanting(0.0)
    it.asking(row, 0.0)
    assert not row.live(0.5)
    it.heard(told(row.object), 0.4)
    it.accepted(row, 0.5)
    assert row.live(0.5)
    assert it.bury(0.5 + REPORT_WITHIN_S) == []


@pytest.mark.parametrize("first", ["report", "acknowledgement"])
def test_a_device_that_grants_less_is_renewed_earlier(first: str) -> None:
    it = made(*inputs(1))
    (row,) = it.wanting(0.0)
    it.asking(row, 0.0)
    if first == "report":
        it.heard(told(row.object, remaining_s=60), 0.1)
    it.accepted(row, 0.1)
    if first == "acknowledgement":
        it.heard(told(row.object, remaining_s=60), 0.2)
    assert it.wanting(40.0) == []
    assert it.wanting(43.0) == [row]
    it.heard(told(row.object, remaining_s=17), 43.0)
    assert row.live(59.0)
    assert not row.live(61.0)


def test_the_time_that_is_left_says_nothing_new() -> None:
    it = made(*inputs(1))
    (row,) = settled(it, 0.0)
    for at_s in (50, 100, 150, 200):
        it.heard(told(row.object, remaining_s=300 - at_s), float(at_s))
    it.heard(told(row.object, remaining_s=0), 205.0)
    assert it.wanting(0.69 * LIFETIME_S) == []
    assert row.live(299.0)


def test_a_lifetime_leaves_a_renewal_its_turn() -> None:
    assert made(*inputs(1, every_s=600.0)).lifetime_s == 3000
    assert made(*inputs(1)).lifetime_s == LIFETIME_S


def test_a_lifetime_that_ran_out_is_no_longer_relied_on() -> None:
    it = made(*inputs(1))
    (row,) = settled(it, 0.0)
    assert row.live(299.0)
    assert not row.live(300.0)
    assert it.due(row.points, 300.0) == list(row.points)


def test_the_safety_net_never_waits_longer_than_the_profile_says() -> None:
    it = made(*inputs(1))
    (row,) = settled(it, 0.0)
    due = [at_s for at_s in range(10, 70, 10) if it.due(row.points, float(at_s))]
    assert due[0] == 60


def test_a_renewal_without_a_report_is_a_death() -> None:
    it = made(*inputs(1))
    (row,) = settled(it, 0.0)
    it.asking(row, 240.0)
    it.accepted(row, 240.1)
    assert it.bury(249.0) == []
    assert it.bury(240.0 + REPORT_WITHIN_S) == [row]
    assert row.wanting(251.0), "asked for again at once"
    assert it.due(row.points, 251.0), "and polled until it reports"


def test_a_change_that_is_reported_late_is_no_death() -> None:
    it = made(*inputs(1))
    (row,) = settled(it, 0.0)
    it.read(row.points[0], WARM, FLAGS, number, 60.0)
    it.heard(told(row.object, WARM), 60.2)
    assert it.bury(70.0) == []


def test_a_change_that_is_never_reported_is_a_death() -> None:
    it = made(*inputs(2))
    row, other = settled(it, 0.0)
    it.read(row.points[0], WARM, FLAGS, number, 60.0)
    assert it.bury(70.0) == [row]
    assert other.live(70.0)


@pytest.mark.parametrize(("then", "now"), [(COLD, NAN), (NAN, COLD)])
def test_a_value_that_comes_or_goes_is_a_change(then: Atoms, now: Atoms) -> None:
    it = made(*inputs(1))
    (row,) = settled(it, 0.0)
    it.heard(told(row.object, then), 1.0)
    it.read(row.points[0], now, FLAGS, as_number, 60.0)
    assert it.bury(70.0) == [row]


def test_no_value_is_as_good_as_another() -> None:
    it = made(*inputs(1))
    (row,) = settled(it, 0.0)
    it.heard(told(row.object, NAN), 1.0)
    it.read(row.points[0], real(b"\x7f\xc0\x00\x01"), FLAGS, as_number, 60.0)
    assert it.bury(70.0) == []


def test_repeated_deaths_wait_and_a_quiet_lifetime_forgives_them() -> None:
    it = made(*inputs(1))
    at_s = 0.0
    for deaths in (1, 2):
        (row,) = settled(it, at_s)
        it.read(row.points[0], WARM, FLAGS, number, at_s + 60.0)
        assert it.bury(at_s + 70.0) == [row]
        assert it.deaths == deaths
        at_s += 70.0
        assert bool(it.wanting(at_s)) == (deaths == 1)
        at_s += 0.7 * LIFETIME_S
    settled(it, at_s)
    it.bury(at_s + 1.0)
    assert it.deaths == 2
    settled(it, at_s + 0.75 * LIFETIME_S)
    it.bury(at_s + LIFETIME_S)
    assert it.deaths == 0


def test_one_refusal_of_a_full_table_speaks_for_all() -> None:
    it = made(*inputs(5))
    first, *others = it.wanting(0.0)
    it.asking(first, 0.0)
    it.accepted(first, 0.0)
    it.asking(others[0], 0.0)
    it.refused(others[0], 0.0, full=True)
    assert it.wanting(1.0) == []
    assert it.polled_instead == 4
    assert len(it.wanting(FULL_AGAIN_S)) >= 4


@pytest.mark.parametrize("quiet", [True, False])
def test_a_device_that_was_away_is_asked_for_everything_again(quiet: bool) -> None:
    it = made(*inputs(2))
    row, other = settled(it, 0.0)
    it.refused(other, 1.0, full=quiet)
    it.lost()
    assert it.wanting(2.0) == [row, other]


def test_two_points_of_one_object_share_a_subscription() -> None:
    again = BacnetPoint("again", "analog-input,0", every_s=10.0, cov_s=60.0)
    it = made(*inputs(1), again)
    (row,) = it.rows.values()
    assert [point.id.point for point in row.points] == ["t0", "again"]


def test_the_longest_quiet_time_of_a_point() -> None:
    assert BacnetPoint("x", "analog-input,1", every_s=10.0).quiet_s == 10.0
    assert BacnetPoint("x", "analog-input,1", every_s=10.0, cov_s=60.0).quiet_s == 60.0
    assert BacnetPoint("x", "analog-input,1", every_s=90.0, cov_s=60.0).quiet_s == 90.0
    assert ModbusPoint("x", Table.HOLDING, 0, WireType.UINT16, every_s=7.0).quiet_s == 7.0


def test_what_was_learnt_survives_as_facts() -> None:
    learnt = Learnt().less(240, 1000.0).single(1010.0)
    assert learnt == Learnt(240, multiple=False, at_s=1010)
    assert recalled(learnt.facts) == learnt
    assert recalled({}) == Learnt()
    assert Learnt().facts == {}
    assert learnt.less(500, 1020.0).budget_octets == 240


@pytest.mark.parametrize(("now_s", "over"), [(1010.0, False), (1010.0 + AGAIN_AFTER_S, True), (900.0, True)])
def test_a_limit_is_tried_again_after_a_day(now_s: float, over: bool) -> None:
    assert Learnt(240, at_s=1010).over(now_s) is over
    assert not Learnt().over(now_s)
