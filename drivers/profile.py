"""A device profile: the data sheet of one kind of device, as a data file, expanded into named points.

Point names are the house's vocabulary (docs/profiles.md): ``lamp.<n>.command|level|power|energy|...``,
``segment.<n>.command|feedback|...``, ``door``, ``local``, ``leakage``, ``photocell.<n>.illuminance|dark``,
``presence.<n>.detected``, ``meter.power|energy|...``, ``zone.<n>.temperature|setpoint|heating|mode``,
``boiler.status|supply-temperature|supply-setpoint|enable|pump|backup|...``, ``outdoor.temperature``, ``heartbeat``,
``hot-water.storage-temperature|return-temperature``. Controller and simulator know devices by them alone.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

_ARC_LOWEST_PCT, _ARC_STEP = 0.195, 0.0277
"""From DALI's level 253 to 254; all other steps of the curve are smaller."""


class Table(StrEnum):
    """The four Modbus tables."""

    COIL = "coil"
    DISCRETE = "discrete"
    INPUT = "input"
    HOLDING = "holding"


class WireType(StrEnum):
    """How a Modbus value lies in its registers; BIT is one bit of a register or a coil or discrete input."""

    BIT = "bit"
    UINT16 = "uint16"
    INT16 = "int16"
    UINT32 = "uint32"
    INT32 = "int32"
    FLOAT32 = "float32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT64 = "float64"

    @property
    def registers(self) -> int:
        """How many 16-bit registers the value takes."""
        return {"32": 2, "64": 4}.get(self.value[-2:], 1)


class Encoding(StrEnum):
    """What a raw number says; LINEAR is ``raw * scale + offset``, DALI_ARC a level on DALI's logarithmic curve in %."""

    LINEAR = "linear"
    DALI_ARC = "dali-arc"


@dataclass(frozen=True, slots=True)
class Written:
    """Where a value is written that is read elsewhere: the holding register ``address``.

    With ``target`` the request is a telegram of two registers that all nodes of a gateway share: a counter that moves
    on with every command (high byte) and the node (low byte), then the raw value (high byte). After it the device is
    left alone for ``pause_s``, for it keeps no second telegram. A value may take ``settle_s`` to show where it is read.
    """

    address: int
    target: int | None = None
    pause_s: float = 0.0
    settle_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ModbusPoint:
    """One value in a Modbus device. ``value = raw * scale + offset`` in ``unit``; address 0-based, as on the wire."""

    name: str
    table: Table
    address: int
    type: WireType
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    word_order: str = "big"
    bit: int | None = None
    sentinels: tuple[int, ...] = ()
    """Raw words (as one unsigned number) that mean: no value."""
    minimum: float | None = None
    maximum: float | None = None
    every_s: float = 5.0
    writable: bool = False
    feedback: str | None = None
    """The point that shows what the output really does, e.g. ``lamp.3.level`` for ``lamp.3.command``."""
    bits: tuple[int, int] | None = None
    """First and last bit of the register that hold the value, 0 is the lowest; None: all of it."""
    encoding: Encoding = Encoding.LINEAR
    written: Written | None = None
    """None: it is written where it is read."""

    @property
    def resolution(self) -> float:
        """The step from one raw value to the next, in ``unit``: nothing can be set more finely."""
        return _ARC_LOWEST_PCT if self.encoding is Encoding.DALI_ARC else abs(self.scale)

    @property
    def relative_resolution(self) -> float:
        """The same as a share of the value where that is wider, 0 where all steps are equal."""
        return _ARC_STEP if self.encoding is Encoding.DALI_ARC else 0.0

    @property
    def quiet_s(self) -> float:
        """The longest time between two readings while all is well."""
        return self.every_s


@dataclass(frozen=True, slots=True)
class BacnetPoint:
    """One property of a BACnet object, e.g. ``analog-value,1`` ``present-value``, in ``unit``."""

    name: str
    object: str
    property: str = "present-value"
    unit: str = ""
    every_s: float = 10.0
    writable: bool = False
    commandable: bool = False
    """Whether it has a priority array; then writes carry a priority and None relinquishes. Of a point that is not
    writable the array is read alone, to see who else holds it."""
    restore: float | None = None
    """What is written instead of a relinquish where the point is not commandable."""
    minimum: float | None = None
    maximum: float | None = None
    feedback: str | None = None
    unit_override: bool = False
    """Whether ``unit`` is right whatever the object itself says."""
    cov_s: float | None = None
    """Not None: the device is asked to report changes, and the point is read after so many seconds anyway."""

    @builtins.property
    def quiet_s(self) -> float:
        """The longest time between two readings while all is well."""
        return self.every_s if self.cov_s is None else max(self.cov_s, self.every_s)


@dataclass(frozen=True, slots=True)
class ModbusLimits:
    """What one request may ask of this device."""

    max_registers: int = 125
    max_bits: int = 2000
    max_gap: int = 8
    """Registers between two points that are read over rather than asked for in a second request."""
    write_multiple: bool = True


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of device; ``points`` are expanded (``lamp.{n}.level`` has become ``lamp.1.level`` ...)."""

    id: str
    title: str
    protocol: str
    source: str
    checked: date
    points: Mapping[str, ModbusPoint | BacnetPoint]
    modbus: ModbusLimits = field(default_factory=ModbusLimits)
