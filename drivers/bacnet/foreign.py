"""Our registration as a foreign device: asked for, renewed at two thirds of its lifetime, asked for again after a loss.

Source: ASHRAE 135 annex J.5. The library renews when the lifetime is over and gives up for good when it is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from drivers.bacnet import network
from drivers.bacnet.addresses import Endpoint
from drivers.bacnet.link import Link
from drivers.bacnet.settings import ForeignDevice

ANSWER_S = 2.0
"""Longest wait for the BBMD's answer."""
SILENT_AFTER = 2
"""One datagram lost is no failure."""
LONGEST_RETRY_S = 30.0
_DISTRIBUTION_REFUSED = 0x0060
_SUCCESS = 0

Tell = Callable[[str | None], None]
"""Hears once why there is no registration, and once None when there is one again."""


class Registration:
    """Keeps us registered between ``start`` and ``stop``."""

    def __init__(self, link: Link, settings: ForeignDevice) -> None:
        self.tell: Tell = lambda _: None
        self.failed: str | None = None
        self._link = link
        self._bbmd = settings.endpoint
        self._ttl_s = settings.ttl
        self._renew_s = settings.ttl * 2 / 3
        self._failures = 0
        self._timer: asyncio.TimerHandle | None = None
        self._asking = False
        link.bbmd = self._bbmd
        link.on_result.append(self._answered)

    def start(self) -> None:
        """Ask for the first time."""
        self._ask()

    def stop(self) -> None:
        """Give the place in the BBMD's table back; nothing is sent afterwards."""
        if self._timer is None:
            return
        self._timer.cancel()
        self._timer = None
        self._link.send(network.register(0), self._bbmd)

    def _ask(self) -> None:
        self._asking = True
        self._link.send(network.register(self._ttl_s), self._bbmd)
        self._later(ANSWER_S, self._unanswered)

    def _answered(self, sender: Endpoint, code: int) -> None:
        if sender != self._bbmd or self._timer is None:
            return
        if not self._asking:
            if code == _DISTRIBUTION_REFUSED:  # it has forgotten us: a restart, or its table was full
                self._later(0.0, self._ask)
            return
        self._asking = False
        if code == _SUCCESS:
            self._failures = 0
            self._say(None)
            self._later(self._renew_s, self._ask)
        else:
            self._failed(f"{_text(self._bbmd)} refuses the registration (0x{code:04x})")

    def _unanswered(self) -> None:
        self._asking = False
        self._failures += 1
        if self._failures < SILENT_AFTER:
            self._ask()
        else:
            self._failed(f"no answer from the BBMD {_text(self._bbmd)}")

    def _failed(self, why: str) -> None:
        self._say(why)
        self._later(min(LONGEST_RETRY_S, self._ttl_s / 3), self._ask)

    def _say(self, why: str | None) -> None:
        if (why is None) != (self.failed is None):
            self.tell(why)
        self.failed = why

    def _later(self, after_s: float, what: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(after_s, what)


def _text(place: Endpoint) -> str:
    return "{}:{}".format(*place)
