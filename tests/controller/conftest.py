"""Fixtures of the controller's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.controller.probe_field import Elsewhere


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    loop = Elsewhere()
    yield loop
    loop.end()
