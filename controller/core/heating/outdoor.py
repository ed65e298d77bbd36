"""What may be an outdoor temperature: a broken sensor shows -60 or 85 degrees C, and neither is weather."""

from __future__ import annotations

POINT = "outdoor.temperature"
COLDEST_C, HOTTEST_C = -50.0, 60.0


def plausible_c(shown_c: float | None) -> float | None:
    """What an outdoor sensor shows while it can be weather, else None."""
    return shown_c if shown_c is not None and COLDEST_C <= shown_c <= HOTTEST_C else None
