"""Until when dated files know their days: a line ``# valid_until: 2027-08-31``, or the column of that name."""

from __future__ import annotations

import re
from datetime import date

from config.fields import parse_day
from config.problems import Findings, Spot
from config.tables import Row

COLUMN = "valid_until"
LINE = re.compile(r"#\s*valid[ _-]?until\s*:\s*(.*?)\s*$", re.IGNORECASE)


def read_valid_until(file: str, text: str, rows: list[Row], findings: Findings) -> date | None:
    """The last day that a file says it knows of: its own line, else the latest of its column; None: it does not say."""
    written: date | None = None
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        match = LINE.match(line)
        if match is None:
            continue
        if written is not None:
            findings.error(Spot(file, number, 1), "valid_until: the file says it a second time")
        written = _day(match[1].strip('"; ,\t'), Spot(file, number, 1), findings) or written
    listed = [day for row in rows if COLUMN in row.cells and (day := _of_row(row, findings))]
    return written or max(listed, default=None)


def _of_row(row: Row, findings: Findings) -> date | None:
    return _day(row.cells[COLUMN], row.spot(COLUMN), findings)


def _day(text: str, spot: Spot, findings: Findings) -> date | None:
    try:
        return parse_day(text)
    except ValueError as error:
        findings.error(spot, f"valid_until: {error}")
        return None
