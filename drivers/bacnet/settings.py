"""What a site file may say of a BACnet/IP bus and of a device on it."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from drivers.bacnet.addresses import DEFAULT_PORT, Endpoint, endpoint, station


def own_address(text: str) -> str:
    """``a.b.c.d/bits:port``, port 47808 when left out. Raises ValueError."""
    interface, _, port = text.partition(":") if ":" in text else (text, "", str(DEFAULT_PORT))
    ipaddress.IPv4Interface(interface)
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r}: the port must be between 1 and 65535")
    return f"{interface}:{int(port)}"


def peer_address(text: str) -> str:
    """``a.b.c.d:port``, port 47808 when left out. Raises ValueError."""
    return "{}:{}".format(*endpoint(text))


def station_address(text: str) -> str:
    """``a.b.c.d:port`` or, behind a router, ``net:mac``; the same place is always the same text. Raises ValueError."""
    return str(station(text))


PeerAddress = Annotated[str, AfterValidator(peer_address)]


class BacnetBus(BaseModel):
    """Our own side: the address and port this gateway's BACnet device is bound to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    driver: Literal["bacnet"]
    address: Annotated[str, AfterValidator(own_address)] = Field(
        description="own address/bits:port, e.g. 192.168.1.10/24:47808"
    )
    instance: int = Field(4_190_000, ge=0, le=4_194_302, description="own device instance")
    timeout_s: float = Field(1.0, gt=0, le=10, description="longest wait for one answer")
    retries: int = Field(1, ge=0, le=3)

    @property
    def endpoint(self) -> Endpoint:
        """Where we are bound."""
        return endpoint(self.address.partition("/")[0] + ":" + self.address.rpartition(":")[2])

    @property
    def broadcast(self) -> Endpoint:
        """Where everybody of our own network hears us."""
        interface, _, port = self.address.rpartition(":")
        return str(ipaddress.IPv4Interface(interface).network.broadcast_address), int(port)


class BacnetDevice(BaseModel):
    """Where on the network a device answers and which instance it must be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[str, AfterValidator(station_address)] = Field(
        description="address:port of the device, behind a router network:mac"
    )
    via: PeerAddress | None = Field(None, description="address:port of the router, when it is known")
    instance: int = Field(ge=0, le=4_194_302, description="device instance, compared before anything is written")
