"""The tables of the benches as text, and how they get into their page."""

from __future__ import annotations

import pytest

from bench.page import PAGE, filled, rendered
from bench.table import Table

TABLE = Table("request", "One request", ("who", "us"), (("veilleuse", "40"), ("pymodbus", "100")), ("a remark",))


def test_columns_stand_below_each_other() -> None:
    assert TABLE.text().splitlines() == [
        "One request",
        "",
        "who        us",
        "---------  ---",
        "veilleuse  40",
        "pymodbus   100",
        "  a remark",
    ]


def test_a_row_that_lacks_a_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        Table("c", "t", ("a", "b"), (("1",),)).text()


def test_figures_say_what_they_were_measured_on() -> None:
    made = {"commit": "abc1234", "at": "2026-11-24T17:00+00:00", "quick": True, "processor": "some", "cores": 2}
    made |= {"load": 1.5, "python": "3.11.7", "versions": {"pymodbus": "3.16.1"}}
    plain = {"case": "request", "title": "One request", "head": ["who"], "rows": [["us"]], "remarks": []}
    text = rendered({"request": {"made": made, "tables": [plain]}})
    assert "| us |" in text
    for word in ("`abc1234`", "--quick", "2 cores", "pymodbus 3.16.1"):
        assert word in text


def test_filling_a_page_again_changes_nothing_else() -> None:
    page = "before\n<!-- figures -->\nold\n<!-- end of figures -->\nafter\n"
    once = filled(page, "new\\1 | table")
    assert once == "before\n<!-- figures -->\n\nnew\\1 | table\n<!-- end of figures -->\nafter\n"
    assert filled(once, "new\\1 | table") == once


def test_a_page_without_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match="marks"):
        filled("a page", "figures")


def test_the_page_has_its_marks() -> None:
    assert filled(PAGE.read_text(), "")
