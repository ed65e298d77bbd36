"""What a site file may say of a Modbus bus and of a device on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

DEFAULT_PORT, DEFAULT_TLS_PORT = 502, 802


def endpoint(text: str) -> str:
    """``host`` or ``host:port``, as it is. Raises ValueError on a port out of range."""
    host, _, port = text.rpartition(":") if ":" in text else (text, "", "1")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} is not host or host:port")
    return text


Endpoint = Annotated[str, AfterValidator(endpoint)]


class ModbusTls(BaseModel):
    """The files of a TLS connection, PEM; a relative path starts at the site's directory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ca: Path = Field(description="certificates of who signs the devices' certificates")
    cert: Path | None = Field(None, description="our certificate, for a device that asks who we are")
    key: Path | None = Field(None, description="its key, without a password")
    server_name: str | None = Field(
        None, min_length=1, description="name in the device's certificate where it is not the host"
    )

    @model_validator(mode="after")
    def _pair(self) -> ModbusTls:
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key go together")
        return self


class ModbusBus(BaseModel):
    """A serial line (``serial``) or Modbus TCP (``tcp`` here, or an address of its own at each device)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    driver: Literal["modbus"]
    tcp: Endpoint | None = Field(
        None,
        description="host:port of a gateway shared by the bus' devices; port 502, with tls 802, when left out",
    )
    serial: str | None = Field(
        None, description="serial line, e.g. /dev/ttyUSB0; a relative path starts at the site's directory"
    )
    framing: Literal["mbap", "rtu"] = Field(
        "mbap", description="what TCP connections carry: Modbus TCP, or the RTU frames of a serial line behind them"
    )
    tls: ModbusTls | None = Field(None, description="Modbus TCP inside TLS, for all devices of the bus")
    baudrate: int = Field(9600, ge=300, le=4_000_000)
    parity: Literal["N", "E", "O"] = "E"
    stopbits: Literal[1, 2] = 1
    timeout_s: float = Field(0.5, gt=0, le=10, description="longest wait for one answer")
    retries: int = Field(
        1,
        ge=0,
        le=3,
        description="repeats of an unanswered read on a TCP connection; a shared line never repeats",
    )

    @model_validator(mode="after")
    def _one_wire(self) -> ModbusBus:
        if self.tcp is not None and self.serial is not None:
            raise ValueError("a bus is either tcp or serial, not both")
        if self.serial is not None and self.model_fields_set & {"framing", "tls"}:
            raise ValueError("framing and tls are for tcp, not for a serial line")
        if self.tls is not None and self.framing == "rtu":
            raise ValueError("tls carries Modbus TCP only, not framing rtu")
        return self

    @property
    def without_ids(self) -> bool:
        """Whether its frames are RTU, which unit 0 never answers."""
        return self.serial is not None or self.framing == "rtu"

    def endpoint(self, address: str | None) -> str | None:
        """``address`` of a device, else the bus' own, as host:port; None where there is neither."""
        text = address or self.tcp
        if text is None or ":" in text:
            return text
        return f"{text}:{DEFAULT_PORT if self.tls is None else DEFAULT_TLS_PORT}"


class ModbusDevice(BaseModel):
    """Where on its bus a device answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: int = Field(1, ge=0, le=247, description="unit id")
    address: Endpoint | None = Field(None, description="host:port of a device with a connection of its own")
