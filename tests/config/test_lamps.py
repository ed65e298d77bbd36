"""lamps.csv: rows, references, what spreadsheets do to it, and how long 2,000 lamps take."""

from __future__ import annotations

import time

import pytest

from tests.config.conftest import Town

HEADER = "id,street,cabinet,segment,address,type,latitude,longitude"


WRONG_ROWS = [
    ("L-1,R,cab-mairie,mairie-1,5,led-42,,", '1: error: id: "L-1" must be small letters, digits and hyphens only'),
    ("l-001,R,cab-mairie,mairie-1,5,led-42,,", '1: error: id: lamp "l-001" already exists in line 2'),
    (",R,cab-mairie,mairie-1,5,led-42,,", "1: error: id: missing"),
    (
        "l-5,R,cab-marie,mairie-1,5,led-42,,",
        '7: error: cabinet: unknown cabinet "cab-marie"; did you mean "cab-mairie"?',
    ),
    (
        "l-5,R,cab-mairie,mairie-2,5,led-42,,",
        '18: error: segment: unknown segment "mairie-2"; did you mean "mairie-1"?',
    ),
    ("l-5,R,cab-mairie,mairie-1,x,led-42,,", '27: error: address: "x" is not a whole number'),
    ("l-5,R,cab-mairie,mairie-1,0,led-42,,", '27: error: address: "0" must be at least 1'),
    ("l-5,R,cab-mairie,mairie-1,65,led-42,,", "27: error: address: profile generic-cabinet has lamps 1 to 64, not 65"),
    ("l-5,R,cab-mairie,mairie-1,4,led-42,,", '27: error: address: device cab-mairie lamp "4" already exists in line 5'),
    ("l-5,R,cab-mairie,mairie-1,5,led-24,,", '29: error: type: unknown lamp type "led-24"; did you mean "led-42"?'),
    ("l-5,R,cab-mairie,mairie-1,5,led-42,95,", '36: error: latitude: "95" must be at most 90'),
    ("l-5,R,cab-mairie,mairie-1,5,led-42,nan,", '36: error: latitude: "nan" is not a number'),
    ("l-5,R,,,5,led-42,,", "7: error: a lamp needs a cabinet or a device"),
    ("l-5,R,cab-mairie", "1: error: only 3 cells where the header has 8 columns"),
]


@pytest.mark.parametrize(("row", "problem"), WRONG_ROWS)
def test_a_wrong_row_is_named_with_its_column(minimal: Town, row: str, problem: str) -> None:
    text = minimal.path("lamps.csv").read_text(encoding="utf-8")
    minimal.write("\n".join(text.splitlines()[1:]) + f"\n{row}\n", "lamps.csv")
    errors = [line for line in minimal.found() if "error" in line]
    assert len(errors) == 1
    assert errors[0].startswith(f"lamps.csv:6:{problem}")


def test_a_spreadsheets_file_gives_the_same_lamps(minimal: Town) -> None:
    before, _ = minimal.check()
    text = minimal.path("lamps.csv").read_text(encoding="utf-8")
    rows = [
        row.replace(".", ",").split(",") if row.startswith("id") else row.split(",") for row in text.splitlines()[1:]
    ]
    spreadsheet = "\r\n".join(";".join(cell.replace(".", ",") for cell in row) for row in rows)
    minimal.path("lamps.csv").write_bytes(b"\xef\xbb\xbf" + spreadsheet.encode())
    after, problems = minimal.check()
    assert before is not None
    assert after is not None
    assert problems == []
    assert after.lamps == before.lamps
    assert after.config_hash != before.config_hash


def test_another_encoding_is_named_at_the_byte(minimal: Town) -> None:
    minimal.path("lamps.csv").write_bytes(f"{HEADER}\nl-1,Rue de l'Été".encode("latin-1"))
    assert minimal.found()[0] == "lamps.csv:2:14: error: not UTF-8 text; in a spreadsheet, save as «CSV UTF-8»"


def test_a_lamp_may_hang_at_another_device_than_its_cabinets(minimal: Town) -> None:
    minimal.change(
        "profile: generic-cabinet}",
        "profile: generic-cabinet}\n  - {id: nodes, bus: armoires, unit: 2, profile: generic-cabinet}",
    )
    minimal.write(
        f"{HEADER},device\nl-1,R,cab-mairie,mairie-1,1,led-42,,,nodes\nl-2,R,,,2,led-42,,,nodes\n", "lamps.csv"
    )
    minimal.change("street: Rue de la Mairie", "street: R")
    site, problems = minimal.check()
    assert site is not None
    assert problems == []
    assert [(lamp.device, lamp.cabinet, lamp.segment) for lamp in site.lamps.values()] == [
        ("nodes", "cab-mairie", "mairie-1"),
        ("nodes", None, None),
    ]
    assert "lamp.2.level" in site.devices["nodes"].points
    assert "lamp.3.level" not in site.devices["nodes"].points
    assert "segment.1.command" in site.devices["cab-mairie"].points
    assert "segment.1.command" not in site.devices["nodes"].points


def test_without_an_inventory_there_are_no_lamps(minimal: Town) -> None:
    minimal.path("lamps.csv").unlink()
    minimal.change("lamps: lamps.csv", "#")
    minimal.change("lamps: {street: Rue de la Mairie}", "segments: mairie-1")
    site, problems = minimal.check()
    assert site is not None
    assert problems == [] or all("never used" in problem.message for problem in problems)
    assert site.groups["rues"].segments == ("mairie-1",)


def test_a_named_inventory_must_exist(minimal: Town) -> None:
    minimal.path("lamps.csv").unlink()
    line, column = minimal.place("lamps.csv  ")
    assert f"site.yaml:{line}:{column}: error: lamps: {minimal.path('lamps.csv')} cannot be read" in minimal.found()[0]


def test_two_thousand_lamps_load_in_two_seconds(minimal: Town) -> None:
    devices = "".join(f"  - {{id: c-{n}, bus: armoires, unit: {n + 2}, profile: generic-cabinet}}\n" for n in range(40))
    cabinets = "".join(
        f"  - {{id: c-{n}, device: c-{n}, segments: [{{id: s-{n}, output: 1, phase: 1}}]}}\n" for n in range(40)
    )
    rows = "".join(f"x-{n}-{m},Rue {n},c-{n},s-{n},{m},led-42,48.86,2.35\n" for n in range(40) for m in range(1, 51))
    minimal.change("\nlamp_types:", f"{devices}\nlamp_types:")
    minimal.change("\nlamps: lamps.csv", f"{cabinets}\nlamps: lamps.csv")
    minimal.change("{street: Rue de la Mairie}", f"{{cabinet: [{', '.join(f'c-{n}' for n in range(40))}]}}")
    minimal.write(f"{HEADER}\n{rows}", "lamps.csv")
    started = time.perf_counter()
    site, problems = minimal.check()
    took_s = time.perf_counter() - started
    assert site is not None, problems[:3]
    assert len(site.lamps) == 2000
    assert len(site.groups["rues"].lamps) == 2000
    assert took_s < 2.0
