"""What the law lets rooms be heated to: articles R241-26 and R241-27 of the French energy code, building averages."""

from __future__ import annotations

from datetime import timedelta

from schedules.occupancy import Presence

OCCUPIED_C, DAY_VACANT_C, LONG_VACANT_C = 19.0, 16.0, 8.0
"""While occupied and in vacancies of less than a day; in those of less than two; in longer ones."""
DAY_VACANT, LONG_VACANT = timedelta(hours=24), timedelta(hours=48)
CAPS_C = {"comfort": OCCUPIED_C, "reduced": DAY_VACANT_C, "frost": LONG_VACANT_C}
"""By the allure that belongs to each."""


def cap_c(presence: Presence) -> float:
    """The highest temperature that is legal in these hours, degrees C."""
    vacancy = timedelta() if presence.occupied else presence.until - presence.since
    if vacancy >= LONG_VACANT:
        return LONG_VACANT_C
    return DAY_VACANT_C if vacancy >= DAY_VACANT else OCCUPIED_C
