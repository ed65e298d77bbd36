"""An event loop that does not wait: when nothing is ready its clock jumps to the next timer. Hours in milliseconds."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_STUCK_S = 5.0


class _Leaping(selectors.DefaultSelector):
    """Looks without waiting; the time that it was asked to wait for has then passed."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready. Raises RuntimeError when no timer runs and nothing comes in for some real seconds."""
        ready = super().select(_STUCK_S if timeout is None else 0)
        if timeout is None and not ready:
            raise RuntimeError("everybody waits and no timer runs")
        if timeout is not None and not ready:
            self.now_s += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """``time()`` starts at 0 and passes only between events. For tasks that talk to nobody outside the process."""

    def __init__(self) -> None:
        self._leaping = _Leaping()
        super().__init__(self._leaping)
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Seconds of virtual time."""
        return self._leaping.now_s


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """Run one scenario to its end on a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(scenario)
