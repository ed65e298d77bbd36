"""What a site file may say of a Modbus bus and of a device on it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

DEFAULT_PORT = 502


def endpoint(text: str) -> str:
    """``host`` or ``host:port`` as ``host:port``. Raises ValueError on a port out of range."""
    host, _, port = text.rpartition(":") if ":" in text else (text, "", str(DEFAULT_PORT))
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} is not host or host:port")
    return f"{host}:{int(port)}"


Endpoint = Annotated[str, AfterValidator(endpoint)]


class ModbusBus(BaseModel):
    """A serial line (``serial``) or Modbus TCP (``tcp`` here, or an address of its own at each device)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    driver: Literal["modbus"]
    tcp: Endpoint | None = Field(
        None, description="host:port of a gateway shared by the bus' devices; port 502 when left out"
    )
    serial: str | None = Field(
        None, description="serial line, e.g. /dev/ttyUSB0; a relative path starts at the site's directory"
    )
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
        return self


class ModbusDevice(BaseModel):
    """Where on its bus a device answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: int = Field(1, ge=0, le=247, description="unit id")
    address: Endpoint | None = Field(None, description="host:port of a device with a connection of its own")
