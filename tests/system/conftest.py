"""Fixtures: one running town a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.town import EVENING, Town, open_town


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The town on a Monday evening, everything on plan; alarms and samples come within seconds."""
    timing = "timing: {sample: 1s, settle: 1s, persist: 1s}"
    with open_town(tmp_path_factory.mktemp("evening"), EVENING, extra=timing) as town:
        town.start()
        yield town
