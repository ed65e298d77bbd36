"""The first three weeks of the simulator's school: after two of them it is in time, and not long before.

The bar of 95 % each is that of the whole winter (tests/campaign): of these few mornings one is 5 %.
"""

from __future__ import annotations

from tests.controller.towns import at
from tests.controller.winter import school, shares


def test_three_weeks_of_a_school_are_warm_in_time() -> None:
    winter = school(at("2026-11-02 00:00"))
    winter.until(at("2026-11-21 12:00"))
    in_time, short = shares([m for m in winter.mornings if m.opening >= at("2026-11-13 00:00")])
    assert in_time >= 0.9, [m for m in winter.mornings if m.lacking_k > 0.5]
    assert short >= 0.95, [m for m in winter.mornings if m.too_long_min >= 45.0]
