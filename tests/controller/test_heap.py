"""The collector: what lives at the start is set aside, and cycles that come later are still freed."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from controller.heap import settle_heap


@pytest.fixture(autouse=True)
def pythons_own_settings() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


class Knot:
    def __init__(self) -> None:
        self.itself = self
        self.ballast = [[] for _ in range(10)]  # type: ignore[var-annotated]


def test_a_cycle_that_comes_later_is_found_without_being_asked_for() -> None:
    settle_heap()
    first = weakref.ref(Knot())
    for _ in range(10_000):
        Knot()
    assert first() is None


def test_the_search_leaves_alone_what_lived_at_the_start() -> None:
    site = [[number] for number in range(10_000)]
    settle_heap()
    assert gc.get_freeze_count() > len(site)
    assert len(gc.get_objects()) < len(site)


def test_a_cycle_that_was_set_aside_and_then_let_go_is_found_at_the_next_call() -> None:
    site = Knot()
    settle_heap()
    gone = weakref.ref(site)
    del site
    gc.collect()
    assert gone() is not None
    settle_heap()
    assert gone() is None
