"""Durations as operators write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.fields import parse_duration
from schedules.moments import duration_text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("10m", 600),
        ("3h", 10800),
        ("1h30m", 5400),
        ("2d", 172800),
        ("2.5s", 2.5),
        ("0s", 0),
        ("1d12h", 129600),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "wrong", ["", " ", "10", 10, "10 m", "m", "30m1h", "-5m", "1.m", "15min", None, True, [], "1h 30m"]
)
def test_what_is_no_duration(wrong: object) -> None:
    with pytest.raises(ValueError, match="is not a duration; write it with its unit"):
        parse_duration(wrong)


@given(st.integers(0, 10**7))
def test_reads_what_the_schedules_write(seconds: int) -> None:
    span = timedelta(seconds=seconds)
    assert parse_duration(duration_text(span)) == span
