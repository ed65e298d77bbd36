"""Registers of which nobody knows the meaning: every decoding side by side, and which of them look likely. Pure.

Likely is a guess for the eye of an engineer, never a value: a float within what meters and sensors give, a number
that fills its registers, and what could be a mains voltage or frequency.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from drivers.modbus.codec import FLOATS, decode
from drivers.profile import ModbusPoint, Table, WireType

LONGEST = 1000
"""Registers that one look may span: more is for a program, not for eyes."""
_SPAN = re.compile(r"(coil|discrete|input|holding):(0x[0-9a-f]{1,4}|\d{1,5})(?:\.\.(0x[0-9a-f]{1,4}|\d{1,5}))?")
_SMALLEST, _LARGEST = 1e-3, 1e7
_MAINS = (
    (207.0, 253.0, "V", (1.0, 0.1)),
    (380.0, 440.0, "V", (1.0, 0.1)),
    (49.5, 50.5, "Hz", (1.0, 0.1, 0.01, 0.001)),
)
"""From, to, unit, and by which scales whole numbers usually carry it."""
_LETTERS = frozenset(b" +-./0123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")


class Span(NamedTuple):
    """Addresses ``first`` to ``last`` of a table, 0-based as on the wire, both included."""

    table: Table
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.table}:0x{self.first:04X}..0x{self.last:04X}"


class Decoding(NamedTuple):
    """One reading of the registers from an address on; ``order`` says which word comes first, "" for one word."""

    type: WireType
    order: str
    value: float | None
    likely: bool

    @property
    def name(self) -> str:
        """``float32 little``, as a profile's type and word_order."""
        return f"{self.type} {self.order}".rstrip()


def span(text: str) -> Span:
    """``holding:0x0..0x20``, ``input:52`` or ``coil:0..15``. Raises ValueError."""
    match = _SPAN.fullmatch(text.lower())
    if match is None:
        raise ValueError(f"{text!r} is not TABLE:FIRST..LAST, e.g. holding:0x0..0x20 or input:52")
    first = int(match[2], 0)
    last = first if match[3] is None else int(match[3], 0)
    if not first <= last <= 0xFFFF:
        raise ValueError(f"{text!r}: addresses run from 0 to 65535, the lower one first")
    if last - first >= LONGEST:
        raise ValueError(f"{text!r}: at most {LONGEST} addresses at once")
    return Span(Table(match[1]), first, last)


def decodings(words: Mapping[int, int], address: int, *, wide: bool = False) -> tuple[Decoding, ...]:
    """Every decoding of the registers from ``address`` on, as far as they are known; ``wide``: of 64 bits as well."""
    return tuple(_decodings(words, address, wide=wide))


def _decodings(words: Mapping[int, int], address: int, *, wide: bool) -> Iterator[Decoding]:
    for kind in WireType:
        if kind is WireType.BIT or (kind.registers == 4 and not wide):
            continue
        taken = [words.get(address + i) for i in range(kind.registers)]
        known = [word for word in taken if word is not None]
        if len(known) < kind.registers:
            continue
        for order in ("big", "little") if kind.registers > 1 else ("",):
            value = decode(known, ModbusPoint("", Table.HOLDING, 0, kind, word_order=order or "big"))
            yield Decoding(kind, order, value, _likely(kind, order, value, known))


def _likely(kind: WireType, order: str, value: float | None, words: Sequence[int]) -> bool:
    if value is None or not value:
        return False
    if kind in FLOATS:
        return _SMALLEST <= abs(value) < _LARGEST
    if kind.registers > 1:  # the upper words of a count are nearly empty, and something must lie in the lower ones
        upper, lower = (words[0], words[-1]) if order == "big" else (words[-1], words[0])
        empty = upper < 0x0100 or (upper == 0xFFFF and kind in (WireType.INT32, WireType.INT64))
        return empty and upper != lower and abs(value) < 2.0**40
    return 0 < value < 10_000 if kind is WireType.UINT16 else -10_000 < value < 0


def mains(value: float, *, whole: bool) -> str:
    """``230.4 V?`` where ``value`` may be a mains voltage or frequency, in a whole number also by tenths; else ""."""
    for low, high, unit, scales in _MAINS:
        for scale in scales if whole else (1.0,):
            if low <= value * scale <= high:
                return f"{value * scale:.5g} {unit}?"
    return ""


def guess(found: Sequence[Decoding]) -> str:
    """What the registers at an address may be of the mains, "" where nothing says so."""
    for one in sorted(found, key=lambda item: -item.type.registers):
        if one.likely and one.value is not None:
            whole = one.type not in FLOATS
            if (one.type.registers < 4) and (said := mains(one.value, whole=whole)):
                return said
    return ""


def text(words: Sequence[int]) -> str:
    """The registers as ASCII, two letters a register; a dot stands for what cannot be printed."""
    octets = b"".join(word.to_bytes(2) for word in words)
    return "".join(chr(octet) if 32 <= octet < 127 else "." for octet in octets)


def texts(words: Mapping[int, int], shortest: int = 6) -> Iterator[tuple[int, str]]:
    """Address and text of every run of registers that reads like a word of ``shortest`` letters or more."""
    run: list[int] = []
    start = 0
    for address in [*sorted(words), -1]:
        word = words.get(address)
        if word is not None and _lettered(word) and (not run or address == start + len(run)):
            start = start if run else address
            run.append(word)
            continue
        if (said := text(run).rstrip(". ")) and len(said) >= shortest:
            yield start, said
        run, start = ([word], address) if word is not None and _lettered(word) else ([], 0)


def _lettered(word: int) -> bool:
    high, low = word >> 8, word & 0xFF
    return high in _LETTERS and (low in _LETTERS or low == 0)
