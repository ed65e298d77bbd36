"""The file that an import writes: it reads back as it was written, and any source gives lines or says what is wrong."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.imports import school_holidays, school_hours
from config.imports.meetings import Choice, of_table
from config.imports.records import decoded
from config.imports.sheet import (
    OF_CALENDAR,
    OF_EXCEPTIONS,
    Sheet,
    cell,
    difference,
    merged,
    read_sheet,
    rendered,
    sheet,
    write_sheet,
)
from config.problems import Findings
from config.tables import parse_table

CHOICE = Choice(date(2026, 11, 1), date(2027, 6, 30))
days = st.dates(date(2026, 1, 1), date(2028, 1, 1)).map(str)
labels = st.text(max_size=20).map(cell).filter(bool)
rows = st.lists(st.tuples(days, days, labels, labels), max_size=6)


@settings(max_examples=100)
@given(rows, st.none() | st.dates(date(2026, 1, 1), date(2028, 1, 1)))
def test_it_reads_back_as_it_was_written(lines: list[tuple[str, ...]], reach: date | None) -> None:
    new = sheet(OF_CALENDAR, lines, reach, "meetings from x on 2026-11-25")
    findings = Findings()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "x.csv"
        write_sheet(path, new)
        old = read_sheet(path, OF_CALENDAR, findings)
    assert findings.ordered() == []
    assert not difference(old, new).any
    assert difference(old, new).unchanged == len(new.lines)


def test_comments_stay_and_the_import_s_own_are_renewed(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("# ours\n# imported: before\n# Valid until: 2026-01-01\nstart,end,label,source\n", encoding="utf-8")
    old = read_sheet(path, OF_CALENDAR, Findings())
    new = Sheet(OF_CALENDAR, (("2026-12-25", "2026-12-25", "Noël", "x"),), date(2026, 12, 31), "again")
    assert rendered(merged(old, new, None)).splitlines() == [
        "# ours", "# imported: again", "# valid_until: 2026-12-31", "start,end,label,source",
        "2026-12-25,2026-12-25,Noël,x",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ([("1", "a", "s:1")], [("1", "b", "s:1")], (0, 0, 1)),
        ([("1", "a", "s:1")], [("2", "a", "s:1")], (0, 0, 1)),
        ([("1", "a", "s:1")], [("1", "a", "s:2")], (0, 0, 1)),
        ([("1", "a", "s:1")], [("1", "b", "s:2")], (0, 0, 1)),
        ([("1", "a", "s:1")], [("2", "b", "s:2")], (1, 1, 0)),
        ([("1", "a", "s"), ("2", "a", "s")], [("3", "a", "s"), ("4", "a", "s")], (2, 2, 0)),
    ],
)
def test_what_counts_as_changed(
    old: list[tuple[str, str, str]], new: list[tuple[str, str, str]], counts: tuple[int, int, int]
) -> None:
    before, after = (
        sheet(OF_CALENDAR, [(f"2026-12-0{day}", f"2026-12-0{day}", *rest) for day, *rest in lines], None, "")
        for lines in (old, new)
    )
    found = difference(before, after)
    assert (len(found.added), len(found.removed), len(found.changed)) == counts


nasty = st.text(alphabet='0123456789/:-T hH;,\t"\n{}[]=é', max_size=80)


@settings(max_examples=150)
@given(nasty)
def test_whatever_stands_in_a_source_is_lines_or_problems(text: str) -> None:
    for header in ("start;end;label\n", "", '[{"start": "', "description;start_date;end_date;zones\n", "code_uai;x\n"):
        findings = Findings()
        lines = of_table("x.csv", header + text, {}, CHOICE, findings)
        school_holidays.of_records("x.csv", header + text, "B", Findings())
        school_hours.of_records("x.csv", header + text, "0620123A", None, Findings())
        text_of_lines = "\n".join([",".join(OF_EXCEPTIONS), *(_csv(line) for line in lines)])
        assert len(parse_table("y.csv", text_of_lines, OF_EXCEPTIONS, (), findings)) == len(lines)


def _csv(line: tuple[str, ...]) -> str:
    return ",".join(f'"{each.replace(chr(34), chr(34) * 2)}"' for each in line)


@pytest.mark.parametrize("year", ["0001", "9999", "1969"])
def test_years_that_are_not_meant(year: str) -> None:
    findings = Findings()
    assert of_table("x.csv", f"start;end\n{year}-12-31;\n31/12/{year} 20:00;02:00\n", {}, CHOICE, findings) == []
    assert len(findings.ordered()) == 2
    text = f"description;start_date;end_date;zones\nx;{year}-12-31T00:00:00Z;2026-12-31T00:00:00Z;Zone B\n"
    assert school_holidays.of_records("x.csv", text, "B", findings).lines == ()
    assert len(findings.ordered()) == 3


def test_text_that_is_neither() -> None:
    findings = Findings()
    assert decoded("x.csv", b"a\n\x81", "auto", findings) is None
    assert [str(each) for each in findings.ordered()] == ["x.csv:2:1: error: not UTF-8 or Windows-1252 text: byte 0x81"]
