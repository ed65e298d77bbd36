"""What a profile file may say, key by key, before its numbered points are expanded."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from drivers.profile import Encoding, Table, WireType

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: object) -> float:
    """``500ms``, ``2s``, ``5m`` or ``1h`` in seconds. Raises ValueError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text) if isinstance(text, str) else None
    if match is None or float(match[1]) == 0:
        raise ValueError("a duration is a number with its unit: ms, s, m or h, e.g. 5s")
    return float(match[1]) * _UNITS_S[match[2]]


def numbers(text: object) -> tuple[int, int]:
    """``1..8`` as (1, 8). Raises ValueError."""
    match = re.fullmatch(r"(\d{1,5})\.\.(\d{1,5})", text) if isinstance(text, str) else None
    if match is None or int(match[1]) > int(match[2]):
        raise ValueError("a range of numbers is written first..last, e.g. 1..8")
    return int(match[1]), int(match[2])


def bit_range(text: object) -> tuple[int, int]:
    """``0..7`` as (0, 7), within one register. Raises ValueError."""
    first, last = numbers(text)
    if last > 15:
        raise ValueError("a register has the bits 0 to 15: a range is written first..last, e.g. 0..7")
    return first, last


Seconds = Annotated[float, BeforeValidator(seconds)]
Numbers = Annotated[tuple[int, int], BeforeValidator(numbers)]
Bits = Annotated[tuple[int, int], BeforeValidator(bit_range)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PointSpec(_Strict):
    """What points of every protocol share."""

    n: Numbers | None = Field(None, description="numbers that take the place of {n}, e.g. 1..8")
    unit: str = Field("", description="unit of the scaled value, e.g. V, W, kWh, degC, %")
    every: Seconds | None = Field(None, description="poll period, e.g. 5s")
    writable: bool = False
    minimum: Number | None = Field(None, description="smallest value that is written")
    maximum: Number | None = Field(None, description="largest value that is written")
    feedback: str | None = Field(None, description="point that shows what the output really does")


class WriteSpec(_Strict):
    """``write:``, for a point that is written elsewhere than it is read: to a holding register."""

    address: int = Field(ge=0, le=65535, description="0-based, as on the wire, of the first number")
    step: int = Field(0, ge=0, le=65535, description="registers from one number to the next")
    target: int | None = Field(None, ge=0, le=255, description="node of the first number: makes it a counted telegram")
    pause: Seconds = Field(0.0, validate_default=False, description="silence after a telegram, e.g. 50ms")
    settle: Seconds = Field(0.0, validate_default=False, description="time that a value takes to show, e.g. 2s")


class ModbusSpec(PointSpec):
    """One line of ``points`` in a Modbus profile."""

    table: Annotated[Table, Field(strict=False)]
    address: int = Field(ge=0, le=65535, description="0-based, as on the wire, of the first number")
    step: int = Field(0, ge=0, le=65535, description="registers from one number to the next")
    type: Annotated[WireType, Field(strict=False)]
    scale: Number = 1.0
    offset: Number = 0.0
    word_order: Literal["big", "little"] = Field("big", description="which half of a 32 or 64-bit value comes first")
    bit: int | None = Field(None, ge=0, le=15, description="which bit of the register, 0 is the lowest")
    bits: Bits | None = Field(None, description="bits of the register that hold the value, e.g. 0..7")
    encoding: Annotated[Encoding, Field(strict=False)] = Encoding.LINEAR
    sentinels: tuple[int, ...] = Field((), strict=False, description="raw unsigned values that mean: no value")
    write: WriteSpec | None = Field(None, description="where it is written, if not where it is read")


class BacnetSpec(PointSpec):
    """One line of ``points`` in a BACnet profile."""

    object: str = Field(description="type,instance e.g. analog-value,{n}")
    property: str = "present-value"
    commandable: bool = Field(False, description="has a priority array")
    unit_override: bool = Field(False, description="the unit is right whatever the object itself says")
    restore: Number | None = Field(None, description="written on release where there is no priority array")
    cov: Seconds | None = Field(None, description="have changes reported, and read it anyway so often, e.g. 1m")


class LimitsSpec(_Strict):
    """``modbus:``, what one request may ask of the device."""

    max_registers: int = Field(125, ge=1, le=125)
    max_bits: int = Field(2000, ge=1, le=2000)
    max_gap: int = Field(8, ge=0, le=124)
    write_multiple: bool = True


class HeadSpec(_Strict):
    """The file without its points."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    title: str = Field(min_length=1)
    protocol: Literal["modbus", "bacnet"]
    source: str = Field(min_length=1, description="where the map comes from and how far it was tried")
    checked: date = Field(description="when the map was last compared with its source")
    modbus: LimitsSpec | None = None
    points: dict[str, object] = Field(min_length=1)
