"""The first three weeks of the simulator's school: after two of them it is in time, and not long before.

The bar of 95 % each is that of the whole winter (tests/campaign): of these few mornings one is 5 %. The second Monday
has one preheat after a long vacancy to learn from: it may come a little late.
"""

from __future__ import annotations

from datetime import date

from tests.controller.towns import at
from tests.controller.winter import school, shares

SECOND_MONDAY = date(2026, 11, 16)


def test_three_weeks_of_a_school_are_warm_in_time() -> None:
    winter = school(at("2026-11-02 00:00"))
    winter.until(at("2026-11-21 12:00"))
    later = [m for m in winter.mornings if m.opening >= at("2026-11-13 00:00")]
    in_time, short = shares([m for m in later if m.opening.date() != SECOND_MONDAY])
    assert in_time >= 0.9, [m for m in later if m.lacking_k > 0.5]
    assert short >= 0.95, [m for m in later if m.too_long_min >= 45.0]
    monday = [m for m in later if m.opening.date() == SECOND_MONDAY]
    assert len(monday) == 3
    assert all(m.lacking_k <= 0.75 and m.too_long_min < 45.0 for m in monday), monday
