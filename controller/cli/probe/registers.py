"""Registers that were peeked at, as a table in which every decoding stands side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from controller.cli.status import aligned
from drivers.modbus.peek import Decoding, Span, decodings, guess, text, texts
from drivers.modbus.polling import BITS

_BITS_A_LINE = 16


@dataclass(frozen=True, slots=True)
class Form:
    """What is shown beside the decodings of 16 and 32 bits."""

    bits: bool = False
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What lies in one span of a unit: words and causes of refusal by address."""

    span: Span
    words: Mapping[int, int]
    refused: Mapping[int, str]


def look_lines(look: Look, form: Form) -> Iterator[str]:
    """The table, then what reads as text, then what was refused."""
    yield f"  {look.span}"
    if look.span.table in BITS:
        yield from _bit_lines(look)
    elif look.words:
        found = {at: decodings(look.words, at, wide=form.wide) for at in sorted(look.words)}
        yield from aligned(_rows(look.words, found))
        if form.wide:
            yield from aligned(_wide_rows(found))
        if form.bits:
            yield from (f" {at:>5}  {_binary(word)}" for at, word in sorted(look.words.items()))
        yield from (f"  text at {at}: {said}" for at, said in texts(look.words))
        yield "  * likely; < low word first; . nothing sensible; addresses as on the wire"
    yield from _refusals(look.refused)


def look_facts(look: Look) -> dict[str, object]:
    """The same for scripts; the decodings of 64 bits are always among them."""
    registers = [
        {
            "address": at,
            "word": word,
            "decodings": {one.name: one.value for one in found if one.value is not None},
            "likely": [one.name for one in found if one.likely],
            "guess": guess(found),
        }
        for at, word in sorted(look.words.items())
        for found in [() if look.span.table in BITS else decodings(look.words, at, wide=True)]
    ]
    texts_ = {} if look.span.table in BITS else {str(at): said for at, said in texts(look.words)}
    refused = {str(at): cause for at, cause in look.refused.items()}
    return {"table": str(look.span.table), "registers": registers, "texts": texts_, "refused": refused}


def _rows(words: Mapping[int, int], found: Mapping[int, Sequence[Decoding]]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("  at", "hex", "", "16 bit", "float32", "float32<", "32 bit", "32 bit<", "maybe")]
    # int32 stands for uint32 too: they differ above 2^31 only, and what is that high is not shown.
    names = ("float32 big", "float32 little", "int32 big", "int32 little")
    for at, several in found.items():
        by_name = {one.name: one for one in several}
        negative = f"/{_cell(by_name['int16'])}" if words[at] > 0x7FFF else ""
        short = _cell(by_name["uint16"]) + negative
        cells = [_cell(by_name.get(name)) for name in names]
        rows.append((f"  {at}", f"{words[at]:04X}", text([words[at]]), short, *cells, guess(several)))
    return rows


def _wide_rows(found: Mapping[int, Sequence[Decoding]]) -> list[Sequence[str]]:
    names = [f"{kind} {order}" for kind in ("float64", "int64") for order in ("big", "little")]
    rows: list[Sequence[str]] = [("  at", "float64", "float64<", "int64", "int64<")]
    for at, several in found.items():
        by_name = {one.name: one for one in several}
        if any(name in by_name for name in names):
            rows.append((f"  {at}", *(_cell(by_name.get(name)) for name in names)))
    return rows


def _cell(one: Decoding | None) -> str:
    if one is None:
        return ""
    if one.value is None:
        return "."
    if one.type.value.startswith("float"):
        sensible = one.value == 0 or 1e-4 <= abs(one.value) < 1e8
        return f"{one.value:.5g}{'*' * one.likely}" if sensible else "."
    largest = 1e15 if one.type.registers == 4 else 1e8
    return f"{one.value:.0f}{'*' * one.likely}" if abs(one.value) < largest else "."


def _bit_lines(look: Look) -> Iterator[str]:
    for start in range(look.span.first, look.span.last + 1, _BITS_A_LINE):
        shown = "".join(str(look.words.get(start + i, " ")) for i in range(_BITS_A_LINE))
        if shown.strip():
            groups = " ".join(shown[i : i + 4] for i in range(0, _BITS_A_LINE, 4))
            on = [str(start + i) for i in range(_BITS_A_LINE) if look.words.get(start + i)]
            yield f" {start:>5}  {groups.rstrip():<19}  {'on: ' + ', '.join(on) if on else 'all off'}"


def _binary(word: int) -> str:
    digits = f"{word:016b}"
    on = [str(bit) for bit in range(16) if word >> bit & 1]
    return " ".join(digits[i : i + 4] for i in range(0, 16, 4)) + (f"  bits {', '.join(on)}" if on else "")


def _refusals(refused: Mapping[int, str]) -> Iterator[str]:
    """Runs of addresses that are refused for the same cause, a line each."""
    numbered = enumerate(sorted(refused))
    for _, run in groupby(numbered, key=lambda item: (item[1] - item[0], refused[item[1]])):
        addresses = [address for _, address in run]
        where = str(addresses[0]) if len(addresses) == 1 else f"{addresses[0]} to {addresses[-1]}"
        yield f"  {where}: {refused[addresses[0]]}"
