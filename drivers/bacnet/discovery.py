"""Who is there: Who-Is to all, to one station or to a network, and in ranges that a large network can bear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from drivers.bacnet import network
from drivers.bacnet.addresses import LAST_NETWORK, Station, station
from drivers.bacnet.client import Client
from drivers.bacnet.network import ANY_NETWORK, MAX_INSTANCE, IAm

SEGMENTATION = ("both", "transmit", "receive", "none")
"""By BACnetSegmentation."""
CROWDED = 50
"""So many answers to one range are a flood: the rest of it is asked in halves."""
FIRST_WIDTH = 1000
PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """A device as its I-Am announces it; ``address`` is what a site file says, ``a.b.c.d:port`` or ``net:mac``."""

    instance: int
    address: str
    vendor: int
    max_apdu: int
    segmentation: str


def found(source: Station, word: IAm) -> Found:
    """An I-Am in the words of a site file."""
    return Found(word.instance, str(source), word.vendor, word.max_apdu, SEGMENTATION[word.segmentation])


async def who_is(client: Client, low: int, high: int, *, target: str | None = None, wait_s: float = 2.0) -> list[Found]:
    """The devices ``low`` to ``high`` that answer within ``wait_s``, each (network, MAC, instance) once, in order.

    ``target`` None asks everybody, ``a.b.c.d[:port]`` or ``net:mac`` one station, ``net`` (1 to 65534) a network.
    Raises NoAnswer where no router leads there, NotConnected on a closed client, ValueError on a wrong target.
    """
    seen: dict[tuple[Station, int], Found] = {}
    place = None if target is None else _place(target)

    def hear(source: Station, word: IAm) -> None:
        if low <= word.instance <= high and _is_from(place, source):
            seen.setdefault((source, word.instance), found(source, word))

    await _ask(client, network.who_is(low, high), place, hear, wait_s)
    return sorted(seen.values(), key=lambda one: (one.instance, one.address))


async def locate(client: Client, instance: int, wait_s: float) -> Station | None:
    """The first station that says within ``wait_s`` that it is device ``instance``."""
    place: asyncio.Future[Station] = asyncio.get_running_loop().create_future()

    def hear(source: Station, word: IAm) -> None:
        if word.instance == instance and not place.done():
            place.set_result(source)

    client.link.on_i_am.append(hear)
    try:
        client.link.tell_network(ANY_NETWORK, network.who_is(instance, instance))
        async with asyncio.timeout(wait_s):
            return await place
    except TimeoutError:
        return None
    finally:
        client.link.on_i_am.remove(hear)


async def sweep(client: Client, *ranges: Range, target: str | None = None, wait_s: float = 2.0) -> AsyncIterator[Found]:
    """Every device of ``ranges`` (none: all instances), each (network, MAC, instance) once, as they are found.

    Asks FIRST_WIDTH instances at a time, wider where few answer and narrower where a flood came, and pauses longer
    after a flood, so that routers and slow segments can follow.
    """
    seen: set[tuple[str, int]] = set()
    pause_s = PAUSE_S
    for first, last in ranges or ((0, MAX_INSTANCE),):
        low, width = first, FIRST_WIDTH
        while low <= last:
            high = min(last, low + width - 1)
            answers = await who_is(client, low, high, target=target, wait_s=wait_s)
            for one in answers:
                if (one.address, one.instance) not in seen:
                    seen.add((one.address, one.instance))
                    yield one
            if len(answers) >= CROWDED and width > 1:
                # Some of a flood is always lost: the same again, in smaller bites.
                width, pause_s = max(1, width // 4), min(LONGEST_PAUSE_S, pause_s * 2)
            else:
                low, pause_s = high + 1, max(PAUSE_S, pause_s / 2)
                width = width * 8 if len(answers) < CROWDED // 4 else width
            await asyncio.sleep(pause_s)


def _place(target: str) -> Station:
    """One station, or a network as a station without MAC."""
    if target.isascii() and target.isdigit():
        if not 1 <= int(target) <= LAST_NETWORK:
            raise ValueError(f"{target!r}: a network number is between 1 and {LAST_NETWORK}")
        return Station(int(target), b"")
    return station(target)


def _is_from(place: Station | None, source: Station) -> bool:
    if place is None:
        return True
    return source == place if place.mac else source.network == place.network


async def _ask(
    client: Client,
    question: bytes,
    place: Station | None,
    hear: Callable[[Station, IAm], None],
    wait_s: float,
) -> None:
    link = client.link
    if place is not None:
        await client.routes.find(place)
    link.on_i_am.append(hear)
    try:
        if place is None:
            link.tell_network(ANY_NETWORK, question)
        elif place.mac:
            link.send_to(place, question)
        else:
            link.tell_network(place.network, question)
        await asyncio.sleep(wait_s)
    finally:
        link.on_i_am.remove(hear)
