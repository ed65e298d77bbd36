"""A table that somebody else exported (CSV or JSON) as records that know their line. Nothing in it is trusted."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder

from config.problems import Findings, Spot

DELIMITERS = (";", ",", "\t")
ENCODINGS = ("auto", "utf-8", "cp1252")
YEARS = range(1970, 2200)
"""What a date may mean; another year is a slip."""
_LIST = re.compile(r'\s*\{.*?"(?:results|records)"\s*:\s*\[', re.DOTALL)
_SPACE = re.compile(r"[\s,]*")


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a table, or one object of a list: texts by the column's name in lower case."""

    line: int
    cells: dict[str, str]


def decoded(file: str, content: bytes, encoding: str, findings: Findings) -> str | None:
    """The text; ``auto`` is UTF-8, and what is not is read as Windows-1252 as spreadsheets write it."""
    tried = ("utf-8-sig", "cp1252") if encoding == "auto" else ("utf-8-sig" if encoding == "utf-8" else encoding,)
    for position, name in enumerate(tried, 1):
        try:
            return content.decode(name)
        except UnicodeDecodeError as error:
            if position == len(tried):
                line = content[: error.start].count(b"\n") + 1
                wanted = "UTF-8 or Windows-1252" if encoding == "auto" else encoding
                findings.error(Spot(file, line, 1), f"not {wanted} text: byte 0x{content[error.start]:02x}")
    return None


def read_records(file: str, text: str, findings: Findings) -> list[Record]:
    """The records of a CSV file with a header, or of a JSON list (also inside ``results``)."""
    if not text.strip():
        findings.error(Spot(file, 1, 1), "the file is empty")
        return []
    if text.lstrip()[0] in "[{":
        return list(_of_json(file, text, findings))
    return list(_of_csv(file, text, findings))


def lacks(file: str, records: list[Record], names: tuple[str, ...], findings: Findings) -> bool:
    """Whether a column is in none of the records; says so."""
    known = {name for record in records for name in record.cells}
    missing = [name for name in names if name not in known]
    if records and missing:
        columns = ", ".join(sorted(known)[:20])
        findings.error(Spot(file, records[0].line, 1), f"no column {', '.join(missing)}; there are {columns}")
    return bool(missing)


def _of_csv(file: str, text: str, findings: Findings) -> Iterator[Record]:
    first = next(line for line in text.splitlines() if line.strip())
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    header: list[str] = []
    before = 0
    try:
        for row in reader:
            line, before = before + 1, reader.line_num
            if not any(cell.strip() for cell in row):
                continue
            if not header:
                header = [cell.strip().lower() for cell in row]
            elif len(row) > len(header):
                findings.error(Spot(file, line, 1), f"{len(row)} cells where the header has {len(header)} columns")
            else:
                pairs = zip(header, row, strict=False)
                yield Record(line, {name: cell.strip() for name, cell in pairs if name})
    except csv.Error as error:
        findings.error(Spot(file, before + 1, 1), f"not CSV: {error}")


def _of_json(file: str, text: str, findings: Findings) -> Iterator[Record]:
    """The objects one after the other, so that each knows the line that it begins in."""
    inside = _LIST.match(text)
    at = inside.end() if inside else text.find("[") + 1
    decoder = JSONDecoder()
    while True:
        skipped = _SPACE.match(text, at)
        at = skipped.end() if skipped else at
        if text[at : at + 1] == "]":
            return
        line = text.count("\n", 0, at) + 1
        try:
            value, at = decoder.raw_decode(text, at)
        except (JSONDecodeError, RecursionError) as error:
            findings.error(Spot(file, line, 1), f"not a JSON list of objects: {error}")
            return
        if not isinstance(value, dict):
            findings.error(Spot(file, line, 1), f"not an object: {str(value)[:40]}")
            return
        fields = value.get("fields", value)
        yield Record(line, dict(_texts(fields if isinstance(fields, dict) else value)))


def _texts(value: dict[str, object]) -> Iterator[tuple[str, str]]:
    for name, each in value.items():
        text = "" if each is None else each if isinstance(each, str) else json.dumps(each, ensure_ascii=False)
        yield name.lower(), text.strip()
