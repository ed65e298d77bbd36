"""A CSV file as rows whose every cell knows its line and column.

Accepts what spreadsheets write: a byte order mark, ``;`` or tabs between the cells, quotes, empty lines. Lines that
begin with ``#`` are comments. A cell does not run over several lines, so that a line of the file is a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from config.problems import Findings, Spot, did_you_mean

_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: the text of the cells that are not empty, and the column where each begins."""

    file: str
    line: int
    cells: dict[str, str]
    columns: dict[str, int]

    def spot(self, name: str = "") -> Spot:
        """The place of a cell, or of the line where it has no such cell."""
        return Spot(self.file, self.line, self.columns.get(name, 1))


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    column: int


def parse_table(
    file: str, text: str, required: Sequence[str], optional: Sequence[str], findings: Findings
) -> list[Row]:
    """The rows below the header. What is wrong is noted; a header that misses a column gives no rows."""
    lines = [(number, line) for number, line in enumerate(text.removeprefix("﻿").splitlines(), 1) if _counts(line)]
    if not lines:
        findings.error(Spot(file, 1, 1), f"the file is empty; its first line must be {','.join(required)}")
        return []
    delimiter = max(_DELIMITERS, key=lines[0][1].count)
    names = _header(file, *lines[0], delimiter, required, optional, findings)
    if not names:
        return []
    return [row for number, line in lines[1:] if (row := _row(file, number, line, delimiter, names, findings))]


def header_of(text: str) -> frozenset[str]:
    """The names of a table's columns, in small letters; empty where it has no line that counts."""
    first = next((line for line in text.removeprefix("\ufeff").splitlines() if _counts(line)), "")
    names = _cells(first, max(_DELIMITERS, key=first.count)) if first else []
    return frozenset(cell.text.lower() for cell in names if cell.text)


def _counts(line: str) -> bool:
    return bool(line.strip(" \t;,")) and not line.startswith("#")


def _header(
    file: str, number: int, line: str, delimiter: str,
    required: Sequence[str], optional: Sequence[str], findings: Findings,
) -> list[str]:  # fmt: skip
    known = [*required, *optional]
    cells = _cells(line, delimiter)
    names = [cell.text.lower() for cell in cells]
    for position, (cell, name) in enumerate(zip(cells, names, strict=True)):
        spot = Spot(file, number, cell.column)
        if name not in known and name:
            findings.error(spot, f'unknown column "{cell.text}"{did_you_mean(name, known)} allowed: {", ".join(known)}')
        elif name and name in names[:position]:
            findings.error(spot, f'column "{name}" appears twice')
    missing = [name for name in required if name not in names]
    if missing:
        findings.error(Spot(file, number, 1), f"missing column: {', '.join(missing)}")
    return [] if missing else names


def _row(file: str, number: int, line: str, delimiter: str, names: Sequence[str], findings: Findings) -> Row | None:
    cells = _cells(line, delimiter)
    if cells and cells[-1].text == "\0":
        findings.error(Spot(file, number, cells[-1].column), "this quote is not closed in the same line")
        return None
    extra = [cell for cell in cells[len(names) :] if cell.text]
    if extra:
        findings.error(Spot(file, number, extra[0].column), f"more cells than the {len(names)} columns of the header")
        return None
    if len(cells) < len(names) - 1 or not cells:
        message = f"only {len(cells)} cells where the header has {len(names)} columns"
        findings.error(Spot(file, number, 1), message)
        return None
    pairs = [(name, cell) for name, cell in zip(names, cells, strict=False) if name]
    texts = {name: _number_text(cell.text, delimiter) for name, cell in pairs if cell.text}
    return Row(file, number, texts, {name: cell.column for name, cell in pairs})


def _number_text(text: str, delimiter: str) -> str:
    """``50,2910`` is a number where the spreadsheet separates cells by semicolons."""
    whole, comma, part = text.partition(",")
    is_number = delimiter == ";" and comma and whole.removeprefix("-").isdigit() and part.isdigit()
    return f"{whole}.{part}" if is_number else text


def _cells(line: str, delimiter: str) -> list[_Cell]:
    """The cells of one line; a quote that is left open ends the list with a cell ``\\0`` at its place."""
    return list(_split(line, delimiter))


def _split(line: str, delimiter: str) -> Iterator[_Cell]:
    start = 0
    while start <= len(line):
        begin = start + len(line[start:]) - len(line[start:].lstrip(" "))
        if line[begin : begin + 1] != '"':
            end = line.find(delimiter, start)
            end = len(line) if end < 0 else end
            yield _Cell(line[start:end].strip(), begin + 1)
        else:
            closing = _closing_quote(line, begin + 1)
            if closing < 0:
                yield _Cell("\0", begin + 1)
                return
            end = line.find(delimiter, closing)
            end = len(line) if end < 0 else end
            yield _Cell(line[begin + 1 : closing].replace('""', '"').strip(), begin + 1)
        start = end + 1


def _closing_quote(line: str, start: int) -> int:
    """Where a quoted cell ends; a doubled quote stands for one quote. -1 when it does not end."""
    at = line.find('"', start)
    while at >= 0 and line[at + 1 : at + 2] == '"':
        at = line.find('"', at + 2)
    return at
