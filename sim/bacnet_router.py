"""A router with simulated devices behind it (ASHRAE 135, clause 6): one UDP socket, networks with devices by MAC."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import cast

from sim import bacnet_apdu as apdu
from sim.bacnet_apdu import Address
from sim.bacnet_codec import Reader
from sim.bacnet_face import BacnetDevice
from sim.bacnet_values import DecodeError
from sim.udp import UdpSide

WHO_IS_ROUTER, I_AM_ROUTER, REJECT = 0x00, 0x01, 0x03
NOT_DIRECTLY_CONNECTED = 1
NEAR_NETWORK = 65_534
"""The number of the IP network, as the devices behind see it."""


class Router(UdpSide):
    """Stands at ``address``; devices are put behind it with ``connect`` before ``start``."""

    def __init__(self, address: Address) -> None:
        super().__init__()
        self.address = address
        self.networks: dict[int, dict[bytes, BacnetDevice]] = {}

    def connect(self, network: int, mac: bytes, device: BacnetDevice) -> None:
        """ValueError where another device has that MAC."""
        if mac in self.networks.setdefault(network, {}):
            raise ValueError(f"{device.identity.name}: MAC 0x{mac.hex()} of network {network} is taken")
        self.networks[network][mac] = device

    async def start(self) -> None:
        """Bind; OSError when the port is taken."""
        self.address = await self._bind(self.address)
        for network, devices in self.networks.items():
            for mac, device in devices.items():
                port = _Port(device, partial(self._outwards, network, mac))
                device.attach(cast("asyncio.DatagramTransport", port))

    async def stop(self) -> None:
        """Close the socket; the devices behind are cut off."""
        for devices in self.networks.values():
            for device in devices.values():
                await device.stop()
        await self._unbind()

    def lines(self) -> list[str]:
        """What stands here, for people."""
        networks = ", ".join(str(network) for network in self.networks)
        return [f"bacnet-ip {self.address[0]}:{self.address[1]} router to network {networks}"]

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """One datagram from the IP side; what is malformed is passed over."""
        try:
            self._inwards(data, addr)
        except DecodeError:
            return

    def _inwards(self, octets: bytes, sender: Address) -> None:
        reader = Reader(octets)
        if reader.number(1) != apdu.BVLC_TYPE:
            raise DecodeError("not BACnet/IP")
        function = reader.number(1)
        if reader.number(2) != len(octets) or function not in (apdu.FORWARDED, apdu.UNICAST, apdu.BROADCAST):
            raise DecodeError("nothing to route")
        if function == apdu.FORWARDED:
            sender = unpacked(reader.take(6))
        if reader.number(1) != apdu.NPDU_VERSION:
            raise DecodeError("NPDU version")
        control = reader.number(1)
        network, mac = (reader.number(2), reader.take(reader.number(1))) if control & apdu.DESTINATION else (0, b"")
        if control & apdu.SOURCE:
            raise DecodeError("routed twice")
        if control & apdu.DESTINATION:
            reader.take(1)
        if control & apdu.NETWORK_MESSAGE:
            self._answer(reader, sender)
        elif control & apdu.DESTINATION:
            self._deliver(network, mac, control & apdu.EXPECTS_REPLY, reader.rest(), sender)

    def _answer(self, reader: Reader, sender: Address) -> None:
        if reader.number(1) != WHO_IS_ROUTER:
            return
        asked = None if reader.done else reader.number(2)
        ours = [network for network in self.networks if asked in (None, network)]
        if ours:
            self._say(I_AM_ROUTER, b"".join(network.to_bytes(2, "big") for network in ours), sender)

    def _deliver(self, network: int, mac: bytes, expects_reply: int, message: bytes, sender: Address) -> None:
        everywhere = network == apdu.GLOBAL_BROADCAST
        if not everywhere and network not in self.networks:
            self._say(REJECT, bytes([NOT_DIRECTLY_CONNECTED]) + network.to_bytes(2, "big"), sender)
            return
        source = NEAR_NETWORK.to_bytes(2, "big") + b"\x06" + packed(sender)
        npdu = bytes([apdu.NPDU_VERSION, expects_reply | apdu.SOURCE]) + source + message
        for number in self.networks if everywhere else (network,):
            for place, device in self.networks[number].items():
                if not mac or place == mac:
                    function = apdu.UNICAST if mac else apdu.BROADCAST
                    device.datagram_received(apdu.bvlc(function, npdu), self.address)

    def _outwards(self, network: int, mac: bytes, octets: bytes) -> None:
        """What a device sends to the IP side: the route off, its source on."""
        try:
            reader = Reader(octets[5:])
            control, near, to = reader.number(1), reader.number(2), reader.take(reader.number(1))
            reader.take(1)
        except DecodeError:  # a device that sends garbage: no router passes it on
            return
        if near == NEAR_NETWORK and len(to) == 6:
            source = network.to_bytes(2, "big") + bytes([len(mac)]) + mac
            npdu = bytes([apdu.NPDU_VERSION, control & apdu.EXPECTS_REPLY | apdu.SOURCE]) + source + reader.rest()
            self._transmit(apdu.bvlc(apdu.UNICAST, npdu), unpacked(to))

    def _say(self, message: int, content: bytes, to: Address) -> None:
        npdu = bytes([apdu.NPDU_VERSION, apdu.NETWORK_MESSAGE, message]) + content
        self._transmit(apdu.bvlc(apdu.UNICAST, npdu), to)


class _Port:
    """A device's side of the router, in place of a socket."""

    def __init__(self, device: BacnetDevice, outwards: Callable[[bytes], None]) -> None:
        self._device, self._outwards = device, outwards

    def sendto(self, octets: bytes, _: Address) -> None:
        """Outwards."""
        self._outwards(octets)

    def close(self) -> None:
        """As a transport's."""
        self._device.connection_lost(None)


def packed(address: Address) -> bytes:
    """A B/IP address."""
    return bytes(int(part) for part in address[0].split(".")) + address[1].to_bytes(2, "big")


def unpacked(octets: bytes) -> Address:
    """The endpoint of a B/IP address."""
    return ".".join(str(octet) for octet in octets[:4]), int.from_bytes(octets[4:6], "big")
