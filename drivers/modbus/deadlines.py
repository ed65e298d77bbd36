"""Deadlines that all lie the same time ahead, so that one timer serves any number of connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

Answer = asyncio.Future[bytes]
Expire = Callable[[Answer], None]


class Deadlines:
    """Each ``within_s`` from when it is set; the order they are set in is the order they are due in.

    A timer of its own for every request would cost a fifth of the request (a heap of cancelled handles).
    """

    def __init__(self, within_s: float) -> None:
        self.within_s = within_s
        self._due: dict[Answer, tuple[float, Expire]] = {}
        self._armed = False

    def set(self, answer: Answer, expire: Expire) -> None:
        """Call ``expire`` with ``answer`` in ``within_s``, unless it is cleared before."""
        loop = answer.get_loop()
        due_s = loop.time() + self.within_s
        self._due[answer] = due_s, expire
        if not self._armed:
            self._armed = True
            loop.call_at(due_s, self._fire, loop)

    def clear(self, answer: Answer) -> None:
        """Forget a deadline, met or not."""
        self._due.pop(answer, None)

    def _fire(self, loop: asyncio.AbstractEventLoop) -> None:
        """Whatever is due now; then wait for the next one, if any."""
        now_s = loop.time()
        while self._due:
            answer, (due_s, expire) = next(iter(self._due.items()))
            if due_s > now_s:
                loop.call_at(due_s, self._fire, loop)
                return
            del self._due[answer]
            expire(answer)
        self._armed = False
