"""The simulator's school over a winter of real calendars: in time, and not long before."""

from __future__ import annotations

import pytest

from tests.controller.towns import at
from tests.controller.winter import school, shares

LEAST = 0.95


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_winter_of_a_school_is_warm_in_time(seed: int) -> None:
    winter = school(at("2026-11-01 12:00"), seed)
    winter.until(at("2027-03-31 20:00"))
    learnt = [m for m in winter.mornings if m.opening >= at("2026-11-15 00:00")]
    in_time, short = shares(learnt)
    assert in_time >= LEAST, [m for m in learnt if m.lacking_k > 0.5]
    assert short >= LEAST, [m for m in learnt if m.too_long_min >= 45.0]
    soaked = [m for m in learnt if m.opening == at("2027-01-04 08:00")]
    assert soaked, "the Monday after the Christmas holidays, from 8 degrees"
    assert all(m.lacking_k <= 0.5 for m in soaked)
    late = {(f"zone/{m.zone}", "notReady", m.opening.date()) for m in learnt if m.lacking_k > 0.5}
    told = {(*name, at_.date()) for at_, name, _ in winter.rehearsal.alarms if at_ >= at("2026-11-15 00:00")}
    assert told <= late, "no alarm but of a morning that was late indeed"
