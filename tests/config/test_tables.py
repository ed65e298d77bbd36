"""CSV with places, as written by hand and by spreadsheets."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.problems import Findings
from config.tables import Row, parse_table

COLUMNS = ("id", "street", "latitude")


def read(text: str) -> tuple[list[Row], list[str]]:
    findings = Findings()
    rows = parse_table("lamps.csv", text, COLUMNS, ("device",), findings)
    return rows, [str(problem) for problem in findings.ordered()]


def test_cells_know_line_and_column() -> None:
    rows, problems = read("# lamps\nid,street,latitude\n\nl-1, Rue du Port ,50.29\n")
    assert problems == []
    assert rows[0].cells == {"id": "l-1", "street": "Rue du Port", "latitude": "50.29"}
    assert (rows[0].line, rows[0].columns) == (4, {"id": 1, "street": 6, "latitude": 19})


def test_what_a_spreadsheet_writes_is_accepted() -> None:
    rows, problems = read('\ufeffID;Street;Latitude\r\nl-1;"Rue ""du"" Port; nord";50,2910\r\n;;\r\nl-2;;\r\n')
    assert problems == []
    assert rows[0].cells == {"id": "l-1", "street": 'Rue "du" Port; nord', "latitude": "50.2910"}
    assert rows[0].columns["latitude"] == 29
    assert rows[1].cells == {"id": "l-2"}


def test_a_comma_is_a_comma_where_commas_separate() -> None:
    rows, _ = read('id,street,latitude\nl-1,"12,5",50.1\n')
    assert rows[0].cells["street"] == "12,5"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "lamps.csv:1:1: error: the file is empty; its first line must be id,street,latitude"),
        ("id,street\n", "lamps.csv:1:1: error: missing column: latitude"),
        (
            "id,stret,latitude\n",
            'lamps.csv:1:4: error: unknown column "stret"; did you mean "street"? allowed: id, street,',
        ),
        ("id,street,latitude,id\n", 'lamps.csv:1:20: error: column "id" appears twice'),
        ("id,street,latitude\na,b,1,2\n", "lamps.csv:2:7: error: more cells than the 3 columns of the header"),
        ("id,street,latitude\na\n", "lamps.csv:2:1: error: only 1 cells where the header has 3 columns"),
        ('id,street,latitude\na,"b,1\n', "lamps.csv:2:3: error: this quote is not closed in the same line"),
    ],
)
def test_mistakes(text: str, problem: str) -> None:
    _, problems = read(text)
    assert any(found.startswith(problem) for found in problems)


cells = st.text(
    alphabet=st.characters(codec="utf-8", exclude_characters="\r\n", exclude_categories=("C", "Z")), min_size=1
)


@given(st.lists(st.tuples(cells, cells, cells), max_size=5), st.sampled_from(",;\t"))
def test_reads_what_the_csv_module_writes(table: list[tuple[str, str, str]], delimiter: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    writer.writerows(table)
    rows, problems = read(text.getvalue())
    assert problems == []
    decimal = str.maketrans(",", ".") if delimiter == ";" else {}
    read_back = [tuple(row.cells[name].translate(decimal) for name in COLUMNS) for row in rows]
    assert read_back == [tuple(cell.translate(decimal) for cell in line) for line in table]
