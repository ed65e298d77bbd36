"""The names of points, and the map of the reference cabinet that other people have wired to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from drivers.modbus.polling import polls
from drivers.profile import ModbusPoint, Table, WireType
from drivers.profile_file import load_profile, load_profiles, shipped_profiles


def vocabulary(page: str) -> set[str]:
    """The names of the table, with {n} for numbers and l1 for all phases."""
    rows = page.partition("## The names of points")[2].partition("\n## ")[0].splitlines()
    names = set[str]()
    for row in (row for row in rows if row.startswith("| `")):
        stem = ""
        for name in re.findall(r"`([^`]+)`", row.split("|")[1]):
            stem = stem if name.startswith(".") else name.rpartition(".")[0]
            names.add((stem + name if name.startswith(".") else name).replace("<n>", "{n}"))
    return names


def test_every_point_of_a_shipped_profile_has_a_name_of_the_houses_vocabulary() -> None:
    known = vocabulary((Path(__file__).parents[2] / "docs" / "profiles.md").read_text(encoding="utf-8"))
    for profile in load_profiles().values():
        shown = {re.sub(r"-l[123]$", "-l1", re.sub(r"\.\d+\.", ".{n}.", name)) for name in profile.points}
        assert shown <= known, profile.id


CABINET_MAP = [
    ("door", Table.DISCRETE, 16, WireType.BIT, 1.0),
    ("local", Table.DISCRETE, 17, WireType.BIT, 1.0),
    ("leakage", Table.DISCRETE, 18, WireType.BIT, 1.0),
    ("presence.8.detected", Table.DISCRETE, 31, WireType.BIT, 1.0),
    ("segment.8.feedback", Table.DISCRETE, 7, WireType.BIT, 1.0),
    ("segment.8.loop", Table.DISCRETE, 39, WireType.BIT, 1.0),
    ("segment.8.local", Table.DISCRETE, 47, WireType.BIT, 1.0),
    ("photocell.1.illuminance", Table.INPUT, 24, WireType.FLOAT32, 2.0),
    ("meter.power-l3", Table.INPUT, 22, WireType.FLOAT32, 2.0),
    ("meter.power-factor-l3", Table.INPUT, 30, WireType.FLOAT32, 10.0),
    ("lamp.64.voltage", Table.INPUT, 2511, WireType.UINT16, 1.0),
    ("lamp.64.power-factor", Table.INPUT, 4252, WireType.UINT16, 30.0),
    ("lamp.64.temperature", Table.INPUT, 4253, WireType.INT16, 30.0),
    ("lamp.64.starts", Table.INPUT, 4254, WireType.UINT32, 30.0),
]


@pytest.mark.parametrize(("name", "table", "address", "wire_type", "every_s"), CABINET_MAP)
def test_the_reference_cabinet_keeps_its_map(
    name: str, table: Table, address: int, wire_type: WireType, every_s: float
) -> None:
    point = load_profile(shipped_profiles()["generic-cabinet"]).points[name]
    assert isinstance(point, ModbusPoint)
    assert (point.table, point.address, point.type, point.every_s) == (table, address, wire_type, every_s)


@pytest.mark.parametrize("name", ["generic-cabinet", "generic-relays"])
def test_all_inputs_of_a_cabinet_come_in_one_request_a_second(name: str) -> None:
    profile = load_profile(shipped_profiles()[name])
    points = [
        point
        for point in profile.points.values()
        if isinstance(point, ModbusPoint) and point.table is Table.DISCRETE and "presence" not in point.name
    ]
    ((poll, requests),) = polls("cab", points, profile.modbus)
    assert (poll.every_s, len(requests)) == (1.0, 1)
