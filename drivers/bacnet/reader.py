"""A BACnet client that can only ask: who looks around holds this one, which has no way to write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from drivers.api import BadAnswer, NoAnswer, Refused
from drivers.bacnet import codec
from drivers.bacnet.addresses import Endpoint
from drivers.bacnet.browse import (
    About,
    SeenObject,
    about,
    device_refs,
    identifiers,
    object_list,
    object_refs,
    seen_object,
)
from drivers.bacnet.client import Batch, Client, Peer
from drivers.bacnet.codec import Atoms, ObjectId, Ref, Undecodable
from drivers.bacnet.discovery import Found, sweep
from drivers.bacnet.messages import AnswerTooLong, ServiceUnsupported
from drivers.bacnet.settings import BacnetBus

MOST_OBJECTS = 5000
"""A list that says it is longer is read this far."""
_ELEMENTS = 20
_REFS = 24


class Reader:
    """Our own side, read only; bound by ``open``. ``hears_broadcasts``: many devices answer a Who-Is to everybody."""

    def __init__(self, settings: BacnetBus, *, hears_broadcasts: bool = False) -> None:
        self._client = Client(settings, hears_broadcasts=hears_broadcasts)
        self._single: set[str] = set()

    async def open(self) -> None:
        """Bind. Raises BindFailed."""
        await self._client.open()

    async def close(self) -> None:
        """Close the socket."""
        await self._client.close()

    def route(self, network: int, router: Endpoint) -> None:
        """``router`` leads to ``network``: nobody has to be asked for the way."""
        self._client.routes.name(network, router)

    def sweep(self, low: int, high: int, wait_s: float) -> AsyncIterator[Found]:
        """Who-Is from ``low`` to ``high``, narrower where many answer: devices as they are found."""
        return sweep(self._client, (low, high), wait_s=wait_s)

    async def instance(self, peer: Peer) -> int:
        """The instance that answers at ``peer``. Raises NoAnswer, Refused."""
        return (await self._client.who(peer)).instance

    async def about(self, peer: Peer, instance: int) -> About:
        """What the device says of itself. Raises NoAnswer, BadAnswer, Busy."""
        return about(instance, await self.gather(peer, device_refs(instance)))

    async def objects(self, peer: Peer, instance: int) -> list[ObjectId]:
        """The device's objects: its list as a whole, or element by element where that is too long for it.

        Raises NoAnswer, BadAnswer, Busy, Refused.
        """
        ref = object_list(instance)
        try:
            return _listed(await self._client.read(peer, ref))
        except (Refused, BadAnswer, NoAnswer) as error:
            # Old devices drop in silence what is too long for them.
            if isinstance(error, Refused) and not isinstance(error, AnswerTooLong):
                raise
        (length,) = (await self._client.read_elements(peer, ref, [0])).values()
        if isinstance(length, Refused):
            raise length
        try:
            last = min(MOST_OBJECTS, int(codec.number(length)))
        except Undecodable as error:
            raise BadAnswer(f"length of the object list: {error}") from error
        found: list[ObjectId] = []
        for first in range(1, last + 1, _ELEMENTS):
            found += await self._elements(peer, ref, range(first, min(last, first + _ELEMENTS - 1) + 1))
        return found

    async def object(self, peer: Peer, object_: ObjectId) -> SeenObject:
        """One object with its value, unit and priorities. Raises NoAnswer, BadAnswer, Busy."""
        return seen_object(object_, await self.gather(peer, object_refs(object_)))

    async def gather(self, peer: Peer, refs: Sequence[Ref]) -> dict[Ref, Atoms | Refused]:
        """``refs`` together, in halves where the device cannot, or one by one; a refusal is a value.

        Raises NoAnswer, BadAnswer, Busy.
        """
        found: dict[Ref, Atoms | Refused] = {}
        for first in range(0, len(refs), _REFS):
            found |= await self._several(peer, refs[first : first + _REFS])
        return found

    async def _several(self, peer: Peer, refs: Sequence[Ref]) -> dict[Ref, Atoms | Refused]:
        if len(refs) > 1 and str(peer.address) not in self._single:
            try:
                return await self._client.read_many(peer, Batch(refs))
            except ServiceUnsupported:
                self._single.add(str(peer.address))
            except (Refused, BadAnswer):
                half = len(refs) // 2
                return await self._several(peer, refs[:half]) | await self._several(peer, refs[half:])
        found: dict[Ref, Atoms | Refused] = {}
        for ref in refs:
            try:
                found[ref] = await self._client.read(peer, ref)
            except Refused as refused:
                found[ref] = refused
        return found

    async def _elements(self, peer: Peer, ref: Ref, elements: Sequence[int]) -> list[ObjectId]:
        if str(peer.address) not in self._single:
            try:
                answered = await self._client.read_elements(peer, ref, elements)
                return _listed([atom for atoms in answered.values() if isinstance(atoms, tuple) for atom in atoms])
            except Refused:
                self._single.add(str(peer.address))
        found: list[ObjectId] = []
        for element in elements:
            (atoms,) = (await self._client.read_elements(peer, ref, [element])).values()
            if isinstance(atoms, tuple):
                found += _listed(atoms)
        return found


def _listed(atoms: Sequence[codec.Atom]) -> list[ObjectId]:
    try:
        return identifiers(atoms)
    except Undecodable as error:
        raise BadAnswer(f"object list: {error}") from error
