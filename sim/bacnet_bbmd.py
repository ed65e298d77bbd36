"""A BBMD that takes foreign devices (ASHRAE 135, annex J.5) and forwards their broadcasts to its own network."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from sim import bacnet_apdu as apdu
from sim.bacnet_apdu import Address
from sim.bacnet_router import packed
from sim.udp import UdpSide

REGISTER, DISTRIBUTE = 0x05, 0x09
DONE, REGISTRATION_REFUSED, DISTRIBUTION_REFUSED = 0x0000, 0x0030, 0x0060
GRACE_S = 30
"""Beyond its lifetime a registration is kept so long."""


class Bbmd(UdpSide):
    """Stands at ``address``; ``neighbours`` are those who would hear a broadcast there. ``room``: foreign devices."""

    def __init__(
        self,
        address: Address,
        neighbours: Callable[[], Sequence[Address]],
        *,
        room: int = 16,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.address = address
        self.room = room
        self._neighbours = neighbours
        self._seconds = seconds
        self._until_s: dict[Address, float] = {}

    @property
    def foreign(self) -> list[Address]:
        """Who is registered now."""
        now_s = self._seconds()
        self._until_s = {address: until_s for address, until_s in self._until_s.items() if until_s > now_s}
        return list(self._until_s)

    async def start(self) -> None:
        """Bind; OSError when the port is taken."""
        self.address = await self._bind(self.address)

    async def stop(self) -> None:
        """Close the socket and forget who was registered."""
        self._until_s.clear()
        await self._unbind()

    def lines(self) -> list[str]:
        """What stands here, for people."""
        return [f"bacnet-ip {self.address[0]}:{self.address[1]} BBMD"]

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """A registration, or a broadcast to distribute; everything else is passed over."""
        if len(data) < 6 or data[0] != apdu.BVLC_TYPE or int.from_bytes(data[2:4], "big") != len(data):
            return
        if data[1] == REGISTER and len(data) == 6:
            self._result(self._register(addr, int.from_bytes(data[4:6], "big")), addr)
        elif data[1] == DISTRIBUTE:
            self._distribute(data[4:], addr)

    def _register(self, who: Address, ttl_s: int) -> int:
        if ttl_s == 0:
            self._until_s.pop(who, None)
        elif who not in self.foreign and len(self._until_s) >= self.room:
            return REGISTRATION_REFUSED
        else:
            self._until_s[who] = self._seconds() + ttl_s + GRACE_S
        return DONE

    def _distribute(self, npdu: bytes, sender: Address) -> None:
        if sender not in self.foreign:
            self._result(DISTRIBUTION_REFUSED, sender)
            return
        forwarded = apdu.bvlc(apdu.FORWARDED, packed(sender) + npdu)
        for neighbour in (*self._neighbours(), *self._until_s):
            if neighbour != sender:
                self._transmit(forwarded, neighbour)

    def _result(self, code: int, to: Address) -> None:
        self._transmit(apdu.bvlc_result(code), to)
