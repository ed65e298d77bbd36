"""What is asked for together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bacnet import polling
from drivers.bacnet.codec import ObjectId, Property, Ref
from drivers.bacnet.polling import Point
from drivers.profile import BacnetPoint, ModbusPoint, Table, WireType


def points(*profile: BacnetPoint) -> dict[str, Point]:
    return polling.resolve("school", {p.name: p for p in profile}, [p.name for p in profile])


def many(sensors: int, setpoints: int) -> list[Point]:
    made = [BacnetPoint(f"t{n}", f"analog-input,{n}") for n in range(sensors)]
    made += [BacnetPoint(f"s{n}", f"analog-value,{n}", writable=True, commandable=True) for n in range(setpoints)]
    return list(points(*made).values())


def test_a_commandable_point_asks_for_its_array() -> None:
    sensor, setpoint = many(1, 1)
    assert sensor.refs == (
        Ref(ObjectId(0, 0), Property.PRESENT_VALUE),
        Ref(ObjectId(0, 0), Property.STATUS_FLAGS),
    )
    assert setpoint.refs[2] == Ref(ObjectId(2, 0), Property.PRIORITY_ARRAY)


def test_relinquish_default_has_no_priority() -> None:
    made = points(BacnetPoint("d", "analog-value,1", property="relinquish-default", writable=True, commandable=True))
    assert not made["d"].commandable


def test_one_poll_a_period() -> None:
    made = points(
        BacnetPoint("slow", "analog-input,1", every_s=30.0),
        BacnetPoint("fast", "analog-input,2", every_s=2.0),
        BacnetPoint("fast-too", "analog-input,3", every_s=2.0),
    )
    shown = [(p.index, p.every_s, p.points) for p in polling.polls("school", made)]
    assert shown == [(0, 2.0, ("fast", "fast-too")), (1, 30.0, ("slow",))]


@pytest.mark.parametrize(("max_apdu", "sensors", "setpoints"), [(1476, 49, 12), (480, 15, 4), (206, 6, 1), (50, 1, 1)])
def test_how_many_fit(max_apdu: int, sensors: int, setpoints: int) -> None:
    budget = polling.budget(max_apdu)
    assert len(next(polling.batches(many(100, 0), budget))) == sensors
    assert len(next(polling.batches(many(0, 100), budget))) == setpoints


@given(st.integers(0, 40), st.integers(0, 20), st.integers(0, 1600))
def test_batches_keep_the_order_and_the_budget(sensors: int, setpoints: int, budget: int) -> None:
    wanted = many(sensors, setpoints)
    cut = list(polling.batches(wanted, budget))
    assert [point for batch in cut for point in batch] == wanted
    assert all(len(batch) == 1 or polling.octets(batch) <= budget for batch in cut)


def test_halves() -> None:
    wanted = many(5, 0)
    assert polling.halves(wanted) == (tuple(wanted[:2]), tuple(wanted[2:]))


WRONG: dict[str, BacnetPoint | ModbusPoint] = {
    "object": BacnetPoint("x", "analog-valeu,1"),
    "property": BacnetPoint("x", "analog-value,1", property="colour"),
    "protocol": ModbusPoint("x", Table.HOLDING, 0, WireType.UINT16),
}


@pytest.mark.parametrize("point", list(WRONG.values()), ids=WRONG)
def test_a_point_that_bacnet_cannot_have(point: BacnetPoint | ModbusPoint) -> None:
    with pytest.raises(ValueError, match="school/x"):
        polling.resolve("school", {"x": point}, ["x"])
