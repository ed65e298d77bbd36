"""For every part: the broker as a fixture, and how hypothesis behaves on a machine that others use too."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.broker import Broker

# How long an example takes says something about the neighbours, not about the code. CI runs the same examples each
# time; at a desk every run looks elsewhere, and what it finds is replayed by its printed seed.
settings.register_profile("desk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("desk"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


# Python searches all that the libraries brought for cycles again and again; the daemon does not (decision 18).
gc.freeze()
gc.set_threshold(50_000, 20, 50)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A running mosquitto of this test's own."""
    running = Broker(tmp_path)
    running.start()
    yield running
    running.stop()
