"""The text of an EDE file as rows of cells that know where they stand. Pure.

Spreadsheets of all ages write these files: UTF-8 with or without its mark, UTF-16 or cp1252; semicolons, commas or
tabs; quotes, and line breaks inside them.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

_DELIMITERS = (";", ",", "\t")


class Cell(NamedTuple):
    """A cell's text without its quotes; line and column count from 1."""

    text: str
    line: int
    column: int


def decoded(raw: bytes) -> str:
    """The text of a file: by its byte order mark, else UTF-8 where it is valid, else cp1252."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if raw.startswith(mark):
            return raw.decode(name, errors="replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def rows(text: str) -> Iterator[list[Cell]]:
    """All lines with something in them, comments included; the delimiter is the one that the file has most of."""
    delimiter = max(_DELIMITERS, key=text.count)
    cell = re.compile(rf'[^\S\n{delimiter}]*"((?:[^"]|"")*)"[^\n{delimiter}]*|([^\n{delimiter}]*)')
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    row: list[Cell] = []
    at, line, begins = 0, 1, 0
    while at <= len(text):
        match = cell.match(text, at)
        assert match is not None  # noqa: S101 - the second half of the pattern matches nothing as well
        inside = match[1].replace('""', '"') if match[1] is not None else match[2]
        row.append(Cell(" ".join(inside.split()), line, at - begins + 1))
        if breaks := match[0].count("\n"):
            line, begins = line + breaks, match.start() + match[0].rindex("\n") + 1
        at = match.end() + 1
        if match.end() == len(text) or text[match.end()] == "\n":
            if any(item.text for item in row):
                yield row
            row, line, begins = [], line + 1, at
