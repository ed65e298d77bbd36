"""What stands behind the word TARGET: a Modbus server, a serial line, a BACnet network or device, or an id of SITE."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

MODBUS_PORT = 502
BACNET_PORT = 47808
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Server:
    """A Modbus TCP server."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Line:
    """A serial line."""

    path: str


@dataclass(frozen=True, slots=True)
class Network:
    """The BACnet network that our own address, ``a.b.c.d/bits:port``, lies in."""

    own: str


@dataclass(frozen=True, slots=True)
class Station:
    """One BACnet device: ``a.b.c.d:port``."""

    address: str


@dataclass(frozen=True, slots=True)
class Named:
    """A device or bus of SITE, or ``all``."""

    id: str


Target = Server | Line | Network | Station | Named


def target(text: str) -> Target:
    """What ``text`` means. Raises ValueError with what to write instead."""
    if text.startswith("bacnet://"):
        return Station(_address(text.removeprefix("bacnet://"), BACNET_PORT))
    if text.startswith("bacnet:"):
        return Network(own_address(text.removeprefix("bacnet:")))
    if text.startswith("tcp:"):
        return Server(*_host(text.removeprefix("tcp:").removeprefix("//"), MODBUS_PORT))
    if "/" in text:
        if Path(text).is_dir():
            raise ValueError(f"{text} is a directory: name a device or bus of it, or all (veilleuse probe {text} all)")
        return Line(text)
    if _ID.fullmatch(text):
        return Named(text)
    return Server(*_host(text, MODBUS_PORT))


def own_address(text: str) -> str:
    """``a.b.c.d/bits:port``, port 47808 when left out. Raises ValueError."""
    interface, _, port = text.partition(":")
    if "/" not in interface:
        raise ValueError(
            f"{text!r}: write this machine's own address with its mask, e.g. bacnet:192.168.1.10/24; "
            f"one device is bacnet://{interface or 'ADDRESS'}"
        )
    try:
        ipaddress.IPv4Interface(interface)
    except ValueError as error:
        raise ValueError(f"{interface!r} is no address with its mask like 192.168.1.10/24") from error
    return f"{interface}:{_port(port, BACNET_PORT)}"


def _address(text: str, default: int) -> str:
    host, port = _host(text.rstrip("/"), default)
    try:
        ipaddress.IPv4Address(host)
    except ValueError as error:
        raise ValueError(f"{host!r} is no IPv4 address") from error
    return f"{host}:{port}"


def _host(text: str, default: int) -> tuple[str, int]:
    bracketed = re.fullmatch(r"\[([0-9a-fA-F:.]+)\](?::(\d+))?", text)
    if bracketed is not None:
        return bracketed[1], _port(bracketed[2] or "", default)
    host, _, port = text.partition(":")
    if not host or re.search(r"[\s/]", text):
        raise ValueError(f"{text!r} is neither HOST[:PORT], a serial line, bacnet:... nor an id of a site")
    return host, _port(port, default)


def _port(text: str, default: int) -> int:
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 65536:
        raise ValueError(f"{text!r} is no port between 1 and 65535")
    return int(text)


def numbers(text: str, low: int, high: int) -> list[int]:
    """``1-16`` or ``1,3,10-12`` as numbers from ``low`` to ``high``, each once, in order. Raises ValueError."""
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,7})(?:-(\d{1,7}))?\s*", part)
        if match is None:
            raise ValueError(f"{text!r} is not like 1-16 or 1,3,10-12")
        first, last = int(match[1]), int(match[2] or match[1])
        if not low <= first <= last <= high:
            raise ValueError(f"{part.strip()!r} is not within {low} to {high}, the lower number first")
        found.update(range(first, last + 1))
    return sorted(found)
