"""What a site file may say of a BACnet/IP bus and of a device on it."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from drivers.bacnet.addresses import DEFAULT_PORT, Endpoint, Station, endpoint, station


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


def lifetime_s(value: object) -> object:
    """Whole seconds: ``60``, ``60s``, ``5m`` or ``1h``; what is neither is left to the model. Raises ValueError."""
    if not isinstance(value, str):
        return value
    found = _LIFETIME.fullmatch(value.strip())
    if found is None:
        raise ValueError(f"{value!r} is no lifetime; write 60s, 5m or 1h")
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600, "": 1}[found[2]]


def zone_name(text: str) -> str:
    """The name of a time zone. Raises ValueError."""
    if text not in available_timezones():
        raise ValueError(f"{text!r} is no time zone; write for example Europe/Paris")
    return text


_LIFETIME = re.compile(r"(\d{1,6})([smh]?)", re.ASCII)
_AUTO = "auto"
PeerAddress = Annotated[str, AfterValidator(peer_address)]
Lifetime = Annotated[
    int, BeforeValidator(lifetime_s), WithJsonSchema({"type": ["string", "integer"], "examples": ["60s", "5m"]})
]


class ForeignDevice(BaseModel):
    """Where we register to take part in the broadcasts of another network."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bbmd: PeerAddress = Field(description="address:port of the BBMD")
    ttl: Lifetime = Field(60, ge=10, le=65_535, description="lifetime of the registration, renewed at two thirds of it")

    @property
    def endpoint(self) -> Endpoint:
        """The BBMD."""
        return endpoint(self.bbmd)


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
    cov_lifetime_s: int = Field(300, ge=30, le=86_400, description="how long a device reports changes unless renewed")
    cov_confirmed: bool = Field(False, description="have every report acknowledged")
    foreign: ForeignDevice | None = Field(None, description="a BBMD to register with as a foreign device")
    broadcast: bool = Field(False, description="hear broadcasts even where no device has to be looked for")
    time_sync: bool = Field(False, description="set the devices' clocks at every start and once a day")
    timezone: Annotated[str, AfterValidator(zone_name)] | None = Field(
        None, description="the devices' time zone where it is not the site's"
    )

    @property
    def zone(self) -> ZoneInfo | None:
        """The devices' time zone, None where nobody said."""
        return None if self.timezone is None else ZoneInfo(self.timezone)

    @property
    def endpoint(self) -> Endpoint:
        """Where we are bound."""
        return endpoint(self.address.partition("/")[0] + ":" + self.address.rpartition(":")[2])

    @property
    def broadcast_endpoint(self) -> Endpoint:
        """Where everybody of our own network hears us."""
        interface, _, port = self.address.rpartition(":")
        return str(ipaddress.IPv4Interface(interface).network.broadcast_address), int(port)


class BacnetDevice(BaseModel):
    """Where on the network a device answers and which instance it must be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[str, AfterValidator(station_address)] | None = Field(
        None, description="address:port of the device, behind a router network:mac; auto: looked for by its instance"
    )
    via: PeerAddress | None = Field(None, description="address:port of the router, where it is known")
    instance: int = Field(ge=0, le=4_194_302, description="device instance, compared before anything is written")
    timeout_s: float | None = Field(None, gt=0, le=10, description="longest wait for one answer, else as the bus")
    retries: int | None = Field(None, ge=0, le=3, description="else as the bus")
    cov_confirmed: bool | None = Field(None, description="have every report acknowledged, else as the bus")
    unit_override: bool = Field(False, description="the units of the profile are right, whatever the device says")

    @model_validator(mode="before")
    @classmethod
    def _auto(cls, written: object) -> object:
        """``auto`` says aloud what a missing address says."""
        if isinstance(written, dict) and written.get("address") == _AUTO:
            return {key: value for key, value in written.items() if key != "address"}
        return written

    @model_validator(mode="after")
    def _routed(self) -> Self:
        if self.via is not None and (self.station is None or not self.station.routed):
            raise ValueError("via is the router to an address of the form network:mac")
        return self

    @property
    def station(self) -> Station | None:
        """Where it answers, None where it has to be looked for."""
        return None if self.address is None else station(self.address)

    @property
    def router(self) -> Endpoint | None:
        """The router that the site names."""
        return None if self.via is None else endpoint(self.via)

    @property
    def looked_for(self) -> bool:
        """Whether broadcasts are needed to reach it: its address or its router is not known."""
        return self.station is None or (self.station.routed and self.via is None)
