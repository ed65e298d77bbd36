"""The way to networks behind routers: named in the site file, or asked for with Who-Is-Router-To-Network."""

from __future__ import annotations

import asyncio

from drivers.api import NoAnswer
from drivers.bacnet import network
from drivers.bacnet.addresses import Endpoint, Station
from drivers.bacnet.link import Link


class Routes:
    """Fills ``link.ways``. A way named by the site never changes; a found one lasts until it is doubted."""

    def __init__(self, link: Link, deadline_s: float) -> None:
        self._link = link
        self._deadline_s = deadline_s
        self._named: set[int] = set()
        self._asked: dict[int, asyncio.Event] = {}
        link.on_router.append(self._is_router)
        link.on_reject.append(self._is_rejected)

    def name(self, number: int, router: Endpoint) -> None:
        """The site says that ``router`` leads to network ``number``."""
        self._named.add(number)
        self._link.ways[number] = router

    async def find(self, station: Station) -> None:
        """Know the way to ``station``. Raises NoAnswer when no router answers within the deadline."""
        number = station.network
        if not station.routed or number in self._link.ways:
            return
        known = self._asked.get(number)
        if known is None:
            known = self._asked[number] = asyncio.Event()
            self._link.tell(network.who_is_router(number))
        try:
            async with asyncio.timeout(self._deadline_s):
                await known.wait()
        except TimeoutError:
            self._asked.pop(number, None)
            raise NoAnswer(f"no router to network {number}") from None

    def doubt(self, station: Station) -> None:
        """``station`` was silent: ask for its router again before the next request."""
        if station.network not in self._named:
            self._link.ways.pop(station.network, None)

    def _is_router(self, router: Endpoint, numbers: list[int]) -> None:
        """Only what we asked for counts: whoever says by himself that he is a router changes nothing."""
        for number in numbers:
            asked = self._asked.pop(number, None)
            if asked is not None:
                self._link.ways[number] = router
                asked.set()

    def _is_rejected(self, router: Endpoint, number: int) -> None:
        if self._link.ways.get(number) == router and number not in self._named:
            del self._link.ways[number]
