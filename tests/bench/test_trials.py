"""What the benches of faults and of reported changes make of the messages that came."""

from __future__ import annotations

import json
import math

from bench.changes import right
from bench.faults import first_good_s
from bench.figures import Arrival, Spread, freshness
from bench.listener import Message
from bench.process import Cost
from bench.whole_job import SPREAD, Failure, Outcome, table_of


def test_a_device_is_back_with_the_first_value_read_after_the_fault() -> None:
    arrivals = [Arrival(10.5, "a", 900), Arrival(11.5, "b", 1050), Arrival(12.0, "a", 1100), Arrival(13.0, "a", 1200)]
    assert first_good_s(arrivals, "a", 0.0, since_s=10.0) == 2.0


def test_a_device_that_only_told_old_values_is_not_back() -> None:
    assert math.isnan(first_good_s([Arrival(10.5, "a", 900)], "a", 0.0, since_s=10.0))


def test_only_the_last_state_of_a_device_counts() -> None:
    states = [("m-0000", {"voltage_l1_v": 7.0}), ("m-0000", {"voltage_l1_v": 8.0, "voltage_l2_v": 9.0})]
    messages = [
        Message(float(at), f"veilleuse/bench/meter/{name}/state", json.dumps(state).encode())
        for at, (name, state) in enumerate(states)
    ]
    wanted = [[8.0, 9.0] + [1.0] * 8, [8.0] * 10]
    assert right(wanted, messages) == 2


def outcome(name: str, cpu_s: float) -> Outcome:
    """A window of a minute in which one device told one reading."""
    fresh = freshness([Arrival(1.0, "a", 99, 16)], 0.0, (0.0, 60.0), 1)
    return Outcome(name, Cost(cpu_s, 60.0, 40.0, 50.0), fresh)


def test_a_table_compares_round_by_round_and_names_who_failed() -> None:
    tried = [outcome("daemon", 5.0), outcome(SPREAD.name, 20.0), outcome("daemon", 8.0), outcome(SPREAD.name, 16.0)]
    table = table_of("whole-job", 500, 0, [*tried, Failure("burst", "ended")])
    assert [row[1:4] for row in table.rows] == [
        ("daemon", "6.5 (5.0-8.0)", "0.38 (0.25-0.50)"),
        (SPREAD.name, "18.0 (16.0-20.0)", "1.00"),
    ]
    assert table.remarks == ("burst: ended",)


def test_a_round_that_failed_leaves_no_ratio() -> None:
    table = table_of("whole-job", 500, 0, [outcome("daemon", 5.0), outcome("daemon", 8.0), outcome(SPREAD.name, 20.0)])
    assert table.rows[0][3] == ""
    assert Spread.of([5.0, 8.0]).text() == table.rows[0][2]
