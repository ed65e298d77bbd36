"""Where a BACnet device stands: a station of our own IP network, or one behind a router. Pure.

Source: ASHRAE 135 clause 6.2.2 (network numbers, MAC addresses of each kind of network) and annex J.1.2 (B/IP: four
octets of address, two of port).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

DEFAULT_PORT = 47808
LOCAL = 0
"""The network of a station that needs no router."""
LAST_NETWORK = 65534
LONGEST_MAC = 18
"""Octets: B/IPv6 has the longest."""
MSTP_MAX_APDU = 480
"""The longest APDU that every network of one-octet addresses (MS/TP, ARCNET) carries through a router."""

Endpoint = tuple[str, int]
"""Host and port of a UDP socket."""

_ROUTED = re.compile(r"(\d{1,5}):(.+)", re.ASCII)
_HEX = re.compile(r"0x((?:[0-9a-f]{2})+)", re.ASCII | re.IGNORECASE)


def endpoint(text: str) -> Endpoint:
    """``a.b.c.d[:port]``, port 47808 when left out. Raises ValueError."""
    host, _, port = text.partition(":") if ":" in text else (text, "", str(DEFAULT_PORT))
    ipaddress.IPv4Address(host)
    if not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r}: the port must be between 1 and 65535")
    return host, int(port)


def packed(place: Endpoint) -> bytes:
    """An endpoint as the six octets of a B/IP address."""
    return bytes(map(int, place[0].split("."))) + place[1].to_bytes(2)


def unpacked(mac: bytes) -> Endpoint:
    """The endpoint of a B/IP address of six octets."""
    return ".".join(map(str, mac[:4])), int.from_bytes(mac[4:6])


@dataclass(frozen=True, slots=True, order=True)
class Station:
    """One device's place: a network number, LOCAL or 1 to 65534, and the MAC there (six octets when LOCAL)."""

    network: int
    mac: bytes

    @classmethod
    def at(cls, place: Endpoint) -> Station:
        """The station of our own network at ``place``."""
        return cls(LOCAL, packed(place))

    @property
    def routed(self) -> bool:
        """Whether it stands behind a router."""
        return self.network != LOCAL

    @property
    def endpoint(self) -> Endpoint:
        """Where its datagrams go; only of a station that is not routed."""
        return unpacked(self.mac)

    @property
    def max_apdu(self) -> int | None:
        """The longest APDU its network surely carries, None where the device's own limit is the only one."""
        return MSTP_MAX_APDU if self.routed and len(self.mac) == 1 else None

    def __str__(self) -> str:
        if not self.routed:
            return "{}:{}".format(*self.endpoint)
        if len(self.mac) == 6:
            return "{}:{}:{}".format(self.network, *unpacked(self.mac))
        return f"{self.network}:{self.mac[0]}" if len(self.mac) == 1 else f"{self.network}:0x{self.mac.hex()}"


def station(text: str) -> Station:
    """``a.b.c.d[:port]``, ``net:mac`` (decimal, one octet), ``net:0xhex``, ``net:a.b.c.d:port``. Raises ValueError."""
    routed = _ROUTED.fullmatch(text)
    if routed is None:
        return Station.at(endpoint(text))
    network = int(routed[1])
    if not 1 <= network <= LAST_NETWORK:
        raise ValueError(f"{text!r}: a network number is between 1 and {LAST_NETWORK}")
    return Station(network, _mac(text, routed[2]))


def _mac(text: str, mac: str) -> bytes:
    if "." in mac:
        return packed(endpoint(mac))
    if mac.isascii() and mac.isdigit():
        if int(mac) > 254:
            raise ValueError(f"{text!r}: a decimal MAC is between 0 and 254; write a longer one as 0x...")
        return bytes([int(mac)])
    found = _HEX.fullmatch(mac)
    if found is None or len(found[1]) > 2 * LONGEST_MAC:
        raise ValueError(f"{text!r}: a MAC is a number, 0x and pairs of hex digits, or address:port")
    return bytes.fromhex(found[1])
