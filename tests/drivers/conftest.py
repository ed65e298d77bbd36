"""Fixtures of the drivers' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture
def nothing_escapes_into_the_loop(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """An exception in a transport's callback would only be logged by asyncio."""
    yield
    assert [r.getMessage() for r in caplog.get_records("call") if r.name == "asyncio"] == []
