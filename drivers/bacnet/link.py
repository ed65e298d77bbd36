"""Our place on the wire: UDP sockets bound to us alone, the virtual link layer and the network layer.

It stands below the library's state machines in place of the library's own layers, which retry a failed bind for ever,
share ports, log every malformed datagram and let anybody redirect a route. What comes in is taken apart by
drivers.bacnet.network before anything else sees it (docs/decisions/0016-bacnet-network.md).
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

from bacpypes3.comm import Server  # type: ignore[import-untyped]
from bacpypes3.pdu import PDU, Address, LocalBroadcast  # type: ignore[import-untyped]

from drivers.api import BindFailed
from drivers.bacnet import network
from drivers.bacnet.addresses import Endpoint, Station, unpacked
from drivers.bacnet.buffer import enlarge
from drivers.bacnet.network import Bvlc, IAm, Malformed, Message, Packet, Result

# The library carries no types: these say at least what is meant.
Pdu = Any
HeardIAm = Callable[[Station, IAm], None]
HeardRouter = Callable[[Endpoint, list[int]], None]
HeardReject = Callable[[Endpoint, int], None]
HeardResult = Callable[[Endpoint, int], None]

_log = logging.getLogger("bacpypes3.link")
"""Under the library's name, where drivers.bacnet.noise lets one line a minute through."""
_LONGEST = 2048
"""Octets: more than any BACnet/IP datagram has."""
_AT_ONCE = 32
_KNOWN_ADDRESSES = 4096
_KNOWN_WAYS = 256
_UNCONFIRMED = 1
_LOCAL_STATION, _REMOTE_STATION, _REMOTE_BROADCAST = 2, 4, 3


class Link(Server):  # type: ignore[misc]
    """The sockets of one bus. Its server side takes and gives the library's PDUs.

    ``hears_broadcasts``: a second socket listens at the broadcast address, exclusively as well.
    """

    def __init__(self, local: Endpoint, broadcast: Endpoint, *, hears_broadcasts: bool = False) -> None:
        super().__init__()
        self.local = local
        self.bbmd: Endpoint | None = None
        self.on_i_am: list[HeardIAm] = []
        self.on_router: list[HeardRouter] = []
        self.on_reject: list[HeardReject] = []
        self.on_result: list[HeardResult] = []
        self.ways: dict[int, Endpoint] = {}
        """By network: the router through which we send there."""
        self._heard_from: dict[int, Endpoint] = {}
        self._broadcast = broadcast
        self._hears_broadcasts = hears_broadcasts and broadcast != local
        self._socket: socket.socket | None = None
        self._listening: socket.socket | None = None
        self._addresses: dict[Station, Address] = {}
        self._handing_on: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Bind and listen. Raises BindFailed at once, never tries again by itself."""
        self._socket = _bound(self.local)
        try:
            self._listening = _bound(self._broadcast) if self._hears_broadcasts else None
        except BindFailed:
            self._socket.close()
            self._socket = None
            raise
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket, self._readable, self._socket, False)
        if self._listening is not None:
            loop.add_reader(self._listening, self._readable, self._listening, True)

    def close(self) -> None:
        """Close the sockets. Never raises."""
        for bound in (self._socket, self._listening):
            if bound is not None:
                asyncio.get_running_loop().remove_reader(bound)
                bound.close()
        self._socket = self._listening = None

    def send(self, octets: bytes, to: Endpoint) -> None:
        """One datagram as it is; what the system does not take now is lost, as on any wire."""
        if self._socket is not None:
            try:
                self._socket.sendto(octets, to)
            except OSError as error:
                _log.warning("not sent to %s:%s: %s", *to, error.strerror)

    def _readable(self, bound: socket.socket, broadcast: bool) -> None:
        """Some datagrams of those that wait; the loop comes back for the rest after everybody else's turn."""
        for _ in range(_AT_ONCE):
            try:
                octets, sender = bound.recvfrom(_LONGEST)
            except OSError:  # there are no more, or an earlier one could not be delivered
                return
            self.received(octets, sender, broadcast=broadcast)

    def tell(self, npdu: bytes) -> None:
        """``npdu`` to everybody: through the BBMD where we are foreign, else as a directed broadcast."""
        if self.bbmd is not None:
            self.send(network.datagram(Bvlc.DISTRIBUTE, npdu), self.bbmd)
        else:
            self.send(network.datagram(Bvlc.BROADCAST, npdu), self._broadcast)

    def tell_network(self, number: int, apdu: bytes) -> None:
        """``apdu`` to every station of a network behind a router, or (ANY_NETWORK) to all networks."""
        way = self.ways.get(number)
        npdu = network.npdu(apdu, number)
        if way is None:
            self.tell(npdu)
        else:
            self.send(network.datagram(Bvlc.UNICAST, npdu), way)

    def send_to(self, station: Station, apdu: bytes) -> None:
        """``apdu`` to one station; dropped where the way is not known."""
        if not station.routed:
            self.send(network.datagram(Bvlc.UNICAST, network.npdu(apdu)), station.endpoint)
            return
        way = self.ways.get(station.network) or self._heard_from.get(station.network)
        if way is not None:
            self.send(network.datagram(Bvlc.UNICAST, network.npdu(apdu, station.network, station.mac)), way)

    async def indication(self, pdu: Pdu) -> None:
        """An APDU on its way out of the library."""
        to, apdu = pdu.pduDestination, bytes(pdu.pduData)
        if to.addrType == _LOCAL_STATION:
            self.send(network.datagram(Bvlc.UNICAST, network.npdu(apdu)), unpacked(to.addrAddr))
        elif to.addrType == _REMOTE_STATION:
            self.send_to(Station(to.addrNet, to.addrAddr), apdu)
        elif to.addrType == _REMOTE_BROADCAST:
            self.tell_network(to.addrNet, apdu)
        else:
            self.tell(network.npdu(apdu))

    def received(self, octets: bytes, sender: Endpoint, *, broadcast: bool) -> None:
        """One datagram; what is malformed is passed over."""
        if sender == self.local:
            return
        try:
            found = network.parse(octets, sender, broadcast=broadcast)
            if isinstance(found, Result):
                for heard in self.on_result:
                    heard(sender, found.code)
            elif found is not None and self._is_trusted(octets[1], sender, broadcast=broadcast):
                self._take(found)
        except Malformed:  # as cheap as can be: a flood of it must disturb nobody
            return

    def _is_trusted(self, function: int, sender: Endpoint, *, broadcast: bool) -> bool:
        """A forwarded message names its origin itself: only our BBMD, or one that broadcasts here, may."""
        return function != Bvlc.FORWARDED or broadcast or sender == self.bbmd

    def _take(self, packet: Packet) -> None:
        if not packet.ours:
            return
        if packet.source.routed:
            self._remember_way(packet)
        if packet.message is not None:
            self._network_message(packet)
        elif network.is_i_am(packet.content):
            word = network.i_am(packet.content)
            for heard in self.on_i_am:
                heard(packet.source, word)
        elif not packet.broadcast or packet.content[0] >> 4 == _UNCONFIRMED:
            self._hand_on(packet)

    def _remember_way(self, packet: Packet) -> None:
        """For answers to those who asked us; never for what we ask."""
        if len(self._heard_from) >= _KNOWN_WAYS:
            self._heard_from.clear()
        self._heard_from[packet.source.network] = packet.via

    def _network_message(self, packet: Packet) -> None:
        if packet.message == Message.I_AM_ROUTER:
            numbers = network.networks(packet.content)
            for heard in self.on_router:
                heard(packet.via, numbers)
        elif packet.message == Message.REJECT:
            number = network.rejected(packet.content)
            for refused in self.on_reject:
                refused(packet.via, number)

    def _hand_on(self, packet: Packet) -> None:
        """To the library's state machines, in the order of arrival."""
        destination = LocalBroadcast() if packet.broadcast else None
        pdu = PDU(packet.content, source=self.address_of(packet.source), destination=destination)
        task = asyncio.get_running_loop().create_task(self.response(pdu), name="bacnet:received")
        self._handing_on.add(task)
        task.add_done_callback(self._handed_on)

    def _handed_on(self, task: asyncio.Task[None]) -> None:
        """What the library raises over a malformed APDU ends here."""
        self._handing_on.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("undecodable APDU", exc_info=error)

    def address_of(self, station: Station) -> Address:
        """The library's word for a station."""
        address = self._addresses.get(station)
        if address is None:
            if len(self._addresses) >= _KNOWN_ADDRESSES:
                self._addresses.clear()
            address = self._addresses[station] = Address(str(station))
        return address


def _bound(place: Endpoint) -> socket.socket:
    """A socket that nobody else can share, allowed to broadcast."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        bound.bind(place)
    except OSError as error:
        bound.close()
        raise BindFailed(f"{place[0]}:{place[1]}: {(error.strerror or str(error)).lower()}") from error
    bound.setblocking(False)
    enlarge(bound)
    return bound
