"""What became of a write: tables."""

from __future__ import annotations

import pytest

from drivers.api import Fault, Outcome, PointId, Reading, Write
from drivers.bacnet import readback
from tests.drivers.bacnet_station import AT

POINT = PointId("school", "zone.1.setpoint")
Slots = tuple[tuple[int, float], ...]

WRITTEN: list[tuple[float, Slots, Outcome, int | None]] = [
    (20.0, ((13, 20.0),), Outcome.APPLIED, None),
    (20.0, ((5, 20.0), (13, 20.0)), Outcome.APPLIED, None),
    (20.0000001, ((13, 19.9999999),), Outcome.APPLIED, None),
    (18.0, ((8, 18.0), (13, 20.0)), Outcome.MASKED, 8),
    (12.0, ((5, 12.0), (8, 18.0), (13, 20.0)), Outcome.MASKED, 5),
    (16.0, ((13, 20.0),), Outcome.NO_FEEDBACK, None),
    (16.0, (), Outcome.NO_FEEDBACK, None),
    (20.0, (), Outcome.NO_FEEDBACK, None),
    (18.0, ((8, 18.0), (13, 19.0)), Outcome.NO_FEEDBACK, None),
    (16.0, ((13, 20.0), (16, 16.0)), Outcome.NO_FEEDBACK, None),
]


@pytest.mark.parametrize(("value", "slots", "outcome", "masked_by"), WRITTEN)
def test_a_written_slot(value: float, slots: Slots, outcome: Outcome, masked_by: int | None) -> None:
    seen = Reading(POINT, value, AT, slots=slots)
    result = readback.commanded(Write(POINT, 20.0, 13), seen, has_array=True)
    assert (result.outcome, result.masked_by, result.observed) == (outcome, masked_by, seen)


@pytest.mark.parametrize(("value", "outcome"), [(20.0, Outcome.APPLIED), (16.0, Outcome.NO_FEEDBACK)])
def test_without_a_readable_array_the_value_decides(value: float, outcome: Outcome) -> None:
    result = readback.commanded(Write(POINT, 20.0, 13), Reading(POINT, value, AT), has_array=False)
    assert result.outcome is outcome


@pytest.mark.parametrize(
    ("slots", "has_array", "outcome"),
    [
        ((), True, Outcome.APPLIED),
        (((8, 18.0),), True, Outcome.APPLIED),
        (((13, 20.0),), True, Outcome.NO_FEEDBACK),
        ((), False, Outcome.NO_FEEDBACK),
    ],
)
def test_a_relinquished_slot(slots: Slots, has_array: bool, outcome: Outcome) -> None:
    seen = Reading(POINT, 16.0, AT, slots=slots)
    assert readback.commanded(Write(POINT, None, 13), seen, has_array=has_array).outcome is outcome


def test_a_faulty_point_gives_no_feedback() -> None:
    fault = Fault(POINT, "sensor fault", AT)
    assert readback.commanded(Write(POINT, 20.0), fault, has_array=True).outcome is Outcome.NO_FEEDBACK
    assert readback.plain(Write(POINT, 20.0), 20.0, fault).detail == "sensor fault"


def test_a_point_without_an_array() -> None:
    write = Write(POINT, None)
    assert readback.plain(write, 14.0, Reading(POINT, 14.0, AT)).outcome is Outcome.APPLIED
    assert readback.plain(write, 14.0, Reading(POINT, 20.0, AT)).outcome is Outcome.NO_FEEDBACK
