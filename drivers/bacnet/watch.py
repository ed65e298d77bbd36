"""What goes with every turn of a device: find it, know that it is the one that is meant, look at its clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from drivers.api import DriverError, Fault, Host, NoAnswer, Notice, Quality, Reading
from drivers.bacnet import clock, discovery
from drivers.bacnet.addresses import Station
from drivers.bacnet.client import Client, Peer
from drivers.bacnet.clock import Clocks
from drivers.bacnet.codec import DEVICE, ObjectId, Property, Ref, Undecodable, object_identifier
from drivers.bacnet.identity import Identities, WrongDevice
from drivers.bacnet.network import IAm
from drivers.bacnet.settings import BacnetBus, BacnetDevice


@dataclass(slots=True)
class Watched:
    """One device: its peer, its instance, and whether its address is ours to find."""

    peer: Peer
    instance: int
    looked_for: bool
    lost: bool = True

    @classmethod
    def of(cls, peer: Peer, settings: BacnetDevice) -> Watched:
        """A device as the site has it."""
        return cls(peer, settings.instance, settings.station is None)


class Watch:
    """The devices of one bus. What it finds wrong it tells the host."""

    def __init__(
        self, bus_id: str, settings: BacnetBus, client: Client, devices: Mapping[str, Watched], host: Host
    ) -> None:
        self._bus_id = bus_id
        self._client = client
        self._devices = devices
        self._host = host
        self._find_s = settings.timeout_s * (settings.retries + 1)
        self._identities = Identities({name: one.instance for name, one in devices.items()}, self._is_twice)
        self._clocks = Clocks(client, host.now, settings.zone, self._clock_is_wrong, time_sync=settings.time_sync)
        self._questions: dict[str, asyncio.Task[None]] = {}
        for name, one in devices.items():
            self._identities.place(name, one.peer.station)
        client.link.on_i_am.append(self._heard)
        if client.registration is not None:
            client.registration.tell = self._registration_failed

    async def close(self) -> None:
        """Ask nothing more."""
        questions = list(self._questions.values())
        self._questions.clear()
        for question in questions:
            question.cancel()
        await asyncio.gather(*questions, return_exceptions=True)

    @asynccontextmanager
    async def over(self, device: str) -> AsyncIterator[None]:
        """One turn of ``device``. Raises NoAnswer where it has no address and is not found."""
        one = self._devices[device]
        if one.looked_for and one.lost:
            await self._find(device, one)
        self._ask_a_suspect(device, one)
        try:
            yield
        except WrongDevice as wrong:
            one.lost = True
            self._identities.mismatched(device, wrong.found)
            raise
        except NoAnswer:
            one.lost = True
            raise

    def doubted(self, device: str) -> bool:
        """Whether ``device`` must show again who it is."""
        return self._identities.doubted(device)

    async def forbids(self, device: str) -> str | None:
        """Why nothing is written to ``device`` now; a suspicion that is being looked into is waited for."""
        running = self._questions.get(device)
        if running is not None:
            await asyncio.wait((running,))
        return self._identities.conflict(device)

    async def answered(self, device: str, seen: Sequence[Reading | Fault]) -> Sequence[Reading | Fault]:
        """The right device has answered a poll. While another claims its instance, what it says is uncertain."""
        one = self._devices[device]
        self._identities.matched(device)
        await self._clocks.attend(device, one.peer, one.instance)
        if self._identities.conflict(device) is None:
            return seen
        return [one._replace(quality=Quality.UNCERTAIN) if isinstance(one, Reading) else one for one in seen]

    async def _find(self, device: str, one: Watched) -> None:
        """Bind to whoever says that he is it; the device verifies it before anything else is asked."""
        place = await discovery.locate(self._client, one.instance, self._find_s)
        if place is not None:
            if place != one.peer.station:
                one.peer.move(place)
                self._identities.place(device, place)
            one.lost = False
        elif one.peer.station is None:
            raise NoAnswer(f"device {one.instance} is not found")

    def _ask_a_suspect(self, device: str, one: Watched) -> None:
        """Beside the device's own turn: a forged hint, which nobody answers for, must not hold up a reading."""
        running = self._questions.get(device)
        if running is not None:
            if not running.done():
                return
            self._questions.pop(device).result()
        loop = asyncio.get_running_loop()
        station = self._identities.to_ask(device, loop.time())
        if station is not None:
            question = self._question(device, one, station)
            self._questions[device] = loop.create_task(question, name=f"bacnet:suspect of {device}")

    async def _question(self, device: str, one: Watched, station: Station) -> None:
        same = await self._is_at(station, one.instance)
        self._identities.answered(device, station, same=same, at_s=asyncio.get_running_loop().time())

    async def _is_at(self, station: Station, instance: int) -> bool:
        wanted = ObjectId(DEVICE, instance)
        peer = Peer(str(station), retries=0)
        try:
            answer = await self._client.read(peer, Ref(wanted, Property.OBJECT_IDENTIFIER))
            return object_identifier(answer) == wanted
        except (DriverError, Undecodable):
            return False

    def _heard(self, source: Station, word: IAm) -> None:
        self._identities.heard(source, word, asyncio.get_running_loop().time())

    def _is_twice(self, device: str, event: str, holds: bool, detail: str) -> None:
        self._host.hear([Notice(f"device/{device}", event, holds, self._host.now(), detail=detail)])

    def _clock_is_wrong(self, device: str, holds: bool, off_s: float | None, detail: str) -> None:
        at = self._host.now()
        notice = partial(Notice, f"device/{device}", "clockError", holds, at, "minor")
        self._host.hear([notice(value=off_s, threshold=clock.THRESHOLD_S, detail=detail)])

    def _registration_failed(self, why: str | None) -> None:
        at = self._host.now()
        self._host.hear([Notice(f"bus/{self._bus_id}", "foreignRegistration", why is not None, at, detail=why or "")])
