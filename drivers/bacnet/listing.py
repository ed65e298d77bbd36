"""One object of a BACnet device as a list of objects tells of it, and the standard's numbers for its words. Pure.

Numbers: ASHRAE 135, clause 21 (BACnetObjectType, BACnetEngineeringUnits).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_TYPES: Mapping[int, str] = {
    0: "analog-input", 1: "analog-output", 2: "analog-value", 3: "binary-input", 4: "binary-output", 5: "binary-value",
    6: "calendar", 7: "command", 8: "device", 9: "event-enrollment", 10: "file", 11: "group", 12: "loop",
    13: "multi-state-input", 14: "multi-state-output", 15: "notification-class", 16: "program", 17: "schedule",
    18: "averaging", 19: "multi-state-value", 20: "trend-log", 21: "life-safety-point", 22: "life-safety-zone",
    23: "accumulator", 24: "pulse-converter", 25: "event-log", 26: "global-group", 27: "trend-log-multiple",
    28: "load-control", 29: "structured-view", 30: "access-door", 31: "timer", 39: "bitstring-value",
    40: "characterstring-value", 41: "date-pattern-value", 42: "date-value", 43: "datetime-pattern-value",
    44: "datetime-value", 45: "integer-value", 46: "large-analog-value", 47: "octetstring-value",
    48: "positive-integer-value", 49: "time-pattern-value", 50: "time-value", 51: "notification-forwarder",
    52: "alert-enrollment", 53: "channel", 54: "lighting-output", 55: "binary-lighting-output", 56: "network-port",
}  # fmt: skip
_SHORT = {
    "ai": 0, "ao": 1, "av": 2, "bi": 3, "di": 3, "bo": 4, "do": 4, "bv": 5, "dv": 5, "msi": 13, "mi": 13, "mso": 14,
    "mo": 14, "msv": 19, "mv": 19,
}  # fmt: skip
_UNITS: Mapping[int, tuple[str, str]] = {
    2: ("mA", "milliamperes"), 3: ("A", "amperes"), 4: ("ohm", "ohms"), 5: ("V", "volts"), 6: ("kV", "kilovolts"),
    8: ("VA", "volt-amperes"), 9: ("kVA", "kilovolt-amperes"), 11: ("var", "volt-amperes-reactive"),
    12: ("kvar", "kilovolt-amperes-reactive"), 15: ("", "power-factor"), 18: ("Wh", "watt-hours"),
    19: ("kWh", "kilowatt-hours"), 27: ("Hz", "hertz"), 29: ("%RH", "percent-relative-humidity"), 37: ("lx", "luxes"),
    47: ("W", "watts"), 48: ("kW", "kilowatts"), 49: ("MW", "megawatts"), 53: ("Pa", "pascals"),
    54: ("kPa", "kilopascals"), 55: ("bar", "bars"), 62: ("degC", "degrees-celsius"), 63: ("K", "degrees-kelvin"),
    64: ("degF", "degrees-fahrenheit"), 70: ("d", "days"), 71: ("h", "hours"), 72: ("min", "minutes"),
    73: ("s", "seconds"), 74: ("m/s", "meters-per-second"), 80: ("m3", "cubic-meters"), 82: ("l", "liters"),
    85: ("m3/s", "cubic-meters-per-second"), 87: ("l/s", "liters-per-second"), 88: ("l/min", "liters-per-minute"),
    90: ("deg", "degrees-angular"), 95: ("", "no-units"), 96: ("ppm", "parts-per-million"), 98: ("%", "percent"),
    104: ("1/min", "revolutions-per-minute"), 121: ("K", "delta-degrees-kelvin"), 124: ("mV", "millivolts"),
    132: ("mW", "milliwatts"), 133: ("hPa", "hectopascals"), 134: ("mbar", "millibars"),
    135: ("m3/h", "cubic-meters-per-hour"), 136: ("l/h", "liters-per-hour"), 146: ("MWh", "megawatt-hours"),
}  # fmt: skip
_WRITTEN = {
    "": "", "-": "", "°c": "degC", "degc": "degC", "c": "degC", "°f": "degF", "°k": "K", "m³": "m3", "m³/h": "m3/h",
    "lux": "lx", "rpm": "1/min", "%rh": "%RH", "% rh": "%RH", "%hr": "%RH",
}  # fmt: skip
_BY_WORD = {re.sub(r"[^a-z]", "", word): unit for unit, word in _UNITS.values()}
_BY_UNIT = {unit.lower(): unit for unit, _ in _UNITS.values()}
_TYPE_BY_WORD = {kind.replace("-", ""): kind for kind in _TYPES.values()}


@dataclass(frozen=True, slots=True)
class ListedObject:
    """``type`` is a word of the standard (``analog-value``) or the number of a maker's own.

    None in ``settable``, ``cov`` and the limits: the list does not say.
    """

    type: str
    instance: int
    name: str = ""
    description: str = ""
    unit: str | None = ""
    """As in a profile (degC, %, kWh); None for a unit that has no name here."""
    device: int | None = None
    settable: bool | None = None
    cov: bool | None = None
    minimum: float | None = None
    maximum: float | None = None
    default: float | None = None

    @property
    def object(self) -> str:
        """``analog-value,1``, as a profile writes it."""
        return f"{self.type},{self.instance}"


def object_type(text: str) -> str | None:
    """``2``, ``AV``, ``analog-value``, ``Analog Value`` or ``OBJECT_ANALOG_VALUE`` as ``analog-value``.

    The number of a maker's own type (128 and up, or one not known here) stays a number; None for anything else.
    """
    if text.isascii() and text.isdigit():
        return _TYPES.get(int(text), str(int(text))) if int(text) < 1024 else None
    word = re.sub(r"[^a-z]", "", text.lower()).removeprefix("object")
    number = _SHORT.get(word)
    return _TYPES[number] if number is not None else _TYPE_BY_WORD.get(word)


def unit_named(text: str) -> str | None:
    """A unit's number or name (``62``, ``degrees-celsius``, ``degreesCelsius``, ``°C``) as in a profile, else None."""
    low = text.strip().lower()
    if low.isascii() and low.isdigit():
        return _UNITS[int(low)][0] if int(low) in _UNITS else None
    if low in _WRITTEN:
        return _WRITTEN[low]
    return _BY_UNIT.get(low, _BY_WORD.get(re.sub(r"[^a-z]", "", low) or "?"))
